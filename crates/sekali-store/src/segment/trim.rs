//! Copies a segment without some of its topics.

use super::dir::SegmentDir;
use super::info::SegmentInfo;
use super::query::RowQuery;
use super::reader::Segment;
use super::writer::SegmentWriter;
use crate::error::Result;

/// Writes the events of a segment whose topics are to `stay` as a segment of `dir`, which must give
/// it another name: see [`SegmentDir::revised`]. `None` where nothing stays. The segment itself is
/// left as it is.
///
/// # Errors
/// `Damaged` where the segment is, and no other is left then; `Io`.
pub(crate) fn trim(dir: &SegmentDir, segment: &Segment, stay: impl Fn(&str) -> bool) -> Result<Option<SegmentInfo>> {
    let mut writer = SegmentWriter::new(dir);
    for number in 0..segment.row_groups().len() {
        let mut pushed = Ok(());
        segment.visit(number, &RowQuery::default(), |seq, received_at_ns, event| {
            if pushed.is_ok() && stay(event.topic) {
                pushed = writer.push(seq, received_at_ns, &event);
            }
        })?;
        pushed?;
    }
    writer.finish()
}
