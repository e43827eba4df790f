//! Power cuts: an ext4 file system that loses unsynced data under a running server.

mod rig;
mod unsynced;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sekali_testkit::{Trial, skip};

use crate::journal::{Totals, Verdict};
use crate::load::Clients;
use crate::process::{BINARY, Process, free_port, serve_args};
use rig::{Cut, Rig};
use unsynced::Role;

/// The number of cuts before a new store replaces this one, so that checking all of it stays cheap.
const CUTS_PER_STORE: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_cut() {
    let mut trial = Trial::begin("power_cut", 20);
    let Some(mut machine) = Machine::on_a_rig("power_cut").await else { return };
    let mut random = StdRng::seed_from_u64(trial.seed());
    let mut totals = Totals::default();
    while let Some(cycle) = trial.next_cycle() {
        if cycle > 0 && cycle.is_multiple_of(CUTS_PER_STORE) {
            machine = machine.replace(&mut totals).await;
        }
        machine.cut_under_load(&mut random, 0).await;
        machine.boot().await;
        machine.judge().await.check();
    }
    machine.end(&mut totals).await;
    totals.note(&mut trial);
    trial.end();
}

/// The cycles are chains: a cut under load, and then two to four during recovery.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn double_power_cut() {
    let mut trial = Trial::begin("double_power_cut", 8);
    let Some(mut machine) = Machine::on_a_rig("double_power_cut").await else { return };
    let mut random = StdRng::seed_from_u64(trial.seed());
    let (mut totals, mut cuts) = (Totals::default(), 0);
    while let Some(cycle) = trial.next_cycle() {
        if cycle > 0 && cycle.is_multiple_of(CUTS_PER_STORE) {
            machine = machine.replace(&mut totals).await;
        }
        machine.cut_under_load(&mut random, 0).await;
        for _ in 0..random.random_range(2..=4) {
            machine.cut_during_recovery(&mut random).await;
            cuts += 1;
        }
        machine.boot().await;
        machine.judge().await.check();
    }
    machine.end(&mut totals).await;
    totals.note(&mut trial);
    trial.note("cuts_during_recovery", cuts);
    trial.end();
}

/// The same rig and oracle with a server that does not sync: they must catch it. They must not
/// catch one that does sync, started in the same way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_cut_control() {
    if let Some(role) = Role::of_this_process() {
        return role.serve().await;
    }
    let mut trial = Trial::begin("power_cut_control", 3);
    let mut random = StdRng::seed_from_u64(trial.seed());
    let (mut acked, mut lost) = ([0, 0], [0, 0]);
    while trial.next_cycle().is_some() {
        for (at, syncs) in [true, false].into_iter().enumerate() {
            let Some(mut machine) = Machine::in_role("power_cut_control", syncs).await else { return };
            // The loss must be of events, and not of the store itself.
            machine.rig.sync();
            machine.cut_under_load(&mut random, 1).await;
            acked[at] += machine.clients.acked();
            lost[at] += machine.lost_for_good().await;
        }
    }
    assert_eq!(lost[0], 0, "acknowledged, synced, and lost");
    assert!(lost[1] > 0, "a server that never syncs was not caught: the rig cuts no power, or the oracle is blind");
    trial.note("acked", acked[0]);
    trial.note("acked_lost", lost[0]);
    trial.note("acked_without_sync", acked[1]);
    trial.note("lost_without_sync", lost[1]);
    trial.end();
}

/// A machine that can lose power, its server, and the journal of its clients.
struct Machine {
    // Stopped before its file system is removed.
    server: Process,
    rig: Rig,
    port: u16,
    clients: Arc<Clients>,
    role: Option<Role>,
    /// Duration of the last start.
    recovery: Duration,
}

impl Machine {
    /// With the real binary. `None`, with a loud message, if the machine cannot have such a rig.
    async fn on_a_rig(test: &'static str) -> Option<Self> {
        Self::new(test, None).await
    }

    /// With this test program itself as the server.
    async fn in_role(test: &'static str, syncs: bool) -> Option<Self> {
        Self::new(test, Some(Role { syncs })).await
    }

    async fn new(test: &'static str, role: Option<Role>) -> Option<Self> {
        let rig = Rig::new().inspect_err(|reason| skip(test, reason)).ok()?;
        let port = free_port();
        let server = Process::spawn(command(&rig, port, role), port);
        let mut machine = Self { server, rig, port, clients: Arc::default(), role, recovery: Duration::ZERO };
        machine.server.wait_until_ready().await;
        Some(machine)
    }

    /// Loses power at a random moment, while clients publish and read, but not before `acked_min`
    /// events are acknowledged. On return the medium is mounted again.
    async fn cut_under_load(&mut self, random: &mut StdRng, acked_min: u64) {
        let load = self.clients.load(&self.server.url, random);
        tokio::time::sleep(Duration::from_millis(random.random_range(5..200))).await;
        while self.clients.acked() < acked_min {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.cut(random).await;
        load.join().await;
    }

    /// Starts the server, and loses power before it is ready, or soon after.
    async fn cut_during_recovery(&mut self, random: &mut StdRng) {
        self.server = Process::spawn(command(&self.rig, self.port, self.role), self.port);
        let longest = u64::try_from(self.recovery.as_micros()).unwrap_or(0).max(20_000);
        tokio::time::sleep(Duration::from_micros(random.random_range(0..longest))).await;
        self.cut(random).await;
    }

    async fn cut(&mut self, random: &mut StdRng) {
        // Otherwise a last response might be sent after the cut.
        self.server.freeze().await;
        self.rig.cut(if random.random() { Cut::JournalLost } else { Cut::JournalKept });
        self.server.kill();
        self.rig.remount();
    }

    async fn boot(&mut self) {
        let begun = Instant::now();
        self.server = Process::spawn(command(&self.rig, self.port, self.role), self.port);
        self.server.wait_until_ready().await;
        self.recovery = begun.elapsed();
    }

    async fn judge(&self) -> Verdict {
        self.clients.judge(&self.server.url).await
    }

    /// The number of acknowledged events that are lost: all, if the store does not open.
    async fn lost_for_good(mut self) -> u64 {
        self.server = Process::spawn(command(&self.rig, self.port, self.role), self.port);
        match self.server.ready_or_ended().await {
            None => self.judge().await.acked_lost,
            Some(_) => self.clients.acked(),
        }
    }

    /// Sends everything again, and judges for the last time.
    async fn end(self, totals: &mut Totals) {
        self.clients.check_resend(&self.server.url).await;
        let verdict = self.judge().await;
        totals.add(verdict);
    }

    async fn replace(self, totals: &mut Totals) -> Self {
        let role = self.role;
        self.end(totals).await;
        Self::new("power_cut", role).await.expect("there was a rig before")
    }
}

fn command(rig: &Rig, port: u16, role: Option<Role>) -> Command {
    let dir: PathBuf = rig.mount_point().join("data");
    if let Some(role) = role {
        return role.command("power_cut::power_cut_control", &dir, port);
    }
    let mut command = Command::new(BINARY);
    command.args(serve_args(&dir, port));
    command
}
