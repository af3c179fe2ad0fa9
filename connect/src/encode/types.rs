//! Spark types as types of the protocol.

use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_proto::spark::connect as sc;
use sc::data_type::{self as message, Kind};

/// A type.
pub(crate) fn data_type(from: &DataType) -> sc::DataType {
    let boxed = |inner: &DataType| Some(Box::new(data_type(inner)));
    let kind = match from {
        DataType::Null => Kind::Null(message::Null::default()),
        DataType::Boolean => Kind::Boolean(message::Boolean::default()),
        DataType::Byte => Kind::Byte(message::Byte::default()),
        DataType::Short => Kind::Short(message::Short::default()),
        DataType::Integer => Kind::Integer(message::Integer::default()),
        DataType::Long => Kind::Long(message::Long::default()),
        DataType::Float => Kind::Float(message::Float::default()),
        DataType::Double => Kind::Double(message::Double::default()),
        DataType::Decimal(precision, scale) => Kind::Decimal(message::Decimal {
            precision: Some(i32::from(*precision)),
            scale: Some(i32::from(*scale)),
            type_variation_reference: 0,
        }),
        DataType::String => {
            Kind::String(message::String { collation: "UTF8_BINARY".to_string(), type_variation_reference: 0 })
        }
        DataType::Collated(collation) => {
            Kind::String(message::String { collation: collation.name(), type_variation_reference: 0 })
        }
        DataType::Char(length) => Kind::Char(message::Char { length: signed(*length), type_variation_reference: 0 }),
        DataType::Varchar(length) => {
            Kind::VarChar(message::VarChar { length: signed(*length), type_variation_reference: 0 })
        }
        DataType::Binary => Kind::Binary(message::Binary::default()),
        DataType::Date => Kind::Date(message::Date::default()),
        DataType::Timestamp => Kind::Timestamp(message::Timestamp::default()),
        DataType::TimestampNtz => Kind::TimestampNtz(message::TimestampNtz::default()),
        DataType::Time(precision) => {
            Kind::Time(message::Time { precision: Some(i32::from(*precision)), type_variation_reference: 0 })
        }
        DataType::YearMonthInterval(start, end) => Kind::YearMonthInterval(message::YearMonthInterval {
            start_field: Some(*start as i32),
            end_field: Some(*end as i32),
            type_variation_reference: 0,
        }),
        DataType::DayTimeInterval(start, end) => Kind::DayTimeInterval(message::DayTimeInterval {
            start_field: Some(*start as i32),
            end_field: Some(*end as i32),
            type_variation_reference: 0,
        }),
        DataType::CalendarInterval => Kind::CalendarInterval(message::CalendarInterval::default()),
        DataType::Array { element, contains_null } => Kind::Array(Box::new(message::Array {
            element_type: boxed(element),
            contains_null: *contains_null,
            type_variation_reference: 0,
        })),
        DataType::Map { key, value, value_contains_null } => Kind::Map(Box::new(message::Map {
            key_type: boxed(key),
            value_type: boxed(value),
            value_contains_null: *value_contains_null,
            type_variation_reference: 0,
        })),
        DataType::Struct(fields) => Kind::Struct(structure(fields)),
        DataType::Variant => Kind::Variant(message::Variant::default()),
        DataType::Geometry(srid) => {
            Kind::Geometry(message::Geometry { srid: reference(*srid), type_variation_reference: 0 })
        }
        DataType::Geography(srid) => {
            Kind::Geography(message::Geography { srid: reference(*srid), type_variation_reference: 0 })
        }
    };
    sc::DataType { kind: Some(kind) }
}

/// A spatial reference, -1 where values have different ones.
fn reference(srid: Option<u32>) -> i32 {
    srid.map_or(-1, signed)
}

/// The schema of a result.
pub(crate) fn schema(from: &StructType) -> sc::DataType {
    sc::DataType { kind: Some(Kind::Struct(structure(from))) }
}

fn structure(from: &StructType) -> message::Struct {
    message::Struct { fields: from.fields.iter().map(field).collect(), type_variation_reference: 0 }
}

fn field(from: &StructField) -> message::StructField {
    message::StructField {
        name: from.name.clone(),
        data_type: Some(data_type(&from.data_type)),
        nullable: from.nullable,
        metadata: from.metadata.clone(),
    }
}

fn signed(length: u32) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}
