//! Records that are no events, as the reserved topic keeps them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekali_wire::json::append_string;

/// Most bytes of a record that are kept: each may take six as JSON, and a payload has 1 MiB.
const RECORD_BYTES_MAX: usize = 150 * 1024;

/// The payload of the event in quarantine: the reason, what the record was meant to be, and the
/// record as it came, as text or else in base64.
pub(super) fn payload(topic: &str, id: Option<&str>, reason: &str, record: &[u8]) -> Vec<u8> {
    let kept = record.get(..RECORD_BYTES_MAX).unwrap_or(record);
    let mut out = Vec::with_capacity(kept.len() + 256);
    out.extend_from_slice(b"{\"reason\":");
    append_string(&mut out, reason);
    out.extend_from_slice(b",\"topic\":");
    append_string(&mut out, &start(topic));
    if let Some(id) = id {
        out.extend_from_slice(b",\"event_id\":");
        append_string(&mut out, &start(id));
    }
    match std::str::from_utf8(kept) {
        Ok(text) => {
            out.extend_from_slice(b",\"record\":");
            append_string(&mut out, text);
        }
        // The cut may be inside of a character.
        Err(error) if record.len() > kept.len() && kept.len() - error.valid_up_to() < 4 => {
            out.extend_from_slice(b",\"record\":");
            append_string(&mut out, &String::from_utf8_lossy(kept.get(..error.valid_up_to()).unwrap_or_default()));
        }
        Err(_) => {
            out.extend_from_slice(b",\"record_base64\":");
            append_string(&mut out, &STANDARD.encode(kept));
        }
    }
    if record.len() > kept.len() {
        out.extend_from_slice(format!(",\"record_bytes\":{}", record.len()).as_bytes());
    }
    out.push(b'}');
    out
}

/// The first characters of a text that may be of any length.
fn start(text: &str) -> String {
    const CHARS_MAX: usize = 1_024;
    text.chars().take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_record_is_kept_as_a_valid_payload() {
        let wide = [1; RECORD_BYTES_MAX + 1];
        for record in [&b"{broken"[..], b"\xff\xfe", b"", &wide, "é".repeat(200_000).as_bytes()] {
            let payload = payload("t", Some("1"), "because", record);
            let value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
            assert_eq!(value["reason"], "because");
            assert!(value["record"].is_string() != value["record_base64"].is_string());
            assert!(payload.len() < sekali_store::limits::PAYLOAD_BYTES_MAX);
        }
    }
}
