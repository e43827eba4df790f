//! The secret half of a key: what its holder shows, and what is kept of it.
//!
//! A key is written `sekali_<id>_<secret>`: a prefix that scanners for leaked secrets can look for, eight hex digits by
//! which people name the key, and 256 random bits in hex. What is kept is SHA-256 of the whole text. A slow hash would
//! add nothing: there is no dictionary of 256 random bits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const PREFIX: &str = "sekali_";
const ID_DIGITS: usize = 8;
const SECRET_DIGITS: usize = 64;

/// The public name of a key: eight hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

/// A key as its holder has it. `Debug` shows its id and nothing else.
#[derive(Clone)]
pub struct Secret {
    text: String,
}

/// What is kept of a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Digest([u8; 32]);

/// The text is no key. What it was is not repeated: it may be one with a slip in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key as `sekali keys create` makes them, which begin with `{PREFIX}`")]
pub struct NotAKey;

impl Secret {
    /// A new one, from the operating system's randomness.
    pub fn draw() -> Self {
        let (id, secret): ([u8; ID_DIGITS / 2], [u8; SECRET_DIGITS / 2]) = (rand::random(), rand::random());
        Self { text: format!("{PREFIX}{}_{}", hex(&id), hex(&secret)) }
    }

    /// The whole text: for showing it once to whoever makes it, and for sending it.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// By what name people and files know it.
    pub fn id(&self) -> KeyId {
        KeyId(self.text.chars().skip(PREFIX.len()).take(ID_DIGITS).collect())
    }

    pub(super) fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.text.as_bytes()).into())
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

impl Digest {
    /// Compares in a time that does not tell where the two differ.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        unhex(&text).map(Self).ok_or("a hash must be 64 hex digits")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        hex(&digest.0)
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

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if !is_hex(text, SECRET_DIGITS) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_256_random_bits_behind_a_prefix_and_an_id() {
        let (one, other) = (Secret::draw(), Secret::draw());
        assert_eq!(one.expose().len(), PREFIX.len() + ID_DIGITS + 1 + SECRET_DIGITS);
        assert!(one.expose() != other.expose() && !one.digest().is(&other.digest()));
        let again: Secret = one.expose().parse().unwrap();
        assert!(again.digest().is(&one.digest()));
        assert_eq!(again.id(), one.id());
    }

    #[test]
    fn what_is_not_exactly_a_key_is_none() {
        let key = Secret::draw().expose().to_owned();
        let (upper, short, long) = (key.to_uppercase(), &key[..key.len() - 1], format!("{key}0"));
        for text in
            ["", "sekali_", "sekali__", "x", &upper, short, &long, &key[1..], &format!(" {key}"), &"é".repeat(80)]
        {
            assert_eq!(text.parse::<Secret>().map(drop), Err(NotAKey), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = Secret::draw();
        let (_, hidden) = secret.expose().rsplit_once('_').unwrap();
        let shown = format!("{secret:?} {:?}", secret.digest());
        let digest = String::from(secret.digest());
        assert!(!shown.contains(&hidden[..8]) && !shown.contains(&digest[..8]), "{shown}");
        assert!(shown.contains(&secret.id().to_string()));
    }

    #[test]
    fn the_hash_is_sha_256_of_the_text() {
        // NIST's first example of FIPS 180-4.
        let digest = Digest(Sha256::digest(b"abc").into());
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(String::from(digest.clone()), text);
        assert!(Digest::try_from(text.to_owned()).unwrap().is(&digest));
        assert!(Digest::try_from(text.to_uppercase()).is_err());
    }
}
