//! Filters against the texts that were put in.

use std::ops::Range;

use proptest::prelude::*;

use super::builder::block_rows;
use super::{FilterBuilder, FilterPart};
use crate::error::Result;
use crate::limits::{FILTER_BLOCK_ROWS_MAX, FILTER_BLOCK_ROWS_MIN, FILTER_NAMES_BYTES_MAX};
use crate::segment::part_head::FetchPart;
use crate::segment::row_set::RowSet;

fn open(bytes: &[u8], rows: usize) -> Option<FilterPart<impl FetchPart + '_>> {
    let fetch = |range: Range<u32>| -> Result<Vec<u8>> { Ok(bytes[range.start as usize..range.end as usize].to_vec()) };
    FilterPart::open(rows as u32, bytes.len() as u32, fetch).unwrap()
}

/// Texts of rows, each with a number at a path.
type Rows = Vec<(Vec<u8>, String, u16)>;

fn part_of(rows: &Rows, block_rows: u32, bytes_max: usize) -> Vec<u8> {
    let mut builder = FilterBuilder::new(block_rows);
    for (text, path, number) in rows {
        builder.add_name(path.as_bytes());
        builder.add_text(text);
        builder.add_number(path.as_bytes(), number.to_string().as_bytes());
        builder.end_row();
    }
    builder.finish(bytes_max)
}

fn count(set: &RowSet, rows: usize) -> u64 {
    set.count(0..rows as u32)
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        5 => "[a-cA-C]{0,30}".prop_map(String::into_bytes),
        2 => "[ -~é]{0,40}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #[test]
    fn what_is_there_is_never_said_not_to_be(
        rows in prop::collection::vec((text(), "[a-c]?", any::<u16>()), 1..60), block in 1..20_u32, bytes_max in prop_oneof![Just(usize::MAX), 0..5_000_usize],
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..20)
    ) {
        let bytes = part_of(&rows, block, bytes_max);
        let part = open(&bytes, rows.len()).expect("a part that reads back");
        for (row, from, to) in cuts {
            let row = row.index(rows.len());
            let (text, path, number) = &rows[row];
            let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
            let piece = &text[from.min(to)..from.max(to)];
            for piece in [piece.to_vec(), piece.to_ascii_uppercase(), piece.to_ascii_lowercase()] {
                prop_assert!(part.rows_with_text(&piece).unwrap().contains(row as u32), "{piece:?} of {text:?}");
            }
            prop_assert!(part.rows_with_number(path.as_bytes(), number.to_string().as_bytes()).unwrap().contains(row as u32));
            prop_assert!(part.names().unwrap().iter().any(|name| **name == **path));
        }
    }

    #[test]
    fn bytes_that_make_no_sense_are_no_filter(
        rows in prop::collection::vec((text(), "[a-c]?", any::<u16>()), 1..30), at: prop::sample::Index, byte: u8, cut: prop::sample::Index
    ) {
        let mut bytes = part_of(&rows, 7, usize::MAX);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            let Some(part) = open(bytes, rows.len()) else { continue };
            drop(part.rows_with_text(b"abcabcabcabcabc"));
            drop(part.rows_with_number(b"a", b"1"));
        }
    }
}

/// Words of twelve random letters, and numbers of six digits.
fn random(rows: usize) -> Rows {
    let mut state = 7_u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let word = |next: &mut dyn FnMut(u64) -> u64, chars: &[u8], len: usize| {
        (0..len).map(|_| chars[next(chars.len() as u64) as usize]).collect::<Vec<u8>>()
    };
    (0..rows).map(|_| (word(&mut next, b"0123456789abcdef", 32), "n".to_owned(), next(60_000) as u16)).collect()
}

#[test]
fn a_filter_says_of_most_that_is_not_there_that_it_is_not() {
    const ROWS: usize = 64 * 1024;
    let rows = random(ROWS);
    let block = block_rows(ROWS as u32, 32 * ROWS as u64);
    assert_eq!(block, FILTER_BLOCK_ROWS_MAX);
    let bytes = part_of(&rows, block, usize::MAX);
    let part = open(&bytes, ROWS).unwrap();
    let mut passed = 0;
    for number in 0..100_usize {
        let there = &rows[number * 600].0;
        assert!(count(&part.rows_with_text(there).unwrap(), ROWS) >= u64::from(block));
        let absent = format!("{:032x}", 0x9E37_79B9_7F4A_7C15_F39D_u128.wrapping_pow(number as u32 + 77));
        passed += count(&part.rows_with_text(absent.as_bytes()).unwrap(), ROWS);
    }
    let percent = passed * 100 / (100 * ROWS as u64);
    assert!(percent <= 5, "{percent}% of the rows for ids that are nowhere");
    let words = count(&part.rows_with_text(b"gateway").unwrap(), ROWS);
    assert!(words <= u64::from(block), "letters that no id has: {words} rows");
    let mut passed = 0;
    for number in 60_000..60_100 {
        passed += count(&part.rows_with_number(b"n", number.to_string().as_bytes()).unwrap(), ROWS);
    }
    let percent = passed * 100 / (100 * ROWS as u64);
    assert!(percent <= 8, "{percent}% of the rows for numbers that are nowhere");
}

#[test]
fn filters_are_bounded_in_size() {
    let rows = random(10_000);
    let whole = part_of(&rows, 1_024, usize::MAX).len();
    for share in [2, 4, 16, 1_000_000] {
        let bytes = part_of(&rows, 1_024, whole / share);
        assert!(bytes.len() <= whole / share + 1_000, "{} of {whole} at 1/{share}", bytes.len());
        let part = open(&bytes, rows.len()).unwrap();
        assert!(part.rows_with_text(&rows[77].0).unwrap().contains(77));
    }
    assert_eq!(block_rows(1_000, 1_000 * 100_000), FILTER_BLOCK_ROWS_MIN);
    let mut builder = FilterBuilder::new(1_024);
    (0..FILTER_NAMES_BYTES_MAX).for_each(|number| builder.add_name(number.to_string().as_bytes()));
    builder.end_row();
    let bytes = builder.finish(usize::MAX);
    assert!(open(&bytes, 1).unwrap().names().is_none());
}
