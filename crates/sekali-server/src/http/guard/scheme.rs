//! Where a request shows its key: by RFC 6750, or as clients of a protocol can.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap};
use sekali_wire::secret::Secret;

use crate::access::AuthError;

/// A scheme of the `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum KeyScheme {
    /// The key itself (RFC 6750, 2.1).
    Bearer,
    /// The key as password, or as user name without a password (RFC 7617). A browser sends it along
    /// by itself, so that only routes of other people's clients take it.
    Basic,
    /// The key itself, or the base64 of any name, a colon and the key.
    ApiKey,
    /// The key itself.
    Splunk,
}

impl KeyScheme {
    /// Its name in small letters.
    pub(in crate::http) fn name(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Basic => "basic",
            Self::ApiKey => "apikey",
            Self::Splunk => "splunk",
        }
    }

    fn key(self, text: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Bearer | Self::Splunk => Some(text.into()),
            Self::ApiKey if text.parse::<Secret>().is_ok() => Some(text.into()),
            Self::ApiKey | Self::Basic => {
                let pair = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
                let (user, password) = pair.split_once(':')?;
                Some(if password.is_empty() { user } else { password }.to_owned().into())
            }
        }
    }
}

/// The text in the place of the key.
pub(super) fn shown<'h>(headers: &'h HeaderMap, schemes: &[KeyScheme]) -> Result<Option<Cow<'h, str>>, AuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let (name, text) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(AuthError::Unknown)?;
    let scheme = schemes.iter().find(|scheme| name.eq_ignore_ascii_case(scheme.name()));
    if values.next().is_some() {
        return Err(AuthError::Unknown);
    }
    scheme.and_then(|scheme| scheme.key(text.trim())).map(Some).ok_or(AuthError::Unknown)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    const ALL: [KeyScheme; 4] = [KeyScheme::Bearer, KeyScheme::Basic, KeyScheme::ApiKey, KeyScheme::Splunk];

    fn headers(values: &[&str]) -> HeaderMap {
        HeaderMap::from_iter(values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_str(value).unwrap())))
    }

    #[test]
    fn a_key_is_shown_in_one_way() {
        let shown = |values: &[&str]| shown(&headers(values), &[KeyScheme::Bearer]).map(|key| key.map(Cow::into_owned));
        assert_eq!(shown(&[]), Ok(None));
        assert_eq!(shown(&["Bearer abc"]), Ok(Some("abc".to_owned())));
        assert_eq!(shown(&["bearer  abc "]), Ok(Some("abc".to_owned())));
        for wrong in [&[""][..], &["abc"], &["Basic YTpi"], &["Bearer"], &["Bearer a", "Bearer a"], &["Bearer a", ""]] {
            assert_eq!(shown(wrong), Err(AuthError::Unknown), "{wrong:?}");
        }
        let odd = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xFF").unwrap())]);
        assert_eq!(super::shown(&odd, &ALL), Err(AuthError::Unknown));
    }

    #[test]
    fn clients_of_other_protocols_show_it_as_they_can() {
        let key = Secret::new([1; 4], [2; 32]);
        let encoded = |text: String| STANDARD.encode(text);
        let key = key.expose();
        for value in [
            format!("Splunk {key}"),
            format!("ApiKey {key}"),
            format!("ApiKey {}", encoded(format!("any:{key}"))),
            format!("Basic {}", encoded(format!("user:{key}"))),
            format!("Basic {}", encoded(format!("{key}:"))),
        ] {
            assert_eq!(shown(&headers(&[&value]), &ALL).unwrap().as_deref(), Some(key), "{value}");
            assert_eq!(shown(&headers(&[&value]), &[KeyScheme::Bearer]), Err(AuthError::Unknown), "{value}");
        }
        for wrong in ["Basic !", "Basic YQ==", "ApiKey x", "Splunk"] {
            assert_eq!(shown(&headers(&[wrong]), &ALL), Err(AuthError::Unknown), "{wrong}");
        }
    }
}
