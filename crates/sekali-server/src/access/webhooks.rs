//! `webhooks.toml`: the secrets by which senders of webhooks sign, in the data directory.
//!
//! ```toml
//! github = "text that GitHub was given as well"
//! "shop.orders" = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
//! ```
//!
//! Each is for one topic. Unlike keys they must be kept as they are, since both sides sign with
//! them. The operator writes the file, and a running server looks for changes.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use super::KeysError;
use crate::limits::KEYS_FILE_BYTES_MAX;

/// The name of the file.
pub(super) const FILE_NAME: &str = "webhooks.toml";
/// Shortest secret, in bytes: a shorter one can be guessed from one delivery.
const SECRET_BYTES_MIN: usize = 16;

/// The secret of a topic. `Debug` shows nothing of it.
#[derive(Clone)]
pub(crate) struct WebhookSecret(Arc<str>);

impl WebhookSecret {
    #[cfg(test)]
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The whole text, to verify signatures with.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// The secrets of a store, by topic.
#[derive(Debug, Default)]
pub(super) struct WebhookSecrets(BTreeMap<String, WebhookSecret>);

impl WebhookSecrets {
    /// Reads those in the data directory `dir`; none where there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub(super) fn read(dir: &Path) -> Result<Self, KeysError> {
        let path = dir.join(FILE_NAME);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            opened => opened.map_err(|source| KeysError::Io { action: "read", path: path.clone(), source })?,
        };
        let mut text = String::new();
        let read = file.take(KEYS_FILE_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|source| KeysError::Io { action: "read", path: path.clone(), source })?;
        Self::decode(&text).map_err(|what| KeysError::Damaged { path, what })
    }

    fn decode(text: &str) -> Result<Self, String> {
        let secrets: BTreeMap<String, String> = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        if let Some((topic, _)) = secrets.iter().find(|(_, secret)| secret.len() < SECRET_BYTES_MIN) {
            return Err(format!("the secret of `{topic}` has fewer than {SECRET_BYTES_MIN} bytes"));
        }
        Ok(Self(secrets.into_iter().map(|(topic, secret)| (topic, WebhookSecret(secret.into()))).collect()))
    }

    /// The secret of a topic.
    pub(super) fn of(&self, topic: &str) -> Option<WebhookSecret> {
        self.0.get(topic).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_makes_no_sense_is_never_one_without_secrets() {
        let secrets = WebhookSecrets::decode("github = \"0123456789abcdef\"\n\"a.b\" = \"0123456789abcdef!\"").unwrap();
        assert_eq!(secrets.of("a.b").unwrap().expose(), "0123456789abcdef!");
        assert!(secrets.of("a").is_none());
        assert!(!format!("{secrets:?}").contains("0123"));
        for wrong in ["x", "a = 5", "a = \"short\"", "[a]\nsecret = \"0123456789abcdef\""] {
            assert!(WebhookSecrets::decode(wrong).is_err(), "{wrong}");
        }
        assert!(WebhookSecrets::decode("").unwrap().0.is_empty());
    }
}
