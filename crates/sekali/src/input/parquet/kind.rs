//! How the cells of a column become text, by what its file says of it.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::schema::types::ColumnDescriptor;

const UUID_BYTES: i32 = 16;

/// The member of an event that a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Topic, event id and source: any text, and whole numbers by their digits.
    Text,
    /// The timestamp.
    Time,
    /// The payload, which is JSON text.
    Payload,
}

/// The content of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// UTF-8.
    Text,
    /// UTF-8 of one length.
    FixedText,
    /// UUIDs, as 16 bytes.
    Uuid,
    /// Whole numbers of up to 32 bits.
    Int32 {
        /// Whether there are negative ones.
        signed: bool,
    },
    /// Whole numbers of up to 64 bits.
    Int64 {
        /// Whether there are negative ones.
        signed: bool,
    },
    /// Days since 1970-01-01.
    Date,
    /// Moments since 1970, in units of so many nanoseconds.
    Time(i64),
    /// Moments as Julian day and nanoseconds, as Spark and Impala write them.
    Int96,
}

/// The meaning of a column's values, from either of the two annotations that a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Nothing is said.
    Plain,
    Text,
    Uuid,
    Signed,
    Unsigned,
    Date,
    TimeOfDay,
    Timestamp(i64),
    Decimal,
    Bson,
    Other,
}

impl Role {
    /// The role of the member of this name.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "timestamp" => Self::Time,
            "payload" => Self::Payload,
            _ => Self::Text,
        }
    }

    /// How a column can be written so that it can be read.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Self::Text => "cast it to text",
            Self::Time => "write it as a timestamp or as text",
            Self::Payload => "write it as JSON text, with to_json(payload) in DuckDB or json.dumps in Python",
        }
    }
}

impl Kind {
    /// How to read a column.
    ///
    /// # Errors
    /// It is nothing that the member can be made of; the text says what it is, and what to do.
    pub(super) fn of(column: &ColumnDescriptor, role: Role) -> Result<Self, String> {
        let (physical, meaning) = (column.physical_type(), Meaning::of(column));
        let kind = match (physical, meaning) {
            (Type::BYTE_ARRAY, Meaning::Plain | Meaning::Text) => Some(Self::Text),
            (Type::FIXED_LEN_BYTE_ARRAY, Meaning::Plain | Meaning::Text) => Some(Self::FixedText),
            (Type::FIXED_LEN_BYTE_ARRAY, Meaning::Uuid) if column.type_length() == UUID_BYTES => Some(Self::Uuid),
            (Type::INT32, Meaning::Plain | Meaning::Signed) => Some(Self::Int32 { signed: true }),
            (Type::INT32, Meaning::Unsigned) => Some(Self::Int32 { signed: false }),
            (Type::INT32, Meaning::Date) => Some(Self::Date),
            (Type::INT64, Meaning::Plain | Meaning::Signed) => Some(Self::Int64 { signed: true }),
            (Type::INT64, Meaning::Unsigned) => Some(Self::Int64 { signed: false }),
            (Type::INT64, Meaning::Timestamp(unit)) => Some(Self::Time(unit)),
            (Type::INT96, _) => Some(Self::Int96),
            _ => None,
        };
        kind.filter(|kind| kind.suits(role))
            .ok_or_else(|| format!("column {} is {}: {}", column.name(), describe(physical, meaning), role.remedy()))
    }

    fn suits(self, role: Role) -> bool {
        match self {
            Self::Text | Self::FixedText => true,
            Self::Uuid | Self::Int32 { .. } | Self::Int64 { .. } => role == Role::Text,
            Self::Date | Self::Time(_) | Self::Int96 => role == Role::Time,
        }
    }
}

impl Meaning {
    fn of(column: &ColumnDescriptor) -> Self {
        match column.logical_type_ref() {
            None => Self::of_converted(column.converted_type()),
            Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) => Self::Text,
            Some(LogicalType::Uuid) => Self::Uuid,
            Some(LogicalType::Integer(integer)) if integer.is_signed => Self::Signed,
            Some(LogicalType::Integer(_)) => Self::Unsigned,
            Some(LogicalType::Date) => Self::Date,
            Some(LogicalType::Time(_)) => Self::TimeOfDay,
            Some(LogicalType::Timestamp(time)) => Self::Timestamp(match time.unit {
                TimeUnit::MILLIS => 1_000_000,
                TimeUnit::MICROS => 1_000,
                TimeUnit::NANOS => 1,
            }),
            Some(LogicalType::Decimal(_)) => Self::Decimal,
            Some(LogicalType::Bson) => Self::Bson,
            Some(_) => Self::Other,
        }
    }

    /// The older way, which is the only one in the files of older writers.
    fn of_converted(converted: ConvertedType) -> Self {
        match converted {
            ConvertedType::NONE => Self::Plain,
            ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Self::Text,
            ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::INT_32 | ConvertedType::INT_64 => {
                Self::Signed
            }
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
                Self::Unsigned
            }
            ConvertedType::DATE => Self::Date,
            ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS => Self::TimeOfDay,
            ConvertedType::TIMESTAMP_MILLIS => Self::Timestamp(1_000_000),
            ConvertedType::TIMESTAMP_MICROS => Self::Timestamp(1_000),
            ConvertedType::DECIMAL => Self::Decimal,
            ConvertedType::BSON => Self::Bson,
            _ => Self::Other,
        }
    }
}

/// The type of a column, for people.
fn describe(physical: Type, meaning: Meaning) -> String {
    let text = match (physical, meaning) {
        (_, Meaning::Uuid) => "a UUID",
        (_, Meaning::Date) => "a date",
        (_, Meaning::TimeOfDay) => "a time of day",
        (_, Meaning::Timestamp(_)) | (Type::INT96, _) => "a timestamp",
        (_, Meaning::Decimal) => "a decimal number",
        (_, Meaning::Bson) => "BSON",
        (Type::BOOLEAN, _) => "a boolean",
        (Type::FLOAT | Type::DOUBLE, _) => "a floating-point number",
        (Type::INT32 | Type::INT64, Meaning::Plain | Meaning::Signed | Meaning::Unsigned) => "a whole number",
        _ => return format!("of a type that is not read here ({physical})"),
    };
    text.to_owned()
}
