//! Clients with keys, and a server that requires them.

use std::path::Path;
use std::sync::Arc;

use sekali_server::access::{KeyFile, NewKey, Scope, Topics};
use sekali_server::server::Config;
use sekali_store::disk::RealDisk;
use sekali_wire::secret::Secret;
use sekali_wire::timestamp::Timestamp;

use crate::server::{Answer, Request, TestServer};

const NOW: Timestamp = Timestamp(1_700_000_000_000_000_000);
const LONG_AGO: Timestamp = Timestamp(1_600_000_000_000_000_000);

/// Scopes and topics of a key.
pub(crate) fn new_key(scopes: &[Scope], topics: &[&str], expires: Option<Timestamp>) -> NewKey {
    let topics = Topics::from(topics.iter().map(|&topic| topic.to_owned()).collect::<Vec<_>>());
    NewKey { name: "a test".to_owned(), scopes: scopes.to_vec(), topics, expires }
}

/// Creates a key in the data directory.
pub(crate) fn make(dir: &Path, scopes: &[Scope], topics: &[&str]) -> Secret {
    KeyFile::of(dir).change(|keys| keys.create(new_key(scopes, topics, None), NOW)).unwrap().0
}

/// Creates an expired key.
pub(crate) fn make_expired(dir: &Path, scopes: &[Scope]) -> Secret {
    KeyFile::of(dir).change(|keys| keys.create(new_key(scopes, &["*"], Some(LONG_AGO)), NOW)).unwrap().0
}

/// Creates a key and revokes it.
pub(crate) fn make_revoked(dir: &Path, scopes: &[Scope]) -> Secret {
    let secret = make(dir, scopes, &["*"]);
    KeyFile::of(dir).change(|keys| keys.revoke(&secret.id(), NOW)).unwrap();
    secret
}

/// A server with the keys that `prepare` creates.
pub(crate) fn start<T>(partitions: u32, prepare: impl FnOnce(&Path) -> T) -> (TestServer, T) {
    let mut made = None;
    let change = |config: &mut Config| {
        config.partitions = partitions;
        made = Some(prepare(&config.data_dir));
    };
    let server = TestServer::start_with(Arc::new(RealDisk), change);
    (server, made.expect("the settings were changed"))
}

impl<'s> Request<'s> {
    /// Sends a key with the request.
    pub(crate) fn key(self, key: &Secret) -> Self {
        self.header("authorization", &format!("Bearer {}", key.expose()))
    }
}

impl TestServer {
    pub(crate) fn get_with(&self, key: &Secret, path: &str) -> Answer {
        self.request("GET", path).key(key).send()
    }

    pub(crate) fn publish_with(&self, key: &Secret, path: &str, body: impl ToString) -> Answer {
        self.request("POST", path).key(key).header("content-type", "application/json").body(body.to_string()).send()
    }

    /// Topic and id of all stored events, in order.
    pub(crate) fn stored(&self, admin: &Secret) -> Vec<(String, String)> {
        let answer = self.get_with(admin, "/events?limit=10000").expect_status(200);
        let text = |event: &serde_json::Value, field: &str| event[field].as_str().unwrap().to_owned();
        let events = answer.json();
        events.as_array().unwrap().iter().map(|event| (text(event, "topic"), text(event, "event_id"))).collect()
    }
}
