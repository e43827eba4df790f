//! The formats of exports.

use std::path::Path;

use clap::ValueEnum;

/// How to write events down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// One JSON object a line, as the server sends it, but with nine digits behind every second
    Ndjson,
    /// With a header line; cells that a spreadsheet would run get an apostrophe, which an import
    /// takes away
    Csv,
    /// A database with the table events
    Sqlite,
    /// Compressed with zstd, with the columns of the server's own segments
    Parquet,
}

impl OutputFormat {
    /// By the ending of a file's name.
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            "db" | "sqlite" | "sqlite3" => Some(Self::Sqlite),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// Whether it can be written from beginning to end, so that a pipe will do.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Ndjson | Self::Csv)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_under_a_name_is_imported_by_it() {
        use crate::input;
        for name in ["a.ndjson", "a.JSONL", "a.csv", "a.db", "a.sqlite", "a.sqlite3", "a.parquet"] {
            let (written, read) = (OutputFormat::of_path(Path::new(name)), input::InputFormat::of_name(name));
            let same = match written.unwrap() {
                OutputFormat::Ndjson => input::InputFormat::Ndjson,
                OutputFormat::Csv => input::InputFormat::Csv,
                OutputFormat::Sqlite => input::InputFormat::Sqlite,
                OutputFormat::Parquet => input::InputFormat::Parquet,
            };
            assert_eq!(read, Some(same), "{name}");
        }
        for name in ["a", "a.json", "a.txt", ".csv", "ndjson"] {
            assert_eq!(OutputFormat::of_path(Path::new(name)), None, "{name}");
        }
    }
}
