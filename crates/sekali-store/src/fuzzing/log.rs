//! Frames and the recovery scan.

use std::path::Path;

use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use super::{STORE, number_at, put};
use crate::log::header::{self, FileHeader};
use crate::log::position::LogPosition;
use crate::log::recovery::{self, Findings, LogFileBytes};
use crate::log::{block, frame as frames};
use crate::salt::Salt;

/// A frame.
pub fn frame(bytes: &[u8]) {
    let salt = Salt::new(&STORE, 0);
    read_frame(bytes, salt);
    let mut mended = bytes.to_vec();
    mend_frame(&mut mended, None, salt);
    read_frame(&mended, salt);
}

fn read_frame(bytes: &[u8], salt: Salt) {
    let Some(frame) = frames::decode(bytes, salt) else { return };
    assert!(frame.len <= bytes.len(), "a frame ends behind its file");
    let rows: u32 = frame.blocks().map(|(_, block)| block.row_count).sum();
    assert_eq!(rows, frame.row_count, "a frame and its blocks disagree");
    for (_, block) in frame.blocks() {
        assert!(block.rows().count() <= block.row_count as usize, "a block has more rows than it says");
    }
}

/// A whole log file, recovered as the last one and as another, with and without a manifest that
/// vouches for a part.
pub fn log(bytes: &[u8]) {
    let salt = Salt::new(&STORE, 0);
    let mut mended = bytes.to_vec();
    mend_log(&mut mended, salt);
    for bytes in [bytes, &mended] {
        let vouched = LogPosition { next_seq: 8, next_commit: 4, ..LogPosition::default() };
        for (is_last, durable) in [(true, LogPosition::default()), (true, vouched), (false, LogPosition::default())] {
            let source = LogFileBytes { path: Path::new("log"), bytes, unreadable: &[], is_last, durable, salt };
            let (findings, position) = scan(&source);
            if findings.torn.is_some() {
                let kept = bytes.get(..findings.end as usize).unwrap_or_default();
                let (again, same) = scan(&LogFileBytes { bytes: kept, ..source });
                assert!(again.torn.is_none(), "a tail is torn again");
                assert_eq!((again.end, same), (findings.end, position), "a second recovery finds something else");
                assert_eq!(again.damage, findings.damage, "a second recovery finds other damage");
            }
        }
    }
}

/// Scans a file from the beginning of a log, and checks that what is found is in order.
fn scan(source: &LogFileBytes<'_>) -> (Findings, LogPosition) {
    let mut position = LogPosition::default();
    let (mut offset, mut next_seq) = (0, 0);
    let findings = recovery::scan(source, &mut position, |block, at| {
        assert!(at >= offset && block.first_seq >= next_seq, "blocks are visited out of order");
        (offset, next_seq) = (at + block.len as u64, block.end_seq());
    });
    assert!(next_seq <= position.next_seq, "a block is behind the end of the log");
    assert!(findings.end <= source.bytes.len() as u64, "the log ends behind its file");
    (findings, position)
}

fn mend_log(bytes: &mut [u8], salt: Salt) {
    let Some((start, rest)) = bytes.split_at_mut_checked(header::BYTES) else { return };
    let checksum = xxh3_64_with_seed(start.get(..header::BYTES - 8).unwrap_or_default(), salt.0);
    put(start, header::BYTES - 8, checksum);
    if FileHeader::decode(start, salt).is_none() {
        return;
    }
    let (mut at, mut previous) = (0, 0);
    while at < rest.len() {
        let tail = rest.get_mut(at..).unwrap_or_default();
        let found = tail.windows(frames::MAGIC.len()).position(|window| window == frames::MAGIC);
        let Some(frame) = found.and_then(|found| tail.get_mut(found..)) else { return };
        // The chain is mended too, unless the input breaks it in a way that can be meant: by naming
        // no frame before.
        let chained = number_at(frame, PREVIOUS_AT) != 0;
        let len = mend_frame(frame, chained.then_some(previous), salt);
        previous = number_at(frame, CHECKSUM_AT);
        at += found.unwrap_or(0) + len.max(1);
    }
}

const BODY_LEN_AT: usize = 12;
const PREVIOUS_AT: usize = 112;
const HEADS_AT: usize = 120;
const CHECKSUM_AT: usize = 128;

/// Gives the frame at the front of `bytes` checksums that agree; answers its length.
fn mend_frame(bytes: &mut [u8], previous: Option<u64>, salt: Salt) -> usize {
    let Some((head, body)) = bytes.split_at_mut_checked(frames::HEADER_BYTES) else { return bytes.len() };
    let len = (number_at(head, BODY_LEN_AT) as u32 as usize).min(body.len());
    let mut heads = Xxh3::with_seed(salt.0);
    let mut rest = body.get_mut(..len).unwrap_or_default();
    while rest.len() >= block::HEADER_BYTES {
        let rows_len = number_at(rest, 4) as u32 as usize;
        let (block, behind) = rest.split_at_mut(rest.len().min(block::HEADER_BYTES.saturating_add(rows_len)));
        mend_block(block, salt);
        heads.update(block.get(..block::HEADER_BYTES).unwrap_or_default());
        rest = behind;
    }
    if let Some(previous) = previous {
        put(head, PREVIOUS_AT, previous);
    }
    put(head, HEADS_AT, heads.digest());
    let checksum = xxh3_64_with_seed(head.get(..CHECKSUM_AT).unwrap_or_default(), salt.0);
    put(head, CHECKSUM_AT, checksum);
    frames::HEADER_BYTES + len
}

fn mend_block(bytes: &mut [u8], salt: Salt) {
    const CHECKSUM_AT: usize = block::HEADER_BYTES - 8;
    let Some((head, rows)) = bytes.split_at_mut_checked(block::HEADER_BYTES) else { return };
    let mut checksum = Xxh3::with_seed(salt.0);
    checksum.update(head.get(..CHECKSUM_AT).unwrap_or_default());
    checksum.update(rows);
    put(head, CHECKSUM_AT, checksum.digest());
}
