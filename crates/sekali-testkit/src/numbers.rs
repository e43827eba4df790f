//! Numbers for people.

/// Formats `1234567` as `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a figure with its digits in groups of three and only significant decimals.
#[must_use]
pub fn figure(value: f64) -> String {
    let decimals = match value.abs() {
        small if value.fract() == 0.0 || small >= 1_000.0 => 0,
        small if small >= 10.0 => 1,
        small if small >= 0.1 => 3,
        _ => 5,
    };
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    // Numbers above 2^64 are not grouped.
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{whole}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_grouped_in_threes() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (12_345, "12,345")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn figures_are_short_and_grouped() {
        let cases = [
            (0.0, "0"),
            (7.0, "7"),
            (1_234_567.8, "1,234,568"),
            (-12_345.0, "-12,345"),
            (-123.0, "-123"),
            (29.256, "29.3"),
            (1.2345, "1.234"),
            (0.00781, "0.00781"),
        ];
        for (value, text) in cases {
            assert_eq!(figure(value), text);
        }
    }
}
