//! Events as lines, rows or a Parquet file, as many as there are, in bounded memory.
//!
//! Pieces are read on a thread that may block. As long as the client takes them as they come, one
//! thread reads on, for a turn at a time: the allocator keeps some of what was read with each
//! thread that ever read. A client that is slow to take them holds no thread, only the two pieces
//! that wait for it: what was read ahead of them is dropped and read again, and so are the files.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::timeout;
use tracing::error;

use super::PageRequest;
use crate::clients::{Client, HeldShare};
use crate::http::answer::{AnswerFormat, ApiError, Body, BrokenOff, EventEncoder};
use crate::limits::{
    PARQUET_ANSWER_BYTES, STREAM_AHEAD_TIME, STREAM_CHUNK_BYTES, STREAM_FILES_TIME, STREAM_READ_MAX, STREAM_TURN_MAX,
};
use crate::query::{EventCursor, QueryError, ReadPermits, Step};
use crate::service::Service;

/// Answers `client` with the events of `cursor`, as `request` wants them.
///
/// # Errors
/// `overloaded`, if there are too many streams, or too many that gather row groups.
pub(super) fn answer(
    service: &Service,
    client: Client,
    cursor: EventCursor,
    request: PageRequest,
) -> Result<Response<Body>, ApiError> {
    let PageRequest { format, columns, limit, .. } = request;
    let mut place = service.streams().hold(client.clone());
    if !place.resize(1) {
        return Err(QueryError::Busy.into());
    }
    let mut memory = service.answers().hold(client.clone());
    if format == AnswerFormat::Parquet && !memory.resize(PARQUET_ANSWER_BYTES) {
        return Err(QueryError::AnswersFull.into());
    }
    let encoder = EventEncoder::new(format, columns).map_err(|error| ApiError::internal(&error))?;
    let (sender, receiver) = mpsc::channel(1);
    let left = limit.unwrap_or(u64::MAX);
    let stream = EventStream { cursor, encoder, left, is_done: false, _place: place, _memory: memory };
    tokio::spawn(send(stream, service.clone(), client, sender));
    let mut response = Response::new(Body::pieces(receiver));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    Ok(response)
}

struct EventStream {
    cursor: EventCursor,
    encoder: EventEncoder,
    /// How many more events to send.
    left: u64,
    is_done: bool,
    _place: HeldShare,
    _memory: HeldShare,
}

type Sender = mpsc::Sender<Result<Bytes, BrokenOff>>;

/// Reads and sends, turn by turn. After an error the answer breaks off without an end, so that
/// nobody takes it for complete.
async fn send(mut stream: EventStream, service: Service, client: Client, sender: Sender) {
    let mut files_since = Instant::now();
    while !stream.is_done {
        if files_since.elapsed() >= STREAM_FILES_TIME {
            stream.cursor.release();
            files_since = Instant::now();
        }
        let theirs = sender.clone();
        let turn = move || stream.turn(&theirs).map(|untaken| (untaken, stream));
        let turn = service.reads().run_always(client.clone(), turn).await;
        let untaken = match turn.map_err(BrokenOff::from).and_then(|turn| turn) {
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
            && stream.wait(piece, service.streams_ahead(), &sender).await.is_err()
        {
            // The client has gone away.
            return;
        }
    }
}

/// The client has gone away.
struct Gone;

impl EventStream {
    /// Waits until the client takes a piece. What was read ahead is kept for a moment, if not too
    /// many others do so.
    async fn wait(&mut self, piece: Bytes, ahead: &ReadPermits, sender: &Sender) -> Result<(), Gone> {
        let permit = ahead.enter().ok();
        let patience = permit.as_ref().map_or(Duration::ZERO, |_| STREAM_AHEAD_TIME);
        let room = match timeout(patience, sender.reserve()).await {
            Ok(room) => room,
            Err(_) => {
                self.cursor.release();
                drop(permit);
                sender.reserve().await
            }
        };
        room.map_err(|_| Gone)?.send(Ok(piece));
        Ok(())
    }

    /// Reads and sends as long as the client takes what comes, but not so long that other readings
    /// wait for the thread. Answers the piece that the client was not ready for, if there is one.
    fn turn(&mut self, sender: &Sender) -> Result<Option<Bytes>, BrokenOff> {
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

    fn piece(&mut self) -> Result<Bytes, BrokenOff> {
        let begun = Instant::now();
        while self.left > 0 && self.encoder.len() < STREAM_CHUNK_BYTES && begun.elapsed() < STREAM_READ_MAX {
            match self.cursor.step()? {
                Step::Event(event) => {
                    self.encoder.append(&event)?;
                    self.left -= 1;
                }
                Step::Passed(_) | Step::PassedMany(_) | Step::Columns(_) => {}
                Step::End => self.left = 0,
            }
        }
        if self.left == 0 {
            self.encoder.end()?;
            self.is_done = true;
        }
        let mut text = self.encoder.take();
        // It grew twofold, and may wait for long.
        text.shrink_to_fit();
        Ok(text.into())
    }
}
