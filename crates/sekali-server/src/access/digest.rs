//! The hash that the server keeps of a key.
//!
//! SHA-256 of the whole text. A slow hash would add nothing: there is no dictionary of 256 random
//! bits.

use std::fmt;

use sekali_wire::secret::{Secret, hex, is_hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const BYTES: usize = 32;

/// SHA-256 of a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Digest([u8; BYTES]);

impl Digest {
    /// The hash of a secret.
    pub(super) fn of(secret: &Secret) -> Self {
        Self(Sha256::digest(secret.expose().as_bytes()).into())
    }

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

fn unhex(text: &str) -> Option<[u8; BYTES]> {
    if !is_hex(text, 2 * BYTES) {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha_256_of_the_text() {
        // NIST's first example of FIPS 180-4.
        let digest = Digest(Sha256::digest(b"abc").into());
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(String::from(digest.clone()), text);
        assert!(Digest::try_from(text.to_owned()).unwrap().is(&digest));
        assert!(Digest::try_from(text.to_uppercase()).is_err());
    }

    #[test]
    fn other_secrets_have_other_hashes_and_debug_shows_none() {
        let (one, other) = (Digest::of(&Secret::new([1; 4], [2; 32])), Digest::of(&Secret::new([1; 4], [3; 32])));
        assert!(one.is(&one) && !one.is(&other));
        assert_eq!(format!("{one:?}"), "Digest(…)");
    }
}
