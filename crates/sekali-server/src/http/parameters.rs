//! Query parameters, read strictly: a misspelt one is an error and not ignored.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::answer::{ApiError, wrong_parameter};
use crate::query::{FILTER_PARAMETERS, is_filter};

/// The query parameters of a request: known ones only. Filters may be given several times, others
/// once.
#[derive(Debug)]
pub(super) struct Parameters<'a> {
    values: Vec<(&'static str, Cow<'a, str>)>,
    filters: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Stands for all of [`FILTER_PARAMETERS`] among the parameters of a route.
pub(super) const FILTERS: &str = "<filters>";

impl<'a> Parameters<'a> {
    /// Reads a query that may have the parameters `allowed`.
    ///
    /// # Errors
    /// An unknown or repeated parameter, or a value that is not UTF-8.
    pub(super) fn parse(query: Option<&'a str>, allowed: &[&'static str]) -> Result<Self, ApiError> {
        let mut values: Vec<(&'static str, Cow<'a, str>)> = Vec::new();
        let mut filters = Vec::new();
        let Some(query) = query else { return Ok(Self { values, filters }) };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).unwrap_or(Cow::Borrowed(name));
            if allowed.contains(&FILTERS) && is_filter(&name) {
                let value = decode(value).ok_or_else(|| wrong_parameter(&name, "not valid UTF-8", &[]))?;
                filters.push((name, value));
                continue;
            }
            let Some(known) = allowed.iter().find(|&&known| known == name) else {
                return Err(wrong_parameter(&name, "unknown parameter", &names(allowed)));
            };
            if values.iter().any(|(seen, _)| seen == known) {
                return Err(wrong_parameter(known, "given more than once", &[]));
            }
            let value = decode(value).ok_or_else(|| wrong_parameter(known, "not valid UTF-8", &[]))?;
            values.push((known, value));
        }
        Ok(Self { values, filters })
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    /// The filters, names with values, in their order.
    pub(super) fn filters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.filters.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The value of a parameter that has only some: the meaning of the one given, or else of the
    /// first.
    pub(super) fn choose<T: Copy>(&self, name: &'static str, choices: &[(&'static str, T)]) -> Result<T, ApiError> {
        let given = self.get(name);
        let chosen = match given {
            None => choices.first(),
            Some(given) => choices.iter().find(|(choice, _)| *choice == given),
        };
        chosen.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(choice, _)| *choice).collect();
            wrong_parameter(name, "no such value", &names)
        })
    }

    /// The value of a parameter that is a number from 1 to `max`.
    pub(super) fn number(&self, name: &'static str, max: u64) -> Result<Option<u64>, ApiError> {
        let Some(given) = self.get(name) else { return Ok(None) };
        let digits = !given.is_empty() && given.bytes().all(|byte| byte.is_ascii_digit());
        let number = given.parse().ok().filter(|number| digits && (1..=max).contains(number));
        let reason = if max == u64::MAX {
            "must be a whole number from 1".to_owned()
        } else {
            format!("must be a whole number from 1 to {max}")
        };
        number.map(Some).ok_or_else(|| wrong_parameter(name, &reason, &[]))
    }

    /// The value of a parameter that is a length of time in `range`: `500ms` or `2s`.
    pub(super) fn time(
        &self,
        name: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Result<Option<Duration>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let parse =
            |digits: &str| digits.parse::<u64>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let time = match text.strip_suffix("ms") {
            Some(digits) => parse(digits).map(Duration::from_millis),
            None => text.strip_suffix('s').and_then(parse).map(Duration::from_secs),
        };
        let words = |time: &Duration| match time.subsec_millis() {
            0 => format!("{}s", time.as_secs()),
            _ => format!("{}ms", time.as_millis()),
        };
        time.filter(|time| range.contains(time)).map(Some).ok_or_else(|| {
            let (min, max) = (words(range.start()), words(range.end()));
            wrong_parameter(name, &format!("must be a time from {min} to {max}, like 500ms or 2s"), &[])
        })
    }
}

/// The names that a route takes, with those that [`FILTERS`] stands for.
pub(super) fn names(allowed: &[&'static str]) -> Vec<&'static str> {
    let names = |name: &&'static str| if *name == FILTERS { FILTER_PARAMETERS.to_vec() } else { vec![*name] };
    allowed.iter().flat_map(names).collect()
}

/// Decodes as HTML forms do: `+` is a space.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return percent_decode_str(text).decode_utf8().ok();
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(|text| Cow::Owned(text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        let query = Parameters::parse(Some("topic=a%2Fb+c%C3%A9&after=&&limit"), &["topic", "after", "limit"]).unwrap();
        assert_eq!(query.get("topic"), Some("a/b cé"));
        assert_eq!((query.get("after"), query.get("limit"), query.get("order")), (Some(""), Some(""), None));
    }

    #[test]
    fn what_is_not_allowed_is_refused() {
        for query in ["topics=a", "limit=1&limit=1", "limit=%FF", "=x", "TOPIC=a", "topic=a"] {
            assert!(Parameters::parse(Some(query), &["limit"]).is_err(), "{query}");
        }
    }

    #[test]
    fn filters_may_be_given_several_times() {
        let query = "payload.a.b=1&payload.a.b=2+%2B&limit=5&not.payload.=&topic=x&topic=y";
        let query = Parameters::parse(Some(query), &["limit", FILTERS]).unwrap();
        let found: Vec<_> = query.filters().collect();
        let expected =
            [("payload.a.b", "1"), ("payload.a.b", "2 +"), ("not.payload.", ""), ("topic", "x"), ("topic", "y")];
        assert_eq!(found, expected);
        for wrong in ["payload=1", "payload.a=%FF", "max.payload.a=1", "limits=1"] {
            assert!(Parameters::parse(Some(wrong), &["limit", FILTERS]).is_err(), "{wrong}");
        }
        assert!(Parameters::parse(Some("payload.a=1"), &["q"]).is_err());
    }

    #[test]
    fn numbers_are_plain_and_in_range() {
        let number = |text: &str| Parameters::parse(Some(text), &["n"]).unwrap().number("n", 10).ok();
        assert_eq!(number("n=10"), Some(Some(10)));
        assert_eq!(number(""), Some(None));
        for wrong in ["n=", "n=0", "n=11", "n=-1", "n=%2B5", "n=1e1", "n=99999999999999999999"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}
