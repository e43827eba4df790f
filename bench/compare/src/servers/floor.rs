//! The least work of a durable server: receive a body, check that it is a JSON array, append it to
//! a file, sync, respond. It does not validate events, has no deduplication and no index, and can
//! only be read back as a whole.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use tokio::sync::oneshot;

use crate::Outcome;

/// The file in the data directory to which bodies are appended.
pub(crate) const FILE_NAME: &str = "bodies";

/// A body, and the request to notify once it is on disk.
type Job = (Bytes, oneshot::Sender<()>);

/// Appends the bodies of publish requests to a file in `data_dir`.
pub(crate) fn serve(data_dir: &Path) -> Outcome<()> {
    let file = File::create(data_dir.join(FILE_NAME))?;
    let (jobs, waiting) = channel();
    std::thread::spawn(move || append(file, &waiting));
    let router = Router::new().route("/publish", post(publish)).layer(DefaultBodyLimit::disable());
    super::serve(router.with_state(jobs))
}

/// The simplest group commit: all waiting bodies are written and synced together. After an error no
/// request is acknowledged any more.
fn append(mut file: File, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let jobs: Vec<Job> = std::iter::once(first).chain(waiting.try_iter()).collect();
        let written = jobs.iter().try_for_each(|(body, _)| file.write_all(body)).and_then(|()| file.sync_data());
        if let Err(error) = written {
            crate::say(&format!("the floor cannot write: {error}"));
            return;
        }
        for (_, done) in jobs {
            // An error here is a client that has disconnected.
            let _ = done.send(());
        }
    }
}

async fn publish(State(jobs): State<Sender<Job>>, body: Bytes) -> Response {
    let text = match str::from_utf8(&body) {
        Ok(text) => text,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let count = match serde_json::from_str::<Count>(text) {
        Ok(count) => count.0,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let (done, is_done) = oneshot::channel();
    if jobs.send((body, done)).is_err() || is_done.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    (StatusCode::ACCEPTED, [(CONTENT_TYPE, "application/json")], super::answer(count)).into_response()
}

/// The number of elements of a JSON array. All of it is checked and discarded.
struct Count(u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements)
    }
}

struct Elements;

impl<'de> Visitor<'de> for Elements {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Count, A::Error> {
        let mut count = 0;
        while elements.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Count(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arrays_in_json_are_counted() {
        for (text, expected) in
            [("[]", Some(0)), (r#"[{"a":[1,2]}, "b", 3]"#, Some(3)), ("{}", None), ("[1,]", None), ("[1] 2", None)]
        {
            assert_eq!(serde_json::from_str::<Count>(text).ok().map(|count| count.0), expected, "{text}");
        }
    }
}
