//! Rows as a table.

use serde::Deserialize;
use serde_json::Value;

use crate::cli::answer::parse;
use crate::cli::failure::Failure;
use crate::cli::term::output::Paint;
use crate::digits::grouped;
use sekali_wire::escape::escape;

/// Least characters that a column is cut to, where not all have room.
const CELL_CHARS_MIN: usize = 8;

/// An answer to a statement.
#[derive(Debug, Deserialize)]
pub(super) struct TableAnswer {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    complete: bool,
    #[serde(default)]
    ended_by: String,
    read: Read,
}

#[derive(Debug, Deserialize)]
struct Read {
    events: u64,
    seconds: f64,
}

impl TableAnswer {
    /// Reads the server's answer.
    pub(super) fn parse(answer: &[u8]) -> Result<Self, Failure> {
        parse(answer)
    }

    /// A heading and a line for each row, which are cut where they are wider than `columns`.
    pub(super) fn lines(&self, columns: usize, paint: Paint) -> Vec<String> {
        let cells: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        let heading: Vec<_> = self.columns.iter().map(|name| escape(name).into_owned()).collect();
        let is_number = |at: usize| {
            let mut values = self.rows.iter().filter_map(|row| row.get(at)).filter(|value| !value.is_null()).peekable();
            values.peek().is_some() && values.all(Value::is_number)
        };
        let numbers: Vec<_> = (0..heading.len()).map(is_number).collect();
        let longest = |at: usize| {
            let all = cells.iter().filter_map(|row| row.get(at)).chain(heading.get(at));
            all.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths = fit((0..heading.len()).map(longest).collect(), columns);
        let line = |row: &[String]| {
            let cells = row.iter().zip(&widths).zip(&numbers).map(|((cell, &width), &is_number)| {
                let cell = cut(cell, width);
                if is_number { format!("{cell:>width$}") } else { format!("{cell:width$}") }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let mut lines = vec![paint.bold(line(&heading))];
        lines.extend(cells.iter().map(|row| line(row)));
        lines
    }

    /// How many rows there are, and of how many events.
    pub(super) fn summary(&self) -> String {
        let rows = if self.rows.len() == 1 { "row" } else { "rows" };
        let why = match (self.complete, self.ended_by.as_str()) {
            (true, _) => String::new(),
            (_, "time") => "; time was up, and there may be more: see --within".to_owned(),
            _ => "; there are more: add LIMIT, or a condition".to_owned(),
        };
        let Read { events, seconds } = &self.read;
        let (count, events) = (grouped(self.rows.len() as u64), grouped(*events));
        format!("{count} {rows}, {events} events read in {seconds:.2} s{why}")
    }
}

/// A value on a terminal.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => escape(text).into_owned(),
        other => other.to_string(),
    }
}

/// Takes from the widest columns until all have room.
fn fit(mut widths: Vec<usize>, columns: usize) -> Vec<usize> {
    let gaps = 2 * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > columns {
        let Some(widest) = widths.iter_mut().max().filter(|width| **width > CELL_CHARS_MIN) else { break };
        *widest -= 1;
    }
    widths
}

fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_lined_up_and_cut() {
        let answer = br#"{"columns":["source","n","text"],"rows":[["a",1000,"x\u001b[31m"],["host-2",2.5,null],
            ["c",null,"a text that is longer than its column"]],"complete":true,"read":{"events":12345,"seconds":0.5}}"#;
        let answer = TableAnswer::parse(answer).unwrap();
        expect_test::expect![[r"
            source     n  text
            a       1000  x\u001b[31m
            host-2   2.5  -
            c          -  a text that i…"]]
        .assert_eq(&answer.lines(28, Paint::PLAIN).join("\n"));
        assert_eq!(answer.summary(), "3 rows, 12,345 events read in 0.50 s");
    }
}
