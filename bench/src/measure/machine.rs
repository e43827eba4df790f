//! On what a run was measured.

use std::fs;
use std::path::Path;

use serde::Serialize;

/// A description of the machine that says what figures depend on and not whose it is.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    cores: usize,
    cpu: String,
    memory_gib: f64,
    kernel: String,
    file_system: String,
    /// How busy it was before: runnable threads over the last minute. Above 0, figures are lower bounds.
    load_before: f64,
}

impl Machine {
    /// This machine, and the file system of `dir`.
    pub(crate) fn describe(dir: &Path) -> Self {
        let kib = field("/proc/meminfo", "MemTotal").split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok());
        Self {
            cores: std::thread::available_parallelism().map_or(0, Into::into),
            cpu: field("/proc/cpuinfo", "model name"),
            memory_gib: (kib.unwrap_or(0.0) / 1024.0 / 102.4).round() / 10.0,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: file_system(dir),
            load_before: read("/proc/loadavg")
                .split_whitespace()
                .next()
                .and_then(|load| load.parse().ok())
                .unwrap_or(0.0),
        }
    }

    /// One line for people.
    pub(crate) fn to_text(&self) -> String {
        let Self { cores, cpu, memory_gib, kernel, file_system, load_before } = self;
        format!("{cores} cores of {cpu}, {memory_gib} GiB, Linux {kernel}, {file_system}; load before: {load_before}")
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The value of the first `name: value` line.
fn field(path: &str, name: &str) -> String {
    let text = read(path);
    let values = text.lines().filter_map(|line| line.split_once(':'));
    let value = values.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned()).next();
    value.unwrap_or_else(|| "unknown".to_owned())
}

/// The type of the file system that is mounted nearest above `dir`.
fn file_system(dir: &Path) -> String {
    let dir = dir.canonicalize().unwrap_or_default();
    let mounts = read("/proc/self/mounts");
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        Some((Path::new(fields.next()?), fields.next()?))
    });
    let nearest = mounts.filter(|(at, _)| dir.starts_with(at)).max_by_key(|(at, _)| at.components().count());
    nearest.map_or_else(|| "unknown file system".to_owned(), |(_, kind)| kind.to_owned())
}
