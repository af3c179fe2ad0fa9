//! One value of any type as text.

use std::fmt::Write;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalYearMonthType, Time64MicrosecondType,
    TimestampMicrosecondType,
};

use super::digits::write_long;
use super::number::{decimal_scientific, decimal_text, java_float, write_double};
use crate::cast::primitive;
use crate::error::{SparkError, SparkResult};
use crate::scalar::datum::{self, Datum};
use crate::scalar::variant;
use crate::time::interval::{Calendar, format_day_time, format_year_month};
use crate::time::{Zone, format_time, write_date, write_local};
use crate::types::DataType;

/// How values are printed.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// The zone instants are shown in.
    pub zone: Zone,
    /// As `show()` prints: nested nulls are `NULL`, binary is hexadecimal.
    pub pretty: bool,
    /// Very small decimals with an exponent, as without ANSI.
    pub scientific: bool,
}

/// Appends the text of one value that is not null.
///
/// # Errors
/// An array that does not carry `data_type`.
pub fn write_value(
    array: &dyn Array,
    row: usize,
    data_type: &DataType,
    style: &Style,
    out: &mut String,
) -> SparkResult<()> {
    match data_type {
        DataType::Null => out.push_str(null_text(style)),
        DataType::Geometry(_) | DataType::Geography(_) => {
            return Err(SparkError::unsupported("spatial values as text"));
        }
        DataType::Boolean => {
            let value = array.as_boolean_opt().is_some_and(|array| array.value(row));
            out.push_str(if value { "true" } else { "false" });
        }
        DataType::Byte => write_long(at::<Int8Type>(array, row)?.into(), out),
        DataType::Short => write_long(at::<Int16Type>(array, row)?.into(), out),
        DataType::Integer => write_long(at::<Int32Type>(array, row)?.into(), out),
        DataType::Long => write_long(at::<Int64Type>(array, row)?, out),
        DataType::Float => out.push_str(&java_float(at::<Float32Type>(array, row)?)),
        DataType::Double => write_double(at::<Float64Type>(array, row)?, out),
        DataType::Decimal(_, scale) => {
            let value = at::<Decimal128Type>(array, row)?;
            let text = if style.scientific { decimal_scientific(value, *scale) } else { decimal_text(value, *scale) };
            out.push_str(&text);
        }
        DataType::String | DataType::Collated(_) | DataType::Char(_) | DataType::Varchar(_) => {
            out.push_str(array.as_string_opt::<i32>().ok_or_else(|| wrong(array, data_type))?.value(row));
        }
        DataType::Binary => {
            let bytes = array.as_binary_opt::<i32>().ok_or_else(|| wrong(array, data_type))?.value(row);
            write_bytes(bytes, style, out);
        }
        DataType::Date => write_date(at::<Date32Type>(array, row)?, out),
        DataType::Timestamp => {
            write_local(style.zone.to_local(at::<TimestampMicrosecondType>(array, row)?), out);
        }
        DataType::TimestampNtz => write_local(at::<TimestampMicrosecondType>(array, row)?, out),
        DataType::Time(_) => out.push_str(&format_time(at::<Time64MicrosecondType>(array, row)?)),
        DataType::YearMonthInterval(start, end) => {
            out.push_str(&format_year_month(at::<IntervalYearMonthType>(array, row)?, *start, *end));
        }
        DataType::DayTimeInterval(start, end) => {
            out.push_str(&format_day_time(at::<DurationMicrosecondType>(array, row)?, *start, *end));
        }
        DataType::CalendarInterval => {
            let value = at::<IntervalMonthDayNanoType>(array, row)?;
            put(out, Calendar { months: value.months, days: value.days, micros: value.nanoseconds / 1000 });
        }
        DataType::Array { element, .. } => {
            let values = array.as_list_opt::<i32>().ok_or_else(|| wrong(array, data_type))?.value(row);
            out.push('[');
            for index in 0..values.len() {
                separate(index, out);
                write_nullable(values.as_ref(), index, element, style, out)?;
            }
            out.push(']');
        }
        DataType::Map { key, value, .. } => {
            let entries = array.as_map_opt().ok_or_else(|| wrong(array, data_type))?.value(row);
            out.push('{');
            for index in 0..entries.len() {
                separate(index, out);
                write_nullable(entries.column(0).as_ref(), index, key, style, out)?;
                out.push_str(" ->");
                // A cast to string leaves one space before the value, and `null` is written like any value.
                out.push(' ');
                write_nullable(entries.column(1).as_ref(), index, value, style, out)?;
            }
            out.push('}');
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct_opt().ok_or_else(|| wrong(array, data_type))?;
            out.push('{');
            for (index, (field, column)) in fields.fields.iter().zip(columns.columns()).enumerate() {
                separate(index, out);
                write_nullable(column.as_ref(), row, &field.data_type, style, out)?;
            }
            out.push('}');
        }
        DataType::Variant => match datum::read(data_type, array, row)? {
            Datum::Variant(variant) => out.push_str(&variant::decode(&variant)?.to_json(&style.zone).compact()),
            _ => out.push_str(null_text(style)),
        },
    }
    Ok(())
}

fn write_nullable(
    array: &dyn Array,
    row: usize,
    data_type: &DataType,
    style: &Style,
    out: &mut String,
) -> SparkResult<()> {
    if array.is_null(row) {
        out.push_str(null_text(style));
        return Ok(());
    }
    write_value(array, row, data_type, style, out)
}

fn null_text(style: &Style) -> &'static str {
    if style.pretty { "NULL" } else { "null" }
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push_str(", ");
    }
}

fn write_bytes(bytes: &[u8], style: &Style, out: &mut String) {
    if !style.pretty {
        out.push_str(&String::from_utf8_lossy(bytes));
        return;
    }
    out.push('[');
    for (index, byte) in bytes.iter().enumerate() {
        let space = if index > 0 { " " } else { "" };
        let _ = write!(out, "{space}{byte:02X}");
    }
    out.push(']');
}

fn put(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{value}");
}

fn at<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> SparkResult<T::Native> {
    Ok(primitive::<T>(array)?.value(row))
}

fn wrong(array: &dyn Array, data_type: &DataType) -> SparkError {
    SparkError::internal(format!("expected values of {}, found {:?}", data_type.sql(), array.data_type()))
}
