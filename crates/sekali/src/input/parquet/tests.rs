//! Files as other programs write them, made with the library's own writer.

use std::sync::Arc;

use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::super::Options;
use super::super::source::Source;
use super::*;

/// The cells of one column; a missing one is null.
#[derive(Clone)]
enum Cells {
    Bytes(Vec<&'static str>),
    Optional(Vec<Option<&'static str>>),
    Fixed(Vec<Vec<u8>>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int96(Vec<Int96>),
    Double(Vec<f64>),
    Boolean(Vec<bool>),
}

/// Writes a file whose schema has these fields, in this order.
fn write(path: &std::path::Path, fields: &[(&str, Cells)], compression: Compression) {
    let fields_text: Vec<&str> = fields.iter().map(|(field, _)| *field).collect();
    let schema = parse_message_type(&format!("message m {{ {} }}", fields_text.join(" "))).unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for (_, cells) in fields {
        let mut column = group.next_column().unwrap().unwrap();
        match (column.untyped(), cells) {
            (ColumnWriter::ByteArrayColumnWriter(column), Cells::Bytes(values)) => {
                let values: Vec<ByteArray> = values.iter().map(|&value| value.into()).collect();
                column.write_batch(&values, None, None).unwrap();
            }
            (ColumnWriter::ByteArrayColumnWriter(column), Cells::Optional(values)) => {
                let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
                let values: Vec<ByteArray> = values.iter().flatten().map(|&value| value.into()).collect();
                column.write_batch(&values, Some(&levels), None).unwrap();
            }
            (ColumnWriter::FixedLenByteArrayColumnWriter(column), Cells::Fixed(values)) => {
                let values: Vec<FixedLenByteArray> =
                    values.iter().map(|value| ByteArray::from(value.clone()).into()).collect();
                column.write_batch(&values, None, None).unwrap();
            }
            (ColumnWriter::Int32ColumnWriter(column), Cells::Int32(values)) => {
                column.write_batch(values, None, None).unwrap();
            }
            (ColumnWriter::Int64ColumnWriter(column), Cells::Int64(values)) => {
                column.write_batch(values, None, None).unwrap();
            }
            (ColumnWriter::Int96ColumnWriter(column), Cells::Int96(values)) => {
                column.write_batch(values, None, None).unwrap();
            }
            (ColumnWriter::DoubleColumnWriter(column), Cells::Double(values)) => {
                column.write_batch(values, None, None).unwrap();
            }
            (ColumnWriter::BoolColumnWriter(column), Cells::Boolean(values)) => {
                column.write_batch(values, None, None).unwrap();
            }
            _ => panic!("the cells do not suit the column"),
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

/// The records that are read of a file, or the error.
fn read(path: &std::path::Path) -> Vec<String> {
    let mut source = match Source::open(path, &Options::default()) {
        Ok(source) => source,
        Err(error) => return vec![error.to_string().replace(&path.display().to_string(), "FILE")],
    };
    let (mut event, mut found) = (Vec::new(), Vec::new());
    while let Some(record) = source.events.next(&mut event).unwrap() {
        found.push(match record {
            Record::Event { .. } => String::from_utf8(event.clone()).unwrap(),
            Record::Invalid { line, reason, .. } => format!("{line}: {reason}"),
        });
    }
    found
}

const TOPIC: &str = "required binary topic (STRING);";
const ID: &str = "required binary event_id (STRING);";
const TIME: &str = "required binary timestamp (STRING);";
const SOURCE: &str = "required binary source (STRING);";
const PAYLOAD: &str = "required binary payload (STRING);";

/// A file of as many ordinary rows as `cells` has, in which one column is of another type.
fn with_column(replaced: &str, field: &str, cells: Cells, rows: usize) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    let columns = [(TOPIC, "t"), (ID, "1"), (TIME, "2025-10-24T21:00:00Z"), (SOURCE, "s"), (PAYLOAD, "{}")];
    let columns: Vec<(&str, Cells)> = columns
        .into_iter()
        .map(|(ordinary, value)| match ordinary == replaced {
            true => (field, cells.clone()),
            false => (ordinary, Cells::Bytes(vec![value; rows])),
        })
        .collect();
    write(&path, &columns, Compression::SNAPPY);
    read(&path)
}

/// The ids (or times) that are read of a column.
fn member(found: &[String], name: &str) -> Vec<String> {
    let text = |event: &String| match serde_json::from_str::<serde_json::Value>(event) {
        Ok(event) => event[name].as_str().unwrap().to_owned(),
        Err(_) => event.clone(),
    };
    found.iter().map(text).collect()
}

#[test]
fn every_usual_compression_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let cell = |text| Cells::Bytes(vec![text; 300]);
        let columns = [
            (TOPIC, cell("t")),
            (ID, cell("1")),
            (TIME, cell("2025-10-24")),
            (SOURCE, cell("s")),
            (PAYLOAD, cell("{\"a\":1}")),
        ];
        write(&path, &columns, compression);
        let found = read(&path);
        let event = r#"{"topic":"t","event_id":"1","timestamp":"2025-10-24","source":"s","payload":{"a":1}}"#;
        assert!(found.len() == 300 && found.iter().all(|found| found == event), "{compression:?}: {:?}", found.first());
    }
}

#[test]
fn whole_numbers_of_every_width_become_ids() {
    let small = || Cells::Int32(vec![0, -1, i32::MAX]);
    let large = || Cells::Int64(vec![0, -1, i64::MIN]);
    for (field, cells, expected) in [
        ("required int32 event_id;", small(), ["0", "-1", "2147483647"]),
        ("required int32 event_id (INT_8);", small(), ["0", "-1", "2147483647"]),
        ("required int32 event_id (INTEGER(16,true));", small(), ["0", "-1", "2147483647"]),
        ("required int32 event_id (UINT_16);", small(), ["0", "4294967295", "2147483647"]),
        ("required int32 event_id (INTEGER(32,false));", small(), ["0", "4294967295", "2147483647"]),
        ("required int64 event_id;", large(), ["0", "-1", "-9223372036854775808"]),
        ("required int64 event_id (INTEGER(64,true));", large(), ["0", "-1", "-9223372036854775808"]),
        ("required int64 event_id (UINT_64);", large(), ["0", "18446744073709551615", "9223372036854775808"]),
    ] {
        assert_eq!(member(&with_column(ID, field, cells, 3), "event_id"), expected, "{field}");
    }
}

#[test]
fn uuids_become_their_usual_text() {
    let uuid = vec![0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10];
    let found = with_column(ID, "required fixed_len_byte_array(16) event_id (UUID);", Cells::Fixed(vec![uuid]), 1);
    assert_eq!(member(&found, "event_id"), ["01234567-89ab-cdef-fedc-ba9876543210"]);
}

#[test]
fn text_is_read_whatever_it_is_called() {
    for field in ["", "(STRING)", "(UTF8)", "(ENUM)", "(JSON)"] {
        let field = format!("required binary event_id {field};");
        assert_eq!(member(&with_column(ID, &field, Cells::Bytes(vec!["id"]), 1), "event_id"), ["id"], "{field}");
    }
    let fixed = Cells::Fixed(vec![b"abc".to_vec(), vec![0xff; 3]]);
    let found = with_column(ID, "required fixed_len_byte_array(3) event_id;", fixed, 2);
    assert_eq!(member(&found, "event_id"), ["abc", "2: event_id is not UTF-8"]);
    let optional = Cells::Optional(vec![Some("x"), None]);
    let found = with_column(ID, "optional binary event_id (STRING);", optional, 2);
    assert_eq!(member(&found, "event_id"), ["x", "2: event_id is null"]);
}

#[test]
fn times_are_exact_however_they_are_written() {
    let ms = vec![1_761_339_600_001, -1];
    // Julian day 2,440,588 is 1970-01-01.
    let mut spark = [Int96::new(), Int96::new()];
    let nanos = 75_600_123_456_789_u64;
    spark[0].set_data(nanos as u32, (nanos >> 32) as u32, 2_440_588 + 20_385);
    spark[1].set_data(0, 0, 2_440_587);
    for (field, cells, expected) in [
        (
            "required int64 timestamp (TIMESTAMP(MILLIS,true));",
            Cells::Int64(ms.clone()),
            ["2025-10-24T21:00:00.001Z", "1969-12-31T23:59:59.999Z"],
        ),
        (
            "required int64 timestamp (TIMESTAMP_MILLIS);",
            Cells::Int64(ms),
            ["2025-10-24T21:00:00.001Z", "1969-12-31T23:59:59.999Z"],
        ),
        (
            "required int64 timestamp (TIMESTAMP_MICROS);",
            Cells::Int64(vec![1, i64::MAX]),
            ["1970-01-01T00:00:00.000001Z", "2: timestamp lies outside of 1677-09-21 to 2262-04-11"],
        ),
        (
            "required int64 timestamp (TIMESTAMP(NANOS,false));",
            Cells::Int64(vec![1, 2]),
            ["1970-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00.000000002Z"],
        ),
        (
            "required int32 timestamp (DATE);",
            Cells::Int32(vec![20_385, i32::MAX]),
            ["2025-10-24T00:00:00Z", "2: timestamp lies outside of 1677-09-21 to 2262-04-11"],
        ),
        (
            "required int96 timestamp;",
            Cells::Int96(spark.to_vec()),
            ["2025-10-24T21:00:00.123456789Z", "1969-12-31T00:00:00Z"],
        ),
    ] {
        assert_eq!(member(&with_column(TIME, field, cells, 2), "timestamp"), expected, "{field}");
    }
}

#[test]
fn columns_that_no_event_can_be_made_of_are_named_with_a_remedy() {
    let mut found = Vec::new();
    for (column, field, cells) in [
        (ID, "required double event_id;", Cells::Double(vec![1.0])),
        (ID, "required boolean event_id;", Cells::Boolean(vec![true])),
        (ID, "required int32 event_id (DATE);", Cells::Int32(vec![1])),
        (ID, "required int64 event_id (TIME_MICROS);", Cells::Int64(vec![1])),
        (ID, "required int64 event_id (TIMESTAMP_MICROS);", Cells::Int64(vec![1])),
        (ID, "required int64 event_id (DECIMAL(18,0));", Cells::Int64(vec![1])),
        (ID, "required fixed_len_byte_array(16) event_id (DECIMAL(38,0));", Cells::Fixed(vec![vec![0; 16]])),
        (ID, "required fixed_len_byte_array(12) event_id (INTERVAL);", Cells::Fixed(vec![vec![0; 12]])),
        (ID, "repeated binary event_id (STRING);", Cells::Bytes(vec![])),
        (TIME, "required int64 timestamp;", Cells::Int64(vec![1])),
        (TIME, "required int32 timestamp (TIME_MILLIS);", Cells::Int32(vec![1])),
        (TIME, "required double timestamp;", Cells::Double(vec![1.0])),
        (PAYLOAD, "required binary payload (BSON);", Cells::Bytes(vec!["x"])),
        (PAYLOAD, "required int64 payload;", Cells::Int64(vec![1])),
        (PAYLOAD, "required group payload { required binary a; }", Cells::Bytes(vec!["x"])),
        (PAYLOAD, "required binary other;", Cells::Bytes(vec!["x"])),
    ] {
        if let Cells::Bytes(cells) = &cells
            && cells.is_empty()
        {
            // A repeated column of no rows.
            found.extend(with_no_rows(column, field));
            continue;
        }
        found.extend(with_column(column, field, cells, 1));
    }
    expect_test::expect![[r#"
        cannot read events from FILE: column event_id is a floating-point number: cast it to text
        cannot read events from FILE: column event_id is a boolean: cast it to text
        cannot read events from FILE: column event_id is a date: cast it to text
        cannot read events from FILE: column event_id is a time of day: cast it to text
        cannot read events from FILE: column event_id is a timestamp: cast it to text
        cannot read events from FILE: column event_id is a decimal number: cast it to text
        cannot read events from FILE: column event_id is a decimal number: cast it to text
        cannot read events from FILE: column event_id is of a type that is not read here (FIXED_LEN_BYTE_ARRAY): cast it to text
        cannot read events from FILE: column event_id is nested (a list): cast it to text
        cannot read events from FILE: column timestamp is a whole number: write it as a timestamp or as text
        cannot read events from FILE: column timestamp is a time of day: write it as a timestamp or as text
        cannot read events from FILE: column timestamp is a floating-point number: write it as a timestamp or as text
        cannot read events from FILE: column payload is BSON: write it as JSON text, with to_json(payload) in DuckDB or json.dumps in Python
        cannot read events from FILE: column payload is a whole number: write it as JSON text, with to_json(payload) in DuckDB or json.dumps in Python
        cannot read events from FILE: column payload is nested (a struct): write it as JSON text, with to_json(payload) in DuckDB or json.dumps in Python
        cannot read events from FILE: no column payload; it needs topic, event_id, timestamp, source, payload"#]].assert_eq(&found.join("\n"));
}

fn with_no_rows(replaced: &str, field: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    let fields: Vec<&str> = [TOPIC, ID, TIME, SOURCE, PAYLOAD]
        .iter()
        .map(|&ordinary| if ordinary == replaced { field } else { ordinary })
        .collect();
    let schema = parse_message_type(&format!("message m {{ {} }}", fields.join(" "))).unwrap();
    SerializedFileWriter::new(File::create(&path).unwrap(), Arc::new(schema), Arc::default()).unwrap().close().unwrap();
    read(&path)
}
