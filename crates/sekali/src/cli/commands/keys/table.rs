//! Keys as a table.

use super::Shown;
use crate::cli::term::output::Paint;
use sekali_server::access::State;
use sekali_wire::escape::escape;
use sekali_wire::timestamp::Timestamp;

const HEADING: [&str; 7] = ["id", "state", "scopes", "topics", "created", "expires", "name"];

/// A heading and a line for each key. What people wrote is shown, never obeyed.
pub(super) fn lines(keys: &[Shown], paint: Paint) -> Vec<String> {
    let rows: Vec<[String; 7]> = keys.iter().map(row).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].as_str()).chain([HEADING[column]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut lines = vec![paint.bold(line(&HEADING.map(str::to_owned), &widths))];
    lines.extend(keys.iter().zip(&rows).map(|(key, row)| {
        let line = line(row, &widths);
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
        key.created.to_string(),
        key.expires.as_ref().map_or("-".to_owned(), Timestamp::to_string),
        escape(&key.name).into_owned(),
    ]
}

fn line(cells: &[String; 7], widths: &[usize; 7]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, &width)| format!("{cell:width$}"));
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
            id        state    scopes        topics  created               expires               name
            5f0c91d2  active   publish,read  web.*   1970-01-01T00:00:00Z  -                     a \u202eb
            00000000  expired  publish,read  web.*   1970-01-01T00:00:00Z  1970-01-01T00:00:01Z"#]]
        .assert_eq(&lines(&keys, Paint::PLAIN).join("\n"));
    }
}
