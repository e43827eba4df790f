//! Which rows may meet conditions on their payloads, by the columns of members.
//!
//! A column only ever says that a row does not meet a condition, or that it does for certain, by
//! the same test that a payload would be put to: the text in the column is the text in the payload.
//! All other rows stay, and their payloads decide.

use super::{FetchPart, MemberPart, SOURCE_PATH};
use crate::error::Result;
use crate::rules::PayloadConditions;
use crate::segment::row_set::RowSet;

/// The rows that may meet conditions.
#[derive(Debug)]
pub(in crate::segment) struct Pick {
    pub(in crate::segment) rows: RowSet,
    /// Those of them whose payloads have to be asked by a condition.
    pub(in crate::segment) undecided: RowSet,
    /// Whether all others do meet them: every condition was looked at.
    pub(in crate::segment) is_complete: bool,
}

impl Pick {
    /// Whether each of the rows does meet the conditions, so that no payload has to be looked at.
    pub(in crate::segment) fn is_certain(&self) -> bool {
        self.is_complete && self.undecided.is_empty()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    No,
    Yes,
    Unknown,
}

impl Verdict {
    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// A pick in progress.
struct Picking {
    rows: RowSet,
    /// Rows of which a column could not tell.
    unknown: RowSet,
    /// Whether every condition was looked at.
    is_complete: bool,
    /// Whether any was.
    is_of_use: bool,
}

/// The rows that may meet `conditions`. `None` where the columns tell nothing.
///
/// # Errors
/// Those of reading.
pub(in crate::segment) fn pick<F: FetchPart>(
    part: &MemberPart<F>,
    conditions: &dyn PayloadConditions,
) -> Result<Option<Pick>> {
    let (rows, unknown) = (RowSet::all(part.rows()), RowSet::none(part.rows()));
    let mut picking = Picking { rows, unknown, is_complete: conditions.are_all(), is_of_use: false };
    for (number, path) in conditions.paths().into_iter().enumerate() {
        if picking.rows.is_empty() {
            break;
        }
        let Some(column) = part.column(&path)? else {
            picking.is_complete = false;
            continue;
        };
        let missing = Verdict::of(conditions.hold(number, None));
        let of = |text: &[u8]| Verdict::of(conditions.hold(number, Some(text)));
        let verdicts = column.verdicts(missing, Verdict::Unknown, of);
        picking.rows.intersect(&RowSet::by_codes(&column.codes, &verdicts, |verdict| verdict != Verdict::No));
        picking.unknown.unite(&RowSet::by_codes(&column.codes, &verdicts, |verdict| verdict == Verdict::Unknown));
        picking.is_of_use = true;
    }
    if conditions.want_text() && !picking.rows.is_empty() {
        pick_text(part, conditions, &mut picking)?;
    }
    let Picking { rows, unknown, is_complete, is_of_use } = picking;
    let mut undecided = unknown;
    undecided.intersect(&rows);
    Ok(is_of_use.then_some(Pick { rows, undecided, is_complete }))
}

/// Leaves out the rows that have none of the wanted texts, by the distinct texts of all columns.
/// Open rows stay. So do all where a member's name may have it.
fn pick_text<F: FetchPart>(
    part: &MemberPart<F>,
    conditions: &dyn PayloadConditions,
    picking: &mut Picking,
) -> Result<()> {
    let paths = || part.paths().filter(|path| *path != SOURCE_PATH);
    let open = if paths().any(|path| conditions.may_name(path)) { None } else { part.open_rows()? };
    let Some(open) = open else {
        picking.is_complete = false;
        return Ok(());
    };
    let mut hits = RowSet::none(part.rows());
    for path in paths() {
        let Some(column) = part.column(path)? else {
            picking.is_complete = false;
            return Ok(());
        };
        let verdicts = column.verdicts(Verdict::No, Verdict::Unknown, |text| Verdict::of(conditions.has_text(text)));
        hits.unite(&RowSet::by_codes(&column.codes, &verdicts, |verdict| verdict != Verdict::No));
        picking.unknown.unite(&RowSet::by_codes(&column.codes, &verdicts, |verdict| verdict == Verdict::Unknown));
    }
    hits.unite(&open);
    picking.unknown.unite(&open);
    picking.rows.intersect(&hits);
    picking.is_of_use = true;
    Ok(())
}
