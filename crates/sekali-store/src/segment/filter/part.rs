//! Reads filters.

use std::ops::Range;

use super::bitmap::{Bitmap, LOG2_MIN};
use super::builder::bits_of_number;
use super::{ABSENT, EMPTY, KINDS, LEAST_GRAMS, LOG2_MAX, NUMBERS, TRIGRAMS, UNLISTED, grams};
use crate::bytes::Fields;
use crate::error::Result;
use crate::invariant::invariant;
use crate::segment::part_head::{FetchPart, fetch_head};
use crate::segment::row_set::RowSet;

/// Bytes that are read of a part at first.
const HEAD_BYTES: u32 = 8 * 1024;

/// The filters of a row group, of which the bitmaps have not been read. The bytes were verified;
/// where they make no sense all the same, for a defect, there are no filters.
pub(in crate::segment) struct FilterPart<F> {
    fetch: F,
    rows: u32,
    block_rows: u32,
    /// Paths that no column has; `None` where they are too many to be listed.
    names: Option<Vec<Box<str>>>,
    /// Of each block, where its bitmap of each kind is.
    blocks: Vec<[Place; KINDS]>,
}

/// Where a bitmap is.
#[derive(Debug, Clone)]
enum Place {
    Empty,
    Absent,
    At(Range<u32>),
}

impl<F: FetchPart> FilterPart<F> {
    /// Reads all but the bitmaps of a part of `len` bytes in a row group of `rows`. `fetch` reads
    /// bytes of the part, verified.
    ///
    /// # Errors
    /// Those of `fetch`.
    pub(in crate::segment) fn open(rows: u32, len: u32, fetch: F) -> Result<Option<Self>> {
        let head = fetch_head(len, HEAD_BYTES, &fetch)?;
        Ok(head.and_then(|head| Self::decode(rows, len, fetch, &head)))
    }

    fn decode(rows: u32, len: u32, fetch: F, head: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(head);
        let (mut end, block_rows, names_len) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let count = rows.div_ceil(Some(block_rows).filter(|rows| *rows > 0)?);
        let sizes = fields.take(count as usize * KINDS)?;
        let names = if names_len == UNLISTED { None } else { Some(decode_names(fields.take(names_len as usize)?)?) };
        let mut blocks = vec![[Place::Empty, Place::Empty, Place::Empty]; count as usize];
        for kind in 0..KINDS {
            for (block, log2) in blocks.iter_mut().zip(sizes.iter().skip(kind).step_by(KINDS)) {
                block[kind] = match *log2 {
                    EMPTY => Place::Empty,
                    ABSENT => Place::Absent,
                    log2 if (LOG2_MIN..=LOG2_MAX[kind]).contains(&log2) => {
                        let start = end;
                        end = end.checked_add(1 << (log2 - 3))?;
                        Place::At(start..end)
                    }
                    _ => return None,
                };
            }
        }
        let is_sound = end == len && fields.is_empty();
        is_sound.then_some(Self { fetch, rows, block_rows, names, blocks })
    }

    /// The paths that no column has; `None` where they are not listed.
    pub(in crate::segment) fn names(&self) -> Option<&[Box<str>]> {
        self.names.as_deref()
    }

    /// The rows whose texts without a column may have this text.
    ///
    /// # Errors
    /// Those of reading.
    pub(in crate::segment) fn rows_with_text(&self, text: &[u8]) -> Result<RowSet> {
        let (mut trigrams, mut least_grams) = (Vec::new(), Vec::new());
        grams::visit(text, |hash| trigrams.push(hash), |hash| least_grams.push(hash));
        let mut rows = self.rows_with(TRIGRAMS, &trigrams)?;
        if !rows.is_empty() {
            rows.intersect(&self.rows_with(LEAST_GRAMS, &least_grams)?);
        }
        Ok(rows)
    }

    /// The rows that may have this number, in the one spelling that equal ones have, at a path that
    /// no column has.
    ///
    /// # Errors
    /// Those of reading.
    pub(in crate::segment) fn rows_with_number(&self, path: &[u8], number: &[u8]) -> Result<RowSet> {
        let bits = |path: &[u8]| bits_of_number(grams::number(path, number)).collect::<Vec<_>>();
        let mut rows = self.rows_with(NUMBERS, &bits(path))?;
        rows.unite(&self.rows_with(NUMBERS, &bits(b""))?);
        Ok(rows)
    }

    /// The rows of blocks that may have all of these hashes.
    fn rows_with(&self, kind: usize, hashes: &[u64]) -> Result<RowSet> {
        if hashes.is_empty() {
            return Ok(RowSet::all(self.rows));
        }
        let place = |block: &[Place; KINDS]| match &block[kind] {
            Place::At(place) => Some(place.clone()),
            Place::Empty | Place::Absent => None,
        };
        let places = || self.blocks.iter().filter_map(place);
        let start = places().next().map_or(0, |place| place.start);
        let end = places().next_back().map_or(start, |place| place.end);
        let bytes = if start < end { (self.fetch)(start..end)? } else { Vec::new() };
        let blocks = self.rows.div_ceil(self.block_rows) as usize;
        invariant!(self.blocks.len() == blocks, "a filter has not the blocks of its row group");
        let mut rows = RowSet::none(self.rows);
        for (number, block) in (0..).zip(&self.blocks) {
            let may_have = match &block[kind] {
                Place::Empty => false,
                Place::Absent => true,
                Place::At(place) => {
                    let bytes = bytes.get((place.start - start) as usize..(place.end - start) as usize);
                    let bitmap = bytes.and_then(Bitmap::decode);
                    bitmap.is_none_or(|bitmap| hashes.iter().all(|hash| bitmap.contains(*hash)))
                }
            };
            if may_have {
                let first = number * self.block_rows;
                rows.insert_all(first..first.saturating_add(self.block_rows).min(self.rows));
            }
        }
        Ok(rows)
    }
}

fn decode_names(bytes: &[u8]) -> Option<Vec<Box<str>>> {
    let (mut fields, mut names) = (Fields::new(bytes), Vec::new());
    while !fields.is_empty() {
        let len = usize::try_from(fields.varint()?).ok()?;
        names.push(fields.str(len)?.into());
    }
    Some(names)
}
