//! Who may do what: API keys, what each of them is for, and the file that keeps them.
//!
//! A key is 256 random bits that only its holder has ([`Secret`]). The data directory keeps, in `keys.toml`, a hash of
//! it and what it is for ([`Key`]): scopes, topics, and how long. `sekali keys` writes that file, also beside a running
//! server, which has its own view of it ([`Access`]) and looks for changes. What becomes of a request is a [`Grant`].
//!
//! As long as there is no such file everybody may do everything. From the first key on, expired and revoked ones
//! included, nothing is done without one. A file that cannot be read never counts as no file.

mod digest;
mod error;
mod exposure;
mod file;
mod grant;
mod key;
mod keys;
mod live;
mod scope;
mod topics;

pub use error::KeysError;
pub use exposure::Exposure;
pub use file::KeyFile;
pub use grant::{AuthError, Grant};
pub use key::{Key, NewKey, State};
pub use keys::{Keys, draw_secret};
pub use live::Access;
pub use scope::Scope;
pub use topics::Topics;
