//! One client does its worst while another one, at another address, publishes one event at a time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use sekali_testkit::Trial;
use sekali_testkit::trial::CYCLES_VARIABLE;

use super::{MIB, Victim};
use crate::process::run;

/// Limit of the server's memory under any attack.
const MEMORY_BYTES_MAX: u64 = 1024 * MIB;

/// Sizes of an ordinary test run, or of a long one.
struct Form {
    /// Events that are stored before.
    stored: u64,
    /// Connections of an attack.
    connections: usize,
    /// Events of a large request.
    large: usize,
    /// Events that the honest client publishes during each attack.
    published: usize,
}

fn form() -> Form {
    if std::env::var_os(CYCLES_VARIABLE).is_some() {
        Form { stored: 1_300_000, connections: 100, large: 100_000, published: 1_000 }
    } else {
        Form { stored: 1_200_000, connections: 40, large: 10_000, published: 100 }
    }
}

/// An attack, and the names of its figures.
struct Attack {
    name: &'static str,
    publish_p99_ms: &'static str,
    livez_ms_max: &'static str,
    memory_mib_max: &'static str,
    begin: fn(&Victim, &Form) -> Attackers,
}

macro_rules! attack {
    ($name:literal, $begin:expr) => {
        Attack {
            name: $name,
            publish_p99_ms: concat!($name, "_publish_p99_ms"),
            livez_ms_max: concat!($name, "_livez_ms_max"),
            memory_mib_max: concat!($name, "_memory_mib_max"),
            begin: $begin,
        }
    };
}

const ATTACKS: [Attack; 8] = [
    attack!("unfinished_bodies", unfinished_bodies),
    attack!("unread_outcomes", unread_outcomes),
    attack!("stalled_streams", stalled_streams),
    attack!("unread_pages", unread_pages),
    attack!("searches", searches),
    attack!("floods", floods),
    attack!("large_floods", large_floods),
    attack!("conflicts", conflicts),
];

/// Connections and threads of an attack, which end when this is dropped.
struct Attackers {
    connections: Vec<TcpStream>,
    threads: Vec<JoinHandle<()>>,
    over: Arc<AtomicBool>,
}

impl Drop for Attackers {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.connections.clear();
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

fn holding(connections: Vec<TcpStream>) -> Attackers {
    Attackers { connections, threads: Vec::new(), over: Arc::default() }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Sends a request whose body is gzip, without the last `cut` bytes.
fn send_gzip(victim: &Victim, path: &str, body: &[u8], cut: usize) -> TcpStream {
    let mut stream = victim.connect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // The server may refuse before it has read all of it.
    let _ = stream.write_all(&[head.as_bytes(), &body[..body.len() - cut]].concat());
    stream
}

/// Bodies that inflate to 32 MiB and lack their end.
fn unfinished_bodies(victim: &Victim, form: &Form) -> Attackers {
    let body = gzip(&vec![b' '; 32 * MIB as usize]);
    holding((0..form.connections).map(|_| send_gzip(victim, "/publish", &body, 8)).collect())
}

/// Long lists of outcomes that are not read.
fn unread_outcomes(victim: &Victim, form: &Form) -> Attackers {
    let id = "x".repeat(200);
    let event = format!(
        r#"{{"topic":"same","event_id":"{id}","timestamp":"2025-10-24T21:00:00Z","source":"","payload":{{}}}}"#
    );
    let body = gzip(format!("{event}\n").repeat(100_000).as_bytes());
    holding((0..form.connections).map(|_| send_gzip(victim, "/publish?verbose=true", &body, 0)).collect())
}

/// Streams of which 15 MB are read, and no more.
fn stalled_streams(victim: &Victim, form: &Form) -> Attackers {
    let read_some = |_| {
        let mut stream = victim.connect();
        stream.write_all(b"GET /events HTTP/1.1\r\nhost: localhost\r\naccept: application/x-ndjson\r\n\r\n").unwrap();
        let mut piece = vec![0; MIB as usize];
        let read = (0..15).try_for_each(|_| stream.read_exact(&mut piece));
        read.map(|()| stream)
    };
    // Some may be refused: there are so many streams for one client.
    holding((0..form.connections).filter_map(|number| read_some(number).ok()).collect())
}

/// Large pages that are not read.
fn unread_pages(victim: &Victim, form: &Form) -> Attackers {
    let ask = |_| {
        let mut stream = victim.connect();
        stream.write_all(b"GET /events?limit=10000 HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        stream
    };
    holding((0..form.connections).map(ask).collect())
}

/// Connections that send a request again and again, and read all answers.
fn asking(victim: &Victim, connections: usize, request: &[u8]) -> Attackers {
    let over = Arc::new(AtomicBool::new(false));
    let ask = |_| {
        let (mut stream, over, request) = (victim.connect(), Arc::clone(&over), request.to_vec());
        std::thread::spawn(move || {
            let mut reader = stream.try_clone().unwrap();
            let read = std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
            // One at a time would wait for itself; a few wait in the connection.
            while !over.load(Ordering::Relaxed) && stream.write_all(&request).is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = stream.shutdown(std::net::Shutdown::Both);
            let _ = read.join();
        })
    };
    let threads = (0..connections).map(ask).collect();
    Attackers { connections: Vec::new(), threads, over }
}

/// Searches for something that is nowhere.
fn searches(victim: &Victim, form: &Form) -> Attackers {
    asking(victim, form.connections, b"GET /events?q=nowhere-to-be-found HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

/// Batches of new events, as fast as the server takes them.
fn floods(victim: &Victim, form: &Form) -> Attackers {
    let mut requests = Vec::new();
    for number in 0..20 {
        let line = |id: usize| {
            format!(
                r#"{{"topic":"flood","event_id":"{number}-{id}","timestamp":"2025-10-24T21:00:00Z","source":"","payload":{{"x":{id}}}}}"#
            ) + "\n"
        };
        let body: String = (0..1_000).map(line).collect();
        let head = format!(
            "POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        requests.extend([head.into_bytes(), body.into_bytes()].concat());
    }
    asking(victim, form.connections / 4, &requests)
}

/// The largest requests there may be, of new events, on a few connections.
fn large_floods(victim: &Victim, form: &Form) -> Attackers {
    let line = |id: usize| {
        let text = "x".repeat(150);
        format!(
            r#"{{"topic":"large","event_id":"{:08}-{id:06}","timestamp":"2025-10-24T21:00:00Z","source":"","payload":{{"text":"{text}"}}}}"#,
            0
        ) + "\n"
    };
    let (length, at) = (line(0).len(), line(0).find("00000000-").unwrap());
    let body: String = (0..form.large).map(line).collect();
    let head = format!(
        "POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let flood = |_| {
        let (mut stream, over, sent) = (victim.connect(), Arc::clone(&over), Arc::clone(&sent));
        let (head, mut body) = (head.clone(), body.clone().into_bytes());
        std::thread::spawn(move || {
            let mut reader = stream.try_clone().unwrap();
            let read = std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
            while !over.load(Ordering::Relaxed) {
                let number = format!("{:08}", sent.fetch_add(1, Ordering::Relaxed));
                body.chunks_mut(length).for_each(|line| line[at..at + 8].copy_from_slice(number.as_bytes()));
                if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).is_err() {
                    break;
                }
            }
            let _ = stream.shutdown(std::net::Shutdown::Both);
            let _ = read.join();
        })
    };
    let threads = (0..form.connections / 10).map(flood).collect();
    Attackers { connections: Vec::new(), threads, over }
}

/// Small conflicts with one large event.
fn conflicts(victim: &Victim, form: &Form) -> Attackers {
    let event = |payload: &str| {
        format!(
            r#"{{"topic":"same","event_id":"conflict","timestamp":"2025-10-24T21:00:00Z","source":"","payload":{payload}}}"#
        ) + "\n"
    };
    let request = |body: &str| {
        let length = body.len();
        let head = "POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n";
        format!("{head}content-length: {length}\r\n\r\n{body}").into_bytes()
    };
    let zeros = vec!["0"; 500_000].join(",");
    let mut stream = victim.connect();
    stream.write_all(&request(&event(&format!("{{\"a\":[{zeros}]}}")))).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 202");
    let body: String = (0..form.large / 10).map(|number| event(&format!("{{\"i\":{number}}}"))).collect();
    asking(victim, form.connections / 10, &request(&body))
}

/// A client at an address of its own, with one connection.
struct Honest {
    stream: BufReader<TcpStream>,
    published: usize,
}

impl Honest {
    fn connect(victim: &Victim) -> Self {
        Self { stream: Self::open(victim), published: 0 }
    }

    /// Connects anew: the beginning of an attack may take longer than a connection may be idle.
    fn reconnect(&mut self, victim: &Victim) {
        self.stream = Self::open(victim);
    }

    fn open(victim: &Victim) -> BufReader<TcpStream> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
            socket.connect(victim.served.address().parse().unwrap()).await.unwrap()
        });
        let stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        BufReader::new(stream)
    }

    /// Sends a request and returns the status and the time that the answer took.
    fn ask(&mut self, request: &str) -> (String, Duration) {
        let begun = Instant::now();
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut status, mut length) = (String::new(), 0);
        self.stream.read_line(&mut status).unwrap();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        self.stream.read_exact(&mut vec![0; length]).unwrap();
        (status, begun.elapsed())
    }

    fn publish(&mut self) -> Duration {
        self.published += 1;
        let id = self.published;
        let event = format!(
            r#"{{"topic":"honest","event_id":"{id}","timestamp":"2025-10-24T21:00:00Z","source":"","payload":{{}}}}"#
        );
        let length = event.len();
        let head = format!("POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
        let (status, time) = self.ask(&format!("{head}{event}"));
        assert!(status.contains("202"), "{status}");
        time
    }

    fn livez(&mut self) -> Duration {
        let (status, time) = self.ask("GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
        assert!(status.contains("200"), "{status}");
        time
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}

/// The times of a client depend on the machine, and are only reported. It is served every time, in
/// bounded memory.
#[test]
fn hostile_neighbours() {
    let mut trial = Trial::begin("hostile_neighbours", 1);
    let form = form();
    let victim = Victim::start();
    let count = form.stored.to_string();
    run(&["publish", "--url", &victim.served.url, "--count", &count, "--seed", "1", "--quiet"]);
    let mut honest = Honest::connect(&victim);
    let (mut memory_max, mut p99_max, mut livez_max) = (0, 0, 0);
    while trial.next_cycle().is_some() {
        for attack in &ATTACKS {
            let attackers = (attack.begin)(&victim, &form);
            honest.reconnect(&victim);
            let (mut times, mut livez, mut memory) = (Vec::new(), Duration::ZERO, 0);
            for number in 0..form.published {
                times.push(honest.publish());
                if number.is_multiple_of(10) {
                    livez = livez.max(honest.livez());
                    memory = victim.memory("VmRSS").max(memory);
                    assert!(memory <= MEMORY_BYTES_MAX, "{}: {} MiB", attack.name, memory / MIB);
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            drop(attackers);
            times.sort_unstable();
            let p99 = ms(times[(times.len() * 99).div_ceil(100) - 1]);
            println!("{}: p99 {p99} ms, livez {} ms, {} MiB", attack.name, ms(livez), memory / MIB);
            trial.note(attack.publish_p99_ms, p99);
            trial.note(attack.livez_ms_max, ms(livez));
            trial.note(attack.memory_mib_max, memory / MIB);
            (memory_max, p99_max) = (memory.max(memory_max), p99.max(p99_max));
            livez_max = ms(livez).max(livez_max);
        }
    }
    let counted = honest.published as u64;
    let stats = run(&["count", "--url", &victim.served.url, "--topic", "honest", "--json"]).json();
    assert_eq!(stats["count"], counted, "the honest client was told 202 for each of them");
    trial.note("acked", counted);
    trial.note("acked_lost", 0);
    trial.note("publish_p99_ms_max", p99_max);
    trial.note("livez_ms_max", livez_max);
    trial.note("memory_mib_max", memory_max / MIB);
    trial.end();
}
