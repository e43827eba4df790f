//! Every cap of the engine, in one place and related to each other.
//!
//! The caps on single events are part of the file format: the row encoding has room for exactly these lengths.

/// Longest topic, in bytes of UTF-8.
pub const TOPIC_BYTES_MAX: usize = 255;
/// Longest event id, in bytes of UTF-8.
pub const EVENT_ID_BYTES_MAX: usize = 512;
/// Longest source, in bytes of UTF-8. A source may be empty.
pub const SOURCE_BYTES_MAX: usize = 255;
/// Largest payload a client may publish, in bytes of JSON text.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// Largest payload of any stored row. Conflict evidence wraps a client's payload, so it needs a little more room:
/// topic and event id again, where every byte may have been escaped to six.
pub const STORED_PAYLOAD_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 8 * 1024;

/// A log file is closed, and a new one begun, at the first commit that finds it this long. The last file is
/// rewritten at every start, so this bounds that part of the start-up time: 64 MiB is about 0.2 s at 400 MB/s.
pub(crate) const LOG_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// The log takes its space on the disk in steps of this many bytes, ahead of what it writes: a frame that fits cannot fail
/// for want of space.
pub(crate) const LOG_AHEAD_BYTES: u64 = 4 * 1024 * 1024;
/// A file that is written beside the log is synced each time it has grown by this much, so that the log's next sync has
/// little to wait for: about 2 ms at 500 MB/s.
pub(crate) const BACKGROUND_SYNC_BYTES: usize = 1024 * 1024;
/// The space of a removed log file or run is given back in steps of this many bytes, each of which a sync may have to wait
/// for: 1 ms.
pub(crate) const UNLINKED_STEP_BYTES: u64 = 4 * 1024 * 1024;
/// Most removed files that wait for their space to be given back; with more, that of the oldest is at once.
pub(crate) const UNLINKED_FILES_MAX: usize = 16;
/// Rows of a frame are checksummed in blocks of about this size, so that reading one event need not read a whole commit.
pub(crate) const BLOCK_BYTES: usize = 64 * 1024;
/// The in-memory index of a log file has one entry for about this many bytes: 25 GB of log is 400,000 entries.
pub(crate) const EXTENT_BYTES: u64 = 64 * 1024;
/// Most bytes of rows in one frame: what one commit may write.
pub const FRAME_BODY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Most rows of a row group of a segment. With [`SEGMENT_GROUP_BYTES`] this bounds the memory of the writer, and of a reader that
/// wants everything in order.
pub(crate) const SEGMENT_GROUP_ROWS: usize = 128 * 1024;
/// A row group takes no more rows once its rows have this many bytes.
pub(crate) const SEGMENT_GROUP_BYTES: usize = 32 * 1024 * 1024;
/// Most rows of a page, the unit of decoding: one event costs one page of each column. Fewer rows are quicker to decode and
/// compress worse.
pub(crate) const SEGMENT_PAGE_ROWS: usize = 1024;
/// A page takes no more values once they have this many bytes.
pub(crate) const SEGMENT_PAGE_BYTES: usize = 256 * 1024;
/// Segments are checksummed in blocks of this many bytes: 8 bytes of checksum for each.
pub(crate) const SEGMENT_CHECK_BYTES: usize = 8 * 1024;
/// A topic is looked up in a row group by reading about this many bytes of the row group's index.
pub(crate) const SEGMENT_TOPICS_BYTES: usize = 8 * 1024;

/// Adjacent segments of one size that are merged into one of the next.
pub(crate) const SEGMENT_FAN_IN: usize = 8;
/// Segments whose rows have this many bytes in the log are not merged any further: a file of some 500 MB, at 8 to 1.
pub(crate) const SEGMENT_MERGED_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Closed log files, of 64 MiB each, that may wait to be sealed before commits wait for the sealer.
pub(crate) const UNSEALED_FILES_MAX: usize = 64;
/// With so many waiting, the dedup index is asked to write out what it holds in memory, since only what it has on disk can
/// be sealed.
pub(crate) const UNSEALED_FILES_FLUSH: usize = 16;

/// Free space, in bytes, that must remain on the file system after a commit; with less, commits are refused before
/// the log is touched.
pub const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;

/// How often a backup looks for a moment at which what is live in a partition does not change while its files are opened,
/// which takes milliseconds.
pub(crate) const BACKUP_TRIES_MAX: usize = 100;
/// Bytes that a backup copies at a time.
pub(crate) const BACKUP_COPY_BYTES: usize = 1024 * 1024;

/// Most partitions a store may have: their numbers have four digits on disk.
pub const PARTITIONS_MAX: u32 = 1024;

/// Entries in one in-memory table of the dedup index; a full table is written out as a run. At 36 bytes an entry
/// this is 38 MB, and at most `1 + INDEX_TABLES_WAITING_MAX` of them exist.
pub(crate) const INDEX_TABLE_ENTRIES: usize = 1 << 20;
/// Most entries a table can be asked to hold: a slot of its directory has 32 bits for position and tag.
pub(crate) const INDEX_TABLE_ENTRIES_MAX: usize = 1 << 26;
/// Full tables that may wait to be written before inserts wait for the background thread.
pub(crate) const INDEX_TABLES_WAITING_MAX: usize = 2;
/// Full tables that a start may hold which cannot write them. As many as a crash leaves to be read from the log are fewer: it
/// takes more only where the index is made anew.
pub(crate) const INDEX_TABLES_REPLAYED_MAX: usize = 2 * (1 + INDEX_TABLES_WAITING_MAX);
/// Runs of one size that are merged into one of the next.
pub(crate) const INDEX_FAN_IN: usize = 4;
/// No merge makes a run longer than this, so that the filters of a new run, which exist beside those of the runs it
/// replaces, need at most about 350 MB.
pub(crate) const INDEX_RUN_ENTRIES_MAX: u64 = 1 << 28;
/// When so many runs are overdue for merging, merging goes before the writing of tables, and so before inserts.
pub(crate) const INDEX_RUNS_OVERDUE_MAX: usize = 12;
/// Blocks of a run that share one filter: 143,360 entries, whose filter is built in about 4 MB of memory.
pub(crate) const INDEX_CHUNK_BLOCKS: usize = 1024;
/// Bytes read or written at a time by flushes and merges, for each file.
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
    assert!(SEGMENT_PAGE_BYTES <= SEGMENT_GROUP_BYTES);
    // Offsets in a row group have 32 bits, even if compression were to double its size.
    assert!((SEGMENT_GROUP_BYTES + STORED_PAYLOAD_BYTES_MAX) * 2 < u32::MAX as usize);
};
