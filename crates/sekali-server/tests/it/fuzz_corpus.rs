//! Replays the inputs in `fuzz/corpus` through the functions of the fuzz targets.

use std::fs;
use std::path::Path;

use sekali_server::fuzzing;

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 12] = [
    ("publish_json", fuzzing::publish_json),
    ("publish_ndjson", fuzzing::publish_ndjson),
    ("query", fuzzing::query),
    ("cursor", fuzzing::cursor),
    ("ingest", fuzzing::ingest_any),
    ("elasticsearch", fuzzing::elasticsearch),
    ("otlp", fuzzing::otlp),
    ("loki", fuzzing::loki),
    ("hec", fuzzing::hec),
    ("cloudevents", fuzzing::cloudevents),
    ("webhooks", fuzzing::webhooks),
    ("segment_api", fuzzing::segment_api),
];

#[test]
fn inputs_that_once_broke_something_break_nothing() {
    for (name, target) in TARGETS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
        let inputs: Vec<_> = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!inputs.is_empty(), "{name} has no inputs");
        for input in inputs {
            println!("{}", input.display());
            target(&fs::read(input).unwrap());
        }
    }
}
