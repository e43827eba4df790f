//! The parts of a row group: what stands behind its Parquet columns, and says nothing that these do
//! not say. Reads leave rows out by it, or need none.

use std::io;

use super::dir::PartRules;
use super::filter::{FilterBuilder, block_rows};
use super::index::{FILTER_PART, MEMBERS_PART, Part, SUMMARY_PART};
use super::members::{EncodedMembers, MemberBuilder, Residue};
use super::summary;
use super::table::TopicTable;
use crate::limits::{FILTER_BYTES_SHARE, MEMBER_BYTES_SHARE};
use crate::rules::{Member, Pieces};

/// Rows that are looked at to learn how much text there is without a column.
const SAMPLE_ROWS: usize = 256;

/// The parts of a row group that is being written.
pub(super) struct PartsBuilder<'a> {
    rules: PartRules,
    members: MemberBuilder,
    summary: Vec<u8>,
    /// Of all rows, if there are to be filters.
    payloads: Vec<&'a [u8]>,
}

impl<'a> PartsBuilder<'a> {
    /// The parts of rows of these topics, with these timestamps, and with these sources and
    /// payloads.
    pub(super) fn new(
        rules: PartRules,
        topics: &TopicTable,
        timestamps_ns: &[i64],
        rows: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Self {
        let (mut members, mut payloads) = (MemberBuilder::default(), Vec::new());
        for (source, payload) in rows {
            members.add(source, payload, rules.members);
            payloads.extend(rules.texts.is_some().then_some(payload));
        }
        debug_assert_eq!(members.rows() as usize, timestamps_ns.len(), "a row has no timestamp");
        let summary = summary::encode(topics, members.sources().as_ref(), timestamps_ns);
        Self { rules, members, summary, payloads }
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> u32 {
        self.members.rows()
    }

    /// Where each part stands behind columns of so many bytes, and the bytes of all of them.
    ///
    /// # Errors
    /// Those of the compression.
    pub(super) fn finish(self, columns_bytes: u32) -> io::Result<(Vec<Part>, Vec<u8>)> {
        let share = |of: usize| columns_bytes as usize / of;
        let EncodedMembers { part: members, residue } = self.members.finish(share(MEMBER_BYTES_SHARE))?;
        let rest = Rest { rules: self.rules, payloads: &self.payloads, residue: &residue };
        let filter = self.rules.texts.map(|texts| rest.filter(texts, share(FILTER_BYTES_SHARE)));
        let (mut parts, mut bytes) = (Vec::new(), Vec::new());
        for (kind, part) in [(MEMBERS_PART, members), (SUMMARY_PART, Some(self.summary)), (FILTER_PART, filter)] {
            let Some(part) = part else { continue };
            parts.push(Part { kind, offset: columns_bytes + bytes.len() as u32, len: part.len() as u32 });
            bytes.extend(part);
        }
        let end = parts.last().map_or(columns_bytes, |part| part.offset + part.len);
        debug_assert_eq!(end as usize, columns_bytes as usize + bytes.len(), "a part is not where it is said to be");
        Ok((parts, bytes))
    }
}

/// The parts of payloads that are in no column.
struct Rest<'a> {
    rules: PartRules,
    payloads: &'a [&'a [u8]],
    residue: &'a Residue,
}

/// A part of a payload that is in no column, or a path that has none.
enum Told<'a> {
    Part { path: &'a [u8], part: &'a [u8] },
    Name(&'a [u8]),
}

impl Rest<'_> {
    /// The filters, of at most about so many bytes.
    fn filter(&self, texts: Pieces, bytes_max: usize) -> Vec<u8> {
        let open = || (0..self.payloads.len()).filter(|row| self.residue.is_open(*row));
        let (mut sampled, mut text_bytes) = (0, 0);
        for row in open().take(SAMPLE_ROWS) {
            sampled += 1;
            self.visit(row, |told| {
                text_bytes += if let Told::Part { part, .. } = told { part.len() as u64 } else { 0 }
            });
        }
        let mut builder = FilterBuilder::new(block_rows(sampled, text_bytes));
        for row in 0..self.payloads.len() {
            if self.residue.is_open(row) {
                self.visit(row, |told| match told {
                    Told::Name(path) => builder.add_name(path),
                    Told::Part { path, part } => {
                        let is_told = texts(part, &mut |piece| {
                            builder.add_text(piece.text);
                            piece.number.into_iter().for_each(|number| builder.add_number(path, number));
                        });
                        if !is_told {
                            builder.add_anything();
                        }
                    }
                });
            }
            builder.end_row();
        }
        builder.finish(bytes_max)
    }

    /// Hands out what the payload of a row says beside the columns.
    fn visit(&self, row: usize, mut visit: impl FnMut(Told<'_>)) {
        let Some(payload) = self.payloads.get(row) else { return };
        let is_whole = (self.rules.members)(payload, &mut |member| match member {
            Member::Text { path, text } => {
                if !self.residue.has(path) {
                    visit(Told::Name(path));
                }
                if !self.residue.tells(path, row) {
                    visit(Told::Part { path, part: text });
                }
            }
            Member::Inner { path } if self.residue.has(path) => {}
            Member::Inner { path } => visit(Told::Name(path)),
            Member::Rest { part } => visit(Told::Part { path: b"", part }),
        });
        if !is_whole {
            visit(Told::Part { path: b"", part: payload });
        }
    }
}
