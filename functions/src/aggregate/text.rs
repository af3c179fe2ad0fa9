//! `listagg` / `string_agg`: strings or binaries joined by a delimiter, in the order of keys or as rows come.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{SortColumn, SortOptions, lexsort_to_indices, take};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, internal_err};

use super::collect::{AtEnd, Gather, lists};
use super::spec::{Agg, agg};
use crate::scalar::coerce::Arg;

fn same(types: &[DataType]) -> Result<DataType> {
    Ok(types.first().cloned().unwrap_or(DataType::Utf8))
}

fn join(gather: &Gather) -> Result<ScalarValue> {
    joined(gather, gather.column(0)?)
}

/// The values in the order of the keys, whose directions come as two letters each: `a` or `d`, and `f` or `l` for nulls.
fn join_sorted(gather: &Gather) -> Result<ScalarValue> {
    let values = gather.column(0)?;
    let directions = gather.column(2)?;
    let directions = directions.as_string_opt::<i32>().filter(|all| !all.is_empty()).map_or("", |all| all.value(0));
    let keys = directions
        .as_bytes()
        .chunks(2)
        .enumerate()
        .map(|(at, letters)| {
            let options =
                SortOptions { descending: letters.first() == Some(&b'd'), nulls_first: letters.get(1) == Some(&b'f') };
            Ok(SortColumn { values: gather.column(3 + at)?, options: Some(options) })
        })
        .collect::<Result<Vec<_>>>()?;
    if values.is_empty() || keys.is_empty() {
        return joined(gather, values);
    }
    let order = lexsort_to_indices(&keys, None)?;
    joined(gather, take(&values, &order, None)?)
}

fn joined(gather: &Gather, values: ArrayRef) -> Result<ScalarValue> {
    if values.is_empty() {
        return ScalarValue::try_from(&gather.result);
    }
    let between = if gather.types.len() > 1 { Some(gather.column(1)?) } else { None };
    if let Some(values) = values.as_string_opt::<i32>() {
        let between = between.as_ref().and_then(|b| b.as_string_opt::<i32>());
        let between = between.filter(|b| b.is_valid(0)).map_or("", |b| b.value(0));
        let all: Vec<&str> = values.iter().flatten().collect();
        return Ok(ScalarValue::from(all.join(between)));
    }
    let Some(values) = values.as_binary_opt::<i32>() else { return internal_err!("listagg") };
    let between = between.as_ref().and_then(|b| b.as_binary_opt::<i32>());
    let between: &[u8] = between.filter(|b| b.is_valid(0)).map_or(&[], |b| b.value(0));
    let all: Vec<&[u8]> = values.iter().flatten().collect();
    Ok(ScalarValue::Binary(Some(all.join(between))))
}

/// `listagg(expr[, delimiter])`: nulls are skipped; null on no rows.
pub(crate) fn all() -> Vec<Agg> {
    const ARGS: &[Arg] = &[Arg::StrOrBin, Arg::StrOrBin];
    vec![
        agg("listagg", ARGS, same, lists, |call| Ok(Box::new(AtEnd(Gather::new(call), join))))
            .min(1)
            .ordered()
            .also(&["string_agg"]),
        // `WITHIN GROUP`: the directions of the keys, then the keys.
        agg("spark_listagg_sorted", &[Arg::StrOrBin, Arg::StrOrBin, Arg::Str], same, lists, |call| {
            Ok(Box::new(AtEnd(Gather::new(call), join_sorted)))
        })
        .rest(Arg::Any),
    ]
}
