//! Measures segments: writing, reading, merging and looking up.
//!
//! `cargo run --release -p sekali-bench --example segment_speed -- [millions of events]
//! [directory]`
//!
//! Events are typical log events, about 200 bytes of JSON: random UUIDs, ten topics, a hundred
//! sources, a payload of a few numbers and words.

#![expect(clippy::print_stdout, reason = "an example prints what it measures")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use sekali_store::bench_support::{EventChoice, SealedFile, SegmentFiles};
use sekali_store::{EventRef, HashKey, Order, Result, StoreMeta};
use sekali_testkit::Random;

const EVENTS_PER_SEGMENT: u64 = 1_000_000;
const LOOK_UPS: u64 = 2_000;

/// Seconds of wall clock and of CPU time. CPU time is meaningful on a busy machine too.
#[derive(Clone, Copy)]
struct Time {
    wall: f64,
    cpu: f64,
}

impl Time {
    fn times(self, factor: f64) -> Self {
        Self { wall: self.wall * factor, cpu: self.cpu * factor }
    }

    fn less(self, other: Self) -> Self {
        Self { wall: self.wall - other.wall, cpu: self.cpu - other.cpu }
    }
}

struct Clock(Instant, f64);

impl Clock {
    fn start() -> Self {
        Self(Instant::now(), cpu_seconds())
    }

    fn elapsed(&self) -> Time {
        Time { wall: self.0.elapsed().as_secs_f64(), cpu: cpu_seconds() - self.1 }
    }
}

fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let ns = text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok());
    ns.unwrap_or(f64::NAN) / 1e9
}

/// An event and its length as a line of JSON.
#[derive(Default)]
struct Generated {
    topic: String,
    event_id: String,
    source: String,
    payload: String,
    timestamp_ns: i64,
    json_len: u64,
}

fn generate(random: &mut Random, seq: u64, event: &mut Generated) {
    let (a, b, c) = (random.draw(), random.draw(), random.draw());
    let text = |text: &mut String, arguments: std::fmt::Arguments<'_>| {
        text.clear();
        let _ = text.write_fmt(arguments);
    };
    text(&mut event.topic, format_args!("service-{}.requests", c % 10));
    let (d, e, f, g) = ((a >> 32) as u32, (a >> 16) as u16, a as u16, (b >> 48) as u16);
    text(&mut event.event_id, format_args!("{d:08x}-{e:04x}-{f:04x}-{g:04x}-{:012x}", b & 0xffff_ffff_ffff));
    text(&mut event.source, format_args!("host-{:03}", c / 10 % 100));
    let level = ["debug", "info", "info", "warn"][(c >> 20) as usize % 4];
    let (status, took_us, user) =
        ([200, 200, 201, 404][(c >> 22) as usize % 4], (c >> 24) % 100_000, (c >> 40) % 1_000_000);
    text(
        &mut event.payload,
        format_args!(
            r#"{{"level":"{level}","status":{status},"took_us":{took_us},"user":{user},"path":"/api/v1/items"}}"#
        ),
    );
    event.timestamp_ns = 1_760_000_000_000_000_000 + seq as i64 * 10_000 + (c >> 44) as i64 % 10_000;
    let names =
        r#"{"topic":"","event_id":"","timestamp":"2025-10-09T08:53:20.123456789Z","source":"","payload":}"#.len();
    let texts = event.topic.len() + event.event_id.len() + event.source.len() + event.payload.len();
    event.json_len = (names + texts + 1) as u64;
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let millions: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(10);
    let path = arguments.next().map_or_else(|| std::env::temp_dir().join("sekali-segment-speed"), PathBuf::from);
    let store = StoreMeta { store_id: 1, hash_key: HashKey([7; 32]), partitions: 1 };
    let files = SegmentFiles::create(path.clone(), &store)?;
    let parts = write_all(&files, millions)?;
    let merged = merge_all(&files, &parts)?;
    read_all(&merged)?;
    scan_topics(&merged)?;
    look_up(&merged)?;
    first_pages(&merged)?;
    std::fs::remove_dir_all(&path).map_err(|error| invalid(&error))
}

fn invalid(error: &std::io::Error) -> sekali_store::Error {
    sekali_store::Error::Invalid(error.to_string())
}

fn write_all(files: &SegmentFiles, millions: u64) -> Result<Vec<SealedFile>> {
    let (mut random, mut event) = (Random(1), Generated::default());
    let generating = Clock::start();
    (1..=EVENTS_PER_SEGMENT).for_each(|seq| generate(&mut random, seq, &mut event));
    let generating = generating.elapsed().times(millions as f64);
    let (mut parts, mut json, mut bytes, mut rows) = (Vec::new(), 0, 0, 0);
    let began = Clock::start();
    for part in 0..millions {
        let mut writer = files.writer();
        for seq in part * EVENTS_PER_SEGMENT + 1..=(part + 1) * EVENTS_PER_SEGMENT {
            generate(&mut random, seq, &mut event);
            json += event.json_len;
            let Generated { topic, event_id, source, payload, timestamp_ns, .. } = &event;
            let event = EventRef { topic, event_id, timestamp_ns: *timestamp_ns, source, payload: payload.as_bytes() };
            writer.push(seq, (seq / 5000) as i64, &event)?;
        }
        let part = writer.finish()?;
        (rows, bytes) = (rows + part.rows(), bytes + part.file_bytes());
        parts.push(part);
    }
    report("write", rows, began.elapsed().less(generating));
    let (row, raw) = (bytes as f64 / rows as f64, json as f64 / rows as f64);
    println!("size: {row:.1} bytes a row, {raw:.1} as JSON: 1/{:.2}", raw / row);
    Ok(parts)
}

fn merge_all(files: &SegmentFiles, parts: &[SealedFile]) -> Result<SealedFile> {
    let began = Clock::start();
    let merged = files.merge(parts)?;
    report("merge, and open", merged.rows(), began.elapsed());
    println!("{} row groups", merged.row_groups().len());
    let began = Instant::now();
    merged.verify()?;
    println!("verify: {:.0} MB/s", merged.file_bytes() as f64 / 1e6 / began.elapsed().as_secs_f64());
    Ok(merged)
}

fn read_all(segment: &SealedFile) -> Result<()> {
    let (mut rows, mut owned) = (0, 0);
    let began = Clock::start();
    for group in 0..segment.row_groups().len() {
        segment.visit(group, &EventChoice::default(), |_, _| rows += 1)?;
    }
    report("visit everything in order", rows, began.elapsed());
    let began = Clock::start();
    for group in 0..segment.row_groups().len() {
        owned += segment.read(group, &EventChoice::default())?.len() as u64;
    }
    report("read everything in order", owned, began.elapsed());
    Ok(())
}

fn scan_topics(segment: &SealedFile) -> Result<()> {
    let (mut rows, mut owned) = (0, 0);
    let topics: Vec<String> = (0..3).map(topic).collect();
    let began = Clock::start();
    for (topic, group) in
        topics.iter().flat_map(|topic| (0..segment.row_groups().len()).map(move |group| (topic, group)))
    {
        segment.visit(group, &of(topic), |_, _| rows += 1)?;
    }
    report("visit a topic", rows, began.elapsed());
    let began = Clock::start();
    for (topic, group) in
        topics.iter().flat_map(|topic| (0..segment.row_groups().len()).map(move |group| (topic, group)))
    {
        owned += segment.read(group, &of(topic))?.len() as u64;
    }
    report("read a topic", owned, began.elapsed());
    Ok(())
}

fn topic(number: u64) -> String {
    format!("service-{number}.requests")
}

fn of(topic: &str) -> EventChoice<'_> {
    EventChoice { topic: Some(topic), ..EventChoice::default() }
}

fn look_up(segment: &SealedFile) -> Result<()> {
    let mut random = Random(2);
    let mut known = Vec::new();
    for group in (0..segment.row_groups().len()).step_by(7) {
        segment.visit(group, &EventChoice::default(), |seq, event| {
            if random.draw().is_multiple_of(500) {
                known.push((event.topic.to_owned(), seq));
            }
        })?;
    }
    let mut times = Vec::new();
    for _ in 0..LOOK_UPS {
        let (topic, seq) = &known[(random.draw() % known.len() as u64) as usize];
        let began = Instant::now();
        let found = segment.find(topic, *seq)?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        assert_eq!(found.map(|event| event.seq), Some(*seq));
    }
    latency("find one event", times);
    Ok(())
}

fn first_pages(segment: &SealedFile) -> Result<()> {
    let mut random = Random(3);
    // The last row group may be too short for a page.
    let full = segment.row_groups().len() as u64 - 1;
    for (name, limit, all) in [
        ("first 100 of a topic", 100, false),
        ("first 1,000 of a topic", 1000, false),
        ("first 1,000 of all", 1000, true),
    ] {
        for order in [Order::Ascending, Order::Descending] {
            let mut times = Vec::new();
            for _ in 0..LOOK_UPS / 10 {
                let (topic, group) = (topic(random.draw() % 10), (random.draw() % full) as usize);
                let from = segment.row_groups()[group] + random.draw() % 50_000;
                let seqs = if order == Order::Ascending { from..u64::MAX } else { 0..from + 70_000 };
                let topic = (!all).then_some(&*topic);
                let began = Instant::now();
                let found = segment.read(group, &EventChoice { topic, seqs, limit, order })?;
                times.push(began.elapsed().as_secs_f64() * 1e3);
                assert_eq!(found.len(), limit);
            }
            latency(&format!("{name}, {order:?}"), times);
        }
    }
    Ok(())
}

fn report(what: &str, rows: u64, time: Time) {
    let rate = |seconds: f64| rows as f64 / seconds;
    println!("{what}: {rows} rows, {:.0} rows/s a core; {:.0} rows/s by the clock", rate(time.cpu), rate(time.wall));
}

fn latency(what: &str, mut times_ms: Vec<f64>) {
    times_ms.sort_by(f64::total_cmp);
    let at = |share: f64| times_ms[((times_ms.len() - 1) as f64 * share) as usize];
    println!("{what}: median {:.3} ms, p99 {:.3} ms", at(0.5), at(0.99));
}
