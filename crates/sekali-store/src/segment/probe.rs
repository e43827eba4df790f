//! Entry points for fuzzing the decoders that are private to segments.

use std::ops::Range;

use super::anchor::Anchor;
use super::directory::Directory;
use super::filter::FilterPart;
use super::index::{GroupIndex, TopicRows};
use super::summary::Summary;
use crate::error::Result;
use crate::salt::Salt;

/// Reads `body` as the directory of a segment, as the index of a row group and as an anchor, as if
/// the engine had written it: with a checksum that agrees.
pub(crate) fn decode(body: &[u8], salt: Salt) {
    let mut sealed = body.to_vec();
    salt.seal(&mut sealed);
    if let Some(directory) = Directory::decode(&sealed, salt) {
        let again = Directory::decode(&directory.encode(salt), salt);
        assert!(again.is_some_and(|again| again == directory), "a directory changes when it is written");
        let groups = directory.groups.len();
        let everywhere = directory.tallies().all(|(topic, _)| !directory.has_topic(groups.next_multiple_of(8), topic));
        assert!(everywhere, "a topic is in a row group that is not there");
    }
    if let Some((index, topics)) = GroupIndex::decode(&sealed, salt) {
        let again = GroupIndex::decode(&index.encode(&topics, salt), salt);
        assert!(
            again.is_some_and(|again| again == (index.clone(), topics.clone())),
            "the index of a row group changes when it is written"
        );
        let summary = Summary::new(body.to_vec());
        let rows = u64::from(index.rows);
        let by_minute = summary.by_minute(&topics).map(|counts| counts.iter().map(|count| count.events).sum::<u64>());
        assert!(by_minute.is_none_or(|counted| counted == rows), "a summary counts other events than there are");
        for topic in (0..topics.len()).filter_map(|number| TopicRows::get(&topics, number)) {
            for seqs in [0..u64::MAX, 3..4, u64::MAX..u64::MAX] {
                let rows = index.narrow(topic.rows.clone(), &seqs);
                let inside = rows.is_empty() || (rows.start >= topic.rows.start && rows.end <= topic.rows.end);
                assert!(inside, "rows of another topic are read");
            }
        }
    }
    probe_filter(body);
    if let Some(anchor) = Anchor::decode(&sealed, salt) {
        assert!(anchor.file_len() >= anchor.directory_offset, "a segment is shorter than its front");
    }
}

/// Reads `body` as the filters of a row group.
fn probe_filter(body: &[u8]) {
    const ROWS: u32 = 5_000;
    let fetch = |range: Range<u32>| -> Result<Vec<u8>> {
        Ok(body.get(range.start as usize..range.end as usize).unwrap_or_default().to_vec())
    };
    let part = FilterPart::open(ROWS, u32::try_from(body.len()).unwrap_or_default(), fetch);
    assert!(part.is_ok(), "filters in memory cannot be read");
    let Ok(Some(part)) = part else { return };
    let rows = [part.rows_with_text(b"a text of more than twelve"), part.rows_with_number(b"a", b"1")];
    for rows in rows {
        assert!(
            rows.is_ok_and(|rows| rows.count(0..u32::MAX) <= u64::from(ROWS)),
            "a filter has rows that are not there"
        );
    }
    let all = part.rows_with_text(b"ab");
    assert!(all.is_ok_and(|rows| rows.count(0..ROWS) == u64::from(ROWS)), "a filter knows of texts without grams");
}
