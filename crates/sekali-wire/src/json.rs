//! JSON texts that are compared, searched and written: tokens, exact numbers, canonical forms,
//! strings.

mod canonical;
pub mod depth;
mod number;
mod quoting;
mod reader;
mod tokens;

pub use canonical::canonical;
pub use number::Decimal;
pub use quoting::quoting_hint;
pub use reader::{Reader, Text};
pub use tokens::Tokens;

/// Writes a JSON string to the end of `out`.
pub fn append_string(out: &mut Vec<u8>, text: &str) {
    // Writing a string to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}
