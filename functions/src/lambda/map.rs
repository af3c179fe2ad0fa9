//! `transform_keys`, `transform_values`, `map_filter` and `map_zip_with`. A null map gives null.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType, FieldRef};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, internal_err};

use super::array::{kept, one};
use super::flat::{Flat, apply};
use super::spec::{Applied, LambdaFn, entry, lambda, parameter};
use crate::arithmetic::normalize;
use crate::scalar::coerce::map_of;
use crate::scalar::map::build;
use crate::scalar::read::maps;
use crate::scalar::spec::{Call, conform};

fn key_and_value(values: &[FieldRef]) -> Result<Vec<Vec<FieldRef>>> {
    let (key, value) = entry(values, 0)?;
    Ok(vec![vec![key, value]])
}

fn nullable(values: &[FieldRef]) -> bool {
    values.iter().any(|field| field.is_nullable())
}

struct Entries {
    flat: Flat,
    keys: ArrayRef,
    values: ArrayRef,
    body: ArrayRef,
}

fn evaluated(call: &Applied) -> Result<Entries> {
    let map = maps(&call.values, 0)?;
    let flat = Flat::of_map(map);
    let (keys, values) = (flat.pick(map.keys())?, flat.pick(map.values())?);
    let body = flat.apply(call.lambda(0)?, &[&keys, &values])?;
    Ok(Entries { flat, keys, values, body })
}

/// A map of the declared type whose keys are known to be different.
fn map(
    wanted: &DataType,
    offsets: OffsetBuffer<i32>,
    keys: ArrayRef,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let DataType::Map(entries, _) = wanted else { return internal_err!("{wanted} is no map") };
    let DataType::Struct(fields) = entries.data_type() else { return internal_err!("map entries") };
    let [key, value] = fields.as_ref() else { return internal_err!("map entries") };
    let columns = vec![conform(keys, key.data_type())?, conform(values, value.data_type())?];
    let pairs = StructArray::try_new(fields.clone(), columns, None)?;
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, nulls, false)?))
}

/// `transform_keys(map, (k, v) -> ..)`: null and repeated keys fail as in `map(..)`.
fn transform_keys(call: &Applied) -> Result<ArrayRef> {
    let Entries { flat, values, body, .. } = evaluated(call)?;
    let rows = (0..call.rows)
        .map(|row| {
            let valid = flat.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            valid.then(|| flat.range(row).map(|at| at as u32).collect())
        })
        .collect();
    let made = Call { options: &call.options, result: &call.result, rows: call.rows, name: "transform_keys" };
    build(&made, &body, &values, rows)
}

/// `transform_values(map, (k, v) -> ..)`.
fn transform_values(call: &Applied) -> Result<ArrayRef> {
    let Entries { flat, keys, body, .. } = evaluated(call)?;
    map(&call.result, flat.offsets, keys, body, flat.nulls)
}

/// `map_filter(map, (k, v) -> ..)`: entries for which the body is not true are left out.
fn map_filter(call: &Applied) -> Result<ArrayRef> {
    let Entries { flat, keys, values, body } = evaluated(call)?;
    let Some(keep) = body.as_boolean_opt() else { return internal_err!("a condition is no boolean") };
    let keep = kept(keep);
    let lengths = (0..call.rows).map(|row| flat.range(row).filter(|at| keep.value(*at)).count());
    let offsets = OffsetBuffer::from_lengths(lengths);
    let keys = arrow::compute::filter(&keys, &keep)?;
    let values = arrow::compute::filter(&values, &keep)?;
    map(&call.result, offsets, keys, values, flat.nulls)
}

/// `map_zip_with(left, right, (k, v1, v2) -> ..)`: keys of the left map first, then those only the right one has;
/// a value that is missing is null.
fn map_zip_with(call: &Applied) -> Result<ArrayRef> {
    let (left, right) = (maps(&call.values, 0)?, maps(&call.values, 1)?);
    let converter = RowConverter::new(vec![SortField::new(left.keys().data_type().clone())])?;
    let left_keys = converter.convert_columns(&[normalize(left.keys())])?;
    let right_keys = converter.convert_columns(&[normalize(right.keys())])?;
    let shift = left.keys().len() as u32;
    let span = |map: &MapArray, row: usize| match map.value_offsets().get(row..row + 2) {
        Some([from, to]) => *from as u32..*to as u32,
        _ => 0..0,
    };
    let (mut keys, mut lefts, mut rights, mut rows) = (vec![], vec![], vec![], vec![]);
    let (mut lengths, mut valid) = (vec![], vec![]);
    for row in 0..call.rows {
        let begin = keys.len();
        let both = left.is_valid(row) && right.is_valid(row);
        valid.push(both);
        if both {
            let mut seen = HashMap::new();
            for at in span(left, row) {
                seen.insert(left_keys.row(at as usize), keys.len());
                keys.push(at);
                lefts.push(Some(at));
                rights.push(None);
            }
            for at in span(right, row) {
                let key = right_keys.row(at as usize);
                match seen.get(&key).and_then(|place| rights.get_mut(*place)) {
                    Some(slot) => *slot = slot.or(Some(at)),
                    None => {
                        seen.insert(key, keys.len());
                        keys.push(at + shift);
                        lefts.push(None);
                        rights.push(Some(at));
                    }
                }
            }
        }
        lengths.push(keys.len() - begin);
        rows.extend(std::iter::repeat_n(row as u32, keys.len() - begin));
    }
    let both = arrow::compute::concat(&[left.keys().as_ref(), right.keys().as_ref()])?;
    let keys = take(&both, &UInt32Array::from(keys), None)?;
    let lefts = take(left.values(), &UInt32Array::from(lefts), None)?;
    let rights = take(right.values(), &UInt32Array::from(rights), None)?;
    let body = apply(call.lambda(0)?, &[&keys, &lefts, &rights], &UInt32Array::from(rows))?;
    map(&call.result, OffsetBuffer::from_lengths(lengths), keys, body, Some(NullBuffer::from(valid)))
}

/// Functions over maps.
pub(crate) fn all() -> Vec<LambdaFn> {
    vec![
        lambda(
            "transform_keys",
            key_and_value,
            |values, bodies| {
                let (_, value) = entry(values, 0)?;
                let key = one(bodies)?.data_type().clone();
                Ok((map_of(key, value.data_type().clone(), value.is_nullable()), nullable(values)))
            },
            transform_keys,
        ),
        lambda(
            "transform_values",
            key_and_value,
            |values, bodies| {
                let (key, body) = (entry(values, 0)?.0, one(bodies)?);
                Ok((map_of(key.data_type().clone(), body.data_type().clone(), body.is_nullable()), nullable(values)))
            },
            transform_values,
        ),
        lambda(
            "map_filter",
            key_and_value,
            |values, _| {
                let (key, value) = entry(values, 0)?;
                let kept = map_of(key.data_type().clone(), value.data_type().clone(), value.is_nullable());
                Ok((kept, nullable(values)))
            },
            map_filter,
        ),
        lambda(
            "map_zip_with",
            |values| {
                let ((key, left), (_, right)) = (entry(values, 0)?, entry(values, 1)?);
                let nullable = |field: &FieldRef| parameter(field.data_type().clone(), true);
                Ok(vec![vec![parameter(key.data_type().clone(), false), nullable(&left), nullable(&right)]])
            },
            |values, bodies| {
                let (key, body) = (entry(values, 0)?.0, one(bodies)?);
                Ok((map_of(key.data_type().clone(), body.data_type().clone(), body.is_nullable()), nullable(values)))
            },
            map_zip_with,
        ),
    ]
}
