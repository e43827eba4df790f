//! Follows a topic while another thread publishes: every event once, in order.
//!
//! `cargo run -p sekali-store --example tail -- <new directory>`

use std::time::Duration;

use sekali_store::{Batch, Error, EventRef, HashKey, Result, Scan, Store, StoreMeta};

const EVENTS: u64 = 100;

fn main() -> Result<()> {
    let dir = std::env::args_os().nth(1).ok_or_else(|| Error::Invalid("name a new directory".to_owned()))?;
    let meta = StoreMeta { store_id: 0x5eca11, hash_key: HashKey([7; 32]), partitions: 1 };
    let store = Store::create(&dir, &meta)?;
    let hasher = store.hasher();
    let mut partition = store.into_partitions().remove(0);
    let reader = partition.reader();

    let publisher = std::thread::spawn(move || {
        (0..EVENTS).try_for_each(|number| {
            let id = format!("order-{number}");
            let mut batch = Batch::new();
            let event = EventRef { topic: "orders", event_id: &id, timestamp_ns: 0, source: "shop", payload: b"{}" };
            batch.push(&hasher, &event);
            partition.commit(&[batch], 0, None).map(drop)
        })
    });

    let mut after = None;
    while after != Some(EVENTS) {
        for event in reader.scan(Scan { topic: Some("orders".to_owned()), after, ..Scan::default() }) {
            let seq = event?.seq;
            assert_eq!(seq, after.unwrap_or(0) + 1, "no gap and no repeat");
            after = Some(seq);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    publisher.join().map_err(|_| Error::Invalid("the publisher panicked".to_owned()))?
}
