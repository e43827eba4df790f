//! Keyed hashes of events: which key an event has, and what it contains.
//!
//! SipHash-1-3 (Aumasson and Bernstein, 2012) under a secret that is drawn when the store is
//! created, so that nobody outside can aim collisions.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128 as _, SipHasher13 as SipHasher13x128};

use crate::event::EventRef;

/// The secret of a store: 32 random bytes, never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HashKey(pub [u8; 32]);

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(secret)")
    }
}

/// 128-bit keyed hash of `(topic, event_id)`. Equal keys have equal fingerprints; equal
/// fingerprints only make equal keys likely (a billion keys collide with probability 1.5e-21),
/// which is why a match is always confirmed.
pub type Fingerprint = u128;

/// 64-bit keyed hash of a key together with its source and the bytes of its payload.
pub(crate) type ContentHash = u64;

/// 128-bit keyed hash of a key, its source and the canonical form of its payload. Unlike a
/// [`ContentHash`] it does not depend on how a payload is written, and costs a look into it.
pub(crate) type ContentDigest = u128;

/// Both hashes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventHash {
    /// Hash of the key.
    pub fingerprint: Fingerprint,
    /// Hash of key, source and payload bytes.
    pub content: ContentHash,
}

/// Hashes events under the secret of a store. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct KeyHasher {
    fingerprint_key: [u8; 16],
    content_key: [u8; 16],
    fingerprint_mask: u128,
}

impl KeyHasher {
    /// A hasher under `key`.
    pub fn new(key: &HashKey) -> Self {
        let (mut fingerprint_key, mut content_key) = ([0; 16], [0; 16]);
        fingerprint_key.copy_from_slice(&key.0[..16]);
        content_key.copy_from_slice(&key.0[16..]);
        Self { fingerprint_key, content_key, fingerprint_mask: u128::MAX }
    }

    /// A hasher whose fingerprints keep only the bits of `mask`, so that they collide. For tests of
    /// what happens then.
    #[must_use]
    pub(crate) fn colliding(self, mask: u128) -> Self {
        Self { fingerprint_mask: mask, ..self }
    }

    /// The fingerprint of a key.
    pub fn fingerprint(&self, topic: &str, event_id: &str) -> Fingerprint {
        self.full_fingerprint(topic, event_id) & self.fingerprint_mask
    }

    /// Both hashes of an event.
    pub(crate) fn hash(&self, event: &EventRef<'_>) -> EventHash {
        let full = self.full_fingerprint(event.topic, event.event_id);
        let mut hasher = SipHasher13::new_with_key(&self.content_key);
        hasher.write(&full.to_le_bytes());
        hasher.write(&(event.source.len() as u64).to_le_bytes());
        hasher.write(event.source.as_bytes());
        hasher.write(event.payload);
        EventHash { fingerprint: full & self.fingerprint_mask, content: hasher.finish() }
    }

    /// The digest of an event whose payload has this canonical form, or has none.
    pub(crate) fn digest(&self, event: &EventRef<'_>, canonical: Option<&[u8]>) -> ContentDigest {
        let mut hasher = SipHasher13x128::new_with_key(&self.content_key);
        hasher.write(&self.full_fingerprint(event.topic, event.event_id).to_le_bytes());
        hasher.write(&(event.source.len() as u64).to_le_bytes());
        hasher.write(event.source.as_bytes());
        // A payload without a form must not equal one whose form happens to be its bytes.
        hasher.write(&[u8::from(canonical.is_some())]);
        hasher.write(canonical.unwrap_or(event.payload));
        hasher.finish128().as_u128()
    }

    /// Names the evidence of a conflict: 128 bits over everything by which two conflicting events
    /// can differ.
    pub(crate) fn evidence(&self, event: &EventRef<'_>) -> u128 {
        let mut hasher = SipHasher13x128::new_with_key(&self.content_key);
        hasher.write(&self.full_fingerprint(event.topic, event.event_id).to_le_bytes());
        hasher.write(&(event.source.len() as u64).to_le_bytes());
        hasher.write(event.source.as_bytes());
        hasher.write(event.payload);
        hasher.finish128().as_u128()
    }

    fn full_fingerprint(&self, topic: &str, event_id: &str) -> u128 {
        let mut hasher = SipHasher13x128::new_with_key(&self.fingerprint_key);
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hasher.write(&(topic.len() as u64).to_le_bytes());
        hasher.write(topic.as_bytes());
        hasher.write(event_id.as_bytes());
        hasher.finish128().as_u128()
    }
}

/// The event id of evidence, from what [`KeyHasher::evidence`] names it.
pub(crate) fn evidence_id(name: u128) -> String {
    format!("{name:032x}")
}

/// A map from halves of fingerprints, which are hashes already.
pub(crate) type HalfMap<T> = HashMap<u64, T, BuildHasherDefault<HalfHasher>>;

/// Takes half a fingerprint for its hash.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HalfHasher(u64);

impl Hasher for HalfHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }
}
