//! Copies a store that is in use, and opens the copy.
//!
//! `cargo run -p sekali-store --example backup -- <new directory>`

use std::path::PathBuf;

use sekali_store::disk::RealDisk;
use sekali_store::{Batch, Error, EventRef, HashKey, Outcome, Result, Store, StoreMeta, backup};

fn main() -> Result<()> {
    let dir = std::env::args_os().nth(1).ok_or_else(|| Error::Invalid("name a new directory".to_owned()))?;
    let dir = PathBuf::from(dir);
    let (data, copy) = (dir.join("data"), dir.join("copy"));
    let meta = StoreMeta { store_id: 0x5eca11, hash_key: HashKey([7; 32]), partitions: 1 };
    let store = Store::create(&data, &meta)?;
    let mut batch = Batch::new();
    let event = EventRef { topic: "orders", event_id: "order-1", timestamp_ns: 0, source: "shop", payload: b"{}" };
    batch.push(&store.hasher(), &event);
    let mut partition = store.into_partitions().remove(0);
    partition.commit(&[batch.clone()], 0, None)?;

    // The partition stays open: a backup takes no lock and stops no writer.
    let copied = backup(&RealDisk, &data, &copy, |_| {})?;
    assert!(copied.missing.is_empty());

    let mut restored = Store::open(&copy)?.into_partitions().remove(0);
    assert_eq!(restored.commit(&[batch], 0, None)?, [[Outcome::Duplicate { seq: 1 }]]);
    assert!(restored.verify(|_| {})?.findings.is_empty());
    Ok(())
}
