//! Keys and streams: what a key may see, and for how long.

use sekali_server::access::{KeyFile, Scope};
use sekali_wire::timestamp::Timestamp;
use serde_json::json;

use super::client::Stream;
use crate::access::visitor::{make, start};
use crate::server::{TestServer, event};

#[test]
fn a_stream_has_the_topics_of_its_key_only() {
    let (server, (admin, mine)) =
        start(2, |dir| (make(dir, &[Scope::Admin], &["*"]), make(dir, &[Scope::Read], &["mine.*"])));
    let shows = format!("Bearer {}", mine.expose());
    let headers = [("authorization", shows.as_str())];
    let mut live = Stream::open_with(&server, "", &headers);
    for round in 0..3 {
        let theirs = event("theirs", &format!("HIDDEN-{round}"));
        let body = json!([theirs, event("mine.a", &round.to_string()), event("theirs.b", &format!("HIDDEN-{round}"))]);
        server.publish_with(&admin, "/publish", body).expect_status(202);
    }
    let mut whole = Stream::open_with(&server, "?from=beginning", &headers);
    for stream in [&mut live, &mut whole] {
        assert_eq!(stream.event_ids(&server, 3), ["0", "1", "2"]);
    }
    server
        .publish_with(&admin, "/publish", json!([event("theirs", "HIDDEN"), event("mine.b", "3")]))
        .expect_status(202);
    for stream in [&mut live, &mut whole] {
        assert_eq!(stream.event_ids(&server, 1), ["3"]);
    }
    for topic in ["theirs", "$conflicts"] {
        let request = server.request("GET", &format!("/events/stream?topic={topic}"));
        request.header("authorization", &shows).send().expect_error(403, "forbidden");
    }
}

#[test]
fn streams_end_with_their_keys() {
    let (server, (file, keys)) = start(1, |dir| {
        let keys =
            [make(dir, &[Scope::Read], &["*"]), make(dir, &[Scope::Admin], &["*"]), make(dir, &[Scope::Read], &["*"])];
        (KeyFile::of(dir), keys)
    });
    let [revoked, admin, kept] = keys.each_ref().map(|key| format!("Bearer {}", key.expose()));
    let open = |shows: &str| Stream::open_with(&server, "", &[("authorization", shows)]);
    let (mut ended, mut of_admin, mut goes_on) = (open(&revoked), open(&admin), open(&kept));
    for key in &keys[..2] {
        file.change(|known| known.revoke(&key.id(), Timestamp(0))).unwrap();
    }
    for stream in [&mut ended, &mut of_admin] {
        assert!(stream.rest(&server).iter().all(|message| message.data.is_none()));
    }
    let publisher = make(&server.dir.path().join("data"), &[Scope::Publish], &["*"]);
    loop {
        // Until the server has read the new key.
        if server.publish_with(&publisher, "/publish", event("t", "1")).status == 202 {
            break;
        }
    }
    assert_eq!(goes_on.event_ids(&server, 1), ["1"]);
}

#[test]
fn streams_without_a_key_end_when_there_are_keys() {
    let server = TestServer::start();
    let mut stream = Stream::open(&server, "");
    make(&server.dir.path().join("data"), &[Scope::Read], &["*"]);
    assert!(stream.rest(&server).iter().all(|message| message.data.is_none()));
}
