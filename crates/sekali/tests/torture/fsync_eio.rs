//! Failing syncs: the kernel returns EIO once, and never again.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sekali::cli::Exit;
use sekali_testkit::{Trial, skip};

use crate::journal::{Totals, Verdict};
use crate::load::Clients;
use crate::process::{BINARY, Process, free_port, serve_args};

/// The system calls that sync a file, and a directory.
const SYNCS: &str = "fdatasync,fsync";
/// About this many of them create a new store.
const STARTING: u32 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fsync_eio() {
    let mut trial = Trial::begin("fsync_eio", 20);
    if let Err(error) = Command::new("strace").arg("--version").output() {
        return skip("fsync_eio", &format!("strace: {error}"));
    }
    let mut random = StdRng::seed_from_u64(trial.seed());
    let mut counts = Counts::default();
    while trial.next_cycle().is_some() {
        counts.fail_once(&mut random).await;
    }
    assert!(counts.while_serving > 0, "no sync failed while serving: nothing was tested");
    assert!(counts.readyz_503 > 0, "nobody saw that the server was not ready");
    counts.totals.note(&mut trial);
    trial.note("failed_at_start", counts.at_start);
    trial.note("failed_while_serving", counts.while_serving);
    trial.note("acked_after_failure", counts.acked_after_failure);
    trial.note("readyz_503", counts.readyz_503);
    trial.note("exit_code_9", counts.exit_code_9);
    trial.end();
}

#[derive(Debug, Default)]
struct Counts {
    totals: Totals,
    at_start: u64,
    while_serving: u64,
    acked_after_failure: u64,
    readyz_503: u64,
    exit_code_9: u64,
}

impl Counts {
    /// Fails one sync of every thread of a server, and starts it again.
    async fn fail_once(&mut self, random: &mut StdRng) {
        let (dir, port, clients) = (tempfile::tempdir().unwrap(), free_port(), Arc::<Clients>::default());
        let nth = if random.random_range(0..4) == 0 {
            random.random_range(1..=STARTING)
        } else {
            random.random_range(STARTING..80)
        };
        let mut server = Process::spawn(traced(dir.path(), port, nth), port);
        if let Some(status) = server.ready_or_ended().await {
            assert!(status.code().is_some_and(|code| code != 0), "it went on without its sync: {status}");
            self.at_start += 1;
        } else {
            let load = clients.load(&server.url, random);
            self.readyz_503 += watch(&clients, &server.url).await;
            load.join().await;
            assert!(clients.has_failed(), "nobody was told that a sync had failed");
            let status = server.wait_until_ended().await;
            assert_eq!(status.code(), Some(Exit::Stopped.code().into()), "the documented exit code");
            self.while_serving += 1;
            self.exit_code_9 += 1;
        }
        assert_eq!(clients.acked_after_failure(), 0, "acknowledged after a failed sync");
        self.acked_after_failure += clients.acked_after_failure();
        self.totals.add(restart(dir.path(), port, &clients).await);
    }
}

/// Polls `/readyz` from the failure until the server is gone. Returns how often it was 503; it must
/// not be 200.
async fn watch(clients: &Clients, url: &str) -> u64 {
    let (ready, mut refusals) = (format!("{url}/readyz"), 0);
    loop {
        let has_failed = clients.has_failed();
        match reqwest::get(&ready).await {
            Ok(answer) if has_failed => {
                assert_eq!(answer.status().as_u16(), 503, "ready after a failed sync");
                refusals += 1;
            }
            Ok(_) => {}
            Err(_) => return refusals,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Without a fault it starts, has every acknowledged event, and accepts more.
async fn restart(dir: &Path, port: u16, clients: &Clients) -> Verdict {
    let server = Process::start(dir, port).await;
    clients.check_resend(&server.url).await;
    clients.judge(&server.url).await.check()
}

/// The real binary, in which the `nth` sync of each thread fails. `strace` sees every system call;
/// an interposed library would miss calls that bypass it.
fn traced(dir: &Path, port: u16, nth: u32) -> Command {
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", &format!("trace={SYNCS}")]);
    command.args(["-e", &format!("inject={SYNCS}:error=EIO:when={nth}"), BINARY]).args(serve_args(dir, port));
    command
}
