//! Arrow values as text the way Java and Spark print them.
//!
//! Knows nothing of quoting, which is each format's own.

use std::fmt::Write;

use arrow::array::timezone::Tz;
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int64Array, ListArray, MapArray, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float32Type, Float64Type, Int64Type, TimeUnit,
    TimestampMicrosecondType,
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};

use super::TimeFormats;
use super::pattern::Pattern;
use crate::error::{ConnectorError, Result};

/// Parsed formats of dates and times, and the zone they are shown in.
#[derive(Debug, Clone)]
pub(super) struct Times {
    date: Pattern,
    timestamp: Pattern,
    timestamp_ntz: Pattern,
    zone: Tz,
}

/// A column ready to be printed value by value.
pub(super) enum Cells {
    Bool(BooleanArray),
    Int(Int64Array),
    Float(Float32Array),
    Double(Float64Array),
    Decimal(Decimal128Array, i8),
    Text(StringArray),
    Binary(BinaryArray),
    Date(Date32Array),
    Timestamp(TimestampMicrosecondArray),
    TimestampNtz(TimestampMicrosecondArray),
    List(ListArray, Box<Cells>),
    Map(MapArray, Box<Cells>, Box<Cells>),
    Struct(StructArray, Vec<(String, Cells)>),
}

impl Times {
    pub(super) fn new(formats: &TimeFormats, zone: &str) -> Result<Self> {
        Ok(Self {
            date: Pattern::parse("dateFormat", &formats.date)?,
            timestamp: Pattern::parse("timestampFormat", &formats.timestamp)?,
            timestamp_ntz: Pattern::parse("timestampNTZFormat", &formats.timestamp_ntz)?,
            zone: zone.parse().map_err(|_| ConnectorError::option("timeZone", format!("unknown zone {zone}")))?,
        })
    }

    fn date(&self, days: i32, out: &mut String) {
        match NaiveDate::from_num_days_from_ce_opt(days.saturating_add(719_163)) {
            Some(date) => self.date.format(NaiveDateTime::new(date, NaiveTime::MIN), None, out),
            None => put(out, format_args!("{days}")),
        }
    }

    fn timestamp(&self, micros: i64, out: &mut String) {
        let Some(utc) = DateTime::from_timestamp_micros(micros).map(|instant| instant.naive_utc()) else {
            return put(out, format_args!("{micros}"));
        };
        let offset = self.zone.offset_from_utc_datetime(&utc).fix().local_minus_utc();
        let local = utc.checked_add_signed(TimeDelta::seconds(i64::from(offset))).unwrap_or(utc);
        self.timestamp.format(local, Some(offset), out);
    }

    fn timestamp_ntz(&self, micros: i64, out: &mut String) {
        match DateTime::from_timestamp_micros(micros) {
            Some(instant) => self.timestamp_ntz.format(instant.naive_utc(), None, out),
            None => put(out, format_args!("{micros}")),
        }
    }
}

/// Whether [`Cells::new`] takes the type; `nested` allows lists, maps and structs.
pub(super) fn printable(data_type: &DataType, nested: bool) -> bool {
    match data_type {
        DataType::List(field) | DataType::LargeList(field) => nested && printable(field.data_type(), true),
        DataType::Map(entries, _) => nested && printable(entries.data_type(), true),
        DataType::Struct(fields) => nested && fields.iter().all(|field| printable(field.data_type(), true)),
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(_, _)
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Date32
        | DataType::Timestamp(_, _) => true,
        _ => false,
    }
}

impl Cells {
    pub(super) fn new(array: &ArrayRef) -> Result<Self> {
        let to = |data_type: &DataType| cast(array, data_type).map_err(|error| ConnectorError::Engine(error.into()));
        Ok(match array.data_type() {
            DataType::Boolean => Self::Bool(array.as_boolean().clone()),
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => Self::Int(to(&DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            DataType::Float32 => Self::Float(array.as_primitive::<Float32Type>().clone()),
            DataType::Float64 => Self::Double(array.as_primitive::<Float64Type>().clone()),
            DataType::Decimal128(_, scale) => Self::Decimal(array.as_primitive::<Decimal128Type>().clone(), *scale),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Self::Text(to(&DataType::Utf8)?.as_string::<i32>().clone())
            }
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                Self::Binary(to(&DataType::Binary)?.as_binary::<i32>().clone())
            }
            DataType::Date32 => Self::Date(array.as_primitive::<Date32Type>().clone()),
            DataType::Timestamp(_, zone) => {
                let micros = to(&DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
                let micros = micros.as_primitive::<TimestampMicrosecondType>().clone();
                if zone.is_some() { Self::Timestamp(micros) } else { Self::TimestampNtz(micros) }
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>().clone();
                let values = Self::new(list.values())?;
                Self::List(list, Box::new(values))
            }
            DataType::LargeList(field) => {
                let list = to(&DataType::List(std::sync::Arc::clone(field)))?.as_list::<i32>().clone();
                let values = Self::new(list.values())?;
                Self::List(list, Box::new(values))
            }
            DataType::Map(_, _) => {
                let map = array.as_map().clone();
                let (keys, values) = (Self::new(map.keys())?, Self::new(map.values())?);
                Self::Map(map, Box::new(keys), Box::new(values))
            }
            DataType::Struct(fields) => {
                let structs = array.as_struct().clone();
                let named = |(field, column): (&std::sync::Arc<Field>, &ArrayRef)| {
                    Ok((field.name().clone(), Self::new(column)?))
                };
                let columns = fields.iter().zip(structs.columns()).map(named).collect::<Result<_>>()?;
                Self::Struct(structs, columns)
            }
            other => return Err(ConnectorError::Unsupported { feature: format!("text of type {other}") }),
        })
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Bool(array) => array.is_null(row),
            Self::Int(array) => array.is_null(row),
            Self::Float(array) => array.is_null(row),
            Self::Double(array) => array.is_null(row),
            Self::Decimal(array, _) => array.is_null(row),
            Self::Text(array) => array.is_null(row),
            Self::Binary(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
            Self::Timestamp(array) | Self::TimestampNtz(array) => array.is_null(row),
            Self::List(array, _) => array.is_null(row),
            Self::Map(array, _, _) => array.is_null(row),
            Self::Struct(array, _) => array.is_null(row),
        }
    }

    /// Appends a scalar's text; nested values have none of their own.
    pub(super) fn text(&self, row: usize, times: &Times, out: &mut String) -> Result<()> {
        match self {
            Self::Bool(array) => out.push_str(if array.value(row) { "true" } else { "false" }),
            Self::Int(array) => put(out, format_args!("{}", array.value(row))),
            Self::Float(array) => java_number(&format!("{:e}", array.value(row)), out),
            Self::Double(array) => java_number(&format!("{:e}", array.value(row)), out),
            Self::Decimal(array, scale) => decimal(array.value(row), *scale, out),
            Self::Text(array) => out.push_str(array.value(row)),
            Self::Binary(array) => out.push_str(&String::from_utf8_lossy(array.value(row))),
            Self::Date(array) => times.date(array.value(row), out),
            Self::Timestamp(array) => times.timestamp(array.value(row), out),
            Self::TimestampNtz(array) => times.timestamp_ntz(array.value(row), out),
            Self::List(_, _) | Self::Map(_, _, _) | Self::Struct(_, _) => {
                return Err(ConnectorError::Unsupported { feature: "nested values in this format".to_owned() });
            }
        }
        Ok(())
    }
}

/// Rust's shortest scientific form (`-1.5e-7`, `NaN`, `inf`) as Java prints the same number.
fn java_number(scientific: &str, out: &mut String) {
    let (negative, rest) = scientific.strip_prefix('-').map_or((false, scientific), |rest| (true, rest));
    if negative {
        out.push('-');
    }
    let Some((mantissa, exponent)) = rest.split_once('e') else {
        return out.push_str(if rest == "inf" { "Infinity" } else { "NaN" });
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if digits == "0" {
        return out.push_str("0.0");
    }
    if (-3..7).contains(&exponent) {
        if exponent < 0 {
            out.push_str("0.");
            (1..-exponent).for_each(|_| out.push('0'));
            return out.push_str(&digits);
        }
        let whole = exponent.unsigned_abs() as usize + 1;
        let padded = format!("{digits:0<whole$}");
        let (integer, fraction) = padded.split_at(whole);
        let fraction = if fraction.is_empty() { "0" } else { fraction };
        return put(out, format_args!("{integer}.{fraction}"));
    }
    let (first, fraction) = digits.split_at(1);
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    put(out, format_args!("{first}.{fraction}E{exponent}"));
}

fn decimal(unscaled: i128, scale: i8, out: &mut String) {
    if unscaled < 0 {
        out.push('-');
    }
    let digits = unscaled.unsigned_abs().to_string();
    let scale = usize::try_from(scale).unwrap_or_default();
    if scale == 0 {
        return out.push_str(&digits);
    }
    let width = scale + 1;
    let padded = format!("{digits:0>width$}");
    let (integer, fraction) = padded.split_at(padded.len() - scale);
    put(out, format_args!("{integer}.{fraction}"));
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(text);
}
