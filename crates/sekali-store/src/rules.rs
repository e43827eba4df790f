//! Rules on payloads, which the engine cannot know, because it does not know JSON.

use std::fmt;

use crate::event::EventRef;
use crate::hash::{ContentDigest, KeyHasher};

/// How payloads are compared, described and taken apart. The functions must depend on nothing but
/// their arguments: outcomes are deterministic only if they do.
#[derive(Debug, Clone, Copy)]
pub struct ContentRules {
    /// The form that all payloads have which say the same, and no others; `None` for a payload that
    /// equals only itself. Must take time and memory in proportion to the payload.
    pub canonical: fn(payload: &[u8]) -> Option<Vec<u8>>,
    /// The payload of the event that keeps a conflicting `event`, whose key is stored as
    /// `first_seq`; at most [`crate::limits::STORED_PAYLOAD_BYTES_MAX`] bytes.
    pub evidence: fn(event: &EventRef<'_>, first_seq: u64) -> Vec<u8>,
    /// Which members payloads have.
    pub members: Members,
    /// Which texts JSON, or whatever payloads are, has that can be looked for.
    pub texts: Pieces,
}

/// Hands the members of a payload to `visit`, each path once. `false` where they cannot be told;
/// then what was handed out counts for nothing. Must take time in proportion to the payload.
pub type Members = fn(payload: &[u8], visit: &mut dyn FnMut(Member<'_>)) -> bool;

/// Hands each text in a part of a payload to `visit`: whatever a condition finds in that part is in
/// one of them. `false` where they cannot be told. Must take time in proportion to the part.
pub type Pieces = fn(part: &[u8], visit: &mut dyn FnMut(Piece<'_>)) -> bool;

/// A text in a payload, without the escapes and quotes of its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The text.
    pub text: &'a [u8],
    /// The number that it says, if it says one, in the one spelling that all equal numbers have.
    pub number: Option<&'a [u8]>,
}

/// A thing that must be at a place, by itself or within the text there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// A text, whatever the case of its ASCII letters.
    Text(Vec<u8>),
    /// A number, in the one spelling that all equal numbers have.
    Number(Vec<u8>),
}

/// A thing that is in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member<'a> {
    /// At this path there is this text. Nothing else in the payload is called by this path.
    Text {
        /// How conditions call the place: UTF-8.
        path: &'a [u8],
        /// The text as it stands in the payload.
        text: &'a [u8],
    },
    /// At this path there is something that has members of its own, or is told no further.
    Inner {
        /// How conditions call the place: UTF-8.
        path: &'a [u8],
    },
    /// There is more than the members that are told.
    Rest {
        /// It, as it stands in the payload.
        part: &'a [u8],
    },
}

/// A condition on texts that may be anywhere in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texting {
    /// One of them is in it.
    Any,
    /// None of them is.
    None,
}

/// Conditions on payloads, and on sources, that can be put to single members, too.
pub trait PayloadConditions: fmt::Debug + Send + Sync {
    /// The paths of the conditions that each concern one member, by number; the empty path is the
    /// source.
    fn paths(&self) -> Vec<String>;
    /// Whether the condition of that number holds for payloads that have this text at its path, or
    /// nothing. Must be what the whole payload would be found to be.
    fn hold(&self, number: usize, text: Option<&[u8]>) -> bool;
    /// Of a payload that meets the condition of that number, one of these is at its path. `None`
    /// where that cannot be told.
    fn needs(&self, number: usize) -> Option<Vec<Need>>;
    /// Whether any of the conditions concerns payloads.
    fn ask_payloads(&self) -> bool;
    /// The texts of which one must be anywhere in the payload, or of which none may be, whatever the
    /// case of ASCII letters. None where there is no such condition.
    fn texts(&self, kind: Texting) -> Vec<Vec<u8>>;
    /// Whether one of these is in the text of a member.
    fn has_text(&self, kind: Texting, text: &[u8]) -> bool;
    /// Whether one of these may be in one of the names of a path.
    fn may_name(&self, kind: Texting, path: &str) -> bool;
    /// Whether those that are told here are all conditions.
    fn are_all(&self) -> bool;
}

impl ContentRules {
    /// Payloads are the same when their bytes are, and evidence is the payload as it came; they have no
    /// members.
    pub const BYTES: Self = Self {
        canonical: |_| None,
        evidence: |event, _| event.payload.to_vec(),
        members: |_, _| false,
        texts: |_, _| false,
    };

    /// The digest of an event by these rules.
    pub(crate) fn digest(&self, hasher: &KeyHasher, event: &EventRef<'_>) -> ContentDigest {
        hasher.digest(event, (self.canonical)(event.payload).as_deref())
    }
}
