//! Ids as text. A prefix tells the kind, so that a derived id never meets a declared one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::Way;

/// The prefixes of ids that are made here.
const PREFIXES: [&str; 5] = ["r:", "c:", "n:", "q:", "d:"];
/// Bytes of a hash that go into an id: 128 bits.
const HASH_BYTES: usize = 16;

/// Who sent a request, as far as the server sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peer {
    /// The public name of its key.
    pub(crate) key: Option<String>,
    /// The address that it came from.
    pub(crate) address: String,
    /// Its own name for itself.
    pub(crate) agent: String,
}

/// The hash of a request, from which the ids of its events are derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RequestDigest([u8; HASH_BYTES]);

impl RequestDigest {
    /// That of a decompressed body. `sender` is part of it where an equal body from elsewhere is
    /// another request.
    pub(crate) fn new(way: Way, sender: Option<&Peer>, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        field(&mut hash, way.as_str().as_bytes());
        if let Some(sender) = sender {
            field(&mut hash, sender.key.as_deref().unwrap_or_default().as_bytes());
            field(&mut hash, sender.address.as_bytes());
            field(&mut hash, sender.agent.as_bytes());
        }
        hash.update([u8::from(sender.is_some())]);
        hash.update(body);
        Self(shortened(hash))
    }
}

/// The id of event number `index` of a request, which is the equal one number `number`.
pub(crate) fn request_id(digest: RequestDigest, number: u32, index: usize) -> String {
    format!("r:{}.{number}.{index}", URL_SAFE_NO_PAD.encode(digest.0))
}

/// The id of an event by all that it says.
pub(crate) fn content_id(topic: &str, source: &str, time_ns: Option<i64>, payload: &[u8]) -> String {
    let mut hash = Sha256::new();
    field(&mut hash, topic.as_bytes());
    field(&mut hash, source.as_bytes());
    field(&mut hash, &time_ns.map_or(Vec::new(), |time_ns| time_ns.to_be_bytes().to_vec()));
    hash.update(payload);
    format!("c:{}", URL_SAFE_NO_PAD.encode(shortened(hash)))
}

/// The id of a record that is kept in quarantine. The same record for the same reason has the same.
pub(crate) fn quarantine_id(own_id: &str, payload: &[u8]) -> String {
    let mut hash = Sha256::new();
    field(&mut hash, own_id.as_bytes());
    hash.update(payload);
    format!("q:{}", URL_SAFE_NO_PAD.encode(shortened(hash)))
}

/// A new id that says nothing: a UUID of version 7 (RFC 9562, 5.7).
pub(crate) fn none_id(now_ns: i64) -> String {
    let ms = u128::try_from(now_ns / 1_000_000).unwrap_or(0) & 0xFFFF_FFFF_FFFF;
    let random: u128 = rand::random();
    let low = random & 0x0FFF_3FFF_FFFF_FFFF_FFFF;
    let bits = (ms << 80) | (0x7 << 76) | (0x2 << 62) | low;
    let hex = format!("{bits:032x}");
    let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    format!("n:{a}-{b}-{c}-{d}-{e}")
}

/// A declared id as it is stored: one that looks derived gets a prefix of its own.
pub(crate) fn declared_id(id: &str) -> std::borrow::Cow<'_, str> {
    if PREFIXES.iter().any(|prefix| id.starts_with(prefix)) { format!("d:{id}").into() } else { id.into() }
}

/// The length in front keeps ("ab", "c") and ("a", "bc") apart.
fn field(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

fn shortened(hash: Sha256) -> [u8; HASH_BYTES] {
    let whole = hash.finalize();
    let mut short = [0; HASH_BYTES];
    short.iter_mut().zip(whole.iter()).for_each(|(to, from)| *to = *from);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_id_is_the_same_wherever_it_is_made() {
        let digest = RequestDigest::new(Way::Ingest, None, b"{}");
        assert_eq!(request_id(digest, 0, 7), "r:89Jy9o9nz7HGrE40lU31Zg.0.7");
        assert_eq!(content_id("t", "s", Some(1), b"{}"), content_id("t", "s", Some(1), b"{}"));
    }

    #[test]
    fn whatever_differs_makes_another_id() {
        let sender = |agent: &str| Peer { agent: agent.to_owned(), ..Peer::default() };
        let digests = [
            RequestDigest::new(Way::Ingest, None, b"{}"),
            RequestDigest::new(Way::Loki, None, b"{}"),
            RequestDigest::new(Way::Ingest, None, b"[]"),
            RequestDigest::new(Way::Ingest, Some(&sender("a")), b"{}"),
            RequestDigest::new(Way::Ingest, Some(&sender("b")), b"{}"),
        ];
        let contents =
            [content_id("ab", "c", None, b""), content_id("a", "bc", None, b""), content_id("a", "b", Some(0), b"")];
        let mut ids: Vec<_> = digests.iter().map(|digest| request_id(*digest, 0, 0)).chain(contents).collect();
        ids.extend([request_id(digests[0], 1, 0), request_id(digests[0], 0, 1)]);
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn an_id_that_looks_derived_stays_a_declared_one() {
        for (id, stored) in [("7", "7"), ("r:x", "d:r:x"), ("d:r:x", "d:d:r:x"), ("rr:x", "rr:x"), ("n:", "d:n:")] {
            assert_eq!(declared_id(id), stored);
        }
    }

    #[test]
    fn an_id_from_nothing_is_a_uuid_of_version_7() {
        let (one, two) = (none_id(1_700_000_000_123_000_000), none_id(1_700_000_000_123_000_000));
        assert_ne!(one, two);
        assert!(one.starts_with("n:018bcfe5-687b-7"), "{one}");
        assert!(matches!(one.as_bytes()[21], b'8' | b'9' | b'a' | b'b'), "{one}");
    }
}
