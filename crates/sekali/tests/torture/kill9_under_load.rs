//! SIGKILL at random moments, under load.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sekali_testkit::Trial;
use tempfile::TempDir;

use crate::journal::{Totals, Verdict};
use crate::load::Clients;
use crate::process::{Process, free_port};

/// The number of kills before a new store replaces this one, so that checking all of it stays
/// cheap.
const KILLS_PER_STORE: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill9_under_load() {
    let mut trial = Trial::begin("kill9_under_load", 60);
    let mut random = StdRng::seed_from_u64(trial.seed());
    let (mut totals, mut store) = (Totals::default(), Store::create().await);
    while let Some(cycle) = trial.next_cycle() {
        if cycle > 0 && cycle.is_multiple_of(KILLS_PER_STORE) {
            totals.add(store.end().await);
            store = Store::create().await;
        }
        store.kill_under_load(&mut random).await;
    }
    totals.add(store.end().await);
    totals.note(&mut trial);
    trial.end();
}

/// A store, its server, and the journal of its clients.
struct Store {
    dir: TempDir,
    port: u16,
    server: Process,
    clients: Arc<Clients>,
}

impl Store {
    async fn create() -> Self {
        let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
        let server = Process::start(dir.path(), port).await;
        Self { dir, port, server, clients: Arc::default() }
    }

    async fn kill_under_load(&mut self, random: &mut StdRng) {
        let load = self.clients.load(&self.server.url, random);
        tokio::time::sleep(Duration::from_millis(random.random_range(5..200))).await;
        self.server.kill();
        load.join().await;
        self.server = Process::start(self.dir.path(), self.port).await;
        self.clients.judge(&self.server.url).await.check();
    }

    async fn end(self) -> Verdict {
        let verdict = self.clients.judge(&self.server.url).await.check();
        self.clients.check_resend(&self.server.url).await;
        verdict
    }
}
