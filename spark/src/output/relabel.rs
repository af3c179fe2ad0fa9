//! Gives an array another Arrow type of the same Spark type: other field names, string or list layout, or zone.
//!
//! It never changes a value: where the layouts differ it casts losslessly, and where they cannot agree it fails.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use arrow::error::{ArrowError, Result};

/// The array as `target`.
pub(crate) fn relabel(array: &ArrayRef, target: &DataType) -> Result<ArrayRef> {
    if array.data_type() == target {
        return Ok(Arc::clone(array));
    }
    match (array.data_type(), target) {
        (
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)),
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone)),
        ) => {
            let array = array.as_primitive::<TimestampMicrosecondType>().clone();
            Ok(Arc::new(array.with_timezone(Arc::clone(zone))))
        }
        (DataType::List(_), DataType::List(field)) => {
            let list = array.as_list::<i32>();
            let values = relabel(list.values(), field.data_type())?;
            Ok(Arc::new(ListArray::try_new(Arc::clone(field), list.offsets().clone(), values, list.nulls().cloned())?))
        }
        (DataType::Map(_, _), DataType::Map(field, sorted)) => {
            let map = array.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            let entries = relabel(&entries, field.data_type())?;
            Ok(Arc::new(MapArray::try_new(
                Arc::clone(field),
                map.offsets().clone(),
                entries.as_struct().clone(),
                map.nulls().cloned(),
                *sorted,
            )?))
        }
        (DataType::Struct(from), DataType::Struct(fields)) if from.len() == fields.len() => {
            let from = array.as_struct();
            if fields.is_empty() {
                return Ok(Arc::new(StructArray::new_empty_fields(from.len(), from.nulls().cloned())));
            }
            let columns = from
                .columns()
                .iter()
                .zip(fields)
                .map(|(column, field)| relabel(column, field.data_type()))
                .collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(StructArray::try_new(fields.clone(), columns, from.nulls().cloned())?))
        }
        (DataType::LargeList(field) | DataType::FixedSizeList(field, _), DataType::List(_)) => {
            let list = cast(array, &DataType::List(Arc::clone(field)))?;
            relabel(&list, target)
        }
        (from, to) if same_family(from, to) => cast(array, target),
        (from, to) => Err(ArrowError::CastError(format!("{from} is not carried as {to}"))),
    }
}

fn cast(array: &ArrayRef, target: &DataType) -> Result<ArrayRef> {
    cast_with_options(array, target, &CastOptions { safe: false, ..CastOptions::default() })
}

/// Whether two Arrow types carry the same Spark type, so that a cast loses nothing.
fn same_family(from: &DataType, to: &DataType) -> bool {
    let text = |t: &DataType| matches!(t, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let bytes = |t: &DataType| {
        matches!(t, DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_))
    };
    match (from, to) {
        (DataType::Null, _) => true,
        (DataType::Dictionary(_, value), _) => value.as_ref() == to || same_family(value, to),
        (DataType::Timestamp(_, a), DataType::Timestamp(_, b)) => a.is_some() == b.is_some(),
        (DataType::Time64(_) | DataType::Time32(_), DataType::Time64(_)) => true,
        (DataType::Duration(_), DataType::Duration(_)) => true,
        (DataType::Decimal128(_, a), DataType::Decimal128(_, b)) => a == b,
        (
            DataType::Decimal32(_, a) | DataType::Decimal64(_, a) | DataType::Decimal256(_, a),
            DataType::Decimal128(_, b),
        ) => a == b,
        // Row counts of the engine are unsigned.
        (DataType::UInt64, DataType::Int64) => true,
        _ => (text(from) && text(to)) || (bytes(from) && bytes(to)),
    }
}
