//! The answer of a statement, as text of bounded size.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::{Result, Row};
use sekali_wire::csv;
use sekali_wire::json::append_string;

use super::cells::{append_csv, append_json};
use crate::limits::{SQL_ANSWER_BYTES_MAX, SQL_ROWS_MAX};

/// How an answer is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlFormat {
    /// One object, with the rows as arrays.
    Json,
    /// Each row as an object on a line.
    Ndjson,
    /// Below a header.
    Csv,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SqlEnd {
    /// There are no more rows.
    All,
    /// It has as many rows as it may have.
    Rows,
    /// It has as many bytes as it may have.
    Bytes,
    /// Its time was up.
    Time,
}

/// The answer of a statement.
#[derive(Debug)]
pub struct SqlAnswer {
    /// Its text.
    pub text: Vec<u8>,
    /// Number of rows.
    pub rows: u64,
    /// Events that were read for it.
    pub events: u64,
    /// How long it took.
    pub time: Duration,
}

/// Takes rows.
pub(super) struct AnswerBuilder {
    format: SqlFormat,
    columns: Vec<String>,
    text: Vec<u8>,
    rows: u64,
}

impl AnswerBuilder {
    pub(super) fn new(format: SqlFormat, columns: Vec<String>) -> Self {
        let mut text = Vec::new();
        match format {
            SqlFormat::Json => {
                text.extend_from_slice(b"{\"columns\":");
                append_list(&mut text, columns.iter(), |text, name| append_string(text, name));
                text.extend_from_slice(b",\"rows\":[");
            }
            SqlFormat::Ndjson => {}
            SqlFormat::Csv => csv::append_row(&mut text, columns.iter().map(String::as_bytes)),
        }
        let columns = if format == SqlFormat::Ndjson { distinct(columns) } else { columns };
        Self { format, columns, text, rows: 0 }
    }

    /// Number of rows so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether there is no room for another row, and why.
    pub(super) fn is_full(&self) -> Option<SqlEnd> {
        if self.rows >= SQL_ROWS_MAX {
            Some(SqlEnd::Rows)
        } else {
            (self.text.len() >= SQL_ANSWER_BYTES_MAX).then_some(SqlEnd::Bytes)
        }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// Those of SQLite.
    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<()> {
        let values = (0..self.columns.len()).map(|at| row.get_ref(at)).collect::<Result<Vec<_>>>()?;
        let text = &mut self.text;
        match self.format {
            SqlFormat::Json => {
                if self.rows > 0 {
                    text.push(b',');
                }
                append_list(text, values.into_iter(), append_json);
            }
            SqlFormat::Ndjson => {
                text.push(b'{');
                for (at, (name, value)) in self.columns.iter().zip(values).enumerate() {
                    if at > 0 {
                        text.push(b',');
                    }
                    append_string(text, name);
                    text.push(b':');
                    append_json(text, value);
                }
                text.extend_from_slice(b"}\n");
            }
            SqlFormat::Csv => {
                for (at, value) in values.into_iter().enumerate() {
                    if at > 0 {
                        text.push(b',');
                    }
                    append_csv(text, value);
                }
                text.extend_from_slice(b"\r\n");
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// The whole answer.
    pub(super) fn finish(mut self, end: SqlEnd, events: u64, time: Duration) -> SqlAnswer {
        if self.format == SqlFormat::Json {
            let ended_by = match end {
                SqlEnd::All => "",
                SqlEnd::Rows => ",\"ended_by\":\"rows\"",
                SqlEnd::Bytes => ",\"ended_by\":\"bytes\"",
                SqlEnd::Time => ",\"ended_by\":\"time\"",
            };
            let seconds = (time.as_secs_f64() * 1e6).round() / 1e6;
            let read = format!("{{\"events\":{events},\"seconds\":{seconds:?}}}");
            let rest = format!("],\"complete\":{}{ended_by},\"read\":{read}}}\n", end == SqlEnd::All);
            self.text.extend_from_slice(rest.as_bytes());
        }
        SqlAnswer { text: self.text, rows: self.rows, events, time }
    }
}

fn append_list<T>(text: &mut Vec<u8>, values: impl Iterator<Item = T>, append: impl Fn(&mut Vec<u8>, T)) {
    text.push(b'[');
    for (at, value) in values.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        append(text, value);
    }
    text.push(b']');
}

/// Names that can be members of one object.
fn distinct(columns: Vec<String>) -> Vec<String> {
    let mut taken = HashSet::new();
    let name = |name: String| {
        let names = (1..).map(|number| if number == 1 { name.clone() } else { format!("{name}:{number}") });
        names.take(crate::limits::SQL_COLUMNS_MAX + 1).find(|name| taken.insert(name.clone())).unwrap_or(name.clone())
    };
    columns.into_iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_a_line_have_different_names() {
        let names = ["a", "b", "a", "a:2", "a"].map(str::to_owned).to_vec();
        assert_eq!(distinct(names), ["a", "b", "a:2", "a:2:2", "a:3"]);
    }
}
