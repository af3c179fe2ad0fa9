//! What a server sent, as exactly the Arrow types that were promised.
//!
//! Nested types are rebuilt by position: names of fields and whether they may be null differ between versions.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Decimal128Type};
use arrow::error::{ArrowError, Result};

/// `array` as `wanted`.
///
/// # Errors
/// When a value does not fit; nothing is rounded or cut.
pub(super) fn conform(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    match (array.data_type(), wanted) {
        (DataType::Decimal128(..), DataType::Decimal128(precision, _)) if array.data_type() == wanted => {
            array.as_primitive::<Decimal128Type>().validate_decimal_precision(*precision)?;
            Ok(Arc::clone(array))
        }
        (found, wanted) if found == wanted => Ok(Arc::clone(array)),
        (DataType::List(_), DataType::List(field)) => {
            let list = array.as_list::<i32>();
            let items = conform(list.values(), field.data_type())?;
            Ok(Arc::new(ListArray::try_new(Arc::clone(field), list.offsets().clone(), items, list.nulls().cloned())?))
        }
        (DataType::Map(..), DataType::Map(field, sorted)) => {
            let map = array.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            let entries = conform(&entries, field.data_type())?;
            let entries = entries.as_struct().clone();
            Ok(Arc::new(MapArray::try_new(
                Arc::clone(field),
                map.offsets().clone(),
                entries,
                map.nulls().cloned(),
                *sorted,
            )?))
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let tuple = array.as_struct();
            if tuple.num_columns() != fields.len() {
                return Err(ArrowError::SchemaError("a tuple of another length than described".to_owned()));
            }
            let columns = tuple.columns().iter().zip(fields).map(|(column, field)| conform(column, field.data_type()));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(StructArray::try_new(fields.clone(), columns, tuple.nulls().cloned())?))
        }
        (_, wanted) => {
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            let cast = cast_with_options(array, wanted, &strict)?;
            match wanted {
                DataType::Decimal128(..) => conform(&cast, wanted),
                _ => Ok(cast),
            }
        }
    }
}
