//! Names of filter parameters: `source`, `not.payload.user.id`, `min.payload.ms`.

/// The field that a filter parameter looks at, and the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter<'a> {
    Since,
    Until,
    Topic { not: bool },
    Source(NameOperator),
    EventId(NameOperator),
    Place(PlaceOperator, &'a str),
    Has { not: bool },
    Text { not: bool },
}

/// How a text of the event itself is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameOperator {
    Is,
    Not,
    Match,
}

/// How a place of the payload is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlaceOperator {
    Is,
    Not,
    Min,
    Below,
    Match,
}

/// The names of all filter parameters, as documents write them.
pub const FILTER_PARAMETERS: [&str; 19] = [
    "topic",
    "not.topic",
    "since",
    "until",
    "source",
    "not.source",
    "match.source",
    "event_id",
    "not.event_id",
    "match.event_id",
    "payload.<path>",
    "not.payload.<path>",
    "min.payload.<path>",
    "below.payload.<path>",
    "match.payload.<path>",
    "has",
    "not.has",
    "q",
    "not.q",
];

/// Prefix of the names of places in the payload.
pub(super) const PAYLOAD_PREFIX: &str = "payload.";

impl<'a> Parameter<'a> {
    /// Reads the name of a parameter. `None` if it is no filter.
    pub(super) fn parse(name: &'a str) -> Option<Self> {
        if let Some(path) = name.strip_prefix(PAYLOAD_PREFIX) {
            return Some(Self::Place(PlaceOperator::Is, path));
        }
        Some(match name {
            "since" => Self::Since,
            "until" => Self::Until,
            "topic" => Self::Topic { not: false },
            "source" => Self::Source(NameOperator::Is),
            "event_id" => Self::EventId(NameOperator::Is),
            "has" => Self::Has { not: false },
            "q" => Self::Text { not: false },
            _ => {
                let (operator, field) = name.split_once('.')?;
                return Self::with_operator(operator, field);
            }
        })
    }

    fn with_operator(operator: &str, field: &'a str) -> Option<Self> {
        let path = field.strip_prefix(PAYLOAD_PREFIX);
        Some(match (operator, field) {
            ("not", "topic") => Self::Topic { not: true },
            ("not", "source") => Self::Source(NameOperator::Not),
            ("not", "event_id") => Self::EventId(NameOperator::Not),
            ("not", "has") => Self::Has { not: true },
            ("not", "q") => Self::Text { not: true },
            ("not", _) => Self::Place(PlaceOperator::Not, path?),
            ("match", "source") => Self::Source(NameOperator::Match),
            ("match", "event_id") => Self::EventId(NameOperator::Match),
            ("match", _) => Self::Place(PlaceOperator::Match, path?),
            ("min", _) => Self::Place(PlaceOperator::Min, path?),
            ("below", _) => Self::Place(PlaceOperator::Below, path?),
            _ => return None,
        })
    }
}

/// Whether a parameter of this name is a filter.
pub fn is_filter(name: &str) -> bool {
    Parameter::parse(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_an_operator_and_a_field() {
        for name in FILTER_PARAMETERS {
            assert!(is_filter(&name.replace("<path>", "a.b")), "{name}");
        }
        assert_eq!(
            Parameter::parse("not.payload.not.payload"),
            Some(Parameter::Place(PlaceOperator::Not, "not.payload"))
        );
        for name in [
            "",
            "payload",
            "not",
            "not.",
            "not.since",
            "min.source",
            "below.topic",
            "has.x",
            "max.payload.a",
            "match.q",
        ] {
            assert!(!is_filter(name), "{name}");
        }
    }
}
