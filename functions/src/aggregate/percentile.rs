//! `percentile`, `median`, `percentile_cont`, `percentile_disc`, `percentile_approx` and `mode`, computed exactly.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DurationMicrosecondArray, Float64Array, IntervalYearMonthArray, UInt32Array,
};
use arrow::compute::{SortOptions, sort_to_indices, take};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, internal_err};

use super::adapt::list_scalar;
use super::by_double::{from_doubles, to_doubles};
use super::collect::{AtEnd, Gather, lists};
use super::spec::{Agg, AggCall, agg};
use crate::arithmetic::normalize;
use crate::error::ErrorKind;
use crate::scalar::coerce::{Arg, list_of, mismatch, target};
use crate::scalar::hash;
use crate::scalar::read::fail;
use crate::scalar::spec::conform;

fn interval(t: &DataType) -> bool {
    matches!(t, DataType::Interval(_) | DataType::Duration(_))
}

/// What values of a percentile may be: numbers and intervals, and text that is read as a number.
fn exact(types: &[DataType]) -> Result<Vec<DataType>> {
    types
        .iter()
        .enumerate()
        .map(|(at, t)| match (at, t) {
            (0, t) if interval(t) => Ok(t.clone()),
            (0, t) if t.is_numeric() || matches!(t, DataType::Null | DataType::Utf8) => Ok(DataType::Float64),
            (0, other) => {
                let wanted = "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\")";
                Err(mismatch("percentile", 0, wanted, other).into())
            }
            (1, DataType::List(_)) => Ok(list_of(DataType::Float64, false)),
            (2, _) => Ok(DataType::Int64),
            _ => Ok(DataType::Float64),
        })
        .collect()
}

fn approximate(types: &[DataType]) -> Result<Vec<DataType>> {
    types
        .iter()
        .enumerate()
        .map(|(at, t)| match (at, t) {
            (0, DataType::Utf8 | DataType::Null) => Ok(DataType::Float64),
            (0, DataType::Boolean | DataType::Binary) => {
                let wanted = "(\"NUMERIC\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \
                              \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")";
                Err(mismatch("percentile_approx", 0, wanted, t).into())
            }
            (0, t) => Ok(target(Arg::Any, t).unwrap_or_else(|| t.clone())),
            (1, DataType::List(_)) => Ok(list_of(DataType::Float64, false)),
            (1, _) => Ok(DataType::Float64),
            _ => Ok(DataType::Int64),
        })
        .collect()
}

fn shaped(types: &[DataType]) -> Result<DataType> {
    let one = types.first().cloned().unwrap_or(DataType::Null);
    Ok(if matches!(types.get(1), Some(DataType::List(_))) { list_of(one, false) } else { one })
}

fn same(types: &[DataType]) -> Result<DataType> {
    Ok(types.first().cloned().unwrap_or(DataType::Null))
}

macro_rules! at_end {
    ($work:expr) => {
        |call: &AggCall| Ok(Box::new(AtEnd(Gather::new(call), $work)))
    };
}

/// Nulls are skipped; null on no rows; a fraction outside `[0, 1]` fails.
pub(crate) fn all() -> Vec<Agg> {
    const THREE: &[Arg] = &[Arg::Any, Arg::Any, Arg::Any];
    const TWO: &[Arg] = &[Arg::Any, Arg::Any];
    vec![
        // percentile(expr, fraction or array[, frequency]): interpolated.
        agg("percentile", THREE, shaped, lists, at_end!(|g| interpolated(g, None))).min(2).coerce(exact),
        // median(expr): percentile(expr, 0.5).
        agg("median", &[Arg::Any], same, lists, at_end!(|g| interpolated(g, Some(0.5)))).coerce(exact),
        // percentile_cont/percentile_disc(fraction) WITHIN GROUP (ORDER BY expr): called as (expr, fraction).
        agg("percentile_cont", TWO, shaped, lists, at_end!(|g| interpolated(g, None))).coerce(exact).within(),
        agg("percentile_disc", TWO, shaped, lists, at_end!(|g| discrete(g, false))).coerce(exact).within(),
        // The same and `mode` for a descending order, which counts from the other end.
        agg("spark_percentile_disc_descending", TWO, shaped, lists, at_end!(|g| discrete(g, true)))
            .coerce(exact)
            .within(),
        agg("spark_mode_descending", &[Arg::Any], same, lists, at_end!(|g| mode(g, true))),
        // percentile_approx(expr, fraction or array[, accuracy]): the exact answer satisfies every accuracy.
        agg("percentile_approx", THREE, shaped, lists, at_end!(approximated))
            .min(2)
            .coerce(approximate)
            .also(&["approx_percentile"]),
        // mode(expr): the most frequent value; ties by the smallest.
        agg("mode", &[Arg::Any], same, lists, at_end!(|g| mode(g, false))),
        // The same with ties by the order of Spark's hash table, which is what it has no other word for.
        agg("spark_mode_any", &[Arg::Any], same, lists, at_end!(any_mode)),
    ]
}

struct Sorted {
    values: ArrayRef,
    /// Rows up to and including each sorted one, by frequency.
    ends: Vec<i64>,
}

fn sorted(gather: &Gather) -> Result<Sorted> {
    let column = gather.column(0)?;
    let options = SortOptions { descending: gather.descending, nulls_first: true };
    let order = sort_to_indices(&column, Some(options), None)?;
    let weights = match gather.types.get(2) {
        Some(DataType::Int64) => Some(gather.column(2)?),
        _ => None,
    };
    let weight = |row: u32| match weights.as_ref().and_then(|w| w.as_primitive_opt::<Int64Type>()) {
        Some(weights) if weights.is_valid(row as usize) => weights.value(row as usize),
        Some(_) => 0,
        None => 1,
    };
    let mut total = 0_i64;
    let mut ends = Vec::with_capacity(order.len());
    for row in order.values() {
        let weight = weight(*row);
        if weight < 0 {
            let shown = weight.to_string();
            return Err(fail(
                ErrorKind::Runtime,
                "INVALID_PARAMETER_VALUE.LONG",
                &[("parameter", "`frequency`"), ("functionName", "`percentile`"), ("invalidValue", &shown)],
            ));
        }
        total += weight;
        ends.push(total);
    }
    Ok(Sorted { values: take(&column, &order, None)?, ends })
}

fn fractions(gather: &Gather) -> Result<Option<(Vec<f64>, bool)>> {
    let column = gather.column(1)?;
    if column.is_empty() {
        return Ok(None);
    }
    let (values, many) = match column.as_list_opt::<i32>() {
        Some(list) => (list.value(0), true),
        None => (column.slice(0, 1), false),
    };
    let Some(values) = values.as_primitive_opt::<Float64Type>() else { return internal_err!("percentile fraction") };
    let out: Vec<f64> = values.iter().flatten().collect();
    if let Some(bad) = out.iter().find(|fraction| !(0.0..=1.0).contains(*fraction)) {
        let shown = bad.to_string();
        return Err(fail(
            ErrorKind::Analysis,
            "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
            &[
                ("sqlExpr", "\"percentile\""),
                ("exprName", "percentage"),
                ("valueRange", "[0.0, 1.0]"),
                ("currentValue", &shown),
            ],
        ));
    }
    Ok(Some((out, many)))
}

fn interpolated(gather: &Gather, fixed: Option<f64>) -> Result<ScalarValue> {
    let null = || ScalarValue::try_from(&gather.result);
    let (wanted, many) = match fixed {
        Some(fraction) => (vec![fraction], false),
        None => match fractions(gather)? {
            Some(found) => found,
            None => return null(),
        },
    };
    let sorted = sorted(gather)?;
    let total = sorted.ends.last().copied().unwrap_or(0);
    if total == 0 {
        return null();
    }
    let values = to_doubles(&sorted.values)?;
    let at = |position: i64| {
        let index = sorted.ends.partition_point(|end| *end <= position);
        values.value(index.min(values.len().saturating_sub(1)))
    };
    let computed: Vec<f64> = wanted
        .iter()
        .map(|fraction| {
            let position = (total - 1) as f64 * fraction;
            let (low, high) = (position.floor(), position.ceil());
            let (a, b) = (at(low as i64), at(high as i64));
            if low == high || a == b { a } else { a + (position - low) * (b - a) }
        })
        .collect();
    let made: ArrayRef = match gather.types.first() {
        Some(DataType::Interval(_)) => {
            Arc::new(computed.iter().map(|v| Some(*v as i32)).collect::<IntervalYearMonthArray>())
        }
        Some(DataType::Duration(_)) => {
            Arc::new(computed.iter().map(|v| Some(*v as i64)).collect::<DurationMicrosecondArray>())
        }
        _ => Arc::new(Float64Array::from(computed)),
    };
    finish(made, many, &gather.result)
}

fn finish(values: ArrayRef, many: bool, result: &DataType) -> Result<ScalarValue> {
    if many {
        if values.is_empty() {
            return ScalarValue::try_from(result);
        }
        return ScalarValue::try_from_array(&conform(list_scalar(values).to_array()?, result)?, 0);
    }
    ScalarValue::try_from_array(&values, 0)
}

fn discrete(gather: &Gather, descending: bool) -> Result<ScalarValue> {
    chosen(gather, descending, Ok)
}

/// Values went through doubles, of which Spark's summary is made.
fn approximated(gather: &Gather) -> Result<ScalarValue> {
    chosen(gather, false, |values| {
        let doubles = to_doubles(&values)?;
        from_doubles(&doubles, values.data_type())
    })
}

fn chosen(gather: &Gather, descending: bool, shown: fn(ArrayRef) -> Result<ArrayRef>) -> Result<ScalarValue> {
    let Some((wanted, many)) = fractions(gather)? else { return ScalarValue::try_from(&gather.result) };
    let column = gather.column(0)?;
    let options = SortOptions { descending, nulls_first: true };
    let order = sort_to_indices(&column, Some(options), None)?;
    let values = take(&column, &order, None)?;
    let rows: Vec<u32> =
        wanted.iter().map(|fraction| ((fraction * values.len() as f64).ceil() as u32).saturating_sub(1)).collect();
    finish(shown(take(&values, &UInt32Array::from(rows), None)?)?, many, &gather.result)
}

/// Java's `hashCode` of a value, where Spark's table is known to use it.
fn java_hash(value: &ScalarValue) -> Option<i32> {
    let long = |value: i64| (value ^ ((value as u64) >> 32) as i64) as i32;
    Some(match value {
        ScalarValue::Boolean(Some(value)) => {
            if *value {
                1231
            } else {
                1237
            }
        }
        ScalarValue::Int8(Some(value)) => i32::from(*value),
        ScalarValue::Int16(Some(value)) => i32::from(*value),
        ScalarValue::Int32(Some(value)) | ScalarValue::Date32(Some(value)) => *value,
        ScalarValue::Int64(Some(value))
        | ScalarValue::TimestampMicrosecond(Some(value), _)
        | ScalarValue::DurationMicrosecond(Some(value)) => long(*value),
        ScalarValue::Float32(Some(value)) => value.to_bits() as i32,
        ScalarValue::Float64(Some(value)) => long(value.to_bits() as i64),
        ScalarValue::Utf8(Some(text)) => hash::bytes(text.as_bytes(), 42) as i32,
        _ => return None,
    })
}

fn any_mode(gather: &Gather) -> Result<ScalarValue> {
    let column = normalize(&gather.column(0)?);
    let mut counts: HashMap<ScalarValue, i64> = HashMap::new();
    for row in 0..column.len() {
        *counts.entry(ScalarValue::try_from_array(&column, row)?).or_default() += 1;
    }
    // The table doubles from 64 places when seven tenths are taken.
    let mut places = 64_usize;
    while counts.len() * 10 > places * 7 {
        places *= 2;
    }
    let place = |value: &ScalarValue| java_hash(value).map(|code| hash::int(code, 0) as usize & (places - 1));
    let best = counts.into_iter().max_by(|(a, m), (b, n)| {
        let tie = b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal);
        m.cmp(n).then_with(|| place(b).cmp(&place(a))).then(tie)
    });
    best.map_or_else(|| ScalarValue::try_from(&gather.result), |(value, _)| Ok(value))
}

fn mode(gather: &Gather, descending: bool) -> Result<ScalarValue> {
    let column = normalize(&gather.column(0)?);
    let mut counts: HashMap<ScalarValue, i64> = HashMap::new();
    for row in 0..column.len() {
        *counts.entry(ScalarValue::try_from_array(&column, row)?).or_default() += 1;
    }
    let best = counts.into_iter().max_by(|(a, m), (b, n)| {
        let tie = b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal);
        m.cmp(n).then(if descending { tie.reverse() } else { tie })
    });
    best.map_or_else(|| ScalarValue::try_from(&gather.result), |(value, _)| Ok(value))
}
