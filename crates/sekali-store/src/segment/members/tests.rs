//! Columns of members against payloads of a toy language: `a=1;b=;!`, where `!` says that there is
//! more, and `?` makes the whole payload unreadable.

use std::ops::Range;

use proptest::prelude::*;

use super::pick::{Known, Pick};
use super::{MemberBuilder, MemberPart};
use crate::error::Result;
use crate::limits::{MEMBER_ENTRIES_MAX, MEMBER_PATHS_MAX, MEMBER_TEXT_BYTES_MAX};
use crate::rules::{Member, Need, PayloadConditions, Piece, Texting};
use crate::segment::dir::PartRules;
use crate::segment::filter::FilterPart;
use crate::segment::index::{FILTER_PART, MEMBERS_PART, TopicRows};
use crate::segment::part_head::FetchPart;
use crate::segment::parts::PartsBuilder;
use crate::segment::row_set::RowSet;
use crate::tally::Tally;

/// A filter that is not there.
type NoFetch = fn(Range<u32>) -> Result<Vec<u8>>;

fn members(payload: &[u8], visit: &mut dyn FnMut(Member<'_>)) -> bool {
    for word in payload.split(|byte| *byte == b';').filter(|word| !word.is_empty()) {
        match word.iter().position(|byte| *byte == b'=') {
            Some(at) if at + 1 == word.len() => {
                visit(Member::Inner { path: &word[..at] });
                visit(Member::Rest { part: word });
            }
            Some(at) => visit(Member::Text { path: &word[..at], text: &word[at + 1..] }),
            None => visit(Member::Rest { part: word }),
        }
    }
    !payload.contains(&b'?')
}

/// The words of a part of a payload, and the numbers that they say.
fn texts(part: &[u8], visit: &mut dyn FnMut(Piece<'_>)) -> bool {
    for text in part.split(|byte| *byte == b';') {
        let value = text.split(|byte| *byte == b'=').next_back().unwrap_or(text);
        visit(Piece { text, number: value.iter().all(u8::is_ascii_digit).then_some(value) });
    }
    true
}

/// The source of the event with a payload.
fn source_of(payload: &str) -> &'static str {
    ["0", "1", "2"][payload.len() % 3]
}

/// The text at a path, if the payload tells it at all.
fn find<'p>(payload: &'p str, path: &str) -> Option<&'p str> {
    if path.is_empty() {
        return Some(source_of(payload));
    }
    payload.split(';').find_map(|word| word.strip_prefix(path)?.strip_prefix('='))
}

/// At each path one of these texts; anywhere one of these. `extra` is not told to the engine.
#[derive(Debug, Default)]
struct Wanted {
    places: Vec<(String, Vec<String>)>,
    texts: Vec<String>,
    /// None of these anywhere.
    unwanted: Vec<String>,
    extra: Option<String>,
}

impl Wanted {
    fn of(&self, kind: Texting) -> &[String] {
        match kind {
            Texting::Any => &self.texts,
            Texting::None => &self.unwanted,
        }
    }

    fn holds(&self, payload: &str) -> bool {
        self.places
            .iter()
            .all(|(path, texts)| find(payload, path).is_some_and(|found| texts.iter().any(|text| text == found)))
            && (self.texts.is_empty() || self.texts.iter().any(|text| payload.contains(text.as_str())))
            && !self.unwanted.iter().any(|text| payload.contains(text.as_str()))
            && self.extra.as_ref().is_none_or(|extra| payload.contains(extra.as_str()))
    }
}

impl PayloadConditions for Wanted {
    fn paths(&self) -> Vec<String> {
        self.places.iter().map(|(path, _)| path.clone()).collect()
    }

    fn hold(&self, number: usize, text: Option<&[u8]>) -> bool {
        text.is_some_and(|text| self.places[number].1.iter().any(|wanted| wanted.as_bytes() == text))
    }

    fn ask_payloads(&self) -> bool {
        true
    }

    fn needs(&self, number: usize) -> Option<Vec<Need>> {
        let (path, texts) = &self.places[number];
        let need = |text: &String| {
            let is_number = text.len() == 1;
            if is_number { Need::Number(text.clone().into_bytes()) } else { Need::Text(text.clone().into_bytes()) }
        };
        // Sources are in no payload.
        (!path.is_empty()).then(|| texts.iter().map(need).collect())
    }

    fn texts(&self, kind: Texting) -> Vec<Vec<u8>> {
        self.of(kind).iter().map(|text| text.clone().into_bytes()).collect()
    }

    fn has_text(&self, kind: Texting, text: &[u8]) -> bool {
        let text = String::from_utf8_lossy(text);
        self.of(kind).iter().any(|wanted| text.contains(wanted.as_str()))
    }

    fn may_name(&self, kind: Texting, path: &str) -> bool {
        // In this language a text can begin in a name and end behind it.
        self.of(kind).iter().any(|wanted| wanted.chars().any(|char| path.contains(char) || "=;!?".contains(char)))
    }

    fn are_all(&self) -> bool {
        self.extra.is_none()
    }
}

fn part_of(payloads: &[String], bytes_max: usize) -> Option<Vec<u8>> {
    let mut builder = MemberBuilder::default();
    payloads.iter().for_each(|payload| builder.add(source_of(payload).as_bytes(), payload.as_bytes(), members));
    builder.finish(bytes_max).unwrap().part
}

/// Picks rows with these payloads, whose columns take so many bytes.
fn pick_all(payloads: &[String], share: u32, wanted: &[Wanted]) -> Vec<Option<Pick>> {
    let topics = TopicRows::collect(std::iter::once(TopicRows {
        topic: "t",
        rows: 0..payloads.len() as u32,
        tally: Tally { events: payloads.len() as u64, ..Tally::default() },
    }));
    let rules = PartRules { members, texts: Some(texts) };
    let rows = payloads.iter().map(|payload| (source_of(payload).as_bytes(), payload.as_bytes()));
    let builder = PartsBuilder::new(rules, &topics, &vec![0; payloads.len()], rows);
    let (parts, bytes) = builder.finish(share).unwrap();
    let bytes_of = |kind: u32| {
        let part = parts.iter().find(|part| part.kind == kind)?;
        Some(&bytes[(part.offset - share) as usize..][..part.len as usize])
    };
    let members = bytes_of(MEMBERS_PART).map(|bytes| open(bytes, payloads.len()).expect("a part that reads back"));
    let filter = bytes_of(FILTER_PART).expect("a filter");
    let fetch =
        |range: Range<u32>| -> Result<Vec<u8>> { Ok(filter[range.start as usize..range.end as usize].to_vec()) };
    let filter =
        FilterPart::open(payloads.len() as u32, filter.len() as u32, fetch).unwrap().expect("one that reads back");
    let known = Known { rows: payloads.len() as u32, members: members.as_ref(), filter: Some(&filter) };
    wanted.iter().map(|wanted| known.pick(wanted).unwrap()).collect()
}

fn open(bytes: &[u8], rows: usize) -> Option<MemberPart<impl FetchPart + '_>> {
    let fetch = |range: Range<u32>| -> Result<Vec<u8>> { Ok(bytes[range.start as usize..range.end as usize].to_vec()) };
    MemberPart::open(rows as u32, bytes.len() as u32, fetch).unwrap()
}

fn payload() -> impl Strategy<Value = String> {
    let text =
        prop_oneof![20 => "[0-3]{1,2}", 1 => Just("0".repeat(MEMBER_TEXT_BYTES_MAX + 1)), 1 => Just(String::new())];
    let member = ("[a-d]", text).prop_map(|(path, text)| format!("{path}={text}"));
    let word = prop_oneof![30 => member, 1 => Just("!".to_owned()), 1 => Just("?".to_owned())];
    prop::collection::vec(word, 0..4).prop_map(|mut words| {
        words.sort();
        words.dedup_by(|a, b| a.split('=').next() == b.split('=').next());
        words.join(";")
    })
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let place = ("[a-e]?", prop::collection::vec("[0-3]{1,2}", 1..3));
    let texts = || prop::collection::vec("[0-3]{1,3}|a", 0..2);
    let extra = prop::option::weighted(0.2, "[0-3]");
    let all = (prop::collection::vec(place, 0..3), texts(), texts(), extra);
    all.prop_map(|(places, texts, unwanted, extra)| Wanted { places, texts, unwanted, extra })
}

proptest! {
    #[test]
    fn a_pick_leaves_out_no_row_that_meets_the_conditions_and_is_certain_only_of_those_that_do(
        payloads in prop::collection::vec(payload(), 1..200), wanted in prop::collection::vec(wanted(), 1..9), bytes_max in 0..5_000_u32
    ) {
        for (wanted, picked) in wanted.iter().zip(pick_all(&payloads, bytes_max, &wanted)) {
            let Some(picked) = picked else { continue };
            for (row, payload) in (0..).zip(&payloads) {
                let (is_in, holds) = (picked.rows.contains(row), wanted.holds(payload));
                let is_decided = picked.is_complete && !picked.undecided.contains(row);
                prop_assert!(is_in || !holds, "{wanted:?} loses {payload}");
                prop_assert!(!is_decided || !is_in || holds, "{wanted:?} is certain of {payload}");
            }
        }
    }

    #[test]
    fn bytes_that_make_no_sense_are_no_columns(
        payloads in prop::collection::vec(payload(), 1..50), at: prop::sample::Index, byte: u8, cut: prop::sample::Index
    ) {
        let Some(mut bytes) = part_of(&payloads, usize::MAX) else { return Ok(()) };
        let at = at.index(bytes.len());
        bytes[at] = byte;
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            let Some(part) = open(bytes, payloads.len()) else { continue };
            let paths: Vec<_> = part.paths().map(str::to_owned).collect();
            paths.iter().for_each(|path| drop(part.column(path)));
            drop(part.open_rows());
        }
    }
}

fn rows(set: &RowSet, of: usize) -> Vec<u32> {
    (0..of as u32).filter(|&row| set.contains(row)).collect()
}

#[test]
fn columns_of_many_rows_are_exact_and_the_dearest_are_left_out() {
    let of = |number: usize| format!("few={};many={};id={number}", number % 3, number * 7 % 1_000);
    let payloads: Vec<_> = (0..20_000).map(of).collect();
    let bytes = part_of(&payloads, usize::MAX).unwrap();
    let part = open(&bytes, payloads.len()).unwrap();
    assert_eq!(part.paths().collect::<Vec<_>>(), ["", "few", "many"], "an id is no column");
    let wanted = Wanted {
        places: vec![
            ("few".to_owned(), vec!["2".to_owned()]),
            ("many".to_owned(), vec!["7".to_owned(), "500".to_owned()]),
        ],
        ..Wanted::default()
    };
    let known = Known { rows: payloads.len() as u32, members: Some(&part), filter: None::<&FilterPart<NoFetch>> };
    let picked = known.pick(&wanted).unwrap().unwrap();
    let expected: Vec<_> =
        (0..).zip(&payloads).filter(|(_, payload)| wanted.holds(payload)).map(|(row, _)| row).collect();
    assert!(picked.is_certain() && !expected.is_empty());
    assert_eq!(rows(&picked.rows, payloads.len()), expected);
    let cheap = part_of(&payloads, bytes.len() / 2).unwrap();
    assert_eq!(open(&cheap, payloads.len()).unwrap().paths().collect::<Vec<_>>(), ["", "few"]);
}

#[test]
fn what_a_writer_holds_is_bounded() {
    let mut builder = MemberBuilder::default();
    for row in 0..MEMBER_PATHS_MAX + 100 {
        builder.add(b"s", format!("path{row}=1;same=1").as_bytes(), members);
    }
    assert_eq!(builder.columns.len(), MEMBER_PATHS_MAX);
    let mut builder = MemberBuilder::default();
    for row in 0..3 * MEMBER_ENTRIES_MAX {
        builder.add(b"s", format!("a={}", row / 3).as_bytes(), members);
    }
    builder.add(b"s", b"a=x", members);
    let bytes = builder.finish(usize::MAX).unwrap().part.unwrap();
    let part = open(&bytes, 3 * MEMBER_ENTRIES_MAX + 1).unwrap();
    assert_eq!(part.paths().collect::<Vec<_>>(), [""], "too many texts");
}
