//! `GET /conflicts/count`

use serde::Serialize;
use serde_json::value::RawValue;

use crate::http::answer::{ApiError, Json};
use crate::http::event_query::parse_event_query;
use crate::http::parameters::Parameters;
use crate::http::reading::{OtherGroups, ReadSummary, by, is_complete, key, names, top, within};
use crate::http::route::{Admitted, Answer};
use crate::query::Groups;
use crate::service::ConflictGroups;

/// The name of the places where events differ, among fields.
const PATH: &str = "path";

/// How many conflicts there are, by fields or by where their events differ.
pub(super) async fn conflicts_count(request: Box<Admitted>) -> Answer {
    let parameters = request.parameters()?;
    let query = parse_event_query(&parameters, &request.grant)?;
    let (groups, names) = groups(&parameters)?;
    let (top, within) = (top(&parameters)?, within(&parameters)?);
    let service = &request.app.shared.service;
    let (count, report) = service.count_conflicts(request.client(), query, groups, within).await?;
    let grouped = count.groups.as_ref().map(|groups| GroupedConflicts::new(names, groups, top));
    let (complete, read) = (is_complete(&report), ReadSummary::from(report));
    Ok(Json(ConflictsAnswer { count: count.conflicts, complete, read, grouped }).into_response())
}

fn groups(parameters: &Parameters<'_>) -> Result<(ConflictGroups, Vec<String>), ApiError> {
    if parameters.get("by") == Some(PATH) {
        return Ok((ConflictGroups::Paths, vec![PATH.to_owned()]));
    }
    let fields = by(parameters)?;
    let names = names(&fields);
    Ok((if fields.is_empty() { ConflictGroups::None } else { ConflictGroups::Fields(fields) }, names))
}

#[derive(Debug, Serialize)]
struct ConflictsAnswer {
    count: u64,
    complete: bool,
    read: ReadSummary,
    #[serde(flatten)]
    grouped: Option<GroupedConflicts>,
}

#[derive(Debug, Serialize)]
struct GroupedConflicts {
    by: Vec<String>,
    groups: Vec<ConflictGroup>,
    other: OtherGroups,
    missing: u64,
    exact: bool,
}

#[derive(Debug, Serialize)]
struct ConflictGroup {
    key: Box<RawValue>,
    count: u64,
}

impl GroupedConflicts {
    fn new(by: Vec<String>, groups: &Groups, top: usize) -> Self {
        let listed = groups.top(top);
        Self {
            by,
            groups: listed.iter().map(|group| ConflictGroup { key: key(group), count: group.count }).collect(),
            other: OtherGroups::new(groups, &listed),
            missing: groups.missing(),
            exact: groups.is_exact(),
        }
    }
}
