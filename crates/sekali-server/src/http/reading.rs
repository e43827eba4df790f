//! Parameters and members that all routes have in common which add events up.

use serde::Serialize;
use serde_json::value::RawValue;

use super::answer::{ApiError, wrong_parameter};
use super::parameters::Parameters;
use crate::limits::{GROUP_FIELDS_MAX, TOP_DEFAULT, TOP_MAX, WITHIN_MAX, WITHIN_MIN};
use crate::query::{Columns, Field, Group, Groups, Interval, ReadEnd, ReadReport};
use std::time::Duration;

/// How much was read, and how long it took.
#[derive(Debug, Serialize)]
pub(super) struct ReadSummary {
    events: u64,
    seconds: f64,
}

impl From<ReadReport> for ReadSummary {
    fn from(report: ReadReport) -> Self {
        Self::new(report.events, report.time)
    }
}

impl ReadSummary {
    /// Of so many events in this time.
    pub(super) fn new(events: u64, time: Duration) -> Self {
        // Microseconds are as much as anybody reads.
        Self { events, seconds: (time.as_secs_f64() * 1e6).round() / 1e6 }
    }

    /// Of an answer that is known without reading.
    pub(super) const NOTHING: Self = Self { events: 0, seconds: 0.0 };
}

/// Whether a reading was ended by nothing but the end of the events.
pub(super) fn is_complete(report: &ReadReport) -> bool {
    report.end == ReadEnd::All
}

/// The longest time to read, by `within`: `500ms` or `2s`.
///
/// # Errors
/// It is no length of time, or out of range.
pub(super) fn within(parameters: &Parameters<'_>) -> Result<Duration, ApiError> {
    Ok(parameters.time("within", WITHIN_MIN..=WITHIN_MAX)?.unwrap_or(Duration::MAX))
}

/// How many groups to answer with, by `top`.
///
/// # Errors
/// It is no number, or out of range.
pub(super) fn top(parameters: &Parameters<'_>) -> Result<usize, ApiError> {
    Ok(parameters.number("top", TOP_MAX)?.unwrap_or(TOP_DEFAULT) as usize)
}

/// The fields to group by, by `by`.
///
/// # Errors
/// It names no fields, or too many.
pub(super) fn by(parameters: &Parameters<'_>) -> Result<Vec<Field>, ApiError> {
    let Some(text) = parameters.get("by") else { return Ok(Vec::new()) };
    Field::parse_list(text, GROUP_FIELDS_MAX).map_err(|reason| wrong_parameter("by", &reason, &[]))
}

/// The fields that an answer has of each event, by `columns`.
///
/// # Errors
/// It names no fields, or too many.
pub(super) fn columns(parameters: &Parameters<'_>) -> Result<Option<Columns>, ApiError> {
    let columns = parameters.get("columns").map(Columns::parse).transpose();
    columns.map_err(|reason| wrong_parameter("columns", &reason, &[]))
}

/// The length of intervals, by `interval`.
///
/// # Errors
/// It is none.
pub(super) fn interval(parameters: &Parameters<'_>) -> Result<Option<Interval>, ApiError> {
    let Some(text) = parameters.get("interval") else { return Ok(None) };
    let interval = Interval::parse(text).map(Some);
    interval.ok_or_else(|| {
        wrong_parameter("interval", "must be a whole number with s, m, h or d, from 1s to 366d, like 5m", &[])
    })
}

/// The values of a group as a JSON array.
pub(super) fn key(group: &Group) -> Box<RawValue> {
    let text = format!("[{}]", String::from_utf8_lossy(&group.key));
    // The values were JSON when they were published.
    RawValue::from_string(text).unwrap_or_default()
}

/// The groups that are not listed.
#[derive(Debug, Serialize)]
pub(super) struct OtherGroups {
    pub(super) groups: u64,
    pub(super) count: u64,
}

impl OtherGroups {
    /// All groups but the `listed` ones.
    pub(super) fn new(groups: &Groups, listed: &[Group]) -> Self {
        let events: u64 = listed.iter().map(|group| group.count).sum();
        Self { groups: (groups.len() - listed.len()) as u64, count: groups.grouped() - events }
    }
}

/// The names of fields that events are grouped by.
pub(super) fn names(fields: &[Field]) -> Vec<String> {
    fields.iter().map(|field| field.name().to_owned()).collect()
}
