//! Arrays made and reshaped: `array`, `sequence`, `slice`, `flatten`, `array_repeat`, insertions, `arrays_zip`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array, ListArray, StructArray, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type, IntervalUnit};
use datafusion::common::{Result, ScalarValue, internal_err, not_impl_err};

use super::array::{gather, range};
use super::array_types::{Untyped, element_pair};
use super::coerce::{Arg, common, list_of, mismatch};
use super::read::{fail, ints, invalid, lists};
use super::spec::{Call, Nulls, Ret, SparkFn, conform, f};
use crate::error::ErrorKind;

fn element(result: &DataType) -> Result<FieldRef> {
    match result {
        DataType::List(field) => Ok(Arc::clone(field)),
        other => internal_err!("{other} is no array"),
    }
}

/// `array(..)`: never null.
fn array(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let field = element(call.result)?;
    if args.is_empty() {
        let empty = arrow::array::new_empty_array(field.data_type());
        let offsets = OffsetBuffer::from_lengths(vec![0; call.rows]);
        return Ok(Arc::new(ListArray::try_new(field, offsets, empty, None)?));
    }
    let parts = args.iter().map(|a| conform(Arc::clone(a), field.data_type())).collect::<Result<Vec<_>>>()?;
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    let all = arrow::compute::concat(&parts)?;
    let rows = call.rows;
    let order: UInt32Array =
        (0..rows).flat_map(|row| (0..args.len()).map(move |at| (at * rows + row) as u32)).collect();
    let offsets = OffsetBuffer::from_lengths(vec![args.len(); rows]);
    Ok(Arc::new(ListArray::try_new(field, offsets, take(&all, &order, None)?, None)?))
}

/// `concat` of arrays: null if one is.
pub(crate) fn concat_lists(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let all = (0..args.len()).map(|at| lists(args, at)).collect::<Result<Vec<_>>>()?;
    let field = element(call.result)?;
    let values = all.iter().map(|l| conform(Arc::clone(l.values()), field.data_type())).collect::<Result<Vec<_>>>()?;
    let joined = arrow::compute::concat(&values.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
    let rows: Vec<_> = (0..call.rows)
        .map(|row| {
            let mut base = 0;
            let mut out = vec![];
            for list in &all {
                if list.is_null(row) {
                    return None;
                }
                out.extend(range(list, row).map(|at| Some((at + base) as u32)));
                base += list.values().len();
            }
            Some(out)
        })
        .collect();
    gather(field, &joined, &rows)
}

/// `flatten(array<array>)`: null if an inner array is.
fn flatten(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let outer = lists(args, 0)?;
    let Some(inner) = outer.values().as_list_opt::<i32>() else { return internal_err!("flatten") };
    let rows: Vec<_> = (0..outer.len())
        .map(|row| {
            if outer.is_null(row) || range(outer, row).any(|at| inner.is_null(at)) {
                return None;
            }
            Some(range(outer, row).flat_map(|at| range(inner, at)).map(|at| Some(at as u32)).collect())
        })
        .collect();
    gather(element(call.result)?, inner.values(), &rows)
}

/// `slice(array, start, length)`: 1-based, negative from the end; start 0 or a negative length fails.
fn slice(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (list, start, length) = (lists(args, 0)?, ints(args, 1)?, ints(args, 2)?);
    let rows = (0..list.len())
        .map(|row| {
            if list.is_null(row) || start.is_null(row) || length.is_null(row) {
                return Ok(None);
            }
            let (start, length) = (start.value(row), length.value(row));
            if start == 0 {
                return Err(invalid("START", "slice", &[("parameter", "`start`")]));
            }
            if length < 0 {
                let shown = length.to_string();
                return Err(invalid("LENGTH", "slice", &[("parameter", "`length`"), ("length", &shown)]));
            }
            let count = range(list, row).len() as i64;
            let first = if start > 0 { i64::from(start) - 1 } else { count + i64::from(start) };
            if first < 0 || first >= count {
                return Ok(Some(vec![]));
            }
            let base = range(list, row).start as i64 + first;
            Ok(Some((base..base + i64::from(length).min(count - first)).map(|at| Some(at as u32)).collect()))
        })
        .collect::<Result<Vec<_>>>()?;
    gather(element(call.result)?, list.values(), &rows)
}

/// `array_repeat(element, count)`: empty for `count <= 0`.
fn repeat(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let count = ints(args, 1)?;
    let rows: Vec<_> = (0..count.len())
        .map(|row| count.is_valid(row).then(|| vec![Some(row as u32); usize::try_from(count.value(row)).unwrap_or(0)]))
        .collect();
    gather(element(call.result)?, &args[0], &rows)
}

/// `array_append` and `array_prepend`.
fn extend(call: &Call<'_>, args: &[ArrayRef], front: bool) -> Result<ArrayRef> {
    let list = lists(args, 0)?;
    let field = element(call.result)?;
    let value = conform(Arc::clone(&args[1]), field.data_type())?;
    let values = conform(Arc::clone(list.values()), field.data_type())?;
    let both = arrow::compute::concat(&[values.as_ref(), value.as_ref()])?;
    let base = values.len();
    let rows: Vec<_> = (0..list.len())
        .map(|row| {
            list.is_valid(row).then(|| {
                let new = Some((base + row) as u32);
                let old = range(list, row).map(|at| Some(at as u32));
                if front {
                    std::iter::once(new).chain(old).collect()
                } else {
                    old.chain(std::iter::once(new)).collect()
                }
            })
        })
        .collect();
    gather(field, &both, &rows)
}

/// `array_insert(array, pos, value)`: 1-based, -1 appends; beyond the end pads with nulls; 0 fails.
fn insert(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (list, pos) = (lists(args, 0)?, ints(args, 1)?);
    let field = element(call.result)?;
    let value = conform(Arc::clone(&args[2]), field.data_type())?;
    let both = arrow::compute::concat(&[list.values().as_ref(), value.as_ref()])?;
    let base = list.values().len();
    let rows = (0..list.len())
        .map(|row| {
            if list.is_null(row) || pos.is_null(row) {
                return Ok(None);
            }
            let pos = i64::from(pos.value(row));
            if pos == 0 {
                return Err(fail(ErrorKind::ArrayIndex, "INVALID_INDEX_OF_ZERO", &[]));
            }
            let new = Some((base + row) as u32);
            let mut out: Vec<Option<u32>> = range(list, row).map(|at| Some(at as u32)).collect();
            let count = out.len() as i64;
            let at = if pos > 0 { pos - 1 } else { count + pos + 1 };
            if at < 0 {
                let mut padded = vec![new];
                padded.extend(std::iter::repeat_n(None, (-at) as usize));
                padded.extend(out);
                return Ok(Some(padded));
            }
            if at > count {
                out.resize(at as usize, None);
            }
            out.insert(at as usize, new);
            Ok(Some(out))
        })
        .collect::<Result<Vec<_>>>()?;
    gather(field, &both, &rows)
}

/// `arrays_zip(..)`: padded with nulls; null if an array is.
fn zip(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let field = element(call.result)?;
    let DataType::Struct(fields) = field.data_type() else { return internal_err!("arrays_zip") };
    let all = (0..args.len()).map(|at| lists(args, at)).collect::<Result<Vec<_>>>()?;
    let mut lengths = vec![];
    let mut picks: Vec<Vec<Option<u32>>> = vec![vec![]; args.len()];
    for row in 0..call.rows {
        let valid = all.iter().all(|list| list.is_valid(row));
        let longest = if valid { all.iter().map(|list| range(list, row).len()).max().unwrap_or(0) } else { 0 };
        lengths.push((longest, valid));
        for (list, picks) in all.iter().zip(&mut picks) {
            let here = range(list, row);
            picks.extend((0..longest).map(|at| (at < here.len()).then(|| (here.start + at) as u32)));
        }
    }
    let total: usize = lengths.iter().map(|(n, _)| n).sum();
    let columns = all
        .iter()
        .zip(picks)
        .zip(fields)
        .map(|((list, picks), field)| conform(take(list.values(), &UInt32Array::from(picks), None)?, field.data_type()))
        .collect::<Result<Vec<_>>>()?;
    let values = StructArray::try_new_with_length(fields.clone(), columns, None, total)?;
    let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|(n, _)| *n));
    let nulls = NullBuffer::from(lengths.iter().map(|(_, valid)| *valid).collect::<Vec<_>>());
    Ok(Arc::new(ListArray::try_new(field, offsets, Arc::new(values), Some(nulls))?))
}

fn zipped(fields: &[FieldRef], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    let inner: Vec<Field> = fields
        .iter()
        .enumerate()
        .map(|(at, field)| match field.data_type() {
            DataType::List(element) => Field::new(at.to_string(), element.data_type().clone(), true),
            _ => Field::new(at.to_string(), DataType::Null, true),
        })
        .collect();
    Ok(list_of(DataType::Struct(Fields::from(inner)), false))
}

/// Adds whole months to a day, keeping within the month.
pub(crate) fn add_months(day: i32, months: i32) -> Option<i32> {
    use chrono::{Datelike, Months, NaiveDate};
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    let date = epoch.checked_add_signed(chrono::Duration::days(i64::from(day)))?;
    let moved = if months >= 0 {
        date.checked_add_months(Months::new(months as u32))?
    } else {
        date.checked_sub_months(Months::new(months.unsigned_abs()))?
    };
    Some(moved.num_days_from_ce() - epoch.num_days_from_ce())
}

/// A step as months and microseconds.
fn step_of(args: &[ArrayRef], row: usize) -> Result<Option<(i32, i64)>> {
    let Some(step) = args.get(2) else { return Ok(None) };
    Ok(Some(match ScalarValue::try_from_array(step, row)? {
        ScalarValue::IntervalYearMonth(Some(months)) => (months, 0),
        ScalarValue::DurationMicrosecond(Some(micros)) => (0, micros),
        ScalarValue::IntervalMonthDayNano(Some(v)) => {
            (v.months, i64::from(v.days) * 86_400_000_000 + v.nanoseconds / 1000)
        }
        _ => return not_impl_err!("a step of this type"),
    }))
}

fn bad_sequence(start: i64, stop: i64, step: i64) -> datafusion::common::DataFusionError {
    let (start, stop, step) = (start.to_string(), stop.to_string(), step.to_string());
    let parameters =
        [("functionName", "`sequence`"), ("start", start.as_str()), ("stop", stop.as_str()), ("step", step.as_str())];
    fail(ErrorKind::IllegalArgument, "ILLEGAL_SEQUENCE_BOUNDARIES", &parameters)
}

/// The values of one sequence; `month` advances by months from the start.
fn run(start: i64, stop: i64, months: i32, micros: i64, shift: impl Fn(i64, i32) -> Option<i64>) -> Result<Vec<i64>> {
    let sign = if months != 0 { i64::from(months.signum()) } else { micros.signum() };
    if (sign == 0 && start != stop) || (sign > 0 && start > stop) || (sign < 0 && start < stop) {
        return Err(bad_sequence(start, stop, if months != 0 { i64::from(months) } else { micros }));
    }
    let mut out = vec![];
    let mut n: i32 = 0;
    loop {
        let moved = if months != 0 { months.checked_mul(n).and_then(|m| shift(start, m)) } else { Some(start) };
        let at = moved.and_then(|at| micros.checked_mul(i64::from(n)).and_then(|d| at.checked_add(d)));
        match at {
            Some(at) if (sign >= 0 && at <= stop) || (sign < 0 && at >= stop) => out.push(at),
            _ => return Ok(out),
        }
        if sign == 0 {
            return Ok(out);
        }
        n = n.checked_add(1).ok_or_else(|| bad_sequence(start, stop, micros))?;
        if out.len() > 2_147_483_632 / 8 {
            return Err(bad_sequence(start, stop, micros));
        }
    }
}

/// `sequence(start, stop[, step])` of integers, dates and timestamps; both ends included.
fn sequence(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    const DAY: i64 = 86_400_000_000;
    let field = element(call.result)?;
    let date = matches!(field.data_type(), DataType::Date32);
    let stamp = matches!(field.data_type(), DataType::Timestamp(_, _));
    let wide = |at: usize| -> Result<Int64Array> {
        let array = if date { arrow::compute::cast(&args[at], &DataType::Int32)? } else { Arc::clone(&args[at]) };
        let cast = arrow::compute::cast(&array, &DataType::Int64)?;
        cast.as_primitive_opt::<Int64Type>()
            .cloned()
            .ok_or_else(|| datafusion::common::internal_datafusion_err!("sequence"))
    };
    let (start, stop) = (wide(0)?, wide(1)?);
    let step = if args.len() > 2 && !date && !stamp { Some(wide(2)?) } else { None };
    let mut values: Vec<i64> = vec![];
    let mut lengths = vec![];
    for row in 0..start.len() {
        if start.is_null(row) || stop.is_null(row) || args.get(2).is_some_and(|step| step.is_null(row)) {
            lengths.push(None);
            continue;
        }
        let (mut a, mut b) = (start.value(row), stop.value(row));
        let made = if date || stamp {
            if date {
                (a, b) = (a * DAY, b * DAY);
            }
            let (months, micros) = step_of(args, row)?.unwrap_or((0, if a <= b { DAY } else { -DAY }));
            run(a, b, months, micros, |at, months| {
                let day = i32::try_from(at.div_euclid(DAY)).ok()?;
                Some(i64::from(add_months(day, months)?) * DAY + at.rem_euclid(DAY))
            })?
        } else {
            let step = step.as_ref().map_or(if a <= b { 1 } else { -1 }, |step| step.value(row));
            run(a, b, 0, step, |at, _| Some(at))?
        };
        lengths.push(Some(made.len()));
        values.extend(made.into_iter().map(|v| if date { v.div_euclid(DAY) } else { v }));
    }
    let values: ArrayRef = if date {
        Arc::new(values.into_iter().map(|v| i32::try_from(v).ok()).collect::<Date32Array>())
    } else {
        arrow::compute::cast(&(Arc::new(Int64Array::from(values)) as ArrayRef), field.data_type())?
    };
    let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|n| n.unwrap_or(0)));
    let nulls = NullBuffer::from(lengths.iter().map(Option::is_some).collect::<Vec<_>>());
    Ok(Arc::new(ListArray::try_new(field, offsets, values, Some(nulls))?))
}

fn sequence_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let ends = common("sequence", types.get(..2).unwrap_or(types))?;
    if ends.is_integer() {
        let one = common("sequence", types)?;
        return Ok(vec![one; types.len()]);
    }
    let step = match types.get(2) {
        Some(t @ (DataType::Interval(_) | DataType::Duration(_))) => t.clone(),
        _ => DataType::Interval(IntervalUnit::MonthDayNano),
    };
    Ok([ends.clone(), ends, step].into_iter().take(types.len()).collect())
}

/// Functions that build arrays.
pub(crate) fn all() -> Vec<SparkFn> {
    let same_nullable: Ret = Ret::With(|fields, _| match fields.first().map(|field| field.data_type()) {
        Some(DataType::List(element)) => Ok(list_of(element.data_type().clone(), true)),
        _ => Ok(DataType::Null),
    });
    vec![
        f(
            "array",
            &[],
            Ret::With(|fields, _| {
                let element = fields.first().map_or(DataType::Null, |field| field.data_type().clone());
                Ok(list_of(element, fields.iter().any(|field| field.is_nullable())))
            }),
            array,
        )
        .rest(Arg::Any)
        .coerce(|t| Ok(vec![common("array", t)?; t.len()]))
        .nulls(Nulls::Never),
        f("flatten", &[Arg::Array], Ret::Element(0), flatten).nulls(Nulls::Always),
        f("slice", &[Arg::Array, Arg::Int, Arg::Int], Ret::Same(0), slice),
        f(
            "array_repeat",
            &[Arg::Any, Arg::Int],
            Ret::With(|fields, _| {
                Ok(fields.first().map_or(DataType::Null, |v| list_of(v.data_type().clone(), v.is_nullable())))
            }),
            repeat,
        ),
        f("array_append", &[Arg::Array, Arg::Any], same_nullable.clone(), |c, a| extend(c, a, false))
            .coerce(|t| element_pair("array_append", t, 1, Untyped::Element))
            .nulls(Nulls::Always),
        f("array_prepend", &[Arg::Array, Arg::Any], same_nullable.clone(), |c, a| extend(c, a, true))
            .coerce(|t| element_pair("array_prepend", t, 1, Untyped::Element))
            .nulls(Nulls::Always),
        f("array_insert", &[Arg::Array, Arg::Int, Arg::Any], same_nullable, insert)
            .coerce(|t| {
                if let Some(given) = t.get(1).filter(|given| !given.is_integer()) {
                    return Err(mismatch("array_insert", 1, "\"INT\"", given).into());
                }
                let mut out = element_pair("array_insert", t, 2, Untyped::Element)?;
                if let Some(position) = out.get_mut(1) {
                    *position = DataType::Int32;
                }
                Ok(out)
            })
            .nulls(Nulls::Always),
        f("arrays_zip", &[], Ret::With(zipped), zip).rest(Arg::Array),
        f(
            "sequence",
            &[Arg::Any, Arg::Any, Arg::Any],
            Ret::With(|fields, _| {
                Ok(list_of(fields.first().map_or(DataType::Null, |field| field.data_type().clone()), false))
            }),
            sequence,
        )
        .min(2)
        .coerce(sequence_types),
    ]
}
