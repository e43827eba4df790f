//! The bytes of a part of a row group, and the head that every part begins with.

use std::ops::Range;

use crate::bytes::Fields;
use crate::error::Result;

/// Reads bytes of a part, verified.
pub(super) trait FetchPart: Fn(Range<u32>) -> Result<Vec<u8>> {}

impl<F: Fn(Range<u32>) -> Result<Vec<u8>>> FetchPart for F {}

/// Reads the head of a part of `len` bytes: its first four say how long it is. It is mostly in the
/// first `likely` bytes, which are read at once. `None` where the part is shorter than its head.
///
/// # Errors
/// Those of `fetch`.
pub(super) fn fetch_head(len: u32, likely: u32, fetch: &impl FetchPart) -> Result<Option<Vec<u8>>> {
    let mut head = fetch(0..len.min(likely))?;
    let Some(head_len) = Fields::new(&head).u32().filter(|head_len| *head_len <= len) else { return Ok(None) };
    if head_len as usize > head.len() {
        head = fetch(0..head_len)?;
    }
    head.truncate(head_len as usize);
    Ok(Some(head))
}
