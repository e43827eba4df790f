//! `_bulk`: actions and documents, a line each.

use std::io::Write as _;
use std::time::Duration;

use sekali_wire::error_code::Code;
use serde::de::IgnoredAny;

use super::action::{Action, Operation};
use super::answer::{BulkItem, branded, is_error, is_rsyslog, item, refusal};
use super::{DocumentPlaces, PATIENCE};
use crate::identity::Way;
use crate::ingest::{Drafts, OnInvalid};
use crate::protocols::{Adapter, Asked, Port, Refusal, Reply};
use crate::service::ItemResult;

/// Bytes of the answer about an item, beside its index and id.
const ITEM_BYTES_MAX: usize = 400;
/// Why documents are not changed or deleted.
const IMMUTABLE: &str = "events are never changed or deleted: only create and index are taken";

/// A bulk request.
pub(crate) struct Bulk {
    items: Vec<BulkItem>,
    by_content: bool,
}

impl Adapter for Bulk {
    const WAY: Way = Way::Elasticsearch;
    const PORT: Option<Port> = Some(Port::Elasticsearch);
    const PATIENCE: Duration = PATIENCE;
    const TELLS_OVERLOAD_BY_ITEM: bool = true;

    fn read(asked: &Asked, body: &[u8], drafts: &mut Drafts) -> Result<Self, Refusal> {
        let mut places = DocumentPlaces::of(asked)?;
        let default = asked.segments.first().map_or("", String::as_str);
        let mut lines = (1..).zip(body.split(|&byte| byte == b'\n')).filter(|(_, line)| !line.trim_ascii().is_empty());
        let mut this = Self { items: Vec::new(), by_content: places.places.by_content() };
        while let Some((number, line)) = lines.next() {
            let action = action(line, number)?;
            let index = action.index.as_deref().unwrap_or(default).to_owned();
            let document = if action.operation.has_document() {
                let (_, document) = lines.next().ok_or_else(|| malformed(number, "has no document behind it"))?;
                Some(document.trim_ascii())
            } else {
                None
            };
            let before = drafts.len();
            let id = action.id.as_deref();
            match (action.operation, document) {
                (Operation::Create | Operation::Index, Some(document)) => {
                    push(&mut places, &index, id, document, drafts)?;
                }
                _ => drafts.invalid(&index, id, IMMUTABLE.to_owned(), OnInvalid::Fail, line)?,
            }
            debug_assert_eq!(drafts.len(), before + 1);
            this.items.push(BulkItem { operation: action.operation, index, id: action.id.map(Into::into) });
        }
        if this.items.is_empty() {
            return Err(Refusal::new(Code::InvalidEvent, "request body is required"));
        }
        Ok(this)
    }

    fn by_content(&self) -> bool {
        self.by_content
    }

    fn answer_bytes(&self) -> usize {
        let texts = |item: &BulkItem| 3 * item.index.len() + 2 * item.id.as_ref().map_or(24, String::len);
        self.items.iter().map(|item| texts(item) + ITEM_BYTES_MAX).sum()
    }

    fn answer(self, asked: &Asked, results: &[ItemResult]) -> Reply {
        if results.contains(&ItemResult::Overloaded) && is_rsyslog(asked) {
            return Reply::none();
        }
        let errors = results.iter().any(is_error);
        // Some clients look for the exact text of the first two members.
        let mut body = format!("{{\"took\":1,\"errors\":{errors},\"items\":[").into_bytes();
        for (at, (of, result)) in self.items.iter().zip(results).enumerate() {
            let comma = if at > 0 { "," } else { "" };
            // Writing to memory cannot fail.
            let _ = write!(body, "{comma}{{\"{}\":", of.operation.as_str());
            let _ = serde_json::to_writer(&mut body, &item(of, result).1);
            body.push(b'}');
        }
        body.extend_from_slice(b"]}");
        branded(Reply::of(200, "application/json", body))
    }

    fn refuse(refused: &Refusal, asked: Option<&Asked>) -> Reply {
        refusal(refused, asked)
    }
}

fn push(
    places: &mut DocumentPlaces,
    index: &str,
    id: Option<&str>,
    document: &[u8],
    drafts: &mut Drafts,
) -> Result<(), Refusal> {
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(document) {
        let on_invalid = if id.is_some() { OnInvalid::Fail } else { OnInvalid::Quarantine };
        return Ok(drafts.invalid(index, id, format!("the document is not JSON: {error}"), on_invalid, document)?);
    }
    places.push(index, id, document, drafts)
}

fn action(line: &[u8], number: usize) -> Result<Action<'_>, Refusal> {
    let line = line.trim_ascii();
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(line) {
        return Err(malformed(number, &format!("is not JSON: {error}")));
    }
    Action::parse(line).ok_or_else(|| malformed(number, "must be one of create, index, update and delete"))
}

fn malformed(number: usize, reason: &str) -> Refusal {
    Refusal::new(
        Code::InvalidJson,
        format!("Malformed action/metadata line [{number}]: it {reason}; nothing was stored"),
    )
}
