//! Values of options: numbers within bounds, and numbers with a unit.

use clap::builder::RangedI64ValueParser;

use sekali_wire::limits::BATCH_EVENTS_MAX;

/// A length of time, such as `90s`, `30d` or `2w`, in nanoseconds.
pub(crate) fn time_ns(text: &str) -> Option<i64> {
    const SECOND_NS: u64 = 1_000_000_000;
    let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 7 * 86_400)];
    measure(text, &units.map(|(unit, seconds)| (unit, seconds * SECOND_NS))).and_then(|ns| i64::try_from(ns).ok())
}

/// A whole number above 0 with one of the units.
pub(crate) fn measure(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, size) = units.iter().find_map(|&(unit, size)| Some((text.strip_suffix(unit)?, size)))?;
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    number.checked_mul(size)
}

/// Parses the number of events in a request.
pub(crate) fn batch_size() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=BATCH_EVENTS_MAX as i64)
}

/// Parses a fraction from 0 to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("must be a number from 0 to 1, like 0.2".to_owned()),
    }
}
