//! Power cuts before every call to the disk.

use sekali_store::disk::memory::MemoryDisk;

use crate::support::{Opened, Oracle, Random, Sent};

/// Opens, commits and closes as the seed tells. What a call to the disk interrupts is left as it was.
fn workload(disk: &MemoryDisk, seed: u64, mut after: impl FnMut(&[Sent], Option<&[sekali_store::Outcome]>)) {
    let mut random = Random(seed);
    let Ok(mut opened) = Opened::open(disk) else { return };
    for _ in 0..6 {
        let events = random.events();
        after(&events, opened.commit(&events).ok().as_deref());
    }
}

#[test]
fn crash_image() {
    let mut images = 0;
    for seed in 0..12 {
        let trial = MemoryDisk::new();
        workload(&trial, seed, |_, _| {});
        for cut_at in 0..trial.calls() {
            println!("seed {seed}, cut before call {cut_at}");
            let disk = MemoryDisk::new();
            disk.capture_before(cut_at);
            let (mut oracle, mut random) = (Oracle::default(), Random(seed ^ cut_at));
            workload(&disk, seed, |events, outcomes| match outcomes {
                // The cut came before this commit was answered, or after.
                Some(outcomes) if disk.captured().is_none() => oracle.told(events, outcomes),
                _ => oracle.not_told(events),
            });
            let before = disk.captured().expect("the call was made");
            for _ in 0..25 {
                let mut choose = |bound| random.below(bound);
                let image = before.power_cut(&mut choose);
                let mut opened = Opened::open(&image).expect("a power cut never keeps a store from opening");
                oracle.check(&opened);
                oracle.check_resend(&mut opened);
                images += 1;
            }
        }
    }
    println!("{images} images");
}

#[test]
fn double_crash() {
    for seed in 0..25 {
        println!("seed {seed}");
        let mut random = Random(seed);
        let (mut disk, mut oracle) = (MemoryDisk::new(), Oracle::default());
        workload(&disk, seed, |events, outcomes| oracle.told(events, outcomes.unwrap_or_default()));
        let mut opened = Opened::open(&disk.kill()).unwrap();
        let unanswered = random.events();
        oracle.not_told(&unanswered);
        disk = disk.kill();
        disk.capture_before(disk.calls() + random.below(8));
        if let Ok(mut opened) = Opened::open(&disk) {
            let _ = opened.commit(&unanswered);
        }
        // Cut during recovery, again and again.
        for _ in 0..4 {
            let cut = disk.captured().unwrap_or_else(|| disk.kill());
            disk = cut.power_cut(&mut |bound| random.below(bound));
            disk.capture_before(random.below(6));
            opened = Opened::open(&disk).expect("recovery can be interrupted");
            oracle.check(&opened);
        }
        oracle.check_resend(&mut opened);
    }
}
