//! All keys of a store.

use sekali_wire::secret::{KeyId, Secret};
use sekali_wire::timestamp::Timestamp;
use std::sync::Arc;

use super::digest::Digest;
use super::{AuthError, Grant, Key, KeysError, NewKey, State};
use crate::limits::KEYS_MAX;

/// The keys of a store, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    keys: Vec<Arc<Key>>,
}

impl Keys {
    /// All of them, expired and revoked ones included.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().map(AsRef::as_ref)
    }

    /// Creates a key. The secret is returned and kept nowhere. At the limit of keys the oldest that
    /// no longer works is dropped.
    ///
    /// # Errors
    /// [`KeysError::TooMany`].
    pub fn create(&mut self, new: NewKey, now: Timestamp) -> Result<(Secret, Arc<Key>), KeysError> {
        if self.keys.len() >= KEYS_MAX {
            let spent = self.keys.iter().position(|key| key.state(now) != State::Active);
            self.keys.remove(spent.ok_or(KeysError::TooMany)?);
        }
        let mut secret = draw_secret();
        // With 32 bits of id this can happen once in a lifetime.
        while self.find(&secret.id()).is_some() {
            secret = draw_secret();
        }
        let key = Arc::new(Key::new(&secret, new, now));
        self.keys.push(Arc::clone(&key));
        Ok((secret, key))
    }

    /// Revokes a key and returns it. Revoking it twice is no error.
    ///
    /// # Errors
    /// [`KeysError::NoSuchKey`].
    pub fn revoke(&mut self, id: &KeyId, now: Timestamp) -> Result<Arc<Key>, KeysError> {
        let key = self.keys.iter_mut().find(|key| key.id == *id).ok_or(KeysError::NoSuchKey)?;
        Arc::make_mut(key).revoked.get_or_insert(now.to_the_second());
        Ok(Arc::clone(key))
    }

    /// The rights of the holder of this key.
    ///
    /// # Errors
    /// The text is no key, none of these, or no longer works. Only the holder of a key is told
    /// which.
    pub fn admit(&self, shown: &str, now: Timestamp) -> Result<Grant, AuthError> {
        self.shown(shown, now).map(Grant::of)
    }

    /// Whether `key` is still one of these, unchanged, and works.
    pub(super) fn has(&self, key: &Key, now: Timestamp) -> bool {
        key.state(now) == State::Active && self.find(&key.id).is_some_and(|found| **found == *key)
    }

    /// The key with this text.
    pub(super) fn shown(&self, shown: &str, now: Timestamp) -> Result<&Arc<Key>, AuthError> {
        let secret: Secret = shown.parse().map_err(|_| AuthError::Unknown)?;
        let key = self.find(&secret.id()).ok_or(AuthError::Unknown)?;
        if !key.is(&Digest::of(&secret)) {
            return Err(AuthError::Unknown);
        }
        match key.state(now) {
            State::Active => Ok(key),
            State::Expired => Err(AuthError::Expired),
            State::Revoked => Err(AuthError::Revoked),
        }
    }

    fn find(&self, id: &KeyId) -> Option<&Arc<Key>> {
        self.keys.iter().find(|key| key.id == *id)
    }
}

impl FromIterator<Key> for Keys {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Self {
        Self { keys: keys.into_iter().map(Arc::new).collect() }
    }
}

/// A new secret, from the operating system's randomness.
pub fn draw_secret() -> Secret {
    Secret::new(rand::random(), rand::random())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Scope, Topics};

    const NOW: Timestamp = Timestamp(1_000_000_000_000);

    fn new(scopes: &[Scope], topics: &[&str], expires: Option<Timestamp>) -> NewKey {
        let topics = Topics::from(topics.iter().map(|&topic| topic.to_owned()).collect::<Vec<_>>());
        NewKey { name: String::new(), scopes: scopes.to_vec(), topics, expires }
    }

    #[test]
    fn a_key_opens_what_it_was_made_for_and_no_more() {
        let mut keys = Keys::default();
        let (secret, _) = keys.create(new(&[Scope::Read], &["a.*"], None), NOW).unwrap();
        let grant = keys.admit(secret.expose(), NOW).unwrap();
        assert!(grant.has(Scope::Read) && !grant.has(Scope::Publish) && !grant.has(Scope::Admin));
        assert!(grant.is_for("a.b") && !grant.is_for("b") && !grant.is_for("$conflicts"));
        assert!(grant.limits().is_some() && !grant.sees_whole_store());

        let (secret, _) = keys.create(new(&[Scope::Read], &["*"], None), NOW).unwrap();
        let grant = keys.admit(secret.expose(), NOW).unwrap();
        assert!(grant.limits().is_none() && grant.sees_whole_store() && !grant.is_for("$conflicts"));

        let (secret, _) = keys.create(new(&[Scope::Admin], &["*"], None), NOW).unwrap();
        let grant = keys.admit(secret.expose(), NOW).unwrap();
        assert!(Scope::ALL.into_iter().all(|scope| grant.has(scope)) && grant.is_for("$conflicts"));
    }

    #[test]
    fn keys_end_when_they_expire_or_are_revoked() {
        let mut keys = Keys::default();
        let expires = Timestamp(NOW.0 + 5);
        let (secret, key) = keys.create(new(&[Scope::Read], &["*"], Some(expires)), NOW).unwrap();
        let id = key.id.clone();
        assert!(keys.admit(secret.expose(), Timestamp(expires.0 - 1)).is_ok());
        assert_eq!(keys.admit(secret.expose(), expires).map(drop), Err(AuthError::Expired));
        keys.revoke(&id, NOW).unwrap();
        assert_eq!(keys.admit(secret.expose(), NOW).map(drop), Err(AuthError::Revoked));
        let other = draw_secret();
        assert!(matches!(keys.revoke(&other.id(), NOW), Err(KeysError::NoSuchKey)));
    }

    #[test]
    fn keys_that_work_no_longer_make_room() {
        let mut keys = Keys::default();
        let ids: Vec<_> =
            (0..KEYS_MAX).map(|_| keys.create(new(&[Scope::Read], &["*"], None), NOW).unwrap().1.id.clone()).collect();
        assert!(matches!(keys.create(new(&[Scope::Read], &["*"], None), NOW), Err(KeysError::TooMany)));
        keys.revoke(&ids[7], NOW).unwrap();
        keys.create(new(&[Scope::Read], &["*"], None), NOW).unwrap();
        assert_eq!(keys.iter().count(), KEYS_MAX);
        assert!(keys.find(&ids[7]).is_none() && keys.find(&ids[6]).is_some());
    }

    #[test]
    fn nothing_but_the_secret_itself_is_taken() {
        let mut keys = Keys::default();
        let (secret, _) = keys.create(new(&[Scope::Read], &["*"], None), NOW).unwrap();
        let text = secret.expose();
        for at in 0..text.len() {
            let mut changed = text.to_owned();
            changed.replace_range(at..=at, if &text[at..=at] == "0" { "1" } else { "0" });
            assert_eq!(keys.admit(&changed, NOW).map(drop), Err(AuthError::Unknown), "{at}");
        }
        let (head, _) = text.rsplit_once('_').unwrap();
        for wrong in ["", head, &format!("{head}_"), &format!("{head}_{}", "0".repeat(64)), draw_secret().expose()] {
            assert_eq!(keys.admit(wrong, NOW).map(drop), Err(AuthError::Unknown));
        }
    }
}
