//! The parsers of protocols, for [`crate::fuzzing`].

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use sekali_store::{HashKey, KeyHasher};
use sekali_wire::limits::BODY_BYTES_MAX;
use serde_json::Value;

use super::cloudevents::CloudEvents;
use super::elasticsearch::{Bulk, Document};
use super::generic::Generic;
use super::hec::{Acknowledgement, Collector};
use super::loki::Push;
use super::otlp::Logs;
use super::otlp::grpc::GrpcLogs;
use super::segment::Messages;
use super::webhooks::Delivery;
use super::{Adapter, Asked, Reply};
use crate::clients::{Client, FairShares, ShareSizes};
use crate::identity::RequestDigest;
use crate::ingest::{Drafts, IdPlan, IdRule, ItemState, Target};
use crate::service::ItemResult;

const NOW_NS: i64 = 1_761_339_600_000_000_000;
/// Memory for all requests of a server.
const ROOM_BYTES: usize = 8 * BODY_BYTES_MAX;

/// A bulk request, and a single document.
pub fn elasticsearch(body: &[u8]) {
    read::<Bulk>("/_bulk", &[], &[("content-type", "application/x-ndjson")], body);
    read::<Document>("/t/_doc/1", &["t", "1"], &[("content-type", "application/json")], body);
}

/// A request with log records, in each encoding.
pub fn otlp(body: &[u8]) {
    read::<Logs>("/v1/logs", &[], &[("content-type", "application/x-protobuf")], body);
    read::<Logs>("/v1/logs", &[], &[("content-type", "application/json")], body);
    let grpc = [("content-type", "application/grpc"), ("grpc-encoding", "gzip")];
    read::<GrpcLogs>("/", &[], &grpc, body);
    let len = u32::try_from(body.len()).unwrap_or(0);
    read::<GrpcLogs>("/", &[], &grpc, &[&[0][..], &len.to_be_bytes(), body].concat());
}

/// Streams of lines: as Snappy, as the message that Snappy hides, and in JSON.
pub fn loki(body: &[u8]) {
    let protobuf = [("content-type", "application/x-protobuf")];
    read::<Push>("/loki/api/v1/push", &[], &protobuf, body);
    let packed = snap::raw::Encoder::new().compress_vec(body).unwrap_or_default();
    read::<Push>("/loki/api/v1/push", &[], &protobuf, &packed);
    read::<Push>("/loki/api/v1/push", &[], &[("content-type", "application/json")], body);
}

/// Events, raw lines, and questions for acknowledgements.
pub fn hec(body: &[u8]) {
    read::<Collector>("/services/collector/event", &[], &[], body);
    read::<Collector>("/services/collector/raw", &[], &[("x-splunk-request-channel", "c")], body);
    read::<Acknowledgement>("/services/collector/ack", &[], &[("x-splunk-request-channel", "c")], body);
}

/// Events in each mode; in binary mode the first line is a header.
pub fn cloudevents(body: &[u8]) {
    for media_type in ["application/cloudevents+json", "application/cloudevents-batch+json"] {
        read::<CloudEvents>("/cloudevents", &[], &[("content-type", media_type)], body);
    }
    let mut lines = body.splitn(2, |&byte| byte == b'\n');
    let text = lines.next().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    let headers = [("ce-specversion", "1.0"), ("ce-id", text), ("ce-source", text), ("ce-type", text), ("ce-x", text)];
    read::<CloudEvents>("/cloudevents", &[], &headers, lines.next().unwrap_or_default());
}

/// A delivery.
pub fn webhooks(body: &[u8]) {
    read::<Delivery>("/webhooks/t", &["t"], &[("content-type", "application/json")], body);
    read::<Delivery>("/webhooks/t", &["t"], &[("stripe-signature", "t=1,v1=00"), ("x-github-event", "push")], body);
}

/// A batch of messages, and a single one.
pub fn segment_api(body: &[u8]) {
    read::<Messages>("/v1/batch", &[], &[("content-type", "application/json")], body);
    read::<Messages>("/v1/track", &[], &[("content-type", "application/json")], body);
}

/// JSON of any shape, NDJSON and lines; the places are in the first line.
pub fn ingest(body: &[u8]) {
    let mut lines = body.splitn(2, |&byte| byte == b'\n');
    let pointers = lines.next().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    let rest = lines.next().unwrap_or_default();
    for media_type in ["application/json", "application/x-ndjson", "text/plain"] {
        let places = [("x-sekali-topic", "t.{/a}"), ("x-sekali-id", pointers), ("x-sekali-records", pointers)];
        read::<Generic>("/ingest", &[], &[&[("content-type", media_type)][..], &places].concat(), rest);
        read::<Generic>("/ingest", &[], &[("content-type", media_type), ("x-sekali-topic", "t")], body);
    }
}

/// Reads a body, and words every outcome and the error that it may be.
fn read<A: Adapter>(path: &str, segments: &[&str], headers: &[(&str, &str)], body: &[u8]) {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::try_from(*value)) {
            map.insert(name, value);
        }
    }
    let asked = Asked::new(path, segments.iter().map(|&segment| segment.to_owned()).collect(), None, map);
    let once = || {
        let sizes = ShareSizes { large: ROOM_BYTES, small: 0, small_max: 0 };
        let room = FairShares::new(sizes, Duration::ZERO).hold(Client::Network(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let mut drafts = Drafts::new(NOW_NS, room);
        (A::read(&asked, body, &mut drafts), drafts)
    };
    let (adapter, drafts) = match once() {
        (Ok(adapter), drafts) => (adapter, drafts),
        (Err(refusal), _) => {
            let reply = A::refuse(&refusal, Some(&asked));
            assert!((200..600).contains(&reply.status), "an error has no status");
            check(&reply);
            return;
        }
    };
    check_events(A::WAY, &adapter, &drafts, body);
    let mut adapters = vec![adapter];
    for outcome in [
        ItemResult::Stored { seq: 1 },
        ItemResult::Duplicate { seq: 1 },
        ItemResult::Conflict { seq: 1 },
        ItemResult::Overloaded,
    ] {
        let adapter = adapters.pop().or_else(|| {
            let (again, repeated) = once();
            assert!(repeated.events().eq(drafts.events()), "a body is read in two ways");
            again.ok()
        });
        let results: Vec<_> = drafts
            .states()
            .map(|state| match state {
                ItemState::Event => outcome.clone(),
                ItemState::Quarantined(reason) => ItemResult::Quarantined(reason.clone()),
                ItemState::Failed(reason) => ItemResult::Failed(reason.clone()),
            })
            .collect();
        let adapter = adapter.map(|adapter| adapter.answer(&asked, &results));
        check(&adapter.unwrap_or_else(|| Reply::empty(0)));
    }
}

/// Every event that was read can be stored.
fn check_events<A: Adapter>(way: crate::identity::Way, adapter: &A, drafts: &Drafts, body: &[u8]) {
    for event in drafts.events() {
        let payload = serde_json::from_slice::<Value>(event.payload);
        assert!(payload.is_ok_and(|payload| payload.is_object()), "a payload is no JSON object");
        assert!(!event.topic.is_empty(), "an event has no topic");
    }
    let digest = RequestDigest::new(way, None, body);
    let rule = match drafts.plan(adapter.by_content()) {
        IdPlan::Request | IdPlan::Counted => IdRule::Request { digest, number: 0 },
        IdPlan::Content => IdRule::Content,
        IdPlan::Declared | IdPlan::None => IdRule::None,
    };
    let target = Target { hasher: KeyHasher::new(&HashKey([7; 32])), partitions: 3 };
    let built = drafts.build(rule, &target, None);
    let counted =
        built.map(|(accepted, counts)| (accepted.events, counts.by_kind.iter().sum::<usize>() + counts.quarantined));
    let kept = drafts.states().filter(|state| !matches!(state, ItemState::Failed(_))).count();
    assert!(counted.is_ok_and(|counted| counted == (kept, kept)), "events are lost or made up");
}

/// An answer in JSON is JSON.
fn check(reply: &Reply) {
    let is_json = reply.headers.iter().any(|(_, value)| value == "application/json");
    assert!(!is_json || serde_json::from_slice::<Value>(&reply.body).is_ok(), "an answer is not JSON");
    assert!(reply.status != 0, "a body is read once and not again");
}
