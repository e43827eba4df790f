//! Collects the members of the payloads of a row group.

use std::collections::HashMap;

use ahash::RandomState;

use super::part::texts;
use super::{ELSEWHERE, FIRST_ENTRY, MISSING, SOURCE_PATH};
use crate::limits::{
    MEMBER_DICTIONARIES_BYTES_MAX, MEMBER_DICTIONARY_BYTES_MAX, MEMBER_ENTRIES_MAX, MEMBER_NAME_BYTES_MAX,
    MEMBER_PATHS_MAX, MEMBER_TEXT_BYTES_MAX, MEMBER_TRIAL_ENTRIES, MEMBER_TRIAL_ROWS,
};
use crate::rules::{Member, Members};
use crate::segment::summary::RowSources;

/// The count of a row whose payload says more than its members.
pub(super) const OPEN: u16 = u16::MAX;

/// Bytes of memory for each distinct text beside the text itself, about.
const ENTRY_BYTES: usize = 48;

/// Members of payloads, row by row. Holds two bytes for each row and path, at most
/// [`MEMBER_PATHS_MAX`] of these, and the distinct texts.
#[derive(Debug, Default)]
pub(in crate::segment) struct MemberBuilder {
    rows: u32,
    known: HashMap<Box<[u8]>, usize, RandomState>,
    /// The column that was told last.
    told_last: usize,
    pub(super) columns: Vec<ColumnBuilder>,
    /// For each row the number of its members with a text, or [`OPEN`].
    pub(super) texts: Vec<u16>,
    dictionaries_bytes: usize,
    /// Rows whose payloads could not be taken apart.
    opaque: Vec<u32>,
}

/// The members of one path.
#[derive(Debug)]
pub(super) struct ColumnBuilder {
    pub(super) path: Box<[u8]>,
    /// The column that was told after this one, where it was told last: payloads of one producer
    /// mostly have the same members in the same order.
    next: usize,
    /// Of the rows up to the last that has the member.
    pub(super) codes: Vec<u16>,
    entries: HashMap<Box<[u8]>, u16, RandomState>,
    /// The distinct texts in the order of their codes, each behind its length.
    pub(super) dictionary: Vec<u8>,
    /// Rows that have the member.
    present: u32,
    /// Whether it can be no column any more.
    is_given_up: bool,
}

impl MemberBuilder {
    /// Number of rows.
    pub(in crate::segment) fn rows(&self) -> u32 {
        self.rows
    }

    /// Takes in the source and the payload of the next row.
    pub(in crate::segment) fn add(&mut self, source: &[u8], payload: &[u8], members: Members) {
        let (mut count, mut is_open) = (0_u16, false);
        let row = self.rows;
        self.rows += 1;
        self.put(row, SOURCE_PATH.as_bytes(), Some(source));
        let is_whole = members(payload, &mut |member| match member {
            Member::Text { path, text } => {
                count = count.saturating_add(1);
                self.put(row, path, Some(text));
            }
            Member::Inner { path } => self.put(row, path, None),
            Member::Rest { .. } => is_open = true,
        });
        if !is_whole {
            self.opaque.push(row);
        }
        self.texts.push(if is_whole && !is_open { count } else { OPEN });
    }

    /// The sources of all rows; `None` where they are too many or too long.
    pub(in crate::segment) fn sources(&self) -> Option<RowSources<'_>> {
        let column = self.columns.iter().find(|column| !column.is_of_payloads() && !column.is_given_up)?;
        let numbers = column.codes.iter().map(|code| code.checked_sub(FIRST_ENTRY));
        Some(RowSources { texts: texts(&column.dictionary).collect(), numbers: numbers.collect::<Option<_>>()? })
    }

    /// The columns, with codes for all rows, that are worth having.
    pub(super) fn into_columns(mut self) -> (Vec<ColumnBuilder>, Vec<u16>) {
        let rows = self.rows;
        self.columns.retain(|column| column.is_worth_having(rows));
        for column in &mut self.columns {
            column.codes.resize(rows as usize, MISSING);
            if column.is_of_payloads() {
                self.opaque.iter().for_each(|&row| column.codes[row as usize] = ELSEWHERE);
            }
        }
        (self.columns, self.texts)
    }

    fn put(&mut self, row: u32, path: &[u8], text: Option<&[u8]>) {
        let Some(number) = self.number(path) else { return };
        let Some(column) = self.columns.get_mut(number).filter(|column| !column.is_given_up) else { return };
        if column.codes.len() > row as usize {
            // Told twice: which of the two counts is for the payload to say.
            column.codes[row as usize] = ELSEWHERE;
            return;
        }
        column.codes.resize(row as usize, MISSING);
        column.present += 1;
        let room = MEMBER_DICTIONARIES_BYTES_MAX.saturating_sub(self.dictionaries_bytes);
        let before = column.bytes();
        match text.filter(|text| text.len() <= MEMBER_TEXT_BYTES_MAX) {
            None => column.codes.push(ELSEWHERE),
            Some(text) => match column.code(text, room) {
                Some(code) => column.codes.push(code),
                None => column.give_up(),
            },
        }
        self.dictionaries_bytes = self.dictionaries_bytes + column.bytes() - before;
    }

    /// The number of a path; `None` where there are too many.
    fn number(&mut self, path: &[u8]) -> Option<usize> {
        let last = self.told_last;
        let guess = self.columns.get(last).map_or(0, |column| column.next);
        let number = match self.columns.get(guess) {
            Some(column) if *column.path == *path => guess,
            _ => self.look_up(path)?,
        };
        if let Some(column) = self.columns.get_mut(last) {
            column.next = number;
        }
        self.told_last = number;
        Some(number)
    }

    fn look_up(&mut self, path: &[u8]) -> Option<usize> {
        if let Some(number) = self.known.get(path) {
            return Some(*number);
        }
        if self.columns.len() >= MEMBER_PATHS_MAX || path.len() > MEMBER_NAME_BYTES_MAX {
            return None;
        }
        self.known.insert(path.into(), self.columns.len());
        self.columns.push(ColumnBuilder {
            path: path.into(),
            next: 0,
            codes: Vec::new(),
            entries: HashMap::default(),
            dictionary: Vec::new(),
            present: 0,
            is_given_up: false,
        });
        Some(self.columns.len() - 1)
    }
}

impl ColumnBuilder {
    /// Whether its texts are in the payloads.
    pub(super) fn is_of_payloads(&self) -> bool {
        *self.path != *SOURCE_PATH.as_bytes()
    }

    /// Bytes of memory for its texts, about.
    fn bytes(&self) -> usize {
        2 * self.dictionary.len() + self.len() * ENTRY_BYTES
    }

    /// Number of distinct texts.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The code of a text, for which a dictionary may take so many more bytes. `None` where the
    /// texts are too many or too different.
    fn code(&mut self, text: &[u8], room: usize) -> Option<u16> {
        if let Some(code) = self.entries.get(text) {
            return Some(*code);
        }
        let bytes = size_of::<u16>() + text.len();
        let is_full = self.len() >= MEMBER_ENTRIES_MAX
            || 2 * bytes + ENTRY_BYTES > room
            || self.dictionary.len() + bytes > MEMBER_DICTIONARY_BYTES_MAX
            || (self.len() >= MEMBER_TRIAL_ENTRIES && self.present <= MEMBER_TRIAL_ROWS);
        if is_full {
            return None;
        }
        let code = self.len() as u16 + FIRST_ENTRY;
        self.entries.insert(text.into(), code);
        self.dictionary.extend_from_slice(&(text.len() as u16).to_le_bytes());
        self.dictionary.extend_from_slice(text);
        Some(code)
    }

    fn give_up(&mut self) {
        self.is_given_up = true;
        (self.codes, self.entries, self.dictionary) = (Vec::new(), HashMap::default(), Vec::new());
    }

    /// Whether enough rows have it, and few enough different texts.
    fn is_worth_having(&self, rows: u32) -> bool {
        !self.is_given_up
            && self.len() > 0
            && self.present >= rows.div_ceil(64)
            && self.len() <= (self.present as usize / 2).max(1)
    }
}
