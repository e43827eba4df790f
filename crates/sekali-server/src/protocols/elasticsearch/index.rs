//! Names of indices as topics.

/// The name of an index without the date at its end, so that a repeat that comes after midnight
/// meets its original: `logs` for `logs-2026.11.22`.
pub(super) fn undated(index: &str) -> &str {
    let is_separator = |byte: u8| matches!(byte, b'-' | b'.' | b'_');
    let run = index.bytes().rev().take_while(|&byte| byte.is_ascii_digit() || is_separator(byte)).count();
    let start = index.len() - run;
    let separators = (start.max(1)..index.len()).filter(|&at| is_separator(index.as_bytes()[at]));
    let mut dated = separators.filter(|&at| is_date(&index[at + 1..]));
    dated.next().map_or(index, |at| &index[..at])
}

/// Whether digits are a month, a day or an hour: `2026.11`, `2026-11-22`, `20261122`,
/// `2026.11.22.07`.
fn is_date(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect();
    let pair = |at: usize| digits.get(at..at + 2).map(|pair| pair[0] * 10 + pair[1]);
    let in_range = |at: usize, min: u8, max: u8| pair(at).is_none_or(|value| (min..=max).contains(&value));
    let starts_plainly = text.bytes().take(4).all(|byte| byte.is_ascii_digit());
    let ends_plainly = text.ends_with(|last: char| last.is_ascii_digit());
    let is_year = matches!(pair(0), Some(19 | 20));
    starts_plainly
        && ends_plainly
        && is_year
        && matches!(digits.len(), 6 | 8 | 10)
        && in_range(4, 1, 12)
        && in_range(6, 1, 31)
        && in_range(8, 0, 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollover_does_not_change_the_topic() {
        for (index, topic) in [
            ("logs-2026.11.22", "logs"),
            ("logs-2026-11-22", "logs"),
            ("logs_20261122", "logs"),
            ("logs-2026.11", "logs"),
            ("logs-2026.11.22.07", "logs"),
            ("app-v2-2026.11.22", "app-v2"),
            ("filebeat-8.12.0-2026.11.22", "filebeat-8.12.0"),
            ("logs", "logs"),
            ("logs-000001", "logs-000001"),
            ("logs-2026.13.01", "logs-2026.13.01"),
            ("logs-8.12.0", "logs-8.12.0"),
            ("2026.11.22", "2026.11.22"),
            ("-2026.11.22", "-2026.11.22"),
            ("logs-2026", "logs-2026"),
            ("é-2026.11.22", "é"),
            ("", ""),
        ] {
            assert_eq!(undated(index), topic, "{index}");
        }
    }
}
