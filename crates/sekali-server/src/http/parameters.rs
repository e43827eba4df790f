//! Query parameters, read strictly: a misspelt one is an error and not ignored.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::answer::{ApiError, wrong_parameter};

/// The query parameters of a request: known ones only, none twice.
#[derive(Debug)]
pub(super) struct Parameters<'a> {
    values: Vec<(&'static str, Cow<'a, str>)>,
    payload: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Stands for all parameters `payload.` and a path, which may be given several times.
pub(super) const PAYLOAD: &str = "payload.<path>";
/// What these begin with.
const PAYLOAD_PREFIX: &str = "payload.";

impl<'a> Parameters<'a> {
    /// Reads a query that may have the parameters `allowed`.
    ///
    /// # Errors
    /// An unknown or repeated parameter, or a value that is not UTF-8.
    pub(super) fn parse(query: Option<&'a str>, allowed: &[&'static str]) -> Result<Self, ApiError> {
        let mut values: Vec<(&'static str, Cow<'a, str>)> = Vec::new();
        let mut payload = Vec::new();
        let Some(query) = query else { return Ok(Self { values, payload }) };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).unwrap_or(Cow::Borrowed(name));
            if name.starts_with(PAYLOAD_PREFIX) && allowed.contains(&PAYLOAD) {
                let value = decode(value).ok_or_else(|| wrong_parameter(&name, "not valid UTF-8", &[]))?;
                payload.push((name, value));
                continue;
            }
            let Some(known) = allowed.iter().find(|&&known| known == name) else {
                return Err(wrong_parameter(&name, "unknown parameter", allowed));
            };
            if values.iter().any(|(seen, _)| seen == known) {
                return Err(wrong_parameter(known, "given more than once", allowed));
            }
            let value = decode(value).ok_or_else(|| wrong_parameter(known, "not valid UTF-8", &[]))?;
            values.push((known, value));
        }
        Ok(Self { values, payload })
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    /// The parameters that [`PAYLOAD`] stands for: name, path, value.
    pub(super) fn payload(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.payload.iter().map(|(name, value)| (&**name, name.strip_prefix(PAYLOAD_PREFIX).unwrap_or(name), &**value))
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
        for query in ["topics=a", "topic=a&topic=b", "topic=%FF", "=x", "TOPIC=a"] {
            assert!(Parameters::parse(Some(query), &["topic"]).is_err(), "{query}");
        }
    }

    #[test]
    fn conditions_on_the_payload_may_be_many() {
        let query = Parameters::parse(Some("payload.a.b=1&payload.a.b=2+%2B&payload.=&q=x"), &["q", PAYLOAD]).unwrap();
        let found: Vec<_> = query.payload().map(|(_, path, value)| (path, value)).collect();
        assert_eq!(found, [("a.b", "1"), ("a.b", "2 +"), ("", "")]);
        assert!(Parameters::parse(Some("payload=1"), &["q", PAYLOAD]).is_err());
        assert!(Parameters::parse(Some("payload.a=%FF"), &["q", PAYLOAD]).is_err());
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
