//! Events as lines, as many as there are, in bounded memory.
//!
//! A piece is read on a blocking thread and sent before the next is read: a client that is slow to take them holds no
//! thread, only the pieces that wait for it.

use std::time::Instant;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tracing::error;

use super::App;
use super::error::ApiError;
use super::layout::Lines;
use super::reads::Place;
use super::select::{Select, Step};
use crate::limits::{STREAM_CHUNK_BYTES, STREAM_READ_MAX};

/// Answers with the events of `select`, at most `limit`.
///
/// # Errors
/// `overloaded`, if there are too many streams.
pub(super) fn answer(app: &App, select: Select, lines: Lines, limit: Option<u64>) -> Result<Response, ApiError> {
    let _place = app.streams.enter()?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(send(Reading { select, lines, left: limit.unwrap_or(u64::MAX), is_begun: false, _place }, sender));
    let mut response = Response::new(Body::from_stream(ReceiverStream::new(receiver)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(lines.media_type()));
    Ok(response)
}

struct Reading {
    select: Select,
    lines: Lines,
    /// How many more events to send.
    left: u64,
    is_begun: bool,
    _place: Place,
}

struct Piece {
    text: Vec<u8>,
    last: bool,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Reads and sends, piece by piece. After an error the answer breaks off without an end, so that nobody takes it for
/// complete.
async fn send(mut reading: Reading, sender: mpsc::Sender<Result<Bytes, Failure>>) {
    loop {
        let read = tokio::task::spawn_blocking(move || reading.piece().map(|piece| (piece, reading))).await;
        let piece = match read.map_err(Failure::from).and_then(|read| read.map_err(Failure::from)) {
            Ok((piece, rest)) => {
                reading = rest;
                piece
            }
            Err(failure) => {
                error!(error = &*failure, "a stream of events broke off");
                let _ = sender.send(Err(failure)).await;
                return;
            }
        };
        // An error here is a client that has gone away.
        if !piece.text.is_empty() && sender.send(Ok(piece.text.into())).await.is_err() || piece.last {
            return;
        }
        if sender.is_closed() {
            return;
        }
    }
}

impl Reading {
    fn piece(&mut self) -> sekali_store::Result<Piece> {
        let begun = Instant::now();
        let mut text = Vec::new();
        if !std::mem::replace(&mut self.is_begun, true) {
            text.extend_from_slice(self.lines.header().as_bytes());
        }
        while self.left > 0 && text.len() < STREAM_CHUNK_BYTES && begun.elapsed() < STREAM_READ_MAX {
            match self.select.step()? {
                Step::Event(event) => {
                    self.lines.append(&mut text, &event);
                    self.left -= 1;
                }
                Step::Passed => {}
                Step::End => self.left = 0,
            }
        }
        Ok(Piece { text, last: self.left == 0 })
    }
}
