//! The columns, and how each is encoded.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{ColumnPath, Type, TypePtr};

use sekali_wire::columns::{ADDED, EVENT};

/// Level 3 is no smaller for events, and takes longer.
const ZSTD_LEVEL: i32 = 1;

/// Every column is required.
pub(super) fn schema() -> Result<TypePtr> {
    let fields = EVENT.into_iter().chain(ADDED).map(|name| {
        let (physical, logical) = match name {
            "timestamp" | "received_at" => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
            "seq" => (Physical::INT64, None),
            "payload" => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
            _ => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
        Ok(Arc::new(builder.with_logical_type(logical).build()?))
    });
    let fields = fields.collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Type::group_type_builder("event").with_fields(fields).build()?))
}

/// Topics and sources repeat, so they have dictionaries; ids rarely do, so their lengths stand apart from their bytes.
/// There are no statistics of payloads: nobody asks for the least one.
pub(super) fn properties() -> Result<WriterProperties> {
    let column = |name: &str| ColumnPath::from(name);
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(column("topic"), true)
        .set_column_dictionary_enabled(column("source"), true)
        .set_column_encoding(column("event_id"), Encoding::DELTA_LENGTH_BYTE_ARRAY)
        .set_column_encoding(column("payload"), Encoding::DELTA_LENGTH_BYTE_ARRAY)
        .set_column_statistics_enabled(column("payload"), EnabledStatistics::None);
    for name in ["timestamp", "seq", "received_at"] {
        builder = builder.set_column_encoding(column(name), Encoding::DELTA_BINARY_PACKED);
    }
    Ok(builder.build())
}
