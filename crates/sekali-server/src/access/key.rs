//! One key without its secret.

use sekali_wire::secret::{KeyId, Secret};
use sekali_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::{Scope, Topics};

/// A key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its public name.
    pub id: KeyId,
    /// A note about its holder and purpose.
    #[serde(default)]
    pub name: String,
    /// Its scopes.
    pub scopes: Vec<Scope>,
    /// Its topics. Keys with [`Scope::Admin`] are for all of them.
    pub topics: Topics,
    /// When it was made.
    pub created: Timestamp,
    /// When it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    sha256: Digest,
}

/// The attributes of a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// See [`Key::name`].
    pub name: String,
    /// See [`Key::scopes`].
    pub scopes: Vec<Scope>,
    /// See [`Key::topics`].
    pub topics: Topics,
    /// See [`Key::expires`].
    pub expires: Option<Timestamp>,
}

/// Whether a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It works.
    Active,
    /// It has expired.
    Expired,
    /// It was revoked.
    Revoked,
}

impl Key {
    pub(super) fn new(secret: &Secret, new: NewKey, now: Timestamp) -> Self {
        let NewKey { name, scopes, topics, expires } = new;
        let (id, created, sha256) = (secret.id(), now.to_the_second(), Digest::of(secret));
        Self { id, name, scopes, topics, created, expires, revoked: None, sha256 }
    }

    /// Whether it works at this moment.
    pub fn state(&self, now: Timestamp) -> State {
        if self.revoked.is_some() {
            State::Revoked
        } else if self.expires.is_some_and(|expires| expires <= now) {
            State::Expired
        } else {
            State::Active
        }
    }

    /// Whether it was made for `scope`.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether `digest` is that of its secret.
    pub(super) fn is(&self, digest: &Digest) -> bool {
        self.sha256.is(digest)
    }
}
