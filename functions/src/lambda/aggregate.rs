//! `aggregate` and `reduce`: folds the elements of each array from the left.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array};
use arrow::compute::kernels::zip::zip;
use arrow::compute::take;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, internal_err};

use super::flat::{Flat, apply};
use super::spec::{Applied, LambdaFn, element, lambda, parameter};
use crate::scalar::read::lists;
use crate::scalar::spec::conform;

/// The accumulator has the type of the start value and may be null.
fn parameters(values: &[FieldRef]) -> Result<Vec<Vec<FieldRef>>> {
    let Some(zero) = values.get(1) else { return internal_err!("aggregate has no start value") };
    let accumulator = parameter(zero.data_type().clone(), true);
    Ok(vec![vec![Arc::clone(&accumulator), element(values, 0)?], vec![accumulator]])
}

fn result(values: &[FieldRef], bodies: &[FieldRef]) -> Result<(DataType, bool)> {
    match (values, bodies) {
        ([_, _], [_, finish]) => Ok((finish.data_type().clone(), true)),
        ([_, zero], [_]) => Ok((zero.data_type().clone(), true)),
        _ => internal_err!("aggregate has other arguments"),
    }
}

/// `aggregate(array, start, (accumulator, x) -> ..[, accumulator -> ..])`: null for a null array.
///
/// All rows take their next element at once, so a body is evaluated as often as the longest array is long.
fn aggregate(call: &Applied) -> Result<ArrayRef> {
    let list = lists(&call.values, 0)?;
    let merge = call.lambda(0)?;
    let flat = Flat::of_list(list);
    let elements = flat.pick(list.values())?;
    let mut state = Arc::clone(call.value(1)?);
    let longest = (0..call.rows).map(|row| flat.range(row).len()).max().unwrap_or(0);
    for place in 0..longest {
        let (mut rows, mut picks) = (vec![], vec![]);
        for row in 0..call.rows {
            let here = flat.range(row);
            if place < here.len() {
                rows.push(row as u32);
                picks.push((here.start + place) as u32);
            }
        }
        let whole = rows.len() == call.rows;
        let rows = UInt32Array::from(rows);
        let current = if whole { Arc::clone(&state) } else { take(&state, &rows, None)? };
        let next = take(&elements, &UInt32Array::from(picks), None)?;
        let merged = conform(apply(merge, &[&current, &next], &rows)?, state.data_type())?;
        state = if whole { merged } else { replaced(&state, &rows, &merged)? };
    }
    let Ok(finish) = call.lambda(1) else { return masked(&state, &flat) };
    // Null arrays take no part in the last step either.
    let rows = match &flat.nulls {
        Some(nulls) => {
            UInt32Array::from((0..call.rows as u32).filter(|r| nulls.is_valid(*r as usize)).collect::<Vec<_>>())
        }
        None => UInt32Array::from((0..call.rows as u32).collect::<Vec<_>>()),
    };
    let last = take(&state, &rows, None)?;
    let finished = apply(finish, &[&last], &rows)?;
    let mut back = vec![None; call.rows];
    for (at, row) in rows.values().iter().enumerate() {
        if let Some(slot) = back.get_mut(*row as usize) {
            *slot = Some(at as u32);
        }
    }
    Ok(take(&finished, &UInt32Array::from(back), None)?)
}

fn replaced(state: &ArrayRef, rows: &UInt32Array, merged: &ArrayRef) -> Result<ArrayRef> {
    let both = arrow::compute::concat(&[state.as_ref(), merged.as_ref()])?;
    let mut picks: Vec<u32> = (0..state.len() as u32).collect();
    for (at, row) in rows.values().iter().enumerate() {
        if let Some(slot) = picks.get_mut(*row as usize) {
            *slot = (state.len() + at) as u32;
        }
    }
    Ok(take(&both, &UInt32Array::from(picks), None)?)
}

fn masked(state: &ArrayRef, flat: &Flat) -> Result<ArrayRef> {
    let Some(nulls) = &flat.nulls else { return Ok(Arc::clone(state)) };
    let none = arrow::array::new_null_array(state.data_type(), state.len());
    Ok(zip(&BooleanArray::new(nulls.inner().clone(), None), state, &none)?)
}

/// Functions that fold arrays.
pub(crate) fn all() -> Vec<LambdaFn> {
    vec![lambda("aggregate", parameters, result, aggregate), lambda("reduce", parameters, result, aggregate)]
}
