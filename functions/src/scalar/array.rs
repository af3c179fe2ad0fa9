//! Arrays: sets, order, search. Elements compare as Spark's: NaN equals itself, null equals null in sets.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, BooleanBuilder, Int64Array, ListArray, UInt32Array, UInt32Builder};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{SortOptions, sort_to_indices, take};
use arrow::datatypes::{DataType, FieldRef};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::{Result, internal_err};

use super::array_types::{Untyped, element_pair, two_arrays};
use super::coerce::{Arg, mismatch};
use super::read::{bools, lists};
use super::spec::{Call, Nulls, Ret, SparkFn, conform, f};
use crate::arithmetic::normalize;

fn field_of(list: &ListArray) -> Result<FieldRef> {
    match list.data_type() {
        DataType::List(field) => Ok(Arc::clone(field)),
        other => internal_err!("{other} is no list"),
    }
}

/// A list array of rows of `values` chosen by flat index; `None` rows are null.
pub(crate) fn gather(field: FieldRef, values: &ArrayRef, rows: &[Option<Vec<Option<u32>>>]) -> Result<ArrayRef> {
    let mut chosen = UInt32Builder::new();
    for index in rows.iter().flatten().flatten() {
        chosen.append_option(*index);
    }
    let taken = take(values, &chosen.finish(), None)?;
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|row| row.as_ref().map_or(0, Vec::len)));
    let nulls = NullBuffer::from(rows.iter().map(Option::is_some).collect::<Vec<bool>>());
    let taken = conform(taken, field.data_type())?;
    let field = if taken.null_count() > 0 && !field.is_nullable() {
        Arc::new(field.as_ref().clone().with_nullable(true))
    } else {
        field
    };
    Ok(Arc::new(ListArray::try_new(field, offsets, taken, Some(nulls))?))
}

/// The flat range of a row.
pub(crate) fn range(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = list.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

/// Each array backwards.
pub(crate) fn reversed(list: &ListArray) -> Result<ArrayRef> {
    let rows: Vec<_> = (0..list.len())
        .map(|row| list.is_valid(row).then(|| range(list, row).rev().map(|at| Some(at as u32)).collect()))
        .collect();
    gather(field_of(list)?, list.values(), &rows)
}

/// Comparable rows of several arrays of one type.
fn encoded(arrays: &[&ArrayRef]) -> Result<Vec<Rows>> {
    let Some(first) = arrays.first() else { return Ok(vec![]) };
    let converter = RowConverter::new(vec![SortField::new(first.data_type().clone())])?;
    arrays.iter().map(|array| Ok(converter.convert_columns(&[normalize(array)])?)).collect()
}

/// `array_distinct(array)`.
fn distinct(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let list = lists(args, 0)?;
    // The result has the one zero and the one NaN that values were told apart by.
    let values = normalize(list.values());
    let keys = encoded(&[&values])?;
    let rows: Vec<_> = (0..list.len())
        .map(|row| {
            let mut seen = HashSet::new();
            list.is_valid(row).then(|| {
                range(list, row).filter(|at| seen.insert(keys[0].row(*at))).map(|at| Some(at as u32)).collect()
            })
        })
        .collect();
    gather(field_of(list)?, &values, &rows)
}

/// `array_union`, `array_intersect`, `array_except`: without duplicates, in order met.
fn sets(args: &[ArrayRef], keep: fn(bool, bool) -> bool, second: bool) -> Result<ArrayRef> {
    let (a, b) = (lists(args, 0)?, lists(args, 1)?);
    let keys = encoded(&[a.values(), b.values()])?;
    let both = normalize(&arrow::compute::concat(&[a.values().as_ref(), b.values().as_ref()])?);
    let shift = a.values().len();
    let rows: Vec<_> = (0..a.len())
        .map(|row| {
            if a.is_null(row) || b.is_null(row) {
                return None;
            }
            let left: HashSet<_> = range(a, row).map(|at| keys[0].row(at)).collect();
            let right: HashSet<_> = range(b, row).map(|at| keys[1].row(at)).collect();
            let mut seen = HashSet::new();
            let mut out = vec![];
            for at in range(a, row) {
                let key = keys[0].row(at);
                if keep(true, right.contains(&key)) && seen.insert(key) {
                    out.push(Some(at as u32));
                }
            }
            if second {
                for at in range(b, row) {
                    let key = keys[1].row(at);
                    if keep(left.contains(&key), true) && seen.insert(key) {
                        out.push(Some((at + shift) as u32));
                    }
                }
            }
            Some(out)
        })
        .collect();
    gather(field_of(a)?, &both, &rows)
}

/// `arrays_overlap(a, b)`: null when only a null could be shared.
fn overlap(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (a, b) = (lists(args, 0)?, lists(args, 1)?);
    let keys = encoded(&[a.values(), b.values()])?;
    let mut out = BooleanBuilder::new();
    for row in 0..a.len() {
        if a.is_null(row) || b.is_null(row) {
            out.append_null();
            continue;
        }
        let left: HashSet<_> = range(a, row).filter(|at| a.values().is_valid(*at)).map(|at| keys[0].row(at)).collect();
        let hit = range(b, row).any(|at| b.values().is_valid(at) && left.contains(&keys[1].row(at)));
        let null = range(a, row).any(|at| a.values().is_null(at)) || range(b, row).any(|at| b.values().is_null(at));
        let some = !range(a, row).is_empty() && !range(b, row).is_empty();
        out.append_option(if hit {
            Some(true)
        } else if null && some {
            None
        } else {
            Some(false)
        });
    }
    Ok(Arc::new(out.finish()))
}

/// Rows of a needle against the elements of its row.
fn matches(args: &[ArrayRef]) -> Result<(&ListArray, Vec<Vec<bool>>)> {
    let list = lists(args, 0)?;
    let Some(needle) = args.get(1) else { return internal_err!("no needle") };
    let keys = encoded(&[list.values(), needle])?;
    let hits =
        (0..list.len()).map(|row| range(list, row).map(|at| keys[0].row(at) == keys[1].row(row)).collect()).collect();
    Ok((list, hits))
}

/// `array_contains(array, value)`: null when not found among nulls.
fn contains(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (list, hits) = matches(args)?;
    let needle = &args[1];
    let out: BooleanArray = (0..list.len())
        .map(|row| {
            if list.is_null(row) || needle.is_null(row) {
                return None;
            }
            if hits[row].contains(&true) {
                return Some(true);
            }
            if range(list, row).any(|at| list.values().is_null(at)) { None } else { Some(false) }
        })
        .collect();
    Ok(Arc::new(out))
}

/// `array_position(array, value)`: 1-based, 0 when absent.
fn position(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (list, hits) = matches(args)?;
    let out: Int64Array = (0..list.len())
        .map(|row| {
            (list.is_valid(row) && args[1].is_valid(row))
                .then(|| hits[row].iter().position(|hit| *hit).map_or(0, |at| at as i64 + 1))
        })
        .collect();
    Ok(Arc::new(out))
}

/// `array_remove(array, value)`.
fn remove(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (list, hits) = matches(args)?;
    let rows: Vec<_> = (0..list.len())
        .map(|row| {
            (list.is_valid(row) && args[1].is_valid(row)).then(|| {
                range(list, row).zip(&hits[row]).filter(|(_, hit)| !**hit).map(|(at, _)| Some(at as u32)).collect()
            })
        })
        .collect();
    gather(field_of(list)?, list.values(), &rows)
}

fn compact(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let list = lists(args, 0)?;
    // Values without a type are all null and have no mask.
    let nulls = list.values().logical_nulls();
    let rows: Vec<_> = (0..list.len())
        .map(|row| {
            let valid = |at: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*at));
            let kept = range(list, row).filter(valid).map(|at| Some(at as u32));
            list.is_valid(row).then(|| kept.collect())
        })
        .collect();
    gather(field_of(list)?, list.values(), &rows)
}

/// The order of values. Nulls stand where it is said, those inside values below everything else.
fn order_of(values: &ArrayRef, options: SortOptions) -> Result<Vec<u32>> {
    if !values.data_type().is_nested() {
        return Ok(sort_to_indices(values, Some(options), None)?.values().to_vec());
    }
    let inside = SortOptions { descending: options.descending, nulls_first: !options.descending };
    let converter = RowConverter::new(vec![SortField::new_with_options(values.data_type().clone(), inside)])?;
    let rows = converter.convert_columns(std::slice::from_ref(values))?;
    let (mut valid, nulls): (Vec<usize>, Vec<usize>) = (0..values.len()).partition(|at| values.is_valid(*at));
    valid.sort_by_key(|at| rows.row(*at));
    let (first, last) = if options.nulls_first { (nulls, valid) } else { (valid, nulls) };
    Ok(first.into_iter().chain(last).map(|at| at as u32).collect())
}

fn sort_rows(list: &ListArray, options: impl Fn(usize) -> Option<SortOptions>) -> Result<ArrayRef> {
    let rows = (0..list.len())
        .map(|row| {
            let Some(options) = options(row).filter(|_| list.is_valid(row)) else { return Ok(None) };
            let start = range(list, row).start as u32;
            let order = order_of(&normalize(&list.value(row)), options)?;
            Ok(Some(order.into_iter().map(|at| Some(at + start)).collect()))
        })
        .collect::<Result<Vec<_>>>()?;
    gather(field_of(list)?, list.values(), &rows)
}

/// `sort_array(array[, ascending])`: nulls first ascending, last descending.
fn sort_array(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let up = if args.len() > 1 { Some(bools(args, 1)?) } else { None };
    sort_rows(lists(args, 0)?, |row| {
        let ascending = match up {
            Some(up) => up.is_valid(row).then(|| up.value(row))?,
            None => true,
        };
        Some(SortOptions { descending: !ascending, nulls_first: ascending })
    })
}

/// `array_max` and `array_min`: nulls are skipped; null for an empty array.
fn extreme(args: &[ArrayRef], descending: bool) -> Result<ArrayRef> {
    let list = lists(args, 0)?;
    let options = SortOptions { descending, nulls_first: false };
    let rows = (0..list.len())
        .map(|row| {
            if list.is_null(row) {
                return Ok(None);
            }
            let start = range(list, row).start as u32;
            let values = list.value(row);
            let first = match values.data_type().is_nested() {
                true => order_of(&values, options)?.first().copied(),
                false => sort_to_indices(&values, Some(options), Some(1))?.values().first().copied(),
            };
            Ok(first.map(|at| at + start))
        })
        .collect::<Result<UInt32Array>>()?;
    Ok(take(list.values(), &rows, None)?)
}

fn ordered(types: &[DataType]) -> Result<Vec<DataType>> {
    if let Some(given) = types.get(1).filter(|given| !matches!(given, DataType::Boolean | DataType::Null)) {
        return Err(mismatch("sort_array", 1, "\"BOOLEAN\"", given).into());
    }
    super::coerce::coerce("sort_array", &[Arg::Array, Arg::Bool], None, types)
}

/// Array functions.
pub(crate) fn all() -> Vec<SparkFn> {
    const ONE: &[Arg] = &[Arg::Array];
    const TWO: &[Arg] = &[Arg::Array, Arg::Array];
    const WITH: &[Arg] = &[Arg::Array, Arg::Any];
    vec![
        f("array_distinct", ONE, Ret::Same(0), distinct),
        f("array_union", TWO, Ret::Same(0), |_, a| sets(a, |_, _| true, true)).coerce(|t| two_arrays("array_union", t)),
        f("array_intersect", TWO, Ret::Same(0), |_, a| sets(a, |_, b| b, false))
            .coerce(|t| two_arrays("array_intersect", t)),
        f("array_except", TWO, Ret::Same(0), |_, a| sets(a, |_, b| !b, false))
            .coerce(|t| two_arrays("array_except", t)),
        f("arrays_overlap", TWO, Ret::Is(DataType::Boolean), overlap)
            .coerce(|t| two_arrays("arrays_overlap", t))
            .nulls(Nulls::Always),
        f("array_contains", WITH, Ret::Is(DataType::Boolean), contains)
            .coerce(|t| element_pair("array_contains", t, 1, Untyped::Refused))
            .nulls(Nulls::Always),
        f("array_position", WITH, Ret::Is(DataType::Int64), position)
            .coerce(|t| element_pair("array_position", t, 1, Untyped::Refused)),
        f("array_remove", WITH, Ret::Same(0), remove).coerce(|t| element_pair("array_remove", t, 1, Untyped::Refused)),
        f("array_compact", ONE, Ret::Same(0), compact),
        f("sort_array", &[Arg::Array, Arg::Bool], Ret::Same(0), sort_array).min(1).coerce(ordered),
        // array_sort(array): nulls last; with a comparator it is a lambda function.
        f("array_sort", ONE, Ret::Same(0), |_, a| {
            sort_rows(lists(a, 0)?, |_| Some(SortOptions { descending: false, nulls_first: false }))
        }),
        f("array_max", ONE, Ret::Element(0), |_, a| extreme(a, true)).nulls(Nulls::Always),
        f("array_min", ONE, Ret::Element(0), |_, a| extreme(a, false)).nulls(Nulls::Always),
    ]
}
