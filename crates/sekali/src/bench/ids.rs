//! Forms of event ids. All ids of a form have the same length, and each is a function of the run
//! and the event's number.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use serde::Serialize;

use super::numbers::NUMBERS_PER_CONNECTION;
use crate::generate::{SplitMix64, UUID_TEXT_BYTES, uuid_text, uuid7_text};

/// Forms of event ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IdShape {
    /// Random UUIDs
    #[default]
    Uuid4,
    /// UUIDs that begin with the time
    Uuid7,
    /// ULIDs: the time, then random, 26 characters
    Ulid,
    /// A name for the run and a number that counts up on each connection, 36 characters
    Sequential,
    /// 200 characters, told apart by the last 36
    Long,
}

/// 128 random bits that make the ids of a run unique. Ids that contain a time begin with the time
/// of the run.
#[derive(Debug, Clone, Copy)]
pub struct RunId {
    pub(super) keys: [u64; 2],
    pub(super) started_ms: u64,
}

impl RunId {
    /// Creates a run that begins now.
    pub fn random() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { keys: rand::random(), started_ms: u64::try_from(since.as_millis()).unwrap_or(0) }
    }

    /// Returns 128 pseudo-random bits for event `number`.
    pub(super) fn bits(self, number: u64) -> u128 {
        let [high, low] = self.keys.map(|key| SplitMix64::of(key, number).next());
        (u128::from(high) << 64) | u128::from(low)
    }

    /// The time in an id. It advances with the events, so that a repeat has the id of its original.
    fn time_ms(self, number: u64) -> u64 {
        self.started_ms + (number % NUMBERS_PER_CONNECTION) / EVENTS_PER_MS
    }
}

/// Events of one connection that share a millisecond.
const EVENTS_PER_MS: u64 = 32;

const ULID_BYTES: usize = 26;
const LONG_BYTES: usize = 200;
const SEQUENTIAL_PREFIX_BYTES: usize = 16;

impl IdShape {
    /// Length of an id.
    pub fn bytes(self) -> usize {
        match self {
            Self::Uuid4 | Self::Uuid7 | Self::Sequential => UUID_TEXT_BYTES,
            Self::Ulid => ULID_BYTES,
            Self::Long => LONG_BYTES,
        }
    }

    /// Writes the id of event `number`, with the random `bits`, into `id`, which has the right
    /// length.
    pub(super) fn write(self, id: &mut [u8], run: RunId, number: u64, bits: u128) {
        match self {
            Self::Uuid4 => id.copy_from_slice(&uuid_text(bits)),
            Self::Uuid7 => id.copy_from_slice(&uuid7_text(run.time_ms(number), bits)),
            Self::Ulid => write_ulid(id, run.time_ms(number), bits),
            Self::Sequential => {
                let (prefix, count) = id.split_at_mut(SEQUENTIAL_PREFIX_BYTES);
                write_digits(prefix, u128::from(run.keys[0]), 16);
                write_digits(count, u128::from(number), 10);
            }
            Self::Long => {
                let (prefix, end) = id.split_at_mut(LONG_BYTES - UUID_TEXT_BYTES);
                prefix.iter_mut().zip(LONG_PREFIX.iter().cycle()).for_each(|(byte, filler)| *byte = *filler);
                end.copy_from_slice(&uuid_text(bits));
            }
        }
    }
}

const LONG_PREFIX: &[u8] = b"urn:example:region:site:service:request:";

/// <https://github.com/ulid/spec>: 48 bits of time and 80 random ones in Crockford's base 32.
fn write_ulid(id: &mut [u8], time_ms: u64, random: u128) {
    let bits = (u128::from(time_ms) << 80) | (random >> 48);
    write_digits(id, bits, 32);
}

/// Writes `number` in a base up to 32, with leading zeros.
fn write_digits(text: &mut [u8], mut number: u128, base: u128) {
    const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for digit in text.iter_mut().rev() {
        *digit = CROCKFORD[usize::try_from(number % base).unwrap_or(0)];
        number /= base;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(shape: IdShape, number: u64) -> String {
        let mut id = vec![b'?'; shape.bytes()];
        let run = RunId { keys: [0x0123_4567_89ab_cdef, 2], started_ms: 1_700_000_000_000 };
        shape.write(&mut id, run, number, run.bits(number));
        String::from_utf8(id).unwrap()
    }

    #[test]
    fn shapes_look_like_what_they_are_called() {
        let ids: Vec<String> = IdShape::value_variants().iter().map(|shape| id(*shape, 7)).collect();
        expect_test::expect![[r#"
            189538b9-a30c-4e6f-ba55-6cd04f017a44
            018bcfe5-6800-7e6f-ba55-6cd04f017a44
            01HF7YAT0032AKHED31G76ZEJN
            0123456789ABCDEF00000000000000000007
            urn:example:region:site:service:request:urn:example:region:site:service:request:urn:example:region:site:service:request:urn:example:region:site:service:request:urn:189538b9-a30c-4e6f-ba55-6cd04f017a44
        "#]]
        .assert_eq(&(ids.join("\n") + "\n"));
    }

    #[test]
    fn ids_with_a_time_or_a_number_ascend() {
        for shape in [IdShape::Uuid7, IdShape::Ulid, IdShape::Sequential] {
            let ids: Vec<String> = (0..100).map(|step| id(shape, step * EVENTS_PER_MS)).collect();
            assert!(ids.is_sorted(), "{shape:?}: {ids:?}");
        }
    }
}
