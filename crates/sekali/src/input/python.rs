//! Python literals, as `repr` writes them, to JSON.
//!
//! Only what JSON can say is converted: dicts whose keys are text, lists, tuples (as arrays), text,
//! finite numbers, `True`, `False` and `None`. Anything else (`nan`, bytes, sets, complex numbers,
//! objects) is refused by name rather than guessed at. Numbers keep their digits. Grammar: The
//! Python Language Reference, 2.4 "Literals" and 6.2 "Atoms".

mod text;

use sekali_wire::limits::PAYLOAD_DEPTH_MAX;

/// Converts one literal.
///
/// # Errors
/// The reason for refusing a text, and the character, counted from 1.
pub(super) fn to_json(literal: &str) -> Result<String, String> {
    let mut parser = Parser { all: literal, rest: literal, json: String::with_capacity(literal.len() + 16) };
    parser.value(PAYLOAD_DEPTH_MAX)?;
    parser.skip_space();
    if !parser.rest.is_empty() {
        return Err(parser.error("expected nothing more"));
    }
    Ok(parser.json)
}

struct Parser<'a> {
    all: &'a str,
    /// The text that was not read yet.
    rest: &'a str,
    /// The JSON written so far.
    json: String,
}

impl Parser<'_> {
    /// Converts a value with at most `depth` levels of nesting, which bounds the recursion.
    fn value(&mut self, depth: usize) -> Result<(), String> {
        self.skip_space();
        let inner = || depth.checked_sub(1).ok_or_else(|| format!("nested deeper than {PAYLOAD_DEPTH_MAX}"));
        match self.rest.chars().next() {
            None => Err(self.error("the text ends where a value should be")),
            Some('{') => self.dict(inner()?),
            Some('[') => self.list(inner()?),
            Some('(') => self.tuple(inner()?),
            Some('\'' | '"') => self.text(),
            Some('0'..='9' | '-') => self.number(),
            Some(first) if first == '_' || first.is_alphabetic() => self.name(),
            Some(other) => Err(self.error(&format!("unexpected {other:?}"))),
        }
    }

    fn dict(&mut self, depth: usize) -> Result<(), String> {
        let start = self.rest;
        self.skip(1);
        self.json.push('{');
        let mut first = true;
        while !self.take_if('}') {
            self.separate(&mut first, "expected , or } in the dict")?;
            if self.take_if('}') {
                break;
            }
            if !self.rest.starts_with(['\'', '"']) {
                return Err(self.error("the key of a dict must be text"));
            }
            self.text()?;
            if !self.take_if(':') {
                // The only other thing that has braces.
                let is_set = self.rest.starts_with([',', '}']);
                return Err(if is_set {
                    self.error_at(start, "a set, which JSON does not have")
                } else {
                    self.error("expected : behind the key")
                });
            }
            self.json.push(':');
            self.value(depth)?;
        }
        self.close('}');
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<(), String> {
        self.skip(1);
        self.json.push('[');
        let mut first = true;
        while !self.take_if(']') {
            self.separate(&mut first, "expected , or ] in the list")?;
            if self.take_if(']') {
                break;
            }
            self.value(depth)?;
        }
        self.close(']');
        Ok(())
    }

    /// `(1, 2)` and `(1,)` are tuples; `(1)` is a value in parentheses.
    fn tuple(&mut self, depth: usize) -> Result<(), String> {
        self.skip(1);
        let opening = self.json.len();
        self.json.push('[');
        if self.take_if(')') {
            self.json.push(']');
            return Ok(());
        }
        self.value(depth)?;
        if self.take_if(')') {
            self.json.remove(opening);
            return Ok(());
        }
        let mut first = false;
        while !self.take_if(')') {
            self.separate(&mut first, "expected , or ) in the tuple")?;
            if self.take_if(')') {
                break;
            }
            self.value(depth)?;
        }
        self.close(')');
        Ok(())
    }

    /// Before an element: takes the comma that must stand between it and the one before.
    fn separate(&mut self, first: &mut bool, otherwise: &str) -> Result<(), String> {
        if !std::mem::replace(first, false) {
            if !self.take_if(',') {
                return Err(self.error(otherwise));
            }
            self.json.push(',');
        }
        self.skip_space();
        Ok(())
    }

    /// After the last element, behind which Python allows a comma and JSON does not.
    fn close(&mut self, bracket: char) {
        if self.json.ends_with(',') {
            self.json.pop();
        }
        self.json.push(if bracket == '}' { '}' } else { ']' });
    }

    fn number(&mut self) -> Result<(), String> {
        let start = self.rest;
        let length = number_length(start);
        let (number, after) = start.split_at(length.unwrap_or_default());
        if length.is_none() || after.starts_with(|next: char| next == '.' || next == '_' || next.is_alphanumeric()) {
            let word: String = start.chars().take_while(|next| !",]}) ".contains(*next)).take(40).collect();
            return Err(self.error(&format!("{word} is not a number that JSON has")));
        }
        let is_float = number.contains(['.', 'e', 'E']);
        if is_float && number.parse::<f64>().is_ok_and(f64::is_infinite) {
            return Err(self.error(&format!("{number} is infinite, which JSON does not have")));
        }
        self.json.push_str(number);
        self.rest = after;
        Ok(())
    }

    fn name(&mut self) -> Result<(), String> {
        let end = self.rest.find(|next: char| next != '_' && !next.is_alphanumeric()).unwrap_or(self.rest.len());
        let (name, after) = self.rest.split_at(end);
        let json = match name {
            "True" => "true",
            "False" => "false",
            "None" => "null",
            _ if after.starts_with(['\'', '"']) && name.eq_ignore_ascii_case("b") => {
                return Err(self.error("bytes, which JSON does not have"));
            }
            _ => return Err(self.error(&format!("{name} is nothing that JSON has"))),
        };
        self.json.push_str(json);
        self.rest = after;
        Ok(())
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    /// Passes over an ASCII character that was seen to be there.
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn take_if(&mut self, wanted: char) -> bool {
        self.skip_space();
        let taken = self.rest.strip_prefix(wanted);
        self.rest = taken.unwrap_or(self.rest);
        taken.is_some()
    }

    fn error(&self, what: &str) -> String {
        self.error_at(self.rest, what)
    }

    /// An error at the beginning of `rest`, which is an end of the whole.
    fn error_at(&self, rest: &str, what: &str) -> String {
        let before = self.all.get(..self.all.len() - rest.len()).unwrap_or_default();
        format!("{what} (at character {})", before.chars().count() + 1)
    }
}

/// The length of the JSON number that `text` begins with; what `repr` writes for finite numbers is
/// one.
fn number_length(text: &str) -> Option<usize> {
    let digits = |text: &str| text.len() - text.trim_start_matches(|next: char| next.is_ascii_digit()).len();
    let sign = usize::from(text.starts_with('-'));
    let whole = digits(&text[sign..]);
    if whole == 0 || (whole > 1 && text[sign..].starts_with('0')) {
        return None;
    }
    let mut length = sign + whole;
    if let Some(fraction) = text[length..].strip_prefix('.') {
        length += 1 + Some(digits(fraction)).filter(|&digits| digits > 0)?;
    }
    if let Some(exponent) = text[length..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        length += 1 + sign + Some(digits(&exponent[sign..])).filter(|&digits| digits > 0)?;
    }
    Some(length)
}

#[cfg(test)]
mod tests;
