//! Counts by the values of fields.

use serde::Deserialize;
use serde_json::Value;

use crate::cli::term::bars::{bars, group_name};
use crate::cli::term::output::Paint;
use crate::digits::grouped;

/// The groups of an answer. That of `/conflicts/count` has the same members.
#[derive(Debug, Deserialize)]
pub(crate) struct GroupCounts {
    count: u64,
    complete: bool,
    by: Vec<String>,
    groups: Vec<GroupCount>,
    other: OtherCounts,
    missing: u64,
}

#[derive(Debug, Deserialize)]
struct GroupCount {
    key: Vec<Value>,
    count: u64,
}

#[derive(Debug, Deserialize)]
struct OtherCounts {
    groups: u64,
    count: u64,
}

impl GroupCounts {
    /// A table of the groups, and how many there are of `what`.
    pub(crate) fn render(&self, what: &str, paint: Paint) -> Vec<String> {
        let rows: Vec<_> = self.groups.iter().map(|group| (group_name(&group.key), group.count)).collect();
        let mut lines = bars(&self.by.join(", "), &rows, self.count, paint);
        let rest = [
            (self.other.count, format!("in {} other groups", grouped(self.other.groups))),
            (self.missing, "in no group".to_owned()),
        ];
        let rest =
            rest.iter().filter(|(count, _)| *count > 0).map(|(count, text)| format!("{} {text}", grouped(*count)));
        let rest: Vec<_> = rest.collect();
        let rest = if rest.is_empty() { String::new() } else { format!(", {}", rest.join(", ")) };
        lines.push(format!("{} {what}{rest}", grouped(self.count)));
        if !self.complete {
            lines.push(paint.yellow("not all were read: these are parts of the counts"));
        }
        lines
    }

    /// The value of the largest group.
    pub(crate) fn largest(&self) -> Option<String> {
        self.groups.first().map(|group| group_name(&group.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_a_table_with_bars() {
        let answer = r#"{"count":2000,"complete":true,"by":["payload.status","topic"],"groups":[
            {"key":[200,"web"],"count":1498},{"key":[404,null],"count":402}],"other":{"groups":3,"count":90},"missing":10}"#;
        let counts: GroupCounts = serde_json::from_str(answer).unwrap();
        expect_test::expect![[r#"
            payload.status, topic          count   share
            200, web                       1,498   74.9%  ████████████████████
            404, null                        402   20.1%  ██████
            2,000 events, 90 in 3 other groups, 10 in no group"#]]
        .assert_eq(&counts.render("events", Paint::PLAIN).join("\n"));
        assert_eq!(counts.largest().as_deref(), Some("200, web"));
    }
}
