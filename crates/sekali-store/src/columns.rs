//! The Parquet columns of events: what segments and exports have in common.

use std::sync::Arc;

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
pub fn schema() -> Result<TypePtr> {
    let field = |name: &str| {
        let (physical, logical) = match name {
            "timestamp" | "received_at" => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
            "seq" => (Physical::INT64, None),
            _ => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
        Ok(Arc::new(builder.with_logical_type(logical).build()?))
    };
    let fields = COLUMN_NAMES.into_iter().map(field).collect::<Result<Vec<_>>>()?;
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
/// # Errors
/// None that the columns above can cause.
pub fn properties() -> Result<WriterPropertiesBuilder> {
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
    Ok(builder)
}
