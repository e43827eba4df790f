//! Questions that clients ask before they send.

use serde_json::json;

use super::answer::branded;
use crate::protocols::{Asked, Reply};

/// The version that clients are told that name none themselves.
const VERSION: &str = "8.9.0";
/// Clients whose own version is a version of Elasticsearch. Some refuse an older server.
const VERSIONED: [&str; 8] =
    ["elasticsearch", "elastic-", "filebeat", "metricbeat", "packetbeat", "heartbeat", "auditbeat", "winlogbeat"];

/// `GET /`: the greeting.
pub(crate) fn greeting(asked: &Asked) -> Reply {
    let agent = asked.header("user-agent").unwrap_or_default().to_ascii_lowercase();
    let mut version = json!({
        "number": VERSION, "build_flavor": "default", "build_type": "tar", "build_hash": "0", "build_snapshot": false,
        "lucene_version": "9.7.0", "minimum_wire_compatibility_version": "7.17.0",
        "minimum_index_compatibility_version": "7.0.0",
    });
    if agent.contains("opensearch") {
        version["distribution"] = "opensearch".into();
        version["number"] = "2.19.0".into();
    } else if VERSIONED.iter().any(|name| agent.starts_with(name))
        && let Some(number) = number_in(&agent)
    {
        version["number"] = number.into();
    }
    let greeting = json!({
        "name": "sekali", "cluster_name": "sekali", "cluster_uuid": "sekali", "version": version,
        "tagline": "You Know, for Search",
    });
    branded(Reply::json(200, &greeting))
}

/// The first version number in a text.
fn number_in(text: &str) -> Option<&str> {
    let pieces = text.split(|char: char| !char.is_ascii_digit() && char != '.');
    pieces.filter(|piece| piece.len() <= 16).find(|piece| {
        let parts: Vec<_> = piece.split('.').collect();
        parts.len() == 3 && parts.iter().all(|part| !part.is_empty())
    })
}

/// `GET /_cluster/health`
pub(crate) fn cluster_health(_: &Asked) -> Reply {
    let health = json!({
        "cluster_name": "sekali", "status": "green", "timed_out": false, "number_of_nodes": 1,
        "number_of_data_nodes": 1, "active_primary_shards": 1, "active_shards": 1, "relocating_shards": 0,
        "initializing_shards": 0, "unassigned_shards": 0,
    });
    branded(Reply::json(200, &health))
}

/// `GET /_cat/health`
pub(crate) fn cat_health(_: &Asked) -> Reply {
    branded(Reply::of(200, "text/plain; charset=UTF-8", "sekali green 1 1 1 1 0 0 0 0 - 100.0%\n"))
}

/// `GET /_license`
pub(crate) fn license(_: &Asked) -> Reply {
    branded(Reply::json(200, &json!({"license": {"status": "active", "uid": "sekali", "type": "basic"}})))
}

/// A template, policy or pipeline that clients look for before they would make one.
pub(crate) fn there(_: &Asked) -> Reply {
    branded(Reply::json(200, &json!({})))
}

/// `_refresh`: everything that was answered can be found.
pub(crate) fn refreshed(_: &Asked) -> Reply {
    branded(Reply::json(200, &json!({"_shards": {"total": 1, "successful": 1, "failed": 0}})))
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderMap, HeaderValue, USER_AGENT};

    use super::*;

    fn version(agent: &'static str) -> serde_json::Value {
        let headers = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(agent))]);
        let reply = greeting(&Asked::new("/", Vec::new(), None, headers));
        serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap()["version"].clone()
    }

    #[test]
    fn a_client_finds_the_version_that_it_expects() {
        for (agent, number) in [
            ("elasticsearch-py/9.5.1 (Python/3.11.2; elastic-transport/9.1.0)", "9.5.1"),
            ("elastic-filebeat/8.12.0", "8.12.0"),
            ("Filebeat/8.12.0 (linux; amd64)", "8.12.0"),
            ("curl/7.88.1", VERSION),
            ("opensearch-py/3.2.0 (Python 3.11)", "2.19.0"),
            ("elasticsearch-js/x", VERSION),
        ] {
            assert_eq!(version(agent)["number"], number, "{agent}");
        }
        assert_eq!(version("opensearch-js/3")["distribution"], "opensearch");
    }
}
