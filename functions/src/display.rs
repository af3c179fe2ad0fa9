//! Values as text: what `CAST(.. AS STRING)` gives and what `show()` prints.
//!
//! It knows nothing of tables, widths or borders.

pub(crate) mod digits;
pub(crate) mod java_digits;
mod number;
mod plain;
#[cfg(test)]
mod tests;
mod value;
mod wide;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, StringArray, StringBuilder};
use arrow::datatypes::{Date32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType};

pub(crate) use number::decimal_scientific;
pub use number::{decimal_text, java_double, java_float};
pub use value::{Style, write_value};

use self::digits::write_long;
use self::number::write_double;
use crate::cast::{CastMode, canonical, primitive};
use crate::error::SparkResult;
use crate::time::{Zone, write_date, write_local};
use crate::types::DataType;

/// The text of every value as a cast to string gives it in ANSI mode; nulls stay null.
///
/// # Errors
/// An array that does not carry `data_type`.
pub fn cast_to_string(array: &ArrayRef, data_type: &DataType, zone: &Zone) -> SparkResult<StringArray> {
    cast_to_string_mode(array, data_type, zone, CastMode::Ansi)
}

pub(crate) fn cast_to_string_mode(
    array: &ArrayRef,
    data_type: &DataType,
    zone: &Zone,
    mode: CastMode,
) -> SparkResult<StringArray> {
    let style = Style { zone: *zone, pretty: false, scientific: mode == CastMode::Legacy };
    texts(array, data_type, &style, None)
}

/// The text of every value as `show()` prints it; nulls are `NULL`.
///
/// # Errors
/// An array that does not carry `data_type`.
pub fn show_string(array: &ArrayRef, data_type: &DataType, zone: &Zone) -> SparkResult<StringArray> {
    texts(array, data_type, &Style { zone: *zone, pretty: true, scientific: false }, Some("NULL"))
}

fn texts(array: &ArrayRef, data_type: &DataType, style: &Style, null: Option<&str>) -> SparkResult<StringArray> {
    let array = canonical(array, data_type)?;
    // One loop for each of the types most cast; every other value is looked at by itself.
    match data_type {
        DataType::Byte => column(primitive::<Int8Type>(&array)?, null, |value, out| write_long(value.into(), out)),
        DataType::Short => column(primitive::<Int16Type>(&array)?, null, |value, out| write_long(value.into(), out)),
        DataType::Integer => column(primitive::<Int32Type>(&array)?, null, |value, out| write_long(value.into(), out)),
        DataType::Long => column(primitive::<Int64Type>(&array)?, null, write_long),
        DataType::Double => column(primitive::<Float64Type>(&array)?, null, write_double),
        DataType::Date => column(primitive::<Date32Type>(&array)?, null, write_date),
        DataType::Timestamp => {
            let zone = style.zone;
            column(primitive::<TimestampMicrosecondType>(&array)?, null, |value, out| {
                write_local(zone.to_local(value), out);
            })
        }
        DataType::TimestampNtz => column(primitive::<TimestampMicrosecondType>(&array)?, null, write_local),
        _ => {
            let mut builder = StringBuilder::with_capacity(array.len(), array.len() * 8);
            let mut text = String::new();
            for row in 0..array.len() {
                if array.is_null(row) {
                    builder.append_option(null);
                    continue;
                }
                text.clear();
                write_value(array.as_ref(), row, data_type, style, &mut text)?;
                builder.append_value(&text);
            }
            Ok(builder.finish())
        }
    }
}

fn column<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    null: Option<&str>,
    write: impl Fn(T::Native, &mut String),
) -> SparkResult<StringArray> {
    let mut builder = StringBuilder::with_capacity(array.len(), array.len() * 16);
    let mut text = String::new();
    for value in array {
        let Some(value) = value else {
            builder.append_option(null);
            continue;
        };
        text.clear();
        write(value, &mut text);
        builder.append_value(&text);
    }
    Ok(builder.finish())
}
