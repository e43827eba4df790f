//! Functions of statements: those that SQLite does not have, and those whose own form could take
//! minutes for one call, which nothing interrupts.

use std::collections::HashSet;

use memchr::memmem;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result, ffi};

use crate::limits::SQL_VALUE_BYTES_MAX;
use crate::query::NumberSummary;

const FLAGS: FunctionFlags = FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_DETERMINISTIC);

/// Removes characters of a set from the ends of a text.
type Trim = fn(&str, &HashSet<char>) -> String;

/// Makes them known to a connection.
///
/// # Errors
/// Those of SQLite.
pub(super) fn register(connection: &Connection) -> Result<()> {
    connection.create_scalar_function("instr", 2, FLAGS, |context| {
        Ok(texts(context)?.map(|[text, wanted]| position(&text, &wanted)))
    })?;
    connection.create_scalar_function("replace", 3, FLAGS, |context| {
        texts(context)?.map(|[text, old, new]| replaced(&text, &old, &new)).transpose()
    })?;
    let trims: [(&str, Trim); 3] = [
        ("trim", |text, chars| text.trim_matches(|char| chars.contains(&char)).to_owned()),
        ("ltrim", |text, chars| text.trim_start_matches(|char| chars.contains(&char)).to_owned()),
        ("rtrim", |text, chars| text.trim_end_matches(|char| chars.contains(&char)).to_owned()),
    ];
    for (name, trim) in trims {
        connection.create_scalar_function(name, 2, FLAGS, move |context| {
            Ok(texts(context)?.map(|[text, chars]| trim(&text, &chars.chars().collect())))
        })?;
    }
    connection.create_aggregate_function("percentile", 2, FLAGS, Percentile)?;
    connection.create_aggregate_function("median", 1, FLAGS, Percentile)
}

/// All arguments as texts. `None` if one is NULL.
fn texts<const N: usize>(context: &Context<'_>) -> Result<Option<[String; N]>> {
    let mut texts = [const { String::new() }; N];
    for (at, text) in texts.iter_mut().enumerate() {
        *text = match context.get_raw(at) {
            ValueRef::Null => return Ok(None),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => format!("{number:?}"),
            ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
        };
    }
    Ok(Some(texts))
}

/// Where a text begins in another, in characters from 1; 0 if it is not there.
fn position(text: &str, wanted: &str) -> i64 {
    let found = memmem::find(text.as_bytes(), wanted.as_bytes());
    let before = found.map(|at| text.get(..at).unwrap_or_default().chars().count());
    before.map_or(0, |count| i64::try_from(count).unwrap_or(i64::MAX).saturating_add(1))
}

fn replaced(text: &str, old: &str, new: &str) -> Result<String> {
    if old.is_empty() {
        return Ok(text.to_owned());
    }
    let count = memmem::find_iter(text.as_bytes(), old.as_bytes()).count();
    let bytes = (text.len() - count * old.len()).saturating_add(count.saturating_mul(new.len()));
    if bytes > SQL_VALUE_BYTES_MAX {
        return Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_TOOBIG), None));
    }
    let mut replaced = String::with_capacity(bytes);
    let mut end = 0;
    for at in memmem::find_iter(text.as_bytes(), old.as_bytes()) {
        replaced.push_str(text.get(end..at).unwrap_or_default());
        replaced.push_str(new);
        end = at + old.len();
    }
    replaced.push_str(text.get(end..).unwrap_or_default());
    Ok(replaced)
}

/// `percentile(number, percent)` with an error of 1%, as `GET /events/stats` has it.
struct Percentile;

/// Numbers, and the percentage that the last row asks for.
#[derive(Default)]
struct Numbers {
    summary: NumberSummary,
    percent: f64,
}

impl Aggregate<Numbers, Option<f64>> for Percentile {
    fn init(&self, _: &mut Context<'_>) -> Result<Numbers> {
        Ok(Numbers { percent: 50.0, ..Numbers::default() })
    }

    fn step(&self, context: &mut Context<'_>, numbers: &mut Numbers) -> Result<()> {
        let number = |value: Value| match value {
            Value::Integer(number) => Some(number as f64),
            Value::Real(number) => Some(number).filter(|number| number.is_finite()),
            _ => None,
        };
        if context.len() > 1 {
            let percent = number(context.get(1)?).filter(|percent| (0.0..=100.0).contains(percent));
            let reason = || Error::UserFunctionError("percentile takes a percentage from 0 to 100".into());
            numbers.percent = percent.ok_or_else(reason)?;
        }
        if let Some(number) = number(context.get(0)?) {
            numbers.summary.add(number);
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, numbers: Option<Numbers>) -> Result<Option<f64>> {
        Ok(numbers.and_then(|numbers| numbers.summary.percentile(numbers.percent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_of_ours_are_those_of_sqlite() {
        let (ours, theirs) = (Connection::open_in_memory().unwrap(), Connection::open_in_memory().unwrap());
        register(&ours).unwrap();
        for call in [
            "instr('größer', 'ß')",
            "instr('abc', 'd')",
            "instr('abc', '')",
            "instr('', 'a')",
            "instr(NULL, 'a')",
            "instr(1234, 3)",
            "instr(1.5, '.')",
            "replace('aaaa', 'aa', 'b')",
            "replace('äöü', 'ö', '')",
            "replace('abc', '', 'x')",
            "replace('abc', 'b', NULL)",
            "replace(1234, 3, 5.5)",
            "trim('xyaxy', 'yx')",
            "ltrim('ääbä', 'ä')",
            "rtrim('ääbä', 'ä')",
            "trim('abc', '')",
            "trim('abc', NULL)",
            "trim('  a ')",
        ] {
            let value = |connection: &Connection| {
                connection.query_row(&format!("SELECT {call}"), [], |row| row.get::<_, Value>(0)).unwrap()
            };
            assert_eq!(value(&ours), value(&theirs), "{call}");
        }
    }

    #[test]
    fn percentiles_are_about_right() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000)";
        let statement = format!("{numbers} SELECT percentile(x, 99), median(x) FROM n");
        let (high, middle): (f64, f64) =
            connection.query_row(&statement, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert!((980.0..1000.0).contains(&high) && (490.0..510.0).contains(&middle), "{high} {middle}");
        let none = connection.query_row("SELECT median(x) FROM (SELECT NULL AS x)", [], |row| row.get::<_, Value>(0));
        assert_eq!(none.unwrap(), Value::Null);
        assert!(connection.query_row("SELECT percentile(1, 101)", [], |_| Ok(())).is_err());
    }
}
