//! Conflicts of events that were sent with those that are stored.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sekali_store::Order;
use sekali_wire::json::append_string;

use super::Service;
use crate::clients::Client;
use crate::limits::{PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX};
use crate::query::{
    ClientGuard, Conflict, ConflictScan, ConflictSources, ConflictsRead, EventQuery, Field, Fill, Groups, Positions,
    QueryError, ReadEnd, ReadReport,
};

/// The groups that conflicts are counted by.
#[derive(Debug)]
pub(crate) enum ConflictGroups {
    /// All of them together.
    None,
    /// The places where the events differ.
    Paths,
    /// Fields of the event that was sent.
    Fields(Vec<Field>),
}

/// A count of conflicts.
#[derive(Debug)]
pub(crate) struct ConflictCount {
    /// How many there are.
    pub(crate) conflicts: u64,
    /// By what was asked for. A conflict is in the group of each place where its events differ.
    pub(crate) groups: Option<Groups>,
    by_paths: bool,
}

impl Service {
    /// Hands the conflicts of sent events of `query` to `visit`, with `total`, until that is full.
    /// Ends as a page of events does.
    ///
    /// # Errors
    /// [`QueryError::Busy`], and those of the engine and of `visit`.
    pub(crate) async fn conflicts<T: Send + 'static>(
        &self,
        client: Client,
        query: EventQuery,
        from: (Order, Positions),
        total: T,
        visit: impl FnMut(&mut T, &Conflict) -> Result<Fill, QueryError> + Send + 'static,
    ) -> Result<(T, ConflictsRead), QueryError> {
        // Dropped with this future when the client goes away.
        let guard = ClientGuard::default();
        let budget = guard.budget(PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX);
        let scan = ConflictScan::new(&self.readers_now(), query, from, budget, true);
        self.shared.reads.run(client, turns(scan, total, visit)).await?
    }

    /// Counts the conflicts of sent events of `query`, which can take minutes and ends when the
    /// caller goes away.
    ///
    /// # Errors
    /// [`QueryError::Busy`], and those of the engine.
    pub(crate) async fn count_conflicts(
        &self,
        client: Client,
        query: EventQuery,
        by: ConflictGroups,
        within: Duration,
    ) -> Result<(ConflictCount, ReadReport), QueryError> {
        let begun = Instant::now();
        let guard = ClientGuard::default();
        let budget = guard.budget(u64::MAX, within);
        let total = ConflictCount::new(by);
        let from = (Order::Ascending, Positions::new());
        let scan = ConflictScan::new(&self.readers_now(), query, from, budget, total.by_paths);
        let count = |count: &mut ConflictCount, conflict: &Conflict| {
            count.add(conflict);
            Ok(Fill::Room)
        };
        let _permit = self.shared.counts.enter()?;
        let (count, read) = self.shared.reads.run(client, turns(scan, total, count)).await??;
        let end = if read.more { ReadEnd::OutOfTime } else { ReadEnd::All };
        Ok((count, ReadReport { events: read.read, time: begun.elapsed(), end }))
    }
}

/// The turns of a scan, until it is at its end.
fn turns<T>(
    mut scan: ConflictScan,
    total: T,
    mut visit: impl FnMut(&mut T, &Conflict) -> Result<Fill, QueryError>,
) -> impl FnMut() -> Option<Result<(T, ConflictsRead), QueryError>> {
    let mut total = Some(total);
    move || {
        let so_far = total.as_mut()?;
        match scan.turn(|conflict| visit(so_far, conflict)) {
            Ok(None) => None,
            Ok(Some(read)) => total.take().map(|total| Ok((total, read))),
            Err(error) => Some(Err(error)),
        }
    }
}

impl ConflictCount {
    fn new(by: ConflictGroups) -> Self {
        let by_paths = matches!(by, ConflictGroups::Paths);
        let groups = match by {
            ConflictGroups::None => None,
            ConflictGroups::Paths => Some(Groups::new(Vec::new())),
            ConflictGroups::Fields(fields) => Some(Groups::new(fields)),
        };
        Self { conflicts: 0, groups, by_paths }
    }

    fn add(&mut self, conflict: &Conflict) {
        self.conflicts += 1;
        let Some(groups) = &mut self.groups else { return };
        if !self.by_paths {
            groups.add(&conflict.sent.view(), None);
            return;
        }
        let sources = ConflictSources::of(conflict);
        let differences = conflict.differences(&sources);
        let patterns: BTreeSet<_> = differences.listed.iter().map(|difference| &difference.pattern).collect();
        if patterns.is_empty() {
            groups.add_missing();
        }
        for pattern in patterns {
            let mut key = Vec::new();
            append_string(&mut key, pattern);
            groups.add_key(&key);
        }
    }
}
