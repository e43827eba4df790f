//! `_doc` and `_create`: one document.

use std::time::Duration;

use sekali_wire::error_code::Code;
use serde::de::IgnoredAny;

use super::action::Operation;
use super::answer::{About, BulkItem, branded, item, refusal};
use super::{DocumentPlaces, PATIENCE};
use crate::identity::Way;
use crate::ingest::Drafts;
use crate::protocols::{Adapter, Asked, Port, Refusal, Reply};
use crate::service::ItemResult;

/// A request with one document.
pub(crate) struct Document {
    item: BulkItem,
    by_content: bool,
}

impl Adapter for Document {
    const WAY: Way = Way::Elasticsearch;
    const PORT: Option<Port> = Some(Port::Elasticsearch);
    const PATIENCE: Duration = PATIENCE;

    fn read(asked: &Asked, body: &[u8], drafts: &mut Drafts) -> Result<Self, Refusal> {
        let mut places = DocumentPlaces::of(asked)?;
        let mut segments = asked.segments.iter().cloned();
        let (index, id) = (segments.next().unwrap_or_default(), segments.next());
        if let Err(error) = serde_json::from_slice::<IgnoredAny>(body) {
            return Err(Refusal::new(Code::InvalidJson, format!("the document is not JSON: {error}")));
        }
        places.push(&index, id.as_deref(), body.trim_ascii(), drafts)?;
        let operation = if asked.path.contains("/_create") { Operation::Create } else { Operation::Index };
        Ok(Self { item: BulkItem { operation, index, id }, by_content: places.places.by_content() })
    }

    fn by_content(&self) -> bool {
        self.by_content
    }

    fn answer(self, _: &Asked, results: &[ItemResult]) -> Reply {
        let Some(result) = results.first() else { return branded(Reply::empty(500)) };
        let (status, mut about) = item(&self.item, result);
        if let About::Taken(taken) = &mut about {
            taken.status = None;
        }
        branded(Reply::json(status, &about))
    }

    fn refuse(refused: &Refusal, asked: Option<&Asked>) -> Reply {
        refusal(refused, asked)
    }
}
