//! Nesting depth of JSON, measured without recursion, because clients send the text.

/// Whether objects and arrays in `json`, which is valid JSON, are nested at most `max` deep.
pub fn is_at_most(json: &str, max: usize) -> bool {
    // Nearly every payload has fewer brackets in all, and counting them is many times faster than
    // tracking the depth.
    opened(json) <= max || follow(json, max)
}

/// Returns the number of opening brackets in `json`, those in strings included.
fn opened(json: &str) -> usize {
    // Counters of 8 bits are as wide as the bytes, so that the loop is vectorised.
    let count = |piece: &[u8]| piece.iter().map(|byte| u8::from(matches!(byte, b'{' | b'['))).sum::<u8>();
    json.as_bytes().chunks(u8::MAX.into()).map(|piece| usize::from(count(piece))).sum()
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
    fn all_brackets_are_counted() {
        assert_eq!(opened(&"[{".repeat(5_000)), 10_000);
        assert_eq!(opened(&nested(255)), 255);
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        let text = format!(r#"["\"{}", "\\"]"#, "[{".repeat(100));
        assert!(is_at_most(&text, 1));
    }
}
