//! Finds out which events are due by age, so that reads leave them out.
//!
//! A file is due as a whole by the times of its first and last event. In the one file that a cut
//! goes through, the events from the last known cut on are looked at, each once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::scan::Scanner;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::invariant::invariant;
use crate::limits::DUE_LAG_NS_MAX;
use crate::log::row;
use crate::partition::data_file::DataFile;
use crate::partition::horizon::{Cut, Horizon};
use crate::partition::shared::{Shared, Snapshot};
use crate::partition::times::times_of;
use crate::retention::Retention;
use crate::tally::Tally;

/// An event is left out at most this part of its age after it is due, or [`DUE_LAG_NS_MAX`].
const LAG_SHARE: i64 = 1_024;
/// Reads that begin at nearly one time may see a horizon that is later than they are, by so many
/// steps.
const LATER_STEPS_MAX: i64 = 64;

/// The events that are due by age at `now_ns`; `None` where no rule has an age.
///
/// # Errors
/// Those of reading. What is damaged is recorded, and passed over.
pub(super) fn horizon(shared: &Arc<Shared>, now_ns: i64) -> Result<Option<Arc<Horizon>>> {
    let retention = shared.retention();
    let Some(shortest_ns) = retention.ages_ns().min() else { return Ok(None) };
    let step_ns = (shortest_ns / LAG_SHARE).clamp(1, DUE_LAG_NS_MAX);
    let now_ns = now_ns - now_ns.rem_euclid(step_ns);
    let known = shared.horizon().filter(|known| *known.retention == *retention);
    if let Some(known) = &known
        && (0..=LATER_STEPS_MAX * step_ns).contains(&known.now_ns.saturating_sub(now_ns))
    {
        return Ok(Some(Arc::clone(known)));
    }
    let known = known.filter(|known| known.now_ns < now_ns);
    let horizon = Arc::new(look(shared, retention, now_ns, known.as_deref())?);
    shared.set_horizon(Arc::clone(&horizon));
    Ok(Some(horizon))
}

fn look(shared: &Arc<Shared>, retention: Arc<Retention>, now_ns: i64, known: Option<&Horizon>) -> Result<Horizon> {
    let Snapshot { files, end_seq } = shared.snapshot();
    let times = times_of(&files, now_ns)?;
    let mut cuts = Vec::<Arc<Cut>>::new();
    for age_ns in retention.ages_ns() {
        if cuts.iter().any(|cut| cut.age_ns == age_ns) {
            continue;
        }
        let least_ns = now_ns.saturating_sub(age_ns);
        let at = times.iter().position(|times| times.latest_ns >= least_ns);
        let Some((at, times)) = at.and_then(|at| Some((at, times.get(at)?))) else {
            cuts.push(Arc::new(Cut { age_ns, seq: end_seq, ..Cut::default() }));
            continue;
        };
        let begin = Cut::before(files.get(at), age_ns, times.earliest_ns);
        if times.earliest_ns >= least_ns {
            cuts.push(Arc::new(begin));
            continue;
        }
        let known = known.and_then(|known| known.cut(age_ns)).filter(|known| known.seq > begin.seq);
        let known = known.and_then(|known| Some((files.iter().position(|file| known.is_in(file))?, Cut::clone(known))));
        let (at, begin) = known.unwrap_or((at, begin));
        let search = CutSearch { retention: &retention, least_ns, now_ns };
        cuts.push(Arc::new(search.run(shared, files.get(at..).unwrap_or_default(), begin)?));
    }
    invariant!(cuts.iter().all(|cut| cut.file_seq <= cut.seq), "a cut lies before its file");
    invariant!(cuts.iter().all(|cut| cut.seq <= end_seq), "events are due that are not durable");
    Ok(Horizon { retention, now_ns, cuts })
}

struct CutSearch<'a> {
    retention: &'a Retention,
    /// Events that were received before are due.
    least_ns: i64,
    now_ns: i64,
}

impl CutSearch<'_> {
    /// Moves a cut on in the first of these files, and in those behind it if all of the first turns
    /// out to be due.
    fn run(&self, shared: &Arc<Shared>, files: &[DataFile], mut cut: Cut) -> Result<Cut> {
        for file in files {
            invariant!(cut.file_seq <= file.first_seq(), "a cut lies behind the files that it is looked for in");
            let is_behind = !cut.is_in(file);
            let mut moved =
                if is_behind { Cut::before(Some(file), cut.age_ns, cut.latest_ns) } else { std::mem::take(&mut cut) };
            let has_stopped = self.move_on(shared, file, &mut moved)?;
            if !is_behind || moved.seq > moved.file_seq {
                cut = moved;
            }
            if has_stopped {
                break;
            }
        }
        Ok(cut)
    }

    /// Moves a cut on in a file. Returns whether there is an event in it that is not due.
    fn move_on(&self, shared: &Arc<Shared>, file: &DataFile, cut: &mut Cut) -> Result<bool> {
        let end_seq = file.end_seq();
        // Events whose time is wrong, since it lies in the future or before that of an earlier one:
        // they are due if one behind them is.
        let mut undated = BTreeMap::new();
        for event in Scanner::everything_from(Arc::clone(shared), cut.seq) {
            let event = event?;
            invariant!(event.seq >= cut.seq, "an event was read that lies before the cut");
            let received_at_ns = event.received_at_ns;
            if event.seq >= end_seq {
                break;
            }
            if (self.least_ns..=self.now_ns).contains(&received_at_ns) {
                return Ok(true);
            }
            if !(cut.latest_ns..=self.now_ns).contains(&received_at_ns) {
                self.count(&event, cut.age_ns, &mut undated);
                continue;
            }
            for (topic, tally) in std::mem::take(&mut undated) {
                cut.due.entry(topic).or_default().add(&tally);
            }
            self.count(&event, cut.age_ns, &mut cut.due);
            (cut.seq, cut.latest_ns) = (event.seq + 1, received_at_ns);
        }
        Ok(false)
    }

    fn count(&self, event: &StoredEvent, age_ns: i64, counts: &mut BTreeMap<Box<str>, Tally>) {
        let tally = Tally::one(row::len(&event.as_ref()) as u64, event.timestamp_ns);
        match counts.get_mut(&*event.topic) {
            Some(known) => known.add(&tally),
            None if self.retention.age_ns(&event.topic) == Some(age_ns) => {
                counts.insert(event.topic.as_str().into(), tally);
            }
            None => {}
        }
    }
}
