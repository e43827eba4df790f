//! Entry points of the fuzz targets: each takes arbitrary bytes as a client's input, and panics
//! where the service does or where its answer contradicts itself. `fuzz/` calls them with new
//! inputs, and a test with those that are kept.

use sekali_store::{HashKey, KeyHasher};
use serde_json::value::RawValue;

use crate::ingest::{Accepted, CONTENT_RULES, Format, IngestError, Options, Target, ingest};
use sekali_wire::limits::PAYLOAD_DEPTH_MAX;

pub use crate::http::fuzzing::{cursor, query};
pub use crate::protocols::fuzzing::{
    cloudevents, elasticsearch, hec, ingest as ingest_any, loki, otlp, segment_api, webhooks,
};

/// The body of a publish request as JSON. A payload says the same with white space around it.
pub fn publish_json(body: &[u8]) {
    publish(body, Format::Json);
    let brackets = body.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
    if brackets <= PAYLOAD_DEPTH_MAX && serde_json::from_slice::<&RawValue>(body).is_ok() {
        let spaced = [b" \n", body, b"\t"].concat();
        let form = (CONTENT_RULES.canonical)(body);
        assert!(form.is_some() && form == (CONTENT_RULES.canonical)(&spaced), "white space makes a difference");
    }
}

/// The body of a publish request as NDJSON.
pub fn publish_ndjson(body: &[u8]) {
    publish(body, Format::Ndjson);
}

/// Refusing a body for an invalid event, and taking it without that event, must see the same
/// events.
fn publish(body: &[u8], format: Format) {
    let target = Target { hasher: KeyHasher::new(&HashKey([7; 32])), partitions: 3 };
    let read = |skip_invalid| ingest(body, format, Options { skip_invalid, keep_keys: true, topics: None }, &target);
    let (strict, lenient) = (read(false), read(true));
    [&strict, &lenient].into_iter().filter_map(|read| read.as_ref().ok()).for_each(check);
    assert!(strict.is_err() || lenient.is_ok(), "a valid body is refused");
    match (strict, lenient) {
        (Ok(strict), Ok(lenient)) => {
            assert!(strict.rejected.is_empty() && lenient.rejected.is_empty(), "a valid body has invalid events");
            assert_eq!(strict.keys, lenient.keys, "a valid body is read in two ways");
        }
        (Err(IngestError::Invalid(strict)), Ok(lenient)) => {
            assert_eq!(strict.events, lenient.rejected.events, "invalid events are counted in two ways");
        }
        _ => {}
    }
}

fn check(accepted: &Accepted) {
    let batched: usize = accepted.batches.iter().map(|(_, batch)| batch.len()).sum();
    assert_eq!((batched, accepted.keys.len()), (accepted.events, accepted.events), "events are lost or made up");
}
