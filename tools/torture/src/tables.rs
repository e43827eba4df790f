//! Results as Markdown tables.

use sekali_testkit::Table;
use sekali_testkit::numbers::figure;
use serde_json::Value;

use crate::results::{Line, Results};

/// Figures with a column of their own, and the heads of those columns.
const COLUMNS: [(&str, &str); 6] = [
    ("cycles", "cycles"),
    ("acked", "acknowledged"),
    ("acked_lost", "lost"),
    ("stored_twice", "twice"),
    ("read_then_vanished", "seen, then gone"),
    ("wrong_bytes", "wrong bytes"),
];

/// Figures of each attack of `hostile_neighbours`, behind the name of the attack, and the heads of
/// their columns.
const ATTACK_COLUMNS: [(&str, &str); 3] = [
    ("_publish_p99_ms", "another client's publish, p99"),
    ("_livez_ms_max", "its `/livez`, max"),
    ("_memory_mib_max", "memory"),
];

/// Returns all tables, for a terminal.
pub(crate) fn all(results: &Results) -> String {
    let parts = [runs(results), tests(results), neighbours(results), mutants(results)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Most columns of a line of prose.
const COLUMNS_MAX: usize = 100;

/// Returns a paragraph with commit and machine of each run.
pub(crate) fn runs(results: &Results) -> String {
    let sentence = |run: &Line| format!("Commit {} on {}.", text(run, "commit"), text(run, "machine"));
    let sentences: Vec<_> = results.runs.iter().map(sentence).collect();
    filled(&sentences.join(" "))
}

/// Returns the words of `text` in lines of at most [`COLUMNS_MAX`] columns.
fn filled(text: &str) -> String {
    let (mut lines, mut column) = (String::new(), 0);
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if column == 0 {
            column = len;
        } else if column + 1 + len <= COLUMNS_MAX {
            lines.push(' ');
            column += 1 + len;
        } else {
            lines.push('\n');
            column = len;
        }
        lines.push_str(word);
    }
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines
}

/// Returns a row for each test. The column `and` has the figures without a column of their own,
/// those that are 0 left out.
pub(crate) fn tests(results: &Results) -> String {
    if results.tests.is_empty() {
        return String::new();
    }
    let [a, b, c, d, e, f] = COLUMNS.map(|(_, above)| above);
    let mut table = Table::new(["test", a, b, c, d, e, f, "and", "seed", "time"]);
    for line in &results.tests {
        let [a, b, c, d, e, f] = COLUMNS.map(|(name, _)| text(line, name));
        let seed = line.get("seed").map(ToString::to_string).unwrap_or_default();
        table.add([format!("`{}`", text(line, "test")), a, b, c, d, e, f, others(line), seed, time(line)]);
    }
    table.to_markdown()
}

/// Returns a row for each attack of a hostile neighbour.
pub(crate) fn neighbours(results: &Results) -> String {
    let [(first, _), ..] = ATTACK_COLUMNS;
    let [a, b, c] = ATTACK_COLUMNS.map(|(_, above)| above);
    let mut rows = Vec::new();
    for line in &results.tests {
        for attack in line.keys().filter_map(|name| name.strip_suffix(first)).filter(|attack| !attack.is_empty()) {
            let figure = |(name, _): (&str, &str)| text(line, &format!("{attack}{name}"));
            let [p99, livez, memory] = ATTACK_COLUMNS.map(figure);
            rows.push([attack.replace('_', " "), format!("{p99} ms"), format!("{livez} ms"), format!("{memory} MiB")]);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["attack", a, b, c]);
    rows.into_iter().for_each(|row| table.add(row));
    table.to_markdown()
}

/// Returns a row for each mutant.
pub(crate) fn mutants(results: &Results) -> String {
    if results.mutants.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["mutant", "fault", "caught by"]);
    for line in &results.mutants {
        let caught_by = format!("`{}`", text(line, "caught_by"));
        table.add([format!("`{}`", text(line, "mutant")), text(line, "wrong"), caught_by]);
    }
    table.to_markdown()
}

/// Returns the figures without a column, with their names.
fn others(line: &Line) -> String {
    if let Some(reason) = line.get("skipped") {
        return format!("skipped: {}", reason.as_str().unwrap_or_default());
    }
    let is_of_attack = |name: &str| {
        let mut attacks = ATTACK_COLUMNS.iter().filter_map(|(ending, _)| name.strip_suffix(ending));
        attacks.any(|attack| line.contains_key(&format!("{attack}{}", ATTACK_COLUMNS[0].0)))
    };
    let has_column = |name: &str| {
        ["test", "seed", "seconds"].contains(&name)
            || COLUMNS.iter().any(|(known, _)| *known == name)
            || is_of_attack(name)
    };
    let others = line.iter().filter(|(name, value)| !has_column(name) && value.as_u64() != Some(0));
    others.map(|(name, _)| format!("{} {}", name.replace('_', " "), text(line, name))).collect::<Vec<_>>().join(", ")
}

fn time(line: &Line) -> String {
    let seconds = line.get("seconds").and_then(Value::as_f64);
    seconds.map(|seconds| format!("{} s", figure(seconds.round()))).unwrap_or_default()
}

/// Returns a member as text, empty if it is absent.
fn text(line: &Line, name: &str) -> String {
    match line.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.as_f64().map(figure).unwrap_or_default(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attack_is_a_row_of_its_own_table_and_not_in_the_other() {
        let line = concat!(
            r#"{"test":"hostile_neighbours","seed":1,"seconds":2.0,"cycles":1,"memory_mib_max":9,"#,
            r#""large_floods_publish_p99_ms":3,"large_floods_livez_ms_max":4,"large_floods_memory_mib_max":5}"#
        );
        let results = Results::parse(line).unwrap();
        let rows: Vec<_> = neighbours(&results).lines().skip(2).map(str::to_owned).collect();
        assert_eq!(rows.len(), 1);
        let cells: Vec<_> = rows[0].split('|').map(str::trim).collect();
        assert_eq!(cells, ["", "large floods", "3 ms", "4 ms", "5 MiB", ""]);
        let others = tests(&results);
        assert!(others.contains("memory mib max 9") && !others.contains("large floods"), "{others}");
        assert_eq!(neighbours(&Results::default()), "");
    }
}
