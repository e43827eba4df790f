//! API keys as text.
//!
//! A key is `sekali_<id>_<secret>`: a prefix for scanners of leaked secrets, eight hex digits as
//! its public name, and 256 random bits in hex. The server keeps only a hash of the whole text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const PREFIX: &str = "sekali_";
const ID_DIGITS: usize = 8;
const SECRET_DIGITS: usize = 64;

/// The public name of a key: eight hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

/// A key in its holder's form. `Debug` shows only its id.
#[derive(Clone)]
pub struct Secret {
    text: String,
}

/// The text is no key. The error does not repeat the text, which may be a mistyped key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key as `sekali keys create` makes them, which begin with `{PREFIX}`")]
pub struct NotAKey;

impl Secret {
    /// The key with this id and these random bits, which the caller draws.
    pub fn new(id: [u8; ID_DIGITS / 2], secret: [u8; SECRET_DIGITS / 2]) -> Self {
        Self { text: format!("{PREFIX}{}_{}", hex(&id), hex(&secret)) }
    }

    /// The whole text, to show once to the operator who creates it, and to send.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The public name of the key, in files and for people.
    pub fn id(&self) -> KeyId {
        KeyId(self.text.chars().skip(PREFIX.len()).take(ID_DIGITS).collect())
    }
}

impl FromStr for Secret {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let parts = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
        let is_key = parts.is_some_and(|(id, secret)| is_hex(id, ID_DIGITS) && is_hex(secret, SECRET_DIGITS));
        if is_key { Ok(Self { text: text.to_owned() }) } else { Err(NotAKey) }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}, …)", self.id())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for KeyId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if is_hex(&text, ID_DIGITS) { Ok(Self(text)) } else { Err("an id must be 8 hex digits, in lower case") }
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

impl FromStr for KeyId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

/// Bytes as lower-case hex digits, two a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether `text` is exactly `digits` hex digits in lower case.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Secret {
        Secret::new([0xAB; 4], [0xCD; 32])
    }

    #[test]
    fn a_key_is_256_bits_behind_a_prefix_and_an_id() {
        assert_eq!(key().expose(), format!("sekali_abababab_{}", "cd".repeat(32)));
        let again: Secret = key().expose().parse().unwrap();
        assert_eq!((again.id(), again.expose()), (key().id(), key().expose()));
    }

    #[test]
    fn only_the_exact_form_is_a_key() {
        let key = key().expose().to_owned();
        let (upper, short, long) = (key.to_uppercase(), &key[..key.len() - 1], format!("{key}0"));
        for text in
            ["", "sekali_", "sekali__", "x", &upper, short, &long, &key[1..], &format!(" {key}"), &"é".repeat(80)]
        {
            assert_eq!(text.parse::<Secret>().map(drop), Err(NotAKey), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", key()), "Secret(abababab, …)");
    }
}
