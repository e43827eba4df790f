//! The table `topics`: what is known without reading events.

use std::ffi::CString;
use std::sync::Arc;

use rusqlite::Result;
use sekali_store::TopicSummary;
use sekali_vtab::{Cell, Offer, Plan, Rows, ScanPlan, Table};

use super::SqlView;
use super::collation::append_time;
use super::moment::Moment;
use super::watch::Watch;

/// The topics that the client may see.
pub(super) struct TopicsTable {
    pub(super) moment: Arc<Moment>,
    pub(super) view: SqlView,
    pub(super) watch: Arc<Watch>,
}

impl Table for TopicsTable {
    type Rows = TopicRows;

    fn declaration(&self) -> CString {
        c"CREATE TABLE topics (topic TEXT, partition INTEGER, events INTEGER, bytes INTEGER, \
          first_timestamp TEXT COLLATE moment, last_timestamp TEXT COLLATE moment)"
            .to_owned()
    }

    fn plan(&self, _: &Offer) -> Plan {
        Plan { cost: 1_000.0, rows: 1_000, ..Plan::default() }
    }

    fn open(self: &Arc<Self>) -> TopicRows {
        TopicRows { table: Arc::clone(self), topics: Vec::new(), at: 0 }
    }
}

pub(super) struct TopicRows {
    table: Arc<TopicsTable>,
    topics: Vec<(u32, TopicSummary)>,
    at: usize,
}

impl Rows for TopicRows {
    fn begin(&mut self, _: ScanPlan) -> Result<()> {
        let TopicsTable { moment, view, watch } = &*self.table;
        self.topics.clear();
        self.at = 0;
        for (partition, reader) in (0..).zip(moment.readers()) {
            let topics = reader.topics().map_err(|error| watch.fail(error))?;
            let seen = topics.into_iter().filter(|topic| view.includes(&topic.topic));
            self.topics.extend(seen.map(|topic| (partition, topic)));
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<()> {
        self.at += 1;
        Ok(())
    }

    fn is_end(&self) -> bool {
        self.at >= self.topics.len()
    }

    fn column(&self, column: usize, cell: &mut Cell<'_>) -> Result<()> {
        let Some((partition, topic)) = self.topics.get(self.at) else { return Ok(()) };
        let integer = |number| i64::try_from(number).unwrap_or(i64::MAX);
        let time = |ns| {
            let mut text = Vec::with_capacity(32);
            append_time(&mut text, ns);
            text
        };
        match column {
            0 => cell.text(topic.topic.as_bytes()),
            1 => cell.integer(i64::from(*partition)),
            2 => cell.integer(integer(topic.events)),
            3 => cell.integer(integer(topic.bytes)),
            4 => cell.text(&time(topic.first_timestamp_ns)),
            _ => cell.text(&time(topic.last_timestamp_ns)),
        }
    }

    fn row_id(&self) -> i64 {
        i64::try_from(self.at).unwrap_or(i64::MAX)
    }
}
