//! Events as lines, as many as there are, in bounded memory.
//!
//! Pieces are read on a thread that may block. As long as the client takes them as they come, one
//! thread reads on, for a turn at a time: the allocator keeps some of what was read with each
//! thread that ever read. A client that is slow to take them holds no thread, only the two pieces
//! that wait for it.

use std::time::Instant;

use bytes::Bytes;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tracing::error;

use crate::http::answer::{ApiError, Body, BrokenOff, LineLayout};
use crate::limits::{STREAM_CHUNK_BYTES, STREAM_READ_MAX, STREAM_TURN_MAX};
use crate::query::{EventCursor, ReadPermit, Step};
use crate::service::Service;

/// Answers with the events of `cursor`, at most `limit`.
///
/// # Errors
/// `overloaded`, if there are too many streams.
pub(super) fn answer(
    service: &Service,
    cursor: EventCursor,
    lines: LineLayout,
    limit: Option<u64>,
) -> Result<Response<Body>, ApiError> {
    let _permit = service.streams().enter()?;
    let (sender, receiver) = mpsc::channel(1);
    let left = limit.unwrap_or(u64::MAX);
    tokio::spawn(send(EventStream { cursor, lines, left, is_begun: false, is_done: false, _permit }, sender));
    let mut response = Response::new(Body::pieces(receiver));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(lines.media_type()));
    Ok(response)
}

struct EventStream {
    cursor: EventCursor,
    lines: LineLayout,
    /// How many more events to send.
    left: u64,
    is_begun: bool,
    is_done: bool,
    _permit: ReadPermit,
}

type Sender = mpsc::Sender<Result<Bytes, BrokenOff>>;

/// Reads and sends, turn by turn. After an error the answer breaks off without an end, so that
/// nobody takes it for complete.
async fn send(mut stream: EventStream, sender: Sender) {
    while !stream.is_done {
        let theirs = sender.clone();
        let turn = tokio::task::spawn_blocking(move || stream.turn(&theirs).map(|untaken| (untaken, stream))).await;
        let untaken = match turn.map_err(BrokenOff::from).and_then(|turn| turn.map_err(BrokenOff::from)) {
            Ok((untaken, rest)) => {
                stream = rest;
                untaken
            }
            Err(failure) => {
                error!(error = &*failure, "a stream of events broke off");
                let _ = sender.send(Err(failure)).await;
                return;
            }
        };
        if let Some(piece) = untaken
            && sender.send(Ok(piece)).await.is_err()
        {
            // The client has gone away.
            return;
        }
    }
}

impl EventStream {
    /// Reads and sends as long as the client takes what comes, but not so long that other readings
    /// wait for the thread. Answers the piece that the client was not ready for, if there is one.
    fn turn(&mut self, sender: &Sender) -> sekali_store::Result<Option<Bytes>> {
        let begun = Instant::now();
        while !self.is_done && begun.elapsed() < STREAM_TURN_MAX {
            let piece = self.piece()?;
            if piece.is_empty() {
                self.is_done |= sender.is_closed();
                continue;
            }
            match sender.try_send(Ok(piece)) {
                Ok(()) => {}
                Err(TrySendError::Full(piece)) => return Ok(piece.ok()),
                Err(TrySendError::Closed(_)) => self.is_done = true,
            }
        }
        Ok(None)
    }

    fn piece(&mut self) -> sekali_store::Result<Bytes> {
        let begun = Instant::now();
        let mut text = Vec::new();
        if !std::mem::replace(&mut self.is_begun, true) {
            text.extend_from_slice(self.lines.header().as_bytes());
        }
        while self.left > 0 && text.len() < STREAM_CHUNK_BYTES && begun.elapsed() < STREAM_READ_MAX {
            match self.cursor.step()? {
                Step::Event(event) => {
                    self.lines.append(&mut text, &event);
                    self.left -= 1;
                }
                Step::Passed(_) => {}
                Step::End => self.left = 0,
            }
        }
        self.is_done = self.left == 0;
        Ok(text.into())
    }
}
