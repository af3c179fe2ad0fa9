//! `spark_map_sort`: values with the entries of every map in them ordered by key, so that equal maps look the same.
//!
//! Spark orders maps this way before it groups by them (`InsertMapSortInGroupingExpressions`). Null in, null out; any type.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, internal_err};

use super::coerce::Arg;
use super::spec::{Call, Ret, SparkFn, f};

/// The function.
pub(super) fn all() -> Vec<SparkFn> {
    vec![f("spark_map_sort", &[Arg::Any], Ret::Same(0), |_: &Call<'_>, args| match args {
        [value] => ordered(value),
        _ => internal_err!("spark_map_sort takes one value"),
    })]
}

fn ordered(array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Map(..) => map(array.as_map()),
        DataType::List(field) => {
            let list: &ListArray = array.as_list();
            let values = ordered(list.values())?;
            Ok(Arc::new(ListArray::try_new(Arc::clone(field), list.offsets().clone(), values, list.nulls().cloned())?))
        }
        DataType::Struct(fields) if !fields.is_empty() => {
            let record = array.as_struct();
            let columns = record.columns().iter().map(ordered).collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(StructArray::try_new(fields.clone(), columns, record.nulls().cloned())?))
        }
        _ => Ok(Arc::clone(array)),
    }
}

fn map(array: &MapArray) -> Result<ArrayRef> {
    let DataType::Map(entries, _) = array.data_type() else { return internal_err!("a map has entries") };
    let DataType::Struct(fields) = entries.data_type() else { return internal_err!("entries are structs") };
    let keys = ordered(array.keys())?;
    let converter = RowConverter::new(vec![SortField::new(keys.data_type().clone())])?;
    let rows = converter.convert_columns(&[Arc::clone(&keys)])?;
    let mut order: Vec<u32> = Vec::with_capacity(keys.len());
    let mut lengths = Vec::with_capacity(array.len());
    for window in array.offsets().windows(2) {
        let [from, to] = window else { continue };
        let begin = order.len();
        // Offsets of an Arrow array are never negative.
        order.extend(u32::try_from(*from).unwrap_or_default()..u32::try_from(*to).unwrap_or_default());
        lengths.push(order.len() - begin);
        if let Some(own) = order.get_mut(begin..) {
            own.sort_by(|a, b| rows.row(*a as usize).cmp(&rows.row(*b as usize)));
        }
    }
    let order = UInt32Array::from(order);
    let values = ordered(array.values())?;
    let sorted =
        StructArray::try_new(fields.clone(), vec![take(&keys, &order, None)?, take(&values, &order, None)?], None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, sorted, array.nulls().cloned(), false)?))
}
