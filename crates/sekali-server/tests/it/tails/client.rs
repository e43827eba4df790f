//! A client of `GET /events/stream`.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use crate::server::TestServer;

/// Longest that a test waits for a message.
const PATIENCE: Duration = Duration::from_secs(30);

/// One message of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) event: Option<String>,
    pub(crate) id: String,
    /// `None` in a sign of life.
    pub(crate) data: Option<Value>,
}

/// An open stream.
pub(crate) struct Stream {
    response: reqwest::Response,
    text: Vec<u8>,
    messages: VecDeque<Message>,
    /// The id of the last message.
    pub(crate) last_id: String,
}

impl Stream {
    /// Opens a stream, and waits until the server says where it begins.
    #[track_caller]
    pub(crate) fn open(server: &TestServer, query: &str) -> Self {
        Self::open_with(server, query, &[])
    }

    /// The same, with headers.
    #[track_caller]
    pub(crate) fn open_with(server: &TestServer, query: &str, headers: &[(&str, &str)]) -> Self {
        let url = format!("http://{}/events/stream{query}", server.address());
        let request = headers
            .iter()
            .fold(reqwest::Client::new().get(url), |request, (name, value)| request.header(*name, *value));
        let response = server.runtime().block_on(request.send()).unwrap();
        assert_eq!(response.status(), 200);
        let mut stream = Self { response, text: Vec::new(), messages: VecDeque::new(), last_id: String::new() };
        let first = stream.next(server).expect("a first sign of life");
        assert_eq!((first.event, first.data), (None, None));
        stream
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.response.headers().get(name).unwrap().to_str().unwrap()
    }

    /// The next message; `None` at the end of the stream.
    #[track_caller]
    pub(crate) fn next(&mut self, server: &TestServer) -> Option<Message> {
        while self.messages.is_empty() {
            let next = server.runtime().block_on(async { tokio::time::timeout(PATIENCE, self.response.chunk()).await });
            match next.expect("no message came").expect("the stream broke off") {
                Some(bytes) => self.read(&bytes),
                None => {
                    assert!(self.text.is_empty(), "the last message is not whole");
                    return None;
                }
            }
        }
        let message = self.messages.pop_front()?;
        self.last_id.clone_from(&message.id);
        Some(message)
    }

    /// The next event, signs of life left out.
    #[track_caller]
    pub(crate) fn event(&mut self, server: &TestServer) -> Value {
        loop {
            let message = self.next(server).expect("the stream has ended");
            if let Some(data) = message.data {
                assert_eq!(message.event, None, "{data}");
                return data;
            }
        }
    }

    /// The event ids of the next events.
    #[track_caller]
    pub(crate) fn event_ids(&mut self, server: &TestServer, count: usize) -> Vec<String> {
        (0..count).map(|_| self.event(server)["event_id"].as_str().unwrap().to_owned()).collect()
    }

    /// The messages that are left, up to the end of the stream.
    #[track_caller]
    pub(crate) fn rest(&mut self, server: &TestServer) -> Vec<Message> {
        std::iter::from_fn(|| self.next(server)).collect()
    }

    fn read(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
        while let Some(end) = self.text.windows(2).position(|two| two == b"\n\n") {
            let message: Vec<u8> = self.text.drain(..end + 2).collect();
            let text = String::from_utf8(message).unwrap();
            let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            let data = field("data: ").map(|data| serde_json::from_str(&data).unwrap());
            self.messages.push_back(Message { event: field("event: "), id: field("id: ").unwrap(), data });
        }
    }
}
