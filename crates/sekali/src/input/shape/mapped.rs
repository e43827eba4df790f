//! JSON and CSV of any shape: topic, id, time and source are where the caller says.
//!
//! A record without an id of its own has one from everything in the file up to its end, as lines of
//! text have: a file that has grown or was copied has the same ids again.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::super::{InputError, ReadEvents, Record, invalid};
use super::{hex, write};
use sekali_server::mapping::Mapping;
use sekali_wire::timestamp::Timestamp;

/// Makes events of records.
pub(in crate::input) struct Mapper {
    mapping: Arc<Mapping>,
    /// The time of records that have none.
    now: String,
    /// Of all records so far.
    hash: Sha256,
    records: u64,
}

impl Mapper {
    pub(in crate::input) fn new(mapping: Arc<Mapping>, now: String) -> Self {
        Self { mapping, now, hash: Sha256::new(), records: 0 }
    }

    /// The mapping.
    pub(in crate::input) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Replaces the contents of `event` with the event that the record in this line is, with this
    /// payload.
    pub(in crate::input) fn event(&mut self, record: &[u8], payload: &[u8], line: i64, event: &mut Vec<u8>) -> Record {
        let record = record.trim_ascii();
        self.hash.update(record);
        self.hash.update(b"\n");
        let number = self.records;
        self.records += 1;
        let mapped = match self.mapping.parts(record) {
            Ok(mapped) => mapped,
            Err(reason) => return invalid(line, reason),
        };
        let id = mapped.id.unwrap_or_else(|| format!("p:{}.{number}", hex(&self.hash)));
        let time = mapped.time_ns.map_or_else(|| self.now.clone(), |ns| Timestamp(ns).to_string());
        let payload = String::from_utf8_lossy(payload.trim_ascii());
        match write(event, [&mapped.topic, &id, &time, &mapped.source, &payload]) {
            Ok(()) => Record::Event { line },
            Err(error) => invalid(line, error.to_string()),
        }
    }
}

/// Reads records that are JSON, and maps them.
pub(in crate::input) struct MappedRecords {
    records: Box<dyn ReadEvents>,
    mapper: Mapper,
    text: Vec<u8>,
}

impl MappedRecords {
    pub(in crate::input) fn new(records: Box<dyn ReadEvents>, mapper: Mapper) -> Self {
        Self { records, mapper, text: Vec::new() }
    }
}

impl ReadEvents for MappedRecords {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        Ok(match self.records.next(&mut self.text)? {
            Some(Record::Event { line }) => Some(self.mapper.event(&self.text, &self.text, line, event)),
            other => other,
        })
    }
}
