//! A timestamp as a value: nanoseconds that print as RFC 3339.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{append_timestamp, parse_timestamp};

/// Nanoseconds since 1970-01-01T00:00:00Z. Displays and serializes as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Rounds down to a full second.
    #[must_use]
    pub fn to_the_second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1_000_000_000))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        append_timestamp(&mut text, self.0);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl FromStr for Timestamp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_timestamp(text).map(Self)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.to_string()
    }
}
