//! The running store: publish, find, read, count, and the chores that keep it in order. Knows no
//! HTTP.
//!
//! A listener of any protocol reads events into [`Accepted`] with [`ingest`](crate::ingest), hands
//! them to [`Service::publish`], and words the outcomes in its own way. Readers begin with an
//! [`EventQuery`].

mod chores;
mod commit_timings;
mod conflicts;
mod context;
mod duplicates;
mod history;
mod latency;
mod mark;
mod opening;
mod pipeline;
mod retain;
mod scrub;
mod scrub_status;
mod shipping;
mod space;
mod status;
mod tails;
mod topic_quota;
mod topics;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sekali_store::{Fingerprint, Order, Outcome, Partition, Preview, Reader, Retainer, Store, StoredEvent};
use sekali_store::{is_reserved, partition_of};

use sekali_wire::stats::Torn;
use tracing::warn;

use crate::clients::{Client, FairShares, ShareSizes, Workers, once};
use crate::clock::now_ns;
use crate::consumers::{Consumer, Consumers};
use crate::identity::{Ledger, Tally};
use crate::ingest::{Accepted, Rejected, Target};
use crate::limits::{ANSWERS_BYTES_MAX, COUNTS_MAX, READS_MAX, SMALL_ANSWERS_BYTES_MAX, SMALL_BYTES_MAX};
use crate::limits::{SQL_STACK_BYTES, SQL_STATEMENTS_MAX, SQL_WAITING_MAX, STREAMS_AHEAD_MAX, STREAMS_MAX};
use crate::query::{Aggregate, AggregateScan, ReadExtent, ReadReport};
use crate::query::{ClientGuard, CursorKey, EventCursor, EventQuery, Positions, QueryError, ReadPermits};
use crate::spent::Stage;
use crate::sql::{self, SqlAnswer, SqlError, SqlStatement, SqlView};

pub use chores::Chores;
pub(crate) use commit_timings::CommitTimings;
pub(crate) use conflicts::ConflictGroups;
pub(crate) use context::{Context, ContextQuery};
use duplicates::{Duplicates, SentBatch};
pub(crate) use duplicates::{DuplicatesReport, LATE_BELOW_S, Resender, ResentCounts, Sender};
pub(crate) use history::CountedInterval;
use history::History;
pub(crate) use latency::Acknowledged;
pub use pipeline::{CommitError, Committers, Pipeline};
pub use scrub_status::{ScrubStatus, ScrubSummary};
pub(crate) use shipping::{ItemResult, ShipError, Shipment, Shipped};
pub use space::{Shortage, SpaceWatch};
pub(crate) use tails::{OutputParts, Tail, TailLayout, TailOutput, TailPosition, Tails, Wait, stream};
pub(crate) use topic_quota::TopicPermit;
use topic_quota::TopicQuota;
pub(crate) use topics::{TopicTotals, WantedTotals, behind};

/// A running store. Cheap to clone; clones share.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

struct Shared {
    pipeline: Pipeline,
    /// One for every partition, by number.
    readers: Arc<[Reader]>,
    target: Target,
    cursor_key: CursorKey,
    scrub: Arc<ScrubStatus>,
    space: SpaceWatch,
    /// The torn tails that this start has cut off the logs.
    torn: Torn,
    /// For answers that are made and not yet sent.
    answers: FairShares,
    /// Read events for answers.
    reads: Workers,
    /// Decompress and parse bodies.
    parses: Workers,
    /// For answers that are read while they are sent.
    streams: FairShares,
    /// For those of them that have read ahead while they wait.
    streams_ahead: ReadPermits,
    /// For counts that read events.
    counts: ReadPermits,
    tails: Tails,
    /// Run statements of SQL, each of which keeps its thread.
    statements: Workers,
    consumers: Consumers,
    topic_quota: TopicQuota,
    duplicates: Duplicates,
    history: History,
    commits: CommitTimings,
    /// Equal requests, where that must be known to tell repeats.
    ledger: Ledger,
    tally: Tally,
    /// The last commit before this start. What was stored shortly before it is in doubt.
    last_commit_ns: Option<i64>,
    started: Instant,
}

/// The outcome of publishing the events of one request.
#[derive(Debug)]
pub struct Published {
    /// Of every valid event, in request order.
    pub outcomes: Vec<Outcome>,
    /// Topic and event id of the same, if they were asked for.
    pub keys: Vec<(String, String)>,
    /// The events that were left out.
    pub rejected: Rejected,
}

/// The outcome that the events of a request would have.
#[derive(Debug)]
pub(crate) struct Previewed {
    /// Of every valid event, in request order.
    pub(crate) previews: Vec<Preview>,
    /// Topic and event id of the same, if they were asked for.
    pub(crate) keys: Vec<(String, String)>,
    /// The events that were left out.
    pub(crate) rejected: Rejected,
}

impl Service {
    /// Starts the committer threads of a store. The chores are for the caller to run.
    ///
    /// # Errors
    /// The operating system refuses a thread.
    pub fn start(store: Store) -> std::io::Result<(Self, Committers, Chores)> {
        Self::start_with(store, Consumers::default(), CommitTimings::new())
    }

    /// As [`Service::start`], with the consumers of the store, and the timings of its disk.
    ///
    /// # Errors
    /// The operating system refuses a thread.
    pub(crate) fn start_with(
        store: Store,
        consumers: Consumers,
        commits: CommitTimings,
    ) -> std::io::Result<(Self, Committers, Chores)> {
        let target = Target { hasher: store.hasher(), partitions: store.partition_count() };
        let partitions = store.into_partitions();
        partitions.iter().enumerate().for_each(|(number, partition)| name_damage(number, partition));
        opening::log(&partitions);
        let readers: Arc<[Reader]> = partitions.iter().map(Partition::reader).collect();
        let retainers: Arc<[Retainer]> = partitions.iter().map(Partition::retainer).collect();
        let scrubbers = partitions.iter().map(Partition::scrubber).collect();
        let markers = partitions.iter().map(Partition::marker).collect();
        let torn = torn_tails(&partitions);
        let tails = Tails::start(&partitions, &readers)?;
        consumers.take_back(&readers);
        let space = SpaceWatch::default();
        let last_commit_ns = readers.iter().filter_map(Reader::last_commit_ns).max();
        let (pipeline, committers) = Pipeline::start(partitions, space.clone(), commits.clone())?;
        let scrub = Arc::<ScrubStatus>::default();
        let chores = Chores::new(
            retainers,
            scrubbers,
            markers,
            Arc::clone(&readers),
            pipeline.clone(),
            Arc::clone(&scrub),
            space.clone(),
        );
        let answers =
            ShareSizes { large: ANSWERS_BYTES_MAX, small: SMALL_ANSWERS_BYTES_MAX, small_max: SMALL_BYTES_MAX };
        let shared = Shared {
            pipeline,
            readers,
            target,
            cursor_key: CursorKey::new(target.hasher),
            scrub,
            space,
            torn,
            answers: FairShares::new(answers, Duration::ZERO),
            reads: Workers::start("read", Stage::Read, READS_MAX)?,
            parses: Workers::start("parse", Stage::Parse, usize::MAX)?,
            streams: FairShares::places(STREAMS_MAX),
            streams_ahead: ReadPermits::new(STREAMS_AHEAD_MAX),
            counts: ReadPermits::new(COUNTS_MAX),
            tails,
            statements: Workers::start_with_stacks(
                "sql",
                Stage::Read,
                SQL_WAITING_MAX,
                SQL_STATEMENTS_MAX,
                SQL_STACK_BYTES,
            )?,
            consumers,
            topic_quota: TopicQuota::default(),
            duplicates: Duplicates::new(now_ns()),
            history: chores.history(),
            commits,
            ledger: Ledger::default(),
            tally: Tally::default(),
            last_commit_ns,
            started: Instant::now(),
        };
        Ok((Self { shared: Arc::new(shared) }, committers, chores))
    }

    /// How events are hashed and routed.
    pub fn target(&self) -> &Target {
        &self.shared.target
    }

    /// The queue to the committers.
    pub fn pipeline(&self) -> &Pipeline {
        &self.shared.pipeline
    }

    /// Places of live tails that are taken: streams, and pages that wait.
    pub(crate) fn open_tails(&self) -> usize {
        self.shared.tails.open()
    }

    /// Events behind the position of a consumer, whether they match or not.
    pub(crate) fn behind(&self, consumer: &Consumer) -> u64 {
        let position = |at: usize| consumer.positions.get(at).map_or(0, |(_, seq)| *seq);
        let readers = self.shared.readers.iter().enumerate();
        readers.map(|(at, reader)| reader.last_seq().saturating_sub(position(at))).sum()
    }

    /// The names of all consumers, and how many events are behind their positions.
    pub(crate) fn consumers_behind(&self) -> Vec<(String, u64)> {
        let consumers = self.shared.consumers.list().into_iter();
        consumers.map(|consumer| (consumer.name.clone(), self.behind(&consumer))).collect()
    }

    /// Bytes of answers that are made and not yet sent.
    pub(crate) fn answer_bytes(&self) -> usize {
        self.shared.answers.used()
    }

    /// Events by way in and kind of id.
    pub(crate) fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    /// Permits the topics of a request, which is dropped once they are committed.
    ///
    /// # Errors
    /// [`CommitError::TooManyTopics`].
    pub(crate) fn admit_topics(
        &self,
        client: impl FnOnce() -> Client,
        accepted: &Accepted,
    ) -> Result<Option<TopicPermit>, CommitError> {
        self.shared.topic_quota.admit(client, &self.shared.readers, &accepted.batches)
    }

    /// Commits the events of a request of a client and waits until they are durable.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub(crate) async fn publish(&self, sender: &Sender, mut accepted: Accepted) -> Result<Published, CommitError> {
        let order = accepted.take_order();
        let Accepted { batches, keys, rejected, origins, .. } = accepted;
        let partitions: Vec<_> = batches.iter().map(|(partition, _)| *partition).collect();
        let began = Instant::now();
        let outcomes = self.shared.pipeline.commit(sender.client.clone(), batches).await?;
        let at = Instant::now();
        self.shared.history.acknowledged(at.saturating_duration_since(began));
        for ((partition, origins), outcomes) in partitions.into_iter().zip(origins).zip(&outcomes) {
            self.shared.duplicates.count(sender, SentBatch { partition, origins, outcomes, at });
        }
        Ok(Published { outcomes: order.restore(outcomes), keys, rejected })
    }

    /// Who has sent events again since the start, of the topics that `is_visible` lets pass.
    pub(crate) fn duplicates(&self, is_visible: impl Fn(&str) -> bool) -> DuplicatesReport {
        self.shared.duplicates.report(is_visible)
    }

    /// Says what would become of the events of a request, which are in memory only.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub(crate) async fn preview(&self, client: &Client, mut accepted: Accepted) -> Result<Previewed, CommitError> {
        let order = accepted.take_order();
        let Accepted { batches, keys, rejected, .. } = accepted;
        let previews = self.shared.pipeline.preview(client, batches, now_ns()).await?;
        Ok(Previewed { previews: order.restore(previews), keys, rejected })
    }

    /// Whether each of these keys, given with its partition, is known.
    ///
    /// # Errors
    /// [`QueryError::Busy`], and those of the engine.
    pub(crate) async fn known(&self, client: Client, keys: Vec<(u32, Fingerprint)>) -> Result<Vec<bool>, QueryError> {
        let readers = Arc::clone(&self.shared.readers);
        let look_up = move || {
            let mut known = vec![false; keys.len()];
            for (partition, reader) in (0..).zip(readers.iter()) {
                let own = keys.iter().enumerate().filter(|(_, (of, _))| *of == partition);
                let (places, keys): (Vec<usize>, Vec<_>) = own.map(|(place, (_, key))| (place, *key)).unzip();
                for (place, is_known) in places.into_iter().zip(reader.known(&keys)?) {
                    if let Some(known) = known.get_mut(place) {
                        *known = is_known;
                    }
                }
            }
            Ok(known)
        };
        self.shared.reads.run(client, once(look_up)).await?
    }

    /// The stored event with this key.
    ///
    /// # Errors
    /// [`QueryError::Busy`], and those of the engine.
    pub(crate) async fn find(
        &self,
        client: Client,
        topic: String,
        event_id: String,
    ) -> Result<Option<StoredEvent>, QueryError> {
        let readers = self.readers_now();
        let partition = partition_of(&topic, self.shared.target.partitions) as usize;
        let find = move || {
            // Events of reserved topics are stored beside the events that they are about, in any
            // partition.
            let readers = readers.iter().enumerate().filter(|(at, _)| *at == partition || is_reserved(&topic));
            let mut found = readers.map(|(_, reader)| reader.find(&topic, &event_id));
            let found = found.find(|found| !matches!(found, Ok(None))).unwrap_or(Ok(None));
            Ok(found?)
        };
        self.shared.reads.run(client, once(find)).await?
    }

    /// A reader of each partition, by number, that leaves out what is due by age at this moment.
    pub(crate) fn readers_now(&self) -> Arc<[Reader]> {
        let now_ns = now_ns();
        self.shared.readers.iter().map(|reader| reader.at(now_ns)).collect()
    }

    /// A cursor over the events of `query`, behind `positions`.
    pub fn events(&self, query: impl Into<Arc<EventQuery>>, order: Order, positions: Positions) -> EventCursor {
        EventCursor::new(&self.readers_now(), query, order, positions)
    }

    /// Seals and opens the positions of cursors.
    pub fn cursor_key(&self) -> &CursorKey {
        &self.shared.cursor_key
    }

    /// Reads events of `query` into `total`, which can take minutes and ends when the caller goes
    /// away.
    ///
    /// # Errors
    /// [`QueryError::Busy`], those of the engine and those of `total`.
    pub(crate) async fn aggregate<A: Aggregate>(
        &self,
        client: Client,
        query: EventQuery,
        extent: ReadExtent,
        total: A,
    ) -> Result<(A, ReadReport), QueryError> {
        let ReadExtent { order, max, within } = extent;
        let mut view = total.view();
        // Of columns it is not known how many events will be found.
        view.columns = view.columns.filter(|_| max == u64::MAX);
        let cursor = EventCursor::for_view(&self.readers_now(), query, order, Positions::new(), view);
        // Dropped with this future when the client goes away.
        let guard = ClientGuard::default();
        let mut scan = AggregateScan::new(cursor, max, guard.budget(u64::MAX, within), total);
        let _permit = self.shared.counts.enter()?;
        self.shared.reads.run(client, move || scan.turn().transpose()).await?
    }

    /// Runs a statement of SQL, which ends when the caller goes away.
    ///
    /// # Errors
    /// See [`SqlError`].
    pub(crate) async fn sql(
        &self,
        client: Client,
        view: SqlView,
        statement: SqlStatement,
    ) -> Result<SqlAnswer, SqlError> {
        let readers = Arc::clone(&self.shared.readers);
        // Dropped with this future when the client goes away.
        let guard = ClientGuard::default();
        let watched = guard.client();
        let run = move || sql::run(&readers, &view, &statement, Some(watched));
        self.shared.statements.run(client, once(run)).await?
    }

    /// Threads that read events for answers.
    pub(crate) fn reads(&self) -> &Workers {
        &self.shared.reads
    }

    /// Threads that decompress and parse bodies.
    pub(crate) fn parses(&self) -> &Workers {
        &self.shared.parses
    }

    /// Places for answers that are read while they are sent.
    pub(crate) fn streams(&self) -> &FairShares {
        &self.shared.streams
    }

    /// Permits for those that have read ahead while they wait.
    pub(crate) fn streams_ahead(&self) -> &ReadPermits {
        &self.shared.streams_ahead
    }

    /// One for every partition, by number.
    pub(crate) fn readers(&self) -> &Arc<[Reader]> {
        &self.shared.readers
    }

    /// The durable consumers.
    pub(crate) fn consumers(&self) -> &Consumers {
        &self.shared.consumers
    }

    /// The live tails.
    pub(crate) fn tails(&self) -> &Tails {
        &self.shared.tails
    }

    /// Times and sizes of commits.
    pub(crate) fn commit_timings(&self) -> &CommitTimings {
        &self.shared.commits
    }

    /// The memory of answers that are made and not yet sent.
    pub(crate) fn answers(&self) -> &FairShares {
        &self.shared.answers
    }
}

/// Tells what the start has cut off the logs. It looks like the end of a commit that never
/// finished, of which nobody was told.
fn torn_tails(partitions: &[Partition]) -> Torn {
    let mut torn = Torn::default();
    for (partition, tail) in partitions.iter().enumerate() {
        let Some(tail) = tail.torn_tail() else { continue };
        let (bytes, kept) = (tail.bytes, tail.kept.display().to_string());
        warn!(partition, bytes, kept, "the end of the log was an unfinished commit: it was cut off, and a copy kept");
        torn.tails += 1;
        torn.bytes += bytes;
    }
    torn
}

/// Logs what a start has found, so that nobody must ask for it.
fn name_damage(partition: usize, opened: &Partition) {
    if let Some(why) = opened.rebuilt_index() {
        warn!(partition, "the dedup index was damaged, and was mended from the events: {why}");
    }
    for what in opened.returned() {
        warn!(partition, "{what}");
    }
    let reader = opened.reader();
    for damage in reader.damage() {
        warn!(partition, "{damage}");
    }
    for flaw in reader.flaws() {
        warn!(partition, "{flaw}");
    }
}
