//! Types of the protocol into Spark types.

use firesteel_functions::collation::Collation;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::{DataType, DayTimeField, StructField, StructType, YearMonthField};
use firesteel_proto::spark::connect as sc;
use sc::data_type::Kind;

use super::{invalid, missing, unset};
use crate::language::Language;

const STACK_RED_ZONE: usize = 256 * 1024;
const STACK_STEP: usize = 4 * 1024 * 1024;

/// Decodes a type.
pub(crate) fn data_type(from: &sc::DataType, language: &Language) -> SparkResult<DataType> {
    stacker::maybe_grow(STACK_RED_ZONE, STACK_STEP, || kind(from, language))
}

fn kind(from: &sc::DataType, language: &Language) -> SparkResult<DataType> {
    let boxed = |inner: Option<&sc::DataType>, message: &str, field: &str| {
        inner.ok_or_else(|| missing(message, field)).and_then(|inner| data_type(inner, language)).map(Box::new)
    };
    Ok(match from.kind.as_ref().ok_or_else(|| unset("DataType", "kind"))? {
        Kind::Null(_) => DataType::Null,
        Kind::Binary(_) => DataType::Binary,
        Kind::Boolean(_) => DataType::Boolean,
        Kind::Byte(_) => DataType::Byte,
        Kind::Short(_) => DataType::Short,
        Kind::Integer(_) => DataType::Integer,
        Kind::Long(_) => DataType::Long,
        Kind::Float(_) => DataType::Float,
        Kind::Double(_) => DataType::Double,
        Kind::Decimal(decimal) => decimal_type(decimal)?,
        Kind::String(string) => match string.collation.as_str() {
            "" | "UTF8_BINARY" => DataType::String,
            collation => DataType::string_with(Collation::parse(collation)?),
        },
        Kind::Char(char) => DataType::Char(length(char.length, "Char")?),
        Kind::VarChar(varchar) => DataType::Varchar(length(varchar.length, "VarChar")?),
        Kind::Date(_) => DataType::Date,
        Kind::Timestamp(_) => DataType::Timestamp,
        Kind::TimestampNtz(_) => DataType::TimestampNtz,
        Kind::CalendarInterval(_) => DataType::CalendarInterval,
        Kind::YearMonthInterval(interval) => {
            let start = year_month(interval.start_field.unwrap_or(0))?;
            DataType::YearMonthInterval(start, interval.end_field.map_or(Ok(YearMonthField::Month), year_month)?)
        }
        Kind::DayTimeInterval(interval) => {
            let start = day_time(interval.start_field.unwrap_or(0))?;
            DataType::DayTimeInterval(start, interval.end_field.map_or(Ok(DayTimeField::Second), day_time)?)
        }
        Kind::Array(array) => DataType::Array {
            element: boxed(array.element_type.as_deref(), "DataType.Array", "element_type")?,
            contains_null: array.contains_null,
        },
        Kind::Map(map) => DataType::Map {
            key: boxed(map.key_type.as_deref(), "DataType.Map", "key_type")?,
            value: boxed(map.value_type.as_deref(), "DataType.Map", "value_type")?,
            value_contains_null: map.value_contains_null,
        },
        Kind::Struct(fields) => DataType::Struct(struct_type(fields, language)?),
        Kind::Variant(_) => DataType::Variant,
        Kind::Time(time) => match u8::try_from(time.precision.unwrap_or(6)) {
            Ok(precision @ 0..=6) => DataType::Time(precision),
            _ => {
                let precision = time.precision.unwrap_or(6).to_string();
                return Err(SparkError::analysis("UNSUPPORTED_TIME_PRECISION", &[("precision", &precision)]));
            }
        },
        Kind::Unparsed(unparsed) => language.data_type(&unparsed.data_type_string)?,
        Kind::Udt(_) => return Err(unsupported("UDT")),
        Kind::Geometry(geometry) => DataType::Geometry(reference(geometry.srid, false)?),
        Kind::Geography(geography) => DataType::Geography(reference(geography.srid, true)?),
        Kind::TimestampNtzNanos(_) => return Err(unsupported("TIMESTAMP_NTZ_NANOS")),
        Kind::TimestampLtzNanos(_) => return Err(unsupported("TIMESTAMP_LTZ_NANOS")),
    })
}

/// A spatial reference, -1 where values have different ones.
fn reference(srid: i32, geography: bool) -> SparkResult<Option<u32>> {
    if srid == -1 {
        return Ok(None);
    }
    firesteel_functions::geo::check_srid(i64::from(srid), geography).map(Some)
}

/// Decodes the fields of a struct.
pub(super) fn struct_type(from: &sc::data_type::Struct, language: &Language) -> SparkResult<StructType> {
    let field = |field: &sc::data_type::StructField| {
        let inner = field.data_type.as_ref().ok_or_else(|| missing("DataType.StructField", "data_type"))?;
        let metadata = field.metadata.clone().filter(|json| !json.is_empty() && json != "{}");
        Ok(StructField {
            name: field.name.clone(),
            data_type: data_type(inner, language)?,
            nullable: field.nullable,
            metadata,
        })
    };
    Ok(StructType::new(from.fields.iter().map(field).collect::<SparkResult<_>>()?))
}

fn decimal_type(decimal: &sc::data_type::Decimal) -> SparkResult<DataType> {
    let (precision, scale) = (decimal.precision.unwrap_or(10), decimal.scale.unwrap_or(0));
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(p @ 1..=38), Ok(s)) if s >= 0 && i32::from(s) <= precision => Ok(DataType::Decimal(p, s)),
        _ if precision > 38 => Err(SparkError::analysis(
            "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
            &[("precision", &precision.to_string()), ("maxPrecision", "38")],
        )),
        _ => Err(invalid("ASSERTION_FAILURE", &[("message", &format!("bad type DECIMAL({precision},{scale})"))])),
    }
}

fn length(length: i32, message: &str) -> SparkResult<u32> {
    u32::try_from(length)
        .ok()
        .filter(|length| *length > 0)
        .ok_or_else(|| missing(&format!("DataType.{message}"), "length"))
}

fn year_month(field: i32) -> SparkResult<YearMonthField> {
    match field {
        0 => Ok(YearMonthField::Year),
        1 => Ok(YearMonthField::Month),
        other => Err(super::bad_enum("DataType.YearMonthInterval", "field", other)),
    }
}

fn day_time(field: i32) -> SparkResult<DayTimeField> {
    match field {
        0 => Ok(DayTimeField::Day),
        1 => Ok(DayTimeField::Hour),
        2 => Ok(DayTimeField::Minute),
        3 => Ok(DayTimeField::Second),
        other => Err(super::bad_enum("DataType.DayTimeInterval", "field", other)),
    }
}

fn unsupported(name: &str) -> SparkError {
    invalid("DATA_TYPE_UNSUPPORTED_PROTO_TO_CATALYST", &[("kindCase", name)])
}
