//! Small bodies that decompress to large ones.

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use sekali_testkit::Trial;

use super::{MIB, Victim};

const INFLATED_BYTES: u64 = 512 * MIB;
const GROWTH_BYTES_MAX: u64 = 64 * MIB;

fn fill(mut encoder: impl std::io::Write) -> impl std::io::Write {
    let spaces = vec![b' '; MIB as usize];
    for _ in 0..INFLATED_BYTES / MIB {
        encoder.write_all(&spaces).unwrap();
    }
    encoder
}

fn gzip() -> Vec<u8> {
    let mut out = Vec::new();
    drop(fill(GzEncoder::new(&mut out, Compression::fast())));
    out
}

fn deflate() -> Vec<u8> {
    let mut out = Vec::new();
    drop(fill(ZlibEncoder::new(&mut out, Compression::fast())));
    out
}

fn zstd() -> Vec<u8> {
    let mut out = Vec::new();
    drop(fill(zstd::Encoder::new(&mut out, 1).unwrap().auto_finish()));
    out
}

#[test]
fn bombs() {
    let mut trial = Trial::begin("bombs", 1);
    let bombs = [("gzip", gzip()), ("deflate", deflate()), ("zstd", zstd())];
    let mut grown_max = 0;
    while trial.next_cycle().is_some() {
        for (encoding, bomb) in &bombs {
            assert!((bomb.len() as u64) < 8 * MIB, "{encoding} is no bomb: {}", bomb.len());
            let victim = Victim::start();
            let before = victim.memory("VmRSS");
            let head = format!(
                "POST /publish HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n",
                bomb.len()
            );
            let answer = victim.exchange(&[head.as_bytes(), bomb].concat());
            assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("\"too_large\""), "{encoding}: {answer}");
            let grown = victim.memory("VmHWM").saturating_sub(before);
            assert!(grown <= GROWTH_BYTES_MAX, "{encoding}: {grown}");
            grown_max = grown.max(grown_max);
            assert_eq!(victim.events_stored(), 0);
        }
    }
    trial.note("inflated_mib", INFLATED_BYTES / MIB);
    trial.note("memory_growth_mib_max", grown_max / MIB);
    trial.end();
}
