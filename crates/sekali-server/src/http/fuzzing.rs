//! The parts of a request that are read here, for [`crate::fuzzing`].

use sekali_store::{HashKey, KeyHasher, Order};

use super::parameters::Parameters;
use crate::query::{CursorKey, CursorScope, Positions};

const PARAMETERS: [&str; 4] = ["topic", "after", "limit", "order"];

/// A query string.
pub fn query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(query) = Parameters::parse(Some(text), &PARAMETERS) else { return };
    for name in PARAMETERS {
        let number = query.number(name, 1_000).ok().flatten();
        assert!(number.is_none_or(|number| (1..=1_000).contains(&number)), "a number is out of range");
        assert!(number.is_none() || query.get(name).is_some(), "a parameter is made up");
    }
    let order = query.choose("order", &[("asc", Order::Ascending), ("desc", Order::Descending)]);
    assert!(order.is_err() || matches!(query.get("order"), None | Some("asc" | "desc")), "an order is made up");
}

/// The text of a cursor; and positions, which must come back from the cursor that is made of them.
pub fn cursor(bytes: &[u8]) {
    let key = CursorKey::new(KeyHasher::new(&HashKey([7; 32])));
    let reading = CursorScope { topic: Some("t"), order: Order::Descending };
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(positions) = key.open(reading, text)
    {
        assert_eq!(key.seal(reading, &positions), text, "one cursor is spelled in two ways");
    }
    let positions: Positions = bytes.as_chunks::<12>().0.iter().map(position).collect();
    // No store has more partitions than there is room for in a cursor.
    let opened = key.open(reading, &key.seal(reading, &positions));
    assert!(bytes.len() > 8 * 1024 || opened.is_ok_and(|opened| opened == positions), "a cursor leads elsewhere");
}

fn position(bytes: &[u8; 12]) -> (u32, u64) {
    let partition = bytes.first_chunk().map_or(0, |number| u32::from_le_bytes(*number));
    (partition, bytes.last_chunk().map_or(0, |number| u64::from_le_bytes(*number)))
}
