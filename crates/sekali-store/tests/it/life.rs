//! The life of a store, derived from a seed: commits, restarts, expiry, scrubs and backups.

use std::path::Path;
use std::sync::Arc;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{AgeRule, Outcome, Result, Retention, TopicPattern, backup};

use crate::support::{DIR, Opened, Random, RandomEvents as _, Sent};

/// Lives through `steps` steps and passes the events and their outcomes to `told`. A step that a
/// failing call interrupts is left unfinished.
pub(crate) fn live(disk: &MemoryDisk, seed: u64, steps: u64, mut told: impl FnMut(&[Sent], Result<Vec<Outcome>>)) {
    let mut random = Random(seed);
    let Ok(mut opened) = Opened::open(disk) else { return };
    for step in 0..steps {
        match random.below(14) {
            0 => {
                drop(opened);
                match Opened::open(disk) {
                    Ok(again) => opened = again,
                    Err(_) => return,
                }
            }
            1 => let_expire(&mut opened, &mut random, step),
            2 => {
                let dest = format!("/backup-{step}");
                // The backup fails if a call to the disk does. The store is under test here.
                let _ = backup(disk, Path::new(DIR), Path::new(&dest), |_| {});
            }
            3 => while !opened.partition.scrubber().step(u64::MAX).is_done {},
            4 => drop(opened.partition.mark()),
            _ => {
                let events = random.events();
                let batch = opened.batch(&events);
                let outcomes = opened.partition.commit(&[batch], step as i64, None);
                told(&events, outcomes.map(|mut outcomes| outcomes.pop().unwrap_or_default()));
            }
        }
    }
}

/// Expires events of one topic, or of all, that are older than some steps.
fn let_expire(opened: &mut Opened, random: &mut Random, step: u64) {
    let pattern = if random.below(2) == 0 { "*" } else { "topic-1" };
    let rule = AgeRule { topics: TopicPattern::new(pattern), age_ns: Some(random.below(4) as i64) };
    let retention = Retention { ages: vec![rule], sizes: Vec::new() };
    opened.partition.retainer().apply(Arc::new(retention), step as i64);
    // Due events expire with the next commit. If that fails, no client was told anything.
    let _ = opened.partition.commit(&[], step as i64, None);
}
