//! Counts as a table with bars, within 80 columns.

use std::iter;

use crate::cli::term::output::Paint;
use crate::digits::grouped;
use sekali_wire::escape::escape;

/// Columns of the longest bar.
const BAR_COLUMNS: u64 = 20;
/// Columns that names may have.
const NAME_COLUMNS: usize = 35;

/// Lines with a name, a count, its share of `total` and a bar, below a heading.
pub(crate) fn bars(heading: &str, rows: &[(String, u64)], total: u64, paint: Paint) -> Vec<String> {
    let names: Vec<_> = rows.iter().map(|(name, _)| fitted(name, NAME_COLUMNS)).collect();
    let heading = fitted(heading, NAME_COLUMNS);
    let width = names.iter().chain([&heading]).map(|name| columns(name)).max().unwrap_or(0);
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let line = |name: &str, padding: usize, count: String, share: String| {
        format!("{name}{:padding$}  {count:>13}  {share:>6}", "")
    };
    let pad = |name: &str| width - columns(name);
    let mut lines = vec![paint.bold(line(&heading, pad(&heading), "count".to_owned(), "share".to_owned()))];
    for (name, (_, count)) in names.iter().zip(rows) {
        // Rounded up: something is seen of everything that is not nothing.
        let length = (u128::from(*count) * u128::from(BAR_COLUMNS)).div_ceil(u128::from(most));
        let bar: String = iter::repeat_n('█', length as usize).collect();
        let line = line(&paint.cyan(name), pad(name), grouped(*count), share(*count, total));
        lines.push(format!("{line}  {}", paint.cyan(bar)).trim_end().to_owned());
    }
    lines
}

/// A part of a whole in percent.
pub(crate) fn share(part: u64, whole: u64) -> String {
    // Thousandths, rounded.
    let thousandths = (u128::from(part) * 1_000 + u128::from(whole) / 2).checked_div(u128::from(whole)).unwrap_or(0);
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

/// Text that is shown and not obeyed, cut to so many columns.
pub(crate) fn fitted(text: &str, columns_max: usize) -> String {
    let text = escape(text);
    match text.char_indices().nth(columns_max) {
        None => text.into_owned(),
        Some(_) => text.chars().take(columns_max.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The values of a group, as a server says them: strings without their quotes.
pub(crate) fn group_name(key: &[serde_json::Value]) -> String {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    key.iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_aligned_and_names_cut() {
        let rows = [("200".to_owned(), 1_498), ("a\u{1b}[2J".to_owned(), 1), ("x".repeat(100), 0)];
        let lines = bars("payload.status", &rows, 2_000, Paint::PLAIN);
        expect_test::expect![[r#"
            payload.status                               count   share
            200                                          1,498   74.9%  ████████████████████
            a\u001b[2J                                       1    0.1%  █
            xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…              0    0.0%"#]]
        .assert_eq(&lines.join("\n"));
        let many = [("x".repeat(100), u64::from(u32::MAX))];
        let widest = bars("x", &many, u64::from(u32::MAX), Paint::PLAIN);
        assert!(widest.iter().all(|line| line.chars().count() <= 80), "{widest:?}");
    }

    #[test]
    fn a_share_of_nothing_is_nothing() {
        assert_eq!((share(0, 0), share(2, 3), share(3, 3)), ("0.0%".into(), "66.7%".into(), "100.0%".into()));
    }
}
