//! The process, as the kernel sees it. Names and meanings are those of Prometheus' client
//! libraries.

use std::fs;

use prometheus_client::registry::Unit;

use super::sheet::Sheet;

/// Adds what the kernel tells; what it does not tell is left out.
pub(super) fn add(sheet: &mut Sheet) {
    if let Some(Usage { cpu_seconds, resident_bytes }) = usage() {
        sheet.process_seconds("cpu", "Processor time of the process", cpu_seconds);
        sheet.process_gauge("resident_memory", "Memory of the process", Some(Unit::Bytes), resident_bytes);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // Reading the directory holds one of them open.
        let count = open.count().saturating_sub(1);
        sheet.process_gauge("open_fds", "Open files and sockets of the process", None, count as f64);
    }
    if let Some(most) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        sheet.process_gauge("max_fds", "Files and sockets that the process may have open", None, most as f64);
    }
}

struct Usage {
    cpu_seconds: f64,
    resident_bytes: f64,
}

fn usage() -> Option<Usage> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in brackets, may contain spaces.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    // Fields 14, 15 and 24 of proc(5); the rest begins with field 3.
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    Some(Usage {
        cpu_seconds: (field(14)? + field(15)?) / ticks,
        resident_bytes: field(24)? * rustix::param::page_size() as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_has_memory_and_open_files() {
        let mut sheet = Sheet::new();
        add(&mut sheet);
        let mut text = String::new();
        prometheus_client::encoding::prometheus_text::encode(&mut text, sheet.registry()).unwrap();
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse::<f64>().unwrap()
        };
        assert!(value("process_resident_memory_bytes") > 100_000.0);
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_max_fds") >= value("process_open_fds"));
        assert!(value("process_cpu_seconds_total") >= 0.0);
    }
}
