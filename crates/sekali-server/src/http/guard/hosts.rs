//! `Host` header check against DNS rebinding.
//!
//! A server on loopback without keys is open to whoever is on this machine. A page from elsewhere
//! is kept out by the browser as long as it is of another origin, but its owner can let its name
//! resolve to 127.0.0.1 once it is loaded (DNS rebinding). The name that the browser then sends
//! still is that of the page.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::Authority;
use hyper::{Request, Version};

use crate::http::answer::{ApiError, Code};

/// The names that are answered to besides those of this machine itself.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    others: Arc<[String]>,
}

impl Hosts {
    /// These, and those of this machine itself.
    ///
    /// # Errors
    /// The first of `others` that is no name of a host, or has a port.
    pub fn new(others: &[String]) -> Result<Self, String> {
        let is_name = |name: &&String| {
            name.parse::<Authority>().is_ok_and(|authority| authority.host() == **name && !name.contains(['@', '*']))
        };
        if let Some(wrong) = others.iter().find(|name| !is_name(name)) {
            return Err(wrong.clone());
        }
        Ok(Self { others: others.iter().map(|name| name.to_ascii_lowercase()).collect() })
    }

    /// Checks the name that a request asks for.
    ///
    /// # Errors
    /// `wrong_host`.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), ApiError> {
        wrong_name(self, request).map_or(Ok(()), |name| Err(wrong_host(&name)))
    }

    /// Whether `authority`, as in a `Host` header, is one of the names, with any port.
    fn have(&self, authority: &str) -> bool {
        is_usual(authority) || self.have_any(authority)
    }

    fn have_any(&self, authority: &str) -> bool {
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        if authority.as_str().contains('@') {
            return false;
        }
        let host = authority.host().to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback()) || self.others.contains(&host)
    }
}

/// Whether `authority` is a name of this machine in its usual spelling, which can be told without
/// taking it apart.
fn is_usual(authority: &str) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    USUAL.contains(&name)
}

const USUAL: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Checks that a request of HTTP/1.1 says once which host it is for (RFC 9112, 3.2).
///
/// # Errors
/// `invalid_host`.
pub(super) fn check_presence<B>(request: &Request<B>) -> Result<(), ApiError> {
    let mut named = request.headers().get_all(HOST).iter();
    let message = match (request.version(), named.next(), named.next()) {
        (Version::HTTP_11, None, _) => "the request has no Host header, which HTTP/1.1 requires",
        (_, _, Some(_)) => "the request has several Host headers",
        _ => return Ok(()),
    };
    Err(ApiError::new(Code::InvalidHost, message))
}

/// The name in a request that is none of `hosts`. Browsers always send one, and HTTP/1.0 need not.
fn wrong_name<B>(hosts: &Hosts, request: &Request<B>) -> Option<String> {
    let named = request.headers().get_all(HOST).iter().map(HeaderValue::as_bytes);
    let mut named = named.chain(request.uri().authority().map(|authority| authority.as_str().as_bytes()));
    let is_wrong = |name: &&[u8]| !std::str::from_utf8(name).is_ok_and(|name| hosts.have(name));
    named.find(is_wrong).map(|name| String::from_utf8_lossy(name).into_owned())
}

fn wrong_host(name: &str) -> ApiError {
    let host = name.parse::<Authority>().map_or(String::new(), |authority| authority.host().to_owned());
    let message = format!(
        "this server does not go by the name `{name}`; if it should, start it with `--allow-host {host}`, or make keys for it"
    );
    ApiError::new(Code::WrongHost, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_names_of_this_machine_and_those_allowed_are_answered_to() {
        let hosts = Hosts::new(&["Logs.example.org".to_owned(), "10.0.0.1".to_owned()]).unwrap();
        for name in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]",
            "[::1]:8080",
            "logs.EXAMPLE.org:443",
            "10.0.0.1",
        ] {
            assert!(hosts.have(name), "{name}");
            assert!(hosts.have_any(name), "{name}");
        }
        for name in [
            "",
            "evil.example",
            "localhost.evil.example",
            "evil.example:8080",
            "localhost.",
            "localhost@evil.example",
            "evil.example@localhost",
            "127.0.0.1.evil.example",
            "10.0.0.2",
            "0.0.0.0",
            "[::]",
            "[::1",
            "::1",
            "local host",
            "logs.example.org.evil.example",
            "xlogs.example.org",
        ] {
            assert!(!hosts.have(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn the_usual_names_are_names_of_this_machine(
            name in "(localhost|127\\.0\\.0\\.1|\\[::1\\])[:0-9a.@]{0,7}",
        ) {
            prop_assert!(!is_usual(&name) || Hosts::default().have_any(&name), "{}", name);
        }
    }

    #[test]
    fn names_to_allow_are_bare() {
        for name in ["logs.example.org", "logs", "10.0.0.1", "[2001:db8::1]"] {
            assert!(Hosts::new(&[name.to_owned()]).is_ok(), "{name}");
        }
        for wrong in ["", "*", "logs:8080", "http://logs", "a b", "x@logs", "logs/", "2001:db8::1"] {
            assert_eq!(Hosts::new(&[wrong.to_owned()]).err().as_deref(), Some(wrong));
        }
    }
}
