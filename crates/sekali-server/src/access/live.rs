//! The keys in force in a running server.

use sekali_wire::timestamp::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tracing::{error, info, warn};

use super::file::Stamp;
use super::webhooks::{self, WebhookSecret, WebhookSecrets};
use super::{AuthError, Exposure, Grant, KeyFile, Keys, KeysError, Lease};

/// The keys in force. Cheap to clone; all clones see the same.
#[derive(Debug, Clone)]
pub struct Access {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    file: KeyFile,
    /// `None` until the first key is created.
    keys: RwLock<Option<Arc<Keys>>>,
    /// Whether `keys` is `None`: every request asks, and this is cheaper than the lock. Never true
    /// again once false.
    is_open: AtomicBool,
    seen: Mutex<Seen>,
    webhooks: RwLock<Arc<WebhookSecrets>>,
    webhooks_seen: Mutex<Seen>,
    dir: PathBuf,
}

/// The identity of the file when it was last read.
type Seen = Result<Option<Stamp>, std::io::ErrorKind>;

impl Access {
    /// Reads the keys of the store in `dir`. Blocks.
    ///
    /// # Errors
    /// Those of [`KeyFile::read`].
    pub fn load(dir: &Path) -> Result<Self, KeysError> {
        let file = KeyFile::of(dir);
        // Taken before the file is read: a change in between is then read again.
        let seen = stamp(&file);
        let keys = file.read()?.map(Arc::new);
        warn_of_exposure(&file);
        let is_open = AtomicBool::new(keys.is_none());
        let webhooks_seen = Mutex::new(webhooks_stamp(dir));
        let webhooks = RwLock::new(Arc::new(WebhookSecrets::read(dir)?));
        warn_of_exposed_webhooks(dir);
        let (keys, seen, dir) = (RwLock::new(keys), Mutex::new(seen), dir.to_owned());
        let shared = Shared { file, keys, is_open, seen, webhooks, webhooks_seen, dir };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether there are no keys, so that every client may do everything.
    pub fn is_open(&self) -> bool {
        self.shared.is_open.load(Ordering::Acquire)
    }

    /// How many keys there are, expired and revoked ones included; `None` before the first one.
    pub(crate) fn count(&self) -> Option<usize> {
        self.keys().map(|keys| keys.iter().count())
    }

    /// The rights of a request that shows this text as its key, or none.
    ///
    /// # Errors
    /// There are keys, and this is none of them.
    pub fn admit(&self, shown: Option<&str>, now: Timestamp) -> Result<Grant, AuthError> {
        match (self.keys(), shown) {
            (None, _) => Ok(Grant::Everything),
            (Some(_), None) => Err(AuthError::Missing),
            (Some(keys), Some(shown)) => keys.admit(shown, now),
        }
    }

    /// The lease of a request that shows this text as its key, or none, and is admitted.
    ///
    /// # Errors
    /// As [`Access::admit`].
    pub(crate) fn lease(&self, shown: Option<&str>, now: Timestamp) -> Result<Lease, AuthError> {
        let key = match (self.keys(), shown) {
            (None, _) => None,
            (Some(_), None) => return Err(AuthError::Missing),
            (Some(keys), Some(shown)) => Some(Arc::clone(keys.shown(shown, now)?)),
        };
        Ok(Lease::new(self.clone(), key))
    }

    /// The secret by which webhooks of this topic are signed, if they are.
    pub(crate) fn webhook_secret(&self, topic: &str) -> Option<WebhookSecret> {
        self.shared.webhooks.read().unwrap_or_else(PoisonError::into_inner).of(topic)
    }

    /// Reads the files again if they have changed. Blocks.
    pub fn refresh(&self) {
        self.refresh_keys();
        let (shared, now) = (&self.shared, webhooks_stamp(&self.shared.dir));
        let seen = &shared.webhooks_seen;
        let before = std::mem::replace(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner), now);
        if before == now {
            return;
        }
        match WebhookSecrets::read(&shared.dir) {
            Ok(secrets) => {
                info!("the secrets of webhooks have changed");
                warn_of_exposed_webhooks(&shared.dir);
                *shared.webhooks.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(secrets);
            }
            Err(error) => error!(%error, "the secrets of webhooks cannot be read; those read before stay in force"),
        }
    }

    /// Reads the keys again if they have changed. A damaged file never admits a client that was not
    /// admitted before. Blocks.
    fn refresh_keys(&self) {
        let file = &self.shared.file;
        let now = stamp(file);
        let before = std::mem::replace(&mut *self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner), now);
        if before == now {
            return;
        }
        match file.read() {
            Ok(Some(keys)) => {
                info!(keys = keys.iter().count(), "the keys have changed");
                self.put(keys);
                warn_of_exposure(file);
            }
            Ok(None) if self.is_open() => {}
            Ok(None) => {
                let file = file.path().display();
                error!(%file, "the keys are gone; those read before stay in force until the server ends");
            }
            Err(error) if self.is_open() => {
                error!(%error, "there are keys now, and they cannot be read: all requests are refused until that is mended");
                self.put(Keys::default());
            }
            Err(error) => error!(%error, "the keys cannot be read; those read before stay in force"),
        }
    }

    pub(super) fn keys(&self) -> Option<Arc<Keys>> {
        self.shared.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, keys: Keys) {
        *self.shared.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(keys));
        // Last: a request that finds it closed must find the keys.
        self.shared.is_open.store(false, Ordering::Release);
    }
}

fn warn_of_exposure(file: &KeyFile) {
    if let Some(exposure) = file.exposure() {
        warn!(%exposure, "the keys are open to others");
    }
}

fn warn_of_exposed_webhooks(dir: &Path) {
    let path = dir.join(webhooks::FILE_NAME);
    let exposure = std::fs::metadata(&path).ok().and_then(|metadata| Exposure::of(&path, &metadata));
    if let Some(exposure) = exposure {
        warn!(%exposure, "the secrets of webhooks are open to others");
    }
}

fn webhooks_stamp(dir: &Path) -> Seen {
    Stamp::of_path(&dir.join(webhooks::FILE_NAME)).map_err(|error| error.kind())
}

fn stamp(file: &KeyFile) -> Seen {
    file.stamp().map_err(|error| error.kind())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use sekali_wire::secret::Secret;

    use crate::access::{NewKey, Scope, Topics};

    const NOW: Timestamp = Timestamp(0);

    fn create(dir: &Path) -> Secret {
        let new = NewKey { name: String::new(), scopes: vec![Scope::Read], topics: Topics::all(), expires: None };
        KeyFile::of(dir).change(|keys| keys.create(new, NOW)).unwrap().0
    }

    fn admitted(access: &Access, secret: &Secret) -> Result<(), AuthError> {
        access.refresh();
        access.admit(Some(secret.expose()), NOW).map(drop)
    }

    #[test]
    fn keys_that_are_made_and_revoked_are_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let access = Access::load(dir.path()).unwrap();
        assert!(access.is_open() && access.admit(None, NOW).is_ok());
        let secret = create(dir.path());
        assert_eq!(admitted(&access, &secret), Ok(()));
        assert!(!access.is_open() && access.admit(None, NOW).is_err());
        KeyFile::of(dir.path()).change(|keys| keys.revoke(&secret.id(), NOW)).unwrap();
        assert_eq!(admitted(&access, &secret), Err(AuthError::Revoked));
        assert_eq!(admitted(&access, &create(dir.path())), Ok(()));
    }

    #[test]
    fn a_damaged_or_missing_file_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let secret = create(dir.path());
        let access = Access::load(dir.path()).unwrap();
        let path = KeyFile::of(dir.path()).path().to_owned();
        let good = fs::read(&path).unwrap();
        for damage in [&b""[..], b"nonsense", &good[..50]] {
            fs::write(&path, damage).unwrap();
            assert_eq!(admitted(&access, &secret), Ok(()));
            assert!(!access.is_open());
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(admitted(&access, &secret), Ok(()));
        assert!(!access.is_open() && access.admit(None, NOW).is_err());
    }

    #[test]
    fn a_first_file_that_cannot_be_read_lets_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        let access = Access::load(dir.path()).unwrap();
        fs::write(KeyFile::of(dir.path()).path(), "nonsense").unwrap();
        assert_eq!(admitted(&access, &super::super::draw_secret()), Err(AuthError::Unknown));
        assert!(!access.is_open() && access.admit(None, NOW).is_err());
        fs::remove_file(KeyFile::of(dir.path()).path()).unwrap();
        assert_eq!(admitted(&access, &create(dir.path())), Ok(()));
    }
}
