//! Events as pieces of an answer without end, in memory that is bounded.

use std::io;

use sekali_store::StoredEvent;
use sekali_store::columns::{Cell, TableWriter};
use sekali_wire::csv;
use sekali_wire::timestamp::append_timestamp;

use super::event_json::one_line;
use super::{AnswerFormat, Layout, append_event};
use crate::limits::PARQUET_GROUP_BYTES;
use crate::query::{Columns, FieldValue};

/// Lays events out one behind the other.
pub(in crate::http) enum EventEncoder {
    /// JSON, an event a line.
    Lines { columns: Option<Columns>, text: Vec<u8> },
    /// CSV.
    Rows { columns: Columns, text: Vec<u8>, cells: CellTexts },
    /// Parquet; `None` once it is complete.
    Table { columns: Columns, table: Option<Box<TableWriter<Vec<u8>>>>, text: Vec<u8> },
}

/// The texts of the cells of a row.
#[derive(Debug, Default)]
pub(in crate::http) struct CellTexts {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl EventEncoder {
    /// Begins an answer with these columns, or with whole events. JSON is laid out as lines.
    ///
    /// # Errors
    /// None that the columns of events can cause.
    pub(in crate::http) fn new(format: AnswerFormat, columns: Option<Columns>) -> io::Result<Self> {
        if matches!(format, AnswerFormat::Json | AnswerFormat::Ndjson) {
            return Ok(Self::Lines { columns, text: Vec::new() });
        }
        let columns = columns.unwrap_or_else(Columns::all);
        if format == AnswerFormat::Csv {
            let mut text = Vec::new();
            csv::append_row(&mut text, columns.names().map(str::as_bytes));
            return Ok(Self::Rows { columns, text, cells: CellTexts::default() });
        }
        let names: Vec<_> = columns.names().collect();
        let table = TableWriter::new(Vec::new(), &names, PARQUET_GROUP_BYTES)?;
        Ok(Self::Table { columns, table: Some(Box::new(table)), text: Vec::new() })
    }

    /// Adds an event.
    ///
    /// # Errors
    /// Parquet does not take it.
    pub(in crate::http) fn append(&mut self, event: &StoredEvent) -> io::Result<()> {
        match self {
            Self::Lines { columns: None, text } => {
                append_event(text, event, Layout::OneLine);
                text.push(b'\n');
            }
            Self::Lines { columns: Some(columns), text } => {
                let begin = text.len();
                columns.append_object(event, text);
                one_line(text, begin);
                text.push(b'\n');
            }
            Self::Rows { columns, text, cells } => {
                cells.set(columns.values(event));
                csv::append_row(text, cells.iter());
            }
            Self::Table { columns, table: Some(table), text } => {
                let values: Vec<_> = columns.values(event).collect();
                table.push(values.iter().map(cell))?;
                if text.is_empty() {
                    std::mem::swap(text, table.output());
                } else {
                    text.append(table.output());
                }
            }
            Self::Table { table: None, .. } => {}
        }
        Ok(())
    }

    /// Completes the answer.
    ///
    /// # Errors
    /// Parquet cannot be completed.
    pub(in crate::http) fn end(&mut self) -> io::Result<()> {
        if let Self::Table { table, text, .. } = self
            && let Some(table) = table.take()
        {
            text.append(&mut table.finish()?);
        }
        Ok(())
    }

    fn text(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Lines { text, .. } | Self::Rows { text, .. } | Self::Table { text, .. } => text,
        }
    }

    /// How many bytes can be sent.
    pub(in crate::http) fn len(&mut self) -> usize {
        self.text().len()
    }

    /// Takes the bytes that can be sent.
    pub(in crate::http) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.text())
    }
}

impl CellTexts {
    fn set<'e>(&mut self, values: impl Iterator<Item = Option<FieldValue<'e>>>) {
        self.text.clear();
        self.ends.clear();
        for value in values {
            match value {
                Some(FieldValue::Text(text)) => self.text.extend_from_slice(&text),
                Some(FieldValue::Number(number)) => self.text.extend_from_slice(number.to_string().as_bytes()),
                Some(FieldValue::Time(ns)) => append_timestamp(&mut self.text, ns),
                None => {}
            }
            self.ends.push(self.text.len());
        }
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(&0).chain(&self.ends);
        begins.zip(&self.ends).map(|(&begin, &end)| self.text.get(begin..end).unwrap_or_default())
    }
}

fn cell<'v>(value: &'v Option<FieldValue<'_>>) -> Cell<'v> {
    match value {
        Some(FieldValue::Text(text)) => Cell::Text(text),
        // Seqs stay far below the greatest.
        Some(FieldValue::Number(number)) => Cell::Number(i64::try_from(*number).unwrap_or(i64::MAX)),
        Some(FieldValue::Time(ns)) => Cell::Number(*ns),
        None => Cell::Missing,
    }
}
