//! The resources of this process, from `/proc`. Zero without it.

use std::fs;

/// Resident memory of this process, mapped files included.
pub(crate) fn resident_bytes() -> u64 {
    status_bytes(std::process::id(), "VmRSS:")
}

/// A line of the status of a process, such as `VmHWM:` for its peak resident memory.
pub(crate) fn status_bytes(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// CPU time used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    /// By the calling thread, in nanoseconds.
    thread_ns: u64,
    /// By the whole process, including threads that have exited, in nanoseconds; exact to 10 ms.
    process_ns: u64,
}

impl Cpu {
    /// The time used until now.
    pub(crate) fn now() -> Self {
        Self { thread_ns: thread_ns(), process_ns: process_ns() }
    }

    /// Nanoseconds that the calling thread has used since, for each of `count` items.
    pub(crate) fn thread_ns_each(&self, count: u64) -> f64 {
        (thread_ns() - self.thread_ns) as f64 / count as f64
    }

    /// Nanoseconds that the process has used since, for each of `count` items.
    pub(crate) fn process_ns_each(&self, count: u64) -> f64 {
        (process_ns() - self.process_ns) as f64 / count as f64
    }
}

fn thread_ns() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

fn process_ns() -> u64 {
    /// Linux reports in hundredths of a second on every architecture.
    const TICK_NS: u64 = 10_000_000;
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may contain spaces. User and system time are 12th and 13th behind
    // it.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * TICK_NS
}
