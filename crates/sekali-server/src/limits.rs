//! Every cap of the service, in one place and related to each other. The caps on single events are
//! the engine's: [`sekali_store::limits`].

use std::time::Duration;

use sekali_store::limits::{FRAME_BODY_BYTES_MAX, PAYLOAD_BYTES_MAX, TOPIC_BYTES_MAX};
use sekali_wire::limits::{BATCH_EVENTS_MAX, BODY_BYTES_MAX, IDLE_TIMEOUT};

/// Largest request body as it comes over the wire, in bytes.
pub const BODY_WIRE_BYTES_MAX: usize = 32 * MIB;
/// Most bytes of request bodies in memory at a time, all requests together; one client may have
/// half of what is free. More are refused as overload, or evict the slowest.
pub const BODIES_BYTES_MAX: usize = 256 * MIB;
/// The same for bodies of up to [`SMALL_BYTES_MAX`], beside it.
pub(crate) const SMALL_BODIES_BYTES_MAX: usize = 32 * MIB;
/// Bodies and answers of up to this many bytes are small: they have a reserve of their own.
pub(crate) const SMALL_BYTES_MAX: usize = 64 * 1024;
/// Largest window a zstd body may ask for, as a power of two: 8 MiB, what RFC 9659 allows on the
/// web.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// A body up to this many bytes is parsed on the thread that serves its connection, and others,
/// which takes up to a millisecond. A larger one is parsed elsewhere.
pub const PARSED_IN_PLACE_BYTES_MAX: usize = 256 * 1024;
/// Most problems that an answer lists one by one; it counts the rest.
pub const PROBLEMS_LISTED_MAX: usize = 100;

/// Most bytes of encoded events that wait for the committers or are being committed, all partitions
/// together; one client may have five eighths. More are refused as overload.
pub const QUEUE_BYTES_MAX: usize = 128 * MIB;
/// A commit takes no further request once it has this many bytes of encoded events.
pub const COMMIT_BYTES_MAX: usize = 4 * MIB;
/// But it still takes small requests whose turn it is, up to this.
pub(crate) const COMMIT_SMALL_BYTES_MAX: usize = MIB;
/// While a commit is being written, the next is decided as soon as so many bytes of encoded events
/// wait: some 0.1 ms of work. To decide less than that ahead saves less than waking a thread for it
/// costs.
pub const DECIDE_AHEAD_BYTES: usize = 64 * 1024;

/// Requests whose events are compared with stored ones at a time; others wait for their turn. That
/// is work for a core each, and leaves the committers theirs on a small machine.
pub(crate) const COMPARISONS_MAX: usize = 2;
/// Most bytes of encoded events that are being compared or wait for that; one client may have five
/// eighths. More are refused as overload; the queue to the committers keeps its own.
pub(crate) const COMPARED_BYTES_MAX: usize = 64 * MIB;

/// Events on a page of `GET /events` unless the client asks for another number.
pub const PAGE_EVENTS_DEFAULT: u64 = 1_000;
/// Most events on a page.
pub const PAGE_EVENTS_MAX: u64 = 10_000;
/// A page ends with the event that reaches this many bytes.
pub const PAGE_BYTES_MAX: usize = 16 * MIB;
/// Most bytes of pages and of lists of outcomes in memory at a time, all requests together; one
/// client may have half of what is free. More are refused as overload.
pub const ANSWERS_BYTES_MAX: usize = 256 * MIB;
/// The same for those of up to [`SMALL_BYTES_MAX`], beside it.
pub const SMALL_ANSWERS_BYTES_MAX: usize = 32 * MIB;
/// A page that passes events because they do not match ends after so many, full or not.
pub const PAGE_SCAN_EVENTS_MAX: u64 = 200_000;
/// Such a page also ends after this time.
pub const PAGE_SCAN_TIME_MAX: Duration = Duration::from_secs(1);
/// Most places of the payload that one query has conditions on, and most texts it looks for.
pub const CONDITIONS_MAX: usize = 16;
/// Most values that one query compares an event with.
pub const FILTER_VALUES_MAX: usize = 256;
/// Most regular expressions in one query.
pub const PATTERNS_MAX: usize = 8;
/// Longest regular expression, in bytes.
pub const PATTERN_BYTES_MAX: usize = 1_024;
/// Most memory that one regular expression takes once it is compiled, and again for its cache.
pub const PATTERN_PROGRAM_BYTES_MAX: usize = 1024 * 1024;
/// Most levels of all their paths together: each is a pass over a payload of up to 1 MiB.
pub(crate) const CONDITION_LEVELS_MAX: usize = 64;
/// Longest text that is looked for anywhere in a payload, in bytes.
pub(crate) const QUERY_TEXT_BYTES_MAX: usize = 256;
/// Most topics of a store with events: each takes up to 1.2 KB of memory. A client may make as many
/// as are still free.
pub const TOPICS_MAX: usize = 200_000;
/// As long as there are fewer topics, nobody counts who made them.
pub(crate) const TOPICS_FREE: usize = 10_000;
/// Topics on a page of `GET /topics` unless the client asks for another number, and most in
/// `GET /stats`.
pub(crate) const TOPICS_LISTED_DEFAULT: u64 = 1_000;
/// Most topics on a page.
pub(crate) const TOPICS_LISTED_MAX: u64 = 10_000;
/// Longest turn of a page that passes events, and of a count: then others have theirs.
pub(crate) const SCAN_TURN_MAX: Duration = Duration::from_millis(50);
/// Most reads that wait for a thread, of which there are as many as cores; one client may have half
/// of those that are free. More are refused as overload.
pub const READS_MAX: usize = 256;
/// About how many bytes of events a read holds, all partitions together.
pub(crate) const SCAN_BYTES_MAX: usize = 8 * MIB;
/// Fewest of them for each partition.
pub(crate) const SCAN_BYTES_MIN: usize = 256 * 1024;
/// Most streams of events at a time; one client may have half of those that are free. More are
/// refused as overload.
pub const STREAMS_MAX: usize = 256;
/// Most bytes of events that streams have read ahead while they wait for their clients.
const STREAMS_AHEAD_BYTES_MAX: usize = 128 * MIB;
/// Most streams that wait for their clients with events read ahead. Others read them again.
pub const STREAMS_AHEAD_MAX: usize = STREAMS_AHEAD_BYTES_MAX / SCAN_BYTES_MAX;
/// Longest a stream keeps events that it has read ahead while its client takes nothing.
pub const STREAM_AHEAD_TIME: Duration = Duration::from_secs(1);
/// Longest a stream keeps files open that expire meanwhile.
pub const STREAM_FILES_TIME: Duration = Duration::from_secs(30);
/// Most live tails at a time, requests that wait for events included; one client may have half of
/// those that are free. More are refused as overload.
pub const TAILS_MAX: usize = 2_048;
/// Pieces of a live tail that wait to be sent.
pub(crate) const TAIL_PIECES_MAX: usize = 4;
/// A piece ends with the event that reaches this many bytes.
pub(crate) const TAIL_PIECE_BYTES: usize = 16 * 1024;
/// Longest a live tail is silent.
pub(crate) const TAIL_HEARTBEAT: Duration = Duration::from_secs(15);
/// Longest that the client of a live tail may take nothing while there are events for it. Below
/// [`ANSWER_TIMEOUT`], so that it can still be told where to go on.
pub(crate) const TAIL_PATIENCE: Duration = Duration::from_secs(10);
/// Shortest time between two looks at what commits have added: those in between are read together.
pub(crate) const TAIL_PASS_INTERVAL: Duration = Duration::from_millis(2);
/// Longest time that live tails are given events before it is seen who has come and gone.
pub(crate) const TAIL_PASS_MAX: Duration = Duration::from_millis(50);
/// How often keys and heartbeats of live tails are looked at.
pub(crate) const TAIL_TICK_INTERVAL: Duration = Duration::from_secs(1);
/// Most events that a tail may be behind the live ones when it joins them: a few milliseconds of
/// reading.
pub(crate) const TAIL_GAP_MAX: u64 = 4_096;
/// About how many bytes of events live tails read ahead.
pub(crate) const TAIL_SCAN_BYTES: usize = MIB;
/// Most topics of new commits that are told apart. With more, all that is new is read.
pub(crate) const TAIL_TOPICS_MAX: usize = 1_000;
/// Most topics, and tails that want them, that are remembered, with about 4 to 100 bytes each.
pub(crate) const TAIL_INTEREST_MAX: usize = 64 * 1024;
/// Most counts at a time that have to read events. More are refused as overload.
pub const COUNTS_MAX: usize = 4;
/// Most intervals that a count over time is divided into.
pub const BUCKETS_MAX: u64 = 10_000;
/// Most intervals that a client may leave the choice of to the server.
pub const BUCKETS_AUTO_MAX: u64 = 1_000;
/// Most columns of an answer.
pub(crate) const COLUMNS_MAX: usize = 32;
/// Most levels of the paths of all columns together: each is a pass over a payload.
pub(crate) const COLUMN_LEVELS_MAX: usize = 64;
/// A row group of an answer in Parquet ends with the event that reaches this many bytes of text.
pub(crate) const PARQUET_GROUP_BYTES: usize = 8 * MIB;
/// The memory of an answer in Parquet, which counts as that of an answer that waits to be read: the
/// rows of a group and their numbers, their pages while they are compressed, and those that wait
/// for the client.
pub(crate) const PARQUET_ANSWER_BYTES: usize = 4 * PARQUET_GROUP_BYTES;
/// Longest name that a download may be given, in bytes.
pub(crate) const DOWNLOAD_NAME_BYTES_MAX: usize = 128;
/// Conflicts on a page unless the client asks for another number.
pub(crate) const CONFLICTS_DEFAULT: u64 = 100;
/// Most conflicts on a page: the stored event of each is looked up.
pub(crate) const CONFLICTS_MAX: u64 = 1_000;
/// Most origins of events that are told apart in counts of duplicates, with some 1 KB each.
pub(crate) const RESENDERS_MAX: usize = 1_000;
/// Origins in an answer unless the client asks for another number.
pub(crate) const RESENDERS_LISTED_DEFAULT: u64 = 100;
/// Most places that are told of those where two events differ.
pub(crate) const DIFFERENCES_MAX: usize = 100;
/// Longest path to such a place, in bytes.
pub(crate) const DIFFERENCE_PATH_BYTES_MAX: usize = 1_000;
/// Events before and behind an event unless the client asks for another number.
pub(crate) const CONTEXT_DEFAULT: u64 = 10;
/// Most of them.
pub(crate) const CONTEXT_MAX: u64 = 1_000;
/// Most fields that the surroundings of an event may have in common with it.
pub(crate) const CONTEXT_FIELDS_MAX: usize = 8;
/// Most fields that events are grouped by.
pub const GROUP_FIELDS_MAX: usize = 3;
/// Most groups that are told apart, with about 100 bytes each.
pub const GROUPS_MAX: usize = 100_000;
/// Longest values of a group that is told apart, in bytes of JSON.
pub const GROUP_KEY_BYTES_MAX: usize = 1_024;
/// Most pairs of a group and an interval that are counted, with some 40 bytes each.
pub const GROUP_CELLS_MAX: usize = 1_000_000;
/// Groups in an answer unless the client asks for another number.
pub const TOP_DEFAULT: u64 = 10;
/// Most groups in an answer.
pub const TOP_MAX: u64 = 1_000;
/// Events that are looked at for the fields unless the client asks for another number.
pub const SAMPLE_DEFAULT: u64 = 100_000;
/// Fewest and most events of a sample.
pub const SAMPLE_MIN: u64 = 1_000;
/// See [`SAMPLE_MIN`].
pub const SAMPLE_MAX: u64 = 1_000_000;
/// Most fields that are told apart.
pub const FACETS_MAX: usize = 256;
/// Most values of a field that are told apart. Beyond it the field's values are not listed.
pub const FACET_VALUES_MAX: usize = 1_000;
/// Longest value that is told apart, in bytes of JSON.
pub const FACET_VALUE_BYTES_MAX: usize = 256;
/// Values of each field in an answer unless the client asks for another number.
pub const VALUES_DEFAULT: u64 = 5;
/// Most values of each field in an answer; of a single field [`FACET_VALUES_MAX`].
pub const VALUES_MAX: u64 = 100;
/// Deepest level of the payload that fields are looked for in.
pub const FACET_DEPTH_MAX: usize = 8;
/// Relative error of percentiles.
pub const PERCENTILE_ERROR: f64 = 0.01;
/// Most groups of numbers, and most pairs of a group and an interval: each has a sketch of up to
/// 16 KiB.
pub const MEASURES_MAX: usize = 2_000;
/// Most bins of a histogram of numbers.
pub const NUMBER_BINS_MAX: usize = 32;
/// Shortest and longest time that a client may limit a reading to.
pub const WITHIN_MIN: Duration = Duration::from_millis(100);
/// See [`WITHIN_MIN`].
pub const WITHIN_MAX: Duration = Duration::from_secs(60);
/// Shortest and longest time that a request may wait for events.
pub(crate) const WAIT_MIN: Duration = Duration::from_millis(1);
/// See [`WAIT_MIN`].
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(60);
/// Statements of SQL at a time, each on a thread of its own.
pub(crate) const SQL_STATEMENTS_MAX: usize = 2;
/// Most statements that wait for one of them; one client may have half of those that are free. More
/// are refused as overload.
pub(crate) const SQL_WAITING_MAX: usize = 16;
/// The stack of such a thread: SQLite reads nested statements by recursion.
pub(crate) const SQL_STACK_BYTES: usize = 8 * MIB;
/// Longest a statement may take unless the client says otherwise, up to [`WITHIN_MAX`].
pub(crate) const SQL_WITHIN_DEFAULT: Duration = Duration::from_secs(10);
/// Longest text of a statement, in bytes.
pub const SQL_TEXT_BYTES_MAX: usize = 64 * 1024;
/// Most rows of an answer.
pub(crate) const SQL_ROWS_MAX: u64 = 100_000;
/// An answer ends with the row that reaches this many bytes.
pub(crate) const SQL_ANSWER_BYTES_MAX: usize = 16 * MIB;
/// Most bytes of a value, and of a row that is sorted.
pub(crate) const SQL_VALUE_BYTES_MAX: usize = 2 * MIB;
/// Most memory of SQLite, all statements together.
pub(crate) const SQL_MEMORY_BYTES_MAX: usize = 256 * MIB;
/// A statement sorts so much in memory, and spills the rest to disk.
pub(crate) const SQL_CACHE_BYTES: usize = 16 * MIB;
/// A statement ends once the disk has lost this part of its free space meanwhile: a quarter.
pub(crate) const SQL_SPILL_SHARE: u64 = 4;
/// Most columns of an answer, and terms of GROUP BY and ORDER BY.
pub(crate) const SQL_COLUMNS_MAX: usize = 100;
/// Deepest expression.
pub(crate) const SQL_DEPTH_MAX: usize = 100;
/// Most parts of a UNION.
pub(crate) const SQL_COMPOUND_MAX: usize = 50;
/// Most instructions of SQLite's machine that a statement is translated to.
pub(crate) const SQL_PROGRAM_MAX: usize = 100_000;
/// Most arguments of a function.
pub(crate) const SQL_ARGUMENTS_MAX: usize = 32;
/// Most parameters of a statement.
pub(crate) const SQL_PARAMETERS_MAX: usize = 1_000;
/// Longest pattern of LIKE and GLOB, in bytes.
pub(crate) const SQL_PATTERN_BYTES_MAX: usize = 256;
/// Most consumers of a store; a key may make as many as are free.
pub const CONSUMERS_MAX: usize = 1_000;
/// Longest name of a consumer.
pub const CONSUMER_NAME_BYTES_MAX: usize = 100;
/// Most bytes of the filters of a consumer, names and values.
pub const CONSUMER_FILTERS_BYTES_MAX: usize = 4 * 1024;
/// Largest body of a request about a consumer.
pub const CONSUMER_BODY_BYTES_MAX: usize = 64 * 1024;
/// Largest file of consumers that is read.
pub const CONSUMERS_FILE_BYTES_MAX: u64 = 64 * MIB as u64;
/// Streams are read and sent in pieces of about this size.
pub const STREAM_CHUNK_BYTES: usize = 64 * 1024;
/// Longest a stream reads without sending what it has found.
pub const STREAM_READ_MAX: Duration = Duration::from_millis(50);
/// Longest a stream keeps a thread, however fast its client is: others wait for threads too. A
/// piece is read to its end.
pub const STREAM_TURN_MAX: Duration = Duration::from_millis(50);

/// Most connections at a time. Fewer where the process may not open as many files.
pub const CONNECTIONS_MAX: usize = 4_096;
/// With room for fewer connections than this, the server warns at its start.
pub const CONNECTIONS_FEW: usize = 256;
/// One address may have this part of the connections: a quarter. Those of this machine may have
/// all.
pub const CONNECTIONS_SHARE_OF_ADDRESS: usize = 4;
/// Most threads that serve connections. Fewer where there are fewer cores.
pub const SERVING_THREADS_MAX: usize = 32;
/// Files that the runtime of each of them opens: two, and a socket for signals.
const FILES_PER_SERVING_THREAD: usize = 3;
/// Open files that connections must leave to the store and the threads.
pub const FILES_RESERVED: usize = 256;
/// Most bytes of a request's headers, the request line included.
pub const HEADERS_BYTES_MAX: usize = 16 * 1024;
/// Most bytes that one connection buffers while reading. Headers beyond this are not even read to
/// the end.
pub const CONNECTION_BUFFER_BYTES: u32 = 64 * 1024;
/// Most bytes that an HTTP/2 connection takes in ahead of its requests, all of them together.
pub(crate) const HTTP2_WINDOW_BYTES: u32 = 512 * 1024;
/// Most requests at a time on one HTTP/2 connection.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// Longest a request may take to send its headers, and a TLS handshake as a whole.
pub const HEADERS_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest a body may be behind the pace of [`BODY_BYTES_PER_SECOND_MIN`]. Bytes that came faster
/// are no credit for later.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Slowest a body may arrive, in bytes a second as sent.
pub const BODY_BYTES_PER_SECOND_MIN: u64 = 16 * 1024;
/// Longest a client may be behind the pace of [`ANSWER_BYTES_PER_SECOND_MIN`]. Bytes that it took
/// faster are no credit for later.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Slowest a client may take an answer, in bytes a second.
pub const ANSWER_BYTES_PER_SECOND_MIN: u64 = 16 * 1024;
/// Longest that a connection without a request may take to close once it was asked to.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How often connections are checked against these times.
pub const CONNECTION_CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// Longest that requests in progress may take after the server was told to stop. Below the 10 s
/// after which container engines kill.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(8);
/// How long a connection is kept for a last request, when the server drains and its sockets stay
/// open: its client may be sending.
pub(crate) const LAST_REQUESTS_TIME: Duration = Duration::from_millis(500);
/// Longest that either process of a handover waits for a word of the other that needs no work, and
/// for the lock of the store.
pub(crate) const HANDOVER_TIMEOUT: Duration = Duration::from_secs(10);
/// Most listening sockets of a server.
pub(crate) const HANDOVER_SOCKETS_MAX: usize = 32;
/// How long the server goes on answering after the store stopped, so that clients and health checks
/// learn why.
pub const STOPPED_LINGER: Duration = Duration::from_secs(1);
/// Most API keys of a store, expired and revoked ones included.
pub const KEYS_MAX: usize = 1_000;
/// Largest file of API keys that is read.
pub const KEYS_FILE_BYTES_MAX: u64 = 16 * MIB as u64;
/// Most bytes of the name of an API key.
pub const KEY_NAME_BYTES_MAX: usize = 100;
/// Most topic patterns of an API key.
pub const KEY_TOPICS_MAX: usize = 16;
/// How often a running server looks whether its keys have changed.
pub const KEYS_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Refusals are counted over this time, so that they do not fill the log.
pub const REFUSALS_LOG_INTERVAL: Duration = Duration::from_secs(10);
/// Most refusals that are logged one by one within [`REFUSALS_LOG_INTERVAL`].
pub const REFUSAL_LINES_MAX: u32 = 10;
/// The same for requests without a valid key. The line has the number of those before it.
pub(crate) const KEYLESS_LINES_MAX: u32 = 1;
/// A request that takes longer is logged with where the time went.
pub const SLOW_REQUEST: Duration = Duration::from_secs(1);
/// Most slow requests that are logged within [`REFUSALS_LOG_INTERVAL`].
pub(crate) const SLOW_LINES_MAX: u32 = 10;
/// How often the partitions are told what time it is, so that what is kept no longer goes.
pub const RETENTION_INTERVAL: Duration = Duration::from_secs(15);

/// How often a partition with commits is marked as durable up to the last. What is then lost of the
/// end of its log before the mark is known to be lost.
pub(crate) const MARK_INTERVAL: Duration = Duration::from_secs(1);

/// How often the free space of the disk is looked at.
pub const SPACE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The counters of so long are one interval of the history.
pub(crate) const HISTORY_INTERVAL: Duration = Duration::from_secs(10);
/// Intervals of the history: a quarter of an hour.
pub(crate) const HISTORY_INTERVALS_MAX: usize = 90;

/// How long after a start the first scrub begins.
pub const SCRUB_DELAY: Duration = Duration::from_secs(60);
/// A scrub begins so long after the one before began, or when that one ends.
pub const SCRUB_PERIOD: Duration = Duration::from_secs(7 * 24 * 3600);
/// A scrub reads at least so fast, in bytes a second, even if there is little to read.
pub const SCRUB_BYTES_PER_SECOND_MIN: u64 = MIB as u64;
/// A scrub reads at most so fast, in bytes a second, and takes longer than its period then.
pub const SCRUB_BYTES_PER_SECOND_MAX: u64 = 32 * MIB as u64;
/// A scrub rests after it has read about so many bytes.
pub const SCRUB_STEP_BYTES: u64 = 256 * 1024;
/// While events wait to be written, a scrub rests so many times as long.
pub const SCRUB_BUSY_SHARE: u32 = 8;

/// Levels of objects in a payload whose members the store keeps in columns.
pub(crate) const MEMBER_DEPTH_MAX: usize = 8;
/// Most members of a payload that are kept in columns: of one with more none are.
pub(crate) const MEMBERS_MAX: usize = 1_000;

const MIB: usize = 1024 * 1024;

const _: () = {
    assert!(PAYLOAD_BYTES_MAX < BODY_BYTES_MAX && BODY_BYTES_MAX <= BODIES_BYTES_MAX);
    // One client may have half of the memory, and the largest body is no more than that.
    assert!(BODY_WIRE_BYTES_MAX * 2 <= BODIES_BYTES_MAX && BODY_BYTES_MAX * 2 <= BODIES_BYTES_MAX);
    assert!(SMALL_BYTES_MAX * 256 <= SMALL_BODIES_BYTES_MAX);
    assert!((1 << ZSTD_WINDOW_LOG_MAX) <= BODY_BYTES_MAX);
    // The largest request fits an empty queue, and a commit (its bytes, and once more for evidence)
    // fits a frame.
    assert!(BODY_BYTES_MAX + BATCH_EVENTS_MAX * 64 <= QUEUE_BYTES_MAX / 8 * 5);
    assert!(BODY_BYTES_MAX + BATCH_EVENTS_MAX * 64 <= COMPARED_BYTES_MAX / 8 * 5);
    // Beside a client that has all it may have, the largest request of another fits the queue.
    assert!(BODY_BYTES_MAX + BATCH_EVENTS_MAX * 64 <= QUEUE_BYTES_MAX / 8 * 3);
    assert!(COMMIT_BYTES_MAX + 2 * COMMIT_SMALL_BYTES_MAX + 2 * BODY_BYTES_MAX < FRAME_BODY_BYTES_MAX);
    assert!(SMALL_BYTES_MAX <= COMMIT_SMALL_BYTES_MAX);
    assert!(DECIDE_AHEAD_BYTES < COMMIT_BYTES_MAX);
    assert!(PAGE_EVENTS_DEFAULT <= PAGE_EVENTS_MAX);
    assert!(PAGE_EVENTS_MAX <= PAGE_SCAN_EVENTS_MAX);
    assert!(2 * (2 * PAGE_BYTES_MAX + 2 * PAYLOAD_BYTES_MAX) <= ANSWERS_BYTES_MAX);
    assert!(2 * PARQUET_ANSWER_BYTES <= ANSWERS_BYTES_MAX);
    assert!(2 * PAYLOAD_BYTES_MAX <= SQL_VALUE_BYTES_MAX && SQL_CACHE_BYTES * 4 <= SQL_MEMORY_BYTES_MAX);
    assert!(2 * (SQL_ANSWER_BYTES_MAX + 2 * SQL_VALUE_BYTES_MAX) <= ANSWERS_BYTES_MAX);
    assert!(SQL_WITHIN_DEFAULT.as_secs() <= WITHIN_MAX.as_secs());
    assert!(HEADERS_BYTES_MAX < CONNECTION_BUFFER_BYTES as usize);
    // Any keys there may be can be read again: at worst every character is written as two.
    assert!(
        KEYS_MAX * 2 * (KEY_TOPICS_MAX * (TOPIC_BYTES_MAX + 4) + KEY_NAME_BYTES_MAX + 256)
            < KEYS_FILE_BYTES_MAX as usize
    );
    assert!(LAST_REQUESTS_TIME.as_millis() * 4 < DRAIN_TIMEOUT.as_millis());
    assert!(IDLE_TIMEOUT.as_secs() > HEADERS_TIMEOUT.as_secs());
    assert!(SERVING_THREADS_MAX * FILES_PER_SERVING_THREAD <= FILES_RESERVED / 2);
};
