//! Counts of events: all of them, by groups, and over time.

use sekali_store::StoredEvent;

use super::{Aggregate, Field, Groups, Histogram, QueryError};

/// The groups and intervals of a count.
#[derive(Debug, Default)]
pub(crate) struct CountQuery {
    /// The fields of groups; none for a plain count.
    pub(crate) by: Vec<Field>,
    /// Over time, if wanted.
    pub(crate) histogram: Option<Histogram>,
}

/// A count in progress, and its result.
#[derive(Debug)]
pub(crate) struct Count {
    /// Events that match.
    pub(crate) events: u64,
    /// By groups.
    pub(crate) groups: Option<Groups>,
    /// Over time.
    pub(crate) histogram: Option<Histogram>,
}

impl Count {
    /// No events yet.
    pub(crate) fn new(query: CountQuery) -> Self {
        let CountQuery { by, histogram } = query;
        let groups = (!by.is_empty()).then(|| Groups::new(by));
        Self { events: 0, groups, histogram }
    }
}

impl Aggregate for Count {
    fn add(&mut self, event: &StoredEvent) -> Result<(), QueryError> {
        self.events += 1;
        let interval = self.histogram.as_mut().map(|histogram| histogram.add(event.timestamp_ns)).transpose()?;
        if let Some(groups) = &mut self.groups {
            groups.add(event, interval);
        }
        Ok(())
    }
}
