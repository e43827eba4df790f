//! A description of the machine that a result was measured on.

use std::fs;
use std::path::Path;

use serde::Serialize;

/// The properties of a machine that figures depend on. Nothing in it identifies the machine.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    cores: usize,
    cpu: String,
    memory_gib: f64,
    kernel: String,
    file_system: String,
    /// Mean number of runnable threads in the minute before. Above 0, rates are lower bounds.
    load_before: f64,
}

impl Machine {
    /// Describes this machine and the file system of `dir`.
    #[must_use]
    pub fn describe(dir: &Path) -> Self {
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

    /// Returns the description as one line of text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { cores, cpu, memory_gib, kernel, file_system, load_before } = self;
        format!("{cores} cores of {cpu}, {memory_gib} GiB, Linux {kernel}, {file_system}; load before: {load_before}")
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Returns the value of the first `name: value` line of a file.
fn field(path: &str, name: &str) -> String {
    let text = read(path);
    let values = text.lines().filter_map(|line| line.split_once(':'));
    let value = values.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned()).next();
    value.unwrap_or_else(|| "unknown".to_owned())
}

/// Returns the type of the file system that contains `dir`.
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
