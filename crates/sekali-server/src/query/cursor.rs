//! Cursors: opaque text that says "after this event".
//!
//! A version byte, then for every partition that was read its number and the seq of the last event
//! read, all numbers as LEB128, in base64url; a full stop; and 64 bits of keyed hash over that
//! text, the order and the topic. The key is the store's secret, so a cursor cannot be made up, nor
//! used with another store, order or topic.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use sekali_store::{KeyHasher, Order};

use super::QueryError;

/// The last seq read of each partition that was read, by partition number.
pub type Positions = Vec<(u32, u64)>;

/// Makes and checks the cursors of a store.
#[derive(Debug, Clone, Copy)]
pub struct CursorKey {
    hasher: KeyHasher,
}

/// The read that a cursor belongs to.
#[derive(Debug, Clone, Copy)]
pub struct CursorScope<'a> {
    /// Only this topic.
    pub topic: Option<&'a str>,
    /// In this order of time.
    pub order: Order,
}

const VERSION: u8 = 1;
/// Longest cursor that is looked at, in bytes. Enough for the largest number of partitions.
const CURSOR_BYTES_MAX: usize = 24 * 1024;

impl CursorKey {
    /// Makes cursors under the secret of `hasher`.
    pub fn new(hasher: KeyHasher) -> Self {
        Self { hasher }
    }

    /// The cursor for going on behind `positions`.
    pub fn seal(&self, scope: CursorScope<'_>, positions: &Positions) -> String {
        self.sealed(&scope.context(), positions)
    }

    /// The cursor of a consumer that was made at this time.
    pub(crate) fn seal_for_consumer(&self, name: &str, made_ns: i64, positions: &Positions) -> String {
        self.sealed(&consumer_context(name, made_ns), positions)
    }

    fn sealed(&self, context: &str, positions: &Positions) -> String {
        let mut bytes = vec![VERSION];
        for &(partition, seq) in positions {
            append_number(&mut bytes, partition.into());
            append_number(&mut bytes, seq);
        }
        let text = BASE64.encode(bytes);
        let tag = BASE64.encode(self.tag(context, &text));
        format!("{text}.{tag}")
    }

    /// Where a cursor says to go on.
    ///
    /// # Errors
    /// It is not one of this store's for this order and topic.
    pub fn open(&self, scope: CursorScope<'_>, cursor: &str) -> Result<Positions, QueryError> {
        self.checked(&scope.context(), cursor).ok_or(QueryError::InvalidCursor)
    }

    /// Where a cursor of a consumer that was made at this time says to go on. `None` if it is none.
    pub(crate) fn open_for_consumer(&self, name: &str, made_ns: i64, cursor: &str) -> Option<Positions> {
        self.checked(&consumer_context(name, made_ns), cursor)
    }

    fn checked(&self, context: &str, cursor: &str) -> Option<Positions> {
        if cursor.len() > CURSOR_BYTES_MAX {
            return None;
        }
        let (text, tag) = cursor.split_once('.')?;
        if BASE64.decode(tag).ok()? != self.tag(context, text) {
            return None;
        }
        let bytes = BASE64.decode(text).ok()?;
        let (&VERSION, mut rest) = bytes.split_first()? else { return None };
        let mut positions = Vec::new();
        while !rest.is_empty() {
            let partition = u32::try_from(take_number(&mut rest)?).ok()?;
            positions.push((partition, take_number(&mut rest)?));
        }
        Some(positions)
    }

    /// The context begins like a reserved topic, which no event of a client has: the hash of a key
    /// is never one of a cursor.
    fn tag(&self, context: &str, text: &str) -> [u8; 8] {
        (self.hasher.fingerprint(context, text) as u64).to_le_bytes()
    }
}

impl CursorScope<'_> {
    fn context(&self) -> String {
        let order = match self.order {
            Order::Ascending => "asc",
            Order::Descending => "desc",
        };
        match self.topic {
            Some(topic) => format!("$cursor {order} {topic}"),
            None => format!("$cursor {order}"),
        }
    }
}

/// Names of consumers have no spaces.
fn consumer_context(name: &str, made_ns: i64) -> String {
    format!("$consumer {name} {made_ns}")
}

fn append_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(byte & 0x7F);
        // Nothing may fall off at the top.
        number |= part.checked_shl(shift).filter(|shifted| shifted >> shift == part)?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sekali_store::HashKey;

    use super::*;

    fn key(secret: u8) -> CursorKey {
        CursorKey::new(KeyHasher::new(&HashKey([secret; 32])))
    }

    const ALL: CursorScope<'_> = CursorScope { topic: None, order: Order::Ascending };

    #[test]
    fn a_cursor_serves_only_what_it_was_made_for() {
        let cursor = key(1).seal(ALL, &vec![(0, 5)]);
        assert_eq!(key(1).checked(&ALL.context(), &cursor), Some(vec![(0, 5)]));
        assert_eq!(key(2).checked(&ALL.context(), &cursor), None);
        assert_eq!(key(1).checked(&CursorScope { order: Order::Descending, ..ALL }.context(), &cursor), None);
        assert_eq!(key(1).checked(&CursorScope { topic: Some("t"), ..ALL }.context(), &cursor), None);
        assert_eq!(key(1).checked(&CursorScope { topic: Some(""), ..ALL }.context(), &cursor), None);
    }

    #[test]
    fn a_cursor_of_a_consumer_is_no_other_consumers() {
        let cursor = key(1).seal_for_consumer("a", 7, &vec![(0, 5)]);
        assert_eq!(key(1).open_for_consumer("a", 7, &cursor), Some(vec![(0, 5)]));
        assert_eq!(key(1).open_for_consumer("b", 7, &cursor), None);
        assert_eq!(key(1).open_for_consumer("a", 8, &cursor), None);
        assert!(key(1).open(ALL, &cursor).is_err());
        assert_eq!(key(1).open_for_consumer("a", 7, &key(1).seal(ALL, &vec![(0, 5)])), None);
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let cursor = key(1).seal(ALL, &vec![(3, 123_456)]);
        for at in 0..cursor.len() {
            for other in ["A", "b", "0", "_", ".", "é"] {
                let mut changed = cursor.clone();
                changed.replace_range(at..=at, other);
                assert!(changed == cursor || key(1).checked(&ALL.context(), &changed).is_none(), "{cursor} {changed}");
            }
            assert_eq!(key(1).checked(&ALL.context(), &cursor[..at]), None);
        }
    }

    proptest! {
        #[test]
        fn positions_come_back(positions: Vec<(u32, u64)>) {
            prop_assert_eq!(key(1).checked(&ALL.context(), &key(1).seal(ALL, &positions)), Some(positions));
        }

        #[test]
        fn no_text_is_a_cursor_by_chance(text in "\\PC{0,40}|[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{11}") {
            prop_assert_eq!(key(1).checked(&ALL.context(), &text), None);
        }
    }
}
