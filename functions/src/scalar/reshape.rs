//! `spark_reshape(value, NULL of the wanted shape)`: structs with their fields rearranged by name, also inside arrays and maps.
//!
//! Fields the value lacks are null, fields the shape lacks are left out; leaves keep their types. Which shape is wanted, and
//! that it can be had, is the analyzer's business: it compares names here exactly, then without case. Null in, null out.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, new_null_array};
use arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Expr;

use super::coerce::Arg;
use super::spec::{Call, Ret, SparkFn, f};
use crate::error::{SparkError, SparkResult};

/// The value with its structs as in `shape`, which differs from its own type in names, order and number of fields alone.
///
/// # Errors
/// A type Arrow has no null for.
pub fn reshape_expr(value: Expr, shape: &crate::types::DataType) -> SparkResult<Expr> {
    let Some(function) = crate::registry().scalar("spark_reshape") else {
        return Err(SparkError::internal("spark_reshape is not known"));
    };
    let null = ScalarValue::try_from(&shape.to_arrow()).map_err(crate::error::from_datafusion)?;
    Ok(function.call(vec![value, Expr::Literal(null, None)]))
}

/// The function.
pub(super) fn all() -> Vec<SparkFn> {
    vec![f("spark_reshape", &[Arg::Any, Arg::Any], Ret::Same(1), |call: &Call<'_>, args| match args {
        [value, _] => reshaped(value, call.result),
        _ => internal_err!("spark_reshape takes a value and a shape"),
    })]
}

fn reshaped(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    match (array.data_type(), to) {
        (DataType::Null, _) => Ok(new_null_array(to, array.len())),
        (DataType::List(_), DataType::List(element)) => {
            let list: &ListArray = array.as_list();
            let values = reshaped(list.values(), element.data_type())?;
            let made = ListArray::try_new(Arc::clone(element), list.offsets().clone(), values, list.nulls().cloned())?;
            Ok(Arc::new(made))
        }
        (DataType::Map(..), DataType::Map(entries, ordered)) => {
            let map = array.as_map();
            let DataType::Struct(fields) = entries.data_type() else { return internal_err!("entries are structs") };
            let [key, value] = fields.as_ref() else { return internal_err!("entries have a key and a value") };
            let columns = vec![reshaped(map.keys(), key.data_type())?, reshaped(map.values(), value.data_type())?];
            let made = StructArray::try_new(fields.clone(), columns, None)?;
            let offsets = map.offsets().clone();
            Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, made, map.nulls().cloned(), *ordered)?))
        }
        (DataType::Struct(from), DataType::Struct(to)) => record(array.as_struct(), from, to),
        (from, to) => internal_err!("{from} cannot take the shape {to}"),
    }
}

fn record(record: &StructArray, from: &Fields, to: &Fields) -> Result<ArrayRef> {
    if to.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(record.len(), record.nulls().cloned())));
    }
    let find = |name: &str| {
        let exact = from.iter().position(|field| field.name() == name);
        exact.or_else(|| from.iter().position(|field| field.name().to_lowercase() == name.to_lowercase()))
    };
    let columns = to
        .iter()
        .map(|field| match find(field.name()).and_then(|index| record.columns().get(index)) {
            Some(column) => reshaped(column, field.data_type()),
            None => Ok(new_null_array(field.data_type(), record.len())),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new(to.clone(), columns, record.nulls().cloned())?))
}
