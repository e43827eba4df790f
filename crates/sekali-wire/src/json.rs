//! JSON texts that are compared, searched and written: tokens, exact numbers, whole values,
//! strings.

pub mod depth;
mod number;
mod reader;
mod value;

pub use number::Decimal;
pub use reader::{Reader, Text};
pub use value::{Value, parse};

/// Writes a JSON string to the end of `out`.
pub fn append_string(out: &mut Vec<u8>, text: &str) {
    // Writing a string to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}
