//! The Parquet columns of events: what segments, exports and answers have in common.

mod table;

use std::sync::Arc;

pub use table::{Cell, TableWriter};

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::{ColumnPath, Type, TypePtr};

/// Names of the columns, in their order.
pub const COLUMN_NAMES: [&str; 7] = ["topic", "event_id", "timestamp", "source", "payload", "seq", "received_at"];

/// Levels 2 and 3 take 6% and 24% more time to write and make no smaller files, measured on events
/// with random ids.
const ZSTD_LEVEL: i32 = 1;

/// The schema of [`COLUMN_NAMES`]. Every column is required. Times are nanoseconds since
/// 1970-01-01T00:00:00Z.
///
/// Payloads are annotated as strings and not as JSON. Readers check a JSON column: one payload with
/// half a surrogate pair, which JSON text may have, keeps DuckDB from reading all of them, and
/// Polars reads such a column as bytes. Segments of earlier builds have the JSON annotation. It
/// changes no byte of the data, and they are read and merged as they are.
///
/// # Errors
/// None that the columns above can cause.
pub(crate) fn schema() -> Result<TypePtr> {
    schema_of(&COLUMN_NAMES)
}

/// The type of a column, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnType {
    Text,
    Number,
    Time,
    /// A text that a row may lack.
    OptionalText,
}

fn column_type(name: &str) -> ColumnType {
    match name {
        "timestamp" | "received_at" => ColumnType::Time,
        "seq" => ColumnType::Number,
        _ if COLUMN_NAMES.contains(&name) => ColumnType::Text,
        _ => ColumnType::OptionalText,
    }
}

/// The schema of some columns.
fn schema_of(names: &[&str]) -> Result<TypePtr> {
    let field = |name: &&str| {
        let kind = column_type(name);
        let (physical, logical) = match kind {
            ColumnType::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
            ColumnType::Number => (Physical::INT64, None),
            ColumnType::Text | ColumnType::OptionalText => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let is_optional = kind == ColumnType::OptionalText;
        let repetition = if is_optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let builder = Type::primitive_type_builder(name, physical).with_repetition(repetition);
        Ok(Arc::new(builder.with_logical_type(logical).build()?))
    };
    let fields = names.iter().map(field).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Type::group_type_builder("event").with_fields(fields).build()?))
}

/// The compression of every column.
pub(crate) fn compression() -> Result<Compression> {
    Ok(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
}

/// Compression and encodings of the columns.
///
/// Topics and sources repeat, so they have dictionaries. Ids rarely do: their lengths stand apart
/// from their bytes, so that zstd sees digits only. Seqs, timestamps and times of receipt are kept
/// as differences. Payloads have no statistics: no query asks for the least one.
///
/// Columns of other names have dictionaries too, as long as their values repeat.
///
/// # Errors
/// None that the columns above can cause.
pub(crate) fn properties(names: &[&str]) -> Result<WriterPropertiesBuilder> {
    let column = |name: &str| ColumnPath::from(name);
    let mut builder = WriterProperties::builder()
        .set_compression(compression()?)
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(column("topic"), true)
        .set_column_dictionary_enabled(column("source"), true)
        .set_column_encoding(column("event_id"), Encoding::DELTA_LENGTH_BYTE_ARRAY)
        .set_column_encoding(column("payload"), Encoding::DELTA_LENGTH_BYTE_ARRAY)
        .set_column_statistics_enabled(column("payload"), EnabledStatistics::None);
    for name in ["timestamp", "seq", "received_at"] {
        builder = builder.set_column_encoding(column(name), Encoding::DELTA_BINARY_PACKED);
    }
    for name in names.iter().filter(|name| column_type(name) == ColumnType::OptionalText) {
        builder = builder.set_column_dictionary_enabled(column(name), true);
    }
    Ok(builder)
}
