//! OpenTelemetry logs over HTTP, `POST /v1/logs` in Protocol Buffers and in JSON, and over gRPC.
//! Specification: opentelemetry-proto, docs/specification.md.

mod answer;
pub(crate) mod grpc;
mod protobuf;
mod record;
mod text;

use sekali_store::limits::PAYLOAD_BYTES_MAX;
use sekali_wire::error_code::Code;

use super::places::Defaults;
use super::protobuf::Malformed;
use super::{Adapter, Asked, Places, Port, Refusal, Reply};
use crate::identity::Way;
use crate::ingest::{Drafts, OnInvalid};
use crate::service::ItemResult;
use record::{Record, Resource};

/// The topic of records whose resource has no `service.name`.
const TOPIC: &str = "otlp";
/// Deepest nesting of a value: deeper ones are not stored.
const DEPTH_MAX: usize = 48;

/// A request with log records.
pub(crate) struct Logs {
    places: Places,
}

/// Why a record cannot be read. Only the first is about the whole request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unreadable {
    Malformed,
    TooLarge,
    TooDeep,
}

impl From<Malformed> for Unreadable {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl Unreadable {
    fn reason(self) -> String {
        match self {
            Self::Malformed => "the record is malformed".to_owned(),
            Self::TooLarge => format!("the record has more than {PAYLOAD_BYTES_MAX} bytes"),
            Self::TooDeep => format!("a value is nested deeper than {DEPTH_MAX} levels"),
        }
    }
}

impl Adapter for Logs {
    const WAY: Way = Way::Otlp;
    const PORT: Option<Port> = Some(Port::Otlp);

    fn read(asked: &Asked, body: &[u8], drafts: &mut Drafts) -> Result<Self, Refusal> {
        Self::read_with(asked, drafts, |sink| match asked.media_type().as_str() {
            "application/json" => text::read(body, sink),
            "application/x-protobuf" | "application/protobuf" | "" => protobuf::read(body, sink),
            _ => {
                let message = "Content-Type must be application/x-protobuf or application/json";
                Err(Refusal::new(Code::UnsupportedMediaType, message))
            }
        })
    }

    fn by_content(&self) -> bool {
        self.places.by_content()
    }

    fn answer(self, asked: &Asked, results: &[ItemResult]) -> Reply {
        answer::results(asked, results)
    }

    fn refuse(refusal: &Refusal, asked: Option<&Asked>) -> Reply {
        answer::refusal(refusal, asked)
    }
}

impl Logs {
    /// Lets `read` put the records of a request into `drafts`.
    fn read_with(
        asked: &Asked,
        drafts: &mut Drafts,
        read: impl FnOnce(&mut Sink<'_>) -> Result<(), Refusal>,
    ) -> Result<Self, Refusal> {
        let this = Self { places: Places::of(asked)? };
        read(&mut Sink { places: &this.places, drafts, payload: Vec::new() })?;
        Ok(this)
    }
}

/// Takes the records.
struct Sink<'a> {
    places: &'a Places,
    drafts: &'a mut Drafts,
    /// Of the record at hand.
    payload: Vec<u8>,
}

impl Sink<'_> {
    /// Adds a record. `raw` is what the client sent of it.
    fn push(
        &mut self,
        resource: &Resource,
        scope: &[u8],
        record: Result<&Record, Unreadable>,
        raw: &[u8],
    ) -> Result<(), Refusal> {
        let topic = resource.service.as_deref().unwrap_or(TOPIC);
        let written = record.and_then(|record| {
            self.payload.clear();
            record.write(resource, scope, &mut self.payload).map(|()| record)
        });
        let record = match written {
            Ok(record) => record,
            Err(wrong) => return Ok(self.drafts.invalid(topic, None, wrong.reason(), OnInvalid::Quarantine, raw)?),
        };
        let source = resource.host.as_deref().unwrap_or("");
        let defaults = Defaults { topic, id: record.uid.as_deref(), time_ns: record.time_ns(), source };
        let parts = self.places.parts(&self.payload, defaults);
        Ok(self.drafts.push(&parts.draft(&self.payload), OnInvalid::Quarantine, raw)?)
    }
}

/// The error for a body that is no request.
fn malformed(reason: &str) -> Refusal {
    Refusal::new(Code::InvalidEvent, format!("the body is no ExportLogsServiceRequest: {reason}; nothing was stored"))
}
