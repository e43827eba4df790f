//! SIGKILL under load, then bits that flip, blocks of zeros or a cut in a random file: every
//! acknowledged event that is missing after the start is named, but for those of the last second.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sekali_testkit::Trial;
use serde_json::Value;
use tempfile::TempDir;

use crate::journal::Rot;
use crate::load::{Clients, client, get};
use crate::process::{BINARY, Process, free_port, serve_args};

/// The number of faults before a new store is made to begin with.
const FAULTS_PER_STORE: u64 = 50;
/// An age that seals what is 15 s old and lets nothing go.
const RETAIN_AGE: &str = "16m";
/// Age of a log that is sealed, with some reserve.
const SEALED_AFTER: Duration = Duration::from_secs(16);
/// Bytes of a block that is lost at once.
const BLOCK_BYTES: usize = 4096;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rot_after_kill() {
    let mut trial = Trial::begin("rot_after_kill", 8);
    let mut random = StdRng::seed_from_u64(trial.seed());
    let (mut totals, mut base) = (BTreeMap::<&str, u64>::new(), Base::create(&mut random).await);
    while let Some(cycle) = trial.next_cycle() {
        if cycle > 0 && cycle.is_multiple_of(FAULTS_PER_STORE) {
            base = Base::create(&mut random).await;
        }
        let rot = base.kill_and_rot(&mut random).await;
        let figures = [
            ("acked", rot.acked),
            ("events_lost_and_named", rot.named),
            ("events_lost_of_the_last_second", rot.recent),
            ("starts_refused_and_named", rot.refused),
            ("acked_lost", rot.silent),
            ("stored_twice", rot.twice),
            ("wrong_bytes", rot.wrong),
        ];
        figures.into_iter().for_each(|(name, count)| *totals.entry(name).or_default() += count);
    }
    assert!(totals["acked"] > 0, "nothing was acknowledged: nothing was tested");
    totals.into_iter().for_each(|(name, count)| trial.note(name, count));
    trial.end();
}

/// A store with segments, runs and a log, at rest.
struct Base {
    dir: TempDir,
    clients: Arc<Clients>,
}

impl Base {
    async fn create(random: &mut StdRng) -> Self {
        let (dir, clients, begun) = (tempfile::tempdir().unwrap(), Arc::<Clients>::default(), Instant::now());
        let mut server = start(dir.path()).await;
        load(&clients, &mut server, random, Duration::from_millis(600)).await;
        tokio::time::sleep(SEALED_AFTER.saturating_sub(begun.elapsed())).await;
        // The start applies the rule, which seals the log.
        let server = start(dir.path()).await;
        let (http, give_up) = (client(), Instant::now() + Duration::from_secs(60));
        while get(&http, &format!("{}/stats", server.url)).await.unwrap()["storage"][0]["segments"] == 0 {
            assert!(Instant::now() < give_up, "nothing is sealed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop(server);
        Self { dir, clients }
    }

    /// Goes on from a copy, and judges it after a fault.
    async fn kill_and_rot(&self, random: &mut StdRng) -> Rot {
        let copy = tempfile::tempdir().unwrap();
        copy_all(self.dir.path(), copy.path());
        let (dir, clients) = (copy.path(), self.clients.fork());
        let mut server = start(dir).await;
        let time = Duration::from_millis(random.random_range(50..2_500));
        let killed = load(&clients, &mut server, random, time).await;
        drop(server);
        let what = harm(dir, random);
        let port = free_port();
        let mut command = Command::new(BINARY);
        command.args(serve_args(dir, port)).args(["--retain-age", RETAIN_AGE]);
        let mut server = Process::spawn(command, port);
        if let Some(status) = server.ready_or_ended().await {
            let said = server.log();
            assert!(
                matches!(status.code(), Some(1 | 8)) && said.contains(dir.to_str().unwrap()),
                "{what}: {status}: {said}"
            );
            return Rot { acked: clients.acked() - self.clients.acked(), refused: 1, ..Rot::default() };
        }
        let rot = clients.judge_rot(&server.url, killed).await;
        let rot = Rot { acked: rot.acked - self.clients.acked(), ..rot };
        assert_eq!((rot.silent, rot.twice, rot.wrong), (0, 0, 0), "{what}: {rot:?}");
        if !clients.check_healing(&server.url).await {
            let status = server.wait_until_ended().await;
            assert_eq!(status.code(), Some(9), "{what}: {}", server.log());
            server = start(dir).await;
            assert!(clients.check_healing(&server.url).await, "{what}: it stops again: {}", server.log());
        }
        server.kill();
        check_verify(dir, &what, &rot);
        rot
    }
}

async fn start(dir: &Path) -> Process {
    let port = free_port();
    let mut command = Command::new(BINARY);
    command.args(serve_args(dir, port)).args(["--retain-age", RETAIN_AGE]);
    let mut server = Process::spawn(command, port);
    server.wait_until_ready().await;
    server
}

/// Loads a server for so long, and kills it. Returns the moment before.
async fn load(clients: &Arc<Clients>, server: &mut Process, random: &mut StdRng, time: Duration) -> Instant {
    let load = clients.load(&server.url, random);
    tokio::time::sleep(time).await;
    let killed = Instant::now();
    server.kill();
    load.join().await;
    killed
}

/// `verify` names what was lost, whatever else it finds.
fn check_verify(dir: &Path, what: &str, rot: &Rot) {
    let output = Command::new(BINARY).args(["verify", "--json", "--data-dir"]).arg(dir).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 8)), "{what}: {}: {said}", output.status);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["sound"] == true, output.status.code() == Some(0), "{what}: {found}");
    assert!(rot.named == 0 || found["sound"] == false, "{what}: {found}");
    let findings = found["partitions"][0]["findings"].to_string();
    for wrong in ["have one key", "entries of events that are not stored", "nothing says why", "lives in partition"] {
        assert!(!findings.contains(wrong), "{what}: {findings}");
    }
}

/// Damages a random file that the store has written. Returns what was done.
fn harm(dir: &Path, random: &mut StdRng) -> String {
    let mut paths = Vec::new();
    find_files(dir, &mut paths);
    paths.retain(|path| path.metadata().unwrap().len() > 0 && path.file_name().is_none_or(|name| name != "SPARE"));
    paths.sort_unstable();
    let path = &paths[random.random_range(0..paths.len())];
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let len = file.metadata().unwrap().len();
    let at = random.random_range(0..len);
    let done = match random.random_range(0..10) {
        0 => {
            file.set_len(at).unwrap();
            "cut".to_owned()
        }
        1 => {
            let zeros = vec![0; BLOCK_BYTES.min((len - at) as usize)];
            file.write_all_at(&zeros, at).unwrap();
            "zeros".to_owned()
        }
        kind => {
            let flips = if kind < 4 { 40 } else { 1 };
            for flip in 0..flips {
                let at = if flip == 0 { at } else { random.random_range(0..len) };
                let mut byte = [0];
                file.read_exact_at(&mut byte, at).unwrap();
                byte[0] ^= 1 << random.random_range(0..8);
                file.write_all_at(&byte, at).unwrap();
            }
            format!("{flips} flipped bits")
        }
    };
    format!("{done} at byte {at} of {len} of {}", path.strip_prefix(dir).unwrap().display())
}

fn find_files(dir: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            find_files(&entry.path(), paths);
        } else if entry.file_type().unwrap().is_file() {
            paths.push(entry.path());
        }
    }
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_all(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
