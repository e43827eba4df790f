//! `sekali export` of everything, in every format.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::figures::Report;
use crate::measure::{rate, status_bytes};
use crate::serving::Serving;

/// The interval at which the memory of the command is read. Linux keeps the peak, but only while
/// the process exists.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Exports all `events` into `dir`, once for each format.
pub(super) fn run(sekali: &Path, serving: &Serving, dir: &Path, events: u64, report: &mut Report) -> Outcome<()> {
    for format in ["ndjson", "csv", "parquet", "sqlite"] {
        let file = dir.join(format!("events.{format}"));
        let mut command = Command::new(sekali);
        command.args(["export", "--quiet", "--json", "--format", format, "--url", &serving.url, "--output"]).arg(&file);
        let before = Instant::now();
        let mut child = command.stdout(Stdio::null()).spawn()?;
        let mut peak_bytes = 0;
        let status = loop {
            peak_bytes = status_bytes(child.id(), "VmHWM:").max(peak_bytes);
            match child.try_wait()? {
                Some(status) => break status,
                None => std::thread::sleep(LOOK_EVERY),
            }
        };
        if !status.success() {
            return Err(format!("the export as {format} has failed; see above").into());
        }
        report.add(format!("export as {format}"), rate(events, before.elapsed()), "events/s");
        report.add(format!("export as {format}, memory of the command, peak"), peak_bytes as f64 / 1e6, "MB");
        let bytes = std::fs::metadata(&file)?.len();
        report.add(format!("export as {format}, an event"), bytes as f64 / events as f64, "B");
        std::fs::remove_file(&file)?;
    }
    Ok(())
}
