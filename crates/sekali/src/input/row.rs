//! From the cells of a table to the JSON text of an event.

use serde_json::value::RawValue;

use super::json_reason;
use sekali_wire::columns::EVENT;

/// Replaces the contents of `event` with an event of these cells, which are in the order of
/// [`EVENT`].
///
/// # Errors
/// The payload is not one JSON value.
pub(super) fn write_event(cells: [&str; 5], event: &mut Vec<u8>) -> Result<(), String> {
    event.clear();
    for (index, (name, cell)) in EVENT.into_iter().zip(cells).enumerate() {
        event.extend_from_slice(if index == 0 { b"{\"" } else { b",\"" });
        event.extend_from_slice(name.as_bytes());
        event.extend_from_slice(b"\":");
        if name == "payload" {
            // Parsed on its own: text like `{},"topic":"other"` must not leak members into the
            // event.
            let payload: &RawValue = serde_json::from_str(cell)
                .map_err(|error| format!("payload is not JSON: {}", json_reason(cell.as_bytes(), &error)))?;
            event.extend_from_slice(payload.get().as_bytes());
        } else {
            serde_json::to_writer(&mut *event, cell).map_err(|error| error.to_string())?;
        }
    }
    event.push(b'}');
    Ok(())
}
