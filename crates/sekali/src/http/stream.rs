//! Events as lines of JSON, as many as there are, in bounded memory.
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

use super::event_json::{Layout, append_event};
use super::media::NDJSON;
use super::merge::Merge;
use crate::limits::{STREAM_CHUNK_BYTES, STREAM_READ_MAX};

/// Answers with the events of `merge`, at most `limit`.
pub(super) fn answer(merge: Merge, limit: Option<u64>) -> Response {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(send(Reading { merge, left: limit.unwrap_or(u64::MAX) }, sender));
    let mut response = Response::new(Body::from_stream(ReceiverStream::new(receiver)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    response
}

struct Reading {
    merge: Merge,
    /// How many more events to send.
    left: u64,
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
        while self.left > 0 && text.len() < STREAM_CHUNK_BYTES && begun.elapsed() < STREAM_READ_MAX {
            let Some(event) = self.merge.next().transpose()? else {
                self.left = 0;
                break;
            };
            append_event(&mut text, &event, Layout::OneLine);
            text.push(b'\n');
            self.left -= 1;
        }
        Ok(Piece { text, last: self.left == 0 })
    }
}
