//! Rows that cannot be read: how far they reach, and how many they are.

use super::Fetched;
use super::keyed::place_of;

/// Row numbers behind a damaged place that are tried one by one, if something behind them can be
/// read. Where they have no holes, not one readable row is passed over.
const PROBES_MAX: i64 = 32 * 1024;
/// The same if it seems that nothing behind them can be read.
const LAST_PROBES_MAX: i64 = 4 * 1024;

/// The row numbers between two rows that can be read, where there may be such that cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// The last row that was read.
    after: Option<i64>,
    /// The first row number from which reading succeeds; `None` if there is none.
    pub(super) resume_at: Option<i64>,
}

impl Gap {
    /// Finds the end of the gap behind the row `after`. `is_readable` says whether reading from a
    /// row number on succeeds.
    pub(super) fn behind<E>(
        after: Option<i64>,
        mut is_readable: impl FnMut(i64) -> Result<bool, E>,
    ) -> Result<Self, E> {
        let start = match after {
            Some(after) => after.checked_add(1),
            None => Some(first_start(&mut is_readable)?),
        };
        let Some(start) = start else { return Ok(Self { after, resume_at: None }) };
        let far = far_readable(start, &mut is_readable)?;
        let probes = if far.is_some() { PROBES_MAX } else { LAST_PROBES_MAX };
        let end = far.unwrap_or(i64::MAX).min(start.saturating_add(probes));
        for rowid in start..end {
            if is_readable(rowid)? {
                return Ok(Self { after, resume_at: Some(rowid) });
            }
        }
        let resume_at = match far {
            Some(far) => Some(end_of_damage(end - 1, far, &mut is_readable)?),
            None => None,
        };
        Ok(Self { after, resume_at })
    }

    /// The row numbers that may be missing, first and last, where both are known.
    pub(super) fn bounds(&self) -> Option<(i64, i64)> {
        let last = self.resume_at.and_then(|rowid| rowid.checked_sub(1)).unwrap_or(i64::MAX);
        Some((self.after.map_or(Some(i64::MIN), |after| after.checked_add(1))?, last))
    }

    /// The message about it. `rows` is the number of missing rows, where an index knows.
    pub(super) fn describe(&self, rows: Option<u64>, error: &str) -> Fetched {
        let which = match (self.after, self.resume_at) {
            (Some(after), Some(resume_at)) => format!("between rowid {after} and rowid {resume_at}"),
            (Some(after), None) => format!("behind rowid {after}"),
            (None, Some(resume_at)) => format!("before rowid {resume_at}"),
            (None, None) => "of the whole table".to_owned(),
        };
        let width = match (self.after, self.resume_at) {
            (Some(after), Some(resume_at)) => u64::try_from(resume_at.saturating_sub(after).saturating_sub(1)).ok(),
            (None, Some(resume_at)) => u64::try_from(resume_at.saturating_sub(1)).ok(),
            _ => None,
        };
        let (rows, how_many) = match (rows, width.filter(|&width| width <= PROBES_MAX as u64)) {
            (Some(rows), _) => (rows, rows.to_string()),
            (None, Some(width)) => (width, format!("up to {width}")),
            (None, None) => (1, "an unknown number of".to_owned()),
        };
        let place = self.after.and_then(|after| after.checked_add(1)).unwrap_or(1);
        let reason = format!("{how_many} rows {which} cannot be read: {error}");
        Fetched::Gap { place, rows: rows.max(1), reason }
    }
}

/// The gap of a table or view of which `read` rows were read, of `all` where that is known.
pub(super) fn unreachable(read: u64, all: Option<u64>, error: &str) -> Fetched {
    let missing = all.map(|all| all.saturating_sub(read));
    let how_many = missing.map_or("an unknown number of".to_owned(), |missing| missing.to_string());
    let reason = format!("{how_many} rows cannot be read: {error}; {read} can");
    Fetched::Gap { place: place_of(read + 1), rows: missing.unwrap_or(1).max(1), reason }
}

/// A row number from which reading succeeds, sought ever farther from `start`.
fn far_readable<E>(start: i64, is_readable: &mut impl FnMut(i64) -> Result<bool, E>) -> Result<Option<i64>, E> {
    for power in 0..63 {
        let Some(rowid) = start.checked_add(1 << power) else { break };
        if is_readable(rowid)? {
            return Ok(Some(rowid));
        }
    }
    Ok(None)
}

/// Where to begin if not even the first row can be read: at 1, as nearly all tables do, or below
/// where there is something to read.
fn first_start<E>(is_readable: &mut impl FnMut(i64) -> Result<bool, E>) -> Result<i64, E> {
    for power in (1..63).rev() {
        let rowid = -(1_i64 << power);
        if is_readable(rowid)? {
            return Ok(rowid);
        }
    }
    Ok(1)
}

/// The least row number between a damaged and a readable one, from which reading succeeds; there
/// may be other damage between.
fn end_of_damage<E>(
    mut damaged: i64,
    mut readable: i64,
    is_readable: &mut impl FnMut(i64) -> Result<bool, E>,
) -> Result<i64, E> {
    while readable - damaged > 1 {
        let middle = damaged + (readable - damaged) / 2;
        match is_readable(middle)? {
            true => readable = middle,
            false => damaged = middle,
        }
    }
    Ok(readable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resume(after: Option<i64>, damaged: &[std::ops::RangeInclusive<i64>]) -> Option<i64> {
        let readable = |rowid| Ok::<_, ()>(!damaged.iter().any(|range| range.contains(&rowid)));
        Gap::behind(after, readable).unwrap().resume_at
    }

    #[test]
    fn reading_goes_on_behind_damage_however_long_it_is() {
        assert_eq!(resume(Some(10), &[11..=50]), Some(51));
        assert_eq!(resume(Some(10), &[11..=50, 60..=70]), Some(51));
        assert_eq!(resume(Some(10), &[11..=10_000_000_000]), Some(10_000_000_001));
        assert_eq!(resume(Some(-5), &[-4..=3]), Some(4));
        assert_eq!(resume(Some(10), &[11..=43, 60..=i64::MAX]), Some(44));
        assert_eq!(resume(Some(10), &[11..=i64::MAX]), None);
        assert_eq!(resume(Some(i64::MAX), &[0..=1]), None);
    }

    #[test]
    fn a_damaged_beginning_is_passed_too() {
        assert_eq!(resume(None, &[i64::MIN..=40]), Some(41));
        // There are rows below 1.
        assert_eq!(resume(None, &[i64::MIN..=-1_000]), Some(-512));
    }

    #[test]
    fn a_gap_says_where_it_is_and_how_many_rows_it_has() {
        let text = |after, resume_at, rows| match (Gap { after, resume_at }).describe(rows, "broken") {
            Fetched::Gap { place, rows, reason } => format!("{place}: {rows}: {reason}"),
            Fetched::Row { .. } => unreachable!(),
        };
        expect_test::expect!["6: 3: 3 rows between rowid 5 and rowid 9 cannot be read: broken"].assert_eq(&text(
            Some(5),
            Some(9),
            Some(3),
        ));
        expect_test::expect!["6: 3: up to 3 rows between rowid 5 and rowid 9 cannot be read: broken"].assert_eq(&text(
            Some(5),
            Some(9),
            None,
        ));
        expect_test::expect!["6: 1: an unknown number of rows behind rowid 5 cannot be read: broken"].assert_eq(&text(
            Some(5),
            None,
            None,
        ));
    }
}
