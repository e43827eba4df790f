//! The state of the store, looked up at each scrape.

use prometheus_client::registry::Unit;
use sekali_wire::stats::{IndexStats, Status, StorageStats, StoreStats, WayStats};

use super::sheet::{LabelSet, Sheet, partition};
use crate::service::{CommitTimings, Service};

/// The topics with the most events.
#[derive(Debug, Clone)]
pub(super) struct LargestTopics {
    /// The number of all topics.
    pub(super) count: u64,
    /// Names and stored events.
    pub(super) largest: Vec<(String, u64)>,
}

pub(super) fn add(sheet: &mut Sheet, service: &Service, store: &StoreStats, topics: LargestTopics) {
    sheet.info("build", "The version of the server", vec![("version", env!("CARGO_PKG_VERSION").to_owned())]);
    sheet.gauge("uptime", "Time since the start", Some(Unit::Seconds), service.uptime_seconds());
    add_events(sheet, service, store);
    add_ways(sheet, &store.ways);
    add_consumers(sheet, service);
    add_health(sheet, service, store);
    add_storage(sheet, &store.storage);
    add_index(sheet, &store.index);
    sheet.gauge("topics", "Topics with events", None, topics.count as f64);
    let largest = topics.largest.into_iter().map(|(topic, events)| (vec![("topic", topic)], events as f64));
    sheet.gauges("topic_events", "Stored events of the topics that have most", None, largest);
}

pub(super) fn add_commits(sheet: &mut Sheet, commits: &CommitTimings) {
    let help = "Time from the last decision of a commit until it is on disk, its sync included";
    sheet.histogram("commit_duration", help, Some(Unit::Seconds), commits.seconds());
    sheet.histogram("commit_events", "Events of a commit, repeats included", None, commits.events());
    let help = "Time of a sync of the log by itself";
    sheet.histogram("log_sync_duration", help, Some(Unit::Seconds), commits.syncs());
}

/// Open things of clients, and memory that they take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) connections: usize,
    pub(super) tails: usize,
    pub(super) body_bytes: usize,
    pub(super) answer_bytes: usize,
}

pub(super) fn add_load(sheet: &mut Sheet, load: Load) {
    sheet.gauge("connections", "Open connections", None, load.connections as f64);
    sheet.gauge("tails", "Live streams, and pages that wait for events", None, load.tails as f64);
    let help = "Memory of request bodies that are larger than a buffer of the transport";
    sheet.gauge("bodies", help, Some(Unit::Bytes), load.body_bytes as f64);
    let help = "Memory of answers that are made and not yet sent";
    sheet.gauge("answers", help, Some(Unit::Bytes), load.answer_bytes as f64);
}

/// Events by way in and kind of id: each way that was used, and each kind.
fn add_ways(sheet: &mut Sheet, ways: &[WayStats]) {
    let events = ways.iter().flat_map(|way| {
        let kinds = [
            ("declared", way.declared),
            ("positional", way.positional),
            ("request", way.request),
            ("content", way.content),
            ("none", way.none),
        ];
        kinds.map(|(id, count)| (vec![("way", way.way.clone()), ("id", id.to_owned())], count))
    });
    sheet.counters("way_events", "Events since the start by way in and kind of id", None, events);
    let quarantined = ways.iter().map(|way| (vec![("way", way.way.clone())], way.quarantined));
    sheet.counters("quarantined_records", "Records that are no events, and were kept", None, quarantined);
}

/// Consumers with a label of their own: those that are behind most.
const CONSUMERS_LABELLED_MAX: usize = 50;

fn add_consumers(sheet: &mut Sheet, service: &Service) {
    let mut behind: Vec<_> = service.consumers_behind();
    sheet.gauge("consumers", "Named positions that the server keeps", None, behind.len() as f64);
    behind.sort_by_key(|(_, events)| std::cmp::Reverse(*events));
    let behind = behind.into_iter().take(CONSUMERS_LABELLED_MAX);
    let behind = behind.map(|(name, events)| (vec![("consumer", name)], events as f64));
    sheet.gauges("consumer_behind_events", "Events behind the positions of those that are behind most", None, behind);
}

fn add_events(sheet: &mut Sheet, service: &Service, store: &StoreStats) {
    let counters = service.counters();
    let repeats = counters.duplicates.saturating_sub(counters.conflicts);
    let outcomes = [("stored", counters.stored), ("duplicate", repeats), ("conflict", counters.conflicts)];
    let outcomes = outcomes.map(|(outcome, count)| (vec![("outcome", outcome.to_owned())], count));
    sheet.counters("events", "Events received over the life of the store, by outcome", None, outcomes);
    sheet.gauge("stored_events", "Events that can be read", None, service.stored_events() as f64);
    let expired = &store.expired;
    sheet.counters("expired_events", "Events removed by retention", None, [(LabelSet::new(), expired.events)]);
    let help = "Size in the log of the events removed by retention";
    sheet.counters("expired", help, Some(Unit::Bytes), [(LabelSet::new(), expired.bytes)]);
    sheet.gauge("queue", "Events that wait for a commit", Some(Unit::Bytes), store.queued_bytes as f64);
}

fn add_health(sheet: &mut Sheet, service: &Service, store: &StoreStats) {
    let status = service.status();
    let states = [
        ("ready", Status::Ready),
        ("degraded", Status::Degraded),
        ("read_only", Status::ReadOnly),
        ("stopped", Status::Stopped),
    ];
    let states = states.map(|(name, state)| (vec![("status", name.to_owned())], f64::from(state == status)));
    sheet.gauges("status", "1 for the state that the server is in", None, states);
    sheet.gauge("damages", "Damaged ranges of events and damaged files", None, store.damage.len() as f64);
    sheet.gauge(
        "clock_behind",
        "Time by which the clock is behind the newest event",
        Some(Unit::Seconds),
        store.clock_behind_seconds as f64,
    );
    sheet.gauge("torn_tails", "Unfinished commits that the start has cut off", None, store.torn.tails as f64);
    let scrub = &store.scrub;
    if let Some(finished) = scrub.last_finished {
        let seconds = finished.0 as f64 / 1e9;
        let help = "End of the last complete check of everything stored, since 1970";
        sheet.gauge("scrub_last_finished_timestamp", help, Some(Unit::Seconds), seconds);
    }
    sheet.gauge("scrub_pass", "Bytes that the running check has read", Some(Unit::Bytes), scrub.pass_bytes as f64);
    sheet.counters(
        "scrub_mended_files",
        "Damaged files that were written anew",
        None,
        [(LabelSet::new(), scrub.mended)],
    );
}

fn add_storage(sheet: &mut Sheet, storage: &[StorageStats]) {
    let mut each = |name: &str, help: &str, unit: Option<Unit>, value: fn(&StorageStats) -> f64| {
        let values = storage.iter().enumerate().map(|(number, stats)| (partition(number), value(stats)));
        sheet.gauges(name, help, unit, values);
    };
    let bytes = || Some(Unit::Bytes);
    each("segments", "Sealed Parquet files", None, |stats| stats.segments as f64);
    each("segments", "Size of the sealed Parquet files", bytes(), |stats| stats.segment_bytes as f64);
    each("log_files", "Files of the log", None, |stats| stats.log_files as f64);
    each("log", "Size of the log", bytes(), |stats| stats.log_bytes as f64);
    let help = "Age of the oldest event that is not in a Parquet file yet";
    each("unsealed", help, Some(Unit::Seconds), |stats| stats.unsealed_seconds as f64);
    let help = "1 while the last sealing has failed";
    each("sealing_failed", help, None, |stats| f64::from(stats.sealing_failed.is_some()));
    each("needed", "Free space that a commit needs", bytes(), |stats| stats.needed_bytes as f64);
    let free = storage.iter().enumerate();
    let free = free.filter_map(|(number, stats)| Some((partition(number), stats.free_bytes? as f64)));
    sheet.gauges("free", "Free space of the disk", Some(Unit::Bytes), free);
}

fn add_index(sheet: &mut Sheet, index: &[IndexStats]) {
    let entries = index.iter().enumerate().flat_map(|(number, stats)| {
        [("memory", stats.entries_in_memory), ("runs", stats.entries_in_runs)].map(|(place, count)| {
            let labels = vec![("partition", number.to_string()), ("place", place.to_owned())];
            (labels, count as f64)
        })
    });
    sheet.gauges("index_entries", "Known ids", None, entries);
    let mut gauges = |name: &str, help: &str, unit: Option<Unit>, value: fn(&IndexStats) -> f64| {
        let values = index.iter().enumerate().map(|(number, stats)| (partition(number), value(stats)));
        sheet.gauges(name, help, unit, values);
    };
    gauges("index_runs", "Sorted files of the dedup index", None, |stats| stats.runs as f64);
    let help = "Bytes that merges of the dedup index have yet to write";
    gauges("index_merge_debt", help, Some(Unit::Bytes), |stats| stats.merge_debt_bytes as f64);
    gauges("index_filters", "Memory of the filters", Some(Unit::Bytes), |stats| stats.filter_bytes as f64);
    gauges("index_disk", "Size of the dedup index", Some(Unit::Bytes), |stats| stats.disk_bytes as f64);
    let help = "1 while a merge of the dedup index has failed";
    gauges("index_failed", help, None, |stats| f64::from(stats.failed.is_some()));
    let mut counters = |name: &str, help: &str, value: fn(&IndexStats) -> u64| {
        let values = index.iter().enumerate().map(|(number, stats)| (partition(number), value(stats)));
        sheet.counters(name, help, None, values);
    };
    counters("index_look_ups", "Ids that were looked up", |stats| stats.look_ups);
    counters("index_filter_hits", "Look-ups that a filter let through", |stats| stats.filter_hits);
    counters("index_false_positives", "Of these, those that found nothing", |stats| stats.false_positives);
    counters("index_disk_reads", "Reads of the files of the dedup index", |stats| stats.disk_reads);
}
