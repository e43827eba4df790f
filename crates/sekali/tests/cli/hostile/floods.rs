//! HTTP/2 frames that cost the client little and some servers much.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{MIB, Victim};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// RFC 9113, 4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET http://localhost/stats`, as RFC 7541 writes it: three entries of the static table, and two
/// with values of their own.
const STATS: &[u8] = b"\x82\x86\x04\x06/stats\x41\x09localhost";

/// Sends the frames of `next` again and again until the server ends the connection or the time is
/// up, and reads the responses meanwhile. Returns whether the server ended it, and its error code
/// (RFC 9113, 7).
fn flood(victim: &Victim, mut next: impl FnMut(u32) -> Vec<u8>) -> (bool, Option<u32>) {
    let mut stream = victim.connect();
    let reader = std::thread::spawn({
        let stream = stream.try_clone().unwrap();
        move || go_away_code(stream)
    });
    let mut sent = stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat());
    let until = Instant::now() + Duration::from_secs(3);
    let mut turn = 0;
    while sent.is_ok() && Instant::now() < until {
        sent = stream.write_all(&next(turn));
        turn += 1;
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
    (sent.is_err(), reader.join().unwrap())
}

fn go_away_code(mut stream: TcpStream) -> Option<u32> {
    const GO_AWAY: u8 = 7;
    let mut head = [0; 9];
    while stream.read_exact(&mut head).is_ok() {
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).ok()?;
        if head[3] == GO_AWAY {
            return payload.get(4..8)?.try_into().ok().map(u32::from_be_bytes);
        }
    }
    None
}

const GROWTH_BYTES_MAX: u64 = 64 * MIB;

/// Checks the server after a flood: it is small and it serves.
#[track_caller]
fn check(victim: &Victim, before: u64) {
    let grown = victim.memory("VmHWM").saturating_sub(before);
    assert!(grown <= GROWTH_BYTES_MAX, "{grown}");
    victim.expect_others_are_served();
}

#[test]
fn requests_that_are_taken_back_at_once_end_the_connection() {
    let victim = Victim::start();
    let before = victim.memory("VmRSS");
    let (enough, _) = flood(&victim, |turn| {
        let stream = 2 * turn + 1;
        let request = frame(HEADERS, END_STREAM | END_HEADERS, stream, STATS);
        [request, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    });
    assert!(enough, "it went on taking them");
    check(&victim, before);
}

#[test]
fn headers_without_end_end_the_connection() {
    let victim = Victim::start();
    let before = victim.memory("VmRSS");
    // A header without indexing, with a name and a value of a hundred bytes each.
    let literal = [&[0, 100][..], &[b'x'; 100], &[100], &[b'y'; 100]].concat();
    let (enough, _) = flood(&victim, |turn| match turn {
        0 => frame(HEADERS, END_STREAM, 1, STATS),
        _ => frame(CONTINUATION, 0, 1, &literal.repeat(50)),
    });
    assert!(enough, "it went on taking them");
    check(&victim, before);
}

#[test]
fn empty_continuations_end_the_connection() {
    let victim = Victim::start();
    let before = victim.memory("VmRSS");
    let (enough, _) = flood(&victim, |turn| match turn {
        0 => frame(HEADERS, END_STREAM, 1, STATS),
        _ => frame(CONTINUATION, 0, 1, &[]).repeat(100),
    });
    assert!(enough, "it went on taking them");
    check(&victim, before);
}

#[test]
fn pings_and_settings_that_are_not_read_again_pile_up_nowhere() {
    let victim = Victim::start();
    let before = victim.memory("VmRSS");
    let mut stream = victim.connect();
    stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let both = [frame(PING, 0, 0, &[7; 8]), frame(SETTINGS, 0, 0, &[])].concat().repeat(500);
    let until = Instant::now() + Duration::from_secs(3);
    let mut sent = stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat());
    // The client reads nothing. At some point the server accepts no more, which is as good as
    // closing.
    while sent.is_ok() && Instant::now() < until {
        sent = stream.write_all(&both);
    }
    check(&victim, before);
}

#[test]
fn a_small_block_that_stands_for_large_headers_is_refused() {
    let victim = Victim::start();
    let before = victim.memory("VmRSS");
    // One entry of 4,000 bytes in the dynamic table, and then one byte for each reference to it.
    let entry = [&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'y'; 4_000]].concat();
    let (_, _) = flood(&victim, |turn| {
        let block = [STATS, &entry, &[0xbe; 10_000]].concat();
        frame(HEADERS, END_STREAM | END_HEADERS, 2 * turn + 1, &block)
    });
    check(&victim, before);
}
