//! Entry points for fuzzing the decoders that are private to segments.

use super::anchor::Anchor;
use super::directory::Directory;
use super::index::{GroupIndex, TopicRows};
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
        for topic in (0..topics.len()).filter_map(|number| TopicRows::get(&topics, number)) {
            for seqs in [0..u64::MAX, 3..4, u64::MAX..u64::MAX] {
                let rows = index.narrow(topic.rows.clone(), &seqs);
                let inside = rows.is_empty() || (rows.start >= topic.rows.start && rows.end <= topic.rows.end);
                assert!(inside, "rows of another topic are read");
            }
        }
    }
    if let Some(anchor) = Anchor::decode(&sealed, salt) {
        assert!(anchor.file_len() >= anchor.directory_offset, "a segment is shorter than its front");
    }
}
