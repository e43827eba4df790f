//! `GET /events/stats`

use sekali_store::Order;
use sekali_wire::timestamp::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::count::IntervalChoice;
use crate::http::answer::{ApiError, Json, wrong_parameter};
use crate::http::event_query::parse_event_query;
use crate::http::numbers::Numbers;
use crate::http::parameters::Parameters;
use crate::http::reading::{OtherGroups, ReadSummary, by, is_complete, key, names, top, within};
use crate::http::route::{Admitted, Answer};
use crate::limits::PERCENTILE_ERROR;
use crate::query::{Group, Measure, Measures, NumberSummary, ReadExtent, ReadReport};

/// Most percentiles in an answer.
const PERCENTILES_MAX: usize = 16;

/// One number of matching events: count, range, mean and percentiles, by groups and over time.
pub(super) async fn event_stats(request: Box<Admitted>) -> Answer {
    let parameters = request.parameters()?;
    let query = parse_event_query(&parameters, &request.grant)?;
    let service = &request.app.shared.service;
    let Some(field) = parameters.get("field") else {
        let reason = "is missing: name a number, like payload.duration_ms, delay or size";
        return Err(wrong_parameter("field", reason, &[]));
    };
    let measure = Measure::parse(field).map_err(|reason| wrong_parameter("field", &reason, &[]))?;
    let percentiles = percentiles(&parameters)?;
    let (by, top) = (by(&parameters)?, top(&parameters)?);
    let interval = IntervalChoice::parse(&parameters)?;
    let wanted = interval.wanted_totals(&query);
    let (query, totals) = service.totals(request.client(), query, wanted).await?;
    let histogram = interval.histogram(&query, totals.timestamps_ns)?;
    let extent = ReadExtent { order: Order::Ascending, max: u64::MAX, within: within(&parameters)? };
    let (measures, report) =
        service.aggregate(request.client(), query, extent, Measures::new(measure, by, histogram)).await?;
    Ok(Json(StatsAnswer::new(field, &measures, report, &percentiles, top)).into_response())
}

/// The percentiles that are asked for: 50, 90 and 99 unless the client says otherwise.
fn percentiles(parameters: &Parameters<'_>) -> Result<Vec<f64>, ApiError> {
    let Some(text) = parameters.get("percentiles") else { return Ok(vec![50.0, 90.0, 99.0]) };
    let percentiles = text.split(',').map(|text| text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent)));
    let percentiles: Option<Vec<f64>> = percentiles.collect();
    percentiles.filter(|percentiles| percentiles.len() <= PERCENTILES_MAX).ok_or_else(|| {
        let reason =
            format!("must be up to {PERCENTILES_MAX} numbers from 0 to 100 with commas between them, like 50,99.9");
        wrong_parameter("percentiles", &reason, &[])
    })
}

#[derive(Debug, Serialize)]
struct StatsAnswer {
    field: String,
    count: u64,
    missing: u64,
    not_numbers: u64,
    #[serde(flatten)]
    numbers: Numbers,
    relative_error: f64,
    complete: bool,
    read: ReadSummary,
    #[serde(flatten)]
    grouped: Option<Grouped>,
    #[serde(flatten)]
    over_time: Option<OverTime>,
}

#[derive(Debug, Serialize)]
struct Grouped {
    by: Vec<String>,
    groups: Vec<GroupAnswer>,
    other: OtherGroups,
    exact: bool,
}

#[derive(Debug, Serialize)]
struct GroupAnswer {
    key: Box<RawValue>,
    count: u64,
    #[serde(flatten)]
    numbers: Option<Numbers>,
}

#[derive(Debug, Serialize)]
struct OverTime {
    interval_seconds: u64,
    starts: Vec<Timestamp>,
    series: Vec<Series>,
}

/// The numbers of a group, or of all events, by interval: `null` where there were none.
#[derive(Debug, Serialize)]
struct Series {
    key: Box<RawValue>,
    intervals: Vec<Option<IntervalAnswer>>,
}

#[derive(Debug, Serialize)]
struct IntervalAnswer {
    count: u64,
    #[serde(flatten)]
    numbers: Numbers,
}

impl StatsAnswer {
    fn new(field: &str, measures: &Measures, report: ReadReport, percentiles: &[f64], top: usize) -> Self {
        let listed = measures.groups.as_ref().map(|groups| groups.top(top));
        let grouped = measures.groups.as_ref().zip(listed.as_ref()).map(|(groups, listed)| Grouped {
            by: names(groups.fields()),
            groups: listed.iter().map(|group| group_answer(measures, group, percentiles)).collect(),
            other: OtherGroups::new(groups, listed),
            exact: measures.is_exact(),
        });
        Self {
            field: field.to_owned(),
            count: measures.total.count(),
            missing: measures.missing,
            not_numbers: measures.not_numbers,
            numbers: Numbers::new(&measures.total, percentiles, true),
            relative_error: PERCENTILE_ERROR,
            complete: is_complete(&report),
            read: report.into(),
            grouped,
            over_time: over_time(measures, listed.as_deref(), percentiles),
        }
    }
}

fn group_answer(measures: &Measures, group: &Group, percentiles: &[f64]) -> GroupAnswer {
    let numbers = measures.part(Some(group.number()), None);
    let numbers = numbers.map(|summary| Numbers::new(summary, percentiles, false));
    GroupAnswer { key: key(group), count: group.count, numbers }
}

fn over_time(measures: &Measures, groups: Option<&[Group]>, percentiles: &[f64]) -> Option<OverTime> {
    let histogram = measures.histogram.as_ref()?;
    let interval = |summary: &NumberSummary| IntervalAnswer {
        count: summary.count(),
        numbers: Numbers::new(summary, percentiles, false),
    };
    let intervals = |group: Option<u32>| {
        histogram.numbers().map(|number| measures.part(group, Some(number)).map(interval)).collect::<Vec<_>>()
    };
    let series = match groups {
        Some(groups) => {
            groups.iter().map(|group| Series { key: key(group), intervals: intervals(Some(group.number())) }).collect()
        }
        None => {
            let key = RawValue::from_string("[]".to_owned()).unwrap_or_default();
            vec![Series { key, intervals: intervals(None) }]
        }
    };
    let starts = histogram.buckets().map(|(start_ns, _)| Timestamp(start_ns)).collect();
    Some(OverTime { interval_seconds: histogram.interval().seconds(), starts, series })
}
