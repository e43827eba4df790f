//! `GET /events/fields`

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use sekali_store::Order;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::access::Grant;
use crate::clock::now_ns;
use crate::http::answer::{ApiError, Json, wrong_parameter};
use crate::http::event_query::{admit, parse_event_query};
use crate::http::numbers::Numbers;
use crate::http::parameters::Parameters;
use crate::http::reading::{ReadSummary, is_complete, within};
use crate::http::route::{Admitted, Answer};
use crate::limits::{FACET_VALUES_MAX, SAMPLE_DEFAULT, SAMPLE_MAX, SAMPLE_MIN, VALUES_DEFAULT, VALUES_MAX};
use crate::query::{EventQuery, Facet, FacetQuery, Facets, Field, ReadEnd, ReadExtent};
use crate::service::WantedTotals;

/// Numbers with more different values than this are told by percentiles as well.
const NUMBERS_LISTED_MAX: usize = 20;

/// The fields of matching events, the newest or all, with the values of each.
pub(super) async fn fields(request: Box<Admitted>) -> Answer {
    let parameters = request.parameters()?;
    let query = parse_event_query(&parameters, &request.grant)?;
    let compared = compared(&parameters, &request.grant)?;
    let facet_query = facet_query(&parameters)?;
    let values_max = if facet_query.field.is_some() { FACET_VALUES_MAX as u64 } else { VALUES_MAX };
    let values = match parameters.get("values") {
        Some("0") => 0,
        _ => parameters.number("values", values_max)?.unwrap_or(VALUES_DEFAULT) as usize,
    };
    let extent = ReadExtent { order: Order::Descending, max: sample(&parameters)?, within: within(&parameters)? };
    let service = &request.app.shared.service;
    let is_known = query.filter.is_empty();
    let wanted = if is_known { WantedTotals::Sums } else { WantedTotals::Nothing };
    let (query, totals) = service.totals(request.client(), query, wanted).await?;
    let known = is_known.then_some(totals.events);
    let (facets, report) = service.aggregate(request.client(), query, extent, Facets::new(facet_query.clone())).await?;
    let other = match compared {
        Some(compared) => {
            Some(service.aggregate(request.client(), compared, extent, Facets::new(facet_query)).await?.0)
        }
        None => None,
    };
    let mut fields: Vec<_> = facets
        .fields()
        .into_iter()
        .map(|(name, facet)| FieldAnswer::new(name, facet, values, &facets, other.as_ref()))
        .collect();
    if other.is_some() {
        fields.sort_by(|a, b| b.difference.unwrap_or(0.0).total_cmp(&a.difference.unwrap_or(0.0)));
    }
    let answer = FieldsAnswer {
        events: facets.events,
        matching: known.or((report.end == ReadEnd::All).then_some(facets.events)),
        sampled: report.end == ReadEnd::Enough,
        complete: is_complete(&report) || report.end == ReadEnd::Enough,
        read: report.into(),
        compared: other.as_ref().map(|other| other.events),
        fields,
        fields_left_out: facets.left_out(),
    };
    Ok(Json(answer).into_response())
}

/// The most events to look at, by `sample`.
fn sample(parameters: &Parameters<'_>) -> Result<u64, ApiError> {
    match parameters.get("sample") {
        None => Ok(SAMPLE_DEFAULT),
        Some("all") => Ok(u64::MAX),
        Some(text) => {
            let number = text.parse().ok().filter(|number| (SAMPLE_MIN..=SAMPLE_MAX).contains(number));
            let reason = format!("must be a whole number from {SAMPLE_MIN} to {SAMPLE_MAX}, or all");
            number.ok_or_else(|| wrong_parameter("sample", &reason, &[]))
        }
    }
}

fn facet_query(parameters: &Parameters<'_>) -> Result<FacetQuery, ApiError> {
    let name = |parameter: &'static str| {
        let Some(name) = parameters.get(parameter) else { return Ok(None) };
        // Elements of arrays go by `*`, which is a name to the parser.
        Field::parse(name).map_err(|reason| wrong_parameter(parameter, &reason, &[]))?;
        Ok::<_, ApiError>(Some(name.to_owned()))
    };
    Ok(FacetQuery { field: name("field")?, below: name("below")? })
}

/// The events to compare with: those of the filters in `compare`, which the client may see.
fn compared(parameters: &Parameters<'_>, grant: &Grant) -> Result<Option<EventQuery>, ApiError> {
    let Some(text) = parameters.get("compare") else { return Ok(None) };
    let wrong = |reason: String| wrong_parameter("compare", &reason, &[]);
    let decode =
        |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().map(std::borrow::Cow::into_owned);
    let mut pairs = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = decode(name).and_then(|name| Ok((name, decode(value)?)));
        pairs.push(decoded.map_err(|_| wrong("must hold filters, percent-encoded as a whole".to_owned()))?);
    }
    let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let compared = EventQuery::parse(pairs, now_ns()).map_err(|error| wrong(error.to_string()))?;
    admit(compared, grant).map(Some)
}

#[derive(Debug, Serialize)]
struct FieldsAnswer {
    events: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    matching: Option<u64>,
    sampled: bool,
    complete: bool,
    read: ReadSummary,
    /// Events that were compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<u64>,
    fields: Vec<FieldAnswer>,
    fields_left_out: usize,
}

#[derive(Debug, Serialize)]
struct FieldAnswer {
    field: String,
    events: u64,
    types: BTreeMap<&'static str, u64>,
    distinct: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distinct_at_least: Option<usize>,
    #[serde(flatten)]
    numbers: Option<Numbers>,
    /// The largest difference between the shares of a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<f64>,
    values: Vec<ValueAnswer>,
}

#[derive(Debug, Serialize)]
struct ValueAnswer {
    value: Box<RawValue>,
    count: u64,
    /// The share of events among those that were compared with, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    compared_share: Option<f64>,
}

impl FieldAnswer {
    fn new(name: &str, facet: &Facet, values: usize, facets: &Facets, other: Option<&Facets>) -> Self {
        let share = |count: u64, events: u64| if events == 0 { 0.0 } else { count as f64 / events as f64 };
        let compared = |value: &[u8]| {
            other.map(|other| share(other.field(name).map_or(0, |facet| facet.count_of(value)), other.events))
        };
        let top = facet.top(values);
        let listed = top.iter().map(|(value, count)| ValueAnswer {
            value: RawValue::from_string(String::from_utf8_lossy(value).into_owned()).unwrap_or_default(),
            count: *count,
            compared_share: compared(value),
        });
        let differences = facet.top(usize::MAX);
        let differences = differences
            .iter()
            .filter_map(|(value, count)| Some((share(*count, facets.events) - compared(value)?).abs()));
        let numbers = facet.numbers.as_ref().filter(|_| facet.distinct().is_none_or(|many| many > NUMBERS_LISTED_MAX));
        Self {
            field: name.to_owned(),
            events: facet.events,
            types: facet.kinds().collect(),
            distinct: facet.distinct(),
            distinct_at_least: facet.distinct().is_none().then(|| facet.told_apart()),
            numbers: numbers.map(|numbers| Numbers::new(numbers, &[50.0, 90.0, 99.0], true)),
            difference: other.map(|_| differences.fold(0.0, f64::max)),
            values: listed.collect(),
        }
    }
}
