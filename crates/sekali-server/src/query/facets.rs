//! The fields that events have, and the values of each, in bounded memory.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use sekali_store::{ColumnRows, ColumnsWanted, EventView, Unread};
use sekali_wire::json::{Reader, append_string};

use super::field::append_canonical;
use super::filter::parse_number;
use super::reader_view::ReaderView;
use super::row_counts::{AlikeRows, count_rows};
use super::{Aggregate, Field, NumberSummary, QueryError};
use crate::limits::{FACET_DEPTH_MAX, FACET_VALUE_BYTES_MAX, FACET_VALUES_MAX, FACETS_MAX};
use crate::payload_path::push_name;

/// Most names of fields beyond [`FACETS_MAX`] that are counted.
const LEFT_OUT_MAX: usize = 100_000;

/// Which fields to look at.
#[derive(Debug, Default, Clone)]
pub(crate) struct FacetQuery {
    /// Only this one.
    pub(crate) field: Option<String>,
    /// Only fields whose names begin with this and a full stop.
    pub(crate) below: Option<String>,
}

impl FacetQuery {
    fn wants(&self, name: &str) -> bool {
        self.field.as_ref().is_none_or(|field| field == name)
            && self
                .below
                .as_ref()
                .is_none_or(|below| name.strip_prefix(below.as_str()).is_some_and(|rest| rest.starts_with('.')))
    }

    /// The path of the only field that is wanted, if a column has all its values.
    fn place(&self) -> Option<String> {
        let name = self.field.as_deref().filter(|_| self.below.is_none())?;
        let field = Field::parse(name).ok()?;
        let place = field.place()?;
        // Fields are told apart by their names in one spelling, and elements of arrays are `*`.
        let is_plain = name == format!("payload.{place}") || place.is_empty();
        let is_element = name.split('.').any(|step| step == "*");
        (is_plain && !is_element && field.levels() <= FACET_DEPTH_MAX).then_some(place)
    }
}

/// The kind of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A string.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `null`.
    Null,
    /// An object.
    Object,
    /// An array.
    Array,
}

impl Kind {
    /// All of them, with their names.
    const ALL: [(Self, &str); 6] = [
        (Self::String, "string"),
        (Self::Number, "number"),
        (Self::Boolean, "boolean"),
        (Self::Null, "null"),
        (Self::Object, "object"),
        (Self::Array, "array"),
    ];

    fn of(value: &[u8]) -> Self {
        match value.first() {
            Some(b'"') => Self::String,
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'n') => Self::Null,
            _ => Self::Number,
        }
    }
}

/// The values of one field.
#[derive(Debug, Default)]
pub(crate) struct Facet {
    /// Events that have it.
    pub(crate) events: u64,
    /// The last event that was counted.
    last_event: u64,
    kinds: [u64; Kind::ALL.len()],
    /// Counts by value, as canonical JSON.
    values: HashMap<Box<[u8]>, u64>,
    /// Whether a value was not counted.
    has_more: bool,
    /// Its numbers, if there are any.
    pub(crate) numbers: Option<Box<NumberSummary>>,
}

impl Facet {
    fn add(&mut self, event: u64, value: &[u8], key: &mut Vec<u8>) {
        if self.last_event != event {
            (self.last_event, self.events) = (event, self.events + 1);
        }
        self.add_many(value, 1, key);
    }

    /// Counts a value of so many events.
    fn add_many(&mut self, value: &[u8], events: u64, key: &mut Vec<u8>) {
        let kind = Kind::of(value);
        self.kinds[kind as usize] += events;
        if matches!(kind, Kind::Object | Kind::Array) {
            return;
        }
        if kind == Kind::Number
            && let Some(number) = std::str::from_utf8(value).ok().and_then(|text| text.parse::<f64>().ok())
            && parse_number(value).is_some()
            && number.is_finite()
        {
            self.numbers.get_or_insert_default().add_many(number, events);
        }
        if self.has_more {
            return;
        }
        key.clear();
        append_canonical(value, key);
        let is_full = self.values.len() >= FACET_VALUES_MAX || key.len() > FACET_VALUE_BYTES_MAX;
        match self.values.get_mut(key.as_slice()) {
            Some(count) => *count += events,
            None if is_full => self.has_more = true,
            None => {
                self.values.insert(key.as_slice().into(), events);
            }
        }
    }

    /// How many of its values are of each kind.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Kind::ALL.iter().map(|(kind, name)| (*name, self.kinds[*kind as usize])).filter(|(_, count)| *count > 0)
    }

    /// Number of different values. `None` if there are more than were told apart.
    pub(crate) fn distinct(&self) -> Option<usize> {
        (!self.has_more).then_some(self.values.len())
    }

    /// Number of values that were told apart.
    pub(crate) fn told_apart(&self) -> usize {
        self.values.len()
    }

    /// The `top` most frequent values; none if they could not all be told apart.
    pub(crate) fn top(&self, top: usize) -> Vec<(&[u8], u64)> {
        if self.has_more {
            return Vec::new();
        }
        let mut values: Vec<_> = self.values.iter().map(|(value, count)| (&**value, *count)).collect();
        values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        values.truncate(top);
        values
    }

    /// How many times it has a value.
    pub(crate) fn count_of(&self, value: &[u8]) -> u64 {
        self.values.get(value).copied().unwrap_or_default()
    }
}

/// The fields of some events.
#[derive(Debug)]
pub(crate) struct Facets {
    query: FacetQuery,
    /// Events so far.
    pub(crate) events: u64,
    fields: HashMap<String, Facet>,
    /// Hashes of the names of fields that there was no room for.
    left_out: HashSet<u64>,
    hasher: RandomState,
    name: String,
    key: Vec<u8>,
}

impl Facets {
    /// No events yet.
    pub(crate) fn new(query: FacetQuery) -> Self {
        Self {
            query,
            events: 0,
            fields: HashMap::new(),
            left_out: HashSet::new(),
            hasher: RandomState::new(),
            name: String::new(),
            key: Vec::new(),
        }
    }

    /// The fields, those that most events have first.
    pub(crate) fn fields(&self) -> Vec<(&str, &Facet)> {
        let mut fields: Vec<_> = self.fields.iter().map(|(name, facet)| (name.as_str(), facet)).collect();
        fields.sort_unstable_by(|a, b| b.1.events.cmp(&a.1.events).then_with(|| a.0.cmp(b.0)));
        fields
    }

    /// A field by its name.
    pub(crate) fn field(&self, name: &str) -> Option<&Facet> {
        self.fields.get(name)
    }

    /// Number of fields that there was no room for.
    pub(crate) fn left_out(&self) -> usize {
        self.left_out.len()
    }

    /// Adds the value of the field of which the name is in `self.name`.
    fn add_value(&mut self, value: &[u8]) {
        if !self.query.wants(&self.name) {
            return;
        }
        if let Some(facet) = self.fields.get_mut(&self.name) {
            return facet.add(self.events, value, &mut self.key);
        }
        if self.fields.len() >= FACETS_MAX {
            if self.left_out.len() < LEFT_OUT_MAX {
                self.left_out.insert(self.hasher.hash_one(&self.name));
            }
            return;
        }
        let mut facet = Facet::default();
        facet.add(self.events, value, &mut self.key);
        self.fields.insert(self.name.clone(), facet);
    }

    fn add_text(&mut self, name: &str, text: &str) {
        self.name.clear();
        self.name.push_str(name);
        let mut value = Vec::with_capacity(text.len() + 2);
        append_string(&mut value, text);
        self.add_value(&value);
    }

    /// The only field that is wanted, which may be new.
    fn facet_of_field(&mut self) -> Option<&mut Facet> {
        Some(self.fields.entry(self.query.field.clone()?).or_default())
    }

    /// Adds a JSON value and everything in it. `None` where the text is not JSON.
    fn walk(&mut self, value: &[u8], depth: usize) -> Option<()> {
        if depth > 0 {
            self.add_value(value);
        }
        let len = self.name.len();
        match value.first()? {
            b'{' if depth < FACET_DEPTH_MAX => {
                let mut reader = Reader::new(value);
                reader.take(b'{')?;
                while reader.peek()? != b'}' {
                    let name = reader.string()?;
                    reader.take(b':')?;
                    let member = reader.skip_value()?;
                    // Half a surrogate pair has no name that a query could give.
                    if let Ok(name) = std::str::from_utf8(&name) {
                        push_name(&mut self.name, name);
                        self.walk(member, depth + 1);
                        self.name.truncate(len);
                    }
                    reader.take_if(b',');
                }
            }
            b'[' if depth < FACET_DEPTH_MAX => {
                let mut reader = Reader::new(value);
                reader.take(b'[')?;
                self.name.push_str(".*");
                while reader.peek()? != b']' {
                    let element = reader.skip_value()?;
                    self.walk(element, depth + 1);
                    reader.take_if(b',');
                }
                self.name.truncate(len);
            }
            _ => {}
        }
        Some(())
    }
}

impl Aggregate for Facets {
    fn view(&self) -> ReaderView {
        let place = self.query.place();
        let columns = place.map(|place| ColumnsWanted { members: vec![place], ..ColumnsWanted::default() });
        ReaderView { unread: Unread { event_ids: true, ..Unread::default() }, columns }
    }

    fn add_columns(&mut self, columns: &ColumnRows, wants: &dyn Fn(&str) -> bool) -> Result<u64, QueryError> {
        let texts = columns.texts(0);
        let (mut events, mut counts) = (0, vec![0_u64; texts.len()]);
        for topic in columns.topics().filter(|topic| wants(topic.topic)) {
            events += topic.rows as u64;
            for AlikeRows { codes, rows, .. } in count_rows(&topic, None) {
                if let Some(count) = counts.get_mut(usize::from(codes[0])) {
                    *count += rows;
                }
            }
        }
        let is_source = self.query.field.as_deref() == Some("source");
        for (text, rows) in texts.into_iter().zip(counts).filter(|(_, rows)| *rows > 0) {
            let Some(text) = text else { continue };
            let Some(facet) = self.facet_of_field() else { continue };
            let mut value = Vec::new();
            if is_source {
                append_string(&mut value, &String::from_utf8_lossy(text));
            }
            let value = if is_source { &value } else { text };
            facet.events += rows;
            facet.add_many(value, rows, &mut Vec::new());
        }
        self.events += events;
        Ok(events)
    }

    fn add(&mut self, event: &EventView<'_>) -> Result<(), QueryError> {
        self.events += 1;
        self.add_text("topic", event.topic);
        self.add_text("source", event.source);
        self.name.clear();
        self.name.push_str("payload");
        self.walk(event.payload.trim_ascii_start(), 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::test_event::test_event;

    fn facets(payloads: &[&str], query: FacetQuery) -> Facets {
        let mut facets = Facets::new(query);
        for payload in payloads {
            facets.add(&test_event(payload).view()).unwrap();
        }
        facets
    }

    #[test]
    fn fields_have_their_kinds_and_values() {
        let payloads = [
            r#" {"a":{"b":1},"tags":["x","y","x"],"odd.name!":null}"#,
            r#"{"a":{"b":1.0},"tags":[]}"#,
            r#"{"a":{"b":"1"}}"#,
            r#"{"a":true}"#,
            "{}",
        ];
        let facets = facets(&payloads, FacetQuery::default());
        let names: Vec<_> = facets.fields().iter().map(|(name, facet)| (*name, facet.events)).collect();
        let expected = [
            ("source", 5),
            ("topic", 5),
            ("payload.a", 4),
            ("payload.a.b", 3),
            ("payload.tags", 2),
            ("payload.odd\\.name\\!", 1),
            ("payload.tags.*", 1),
        ];
        assert_eq!(names, expected);
        let b = facets.field("payload.a.b").unwrap();
        assert_eq!(b.kinds().collect::<Vec<_>>(), [("string", 1), ("number", 2)]);
        assert_eq!(b.top(9), [(&b"1"[..], 2), (b"\"1\"", 1)]);
        assert_eq!(b.numbers.as_ref().unwrap().count(), 2);
        assert_eq!(facets.field("payload.tags.*").unwrap().top(1), [(&b"\"x\""[..], 2)]);
        for (name, _) in names.iter().filter(|(name, _)| name.starts_with("payload.")) {
            assert!(super::super::Field::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_field_or_a_part_of_the_payload_can_be_asked_for_alone() {
        let payloads = [r#"{"a":{"b":1,"c":2},"ab":3}"#];
        let below = FacetQuery { below: Some("payload.a".to_owned()), field: None };
        let names = |facets: &Facets| facets.fields().iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&facets(&payloads, below)), ["payload.a.b", "payload.a.c"]);
        let field = FacetQuery { field: Some("payload.ab".to_owned()), below: None };
        assert_eq!(names(&facets(&payloads, field)), ["payload.ab"]);
    }

    #[test]
    fn memory_is_bounded_and_the_rest_is_counted() {
        let wide: Vec<_> = (0..FACETS_MAX).map(|at| format!("\"a{at}\":1")).collect();
        let facets_of = |payloads: &[&str]| facets(payloads, FacetQuery::default());
        let facets = facets_of(&[&format!("{{{}}}", wide.join(","))]);
        assert_eq!((facets.fields().len(), facets.left_out()), (FACETS_MAX, 2));
        let many: Vec<_> = (0..=FACET_VALUES_MAX).map(|at| format!("{{\"a\":{at}}}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let facets = facets_of(&many);
        let a = facets.field("payload.a").unwrap();
        assert_eq!((a.distinct(), a.told_apart(), a.top(5).len()), (None, FACET_VALUES_MAX, 0));
        let deep = format!("{}1{}", "{\"a\":".repeat(30), "}".repeat(30));
        assert_eq!(facets_of(&[&deep]).fields().len(), 2 + FACET_DEPTH_MAX);
    }
}
