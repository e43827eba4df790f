//! A disk that fills up, through the server or another program, and is freed again.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::Client;
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use sekali_testkit::{Trial, skip};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::journal::Totals;
use crate::load::{Answer, Clients, client};
use crate::process::{Process, free_port};

const DISK_MIB: u64 = 384;
const LARGER_DISK_MIB: u64 = 768;
/// The size of the events with which the clients fill the disk.
const EVENT_BYTES: usize = 900_000;
/// The longest time for the server to notice a change of the free space.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disk_full() {
    let mut trial = Trial::begin("disk_full", 1);
    let (mut totals, mut counts) = (Totals::default(), Counts::default());
    let mut random = StdRng::seed_from_u64(trial.seed());
    while trial.next_cycle().is_some() {
        let disk = match SmallDisk::mount() {
            Ok(disk) => disk,
            Err(reason) => return skip("disk_full", &reason),
        };
        let mut tenant = Tenant::move_in(disk).await;
        tenant.a_stranger_comes_and_goes(&mut random, &mut counts).await;
        tenant.fill(&mut counts).await;
        tenant.restart_on_a_full_disk(&mut counts).await;
        tenant.disk.fill_to_the_last_byte();
        tenant.restart_on_a_full_disk(&mut counts).await;
        tenant.the_disk_grows(&mut counts).await;
        let Tenant { server, clients, .. } = tenant;
        clients.check_resend(&server.url).await;
        totals.add(clients.judge(&server.url).await.check());
    }
    totals.note(&mut trial);
    trial.note("refused", counts.refused);
    trial.note("reads", counts.reads.load(Ordering::Relaxed));
    trial.note("reads_failed", 0);
    trial.note("resumed_after_ms_max", counts.resumed_after_ms_max);
    trial.end();
}

#[derive(Debug, Default)]
struct Counts {
    refused: u64,
    reads: Arc<AtomicU64>,
    /// The time from free space to the first stored event.
    resumed_after_ms_max: u64,
}

/// A server on a small disk.
struct Tenant {
    // Stopped before its disk is removed.
    server: Process,
    disk: SmallDisk,
    port: u16,
    clients: Arc<Clients>,
    http: Client,
}

impl Tenant {
    async fn move_in(disk: SmallDisk) -> Self {
        let port = free_port();
        let server = Process::start(&disk.data_dir(), port).await;
        Self { server, disk, port, clients: Arc::default(), http: client() }
    }

    /// Under load, another program takes the space and gives it back.
    async fn a_stranger_comes_and_goes(&mut self, random: &mut StdRng, counts: &mut Counts) {
        let load = self.clients.load(&self.server.url, random);
        let reads = Reads::start(&self.server.url, &counts.reads);
        // Not the last byte: taking that in the middle of a commit makes the commit fail instead of
        // being refused.
        self.disk.take_all_but(16 << 20);
        self.wait_until_refused(10, counts).await;
        self.disk.give_back();
        self.wait_until_stored(counts).await;
        load.cut_off().await;
        reads.end().await;
    }

    /// Publishes until there is no space left.
    async fn fill(&mut self, counts: &mut Counts) {
        let reads = Reads::start(&self.server.url, &counts.reads);
        self.wait_until_refused(EVENT_BYTES, counts).await;
        reads.end().await;
    }

    /// A restart on a full disk serves stored events and refuses new ones.
    async fn restart_on_a_full_disk(&mut self, counts: &mut Counts) {
        self.server.kill();
        self.server = Process::start(&self.disk.data_dir(), self.port).await;
        let reads = Reads::start(&self.server.url, &counts.reads);
        self.wait_until_refused(10, counts).await;
        reads.end().await;
        self.clients.judge(&self.server.url).await.check();
    }

    /// With space again, writing resumes by itself.
    async fn the_disk_grows(&mut self, counts: &mut Counts) {
        self.disk.give_back();
        self.disk.grow();
        self.wait_until_stored(counts).await;
    }

    /// Publishes until an event is refused because the disk is full.
    async fn wait_until_refused(&self, length: usize, counts: &mut Counts) {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let event = self.clients.new_event(length);
            match self.clients.send(&self.http, &self.server.url, &[event]).await {
                Answer::Told(_) => {}
                Answer::Refused { code, retry_after } => {
                    assert_eq!((code.as_str(), retry_after), ("storage_full", true));
                    counts.refused += 1;
                    return;
                }
                answer => panic!("a full disk is no failure: {answer:?}"),
            }
            assert!(Instant::now() < give_up, "the disk does not fill up");
        }
    }

    /// Publishes until an event is stored.
    async fn wait_until_stored(&self, counts: &mut Counts) {
        let begun = Instant::now();
        loop {
            let event = self.clients.new_event(10);
            match self.clients.send(&self.http, &self.server.url, &[event]).await {
                Answer::Told(_) => break,
                Answer::Refused { code, .. } => assert_eq!(code, "storage_full"),
                answer => panic!("a full disk is no failure: {answer:?}"),
            }
            assert!(begun.elapsed() < PATIENCE, "there is space, and still events are refused");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let resumed_after_ms = u64::try_from(begun.elapsed().as_millis()).unwrap();
        counts.resumed_after_ms_max = counts.resumed_after_ms_max.max(resumed_after_ms);
    }
}

/// Reads continuously. Every response must be 200.
struct Reads {
    ended: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Reads {
    fn start(url: &str, count: &Arc<AtomicU64>) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let (is_over, url, count) = (Arc::clone(&ended), url.to_owned(), Arc::clone(count));
        let task = tokio::spawn(async move {
            let http = client();
            while !is_over.load(Ordering::SeqCst) {
                for path in ["/events?limit=5", "/events?order=desc&limit=5", "/stats", "/readyz"] {
                    let answer = http.get(format!("{url}{path}")).send().await.expect("an answer");
                    assert_eq!(answer.status().as_u16(), 200, "{path} on a full disk");
                    count.fetch_add(1, Ordering::Relaxed);
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        Self { ended, task }
    }

    async fn end(self) {
        self.ended.store(true, Ordering::SeqCst);
        self.task.await.expect("every read was answered with 200");
    }
}

/// A file system in memory of fixed size. Unmounted and removed when dropped.
struct SmallDisk {
    dir: TempDir,
}

impl SmallDisk {
    /// Mounts one. The error names the missing requirement.
    fn mount() -> Result<Self, String> {
        let disk = Self { dir: tempfile::tempdir().map_err(|error| error.to_string())? };
        disk.call("mount", &["-t", "tmpfs", "-o", &format!("size={DISK_MIB}m"), "sekali-torture"])?;
        Ok(disk)
    }

    fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Another program takes the space.
    fn take_all_but(&self, bytes: u64) {
        let stat = statvfs(self.dir.path()).unwrap();
        let taken = (stat.f_bavail * stat.f_frsize).saturating_sub(bytes);
        let file = File::create(self.strangers_file()).unwrap();
        fallocate(&file, FallocateFlags::empty(), 0, taken).expect("there is so much space");
    }

    /// Another program takes all the space.
    fn fill_to_the_last_byte(&self) {
        self.take_all_but(0);
        let mut file = OpenOptions::new().append(true).open(self.strangers_file()).unwrap();
        while file.write_all(b"x").is_ok() {}
    }

    /// The other program frees its space.
    fn give_back(&self) {
        fs::remove_file(self.strangers_file()).unwrap();
    }

    fn grow(&self) {
        self.call("mount", &["-o", &format!("remount,size={LARGER_DISK_MIB}m")]).unwrap();
    }

    fn strangers_file(&self) -> PathBuf {
        self.dir.path().join("strangers")
    }

    /// Runs a program on the mount point. The error is the program's output.
    fn call(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let output = Command::new(program).args(arguments).arg(self.dir.path()).output();
        let output = output.map_err(|error| format!("{program}: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(format!("{program}: {}", said.trim())) }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // If mounting failed, it is not mounted.
        let _ = self.call("umount", &["--lazy"]);
    }
}
