//! Telling formats apart.

use clap::ValueEnum;

/// How events are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
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

impl Format {
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
        let cases: [(&str, Option<Format>); 14] = [
            ("{\"topic\":1}\n{\"topic\":2}\n", Some(Format::Ndjson)),
            ("\u{feff}{\"topic\":1}", Some(Format::Ndjson)),
            ("{\n  \"topic\": 1\n}\n", Some(Format::Json)),
            ("{\"events\":[{}]}", Some(Format::Json)),
            ("  [\n{}", Some(Format::Json)),
            ("topic,event_id,timestamp,source,payload\n", Some(Format::Csv)),
            ("\"source\",\"event_id\",\"topic\"\r\n", Some(Format::Csv)),
            ("topic;event_id;timestamp;source;payload\n", Some(Format::Csv)),
            ("\u{feff}event_id\ttopic\n", Some(Format::Csv)),
            ("sep=;\r\ntopic;event_id\r\n", Some(Format::Csv)),
            ("SQLite format 3\0\u{10}", Some(Format::Sqlite)),
            ("PAR1\u{15}", Some(Format::Parquet)),
            ("hello\n", None),
            ("", Some(Format::Ndjson)),
        ];
        for (text, format) in cases {
            assert_eq!(Format::sniff(text.as_bytes()), format, "{text}");
        }
    }

    #[test]
    fn formats_are_told_by_name() {
        assert_eq!(Format::of_name("a/b.JSONL"), Some(Format::Ndjson));
        assert_eq!(Format::of_name("a.json"), Some(Format::Json));
        assert_eq!(Format::of_name("a.csv"), Some(Format::Csv));
        assert_eq!(Format::of_name("2015-01-01-15.json.gz"), Some(Format::Json));
        assert_eq!(Format::of_name("a.ndjson.ZST"), Some(Format::Ndjson));
        assert_eq!(Format::of_name("a.gz"), None);
        assert_eq!(Format::of_name("data/dedup.db"), Some(Format::Sqlite));
        assert_eq!(Format::of_name("a.parquet"), Some(Format::Parquet));
        assert_eq!(Format::of_name("stdin"), None);
    }
}
