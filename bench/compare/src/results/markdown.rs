//! The results for people.

use std::fmt::Write as _;

use sekali_testkit::{Table, numbers};

use super::{Of, Results, Summary};
use crate::peer::Kind;

/// `compare.md`.
pub(super) fn write(results: &Results) -> String {
    let Results { machine, seconds, rounds, .. } = results;
    let mut text = format!(
        "# Sekali beside other stores\n\n\
         Written by `bench/compare/run`; every run is in [compare.json](compare.json), how it is measured in\n\
         [bench/compare](../compare/README.md). {rounds} rounds of {seconds} s each, all peers in turn in each round, medians.\n\
         Events of 200 bytes as JSON in ten topics with random UUIDs, one in five repeats a recent one. Everything and the load\n\
         generator on one machine: {}.\n\n\
         ![Events acknowledged per second](compare.svg)\n",
        machine.to_text()
    );
    let sections =
        [batches(results), meanings(results), floor(results), single(results), half_load(results), disk(results)];
    for section in sections.iter().chain([&checks(results), &left_out(results)]).filter(|section| !section.is_empty()) {
        let _ = write!(text, "\n{section}");
    }
    text
}

fn batches(results: &Results) -> String {
    let sekali = results.summary_of("sekali");
    let mut table = Table::new([
        "peer",
        "events/s",
        "slowest … fastest run",
        "Sekali is",
        "p50 ms",
        "p99 ms",
        "requests",
        "on disk when answered",
    ]);
    for (peer, summary) in results.ranking(Kind::Batches) {
        let about = &peer.about;
        let ratio = sekali.map(|sekali| times(sekali.events_per_second / summary.events_per_second));
        let shape = format!("{} × {}", about.shape.connections, grouped(about.shape.batch_size as f64));
        table.add([
            format!("`{}`", about.name),
            grouped(summary.events_per_second),
            spread(&summary),
            ratio.unwrap_or_default(),
            format!("{:.2}", summary.latency_ms.p50),
            format!("{:.2}", summary.latency_ms.p99),
            shape,
            if about.is_durable { "yes" } else { "**no**" }.to_owned(),
        ]);
    }
    format!(
        "## Events acknowledged per second\n\n{}\n\
         Requests: connections × events in each request. Times are from a request to its answer.\n",
        table.to_markdown()
    )
}

fn meanings(results: &Results) -> String {
    let mut table = Table::new(["peer", "is", "version", "once it has answered"]);
    for peer in results.peers.iter().filter(|peer| !peer.runs.is_empty()) {
        let about = &peer.about;
        let version = peer.version.clone().unwrap_or_default();
        table.add([format!("`{}`", about.name), about.what.to_string(), version, about.acknowledgement.to_string()]);
    }
    format!("## What an answer means\n\n{}", table.to_markdown())
}

fn floor(results: &Results) -> String {
    let (Some(sekali), Some(floor)) = (results.summary_of("sekali"), results.summary_of("floor")) else {
        return String::new();
    };
    format!(
        "## Distance from the floor\n\n\
         `floor` takes the same requests from the same load generator, validates the JSON with the same parser, appends and syncs \
         the bytes, and does nothing else.\nSekali reaches **{:.0}%** of it.\n",
        100.0 * sekali.events_per_second / floor.events_per_second
    )
}

fn single(results: &Results) -> String {
    let ranking = results.ranking(Kind::Single);
    if ranking.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["peer", "requests/s", "slowest … fastest run", "p50 ms", "p99 ms", "connections"]);
    for (peer, summary) in ranking {
        table.add([
            format!("`{}`", peer.about.name),
            grouped(summary.events_per_second),
            spread(&summary),
            format!("{:.2}", summary.latency_ms.p50),
            format!("{:.2}", summary.latency_ms.p99),
            peer.about.shape.connections.to_string(),
        ]);
    }
    let mut text = format!("## One event a request\n\n{}", table.to_markdown());
    if let (Some(sekali), Some(handler)) = (results.summary_of("sekali-single"), results.summary_of("handler")) {
        let share = 100.0 * sekali.events_per_second / handler.events_per_second;
        let _ =
            writeln!(text, "\nSekali, deduplicating and syncing, answers **{share:.0}%** of what a bare handler does.");
    }
    text
}

fn half_load(results: &Results) -> String {
    let mut text = String::new();
    for (peer, summary) in results.ranking(Kind::HalfLoad) {
        let _ = write!(
            text,
            "## Time until the answer at half load\n\n\
             {}, {} events/s at a fixed rate: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms.\n",
            peer.about.what,
            grouped(summary.events_per_second),
            summary.latency_ms.p50,
            summary.latency_ms.p99,
            summary.latency_ms.p99_9,
        );
        if let Some((bytes, sync)) = results.sync_medians().last() {
            let _ = writeln!(
                text,
                "p99 is {} that of a bare `fdatasync` after an append of {} KiB.",
                times(summary.latency_ms.p99 / sync.p99),
                bytes / 1024
            );
        }
    }
    text
}

fn disk(results: &Results) -> String {
    let mut table = Table::new(["append", "p50 ms", "p99 ms", "p99.9 ms"]);
    for (bytes, sync) in results.sync_medians() {
        let times = [sync.p50, sync.p99, sync.p99_9].map(|time| format!("{time:.3}"));
        table.add([format!("{} KiB", bytes / 1024)].into_iter().chain(times));
    }
    format!(
        "## The disk by itself\n\n\
         One `fdatasync` after the other, nothing else running, at the beginning of each round.\n\n{}",
        table.to_markdown()
    )
}

fn checks(results: &Results) -> String {
    let mut text = "## What they held afterwards\n\n\
        After each run every peer was asked how many events it holds, and that was compared with how many different ones were \
        sent\n(`floor` keeps repeats, so with all; `handler` keeps nothing). "
        .to_owned();
    match results.problems() {
        0 => text.push_str("All held exactly that.\n"),
        _ => text.push_str("Not all was as it should be:\n\n"),
    }
    for peer in &results.peers {
        let wrong = peer.runs.iter().filter(|run| !run.is_right()).map(super::Run::to_text);
        for what in wrong.chain(peer.failures.iter().cloned()) {
            let _ = writeln!(text, "- `{}`: {}", peer.about.name, what.replace('\n', " "));
        }
    }
    text
}

fn left_out(results: &Results) -> String {
    let missing = |peer: &Of| Some(format!("- `{}`: {}\n", peer.about.name, peer.left_out.as_ref()?));
    let missing: String = results.peers.iter().filter_map(missing).collect();
    if missing.is_empty() { missing } else { format!("## Left out\n\n{missing}") }
}

fn spread(summary: &Summary) -> String {
    format!("{} … {}", grouped(summary.slowest), grouped(summary.fastest))
}

/// A ratio with significant digits only.
pub(super) fn times(ratio: f64) -> String {
    match ratio {
        0.0..10.0 => format!("{ratio:.2}×"),
        10.0..100.0 => format!("{ratio:.1}×"),
        _ => format!("{}×", grouped(ratio)),
    }
}

/// A rate without a fraction, with commas between thousands.
pub(super) fn grouped(rate: f64) -> String {
    numbers::grouped(rate.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_people_read_them() {
        let rates: Vec<String> = [0.4, 999.6, 1_234.0, 1_234_567.0].map(grouped).into();
        assert_eq!(rates, ["0", "1,000", "1,234", "1,234,567"]);
        let ratios: Vec<String> = [0.456, 9.876, 45.67, 2_345.6].map(times).into();
        assert_eq!(ratios, ["0.46×", "9.88×", "45.7×", "2,346×"]);
    }

    #[test]
    fn ratios_are_of_medians() {
        let text = write(&super::super::tests::results());
        assert!(text.contains("| `floor` | 2,000,000 | 2,000,000 … 2,000,000 | 0.45× |"), "{text}");
        assert!(text.contains("| `seed` | 445 | 440 … 450 | 2,022× |"), "{text}");
        assert!(text.contains("Sekali reaches **45%** of it"), "{text}");
        assert!(text.contains("answers **75%** of what a bare handler does"), "{text}");
        assert!(text.contains("- `floor`: not installed"), "{text}");
    }
}
