//! Regular expressions of bounded cost.

use regex::bytes::{Regex, RegexBuilder};

use crate::limits::{PATTERN_BYTES_MAX, PATTERN_PROGRAM_BYTES_MAX};

/// A regular expression that is looked for anywhere in a text, in time linear in its length.
#[derive(Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// It is too long, too large once it is compiled, or no regular expression.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(format!("must have at most {PATTERN_BYTES_MAX} bytes, and has {}", text.len()));
        }
        let compiled = RegexBuilder::new(text)
            .size_limit(PATTERN_PROGRAM_BYTES_MAX)
            .dfa_size_limit(PATTERN_PROGRAM_BYTES_MAX)
            .build();
        compiled.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => {
                format!("takes more than {limit} bytes once it is compiled: use smaller repetitions and classes")
            }
            error => {
                // The library draws the pattern over several lines; its last one says what is wrong.
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("is not a regular expression: {reason}")
            }
        })
    }

    /// Whether one of `patterns` is found in `text`.
    pub(super) fn any(patterns: &[Self], text: &[u8]) -> bool {
        patterns.iter().any(|pattern| pattern.0.is_match(text))
    }
}
