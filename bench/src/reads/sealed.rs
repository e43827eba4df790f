//! A store whose events are sealed, except for the end of its log.

use std::path::Path;
use std::time::Duration;

use sekali_store::{Batch, Partition, Scan};

use super::{PAYLOAD_BYTES, Source};
use crate::Outcome;
use crate::measure::Generator;
use crate::store::{hasher, open};

/// Events of a commit.
const COMMIT: u64 = 10_000;

pub(crate) struct Sealed(Partition);

impl Sealed {
    /// Publishes the events, and waits until all closed log files are sealed.
    pub(crate) fn fill(data: &Path, events: u64) -> Outcome<Self> {
        let (mut partition, hasher) = (open(data)?, hasher());
        let mut generator = Generator::new(PAYLOAD_BYTES);
        for from in (0..events).step_by(COMMIT as usize) {
            let mut batch = Batch::new();
            (from..events.min(from + COMMIT)).for_each(|number| batch.push(&hasher, &generator.event(number)));
            partition.commit(&[batch], from as i64, None)?;
        }
        let reader = partition.reader();
        let (mut before, mut quiet) = (reader.storage_stats(), 0);
        while quiet < 20 {
            std::thread::sleep(Duration::from_millis(100));
            let now = reader.storage_stats();
            quiet = if now == before { quiet + 1 } else { 0 };
            before = now;
        }
        Ok(Self(partition))
    }
}

impl Source for Sealed {
    fn find(&self, topic: &str, event_id: &str) -> Outcome<Option<Vec<u8>>> {
        Ok(self.0.reader().find(topic, event_id)?.map(|event| event.payload))
    }

    fn page(&self, topic: &str, after: u64, limit: usize) -> Outcome<usize> {
        let scan = Scan { topic: Some(topic.to_owned()), after: Some(after), ..Scan::default() };
        let mut events = 0;
        for event in self.0.reader().scan(scan).take(limit) {
            event?;
            events += 1;
        }
        Ok(events)
    }
}
