//! From the cells of a row to an event.

use std::borrow::Cow;

use rusqlite::types::ValueRef;
use rusqlite::{Result, Row};

use super::super::row::write_event;
use super::super::{EVENT_TEXT_BYTES_MAX, python, syntax_error};
use sekali_wire::columns::EVENT;

/// The cells to select from a table `t`, in the order in which [`event_of`] reads them. The last
/// one is the text of a payload that is in SQLite's own binary form of JSON.
pub(super) const CELLS: &str = "t.topic, t.event_id, t.timestamp, t.source, t.payload, \
    CASE typeof(t.payload) WHEN 'blob' THEN CASE WHEN json_valid(t.payload, 8) THEN json(t.payload) END END";

/// Makes the event of a row whose [`CELLS`] begin at the column `first`.
///
/// # Errors
/// The inner one says why no event can be made of it.
pub(super) fn event_of(row: &Row<'_>, first: usize) -> Result<std::result::Result<Vec<u8>, String>> {
    let mut cells = [ValueRef::Null; 6];
    for (column, cell) in (first..).zip(&mut cells) {
        *cell = row.get_ref(column)?;
    }
    let [topic, event_id, timestamp, source, payload, binary_json] = cells;
    Ok(write([topic, event_id, timestamp, source], payload, binary_json))
}

fn write(
    cells: [ValueRef<'_>; 4],
    payload: ValueRef<'_>,
    binary_json: ValueRef<'_>,
) -> std::result::Result<Vec<u8>, String> {
    let mut texts: [Cow<'_, str>; 4] = Default::default();
    for ((text, cell), name) in texts.iter_mut().zip(cells).zip(EVENT) {
        *text = text_of(cell).map_err(|reason| format!("{name} {reason}"))?;
    }
    let [topic, event_id, timestamp, source] = &texts;
    let payload = payload_of(payload, binary_json)?;
    let mut event = Vec::with_capacity(payload.len() + 256);
    write_event([topic, event_id, timestamp, source, &payload], &mut event)?;
    Ok(event)
}

/// Text that is JSON stays as it is, byte for byte, be it kept as TEXT or as BLOB.
fn payload_of<'a>(payload: ValueRef<'a>, binary_json: ValueRef<'a>) -> std::result::Result<Cow<'a, str>, String> {
    let wrong = |reason| format!("payload {reason}");
    let ValueRef::Blob(bytes) = payload else { return json_of(text_of(payload).map_err(wrong)?) };
    if bytes.len() > EVENT_TEXT_BYTES_MAX {
        return Err(wrong(format!("is longer than {EVENT_TEXT_BYTES_MAX} bytes")));
    }
    match (std::str::from_utf8(bytes), binary_json) {
        (Ok(text), _) if syntax_error(bytes).is_none() => Ok(Cow::Borrowed(text)),
        (_, ValueRef::Text(_)) => text_of(binary_json).map_err(wrong),
        (Ok(text), _) => json_of(Cow::Borrowed(text)),
        (Err(_), _) => Err(wrong("is a BLOB that is not JSON text".to_owned())),
    }
}

fn text_of(cell: ValueRef<'_>) -> std::result::Result<Cow<'_, str>, String> {
    match cell {
        ValueRef::Text(bytes) if bytes.len() > EVENT_TEXT_BYTES_MAX => {
            Err(format!("is longer than {EVENT_TEXT_BYTES_MAX} bytes"))
        }
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| "is not UTF-8".to_owned()),
        // Columns without a type keep what was put in: ids that look like numbers are often
        // numbers.
        ValueRef::Integer(number) => Ok(Cow::Owned(number.to_string())),
        ValueRef::Real(_) => Err("is a floating-point number, not text".to_owned()),
        ValueRef::Blob(_) => Err("is a BLOB, not text".to_owned()),
        ValueRef::Null => Err("is NULL".to_owned()),
    }
}

fn json_of(payload: Cow<'_, str>) -> std::result::Result<Cow<'_, str>, String> {
    let Some(not_json) = syntax_error(payload.as_bytes()) else { return Ok(payload) };
    python::to_json(&payload)
        .map(Cow::Owned)
        .map_err(|not_python| format!("payload is {not_json}; nor can it be converted from Python: {not_python}"))
}
