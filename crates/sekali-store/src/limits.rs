//! Every cap of the engine, with the relations between them.
//!
//! The caps on single events are part of the file format: the encoding of a row has room for
//! exactly these lengths.

/// Longest topic, in bytes of UTF-8.
pub const TOPIC_BYTES_MAX: usize = 255;
/// Longest event id, in bytes of UTF-8.
pub const EVENT_ID_BYTES_MAX: usize = 512;
/// Longest source, in bytes of UTF-8. A source may be empty.
pub const SOURCE_BYTES_MAX: usize = 255;
/// Largest payload of a published event, in bytes of JSON text.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// Largest payload of a stored row, in bytes. Evidence of a conflict wraps a client's payload, so
/// it needs a little more: topic and event id again, each byte of which may be escaped to six.
pub const STORED_PAYLOAD_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 8 * 1024;

/// A commit that finds the log file this long, in bytes, begins a new one. Every start rewrites the
/// last file, so this bounds that part of the start-up time: 64 MiB is about 0.2 s at 400 MB/s.
pub(crate) const LOG_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// The log reserves its space on the disk in steps of this many bytes, ahead of what it writes, so
/// that no frame that fits fails for want of space.
pub(crate) const LOG_AHEAD_BYTES: u64 = 4 * 1024 * 1024;
/// A file that is written beside the log is synced each time it has grown by this many bytes, so
/// that the log's next sync has little to wait for: about 2 ms at 500 MB/s.
pub(crate) const BACKGROUND_SYNC_BYTES: usize = 1024 * 1024;
/// The space of a removed log file or run is returned in steps of this many bytes, each of which
/// may delay a sync: 1 ms.
pub(crate) const UNLINKED_STEP_BYTES: u64 = 4 * 1024 * 1024;
/// Most removed files that wait for their space to be returned; with more, that of the oldest is
/// returned at once.
pub(crate) const UNLINKED_FILES_MAX: usize = 16;
/// Rows of a frame are checksummed in blocks of about this size, so that reading one event need not
/// read a whole commit.
pub(crate) const BLOCK_BYTES: usize = 64 * 1024;
/// The in-memory index of a log file has one entry for about this many bytes: 25 GB of log is
/// 400,000 entries.
pub(crate) const EXTENT_BYTES: u64 = 64 * 1024;
/// Most bytes of rows in one frame, and so in one commit.
pub const FRAME_BODY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Most rows of a row group of a segment. With [`SEGMENT_GROUP_BYTES`] this bounds the memory of
/// the writer, and of a reader of everything in order.
pub(crate) const SEGMENT_GROUP_ROWS: usize = 128 * 1024;
/// A row group takes no more rows once its rows have this many bytes.
pub(crate) const SEGMENT_GROUP_BYTES: usize = 32 * 1024 * 1024;
/// Most rows of a page, the unit of decoding: one event costs one page of each column. Fewer rows
/// decode faster and compress worse.
pub(crate) const SEGMENT_PAGE_ROWS: usize = 1024;
/// A page takes no more values once they have this many bytes.
pub(crate) const SEGMENT_PAGE_BYTES: usize = 256 * 1024;
/// Segments have one checksum of 8 bytes for each block of this many bytes.
pub(crate) const SEGMENT_CHECK_BYTES: usize = 8 * 1024;
/// A topic is looked up in a row group by reading about this many bytes of the group's index.
pub(crate) const SEGMENT_TOPICS_BYTES: usize = 8 * 1024;

/// Most columns of members of a row group.
pub(crate) const MEMBER_COLUMNS_MAX: usize = 64;
/// Most paths of members that the writer of a row group collects: two bytes each for every row.
pub(crate) const MEMBER_PATHS_MAX: usize = 64;
/// Longest path of a column, in bytes.
pub(crate) const MEMBER_NAME_BYTES_MAX: usize = 512;
/// Longest text in a column, in bytes.
pub(crate) const MEMBER_TEXT_BYTES_MAX: usize = 256;
/// Most distinct texts of a column.
pub(crate) const MEMBER_ENTRIES_MAX: usize = 32 * 1024;
/// Most bytes of the distinct texts of a column: more would not stay in the caches of a core.
pub(crate) const MEMBER_DICTIONARY_BYTES_MAX: usize = 256 * 1024;
/// Most memory for the distinct texts of all columns of a row group while it is written.
pub(crate) const MEMBER_DICTIONARIES_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A column is given up that has so many distinct texts in the first [`MEMBER_TRIAL_ROWS`] rows.
pub(crate) const MEMBER_TRIAL_ENTRIES: usize = 3_500;
/// See [`MEMBER_TRIAL_ENTRIES`].
pub(crate) const MEMBER_TRIAL_ROWS: u32 = 4_096;
/// The columns of members of a row group take no more than one in so many of its bytes.
pub(crate) const MEMBER_BYTES_SHARE: usize = 5;
/// Most bytes of the counts by source of a row group, and of its counts by minute.
pub(crate) const SUMMARY_BYTES_MAX: usize = 16 * 1024;
/// The filters of a row group take no more than one in so many of its bytes.
pub(crate) const FILTER_BYTES_SHARE: usize = 10;
/// Most and fewest rows of a block of a filter.
pub(crate) const FILTER_BLOCK_ROWS_MAX: u32 = 8 * 1024;
/// See [`FILTER_BLOCK_ROWS_MAX`].
pub(crate) const FILTER_BLOCK_ROWS_MIN: u32 = 1024;
/// A block of a filter has fewer rows where they have more bytes of texts without a column than
/// this.
pub(crate) const FILTER_BLOCK_TEXT_BYTES: usize = 320 * 1024;
/// Most bytes of the paths without a column that a filter lists.
pub(crate) const FILTER_NAMES_BYTES_MAX: usize = 4 * 1024;
/// With more log files waiting to be sealed, row groups get no filters before they are merged.
pub(crate) const FILTER_BACKLOG_MAX: usize = 16;
/// With more log files waiting to be sealed, row groups get no columns of members before they are
/// merged. Up to [`UNSEALED_FILES_FLUSH`] wait at every steady load, for their keys to be in runs;
/// and a merge that has to add columns decodes payloads that it would otherwise copy.
pub(crate) const MEMBER_BACKLOG_MAX: usize = 32;

/// About how many bytes of decoded events a scan holds: enough that pages that hold many topics are
/// decoded a few times and not a hundred.
pub(crate) const SCAN_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Adjacent segments of one size that are merged into one of the next.
pub(crate) const SEGMENT_FAN_IN: usize = 8;
/// Segments whose rows have this many bytes in the log are merged no further: a file of some 500
/// MB, at 8 to 1.
pub(crate) const SEGMENT_MERGED_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Closed log files, of 64 MiB each, that may wait to be sealed before commits wait for the sealer.
pub(crate) const UNSEALED_FILES_MAX: usize = 64;
/// With this many log files waiting, the sealer flushes the dedup index, since only events whose
/// keys are in runs can be sealed.
pub(crate) const UNSEALED_FILES_FLUSH: usize = 16;

/// The log is sealed once its oldest event has waited for so long, in nanoseconds: an hour.
pub(crate) const SEAL_AFTER_NS: i64 = 3_600 * 1_000_000_000;
/// The log is sealed once there was no commit for so long, in nanoseconds: five minutes.
pub(crate) const SEAL_IDLE_NS: i64 = 300 * 1_000_000_000;
/// A log of [`SLOW_LOG_BYTES`] is sealed once there was no commit for so long, in nanoseconds: 15
/// seconds. Searching it takes a core about 20 ms, and a segment next to nothing.
pub(crate) const SEAL_SLOW_IDLE_NS: i64 = 15 * 1_000_000_000;
/// See [`SEAL_SLOW_IDLE_NS`].
pub(crate) const SLOW_LOG_BYTES: u64 = 4 * 1024 * 1024;
/// A log of [`LARGE_LOG_BYTES`] is sealed once its oldest event has waited for so long, in
/// nanoseconds: a minute. More events than a dedup index takes in memory come in that time only
/// under a load that fills log files within seconds, and seals them when they are full.
pub(crate) const SEAL_LARGE_AFTER_NS: i64 = 60 * 1_000_000_000;
/// See [`SEAL_LARGE_AFTER_NS`].
pub(crate) const LARGE_LOG_BYTES: u64 = 16 * 1024 * 1024;
/// Events of so long a time, in nanoseconds, may be together in a file however little they may age:
/// fifteen seconds.
pub(crate) const SEAL_SPAN_NS_MIN: i64 = 15 * 1_000_000_000;
/// Log files may become so long, in bytes, however little may stay.
pub(crate) const LIMITED_FILE_BYTES_MIN: u64 = 64 * 1024;

/// Most copies of torn tails that are kept; a start that cuts off another removes the oldest.
pub(crate) const TORN_FILES_MAX: usize = 16;
/// Most bytes of those copies together; the newest is kept however long it is.
pub(crate) const TORN_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads leave an event out at most so long after it is due by age, in nanoseconds: a second. Files
/// are removed later.
pub(crate) const DUE_LAG_NS_MAX: i64 = 1_000_000_000;

/// Free space, in bytes, that must remain on the file system after a commit; with less, commits are
/// refused before they touch the log.
pub const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;

/// Attempts of a backup to open the live files of a partition, which takes milliseconds, without a
/// change of the manifest in between.
pub(crate) const BACKUP_TRIES_MAX: usize = 100;
/// Bytes that a backup copies at a time.
pub(crate) const BACKUP_COPY_BYTES: usize = 1024 * 1024;

/// Most partitions of a store: their numbers have four digits on disk.
pub const PARTITIONS_MAX: u32 = 1024;

/// Entries in one in-memory table of the dedup index; a full table is written as a run. At 36 bytes
/// an entry this is 38 MB, and at most `1 + INDEX_TABLES_WAITING_MAX` of them exist.
pub(crate) const INDEX_TABLE_ENTRIES: usize = 1 << 20;
/// Most entries of a table: a slot of its directory has 32 bits for position and tag.
pub(crate) const INDEX_TABLE_ENTRIES_MAX: usize = 1 << 26;
/// Full tables that may wait to be written before inserts wait for the background thread.
pub(crate) const INDEX_TABLES_WAITING_MAX: usize = 2;
/// Full tables that a start may hold while it cannot write them. A crash leaves fewer in the log to
/// be replayed; this many arise only where the index is built anew.
pub(crate) const INDEX_TABLES_REPLAYED_MAX: usize = 2 * (1 + INDEX_TABLES_WAITING_MAX);
/// Runs of one size that are merged into one of the next.
pub(crate) const INDEX_FAN_IN: usize = 4;
/// No merge makes a run longer than this, so that the filters of a new run, which exist beside
/// those of its inputs, need at most about 350 MB.
pub(crate) const INDEX_RUN_ENTRIES_MAX: u64 = 1 << 28;
/// With this many runs overdue, merging comes before the writing of tables, and so before inserts.
pub(crate) const INDEX_RUNS_OVERDUE_MAX: usize = 12;
/// Blocks of a run that share one filter: 143,360 entries, whose filter is built in about 4 MB of
/// memory.
pub(crate) const INDEX_CHUNK_BLOCKS: usize = 1024;
/// Bytes that flushes and merges read or write at a time, for each file.
pub(crate) const INDEX_BUFFER_BYTES: usize = 256 * 1024;

const _: () = {
    assert!(INDEX_TABLE_ENTRIES <= INDEX_TABLE_ENTRIES_MAX);
    assert!(INDEX_FAN_IN >= 2);
    assert!(INDEX_RUN_ENTRIES_MAX >= (INDEX_TABLE_ENTRIES * INDEX_FAN_IN) as u64);
    assert!(INDEX_BUFFER_BYTES.is_multiple_of(4096));
    assert!(BACKGROUND_SYNC_BYTES >= INDEX_BUFFER_BYTES);
    assert!(TOPIC_BYTES_MAX <= u16::MAX as usize);
    assert!(EVENT_ID_BYTES_MAX <= u16::MAX as usize);
    assert!(SOURCE_BYTES_MAX <= u16::MAX as usize);
    assert!(STORED_PAYLOAD_BYTES_MAX > PAYLOAD_BYTES_MAX + 6 * (TOPIC_BYTES_MAX + EVENT_ID_BYTES_MAX));
    assert!(STORED_PAYLOAD_BYTES_MAX * 2 < FRAME_BODY_BYTES_MAX);
    assert!(FRAME_BODY_BYTES_MAX < u32::MAX as usize);
    assert!(PARTITIONS_MAX <= 10_000);
    assert!(SEGMENT_FAN_IN >= 2);
    assert!(UNSEALED_FILES_FLUSH < UNSEALED_FILES_MAX);
    assert!(LOG_AHEAD_BYTES <= LOG_FILE_BYTES);
    assert!(SEGMENT_PAGE_ROWS <= SEGMENT_GROUP_ROWS);
    // Codes have 16 bits, and so have the lengths of paths and texts.
    assert!(MEMBER_ENTRIES_MAX + 2 <= u16::MAX as usize && MEMBER_COLUMNS_MAX <= MEMBER_PATHS_MAX);
    assert!(MEMBER_TEXT_BYTES_MAX <= MEMBER_NAME_BYTES_MAX && MEMBER_NAME_BYTES_MAX <= u16::MAX as usize);
    assert!(MEMBER_BACKLOG_MAX > UNSEALED_FILES_FLUSH && MEMBER_BACKLOG_MAX < UNSEALED_FILES_MAX);
    assert!(SEGMENT_PAGE_BYTES <= SEGMENT_GROUP_BYTES);
    assert!(SCAN_BYTES_MAX <= SEGMENT_GROUP_BYTES && STORED_PAYLOAD_BYTES_MAX < SCAN_BYTES_MAX);
    // Offsets in a row group have 32 bits, even if compression were to double its size.
    assert!((SEGMENT_GROUP_BYTES + STORED_PAYLOAD_BYTES_MAX) * 2 < u32::MAX as usize);
};
