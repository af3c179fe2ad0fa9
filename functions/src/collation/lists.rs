//! Functions over several collated strings: sets of arrays, order in arrays, greatest and least. Each takes the collation's
//! name as its last argument. Of equal strings the first stands for all.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::Collation;
use super::key::key_of;
use crate::error::{SparkError, SparkResult};
use crate::scalar::coerce::Arg;
use crate::scalar::read::{bools, lists, strs};
use crate::scalar::spec::{Call, Nulls, Ret, SparkFn, f};

const ONE: &[Arg] = &[Arg::Array, Arg::Str];
const TWO: &[Arg] = &[Arg::Array, Arg::Array, Arg::Str];
const TEXT: Ret = Ret::Is(DataType::Utf8);

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    let all = [
        f("spark_collated_array_distinct", ONE, Ret::Same(0), distinct),
        f("spark_collated_array_union", TWO, Ret::Same(0), union),
        f("spark_collated_array_intersect", TWO, Ret::Same(0), intersect),
        f("spark_collated_array_except", TWO, Ret::Same(0), except),
        f("spark_collated_array_remove", &[Arg::Array, Arg::Str, Arg::Str], Ret::Same(0), remove),
        f("spark_collated_array_sort", ONE, Ret::Same(0), array_sort),
        f("spark_collated_sort_array", &[Arg::Array, Arg::Bool, Arg::Str], Ret::Same(0), sort_array),
        f("spark_collated_array_max", ONE, TEXT, |call, args| extreme(call, args, true)).nulls(Nulls::Always),
        f("spark_collated_array_min", ONE, TEXT, |call, args| extreme(call, args, false)).nulls(Nulls::Always),
        f("spark_collated_greatest", &[], TEXT, |call, args| best(call, args, true)).rest(Arg::Str).nulls(Nulls::All),
        f("spark_collated_least", &[], TEXT, |call, args| best(call, args, false)).rest(Arg::Str).nulls(Nulls::All),
    ];
    all.into_iter().flat_map(SparkFn::build).collect()
}

/// A string with its key; null has none.
type Keyed = Option<(String, String)>;

fn keyed(text: Option<&str>, collation: Collation) -> SparkResult<Keyed> {
    text.map(|text| Ok((key_of(text, collation)?, text.to_owned()))).transpose()
}

fn row(list: &ListArray, row: usize, collation: Collation) -> Result<Option<Vec<Keyed>>> {
    if list.is_null(row) {
        return Ok(None);
    }
    let values = list.value(row);
    let Some(texts) = values.as_string_opt::<i32>() else {
        return Err(SparkError::unsupported("this function over arrays of other than collated strings").into());
    };
    Ok(Some(texts.iter().map(|text| keyed(text, collation)).collect::<SparkResult<_>>()?))
}

fn collation(args: &[ArrayRef]) -> Result<Collation> {
    super::strings::collation(args)
}

/// Builds a list for each row.
fn build(args: &[ArrayRef], mut work: impl FnMut(usize, Collation) -> Result<Option<Vec<Keyed>>>) -> Result<ArrayRef> {
    let collation = collation(args)?;
    let rows = lists(args, 0)?.len();
    let mut out = ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
    for row in 0..rows {
        match work(row, collation)? {
            Some(values) => {
                values.into_iter().for_each(|value| out.values().append_option(value.map(|(_, text)| text)));
                out.append(true);
            }
            None => out.append(false),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// What a string is compared by; null equals null.
fn key(value: &Keyed) -> Option<String> {
    value.as_ref().map(|(key, _)| key.clone())
}

fn first_of_each(values: impl IntoIterator<Item = Keyed>) -> Vec<Keyed> {
    let mut seen = HashSet::new();
    values.into_iter().filter(|value| seen.insert(key(value))).collect()
}

/// `array_distinct(array)`.
fn distinct(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let list = lists(args, 0)?;
    build(args, |at, c| Ok(row(list, at, c)?.map(first_of_each)))
}

fn two(args: &[ArrayRef], work: fn(Vec<Keyed>, Vec<Keyed>) -> Vec<Keyed>) -> Result<ArrayRef> {
    let (left, right) = (lists(args, 0)?, lists(args, 1)?);
    build(args, |at, c| Ok(row(left, at, c)?.zip(row(right, at, c)?).map(|(left, right)| work(left, right))))
}

/// `array_union(a, b)`.
fn union(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    two(args, |left, right| first_of_each(left.into_iter().chain(right)))
}

/// `array_intersect(a, b)`.
fn intersect(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    two(args, |left, right| {
        let known: HashSet<_> = right.iter().map(key).collect();
        first_of_each(left.into_iter().filter(|value| known.contains(&key(value))))
    })
}

/// `array_except(a, b)`.
fn except(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    two(args, |left, right| {
        let known: HashSet<_> = right.iter().map(key).collect();
        first_of_each(left.into_iter().filter(|value| !known.contains(&key(value))))
    })
}

/// `array_remove(array, value)`: null for a null value.
fn remove(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (list, value) = (lists(args, 0)?, strs(args, 1)?);
    build(args, |at, c| {
        if value.is_null(at) {
            return Ok(None);
        }
        let unwanted = Some(key_of(value.value(at), c)?);
        Ok(row(list, at, c)?.map(|values| values.into_iter().filter(|value| key(value) != unwanted).collect()))
    })
}

/// `array_sort(array)`: nulls last.
fn array_sort(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let list = lists(args, 0)?;
    build(args, |at, c| {
        Ok(row(list, at, c)?.map(|mut values| {
            values.sort_by_key(|value| (value.is_none(), key(value)));
            values
        }))
    })
}

/// `sort_array(array, ascending)`: nulls first, or last when descending.
fn sort_array(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (list, ascending) = (lists(args, 0)?, bools(args, 1)?);
    build(args, |at, c| {
        if ascending.is_null(at) {
            return Ok(None);
        }
        Ok(row(list, at, c)?.map(|mut values| {
            match ascending.value(at) {
                true => values.sort_by_key(key),
                false => values.sort_by_key(|value| std::cmp::Reverse(key(value))),
            }
            values
        }))
    })
}

fn pick(values: impl Iterator<Item = (String, String)>, most: bool) -> Option<String> {
    let mut best: Option<(String, String)> = None;
    for value in values {
        let better = best.as_ref().is_none_or(|best| if most { value.0 > best.0 } else { value.0 < best.0 });
        if better {
            best = Some(value);
        }
    }
    best.map(|(_, text)| text)
}

fn extreme(_: &Call<'_>, args: &[ArrayRef], most: bool) -> Result<ArrayRef> {
    let (list, collation) = (lists(args, 0)?, collation(args)?);
    let rows = (0..list.len())
        .map(|at| Ok(row(list, at, collation)?.and_then(|values| pick(values.into_iter().flatten(), most))));
    Ok(Arc::new(rows.collect::<Result<StringArray>>()?))
}

/// `greatest` and `least`: nulls do not count.
fn best(call: &Call<'_>, args: &[ArrayRef], most: bool) -> Result<ArrayRef> {
    let collation = collation(args)?;
    let columns = (0..args.len().saturating_sub(1)).map(|at| strs(args, at)).collect::<Result<Vec<_>>>()?;
    let rows = (0..call.rows).map(|at| {
        let values = columns.iter().filter(|column| column.is_valid(at)).map(|column| {
            let text = column.value(at);
            Ok((key_of(text, collation)?, text.to_owned()))
        });
        Ok(pick(values.collect::<SparkResult<Vec<_>>>()?.into_iter(), most))
    });
    Ok(Arc::new(rows.collect::<Result<StringArray>>()?))
}
