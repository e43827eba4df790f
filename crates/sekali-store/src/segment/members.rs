//! Columns of members, and of sources: for some places of the payloads of a row group, the texts
//! that stand there, each distinct text once, and for each row which.
//!
//! They are a part of the row group, behind its Parquet columns and under the same checksums, and
//! repeat nothing but what the payloads say: without them a read takes apart every payload. The
//! engine knows no JSON; which members a payload has it is told by
//! [`ContentRules::members`](crate::ContentRules).
//!
//! - `builder` collects the members of a row group and chooses columns; `encoder` writes the part.
//! - `part` reads it.
//! - `pick` says by conditions on payloads which rows may meet them.

mod builder;
mod encoder;
mod part;
pub(super) mod pick;
#[cfg(test)]
mod tests;

pub(super) use builder::MemberBuilder;
pub(super) use encoder::{EncodedMembers, Residue};
pub(super) use part::{MemberColumn, MemberPart};

/// The path of the column that has the sources of events, as they are: no member has it.
const SOURCE_PATH: &str = "";
/// The code of rows without the member.
const MISSING: u16 = 0;
/// The code of rows of which the column does not say what the member is: the payload does.
pub(super) const ELSEWHERE: u16 = 1;
/// The code of the first text of the dictionary.
pub(super) const FIRST_ENTRY: u16 = 2;
