//! Random events and queries, and the expected results.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// An event and its properties in the model.
#[derive(Debug, Clone)]
pub(super) struct Known {
    topic: &'static str,
    pub(super) id: String,
    /// Seconds since 2025-10-24T21:00:00Z.
    second: i64,
    source: &'static str,
    /// The value at `n`.
    top: Held,
    /// The value at `deep.list.1.m`.
    deep: Held,
    text: &'static str,
    /// Whether the text is sent as `\u` escapes.
    is_escaped: bool,
}

/// A query.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    topic: Option<&'static str>,
    since: Option<i64>,
    until: Option<i64>,
    source: Option<&'static str>,
    id: Option<Index>,
    top: Option<Sought>,
    deep: Option<Sought>,
    text: Option<&'static str>,
    pub(super) descending: bool,
}

/// The JSON text of a value, and its meaning: equal values have the same name.
type Held = (&'static str, &'static str);
/// A value in a query, and the names of the values that match.
type Sought = (&'static str, &'static [&'static str]);

const TOPICS: &[&str] = &["a", "b", "web.access", "ü/+&"];
const SOURCES: &[&str] = &["s1", "S1", "=x"];
const TEXTS: &[&str] = &["Plain text", "PLAIN", "naïve ÉTÉ", "a \"quote\" \\ /", "10 \u{212a}", "line\nbreak"];
/// None of these occurs in the text that all payloads share.
const SOUGHT_TEXTS: &[&str] =
    &["plain", "PLAIN T", "été", "\"quote\" \\", "k", "\u{212a}", "e\nb", "text", "no such thing"];
const HELD: &[Held] = &[
    ("5", "number 5"),
    ("5.00", "number 5"),
    ("50e-1", "number 5"),
    ("12345678901234567890.1", "number big"),
    ("12345678901234567890.2", "number bigger"),
    ("\"5\"", "string 5"),
    ("\"\\u0035\"", "string 5"),
    ("true", "literal true"),
    ("\"true\"", "string true"),
    ("null", "literal null"),
    ("\"x y\"", "string x y"),
    ("[5]", "array"),
];
const SOUGHT: &[Sought] = &[
    ("5", &["number 5", "string 5"]),
    ("0.5e1", &["number 5"]),
    ("\"5\"", &["string 5"]),
    ("12345678901234567890.10", &["number big"]),
    ("true", &["literal true", "string true"]),
    ("\"true\"", &["string true"]),
    ("null", &["literal null"]),
    ("x y", &["string x y"]),
    ("", &[]),
];
const START_SECOND: i64 = 1_761_339_600;
const SECONDS: std::ops::Range<i64> = -300..300;

/// Random events with different ids.
pub(super) fn events(runner: &mut TestRunner, count: usize) -> Vec<Known> {
    let fields = (select(TOPICS), SECONDS, select(SOURCES), select(HELD), select(HELD), select(TEXTS), any::<bool>());
    let event = |number| {
        let (topic, second, source, top, deep, text, is_escaped) = fields.new_tree(runner).unwrap().current();
        Known { topic, id: format!("id+{number}"), second, source, top, deep, text, is_escaped }
    };
    (0..count).map(event).collect()
}

/// A time in the format of the service.
pub(super) fn time(second: i64) -> String {
    let mut out = Vec::new();
    sekali_wire::timestamp::append_timestamp(&mut out, (START_SECOND + second) * 1_000_000_000);
    String::from_utf8(out).unwrap()
}

/// The start and count of each bucket.
pub(super) fn buckets(events: &[&Known], asked: &Asked, seconds: i64) -> Vec<(i64, usize)> {
    let start = |second: i64| (START_SECOND + second).div_euclid(seconds) * seconds - START_SECOND;
    let starts: Vec<_> = events.iter().map(|event| start(event.second)).collect();
    // `until` is a whole second, and exclusive.
    let bounds = [asked.since.map(start), asked.until.map(|until| start(until - 1))];
    let reached = starts.iter().copied().chain(bounds.into_iter().flatten().filter(|_| asked.since != asked.until));
    let (Some(first), Some(last)) = (reached.clone().min(), reached.max()) else { return Vec::new() };
    let count = |at: i64| starts.iter().filter(|&&start| start == at).count();
    (first..=last).step_by(seconds as usize).map(|at| (at, count(at))).collect()
}

impl Known {
    /// The event as it is published.
    pub(super) fn json(&self) -> String {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let escaped = |text: &str| text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>();
        let text = if self.is_escaped { format!("\"{}\"", escaped(self.text)) } else { quoted(self.text) };
        format!(
            "{{\"topic\":{},\"event_id\":{},\"timestamp\":\"{}\",\"source\":{},\"payload\":{{\"w\":{text},\"n\":[],\
             \"n\":{},\"deep\":{{\"list\":[{{\"o\":\"}}\"}} , {{ \"o\":1 , \"m\" : {} }}]}}}}}}",
            quoted(self.topic),
            quoted(&self.id),
            time(self.second),
            quoted(self.source),
            self.top.0,
            self.deep.0,
        )
    }

    /// Whether the query selects this event.
    pub(super) fn matches(&self, asked: &Asked, all: &[Self]) -> bool {
        asked.topic.is_none_or(|topic| topic == self.topic)
            && asked.since.is_none_or(|since| self.second >= since)
            && asked.until.is_none_or(|until| self.second < until)
            && asked.source.is_none_or(|source| source == self.source)
            && asked.id.is_none_or(|id| id.get(all).id == self.id)
            && asked.top.is_none_or(|(_, names)| names.contains(&self.top.1))
            && asked.deep.is_none_or(|(_, names)| names.contains(&self.deep.1))
            && asked.text.is_none_or(|text| self.has(text))
    }

    fn has(&self, sought: &str) -> bool {
        // The lower case of the Kelvin sign is ASCII, and must not match ASCII.
        let lower = |char: char| if char == '\u{212a}' { char } else { char.to_lowercase().next().unwrap() };
        let lower = |text: &str| text.chars().map(lower).collect::<String>();
        let values = [self.top.1, self.deep.1].into_iter().filter_map(|name| name.strip_prefix("string "));
        values.chain([self.text]).any(|text| lower(text).contains(&lower(sought)))
    }
}

impl Asked {
    /// Random queries: each filter is present or absent.
    pub(super) fn strategy() -> impl Strategy<Value = Self> {
        use proptest::option::weighted;
        let span = weighted(0.5, (SECONDS, 0..300_i64));
        let values =
            (weighted(0.3, select(SOUGHT)), weighted(0.3, select(SOUGHT)), weighted(0.3, select(SOUGHT_TEXTS)));
        let fields = (
            weighted(0.3, select(TOPICS)),
            (span, any::<(bool, bool)>()),
            weighted(0.3, select(SOURCES)),
            weighted(0.1, any::<Index>()),
            values,
            any::<bool>(),
        );
        fields.prop_map(|(topic, (span, (open, closed)), source, id, (top, deep, text), descending)| Self {
            topic,
            since: span.map(|(since, _)| since).filter(|_| !open || closed),
            until: span.map(|(since, len)| since + len).filter(|_| open || closed),
            source,
            id,
            top,
            deep,
            text,
            descending,
        })
    }

    /// As query parameters, each followed by `&`.
    pub(super) fn query(&self, all: &[Known]) -> String {
        let parameters = [
            ("topic", self.topic.map(str::to_owned)),
            ("since", self.since.map(time)),
            ("until", self.until.map(time)),
            ("source", self.source.map(str::to_owned)),
            ("event_id", self.id.map(|id| id.get(all).id.clone())),
            ("payload.n", self.top.map(|(text, _)| text.to_owned())),
            ("payload.deep.list.1.m", self.deep.map(|(text, _)| text.to_owned())),
            ("q", self.text.map(str::to_owned)),
        ];
        let encode =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        parameters.iter().filter_map(|(name, value)| Some(format!("{name}={}&", encode(value.as_ref()?)))).collect()
    }
}
