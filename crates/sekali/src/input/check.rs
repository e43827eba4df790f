//! Checks the events of files by the server's own rules, without sending them.

use std::path::Path;

use sekali_server::ingest::{Format, IngestError, Options as Ingestion, Target, ingest};
use sekali_store::{HashKey, KeyHasher};

use super::source::Source;
use super::{Options, Record};

/// Hands everything in a file that is not an event to `found`: its place (`file:line`) and what is
/// wrong. Ends early where the file cannot be read further.
pub(crate) fn check(path: &Path, options: &Options, mut found: impl FnMut(String, String)) {
    // Nothing is stored, so that any will do.
    let target = Target { hasher: KeyHasher::new(&HashKey([0; 32])), partitions: 1 };
    let Ok(mut source) = Source::open(path, options) else { return };
    let (mut event, mut body) = (Vec::new(), Vec::new());
    while let Ok(Some(record)) = source.events.next(&mut event) {
        let mut tell = |line: i64, reason| found(format!("{}:{line}", source.name), reason);
        let line = match record {
            Record::Event { line } => line,
            Record::Invalid { line, reason, .. } => {
                tell(line, reason);
                continue;
            }
        };
        // In an array, as it is sent.
        body.clear();
        body.push(b'[');
        body.extend_from_slice(&event);
        body.push(b']');
        match ingest(&body, Format::Json, Ingestion::default(), &target) {
            Err(IngestError::Invalid(rejected)) => rejected.problems.into_iter().for_each(|problem| {
                let reason = problem.reason;
                tell(line, if problem.field.is_empty() { reason } else { format!("{}: {reason}", problem.field) });
            }),
            Err(IngestError::NotJson { reason, .. }) => tell(line, reason),
            Ok(_) | Err(IngestError::TooManyEvents | IngestError::Forbidden { .. }) => {}
        }
    }
}
