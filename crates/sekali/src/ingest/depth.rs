//! How deep JSON is nested, found without recursion: the text is a client's.

/// Whether objects and arrays in `json`, which is valid JSON, are nested at most `max` deep.
pub(super) fn is_at_most(json: &str, max: usize) -> bool {
    // Nearly every payload has fewer brackets than that in all, and counting them is many times faster than following them.
    let opened = json.bytes().filter(|&byte| byte == b'{' || byte == b'[').count();
    opened <= max || follow(json, max)
}

fn follow(json: &str, max: usize) -> bool {
    let mut depth = 0_usize;
    let mut bytes = json.bytes();
    let mut in_string = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                bytes.next();
            }
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > max {
                    return false;
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        assert!(is_at_most(&nested(64), 64));
        assert!(!is_at_most(&nested(65), 64));
    }

    #[test]
    fn width_is_not_depth() {
        assert!(is_at_most(&format!("[{}1]", "[],{},".repeat(1000)), 2));
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        let text = format!(r#"["\"{}", "\\"]"#, "[{".repeat(100));
        assert!(is_at_most(&text, 1));
    }
}
