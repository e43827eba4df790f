//! Answers of a server, as commands read them.

use serde::Deserialize;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Reads an answer, or a part of one, from its JSON.
pub(crate) fn parse<'a, T: Deserialize<'a>>(answer: &'a (impl AsRef<[u8]> + ?Sized)) -> Result<T, Failure> {
    serde_json::from_slice(answer.as_ref())
        .map_err(|error| Failure::new(Exit::Failed, format!("the server's answer makes no sense: {error}")))
}
