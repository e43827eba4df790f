//! Elasticsearch and OpenSearch: `_bulk`, `_doc` and `_create`, and the questions that clients ask
//! before they send.

mod action;
mod answer;
mod bulk;
mod document;
mod index;
pub(crate) mod probes;

pub(crate) use bulk::Bulk;
pub(crate) use document::Document;

use std::time::Duration;

use sekali_wire::json::append_string;

use super::places::Defaults;
use super::{Asked, Places, Refusal, times};
use crate::identity::Pointers;
use crate::ingest::{Drafts, OnInvalid};

/// Clients wait 10 s for an answer at least, and one refusal of the whole request ends some of
/// them for good.
const PATIENCE: Duration = Duration::from_secs(8);
const TIMES: &str = "/@timestamp,/timestamp,/time,/ts";
const SOURCES: &str = "/host/name,/host/hostname,/hostname,/host,/agent/name";

/// Where the parts of documents are.
struct DocumentPlaces {
    places: Places,
    times: Pointers,
    sources: Pointers,
    scratch: Vec<u8>,
}

impl DocumentPlaces {
    fn of(asked: &Asked) -> Result<Self, Refusal> {
        let pointers = |text| Pointers::parse(text).map_err(|reason| Refusal::setting("timestamp", &reason));
        Ok(Self {
            places: Places::of(asked)?,
            times: pointers(TIMES)?,
            sources: pointers(SOURCES)?,
            scratch: Vec::new(),
        })
    }

    /// Adds a document, which is valid JSON.
    fn push(&mut self, index: &str, id: Option<&str>, document: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        let topic = index::undated(index);
        let source = self.sources.text(document);
        let time_ns = self.times.find(document).and_then(times::of_json);
        let defaults = Defaults { topic, id, time_ns, source: source.as_deref().unwrap_or("") };
        let parts = self.places.parts(document, defaults);
        let payload = if topic == index {
            document
        } else {
            self.scratch.clear();
            with_index(&mut self.scratch, index, document);
            &self.scratch
        };
        let draft = parts.draft(payload);
        // Without a declared id the client could not say which of its documents failed, and some
        // send all of them again then, for ever.
        let on_invalid = if draft.id.is_some() { OnInvalid::Fail } else { OnInvalid::Quarantine };
        Ok(drafts.push(&draft, on_invalid, document)?)
    }
}

/// The document with the name of its index, where that is not its topic.
fn with_index(out: &mut Vec<u8>, index: &str, document: &[u8]) {
    let Some(members) = document.strip_prefix(b"{") else {
        return out.extend_from_slice(document);
    };
    out.extend_from_slice(b"{\"_index\":");
    append_string(out, index);
    if members.trim_ascii_start() != b"}" {
        out.push(b',');
    }
    out.extend_from_slice(members);
}
