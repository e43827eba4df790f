//! Names of files that a browser saves answers under.

use hyper::header::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::answer::{AnswerFormat, ApiError, wrong_parameter};
use super::parameters::Parameters;
use crate::limits::DOWNLOAD_NAME_BYTES_MAX;

/// The characters of names that RFC 8187 leaves as they are, letters and digits besides.
const IN_EXTENDED_VALUES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// The `Content-Disposition` that `download=NAME` asks for. The name gets the ending of the format,
/// so that no link can save events as a program.
///
/// # Errors
/// `invalid_parameter`: the name has characters that names of files should not have.
pub(super) fn disposition(parameters: &Parameters<'_>, format: AnswerFormat) -> Result<Option<HeaderValue>, ApiError> {
    let Some(name) = parameters.get("download") else { return Ok(None) };
    // No direction marks or line breaks, which `is_alphanumeric` leaves out too.
    let is_fit = |char: char| char.is_alphanumeric() || matches!(char, ' ' | '.' | '_' | '-' | '(' | ')');
    let ends = |char: char| char.is_alphanumeric() || matches!(char, '_' | '(' | ')');
    if name.len() > DOWNLOAD_NAME_BYTES_MAX
        || !name.chars().all(is_fit)
        || !name.starts_with(ends)
        || !name.ends_with(ends)
    {
        let reason = format!(
            "must be a name of up to {DOWNLOAD_NAME_BYTES_MAX} bytes with letters, digits, spaces and ._-() in it, \
             none of ` .-` first or last, like errors-of-today"
        );
        return Err(wrong_parameter("download", &reason, &[]));
    }
    let ending = format!(".{}", format.name());
    let name = name.strip_suffix(&ending).unwrap_or(name);
    let plain = name.replace(|char: char| !char.is_ascii(), "_");
    let extended = utf8_percent_encode(name, IN_EXTENDED_VALUES);
    let value = if name.is_ascii() {
        format!("attachment; filename=\"{plain}{ending}\"")
    } else {
        format!("attachment; filename=\"{plain}{ending}\"; filename*=UTF-8''{extended}{ending}")
    };
    HeaderValue::from_str(&value).map(Some).map_err(|error| ApiError::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str) -> Option<String> {
        let query = format!("download={}", utf8_percent_encode(name, NON_ALPHANUMERIC));
        let parameters = Parameters::parse(Some(&query), &["download"]).unwrap();
        let value = disposition(&parameters, AnswerFormat::Csv).ok()??;
        Some(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn names_keep_their_letters_and_get_the_ending_of_the_format() {
        for (name, value) in [
            ("a b (1)", "filename=\"a b (1).csv\""),
            ("a.csv", "filename=\"a.csv\""),
            ("a.exe", "filename=\"a.exe.csv\""),
            ("été", "filename=\"_t_.csv\"; filename*=UTF-8''%C3%A9t%C3%A9.csv"),
        ] {
            assert_eq!(header(name).as_deref(), Some(&*format!("attachment; {value}")), "{name}");
        }
    }

    #[test]
    fn names_that_could_mislead_a_browser_or_a_shell_are_refused() {
        let long = "a".repeat(DOWNLOAD_NAME_BYTES_MAX + 1);
        for name in [
            "",
            ".",
            "..",
            ".profile",
            "-rf",
            "a.",
            "a ",
            " a",
            "a/b",
            "..\\b",
            "a\"b",
            "a\r\nb",
            "a;b",
            "a%b",
            "a\u{202e}b",
            "a:b",
            "~a",
            "a*",
            &long,
        ] {
            assert_eq!(header(name), None, "{name:?}");
        }
    }
}
