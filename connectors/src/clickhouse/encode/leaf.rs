//! Single values as a column takes them.
//!
//! Casts only what keeps a value's meaning; range, digits and form are checked before anything is sent.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray, TimestampSecondArray};
use arrow::compute::{CastOptions, cast, cast_with_options, kernels::cmp::neq};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float32Type, TimeUnit, TimestampMicrosecondType};

use super::{Encoded, Refusal, refuse};
use crate::clickhouse::kind::Kind;

const MICROS: i64 = 1_000_000;
/// 1900-01-01 and 2299-12-31 as days and as seconds since 1970.
const FIRST_DAY: i32 = -25_567;
const LAST_DAY: i32 = 120_529;
const FIRST_SECOND: i64 = FIRST_DAY as i64 * 86_400;
const LAST_SECOND: i64 = (LAST_DAY as i64 + 1) * 86_400 - 1;

pub(super) fn encode(array: &ArrayRef, kind: &Kind, zone: &str) -> Encoded {
    let from = array.data_type();
    match kind {
        Kind::Bool if *from == DataType::Boolean => Ok(Arc::clone(array)),
        Kind::Int(bits) => integer(array, *bits, true),
        Kind::UInt(bits) => integer(array, *bits, false),
        Kind::Float(bits) if is_number(from) => float(array, *bits),
        Kind::Decimal(precision, scale) if is_number(from) => decimal(array, *precision, *scale),
        Kind::String => string(array),
        Kind::FixedString(length) => {
            let bytes = bytes(array)?;
            let cells = bytes.as_binary::<i32>();
            refuse(array, |row| {
                (cells.value(row).len() > *length).then(|| format!("it is longer than {length} bytes"))
            })?;
            Ok(Arc::clone(&bytes))
        }
        Kind::Date if *from == DataType::Date32 => days(array, 0, i32::from(u16::MAX), "1970-01-01 to 2149-06-06"),
        Kind::Date32 if *from == DataType::Date32 => days(array, FIRST_DAY, LAST_DAY, "1900-01-01 to 2299-12-31"),
        Kind::DateTime(own) => {
            let instants = instants(array, own.as_deref().unwrap_or(zone))?;
            let last = i64::from(u32::MAX);
            refuse(array, |row| {
                let second = instants.value(row).div_euclid(MICROS);
                (!(0..=last).contains(&second)).then(|| "it is outside 1970-01-01 to 2106-02-07".to_owned())
            })?;
            // The type has whole seconds, so that is what a value becomes.
            let seconds: TimestampSecondArray = instants.unary(|micros| micros.div_euclid(MICROS));
            Ok(Arc::new(seconds.with_timezone("UTC")))
        }
        Kind::DateTime64(digits, own) => {
            let instants = instants(array, own.as_deref().unwrap_or(zone))?;
            // Nanoseconds in 64 bits end earlier.
            let last = if *digits > 8 { 9_223_372_035 } else { LAST_SECOND };
            refuse(array, |row| {
                let second = instants.value(row).div_euclid(MICROS);
                (!(FIRST_SECOND..=last).contains(&second)).then(|| "it is outside the type's years".to_owned())
            })?;
            let step = 10_i64.pow(6_u32.saturating_sub(u32::from(*digits)));
            let cut: TimestampMicrosecondArray = instants.unary(|micros| micros.div_euclid(step) * step);
            Ok(Arc::new(cut.with_timezone("UTC")))
        }
        Kind::Uuid => checked(array, |text| uuid::Uuid::try_parse(text).is_ok(), "it is no UUID"),
        Kind::Ipv4 => checked(array, |text| Ipv4Addr::from_str(text).is_ok(), "it is no IPv4 address"),
        Kind::Ipv6 => checked(
            array,
            |text| Ipv6Addr::from_str(text).is_ok() || Ipv4Addr::from_str(text).is_ok(),
            "it is no IPv6 address",
        ),
        Kind::Enum(names) => checked(array, |text| names.iter().any(|name| name == text), "it is no value of the enum"),
        Kind::Json => checked(
            array,
            |text| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok(),
            "it is no JSON object",
        ),
        _ => Err(Refusal::Type),
    }
}

fn is_integer(data_type: &DataType) -> bool {
    data_type.is_integer()
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() && !matches!(data_type, DataType::Float16)
}

/// A cast in which a value that does not fit becomes null, and that is then refused.
fn fitting(array: &ArrayRef, to: &DataType, reason: &str) -> Encoded {
    let result = cast_with_options(array, to, &CastOptions { safe: true, ..CastOptions::default() })?;
    if result.null_count() > array.null_count() {
        refuse(array, |row| result.is_null(row).then(|| reason.to_owned()))?;
    }
    Ok(result)
}

fn integer(array: &ArrayRef, bits: u16, signed: bool) -> Encoded {
    match array.data_type() {
        from if is_integer(from) => {}
        DataType::Decimal128(_, 0) => {}
        // ClickHouse's older boolean is a number of eight bits.
        DataType::Boolean if bits == 8 => {}
        _ => return Err(Refusal::Type),
    }
    let to = match (bits, signed) {
        (8, true) => DataType::Int8,
        (16, true) => DataType::Int16,
        (32, true) => DataType::Int32,
        (64, true) => DataType::Int64,
        (8, false) => DataType::UInt8,
        (16, false) => DataType::UInt16,
        (32, false) => DataType::UInt32,
        (64, false) => DataType::UInt64,
        // Wider numbers travel as digits, which the server reads.
        _ => {
            let text = cast(array, &DataType::Utf8)?;
            let digits = text.as_string::<i32>();
            refuse(array, |row| (!signed && digits.value(row).starts_with('-')).then(|| "it is negative".to_owned()))?;
            return Ok(text);
        }
    };
    fitting(array, &to, "it is out of range")
}

fn float(array: &ArrayRef, bits: u16) -> Encoded {
    if bits == 64 {
        return Ok(cast(array, &DataType::Float64)?);
    }
    let narrow = cast(array, &DataType::Float32)?;
    if *array.data_type() == DataType::Float64 {
        let (cells, wide) =
            (narrow.as_primitive::<Float32Type>(), array.as_primitive::<arrow::datatypes::Float64Type>());
        refuse(array, |row| {
            (cells.value(row).is_infinite() && wide.value(row).is_finite()).then(|| "it is out of range".to_owned())
        })?;
    }
    Ok(narrow)
}

fn decimal(array: &ArrayRef, precision: u8, scale: i8) -> Encoded {
    let to = match precision {
        0..=38 => DataType::Decimal128(precision, scale),
        _ => DataType::Decimal256(precision, scale),
    };
    let result = fitting(array, &to, "it is out of range")?;
    if let DataType::Decimal128(_, own) = array.data_type()
        && *own > scale
    {
        let back = cast(&result, array.data_type())?;
        let lost = neq(array.as_primitive::<Decimal128Type>(), back.as_primitive::<Decimal128Type>())?;
        refuse(array, |row| lost.value(row).then(|| format!("it has more than {scale} digits after the point")))?;
    }
    Ok(result)
}

fn string(array: &ArrayRef) -> Encoded {
    match array.data_type() {
        DataType::Utf8 | DataType::Binary => Ok(Arc::clone(array)),
        DataType::LargeUtf8 | DataType::Utf8View => Ok(cast(array, &DataType::Utf8)?),
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            Ok(cast(array, &DataType::Binary)?)
        }
        from if is_integer(from) => Ok(cast(array, &DataType::Utf8)?),
        DataType::Boolean | DataType::Decimal128(..) | DataType::Date32 => Ok(cast(array, &DataType::Utf8)?),
        _ => Err(Refusal::Type),
    }
}

fn bytes(array: &ArrayRef) -> Encoded {
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary => {
            Ok(cast(array, &DataType::Binary)?)
        }
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            Ok(cast(array, &DataType::Binary)?)
        }
        _ => Err(Refusal::Type),
    }
}

/// Text that the server parses, of a form that it takes.
fn checked(array: &ArrayRef, fits: impl Fn(&str) -> bool, reason: &str) -> Encoded {
    let text = match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => cast(array, &DataType::Utf8)?,
        _ => return Err(Refusal::Type),
    };
    let cells = text.as_string::<i32>();
    refuse(array, |row| (!fits(cells.value(row))).then(|| reason.to_owned()))?;
    Ok(text)
}

fn days(array: &ArrayRef, first: i32, last: i32, years: &str) -> Encoded {
    let cells = array.as_primitive::<Date32Type>();
    refuse(array, |row| (!(first..=last).contains(&cells.value(row))).then(|| format!("it is outside {years}")))?;
    Ok(Arc::clone(array))
}

/// Instants in microseconds; a clock on the wall is that of the column's zone.
fn instants(array: &ArrayRef, zone: &str) -> Encoded<TimestampMicrosecondArray> {
    let placed = match array.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Arc::clone(array),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            let to = DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()));
            fitting(array, &to, "the column's time zone has no such time")?
        }
        _ => return Err(Refusal::Type),
    };
    Ok(placed.as_primitive::<TimestampMicrosecondType>().clone())
}
