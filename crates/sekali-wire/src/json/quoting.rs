//! Faults that shells make of JSON on a command line.

/// The remedy for text that is not JSON because a shell passed on too many quotes or too few.
/// `None` if that is not the fault.
pub fn quoting_hint(text: &[u8]) -> Option<&'static str> {
    let text = text.trim_ascii();
    let inside = text.strip_prefix(b"[").unwrap_or(text).trim_ascii_start();
    match inside {
        [b'{', b'\\', b'"', ..] => Some(
            r#"the quotes are escaped twice: \" is for Windows PowerShell 5; elsewhere write '{"topic": …}', or send a file"#,
        ),
        [b'\'', b'{' | b'[', ..] => {
            Some(r#"the single quotes were sent along: in cmd.exe write "{\"topic\": …}", or send a file"#)
        }
        [b'{', rest @ ..] if is_bare_name(rest) => {
            Some(r#"the shell removed the quotes: in Windows PowerShell 5 write '{\"topic\": …}', or send a file"#)
        }
        _ => None,
    }
}

/// Whether a member name without quotes is next, as in `{topic:`.
fn is_bare_name(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let name = text.iter().take_while(|&&byte| byte.is_ascii_alphanumeric() || byte == b'_').count();
    name > 0 && text.get(name..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_a_shell_spoilt_is_answered_with_the_line_for_that_shell() {
        for (text, part) in [
            (r#"{\"topic\":\"demo\"}"#, "PowerShell 5; elsewhere"),
            (r#" [ {\"topic\":\"demo\"}]"#, "PowerShell 5; elsewhere"),
            (r#"'{"topic":"demo"}'"#, "cmd.exe"),
            ("{topic:demo,event_id:1}", "removed the quotes"),
            ("[{ topic : demo}]", "removed the quotes"),
        ] {
            assert!(quoting_hint(text.as_bytes()).is_some_and(|hint| hint.contains(part)), "{text}");
        }
        for text in ["", "{", r#"{"topic":"demo"}"#, "topic:demo", "{,}", r#"["\"a"]"#] {
            assert_eq!(quoting_hint(text.as_bytes()), None, "{text}");
        }
    }
}
