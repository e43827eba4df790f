//! Which rows may meet conditions on their payloads, by the columns of members, and by the filters
//! of texts that are in none.
//!
//! A column only ever says that a row does not meet a condition, or that it does for certain, by
//! the same test that a payload would be put to: the text in the column is the text in the payload.
//! A filter only ever says that a row does not. All other rows stay, and their payloads decide.

use super::{MemberPart, SOURCE_PATH};
use crate::error::Result;
use crate::invariant::invariant;
use crate::rules::{Need, PayloadConditions, Texting};
use crate::segment::filter::FilterPart;
use crate::segment::part_head::FetchPart;
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

/// The parts of a row group that tell of its payloads.
pub(in crate::segment) struct Known<'a, M, F> {
    /// Number of rows.
    pub(in crate::segment) rows: u32,
    pub(in crate::segment) members: Option<&'a MemberPart<M>>,
    /// Of all texts that no column has.
    pub(in crate::segment) filter: Option<&'a FilterPart<F>>,
}

/// Rows with one of several texts.
struct RowsWithText {
    /// They have one.
    certain: RowSet,
    /// They may have one, and their payloads tell.
    possible: RowSet,
}

impl<M: FetchPart, F: FetchPart> Known<'_, M, F> {
    /// The rows that may meet `conditions`. `None` where nothing is known of them.
    ///
    /// # Errors
    /// Those of reading.
    pub(in crate::segment) fn pick(&self, conditions: &dyn PayloadConditions) -> Result<Option<Pick>> {
        let (mut rows, mut unknown) = (RowSet::all(self.rows), RowSet::none(self.rows));
        for (number, path) in conditions.paths().into_iter().enumerate() {
            if rows.is_empty() {
                break;
            }
            let (may, does) = self.rows_of_condition(conditions, number, &path)?;
            rows.intersect(&may);
            let mut asked = may;
            asked.subtract(&does);
            unknown.unite(&asked);
        }
        for kind in [Texting::Any, Texting::None] {
            let texts = if rows.is_empty() { Vec::new() } else { conditions.texts(kind) };
            if texts.is_empty() {
                continue;
            }
            let RowsWithText { mut certain, possible } = self.rows_with_text(conditions, kind, &texts)?;
            unknown.unite(&possible);
            match kind {
                Texting::Any => {
                    certain.unite(&possible);
                    rows.intersect(&certain);
                }
                Texting::None => rows.subtract(&certain),
            }
        }
        unknown.intersect(&rows);
        invariant!(unknown.count(0..self.rows) <= rows.count(0..self.rows), "a row is asked that is left out");
        let is_of_use = unknown.count(0..self.rows) < u64::from(self.rows);
        Ok(is_of_use.then_some(Pick { rows, undecided: unknown, is_complete: conditions.are_all() }))
    }

    /// The rows that may meet the condition of this number, and those of them that do.
    fn rows_of_condition(
        &self,
        conditions: &dyn PayloadConditions,
        number: usize,
        path: &str,
    ) -> Result<(RowSet, RowSet)> {
        let column = self.members.map_or(Ok(None), |part| part.column(path))?;
        if let Some(column) = column {
            let missing = Verdict::of(conditions.hold(number, None));
            let of = |text: &[u8]| Verdict::of(conditions.hold(number, Some(text)));
            let verdicts = column.verdicts(missing, Verdict::Unknown, of);
            let may = RowSet::by_codes(&column.codes, &verdicts, |verdict| verdict != Verdict::No);
            let does = RowSet::by_codes(&column.codes, &verdicts, |verdict| verdict == Verdict::Yes);
            return Ok((may, does));
        }
        // A column that does not read, for a defect, has texts that the filter has not.
        let filter = self.filter.filter(|_| self.members.is_none_or(|part| !part.has(path)));
        let needs = filter.and_then(|filter| Some((filter, conditions.needs(number)?)));
        let Some((filter, needs)) = needs else { return Ok((RowSet::all(self.rows), RowSet::none(self.rows))) };
        let mut may = RowSet::none(self.rows);
        for need in needs {
            may.unite(&match need {
                Need::Text(text) => filter.rows_with_text(&text)?,
                Need::Number(number) => filter.rows_with_number(path.as_bytes(), &number)?,
            });
        }
        Ok((may, RowSet::none(self.rows)))
    }

    /// The rows with one of the texts of a condition, by the distinct texts of all columns, the
    /// filters and the names of paths.
    fn rows_with_text(
        &self,
        conditions: &dyn PayloadConditions,
        kind: Texting,
        texts: &[Vec<u8>],
    ) -> Result<RowsWithText> {
        let (mut certain, mut possible) = (RowSet::none(self.rows), RowSet::all(self.rows));
        let Some(part) = self.members else {
            possible.intersect(&self.rows_beside_columns(conditions, kind, texts)?);
            return Ok(RowsWithText { certain, possible });
        };
        let paths = || part.paths().filter(|path| *path != SOURCE_PATH);
        if paths().any(|path| conditions.may_name(kind, path)) {
            return Ok(RowsWithText { certain, possible });
        }
        if let Some(open) = part.open_rows()? {
            possible.intersect(&open);
        }
        for path in paths() {
            let has_text = |text: &[u8]| conditions.has_text(kind, text);
            // Most columns have it nowhere, and their codes need not be read.
            if part.any_text(path, has_text)? == Some(false) {
                continue;
            }
            let Some(column) = part.column(path)? else {
                return Ok(RowsWithText { certain: RowSet::none(self.rows), possible: RowSet::all(self.rows) });
            };
            // A row of which a column does not tell is open.
            let verdicts = column.verdicts(false, false, has_text);
            certain.unite(&RowSet::by_codes(&column.codes, &verdicts, |has| has));
        }
        possible.intersect(&self.rows_beside_columns(conditions, kind, texts)?);
        possible.subtract(&certain);
        invariant!(!certain.meets(&possible), "a row is certain to have a text, and is asked for it");
        Ok(RowsWithText { certain, possible })
    }

    /// The rows that may have one of the texts of a condition outside of columns.
    fn rows_beside_columns(
        &self,
        conditions: &dyn PayloadConditions,
        kind: Texting,
        texts: &[Vec<u8>],
    ) -> Result<RowSet> {
        let names = self.filter.and_then(|filter| Some((filter, filter.names()?)));
        let Some((filter, names)) = names else { return Ok(RowSet::all(self.rows)) };
        if names.iter().any(|path| conditions.may_name(kind, path)) {
            return Ok(RowSet::all(self.rows));
        }
        let mut rows = RowSet::none(self.rows);
        for text in texts {
            rows.unite(&filter.rows_with_text(text)?);
        }
        Ok(rows)
    }
}
