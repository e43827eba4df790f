//! The text of a tail on its way to the client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sekali_store::{Order, StoredEvent};
use tokio::sync::mpsc::{self, error::TrySendError};

use super::TailPosition;
use crate::clients::{Client, FairShares, HeldShare};
use crate::limits::TAIL_PIECE_BYTES;
use crate::query::{CursorKey, CursorScope};

/// Takes the pieces of an answer.
pub(crate) type PieceSender = mpsc::Sender<Result<Bytes, Box<dyn std::error::Error + Send + Sync>>>;

/// The words of a protocol for a tail. Each cursor is that of the position behind.
pub(crate) trait TailLayout: Send + Sync {
    /// Writes an event to the end of `out`.
    fn event(&self, out: &mut Vec<u8>, event: &StoredEvent, cursor: &str);
    /// Writes that nothing has happened.
    fn alive(&self, out: &mut Vec<u8>, cursor: &str);
    /// Writes that the client is too slow, and where to go on.
    fn behind(&self, out: &mut Vec<u8>, cursor: &str);
}

/// The parts of an output that its protocol and its service give it.
pub(crate) struct OutputParts {
    pub(crate) layout: Arc<dyn TailLayout>,
    pub(crate) cursors: CursorKey,
    /// The topic that its cursors are for.
    pub(crate) topic: Option<String>,
    pub(crate) client: Client,
    /// The memory of pieces that wait to be sent.
    pub(crate) memory: FairShares,
    pub(crate) sender: PieceSender,
    /// How long there may be silence.
    pub(crate) heartbeat: Duration,
    /// How long the client may take nothing while there are events for it.
    pub(crate) patience: Duration,
}

/// The text of a tail, piece by piece.
pub(crate) struct TailOutput {
    parts: OutputParts,
    text: Vec<u8>,
    /// Everything up to here was sent, or did not match.
    sent: TailPosition,
    sent_at: Instant,
}

/// The outcome of handing over a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flushed {
    /// All text is on its way.
    Sent,
    /// The client has enough to take already. The text is kept.
    Full,
    /// The client has gone.
    Gone,
}

/// A piece with the memory that it takes up until it is sent.
struct HeldPiece {
    text: Vec<u8>,
    _memory: HeldShare,
}

impl AsRef<[u8]> for HeldPiece {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl TailOutput {
    /// Begins behind `position`, and says so.
    pub(crate) fn new(parts: OutputParts, position: &TailPosition) -> Self {
        let mut output = Self { parts, text: Vec::new(), sent: position.clone(), sent_at: Instant::now() };
        output.alive(position);
        output
    }

    pub(super) fn sender(&self) -> &PieceSender {
        &self.parts.sender
    }

    pub(super) fn client(&self) -> &Client {
        &self.parts.client
    }

    pub(super) fn heartbeat(&self) -> Duration {
        self.parts.heartbeat
    }

    pub(super) fn patience(&self) -> Duration {
        self.parts.patience
    }

    /// Whether nothing waits to be sent.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether there is enough for a piece.
    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= TAIL_PIECE_BYTES
    }

    /// Adds an event, up to which everything was looked at.
    pub(super) fn add(&mut self, event: &StoredEvent, position: &TailPosition) {
        let cursor = self.cursor(position);
        self.parts.layout.event(&mut self.text, event, &cursor);
    }

    /// Adds a sign of life, if nothing was sent for so long that one is due.
    pub(super) fn keep_alive(&mut self, position: &TailPosition) {
        if self.text.is_empty() && self.sent_at.elapsed() >= self.parts.heartbeat {
            self.alive(position);
        }
    }

    /// Adds a sign of life.
    pub(super) fn alive(&mut self, position: &TailPosition) {
        let cursor = self.cursor(position);
        self.parts.layout.alive(&mut self.text, &cursor);
    }

    /// Forgets what was not sent, and returns the position behind what was.
    pub(super) fn rewind(&mut self) -> TailPosition {
        self.text = Vec::new();
        self.sent.clone()
    }

    /// The last words to a client that is too slow.
    pub(super) fn behind(&mut self) -> Bytes {
        let (position, mut text) = (self.rewind(), Vec::new());
        self.parts.layout.behind(&mut text, &self.cursor(&position));
        text.into()
    }

    /// Hands over all text, up to which `position` is, as far as there is room.
    pub(super) fn flush(&mut self, position: &TailPosition) -> Flushed {
        if self.text.is_empty() {
            return if self.parts.sender.is_closed() { Flushed::Gone } else { Flushed::Sent };
        }
        let room = match self.parts.sender.try_reserve() {
            Ok(room) => room,
            Err(TrySendError::Full(())) => return Flushed::Full,
            Err(TrySendError::Closed(())) => return Flushed::Gone,
        };
        let mut memory = self.parts.memory.hold(self.parts.client.clone());
        // It grew twofold, and may wait for long.
        self.text.shrink_to_fit();
        if !memory.resize(self.text.capacity()) {
            return Flushed::Full;
        }
        let text = std::mem::take(&mut self.text);
        room.send(Ok(Bytes::from_owner(HeldPiece { text, _memory: memory })));
        self.sent.clone_from(position);
        self.sent_at = Instant::now();
        Flushed::Sent
    }

    fn cursor(&self, position: &TailPosition) -> String {
        let scope = CursorScope { topic: self.parts.topic.as_deref(), order: Order::Ascending };
        self.parts.cursors.seal(scope, position.positions())
    }
}
