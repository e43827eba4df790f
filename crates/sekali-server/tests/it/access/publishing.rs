//! Publishing with a key for some topics.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use expect_test::expect;
use sekali_server::access::Scope;
use sekali_wire::secret::Secret;
use serde_json::json;

use super::visitor::{make, start};
use crate::server::{TestServer, event};

fn served() -> (TestServer, [Secret; 3]) {
    start(3, |dir| {
        [
            make(dir, &[Scope::Admin], &["*"]),
            make(dir, &[Scope::Publish], &["mine.*", "also"]),
            make(dir, &[Scope::Read], &["*"]),
        ]
    })
}

#[test]
fn one_event_of_another_topic_refuses_the_request() {
    let (server, [admin, publisher, _]) = served();
    let mixed = json!([event("mine.a", "1"), event("also", "2"), event("theirs", "3"), event("mine.b", "4")]);
    server.publish_with(&publisher, "/publish", &mixed).expect(403, &expect![[
        r#"{"code":"forbidden","message":"event 2 is of topic `theirs`, which this key is not for; nothing was stored","errors":[{"index":2,"field":"topic","reason":"this key is not for this topic"}]}"#
    ]]);
    let lines: String = mixed.as_array().unwrap().iter().map(|event| format!("\n{event}\n")).collect();
    let with_invalid = json!([{}, event("mine.a", "1"), event("theirs", "3"), 7]);
    for path in ["/publish", "/publish?invalid=skip", "/publish?verbose=true", "/publish?invalid=skip&verbose=true"] {
        for body in [mixed.clone(), json!({"events": mixed}), event("theirs", "3"), json!([event("mine", "1")])] {
            server.publish_with(&publisher, path, body).expect_error(403, "forbidden");
        }
        let request = server.request("POST", path).key(&publisher).header("content-type", "application/x-ndjson");
        let refused = request.body(lines.clone()).send().expect_error(403, "forbidden").json();
        assert_eq!(refused["errors"][0]["index"], 2);
    }
    let skipped = server.publish_with(&publisher, "/publish?invalid=skip", &with_invalid);
    assert_eq!(skipped.expect_error(403, "forbidden").json()["errors"][0]["index"], 2);
    assert_eq!(server.stored(&admin), []);
    let stats = server.get_with(&admin, "/stats").json();
    assert_eq!((&stats["received"], &stats["conflicts"]), (&json!(0), &json!(0)), "nothing was counted either");
}

#[test]
fn events_of_the_topics_of_the_key_are_stored() {
    let (server, [admin, publisher, _]) = served();
    let body = json!([event("mine.a", "1"), event("also", "2"), {}, event("mine.", "3")]);
    server.publish_with(&publisher, "/publish", &body).expect_error(422, "invalid_event");
    let answer = server.publish_with(&publisher, "/publish?invalid=skip", &body).expect_status(202).json();
    assert_eq!((&answer["stored"], &answer["invalid"]), (&json!(3), &json!(1)));
    assert_eq!(server.stored(&admin).len(), 3);
}

#[test]
fn whoever_may_not_publish_is_refused_before_the_body_is_read() {
    let (server, [admin, _, reader]) = served();
    let length = 30 << 20;
    let bearer = format!("authorization: Bearer {}\r\n", reader.expose());
    for (key, status) in [("", 401), (bearer.as_str(), 403)] {
        // The response comes before a byte of the body, and without a 100 Continue.
        for more in ["", "expect: 100-continue\r\n"] {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            write!(stream, "POST /publish HTTP/1.1\r\nhost: x\r\n{key}{more}content-length: {length}\r\n\r\n").unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status}"));
        }
    }
    // The content of the body does not matter either.
    server.publish_with(&reader, "/publish?nonsense", "{").expect_error(403, "forbidden");
    server
        .request("POST", "/publish")
        .header("content-encoding", "br")
        .body("x")
        .send()
        .expect_error(401, "unauthenticated");
    assert_eq!(server.stored(&admin), []);
}
