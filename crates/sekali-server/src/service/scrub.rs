//! Reads and checks the partitions again and again, at a pace that no client notices.

use std::sync::Arc;
use std::time::Duration;

use sekali_store::{Reader, Scrubbed, Scrubber};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

use super::status::damage_of;
use super::{Pipeline, ScrubStatus};
use crate::clock::now_ns;
use crate::limits::{
    SCRUB_BUSY_SHARE, SCRUB_BYTES_PER_SECOND_MAX, SCRUB_BYTES_PER_SECOND_MIN, SCRUB_DELAY, SCRUB_PERIOD,
    SCRUB_STEP_BYTES,
};

/// A scrub of all partitions.
pub(super) struct Scrubbing {
    pub(super) scrubbers: Vec<Scrubber>,
    pub(super) readers: Arc<[Reader]>,
    pub(super) pipeline: Pipeline,
    pub(super) status: Arc<ScrubStatus>,
}

impl Scrubbing {
    /// Runs until it is aborted.
    pub(super) async fn run(mut self) {
        sleep(SCRUB_DELAY).await;
        loop {
            let begun = Instant::now();
            for scrubber in std::mem::take(&mut self.scrubbers) {
                match self.pass(scrubber).await {
                    Some(scrubber) => self.scrubbers.push(scrubber),
                    None => return,
                }
            }
            self.status.finish(now_ns());
            info!("everything that is stored was read and checked");
            sleep_until(begun + SCRUB_PERIOD).await;
        }
    }

    /// One pass over a partition. `None` where the runtime goes down.
    async fn pass(&self, mut scrubber: Scrubber) -> Option<Scrubber> {
        loop {
            let step = tokio::task::spawn_blocking(move || {
                let scrubbed = scrubber.step(SCRUB_STEP_BYTES);
                (scrubber, scrubbed)
            });
            let (back, scrubbed) = step.await.ok()?;
            scrubber = back;
            self.note(&scrubbed);
            sleep(self.pause(scrubbed.bytes)).await;
            if scrubbed.is_done {
                return Some(scrubber);
            }
        }
    }

    fn note(&self, scrubbed: &Scrubbed) {
        self.status.read(scrubbed);
        for what in &scrubbed.mended {
            warn!(what, "damage was found, and mended");
        }
        for what in self.status.news(damage_of(&self.readers).into_iter().collect()) {
            warn!(what, "damage was found");
        }
    }

    /// How long to rest after `bytes`.
    fn pause(&self, bytes: u64) -> Duration {
        let stored = self.readers.iter().map(|reader| {
            let storage = reader.storage_stats();
            storage.segment_bytes + storage.log_bytes + reader.index_stats().disk_bytes
        });
        let pause = Duration::from_secs_f64(bytes as f64 / pace(stored.sum()) as f64);
        if self.pipeline.queued_bytes() > 0 { pause * SCRUB_BUSY_SHARE } else { pause }
    }
}

/// Bytes a second that read `stored_bytes` within [`SCRUB_PERIOD`], clamped to bounds.
fn pace(stored_bytes: u64) -> u64 {
    (stored_bytes / SCRUB_PERIOD.as_secs()).clamp(SCRUB_BYTES_PER_SECOND_MIN, SCRUB_BYTES_PER_SECOND_MAX)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sekali_store::disk::memory::MemoryDisk;
    use sekali_store::{Batch, EventRef, HashKey, StoreMeta, StoreOptions};

    use super::*;
    use crate::clients::Client;
    use crate::ingest::CONTENT_RULES;
    use crate::service::Service;

    #[test]
    fn the_pace_reads_everything_in_a_week_within_bounds() {
        const MIB: u64 = 1 << 20;
        for (stored, mib) in [(0, 1), (10 << 30, 1), (6 << 40, 10), (1 << 50, 32)] {
            assert_eq!(pace(stored) / MIB, mib, "{stored}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn rot_is_found_and_named_without_a_reader() {
        let (disk, dir) = (MemoryDisk::new(), Path::new("/store"));
        let new = StoreMeta { store_id: 1, hash_key: HashKey([1; 32]), partitions: 1 };
        let store =
            StoreOptions::new().disk(Arc::new(disk.clone())).rules(CONTENT_RULES).open_or_create(dir, &new).unwrap();
        let hasher = store.hasher();
        let (service, committers, chores) = Service::start(store).unwrap();
        let mut batch = Batch::new();
        batch.push(&hasher, &EventRef { topic: "t", event_id: "1", timestamp_ns: 0, source: "", payload: b"{}" });
        service.pipeline().commit(Client::numbered(1), vec![(0, batch)]).await.unwrap();
        let log = disk.paths().into_iter().find(|path| path.extension().is_some_and(|ending| ending == "log"));
        let rotten = log.unwrap();
        assert!(disk.corrupt(&rotten, |bytes| *bytes.last_mut().unwrap() ^= 1));

        let scrubbing = chores.scrubbing;
        let (readers, status) = (Arc::clone(&scrubbing.readers), Arc::clone(&scrubbing.status));
        let task = tokio::spawn(scrubbing.run());
        while status.summary().last_finished_ns.is_none() {
            sleep(Duration::from_secs(1)).await;
        }
        task.abort();
        let damage: Vec<_> = readers.iter().flat_map(Reader::damage).map(|damage| damage.to_string()).collect();
        assert!(damage.len() == 1 && damage[0].ends_with("event with seq 1 is lost; publish it again"), "{damage:?}");
        assert!(status.summary().last_bytes > 0);
        service.pipeline().close();
        tokio::task::spawn_blocking(|| committers.join()).await.unwrap();
    }
}
