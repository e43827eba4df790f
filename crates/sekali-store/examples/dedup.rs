//! Publishes one batch twice: each event is stored once.
//!
//! `cargo run -p sekali-store --example dedup -- <new directory>`

use sekali_store::{Batch, Error, EventRef, HashKey, Outcome, Result, Store, StoreMeta};

fn main() -> Result<()> {
    let dir = std::env::args_os().nth(1).ok_or_else(|| Error::Invalid("name a new directory".to_owned()))?;
    // Draw both at random.
    let meta = StoreMeta { store_id: 0x5eca11, hash_key: HashKey([7; 32]), partitions: 1 };
    let store = Store::create(&dir, &meta)?;
    let mut batch = Batch::new();
    for id in ["order-1", "order-2", "order-1"] {
        let event = EventRef { topic: "orders", event_id: id, timestamp_ns: 0, source: "shop", payload: b"{}" };
        batch.push(&store.hasher(), &event);
    }
    let mut partition = store.into_partitions().remove(0);
    let now_ns = 1_760_000_000_000_000_000;

    let first = partition.commit(&[batch.clone()], now_ns, None)?;
    let (one, two) = (Outcome::Stored { seq: 1 }, Outcome::Stored { seq: 2 });
    assert_eq!(first, [[one, two, Outcome::Duplicate { seq: 1 }]]);

    let again = partition.commit(&[batch], now_ns, None)?;
    let [one, two] = [1, 2].map(|seq| Outcome::Duplicate { seq });
    assert_eq!(again, [[one, two, one]]);
    assert_eq!(partition.reader().counters().stored, 2);
    partition.close()
}
