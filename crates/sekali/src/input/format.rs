//! Telling formats apart.

use clap::ValueEnum;

/// How events are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// One JSON object a line
    Ndjson,
    /// An array of objects, {"events": [...]}, or objects one after the other
    Json,
    /// With a header line: topic,event_id,timestamp,source,payload (payload is JSON text); also
    /// with ; or tabs
    Csv,
    /// A table or view with columns of these names; payload is JSON text or the repr of a Python
    /// dict
    Sqlite,
    /// With the same columns; timestamp is a Parquet timestamp or text
    Parquet,
}

impl InputFormat {
    /// By the ending of a file's name, in front of one that says how it is compressed.
    pub fn of_name(name: &str) -> Option<Self> {
        let (stem, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "gz" | "gzip" | "zst" | "zstd" => Self::of_name(stem),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "json" => Some(Self::Json),
            "csv" | "tsv" => Some(Self::Csv),
            "db" | "sqlite" | "sqlite3" => Some(Self::Sqlite),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// By how the input begins. Empty input passes as NDJSON: there is nothing to get wrong.
    pub fn sniff(beginning: &[u8]) -> Option<Self> {
        if beginning.starts_with(b"SQLite format 3\0") {
            return Some(Self::Sqlite);
        }
        if beginning.starts_with(b"PAR1") {
            return Some(Self::Parquet);
        }
        let text = beginning.strip_prefix(super::peek::BYTE_ORDER_MARK).unwrap_or(beginning).trim_ascii_start();
        let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        match text.first() {
            None => Some(Self::Ndjson),
            Some(b'[') => Some(Self::Json),
            Some(b'{') if is_event_line(line) => Some(Self::Ndjson),
            Some(b'{') => Some(Self::Json),
            Some(_) if is_header(line) => Some(Self::Csv),
            Some(_) => None,
        }
    }
}

/// Whether the first line is an object by itself and not the wrapper `{"events": [...]}`, which
/// only the JSON reader can take apart.
fn is_event_line(line: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Wrapper {
        events: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Wrapper>(line).is_ok_and(|wrapper| wrapper.events.is_none())
}

fn is_header(line: &[u8]) -> bool {
    super::csv::separator_of(line).is_some() || super::csv::names_separator(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_beginning() {
        let cases: [(&str, Option<InputFormat>); 14] = [
            ("{\"topic\":1}\n{\"topic\":2}\n", Some(InputFormat::Ndjson)),
            ("\u{feff}{\"topic\":1}", Some(InputFormat::Ndjson)),
            ("{\n  \"topic\": 1\n}\n", Some(InputFormat::Json)),
            ("{\"events\":[{}]}", Some(InputFormat::Json)),
            ("  [\n{}", Some(InputFormat::Json)),
            ("topic,event_id,timestamp,source,payload\n", Some(InputFormat::Csv)),
            ("\"source\",\"event_id\",\"topic\"\r\n", Some(InputFormat::Csv)),
            ("topic;event_id;timestamp;source;payload\n", Some(InputFormat::Csv)),
            ("\u{feff}event_id\ttopic\n", Some(InputFormat::Csv)),
            ("sep=;\r\ntopic;event_id\r\n", Some(InputFormat::Csv)),
            ("SQLite format 3\0\u{10}", Some(InputFormat::Sqlite)),
            ("PAR1\u{15}", Some(InputFormat::Parquet)),
            ("hello\n", None),
            ("", Some(InputFormat::Ndjson)),
        ];
        for (text, format) in cases {
            assert_eq!(InputFormat::sniff(text.as_bytes()), format, "{text}");
        }
    }

    #[test]
    fn formats_are_told_by_name() {
        assert_eq!(InputFormat::of_name("a/b.JSONL"), Some(InputFormat::Ndjson));
        assert_eq!(InputFormat::of_name("a.json"), Some(InputFormat::Json));
        assert_eq!(InputFormat::of_name("a.csv"), Some(InputFormat::Csv));
        assert_eq!(InputFormat::of_name("2015-01-01-15.json.gz"), Some(InputFormat::Json));
        assert_eq!(InputFormat::of_name("a.ndjson.ZST"), Some(InputFormat::Ndjson));
        assert_eq!(InputFormat::of_name("a.gz"), None);
        assert_eq!(InputFormat::of_name("data/dedup.db"), Some(InputFormat::Sqlite));
        assert_eq!(InputFormat::of_name("a.parquet"), Some(InputFormat::Parquet));
        assert_eq!(InputFormat::of_name("stdin"), None);
    }
}
