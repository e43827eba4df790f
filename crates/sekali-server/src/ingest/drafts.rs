//! Events on their way from a protocol to batches: checked, and perhaps without an id yet.
//!
//! Whether an id can be derived from a request is known when all of it was read. So its events are
//! gathered in one piece of memory first, and go into batches from there.

use sekali_store::EventRef;
use sekali_wire::QUARANTINE_TOPIC;
use sekali_wire::limits::{BATCH_EVENTS_MAX, BODY_BYTES_MAX};

use super::batch_builder::{Accepted, BatchBuilder, PushError, Target};
use super::fields;
use super::problem::{IngestError, Rejected};
use super::{Options, quarantine};
use crate::access::Topics;
use crate::clients::HeldShare;
use crate::identity::{Fineness, IdKind, RequestDigest, content_id, declared_id, none_id, quarantine_id, request_id};

/// An event as a protocol hands it over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draft<'a> {
    pub(crate) topic: &'a str,
    /// The id that the client declares, if it does.
    pub(crate) id: Option<&'a str>,
    /// Its own time, in nanoseconds since 1970, if it has one.
    pub(crate) time_ns: Option<i64>,
    pub(crate) source: &'a str,
    /// A JSON object.
    pub(crate) payload: &'a [u8],
}

/// The fate of a record that is no valid event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnInvalid {
    /// The reserved topic keeps it, and the client is told that it was taken.
    Quarantine,
    /// It is left out, and the client is told.
    Fail,
}

/// Why the events of a request cannot be taken, all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DraftsError {
    /// More than [`BATCH_EVENTS_MAX`].
    TooManyEvents,
    /// More than [`BODY_BYTES_MAX`] once they are written as JSON.
    TooLarge,
    /// No memory for them at the moment.
    Overloaded,
}

/// How the events without a declared id get theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdPlan {
    /// All have one.
    Declared,
    /// From what each says.
    Content,
    /// From the request, which can only be a repeat if it comes again.
    Request,
    /// From the request and the number of equal ones before it.
    Counted,
    /// There is nothing that an id could come from.
    None,
}

/// The same, with what it takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum IdRule {
    Content,
    Request { digest: RequestDigest, number: u32 },
    None,
}

/// The kind of an item of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ItemState {
    Event,
    Quarantined(String),
    Failed(String),
}

/// The items of a request, in order.
pub(crate) struct Drafts {
    /// Of every item that is stored: topic, declared id, source and payload.
    text: Vec<u8>,
    items: Vec<DraftItem>,
    fineness: Fineness,
    /// Whether every event without a declared id has a time of its own.
    is_timed: bool,
    now_ns: i64,
    room: HeldShare,
    /// Bytes of it that are not for events.
    beside: usize,
}

struct DraftItem {
    start: usize,
    topic: usize,
    id: usize,
    source: usize,
    payload: usize,
    time_ns: Option<i64>,
    state: ItemState,
}

/// How many events have an id of each kind, by [`IdKind`], and how many records none are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DraftCounts {
    pub(crate) by_kind: [usize; IdKind::ALL.len()],
    pub(crate) quarantined: usize,
}

impl Drafts {
    /// None yet. `room` counts the memory that they take.
    pub(crate) fn new(now_ns: i64, room: HeldShare) -> Self {
        Self {
            text: Vec::new(),
            items: Vec::new(),
            fineness: Fineness::default(),
            is_timed: true,
            now_ns,
            room,
            beside: 0,
        }
    }

    /// Adds an event, or what is to become of it if it is not valid. `record` is what the client
    /// sent of it.
    ///
    /// # Errors
    /// See [`DraftsError`]: the request as a whole cannot be taken.
    pub(crate) fn push(&mut self, draft: &Draft<'_>, on_invalid: OnInvalid, record: &[u8]) -> Result<(), DraftsError> {
        match check(draft) {
            Ok(()) => {
                let id = draft.id.map(declared_id);
                let id = id.as_deref().unwrap_or_default();
                if let Some(time_ns) = draft.time_ns {
                    self.fineness.note(time_ns);
                } else if id.is_empty() {
                    self.is_timed = false;
                }
                self.add(draft.topic, id, draft, ItemState::Event)
            }
            Err(reason) => self.invalid(draft.topic, draft.id, reason, on_invalid, record),
        }
    }

    /// Adds a record that is no event.
    ///
    /// # Errors
    /// See [`DraftsError`].
    pub(crate) fn invalid(
        &mut self,
        topic: &str,
        id: Option<&str>,
        reason: String,
        on_invalid: OnInvalid,
        record: &[u8],
    ) -> Result<(), DraftsError> {
        let draft = Draft { topic, id: None, time_ns: None, source: "", payload: b"" };
        if on_invalid == OnInvalid::Fail {
            return self.add("", "", &draft, ItemState::Failed(reason));
        }
        let payload = quarantine::payload(topic, id, &reason, record);
        let id = quarantine_id(id.unwrap_or_default(), &payload);
        let draft = Draft { payload: &payload, ..draft };
        self.add(QUARANTINE_TOPIC, &id, &draft, ItemState::Quarantined(reason))
    }

    fn add(&mut self, topic: &str, id: &str, draft: &Draft<'_>, state: ItemState) -> Result<(), DraftsError> {
        if self.items.len() == BATCH_EVENTS_MAX {
            return Err(DraftsError::TooManyEvents);
        }
        if let ItemState::Quarantined(reason) | ItemState::Failed(reason) = &state {
            // Here, and once more in the outcome.
            self.reserve_beside(2 * (reason.len() + REASON_OVERHEAD_BYTES))?;
        }
        let start = self.text.len();
        let source = draft.source.as_bytes();
        let len = start + topic.len() + id.len() + source.len() + draft.payload.len();
        self.reserve(len)?;
        for part in [topic.as_bytes(), id.as_bytes(), source, draft.payload] {
            self.text.extend_from_slice(part);
        }
        let (topic, id, source, payload) = (topic.len(), id.len(), source.len(), draft.payload.len());
        self.items.push(DraftItem { start, topic, id, source, payload, time_ns: draft.time_ns, state });
        Ok(())
    }

    /// Makes room for `len` bytes of text: twofold each time, and counted before it is taken.
    fn reserve(&mut self, len: usize) -> Result<(), DraftsError> {
        if len > BODY_BYTES_MAX {
            return Err(DraftsError::TooLarge);
        }
        let (text, items) = (self.text.capacity(), self.items.capacity());
        if len <= text && self.items.len() < items {
            return Ok(());
        }
        let text_wanted = if len > text { (2 * text).clamp(TEXT_BYTES_MIN, BODY_BYTES_MAX).max(len) } else { text };
        let items_wanted = if self.items.len() == items { (2 * items).max(ITEMS_MIN) } else { items };
        if !self.room.resize(text_wanted + items_wanted * size_of::<DraftItem>() + self.beside) {
            return Err(DraftsError::Overloaded);
        }
        self.text.reserve_exact(text_wanted - self.text.len());
        self.items.reserve_exact(items_wanted - self.items.len());
        Ok(())
    }

    /// Counts memory that the request takes beside its events, until it ends.
    ///
    /// # Errors
    /// [`DraftsError::Overloaded`].
    pub(crate) fn reserve_beside(&mut self, bytes: usize) -> Result<(), DraftsError> {
        self.beside += bytes;
        if self.room.resize(self.room.bytes() + bytes) { Ok(()) } else { Err(DraftsError::Overloaded) }
    }

    /// The time of the request, which events without their own are given.
    pub(crate) fn now_ns(&self) -> i64 {
        self.now_ns
    }

    /// The number of items.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Bytes of their text.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The items that are stored, in order.
    pub(crate) fn events(&self) -> impl Iterator<Item = EventRef<'_>> {
        let is_stored = |item: &&DraftItem| !matches!(item.state, ItemState::Failed(_));
        self.items.iter().filter(is_stored).map(|item| self.event(item))
    }

    /// The kind of each item, in order.
    pub(crate) fn states(&self) -> impl Iterator<Item = &ItemState> {
        self.items.iter().map(|item| &item.state)
    }

    /// Why the last item is left out, if it is.
    pub(crate) fn last_failure(&self) -> Option<&str> {
        match self.items.last().map(|item| &item.state) {
            Some(ItemState::Failed(reason)) => Some(reason),
            _ => None,
        }
    }

    /// How the events without a declared id get theirs; `by_content` if the client asked for that.
    pub(crate) fn plan(&self, by_content: bool) -> IdPlan {
        if self.first_without_id().is_none() {
            IdPlan::Declared
        } else if by_content {
            IdPlan::Content
        } else if !self.is_timed {
            IdPlan::None
        } else if self.fineness.is_proof() {
            IdPlan::Request
        } else {
            IdPlan::Counted
        }
    }

    /// Index and topic of the first event without a declared id.
    pub(crate) fn first_without_id(&self) -> Option<(usize, &str)> {
        let at = self.items.iter().position(|item| item.id == 0 && item.state == ItemState::Event)?;
        Some((at, self.event(&self.items[at]).topic))
    }

    /// The events, ready to commit, and how many have which kind of id.
    ///
    /// # Errors
    /// [`IngestError::Forbidden`]: the client may not publish to the topic of one of them.
    pub(crate) fn build(
        &self,
        rule: IdRule,
        target: &Target,
        topics: Option<&Topics>,
    ) -> Result<(Accepted, DraftCounts), IngestError> {
        let options = Options { topics, ..Options::default() };
        let mut builder = BatchBuilder::new(target, options, self.text.len());
        let mut counts = DraftCounts::default();
        for (index, item) in self.items.iter().enumerate() {
            let event = self.event(item);
            let kind = match item.state {
                ItemState::Failed(_) => continue,
                ItemState::Quarantined(_) => {
                    counts.quarantined += 1;
                    None
                }
                ItemState::Event if item.id > 0 => Some(IdKind::Declared),
                ItemState::Event => Some(rule.kind()),
            };
            kind.into_iter().for_each(|kind| counts.by_kind[kind as usize] += 1);
            let made = if item.id > 0 { String::new() } else { rule.id(&event, item.time_ns, index, self.now_ns) };
            let event_id = if item.id > 0 { event.event_id } else { &made };
            builder.push(&EventRef { event_id, ..event }).map_err(|unfit| match unfit {
                PushError::Full => IngestError::TooManyEvents,
                PushError::Forbidden => IngestError::Forbidden { index, topic: event.topic.to_owned() },
            })?;
        }
        Ok((builder.finish(Rejected::default()), counts))
    }

    fn event(&self, item: &DraftItem) -> EventRef<'_> {
        let part = |at: usize, len: usize| self.text.get(at..at + len).unwrap_or_default();
        let text = |at: usize, len: usize| std::str::from_utf8(part(at, len)).unwrap_or_default();
        let id = item.start + item.topic;
        let source = id + item.id;
        EventRef {
            topic: text(item.start, item.topic),
            event_id: text(id, item.id),
            timestamp_ns: item.time_ns.unwrap_or(self.now_ns),
            source: text(source, item.source),
            payload: part(source + item.source, item.payload),
        }
    }
}

impl IdRule {
    fn kind(self) -> IdKind {
        match self {
            Self::Content => IdKind::Content,
            Self::Request { .. } => IdKind::Request,
            Self::None => IdKind::None,
        }
    }

    fn id(self, event: &EventRef<'_>, time_ns: Option<i64>, index: usize, now_ns: i64) -> String {
        match self {
            Self::Content => content_id(event.topic, event.source, time_ns, event.payload),
            Self::Request { digest, number } => request_id(digest, number, index),
            Self::None => none_id(now_ns),
        }
    }
}

/// Bytes that the allocator adds to a reason.
const REASON_OVERHEAD_BYTES: usize = 32;
/// The first room for text, and for items.
const TEXT_BYTES_MIN: usize = 4 * 1024;
const ITEMS_MIN: usize = 16;

/// Why a draft is no valid event.
fn check(draft: &Draft<'_>) -> Result<(), String> {
    let named = |field: &'static str| move |wrong: fields::Wrong| format!("{field} {}", wrong.reason);
    fields::check_topic(draft.topic).map_err(named("topic"))?;
    if let Some(id) = draft.id {
        fields::check_event_id(&declared_id(id)).map_err(named("id"))?;
    }
    fields::check_source(draft.source).map_err(named("source"))?;
    let payload = std::str::from_utf8(draft.payload).map_err(|_| "payload is not valid UTF-8".to_owned())?;
    fields::check_payload(payload).map_err(named("payload"))
}

#[cfg(test)]
mod tests;
