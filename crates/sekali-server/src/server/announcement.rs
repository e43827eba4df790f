//! The log lines of a start: what was opened, and where it listens.

use std::path::Path;

use sekali_store::Retention;
use tracing::info;

use super::Server;
use crate::access::Access;
use crate::listen::OpenLimits;
use crate::service::Service;

/// Says what was opened.
pub(super) fn opened(data_dir: &Path, service: &Service, retention: &Retention) {
    let events = service.stored_events();
    let partitions = service.target().partitions;
    let retention = describe(retention);
    info!(data_dir = %data_dir.display(), events, partitions, %retention, "opened the store");
}

/// Says where it listens, and on what terms.
pub(super) fn listening(server: &Server, access: &Access, limits: OpenLimits) {
    let url = &server.url();
    let access = match access.count() {
        None => "open to every client".to_owned(),
        Some(1) => "1 key".to_owned(),
        Some(keys) => format!("{keys} keys"),
    };
    let OpenLimits { files, connections } = limits;
    let version = env!("CARGO_PKG_VERSION");
    match files {
        Some(files) => info!(version, %access, connections, files, "listening on {url}"),
        None => info!(version, %access, connections, "listening on {url}"),
    }
    let others = server.addrs.iter().filter(|(port, addr)| port.is_some() || *addr != server.addr());
    for (port, addr) in others {
        let url = server.url_of(*addr);
        match port {
            Some(port) => info!("listening on {url}{} for {}", port.root(), port.name()),
            None => info!("also listening on {url}"),
        }
    }
    info!("open {} in a browser to see it", reachable(url));
}

/// An address that a browser on this machine connects to: one that means all of them is none.
fn reachable(url: &str) -> String {
    url.replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://[::1]:")
}

/// Retention as it is written on the command line.
fn describe(retention: &Retention) -> String {
    let with_topics = |topics: &str, value: String| if topics == "*" { value } else { format!("{topics}={value}") };
    let ages = retention.ages.iter().map(|rule| with_topics(rule.topics.as_str(), age(rule.age_ns)));
    let sizes = retention.sizes.iter().map(|rule| with_topics(rule.topics.as_str(), size(rule.bytes)));
    let rules: Vec<_> = ages.chain(sizes).collect();
    if rules.is_empty() { "forever".to_owned() } else { rules.join(", ") }
}

fn age(age_ns: Option<i64>) -> String {
    const UNITS: [(&str, i64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let Some(age_ns) = age_ns else { return "forever".to_owned() };
    let seconds = age_ns / 1_000_000_000;
    let whole = UNITS.into_iter().find(|(_, unit)| seconds >= *unit && seconds % unit == 0);
    whole.map_or_else(|| format!("{age_ns}ns"), |(name, unit)| format!("{}{name}", seconds / unit))
}

fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 6] =
        [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("MB", 1_000_000), ("kB", 1_000)];
    let whole = UNITS.into_iter().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{bytes} B"), |(name, unit)| format!("{}{name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use sekali_store::{AgeRule, SizeRule, TopicPattern};

    use super::*;

    #[test]
    fn a_browser_is_sent_to_an_address_that_it_reaches() {
        assert_eq!(reachable("http://0.0.0.0:8080"), "http://127.0.0.1:8080");
        assert_eq!(reachable("https://[::]:8443"), "https://[::1]:8443");
        assert_eq!(reachable("http://10.0.0.1:80"), "http://10.0.0.1:80");
    }

    #[test]
    fn retention_is_told_as_it_is_asked_for() {
        let age = |topics: &str, age_ns| AgeRule { topics: TopicPattern::new(topics), age_ns };
        let second = 1_000_000_000;
        let ages = vec![age("audit.*", None), age("debug.*", Some(7 * 86_400 * second)), age("*", Some(90 * second))];
        let sizes = vec![SizeRule { topics: TopicPattern::new("*"), bytes: 50 << 30 }];
        assert_eq!(describe(&Retention { ages, sizes }), "audit.*=forever, debug.*=1w, 90s, 50GiB");
        assert_eq!(describe(&Retention::default()), "forever");
    }
}
