//! Marks, once a second, how far the partitions are durable: see [`sekali_store::Marker`].

use std::sync::Arc;

use sekali_store::Marker;
use tokio::time::MissedTickBehavior;
use tracing::debug;

use crate::limits::MARK_INTERVAL;

/// Runs until it is aborted.
pub(super) async fn run(markers: Vec<Marker>) {
    let markers: Arc<[Marker]> = markers.into();
    let mut ticks = tokio::time::interval(MARK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let markers = Arc::clone(&markers);
        // A slow disk keeps a thread, not the runtime.
        let marked = tokio::task::spawn_blocking(move || markers.iter().for_each(mark));
        if marked.await.is_err() {
            return;
        }
    }
}

fn mark(marker: &Marker) {
    if let Err(error) = marker.mark() {
        // Nothing that was answered is at stake, and the next second tries again.
        debug!(error = error.describe(), "cannot write down yet how far the log is durable");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use sekali_store::disk::memory::MemoryDisk;
    use sekali_store::{Batch, EventRef, HashKey, Retention, StoreMeta, StoreOptions};
    use tokio::task::JoinSet;

    use crate::service::Service;

    use super::*;
    use crate::clients::Client;

    #[tokio::test(start_paused = true)]
    async fn what_was_acknowledged_a_second_before_a_kill_is_missed_when_it_is_gone() {
        let (disk, dir) = (MemoryDisk::new(), Path::new("/store"));
        let new = StoreMeta { store_id: 1, hash_key: HashKey([1; 32]), partitions: 1 };
        let open =
            |disk: &MemoryDisk| StoreOptions::new().disk(Arc::new(disk.clone())).open_or_create(dir, &new).unwrap();
        let store = open(&disk);
        let hasher = store.hasher();
        let (service, committers, chores) = Service::start(store).unwrap();
        let mut tasks = JoinSet::new();
        chores.spawn_on(&mut tasks, Retention::default());
        // Never idle for a second, so that no manifest tells.
        for id in 0..20 {
            let (mut batch, event_id) = (Batch::new(), id.to_string());
            let event = EventRef { topic: "t", event_id: &event_id, timestamp_ns: 0, source: "", payload: b"{}" };
            batch.push(&hasher, &event);
            service.pipeline().commit(Client::numbered(1), vec![(0, batch)]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let killed = disk.kill();
        let log = killed.paths().into_iter().find(|path| path.extension().is_some_and(|ending| ending == "log"));
        assert!(killed.corrupt(&log.unwrap(), |bytes| bytes.truncate(500)));
        let partition = open(&killed).into_partitions().remove(0);
        let damage = partition.reader().damage();
        assert!(damage.last().is_some_and(|found| found.last_seq >= 17), "{damage:?}");
        tasks.shutdown().await;
        service.pipeline().close();
        tokio::task::spawn_blocking(|| committers.join()).await.unwrap();
    }
}
