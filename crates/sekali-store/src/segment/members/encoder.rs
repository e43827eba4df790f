//! Writes the part of a row group that has its columns of members:
//!
//! ```text
//! bytes of all before the data, rows of a block                4 each
//! number of columns, bytes of the list of open rows            4 each; u32::MAX: too many
//! for each column, sorted by path:
//!   length of the path, path                                   2 + n
//!   number of distinct texts                                   4
//!   bytes of the dictionary, compressed and not                4 each
//!   for each block: compressed bytes                           4
//! data: the list of open rows; for each column its dictionary and its blocks
//! ```
//!
//! Dictionaries and blocks are compressed with zstd. A dictionary is the texts, each behind its
//! length (2). The column with the empty path has the sources of the events. A block is the codes
//! of its rows: one byte each where all codes of the column fit, or else the lower bytes of all its
//! rows and then the upper ones. Code 0 is no member, 1 one that only the payload tells, and 2 the
//! first text. An open row is one whose payload has more than the texts of its columns; the list
//! has varints, each the distance from the row before.

use std::collections::HashMap;
use std::io;

use super::FIRST_ENTRY;
use super::builder::{ColumnBuilder, MemberBuilder, OPEN};
use super::part::{BLOCK_ROWS, OPEN_UNLISTED, is_narrow};
use crate::bytes::put_varint;
use crate::limits::MEMBER_COLUMNS_MAX;

/// As Parquet's columns.
const ZSTD_LEVEL: i32 = 1;

/// A column as it will stand in the file.
struct EncodedMember {
    column: ColumnBuilder,
    dictionary: Vec<u8>,
    blocks: Vec<Vec<u8>>,
}

impl EncodedMember {
    fn new(column: ColumnBuilder) -> io::Result<Self> {
        let dictionary = zstd::bulk::compress(&column.dictionary, ZSTD_LEVEL)?;
        let narrow = is_narrow(column.len());
        let blocks = column.codes.chunks(BLOCK_ROWS).map(|codes| {
            let lower = codes.iter().map(|code| code.to_le_bytes()[0]);
            let upper = codes.iter().map(|code| code.to_le_bytes()[1]).filter(|_| !narrow);
            zstd::bulk::compress(&lower.chain(upper).collect::<Vec<_>>(), ZSTD_LEVEL)
        });
        let blocks = blocks.collect::<io::Result<_>>()?;
        Ok(Self { column, dictionary, blocks })
    }

    fn bytes(&self) -> usize {
        self.column.path.len() + self.dictionary.len() + self.blocks.iter().map(|block| block.len() + 4).sum::<usize>()
    }
}

/// The columns of members of a row group, and what they leave to be told.
pub(in crate::segment) struct EncodedMembers {
    /// The part; `None` where no column is worth having.
    pub(in crate::segment) part: Option<Vec<u8>>,
    pub(in crate::segment) residue: Residue,
}

/// The columns that a row group has, and which of its rows have more than these.
pub(in crate::segment) struct Residue {
    /// The number of each path.
    numbers: HashMap<Box<[u8]>, usize>,
    /// The codes of the rows at each.
    codes: Vec<Vec<u16>>,
    /// The rows with payloads that say more.
    is_open: Vec<bool>,
}

impl Residue {
    /// Whether the payload of a row says more than the columns.
    pub(in crate::segment) fn is_open(&self, row: usize) -> bool {
        self.is_open.get(row).copied().unwrap_or(true)
    }

    /// Whether there is a column of a path.
    pub(in crate::segment) fn has(&self, path: &[u8]) -> bool {
        self.numbers.contains_key(path)
    }

    /// Whether the column of a path has the text of a row.
    pub(in crate::segment) fn tells(&self, path: &[u8], row: usize) -> bool {
        let codes = self.numbers.get(path).and_then(|number| self.codes.get(*number));
        codes.and_then(|codes| codes.get(row)).is_some_and(|code| *code >= FIRST_ENTRY)
    }
}

impl MemberBuilder {
    /// The part of a row group, of at most about `bytes_max`: the columns that take the fewest
    /// bytes first.
    ///
    /// # Errors
    /// Those of the compression.
    pub(in crate::segment) fn finish(self, bytes_max: usize) -> io::Result<EncodedMembers> {
        let (columns, texts) = self.into_columns();
        let mut columns = columns.into_iter().map(EncodedMember::new).collect::<io::Result<Vec<_>>>()?;
        columns.sort_by_key(EncodedMember::bytes);
        let mut bytes = 0;
        let fitting = columns.iter().take(MEMBER_COLUMNS_MAX).take_while(|column| {
            bytes += column.bytes();
            bytes <= bytes_max
        });
        columns.truncate(fitting.count());
        columns.sort_by(|a, b| a.column.path.cmp(&b.column.path));
        let is_open = open_rows(&columns, texts);
        let part = (!columns.is_empty()).then(|| encode(&columns, list_rows(&is_open)));
        let columns = columns.into_iter().map(|encoded| encoded.column).filter(ColumnBuilder::is_of_payloads);
        let (paths, codes): (Vec<_>, Vec<_>) = columns.map(|column| (column.path, column.codes)).unzip();
        let residue = Residue { numbers: paths.into_iter().zip(0..).collect(), codes, is_open };
        Ok(EncodedMembers { part, residue })
    }
}

/// Whether the payload of each row says more than the columns.
fn open_rows(columns: &[EncodedMember], mut texts: Vec<u16>) -> Vec<bool> {
    for EncodedMember { column, .. } in columns.iter().filter(|encoded| encoded.column.is_of_payloads()) {
        for (count, &code) in texts.iter_mut().zip(&column.codes).filter(|(count, _)| **count != OPEN) {
            *count -= u16::from(code >= FIRST_ENTRY).min(*count);
        }
    }
    texts.into_iter().map(|count| count > 0).collect()
}

/// The list of open rows. `None` where they are more than one in eight.
fn list_rows(is_open: &[bool]) -> Option<Vec<u8>> {
    let open = || (0_u64..).zip(is_open).filter(|(_, is_open)| **is_open).map(|(row, _)| row);
    if open().count() > is_open.len() / 8 {
        return None;
    }
    let (mut list, mut last) = (Vec::new(), 0);
    for row in open() {
        put_varint(&mut list, row - last);
        last = row;
    }
    Some(list)
}

fn encode(columns: &[EncodedMember], open: Option<Vec<u8>>) -> Vec<u8> {
    let mut out = vec![0; 4];
    let put = |out: &mut Vec<u8>, number: u32| out.extend_from_slice(&number.to_le_bytes());
    put(&mut out, BLOCK_ROWS as u32);
    put(&mut out, columns.len() as u32);
    put(&mut out, open.as_ref().map_or(OPEN_UNLISTED, |open| open.len() as u32));
    for EncodedMember { column, dictionary, blocks } in columns {
        out.extend_from_slice(&(column.path.len() as u16).to_le_bytes());
        out.extend_from_slice(&column.path);
        put(&mut out, column.len() as u32);
        put(&mut out, dictionary.len() as u32);
        put(&mut out, column.dictionary.len() as u32);
        blocks.iter().for_each(|block| put(&mut out, block.len() as u32));
    }
    let head = out.len() as u32;
    out[..4].copy_from_slice(&head.to_le_bytes());
    out.extend(open.unwrap_or_default());
    for EncodedMember { dictionary, blocks, .. } in columns {
        out.extend_from_slice(dictionary);
        blocks.iter().for_each(|block| out.extend_from_slice(block));
    }
    out
}
