//! Keys as a table.

use super::Shown;
use crate::cli::term::output::Paint;
use sekali_server::access::State;
use sekali_wire::escape::escape;
use sekali_wire::timestamp::Timestamp;

const HEADING: [&str; 7] = ["id", "state", "scopes", "topics", "created", "expires", "name"];

/// Place of the column that is left out first.
const CREATED: usize = 4;

/// A heading and a line for each key. What people wrote is shown, never obeyed. Where they
/// are wider than `columns`, the time of creation is left out.
pub(super) fn lines(keys: &[Shown], columns: usize, paint: Paint) -> Vec<String> {
    let rows: Vec<[String; 7]> = keys.iter().map(row).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].as_str()).chain([HEADING[column]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: [usize; 7] = std::array::from_fn(width);
    let is_wide = widths.iter().sum::<usize>() + 2 * (widths.len() - 1) > columns;
    let left_out = is_wide.then_some(CREATED);
    let mut lines = vec![paint.bold(line(&HEADING.map(str::to_owned), &widths, left_out))];
    lines.extend(keys.iter().zip(&rows).map(|(key, row)| {
        let line = line(row, &widths, left_out);
        if key.state == State::Active { line } else { paint.dim(line) }
    }));
    lines
}

fn row(key: &Shown) -> [String; 7] {
    let state = match key.state {
        State::Active => "active",
        State::Expired => "expired",
        State::Revoked => "revoked",
    };
    [
        key.id.to_string(),
        state.to_owned(),
        key.scopes.join(","),
        escape(&key.topics.join(",")).into_owned(),
        key.created.to_string().chars().take("2025-01-01".len()).collect(),
        key.expires.as_ref().map_or("-".to_owned(), to_the_minute),
        escape(&key.name).into_owned(),
    ]
}

fn to_the_minute(time: &Timestamp) -> String {
    let text = time.to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

fn line(cells: &[String; 7], widths: &[usize; 7], left_out: Option<usize>) -> String {
    let shown = cells.iter().zip(widths).enumerate().filter(|(column, _)| Some(*column) != left_out);
    let padded = shown.map(|(_, (cell, &width))| format!("{cell:width$}"));
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_aligned_and_plain() {
        let key = |id: &str, name: &str, state| Shown {
            id: id.parse().unwrap(),
            name: name.to_owned(),
            scopes: vec!["publish", "read"],
            topics: vec!["web.*".to_owned()],
            created: Timestamp(0),
            expires: (state == State::Expired).then_some(Timestamp(1_000_000_000)),
            revoked: None,
            state,
        };
        let keys = [key("5f0c91d2", "a \u{202e}b", State::Active), key("00000000", "", State::Expired)];
        expect_test::expect![[r#"
            id        state    scopes        topics  created     expires           name
            5f0c91d2  active   publish,read  web.*   1970-01-01  -                 a \u202eb
            00000000  expired  publish,read  web.*   1970-01-01  1970-01-01 00:00"#]]
        .assert_eq(&lines(&keys, 80, Paint::PLAIN).join("\n"));
        let narrow = lines(&keys, 70, Paint::PLAIN);
        assert!(narrow.iter().all(|line| line.chars().count() <= 70 && !line.contains("1970-01-01  ")), "{narrow:?}");
    }
}
