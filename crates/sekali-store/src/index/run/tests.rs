//! Runs of several chunks, for which the tests of the whole index are too small.

use super::super::block::BLOCK_ENTRIES;
use super::*;
use crate::disk::RealDisk;
use crate::index::Entry;

fn entries(count: u64, fingerprint: impl Fn(u64) -> u128) -> Vec<Entry> {
    let mut entries: Vec<_> =
        (0..count).map(|seq| Entry { fingerprint: fingerprint(seq), seq: seq + 5, content: seq * 3 }).collect();
    entries.sort_unstable();
    entries
}

fn write(dir: &Path, entries: &[Entry]) -> Run {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let info = RunInfo { number: 9, entries: entries.len() as u64, first_seq: 5, last_seq: 1 << 20, checksum: 0 };
    let mut writer = RunWriter::create(&disk, dir, info, 8).unwrap();
    entries.iter().for_each(|entry| writer.push(entry).unwrap());
    let written = writer.finish().unwrap();
    let opened = Run::open(&*disk, dir, written.info()).unwrap();
    assert_eq!(opened.disk_bytes(), written.disk_bytes());
    assert_eq!(opened.guide.encode(), written.guide.encode());
    opened
}

fn look_up(run: &Run, fingerprints: &[u128]) -> (Vec<Entry>, LookupCost) {
    let mut found = Vec::new();
    let reads = run.look_up(fingerprints, &sorted_keys(fingerprints).unwrap(), &mut found).unwrap();
    found.sort_unstable();
    (found.into_iter().map(|(_, entry)| entry).collect(), reads)
}

fn check(count: u64, fingerprint: impl Fn(u64) -> u128) -> LookupCost {
    let dir = tempfile::tempdir().unwrap();
    let all = entries(count, fingerprint);
    let run = Arc::new(write(dir.path(), &all));
    let mut asked: Vec<u128> = all.iter().map(|entry| entry.fingerprint).collect();
    asked.dedup();
    let (found, reads) = look_up(&run, &asked);
    assert!(found == all, "look-ups differ");
    let mut stream = RunStream::new(run);
    let streamed: Vec<_> = std::iter::from_fn(|| stream.next_entry().unwrap()).collect();
    assert!(streamed == all, "the stream differs");
    reads
}

fn scatter(seq: u64) -> u128 {
    u128::from(seq + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

#[test]
fn uniform_fingerprints_are_found_with_one_read_a_block() {
    let reads = check(300_000, scatter);
    let blocks = 300_000_u64.div_ceil(BLOCK_ENTRIES as u64);
    assert!(reads.blocks <= 2 * blocks, "{reads:?}");
    assert_eq!((reads.passed, reads.false_positives), (300_000, 0));
}

#[test]
fn fingerprints_that_all_begin_alike_are_found() {
    check(20_000, u128::from);
}

#[test]
fn one_fingerprint_over_several_chunks_is_found_whole() {
    check(300_000, |seq| if seq < 299_000 { 7 << 100 } else { scatter(seq) });
}

#[test]
fn strangers_cost_few_reads() {
    let dir = tempfile::tempdir().unwrap();
    let run = write(dir.path(), &entries(300_000, scatter));
    let strangers: Vec<u128> = (1_000_000..1_200_000).map(scatter).collect();
    let (found, reads) = look_up(&run, &strangers);
    assert_eq!(found, []);
    assert!(reads.false_positives < 200_000 / 256 + 200, "{reads:?}");
    assert_eq!(reads.passed, reads.false_positives);
}

#[test]
fn a_writer_refuses_what_is_out_of_order_or_out_of_range() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let info = RunInfo { number: 1, entries: 2, first_seq: 5, last_seq: 9, checksum: 0 };
    let mut writer = RunWriter::create(&disk, dir.path(), info, 8).unwrap();
    let entry = |fingerprint, seq| Entry { fingerprint, seq, content: 0 };
    writer.push(&entry(3, 5)).unwrap();
    for wrong in [entry(3, 5), entry(2, 6), entry(4, 4), entry(4, 10)] {
        assert!(matches!(writer.push(&wrong), Err(Error::Broken(_))));
    }
    assert!(matches!(writer.finish(), Err(Error::Broken(_))), "one entry is missing");
    let far = RunInfo { last_seq: 5 + (1 << 40), ..info };
    assert!(matches!(RunWriter::create(&disk, dir.path(), far, 8), Err(Error::Invalid(_))));
}

#[test]
fn file_names_and_numbers_belong_together() {
    for number in [0, 42, 999_999, 1_000_000, u64::MAX] {
        assert_eq!(number_of(&file_name(number)), Some(number));
    }
    for name in ["42.run", "000042.run.tmp", "+00042.run", "0000042.run", "MANIFEST"] {
        assert_eq!(number_of(name), None, "{name}");
    }
}
