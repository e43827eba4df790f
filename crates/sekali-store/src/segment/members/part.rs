//! Reads columns of members.

use std::ops::Range;

use super::{ELSEWHERE, FIRST_ENTRY};
use crate::bytes::Fields;
use crate::error::Result;
use crate::limits::MEMBER_DICTIONARY_BYTES_MAX;
use crate::segment::part_head::{FetchPart, fetch_head};
use crate::segment::row_set::RowSet;

/// Rows of a block.
pub(super) const BLOCK_ROWS: usize = 8 * 1024;
/// Stands for a list of open rows that would have been too long.
pub(super) const OPEN_UNLISTED: u32 = u32::MAX;
/// Bytes that are read of a part at first.
const HEAD_BYTES: u32 = 4 * 1024;

/// Whether all codes of a column with so many distinct texts fit a byte.
pub(super) fn is_narrow(texts: usize) -> bool {
    texts + usize::from(FIRST_ENTRY) <= 1 << u8::BITS
}

fn decode_dictionary(place: &ColumnPlace, bytes: &[u8]) -> Option<Vec<u8>> {
    let len = place.dictionary_bytes as usize;
    if len > MEMBER_DICTIONARY_BYTES_MAX {
        return None;
    }
    zstd::bulk::decompress(bytes, len).ok()
}

/// The texts of a dictionary.
pub(super) fn texts(dictionary: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut fields = Fields::new(dictionary);
    std::iter::from_fn(move || {
        let len = fields.u16()?;
        fields.take(len.into())
    })
}

/// The columns of members of a row group, of which only the directory has been read. Its bytes were
/// verified; where they make no sense all the same, for a defect, there are no columns, and
/// payloads are read.
pub(in crate::segment) struct MemberPart<F> {
    fetch: F,
    rows: u32,
    block_rows: u32,
    /// Where the list of open rows is; `None` where there is none.
    open: Option<Range<u32>>,
    columns: Vec<ColumnPlace>,
}

struct ColumnPlace {
    path: Box<str>,
    texts: u32,
    dictionary_bytes: u32,
    /// The dictionary.
    start: u32,
    /// Where the dictionary and each block end.
    ends: Vec<u32>,
}

/// A column of members.
#[derive(Debug, Default)]
pub(in crate::segment) struct MemberColumn {
    dictionary: Vec<u8>,
    /// Of each row: 0 where it has no such member, 1 where the payload has to be asked, 2 for the
    /// first text.
    pub(in crate::segment) codes: Vec<u16>,
}

impl<F: FetchPart> MemberPart<F> {
    /// Reads the directory of a part of `len` bytes in a row group of `rows`. `fetch` reads bytes
    /// of the part, verified.
    ///
    /// # Errors
    /// Those of `fetch`.
    pub(in crate::segment) fn open(rows: u32, len: u32, fetch: F) -> Result<Option<Self>> {
        let head = fetch_head(len, HEAD_BYTES, &fetch)?;
        Ok(head.and_then(|head| Self::decode(rows, len, fetch, &head)))
    }

    fn decode(rows: u32, len: u32, fetch: F, head: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(head);
        let (mut end, block_rows, count, open) = (fields.u32()?, fields.u32()?, fields.u32()?, fields.u32()?);
        let open = if open == OPEN_UNLISTED {
            None
        } else {
            let start = end;
            end = end.checked_add(open)?;
            Some(start..end)
        };
        let blocks = rows.div_ceil(Some(block_rows).filter(|rows| *rows > 0)?);
        let mut columns = Vec::new();
        for _ in 0..count {
            let path_len = fields.u16()?;
            let path = fields.str(path_len.into())?.into();
            let (texts, start) = (fields.u32()?, end);
            end = end.checked_add(fields.u32()?)?;
            let dictionary_bytes = fields.u32()?;
            let mut ends = vec![end];
            for _ in 0..blocks {
                end = end.checked_add(fields.u32()?)?;
                ends.push(end);
            }
            columns.push(ColumnPlace { path, texts, dictionary_bytes, start, ends });
        }
        let is_sound = end == len && fields.is_empty();
        is_sound.then_some(Self { fetch, rows, block_rows, open, columns })
    }

    /// The paths of its columns, sorted.
    pub(in crate::segment) fn paths(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| &*column.path)
    }

    /// Whether there is a column of a path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.columns.binary_search_by(|column| (*column.path).cmp(path)).is_ok()
    }

    /// The column of a path.
    ///
    /// # Errors
    /// Those of reading.
    pub(in crate::segment) fn column(&self, path: &str) -> Result<Option<MemberColumn>> {
        let Ok(number) = self.columns.binary_search_by(|column| (*column.path).cmp(path)) else { return Ok(None) };
        let Some(place) = self.columns.get(number) else { return Ok(None) };
        let bytes = (self.fetch)(place.start..place.ends.last().copied().unwrap_or(place.start))?;
        Ok(self.decode_column(place, &bytes))
    }

    /// Whether any text of the column of a path passes. `None` where there is no such column.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn any_text(&self, path: &str, passes: impl FnMut(&[u8]) -> bool) -> Result<Option<bool>> {
        let Ok(number) = self.columns.binary_search_by(|column| (*column.path).cmp(path)) else { return Ok(None) };
        let Some((place, end)) = self.columns.get(number).and_then(|place| Some((place, *place.ends.first()?))) else {
            return Ok(None);
        };
        let bytes = (self.fetch)(place.start..end)?;
        let dictionary = decode_dictionary(place, &bytes);
        let is_whole = |dictionary: &Vec<u8>| texts(dictionary).count() == place.texts as usize;
        Ok(dictionary.filter(is_whole).map(|dictionary| texts(&dictionary).any(passes)))
    }

    fn decode_column(&self, place: &ColumnPlace, bytes: &[u8]) -> Option<MemberColumn> {
        let part = |number: usize| {
            let start = number.checked_sub(1).map_or(Some(place.start), |before| place.ends.get(before).copied())?;
            bytes.get((start - place.start) as usize..(*place.ends.get(number)? - place.start) as usize)
        };
        let mut zstd = zstd::bulk::Decompressor::new().ok()?;
        let dictionary = decode_dictionary(place, part(0)?)?;
        let narrow = is_narrow(place.texts as usize);
        let mut codes = Vec::with_capacity(self.rows as usize);
        for number in 1..place.ends.len() {
            let rows = (self.rows as usize - codes.len()).min(self.block_rows as usize);
            let block = zstd.decompress(part(number)?, if narrow { rows } else { 2 * rows }).ok()?;
            if narrow {
                codes.extend(block.iter().map(|&code| u16::from(code)));
            } else {
                let (lower, upper) = block.split_at_checked(rows)?;
                codes.extend(lower.iter().zip(upper).map(|(&lower, &upper)| u16::from_le_bytes([lower, upper])));
            }
        }
        let column = MemberColumn { dictionary, codes };
        let end = place.texts + u32::from(FIRST_ENTRY);
        let is_sound = column.codes.len() == self.rows as usize
            && column.codes.iter().all(|&code| u32::from(code) < end)
            && column.texts().count() == place.texts as usize;
        is_sound.then_some(column)
    }

    /// The rows whose payloads have more than the texts of its columns. `None` where they are too
    /// many to be listed.
    ///
    /// # Errors
    /// Those of reading.
    pub(in crate::segment) fn open_rows(&self) -> Result<Option<RowSet>> {
        let Some(place) = self.open.clone() else { return Ok(None) };
        let bytes = (self.fetch)(place)?;
        let (mut fields, mut open, mut row) = (Fields::new(&bytes), RowSet::none(self.rows), 0_u64);
        while !fields.is_empty() {
            let Some(distance) = fields.varint() else { return Ok(None) };
            row = row.saturating_add(distance);
            open.insert(u32::try_from(row).unwrap_or(u32::MAX));
        }
        Ok(Some(open))
    }
}

impl MemberColumn {
    /// The distinct texts, in the order of their codes.
    pub(in crate::segment) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        texts(&self.dictionary)
    }

    /// The rows of which it does not tell what the member is.
    pub(in crate::segment) fn rows_elsewhere(&self) -> RowSet {
        let verdicts = self.verdicts(false, true, |_| false);
        RowSet::by_codes(&self.codes, &verdicts, |is_elsewhere| is_elsewhere)
    }

    /// A verdict for each code: of rows without the member, of rows whose payload has to be asked,
    /// and of each text.
    pub(super) fn verdicts<V>(&self, missing: V, elsewhere: V, of: impl FnMut(&[u8]) -> V) -> Vec<V> {
        let mut verdicts = vec![missing, elsewhere];
        debug_assert_eq!(verdicts.len(), usize::from(ELSEWHERE) + 1);
        verdicts.extend(self.texts().map(of));
        verdicts
    }
}
