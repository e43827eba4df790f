//! `GET /duplicates`

use sekali_wire::timestamp::Timestamp;
use serde::Serialize;

use crate::http::answer::held_json;
use crate::http::route::{Admitted, Answer};
use crate::limits::{RESENDERS_LISTED_DEFAULT, RESENDERS_MAX};
use crate::service::{LATE_BELOW_S, Resender, ResentCounts};

/// Who sends events again, and how late, since the start.
pub(super) async fn duplicates(request: Box<Admitted>) -> Answer {
    let parameters = request.parameters()?;
    let top = parameters.number("top", RESENDERS_MAX as u64)?.unwrap_or(RESENDERS_LISTED_DEFAULT) as usize;
    let service = &request.app.shared.service;
    let grant = &request.grant;
    let report = service.duplicates(|topic| grant.is_for(topic));
    let mut total = ResentCounts::default();
    report.by.iter().for_each(|(_, counts)| total.add(counts));
    // Their topics are unknown, so that only keys for all topics may see them.
    let untold = grant.sees_whole_store().then_some(report.other);
    untold.iter().for_each(|counts| total.add(counts));
    let mut unlisted = ResentCounts::default();
    report.by.iter().skip(top).map(|(_, counts)| counts).chain(&untold).for_each(|counts| unlisted.add(counts));
    let answer = DuplicatesAnswer {
        since: Timestamp(report.since_ns),
        received: total.received,
        duplicates: total.duplicates,
        conflicts: total.conflicts,
        by: report.by.into_iter().take(top).map(ResenderAnswer::from).collect(),
        other: OtherResenders { received: unlisted.received, duplicates: unlisted.duplicates },
        late: late(&total),
        late_unknown: total.late_unknown,
    };
    held_json(service, request.client(), &answer)
}

#[derive(Debug, Serialize)]
struct DuplicatesAnswer {
    since: Timestamp,
    received: u64,
    duplicates: u64,
    conflicts: u64,
    by: Vec<ResenderAnswer>,
    other: OtherResenders,
    late: Vec<LateGroup>,
    late_unknown: u64,
}

#[derive(Debug, Serialize)]
struct ResenderAnswer {
    #[serde(flatten)]
    resender: Resender,
    received: u64,
    duplicates: u64,
    conflicts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_at: Option<Timestamp>,
    late: Vec<u64>,
    late_unknown: u64,
}

/// Those that are not listed.
#[derive(Debug, Serialize)]
struct OtherResenders {
    received: u64,
    duplicates: u64,
}

#[derive(Debug, Serialize)]
struct LateGroup {
    below_seconds: Option<u64>,
    count: u64,
}

impl From<(Resender, ResentCounts)> for ResenderAnswer {
    fn from((resender, counts): (Resender, ResentCounts)) -> Self {
        let ResentCounts { received, duplicates, conflicts, last_ns, late, late_unknown } = counts;
        let last_at = (duplicates > 0).then_some(Timestamp(last_ns));
        Self { resender, received, duplicates, conflicts, last_at, late: late.to_vec(), late_unknown }
    }
}

fn late(counts: &ResentCounts) -> Vec<LateGroup> {
    let bounds = LATE_BELOW_S.iter().copied().map(Some).chain([None]);
    bounds.zip(counts.late).map(|(below_seconds, count)| LateGroup { below_seconds, count }).collect()
}
