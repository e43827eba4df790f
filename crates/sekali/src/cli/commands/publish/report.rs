//! The account of a run.

use std::time::Duration;

use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, Paint};
use crate::digits::grouped;
use sekali_client::Tally;

/// The account that `sekali publish` prints at the end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Report {
    pub(crate) received: u64,
    pub(crate) stored: u64,
    pub(crate) duplicates: u64,
    pub(crate) conflicts: u64,
    pub(crate) invalid: u64,
    pub(crate) known: u64,
    pub(crate) requests: u64,
    pub(crate) retries: u64,
    pub(crate) elapsed_seconds: f64,
    pub(crate) events_per_second: f64,
    pub(crate) reconciled: bool,
    pub(crate) complete: bool,
}

impl Report {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub(crate) fn new(tally: &Tally, elapsed: Duration, complete: bool) -> Self {
        let seconds = elapsed.as_secs_f64();
        Self {
            received: tally.received,
            stored: tally.stored,
            duplicates: tally.duplicates,
            conflicts: tally.conflicts,
            invalid: tally.invalid + tally.unreadable,
            known: tally.known,
            requests: tally.requests,
            retries: tally.retries,
            elapsed_seconds: (seconds * 1_000.0).round() / 1_000.0,
            events_per_second: (tally.received as f64 / seconds.max(0.001)).round(),
            reconciled: tally.reconciles(),
            complete,
        }
    }

    pub(crate) fn print(&self, output: &mut Output, json: bool) -> Result<(), Failure> {
        if json {
            return output.json(self);
        }
        let paint = output.paint();
        self.lines(paint).iter().try_for_each(|line| output.line(line))
    }

    /// For people.
    pub(crate) fn lines(&self, paint: Paint) -> Vec<String> {
        let figure = |name: &str, value: u64, remark: &str| {
            format!("{name:<11}{:>12}  {remark}", grouped(value)).trim_end().to_owned()
        };
        let mut lines = vec![
            format!("{}  in {} s{}", figure("received", self.received, ""), self.elapsed_seconds, self.pace()),
            figure("stored", self.stored, ""),
            figure("duplicates", self.duplicates, ""),
        ];
        if self.conflicts > 0 {
            lines.push(figure("conflicts", self.conflicts, "duplicates with other content than the stored event"));
            lines.push(format!("{:25}see: sekali events --topic '$conflicts'", ""));
        }
        if self.invalid > 0 {
            lines.push(figure("invalid", self.invalid, "skipped"));
        }
        if self.known > 0 {
            lines.push(figure("known", self.known, "not sent: an event with the key is stored"));
        }
        if self.retries > 0 {
            lines.push(figure("retries", self.retries, "events of unanswered attempts may be duplicates"));
        }
        lines.push(match self.reconciled {
            true if self.complete => paint.green("reconciled: received = stored + duplicates"),
            true => paint.yellow("not complete: this is what was answered; it adds up"),
            false => paint.yellow("NOT reconciled: received, stored and duplicates do not add up"),
        });
        lines
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for people")]
    fn pace(&self) -> String {
        // In less than a second most of the time goes into connecting.
        if self.elapsed_seconds < 1.0 {
            return String::new();
        }
        format!(", {} events/s", grouped(self.events_per_second as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_names_only_what_happened() {
        let tally =
            Tally { requests: 2, sent: 1_000, received: 1_000, stored: 800, duplicates: 200, ..Tally::default() };
        let report = Report::new(&tally, Duration::from_millis(250), true);
        expect_test::expect![[r#"
            received          1,000  in 0.25 s
            stored              800
            duplicates          200
            reconciled: received = stored + duplicates"#]]
        .assert_eq(&report.lines(Paint::PLAIN).join("\n"));
        expect_test::expect![[r#"{"received":1000,"stored":800,"duplicates":200,"conflicts":0,"invalid":0,"known":0,"requests":2,"retries":0,"elapsed_seconds":0.25,"events_per_second":4000.0,"reconciled":true,"complete":true}"#]].assert_eq(&serde_json::to_string(&report).unwrap());
    }

    #[test]
    fn trouble_is_named() {
        let tally = Tally {
            sent: 12,
            received: 10,
            stored: 5,
            duplicates: 4,
            conflicts: 1,
            invalid: 2,
            unreadable: 1,
            known: 7,
            retries: 3,
            ..Tally::default()
        };
        let report = Report::new(&tally, Duration::from_millis(2_500), true);
        expect_test::expect![[r#"
            received             10  in 2.5 s, 4 events/s
            stored                5
            duplicates            4
            conflicts             1  duplicates with other content than the stored event
                                     see: sekali events --topic '$conflicts'
            invalid               3  skipped
            known                 7  not sent: an event with the key is stored
            retries               3  events of unanswered attempts may be duplicates
            NOT reconciled: received, stored and duplicates do not add up"#]]
        .assert_eq(&report.lines(Paint::PLAIN).join("\n"));
        assert!(report.lines(Paint::PLAIN).iter().all(|line| line.chars().count() <= 80));
    }
}
