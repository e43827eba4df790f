//! The rights of a request.

use std::sync::Arc;

use super::{Key, Scope, Topics};

/// The rights of a request.
#[derive(Debug, Clone)]
pub enum Grant {
    /// Everything: there are no keys, or it came with one for [`Scope::Admin`].
    Everything,
    /// The scopes and topics of this key.
    Key(Arc<Key>),
    /// Publishing to this topic: the request is signed with its secret.
    Signed(Topics),
    /// Only the routes that are open to every client.
    Nothing,
}

/// Why a request is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It has no key.
    #[error(
        "this server wants a key: send it as `Authorization: Bearer KEY`; sekali's own commands take it from SEKALI_KEY or --key-file"
    )]
    Missing,
    /// It has no key of this server.
    #[error("the key is none of this server's")]
    Unknown,
    /// Its key has expired.
    #[error("the key has expired; have a new one made with `sekali keys create`")]
    Expired,
    /// Its key was revoked.
    #[error("the key was revoked; have a new one made with `sekali keys create`")]
    Revoked,
}

impl Grant {
    pub(super) fn of(key: &Arc<Key>) -> Self {
        if key.has(Scope::Admin) { Self::Everything } else { Self::Key(Arc::clone(key)) }
    }

    /// The key that limits it, if there is one.
    pub(crate) fn key(&self) -> Option<&Key> {
        match self {
            Self::Key(key) => Some(key),
            Self::Everything | Self::Signed(_) | Self::Nothing => None,
        }
    }

    /// That of a request that is signed with the secret of a topic.
    pub(crate) fn signed(topic: &str) -> Self {
        // The name of a topic may have a star in it, which is none then.
        Self::Signed(Topics::from(vec![topic.replace('*', "?")]))
    }

    /// Whether it includes `scope`, for some topics at least.
    pub fn has(&self, scope: Scope) -> bool {
        match self {
            Self::Everything => true,
            Self::Key(key) => key.has(scope),
            Self::Signed(_) => scope == Scope::Publish,
            Self::Nothing => false,
        }
    }

    /// Whether its scopes hold for `topic`.
    pub fn is_for(&self, topic: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Key(key) => key.topics.contains(topic),
            Self::Signed(topics) => topics.contains(topic),
            Self::Nothing => false,
        }
    }

    /// The topics that it is limited to. `None` is all of them, perhaps without the reserved ones.
    pub fn limits(&self) -> Option<Topics> {
        match self {
            Self::Everything => None,
            Self::Key(key) => Some(key.topics.clone()).filter(|topics| !topics.is_all()),
            Self::Signed(topics) => Some(topics.clone()),
            Self::Nothing => Some(Topics::from(Vec::new())),
        }
    }

    /// Whether it may see the state of the whole store: files, damage, sizes.
    pub fn sees_whole_store(&self) -> bool {
        self.has(Scope::Read) && self.limits().is_none()
    }
}
