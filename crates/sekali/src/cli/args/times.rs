//! Points in time as people type them.

use jiff::Timestamp;

use sekali_wire::timestamp::{append_timestamp, parse_moment};

/// Parses a point in time, such as `2025-10-24`, `1h` or `yesterday`, and returns its timestamp. A
/// length of time counts back from now, so that all requests of a command mean the same time.
pub(super) fn moment(text: &str) -> Result<String, String> {
    let now_ns = i64::try_from(Timestamp::now().as_nanosecond());
    let ns = parse_moment(text, now_ns.map_err(|_| "the clock of this machine is far off")?)?;
    let mut written = Vec::new();
    append_timestamp(&mut written, ns);
    Ok(String::from_utf8_lossy(&written).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_sent_as_a_timestamp() {
        assert_eq!(moment("2025-10-24T21:00:00+07:00").as_deref(), Ok("2025-10-24T14:00:00Z"));
        assert!(moment("1h").unwrap().ends_with('Z'));
        assert!(moment("soon").unwrap_err().contains("yesterday"));
    }
}
