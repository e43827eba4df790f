//! API keys: scopes, topics and expiry of each, and the file that keeps them.
//!
//! A key is 256 random bits that only its holder has ([`Secret`]). The data directory keeps, in
//! `keys.toml`, a hash of it with its scopes, topics and expiry ([`Key`]). `sekali keys` writes
//! that file, also beside a running server, which has its own view of it ([`Access`]) and looks for
//! changes. A request is admitted with a [`Grant`].
//!
//! Without such a file every client may do everything. From the first key on, expired and revoked
//! ones included, a request needs a key. An unreadable file never counts as an absent one.

mod digest;
mod error;
mod exposure;
mod file;
mod grant;
mod key;
mod key_dir;
mod keys;
mod lease;
mod live;
mod scope;
mod topics;
mod webhooks;

pub use error::KeysError;
pub use exposure::Exposure;
pub use file::KeyFile;
pub use grant::{AuthError, Grant};
pub use key::{Key, NewKey, State};
pub use keys::{Keys, draw_secret};
pub(crate) use lease::Lease;
pub use live::Access;
pub use scope::Scope;
pub use topics::Topics;
pub(crate) use webhooks::WebhookSecret;
