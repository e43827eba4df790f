//! Lets events expire, a segment at a time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::live::{LiveFiles, entry};
use crate::error::{Error, Result};
use crate::event::is_reserved;
use crate::invariant::invariant;
use crate::manifest::Expired;
use crate::partition::data_file::DataFile;
use crate::partition::times::{FileTimes, times_of};
use crate::retention::{Retention, SizeRule, TopicPattern};
use crate::segment::{self, Segment, SegmentInfo};

/// With a limit, no log file or merged segment holds more than this share of the bytes that may
/// stay, because a segment goes at once.
pub(super) const SIZE_SHARE: u64 = 8;
/// The same of the time that events may stay.
pub(super) const AGE_SHARE: i64 = 64;

/// The retention that was asked for, and its progress.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    asked: Mutex<RetentionRequest>,
    /// Whether something may be left to do.
    due: AtomicBool,
    /// Whether nobody has looked at what was asked for.
    is_new: AtomicBool,
    /// First seqs of segments that cannot be trimmed because they are damaged.
    untrimmable: Mutex<BTreeSet<u64>>,
}

/// Retention rules in force, and the time.
#[derive(Debug, Clone, Default)]
pub(super) struct RetentionRequest {
    pub(super) retention: Arc<Retention>,
    pub(super) now_ns: i64,
}

/// A segment, and its topics that have expired in it.
struct DueSegment {
    segment: Arc<Segment>,
    topics: BTreeSet<Box<str>>,
}

impl Expiry {
    /// Lets events go once, at the next step of the sealer, that `retention` does not keep at
    /// `now_ns`.
    pub(super) fn ask(&self, retention: Arc<Retention>, now_ns: i64) {
        let is_for_ever = retention.is_for_ever();
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = RetentionRequest { retention, now_ns };
        self.due.store(!is_for_ever, Ordering::Release);
        self.is_new.store(true, Ordering::Release);
    }

    /// The last request, the first time that it is taken.
    pub(super) fn take_new(&self) -> Option<RetentionRequest> {
        self.is_new.swap(false, Ordering::AcqRel).then(|| self.asked())
    }

    fn asked(&self) -> RetentionRequest {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether segments may be merged: what comes of it must not be so large, or cover so long a
    /// time, that it stays much too long or takes too much with it.
    pub(super) fn may_merge(&self, segments: &[Arc<Segment>]) -> bool {
        let retention = self.asked().retention;
        let fits = |rule: &SizeRule| {
            let bytes = segments.iter().map(|segment| share(segment, &rule.topics)).sum::<u64>();
            bytes <= rule.bytes / SIZE_SHARE
        };
        if !retention.sizes.iter().all(fits) {
            return false;
        }
        // Of the topics that are there: what a short-lived one has left behind merges like
        // everything else.
        let topics = segments.iter().flat_map(|segment| segment.tallies().map(|(topic, _)| topic));
        let shortest_ns = topics.filter_map(|topic| retention.age_ns(topic)).min();
        shortest_ns.is_none_or(|age_ns| span_ns(segments).is_none_or(|span_ns| span_ns <= age_ns / AGE_SHARE))
    }

    /// Lets the oldest events go that are due. `false` where there are none.
    pub(super) fn expire_next(&self, live: &LiveFiles) -> Result<bool> {
        if !self.due.swap(false, Ordering::AcqRel) {
            return Ok(false);
        }
        let expired = self.expire_oldest(live);
        if !matches!(expired, Ok(false)) {
            self.due.store(true, Ordering::Release);
        }
        expired
    }

    fn expire_oldest(&self, live: &LiveFiles) -> Result<bool> {
        let RetentionRequest { retention, now_ns } = self.asked();
        let untrimmable = self.untrimmable.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(due) = oldest_due(live, &untrimmable, &retention, now_ns)? else { return Ok(false) };
        // The index is all that will know these keys. After it was rebuilt, it may have them only
        // in memory.
        let last_seq = due.segment.info().last_seq;
        if live.shared.index.covered_seq() < last_seq {
            live.shared.index.flush()?;
        }
        if live.shared.index.covered_seq() < last_seq {
            return Ok(false);
        }
        let rest = match rest_of(live, &due) {
            Err(Error::Damaged { .. }) => {
                let mut untrimmable = self.untrimmable.lock().unwrap_or_else(PoisonError::into_inner);
                untrimmable.insert(due.segment.info().first_seq);
                return Ok(true);
            }
            rest => rest?,
        };
        let_go(live, &due, rest.as_ref())?;
        Ok(true)
    }
}

/// Writes what stays of a segment.
fn rest_of(live: &LiveFiles, due: &DueSegment) -> Result<Option<SegmentInfo>> {
    if due.is_whole() {
        return Ok(None);
    }
    let revision = segment::revision_of(&due.segment.info().path) + 1;
    segment::trim(&live.segments.revised(revision), &due.segment, |topic| !due.topics.contains(topic))
}

fn let_go(live: &LiveFiles, due: &DueSegment, rest: Option<&SegmentInfo>) -> Result<()> {
    let rest_segment = rest.map(|info| Segment::open(&live.segments, &info.path)).transpose()?;
    let (old, expired) = (entry(due.segment.info()), due.expired());
    let kept = rest.map_or(0, |info| info.rows);
    invariant!(
        kept + expired.rows() == due.segment.info().rows,
        "what expires and what stays is not the whole segment"
    );
    live.shared.manifest.update(|manifest| {
        manifest.segments.retain(|segment| *segment != old);
        manifest.segments.extend(rest.map(entry));
        manifest.segments.sort_unstable_by_key(|segment| segment.first_seq);
        manifest.expired.get_or_insert_default().add(&expired);
    })?;
    live.shared.expire(&due.segment, rest_segment.map(Arc::new), &due.topics, &expired)?;
    live.remove(&due.segment)
}

/// The time that segments cover, as far as they can be read.
fn span_ns(segments: &[Arc<Segment>]) -> Option<i64> {
    let (first_ns, _) = segments.first()?.received_at_ns().ok()?;
    let (_, last_ns) = segments.last()?.received_at_ns().ok()?;
    Some(last_ns.saturating_sub(first_ns))
}

impl DueSegment {
    fn is_whole(&self) -> bool {
        self.segment.tallies().count() == self.topics.len()
    }

    fn expired(&self) -> Expired {
        let mut expired = Expired { last_seq: self.segment.info().last_seq, ..Expired::default() };
        for (topic, tally) in self.segment.tallies().filter(|(topic, _)| self.topics.contains(*topic)) {
            let count = if is_reserved(topic) { &mut expired.evidence } else { &mut expired.events };
            *count += tally.events;
            expired.bytes += tally.bytes;
        }
        expired
    }
}

/// The oldest segment with something that has expired.
fn oldest_due(
    live: &LiveFiles,
    untrimmable: &BTreeSet<u64>,
    retention: &Retention,
    now_ns: i64,
) -> Result<Option<DueSegment>> {
    let mut oldest = None;
    let mut kept_bytes: Vec<_> = retention.sizes.iter().map(|rule| live.log_bytes(&rule.topics)).collect();
    let files = live.shared.snapshot().files;
    let times = times_of(&files, now_ns)?;
    for (file, FileTimes { latest_ns, .. }) in files.iter().zip(times).rev() {
        let DataFile::Segment(segment) = file else { continue };
        let is_old =
            |topic: &str| retention.age_ns(topic).is_some_and(|age_ns| now_ns.saturating_sub(latest_ns) > age_ns);
        let mut topics: BTreeSet<Box<str>> =
            segment.tallies().filter(|(topic, _)| is_old(topic)).map(|(topic, _)| topic.into()).collect();
        for (rule, kept_bytes) in retention.sizes.iter().zip(&mut kept_bytes) {
            *kept_bytes = kept_bytes.saturating_add(share(segment, &rule.topics));
            if *kept_bytes > rule.bytes {
                let matching = segment.tallies().filter(|(topic, _)| rule.topics.matches(topic));
                topics.extend(matching.map(|(topic, _)| Box::<str>::from(topic)));
            }
        }
        let due = DueSegment { segment: Arc::clone(segment), topics };
        if !due.topics.is_empty() && (due.is_whole() || !untrimmable.contains(&segment.info().first_seq)) {
            oldest = Some(due);
        }
    }
    Ok(oldest)
}

/// The part of a segment's file that the rows of some topics take up.
fn share(segment: &Segment, topics: &TopicPattern) -> u64 {
    let info = segment.info();
    let matching = segment.tallies().filter(|(topic, _)| topics.matches(topic));
    let bytes: u64 = matching.map(|(_, tally)| tally.bytes).sum();
    let share = u128::from(info.file_bytes) * u128::from(bytes) / u128::from(info.bytes.max(1));
    u64::try_from(share).unwrap_or(u64::MAX)
}
