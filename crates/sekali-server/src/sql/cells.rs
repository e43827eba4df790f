//! Values of an answer as JSON and as CSV.

use rusqlite::types::ValueRef;
use sekali_wire::csv;
use sekali_wire::json::append_string;

/// Writes a value as JSON: a blob as the text of its hexadecimal digits, and a number that is not
/// finite as `null`.
pub(super) fn append_json(out: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        ValueRef::Real(number) if number.is_finite() => out.extend_from_slice(format!("{number:?}").as_bytes()),
        ValueRef::Real(_) => out.extend_from_slice(b"null"),
        ValueRef::Text(text) => append_string(out, &String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => append_string(out, &hex(bytes)),
    }
}

/// Writes a value as a cell of CSV: NULL as nothing.
pub(super) fn append_csv(out: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => {}
        ValueRef::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        ValueRef::Real(number) => out.extend_from_slice(format!("{number:?}").as_bytes()),
        ValueRef::Text(text) => csv::append_cell(out, &String::from_utf8_lossy(text).into_owned().into_bytes()),
        ValueRef::Blob(bytes) => out.extend_from_slice(hex(bytes).as_bytes()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
