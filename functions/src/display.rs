//! Values as text: what `CAST(.. AS STRING)` gives and what `show()` prints.
//!
//! It knows nothing of tables, widths or borders.

pub(crate) mod java_digits;
mod number;
#[cfg(test)]
mod tests;
mod value;
mod wide;

use arrow::array::{Array, ArrayRef, StringArray, StringBuilder};

pub(crate) use number::decimal_scientific;
pub use number::{decimal_text, java_double, java_float};
pub use value::{Style, write_value};

use crate::cast::{CastMode, canonical};
use crate::error::SparkResult;
use crate::time::Zone;
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
