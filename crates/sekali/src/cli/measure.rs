//! Numbers with a unit.

/// A length of time, such as `90s`, `30d` or `2w`, in nanoseconds.
pub(super) fn time_ns(text: &str) -> Option<i64> {
    const SECOND_NS: u64 = 1_000_000_000;
    let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 7 * 86_400)];
    measure(text, &units.map(|(unit, seconds)| (unit, seconds * SECOND_NS))).and_then(|ns| i64::try_from(ns).ok())
}

/// A whole number above 0 with one of the units.
pub(super) fn measure(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, size) = units.iter().find_map(|&(unit, size)| Some((text.strip_suffix(unit)?, size)))?;
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    number.checked_mul(size)
}
