//! Binary mode: attributes in headers, data in the body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;

use super::invalid;
use crate::protocols::json::{append_name, append_text};
use crate::protocols::{Asked, Refusal};

/// The beginning of the names of attributes.
const PREFIX: &str = "ce-";

/// The event as an object, as structured mode has it.
pub(super) fn event(asked: &Asked, media_type: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut out = b"{".to_vec();
    for (name, value) in asked.headers() {
        let Some(name) = name.as_str().strip_prefix(PREFIX) else { continue };
        if name == "datacontenttype" {
            return Err(invalid("the type of the data is the header Content-Type, and not ce-datacontenttype"));
        }
        let wrong = || invalid(&format!("the header ce-{name} is not valid"));
        let value = std::str::from_utf8(value.as_bytes()).map_err(|_| wrong())?;
        append_text(&mut out, name, &decoded(value).ok_or_else(wrong)?);
    }
    if let Some(content_type) = asked.header("content-type") {
        append_text(&mut out, "datacontenttype", content_type);
    }
    if !body.is_empty() {
        let is_json = media_type == "application/json" || media_type.ends_with("+json") || media_type == "text/json";
        let text = std::str::from_utf8(body);
        match (is_json && serde_json::from_slice::<IgnoredAny>(body).is_ok(), text) {
            (true, _) => {
                append_name(&mut out, "data");
                out.extend_from_slice(body.trim_ascii());
            }
            (false, Ok(text)) if media_type.starts_with("text/") || is_json => append_text(&mut out, "data", text),
            _ => append_text(&mut out, "data_base64", &STANDARD.encode(body)),
        }
    }
    out.push(b'}');
    Ok(out)
}

/// The value of a header: without quotes around it, and percent-decoded once.
fn decoded(value: &str) -> Option<String> {
    let value = value.trim();
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let plain = unquoted.map_or_else(|| value.to_owned(), |value| value.replace("\\\"", "\"").replace("\\\\", "\\"));
    percent_decode_str(&plain).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_once_and_strictly() {
        assert_eq!(decoded("Euro%20%E2%82%AC%20%F0%9F%98%80").as_deref(), Some("Euro € 😀"));
        assert_eq!(decoded("%2525").as_deref(), Some("%25"));
        assert_eq!(decoded("\"a \\\"b\\\"\"").as_deref(), Some("a \"b\""));
        for overlong in ["%C0%A0", "%ED%A0%80", "%FF"] {
            assert_eq!(decoded(overlong), None, "{overlong}");
        }
    }
}
