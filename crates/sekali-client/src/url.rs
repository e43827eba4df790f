//! The address of a server.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

/// `http://host:port/` or `https://host:port/`, checked; a path before Sekali's own (behind a
/// proxy) is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl(Url);

impl ServerUrl {
    /// The address of a path below it.
    pub(super) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// A path below it.
    pub fn path_of(&self, segment: &str) -> String {
        self.join(&[segment]).path().to_owned()
    }

    /// Whether the scheme is `https`.
    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The same address spoken to by TLS instead of without, or the other way round.
    pub(super) fn with_other_scheme(&self) -> String {
        let text = self.to_string();
        match text.strip_prefix("https://") {
            Some(rest) => format!("http://{rest}"),
            None => text.replacen("http://", "https://", 1),
        }
    }

    /// The host alone: a name, or an address without brackets.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    /// Host and port to connect to.
    pub fn authority(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        format!("{host}:{}", self.0.port_or_known_default().unwrap_or(80))
    }
}

impl FromStr for ServerUrl {
    type Err = String;

    /// `localhost:8080` is enough: the scheme is `http` by default.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let mut url = Url::parse(&full).map_err(|error| format!("{error}; write it like http://127.0.0.1:8080"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{} is not supported, use http or https", url.scheme()));
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err("only host, port and path belong here, like http://127.0.0.1:8080".to_owned());
        }
        if url.port() == Some(0) {
            return Err("port 0 cannot be connected to".to_owned());
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_understood_as_people_write_them() {
        let cases = [
            ("http://127.0.0.1:8080", Ok("http://127.0.0.1:8080/stats")),
            ("localhost:8080", Ok("http://localhost:8080/stats")),
            ("aggregator", Ok("http://aggregator/stats")),
            ("http://[::1]:9000/", Ok("http://[::1]:9000/stats")),
            ("http://proxy/logs/", Ok("http://proxy/logs/stats")),
            ("https://x", Ok("https://x/stats")),
            ("ftp://x", Err("ftp is not supported, use http or https")),
            ("http://user@x", Err("only host, port and path belong here, like http://127.0.0.1:8080")),
            ("127.0.0.1:0", Err("port 0 cannot be connected to")),
            ("http://", Err("empty host; write it like http://127.0.0.1:8080")),
        ];
        for (text, expected) in cases {
            let found = text.parse::<ServerUrl>().map(|url| url.join(&["stats"]).to_string());
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn the_authority_names_the_port() {
        assert_eq!("aggregator".parse::<ServerUrl>().unwrap().authority(), "aggregator:80");
        assert_eq!("https://aggregator".parse::<ServerUrl>().unwrap().authority(), "aggregator:443");
        let ip = "http://[::1]:9000/".parse::<ServerUrl>().unwrap();
        assert_eq!((ip.authority().as_str(), ip.host()), ("[::1]:9000", "::1"));
    }
}
