//! Checked conversion of arrays to the types the wire takes.
//!
//! A conversion that would change a value is an error, never a rounding.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Field, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::wire::Wire;
use crate::error::{ConnectorError, Result};
use crate::postgres::table::TableColumn;

/// Converts a column for the wire; `base` is the number of its first row.
pub(super) fn convert(array: &ArrayRef, column: &TableColumn, wire: &Wire, base: u64) -> Result<ArrayRef> {
    let from = array.data_type();
    let to = wire.arrow(from).ok_or_else(|| ConnectorError::TypeMismatch {
        column: column.name.clone(),
        from: from.to_string(),
        to: column.sql_type.clone(),
    })?;
    match (wire, from) {
        (Wire::Array(_, _), DataType::LargeList(field)) => {
            let list = cast(array, &DataType::List(Arc::clone(field))).map_err(engine)?;
            return convert(&list, column, wire, base);
        }
        (Wire::Array(item, _), DataType::List(_)) => return list(array.as_list(), column, wire, item, base),
        _ if *from == to => return Ok(Arc::clone(array)),
        (Wire::Numeric(_) | Wire::ServerText, _) if to == DataType::Utf8 && from.is_numeric() => {
            return plain_numbers(array);
        }
        _ => {}
    }
    let options = CastOptions { safe: true, format_options: FormatOptions::default() };
    let converted = cast_with_options(array, &to, &options).map_err(engine)?;
    let fractional = matches!(from, DataType::Float32 | DataType::Float64 | DataType::Decimal128(_, _))
        && matches!(wire, Wire::Int2 | Wire::Int4 | Wire::Int8);
    let back = if fractional { Some(cast(&converted, from).map_err(engine)?) } else { None };
    let overflows = (*wire == Wire::Float4).then(|| cast(array, &DataType::Float64).map_err(engine)).transpose()?;
    if converted.null_count() == array.logical_null_count() && back.is_none() && overflows.is_none() {
        return Ok(converted);
    }
    for row in 0..array.len() {
        if array.is_null(row) {
            continue;
        }
        let lost = converted.is_null(row)
            || back.as_ref().is_some_and(|back| back.slice(row, 1).as_ref() != array.slice(row, 1).as_ref());
        let became_infinite = overflows.as_ref().is_some_and(|wide| {
            let wide = wide.as_primitive::<Float64Type>().value(row);
            wide.is_finite() && wide.abs() > f64::from(f32::MAX)
        });
        if lost || became_infinite {
            return Err(ConnectorError::InvalidValue {
                column: column.name.clone(),
                row: base + row as u64,
                value: shown(array, row),
                to: column.sql_type.clone(),
                reason: if converted.is_null(row) || became_infinite { "out of range" } else { "not a whole number" }
                    .to_owned(),
            });
        }
    }
    Ok(converted)
}

/// Converts the elements of lists; those outside a slice are left out.
fn list(array: &ListArray, column: &TableColumn, wire: &Wire, item: &Wire, base: u64) -> Result<ArrayRef> {
    let offsets = array.value_offsets();
    let (start, end) = (offsets.first().copied().unwrap_or_default(), offsets.last().copied().unwrap_or_default());
    let size = |offset: i32| usize::try_from(offset).unwrap_or_default();
    let values = array.values().slice(size(start), size(end - start));
    let nested = matches!(values.data_type(), DataType::List(_) | DataType::LargeList(_));
    let values = convert(&values, column, if nested { wire } else { item }, 0).map_err(|error| match error {
        ConnectorError::InvalidValue { column, row, value, to, reason } => {
            // The row that holds the element.
            let at = i32::try_from(row).unwrap_or(i32::MAX).saturating_add(start);
            let row = offsets.partition_point(|offset| *offset <= at).saturating_sub(1) as u64;
            ConnectorError::InvalidValue { column, row: base + row, value, to, reason }
        }
        error => error,
    })?;
    let field = Arc::new(Field::new("item", values.data_type().clone(), true));
    let offsets: Vec<i32> = offsets.iter().map(|offset| offset - start).collect();
    let list = ListArray::try_new(field, OffsetBuffer::new(offsets.into()), values, array.nulls().cloned());
    Ok(Arc::new(list.map_err(engine)?))
}

/// Floats and wide decimals in plain digits.
fn plain_numbers(array: &ArrayRef) -> Result<ArrayRef> {
    let strings: StringArray = match array.data_type() {
        DataType::Float32 => array
            .as_primitive::<arrow::datatypes::Float32Type>()
            .iter()
            .map(|value| value.map(|value| value.to_string()))
            .collect(),
        DataType::Float64 => {
            array.as_primitive::<Float64Type>().iter().map(|value| value.map(|value| value.to_string())).collect()
        }
        _ => return cast(array, &DataType::Utf8).map_err(engine),
    };
    Ok(Arc::new(strings))
}

/// A value for a message.
pub(super) fn shown(array: &dyn Array, row: usize) -> String {
    let text = ArrayFormatter::try_new(array, &FormatOptions::default())
        .ok()
        .and_then(|formatter| formatter.value(row).try_to_string().ok())
        .unwrap_or_default();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn engine(error: arrow::error::ArrowError) -> ConnectorError {
    ConnectorError::Engine(error.into())
}
