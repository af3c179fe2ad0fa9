//! `approx_top_k_estimate`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Result, internal_err};

use super::{DEFAULT_K, Items, check_k, item_of, result_type};
use crate::scalar::coerce::{Arg, mismatch, target};
use crate::scalar::read::{bins, ints};
use crate::scalar::spec::{Call, Ret, SparkFn, f};

/// `approx_top_k_estimate(state[, k])`: the most frequent items of an accumulated sketch.
fn estimate(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(states) = args.first().and_then(|column| column.as_struct_opt()) else {
        return Ok(new_null_array(call.result, call.rows));
    };
    let (Some(item), DataType::List(field)) = (item_of(states.data_type()), call.result) else {
        return internal_err!("approx_top_k_estimate of something else");
    };
    let sketches = bins(states.columns(), 0)?;
    let Some(limits) = states.columns().get(1).and_then(|c| c.as_primitive_opt::<Int32Type>()) else {
        return internal_err!("approx_top_k_estimate without a limit");
    };
    let given = if args.len() > 1 { Some(ints(args, 1)?) } else { None };
    let (mut parts, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for (row, bytes) in sketches.iter().enumerate() {
        let Some(bytes) = bytes.filter(|_| states.is_valid(row)) else {
            lengths.push(0);
            valid.push(false);
            continue;
        };
        let limit = limits.value(row);
        let k = given.map_or(Some(DEFAULT_K), |given| given.is_valid(row).then(|| given.value(row)));
        let k = check_k(call.name, k, limit)?;
        let Some(items) = Items::read(bytes, limit, &item) else {
            return internal_err!("approx_top_k_estimate of bytes that are no sketch");
        };
        let rows = items.top(k, &item)?;
        lengths.push(rows.len());
        valid.push(true);
        parts.push(rows);
    }
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    let rows = if parts.is_empty() {
        arrow::array::new_empty_array(field.data_type())
    } else {
        arrow::compute::concat(&parts)?
    };
    let nulls = NullBuffer::from(valid);
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), OffsetBuffer::from_lengths(lengths), rows, Some(nulls))?))
}

/// The scalar function on accumulated sketches.
pub(in crate::sketch) fn all() -> Vec<SparkFn> {
    const NAME: &str = "approx_top_k_estimate";
    vec![
        f(
            NAME,
            &[Arg::Any, Arg::Any],
            Ret::With(|fields, _| {
                let item = fields.first().and_then(|field| item_of(field.data_type()));
                Ok(result_type(&item.unwrap_or(DataType::Null)))
            }),
            estimate,
        )
        .min(1)
        .coerce(|types| {
            types
                .iter()
                .enumerate()
                .map(|(at, given)| match at {
                    0 if given.is_null() || item_of(given).is_some() => Ok(given.clone()),
                    0 => Err(mismatch(NAME, 0, "\"STRUCT\"", given).into()),
                    at => target(Arg::Int, given).ok_or_else(|| mismatch(NAME, at, "\"INT\"", given).into()),
                })
                .collect()
        }),
    ]
}
