//! Power cuts before every call to the disk.

use sekali_store::disk::memory::MemoryDisk;
use sekali_testkit::Trial;

use crate::life::live;
use crate::support::{Opened, Oracle, Random};

const STEPS: u64 = 9;
/// The number of disk images tried for each cut.
const IMAGES_PER_CUT: u64 = 25;

/// The life of `seed` until the power is cut before call `cut_at`: the client's journal, and the
/// disk at that moment.
fn cut(seed: u64, cut_at: u64) -> (Oracle, MemoryDisk) {
    let disk = MemoryDisk::new();
    disk.capture_before(cut_at);
    let mut oracle = Oracle::default();
    live(&disk, seed, STEPS, |events, outcomes| match outcomes {
        // The cut came after this commit was acknowledged, or before.
        Ok(outcomes) if disk.captured().is_none() => oracle.told(events, &outcomes),
        _ => oracle.not_told(events),
    });
    let before = disk.captured().expect("the call was made");
    (oracle, before)
}

fn calls(seed: u64) -> u64 {
    let disk = MemoryDisk::new();
    live(&disk, seed, STEPS, |_, _| {});
    disk.calls()
}

#[test]
fn crash_image() {
    // A cycle is a cut.
    let mut trial = Trial::begin("crash_image", 400);
    let (mut images, mut acked) = (0_u64, 0);
    let mut seed = trial.seed();
    let mut cuts = 0..calls(seed);
    while trial.next_cycle().is_some() {
        let cut_at = cuts.next().unwrap_or_else(|| {
            seed += 1;
            cuts = 1..calls(seed);
            0
        });
        println!("life {seed}, cut before call {cut_at}");
        let (oracle, before) = cut(seed, cut_at);
        let mut random = Random(seed ^ cut_at);
        for _ in 0..IMAGES_PER_CUT {
            let image = before.power_cut(&mut |bound| random.below(bound));
            let mut opened = Opened::open(&image).expect("a power cut never keeps a store from opening");
            oracle.check(&opened);
            oracle.check_resend(&mut opened);
            images += 1;
            acked += oracle.acked();
        }
    }
    trial.note("images", images);
    trial.note("acked", acked);
    promises_kept(&mut trial);
    trial.end();
}

#[test]
fn double_crash() {
    // A cycle is a chain of cuts, each during the recovery from the one before.
    let mut trial = Trial::begin("double_crash", 40);
    let (mut cuts, mut acked) = (0_u64, 0);
    while let Some(cycle) = trial.next_cycle() {
        let seed = trial.seed() + cycle;
        println!("life {seed}");
        let mut random = Random(seed);
        let cut_at = random.below(calls(seed));
        let (oracle, mut disk) = cut(seed, cut_at);
        let depth = 2 + random.below(3);
        for _ in 0..depth {
            disk = disk.power_cut(&mut |bound| random.below(bound));
            let cut_at = random.below(12);
            disk.capture_before(cut_at);
            let opened = Opened::open(&disk).expect("recovery can be interrupted");
            oracle.check(&opened);
            drop(opened);
            disk = disk.captured().unwrap_or_else(|| disk.kill());
            cuts += 1;
        }
        let mut opened = Opened::open(&disk.power_cut(&mut |bound| random.below(bound))).expect("it opens at last");
        oracle.check(&opened);
        oracle.check_resend(&mut opened);
        acked += oracle.acked();
    }
    trial.note("cuts", cuts);
    trial.note("acked", acked);
    promises_kept(&mut trial);
    trial.end();
}

/// The reason for which the oracle would have panicked.
pub(crate) fn promises_kept(trial: &mut Trial) {
    for promise in ["acked_lost", "stored_twice", "invented", "wrong_bytes", "panics"] {
        trial.note(promise, 0);
    }
}
