//! `transform`, `filter`, `exists`, `forall` and `zip_with`. A null array gives null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, ListArray, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{prep_null_mask_filter, take};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, internal_err};

use super::flat::{Flat, apply};
use super::spec::{Applied, LambdaFn, array_of, element, lambda, parameter};
use crate::scalar::array::range;
use crate::scalar::read::lists;
use crate::scalar::spec::conform;

/// One array: its element, and its place for those that ask for it.
fn element_and_place(values: &[FieldRef]) -> Result<Vec<Vec<FieldRef>>> {
    Ok(vec![vec![element(values, 0)?, parameter(DataType::Int32, false)]])
}

fn just_element(values: &[FieldRef]) -> Result<Vec<Vec<FieldRef>>> {
    Ok(vec![vec![element(values, 0)?]])
}

fn nullable(values: &[FieldRef]) -> bool {
    values.iter().any(|field| field.is_nullable())
}

/// An array of the declared type from what bodies gave.
pub(super) fn list(
    wanted: &DataType,
    offsets: OffsetBuffer<i32>,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let DataType::List(field) = wanted else { return internal_err!("{wanted} is no array") };
    let values = conform(values, field.data_type())?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, nulls)?))
}

fn evaluated(call: &Applied) -> Result<(Flat, ArrayRef, ArrayRef)> {
    let list = lists(&call.values, 0)?;
    let flat = Flat::of_list(list);
    let elements = flat.pick(list.values())?;
    let places: ArrayRef = Arc::new(flat.places.clone());
    let out = flat.apply(call.lambda(0)?, &[&elements, &places])?;
    Ok((flat, elements, out))
}

/// `transform(array, x -> ..)` and `transform(array, (x, i) -> ..)`.
fn transform(call: &Applied) -> Result<ArrayRef> {
    let (flat, _, out) = evaluated(call)?;
    list(&call.result, flat.offsets, out, flat.nulls)
}

/// `filter(array, x -> ..)` and `filter(array, (x, i) -> ..)`: what is not true is left out.
fn filter(call: &Applied) -> Result<ArrayRef> {
    let (flat, elements, out) = evaluated(call)?;
    let Some(keep) = out.as_boolean_opt() else { return internal_err!("a condition is no boolean") };
    let keep = kept(keep);
    let lengths = (0..call.rows).map(|row| flat.range(row).filter(|at| keep.value(*at)).count());
    let offsets = OffsetBuffer::from_lengths(lengths);
    let kept = arrow::compute::filter(&elements, &keep)?;
    list(&call.result, offsets, kept, flat.nulls)
}

/// Three-valued: `decisive` as soon as a body gives it, else null if one gave null, else its opposite.
fn quantified(call: &Applied, decisive: bool) -> Result<ArrayRef> {
    let (flat, _, out) = evaluated(call)?;
    let Some(given) = out.as_boolean_opt() else { return internal_err!("a condition is no boolean") };
    let mut found = BooleanBuilder::with_capacity(call.rows);
    for row in 0..call.rows {
        if flat.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            found.append_null();
        } else if flat.range(row).any(|at| given.is_valid(at) && given.value(at) == decisive) {
            found.append_value(decisive);
        } else if flat.range(row).any(|at| given.is_null(at)) {
            found.append_null();
        } else {
            found.append_value(!decisive);
        }
    }
    Ok(Arc::new(found.finish()))
}

fn truth(values: &[FieldRef], bodies: &[FieldRef]) -> Result<(DataType, bool)> {
    Ok((DataType::Boolean, nullable(values) || nullable(bodies)))
}

/// `zip_with(left, right, (x, y) -> ..)`: the shorter array is filled up with nulls.
fn zip_with(call: &Applied) -> Result<ArrayRef> {
    let (left, right) = (lists(&call.values, 0)?, lists(&call.values, 1)?);
    let (mut lefts, mut rights, mut rows, mut lengths, mut valid) = (vec![], vec![], vec![], vec![], vec![]);
    for row in 0..call.rows {
        let both = left.is_valid(row) && right.is_valid(row);
        valid.push(both);
        let (mut x, mut y) = if both { (range(left, row), range(right, row)) } else { (0..0, 0..0) };
        let length = x.len().max(y.len());
        lengths.push(length);
        for _ in 0..length {
            lefts.push(x.next().map(|at| at as u32));
            rights.push(y.next().map(|at| at as u32));
            rows.push(row as u32);
        }
    }
    let lefts = take(left.values(), &UInt32Array::from(lefts), None)?;
    let rights = take(right.values(), &UInt32Array::from(rights), None)?;
    let out = apply(call.lambda(0)?, &[&lefts, &rights], &UInt32Array::from(rows))?;
    list(&call.result, OffsetBuffer::from_lengths(lengths), out, Some(NullBuffer::from(valid)))
}

/// Functions over arrays.
pub(crate) fn all() -> Vec<LambdaFn> {
    vec![
        lambda(
            "transform",
            element_and_place,
            |values, bodies| Ok((array_of(&one(bodies)?), nullable(values))),
            transform,
        ),
        lambda(
            "filter",
            element_and_place,
            |values, _| {
                let element = element(values, 0)?;
                Ok((array_of(&element), nullable(values)))
            },
            filter,
        ),
        lambda("exists", just_element, truth, |call| quantified(call, true)),
        lambda("forall", just_element, truth, |call| quantified(call, false)),
        lambda(
            "zip_with",
            |values| {
                let (x, y) = (element(values, 0)?, element(values, 1)?);
                Ok(vec![vec![parameter(x.data_type().clone(), true), parameter(y.data_type().clone(), true)]])
            },
            |values, bodies| Ok((array_of(&one(bodies)?), nullable(values))),
            zip_with,
        ),
    ]
}

/// Where a condition is true.
pub(super) fn kept(condition: &BooleanArray) -> BooleanArray {
    if condition.null_count() == 0 { condition.clone() } else { prep_null_mask_filter(condition) }
}

/// The body of the only lambda.
pub(super) fn one(bodies: &[FieldRef]) -> Result<FieldRef> {
    match bodies {
        [body] => Ok(Arc::clone(body)),
        _ => internal_err!("one lambda is wanted"),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int32Array;

    use super::*;

    #[test]
    fn elements_of_null_rows_are_not_seen() {
        let values: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
        let field = parameter(DataType::Int32, true);
        let offsets = OffsetBuffer::from_lengths([1, 1, 1]);
        let list = ListArray::try_new(field, offsets, values, Some(NullBuffer::from(vec![true, false, true]))).unwrap();
        let flat = Flat::of_list(&list);
        assert_eq!(flat.picks.values().as_ref(), &[0, 2]);
        assert_eq!(flat.range(1), 1..1);
    }
}
