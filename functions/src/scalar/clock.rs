//! Functions of `TIME`: making, reading, cutting, and its distance and numbers. A time is microseconds of the day.
//!
//! Whether `TIME` may be used at all is the analyzer's business.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int32Array, Int64Array, Time64MicrosecondArray};
use arrow::datatypes::{DataType, Decimal128Type, TimeUnit};
use datafusion::common::Result;

use super::coerce::{self, Arg};
use super::date::clock;
use super::read::{ints, longs, strs, times};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::error::{ErrorKind, SparkError, SparkResult, sql_value};
use crate::time::pattern::Pattern;
use crate::time::{MICROS_PER_DAY, parse_time};

fn time_type() -> DataType {
    DataType::Time64(TimeUnit::Microsecond)
}

fn each(
    values: &Time64MicrosecondArray,
    names: &arrow::array::StringArray,
    work: impl Fn(i64, &str) -> SparkResult<Option<i64>>,
) -> Result<Vec<Option<i64>>> {
    let pairs = values.iter().zip(names);
    pairs.map(|(value, name)| value.zip(name).map_or(Ok(None), |(value, name)| Ok(work(value, name)?))).collect()
}

/// Microseconds of a unit of time; `None` for no such unit.
fn unit(name: &str) -> Option<i64> {
    Some(match name.to_ascii_uppercase().as_str() {
        "HOUR" => 3_600_000_000,
        "MINUTE" => 60_000_000,
        "SECOND" => 1_000_000,
        "MILLISECOND" => 1000,
        "MICROSECOND" => 1,
        _ => return None,
    })
}

fn unit_or_error(name: &str, function: &str) -> SparkResult<i64> {
    unit(name).ok_or_else(|| {
        SparkError::new(
            ErrorKind::IllegalArgument,
            "INVALID_PARAMETER_VALUE.TIME_UNIT",
            &[("parameter", "`unit`"), ("functionName", &format!("`{function}`")), ("invalidValue", &sql_value(name))],
        )
    })
}

/// `make_time(hour, minute, second)`: fails outside the day in every mode.
fn make_time(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (hours, minutes) = (ints(args, 0)?, ints(args, 1)?);
    let seconds = args.get(2).and_then(|a| a.as_primitive_opt::<Decimal128Type>());
    let Some(seconds) = seconds else { return datafusion::common::internal_err!("make_time without seconds") };
    let rows = hours.iter().zip(minutes).zip(seconds);
    let made = rows.map(|((h, m), s)| match (h, m, s) {
        (Some(h), Some(m), Some(s)) => Ok(Some(clock(h, m, s, false)?)),
        _ => Ok(None),
    });
    Ok(Arc::new(made.collect::<Result<Time64MicrosecondArray>>()?))
}

/// `to_time(text[, pattern])`, `try_to_time`: null or an error for a text that is no time.
fn to_time(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let texts = strs(args, 0)?;
    let patterns = if args.len() > 1 { Some(strs(args, 1)?) } else { None };
    let forgiving = call.name.starts_with("try_");
    let mut held: Option<(String, Pattern)> = None;
    let mut out = Vec::with_capacity(texts.len());
    for row in 0..texts.len() {
        if texts.is_null(row) || patterns.is_some_and(|patterns| patterns.is_null(row)) {
            out.push(None);
            continue;
        }
        let text = texts.value(row);
        let (read, shown) = match patterns {
            None => (parse_time(text), "HH:mm:ss.SSSSSS"),
            Some(patterns) => {
                let pattern = patterns.value(row);
                if held.as_ref().is_none_or(|(known, _)| known != pattern) {
                    held = Some((pattern.to_string(), Pattern::for_parse(pattern)?));
                }
                let fields = held.as_ref().and_then(|(_, pattern)| pattern.parse(text));
                (fields.and_then(|fields| fields.micros_of_day()), pattern)
            }
        };
        if read.is_none() && !forgiving {
            let (input, format) = (sql_value(text), sql_value(shown));
            let parameters = [("input", input.as_str()), ("format", format.as_str())];
            return Err(SparkError::new(ErrorKind::DateTime, "CANNOT_PARSE_TIME", &parameters).into());
        }
        out.push(read);
    }
    Ok(Arc::new(Time64MicrosecondArray::from(out)))
}

/// `time_trunc(unit, time)`.
fn time_trunc(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let cut = each(times(args, 1)?, strs(args, 0)?, |time, name| {
        let unit = unit_or_error(name, "time_trunc")?;
        Ok(Some(time - time % unit))
    })?;
    Ok(Arc::new(Time64MicrosecondArray::from(cut)))
}

/// `time_diff(unit, start, end)`: whole units, towards zero.
fn time_diff(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (names, starts, ends) = (strs(args, 0)?, times(args, 1)?, times(args, 2)?);
    let rows = names.iter().zip(starts).zip(ends);
    let out = rows.map(|((name, start), end)| match (name, start, end) {
        (Some(name), Some(start), Some(end)) => Ok(Some((end - start) / unit_or_error(name, "time_diff")?)),
        _ => Ok(None),
    });
    Ok(Arc::new(out.collect::<Result<Int64Array>>()?))
}

fn number(args: &[ArrayRef], unit: i64) -> Result<ArrayRef> {
    Ok(Arc::new(times(args, 0)?.iter().map(|t| t.map(|t| t / unit)).collect::<Int64Array>()))
}

fn part(args: &[ArrayRef], unit: i64, modulo: i64) -> Result<ArrayRef> {
    Ok(Arc::new(times(args, 0)?.iter().map(|t| t.map(|t| (t / unit % modulo) as i32)).collect::<Int32Array>()))
}

/// Seconds as a decimal with six digits after the point; `limit` is what they wrap at.
fn seconds(args: &[ArrayRef], limit: i64, precision: u8) -> Result<ArrayRef> {
    let out: Decimal128Array = times(args, 0)?.iter().map(|t| t.map(|t| i128::from(t % limit))).collect();
    Ok(Arc::new(out.with_precision_and_scale(precision, 6)?))
}

fn within_day(micros: Option<i64>) -> SparkResult<i64> {
    let nanos = micros.map_or_else(String::new, |micros| (i128::from(micros) * 1000).to_string());
    micros.filter(|micros| (0..MICROS_PER_DAY).contains(micros)).ok_or_else(|| {
        super::date::out_of_bounds(&format!(
            "Invalid TIME value: must be between 00:00:00 and 23:59:59.999999999, but got {nanos} nanoseconds"
        ))
    })
}

fn from_whole(args: &[ArrayRef], size: i64) -> Result<ArrayRef> {
    let made = longs(args, 0)?
        .iter()
        .map(|v| v.map(|v| within_day(v.checked_mul(size))).transpose())
        .collect::<SparkResult<Time64MicrosecondArray>>()?;
    Ok(Arc::new(made))
}

/// `time_from_seconds(n)`: whole or with a fraction.
fn from_seconds(args: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(values) = args.first().and_then(|a| a.as_primitive_opt::<Decimal128Type>()) else {
        return from_whole(args, 1_000_000);
    };
    let made = values
        .iter()
        .map(|v| v.map(|v| within_day(i64::try_from(v).ok())).transpose())
        .collect::<SparkResult<Time64MicrosecondArray>>()?;
    Ok(Arc::new(made))
}

/// Functions of the time of day.
pub(crate) fn all() -> Vec<SparkFn> {
    let time = || Ret::Is(time_type());
    let int = || Ret::Is(DataType::Int32);
    let long = || Ret::Is(DataType::Int64);
    const T: &[Arg] = &[Arg::Time];
    const UNIT: &[Arg] = &[Arg::Str, Arg::Time, Arg::Time];
    vec![
        f("make_time", &[Arg::Int, Arg::Int, Arg::Num], time(), make_time).nulls(Nulls::Always).coerce(|types| {
            let mut wanted = coerce::coerce("make_time", &[Arg::Int, Arg::Int, Arg::Num], None, types)?;
            if let Some(seconds) = wanted.get_mut(2) {
                *seconds = DataType::Decimal128(16, 6);
            }
            Ok(wanted)
        }),
        f("to_time", &[Arg::Str, Arg::Str], time(), to_time).min(1).nulls(Nulls::Always).also(&["try_to_time"]),
        f("time_trunc", &[Arg::Str, Arg::Time], time(), time_trunc).nulls(Nulls::Always),
        f("time_diff", UNIT, long(), time_diff).nulls(Nulls::Always),
        f("time_to_seconds", T, Ret::Is(DataType::Decimal128(14, 6)), |_, a| seconds(a, MICROS_PER_DAY, 14)),
        f("time_to_millis", T, long(), |_, a| number(a, 1000)),
        f("time_to_micros", T, long(), |_, a| number(a, 1)),
        f("time_from_seconds", &[Arg::Num], time(), |_, a| from_seconds(a)).nulls(Nulls::Always).coerce(|types| {
            let whole = |t: &DataType| t.is_integer() || matches!(t, DataType::Null);
            Ok(types.iter().map(|t| if whole(t) { DataType::Int64 } else { DataType::Decimal128(16, 6) }).collect())
        }),
        f("time_from_millis", &[Arg::Long], time(), |_, a| from_whole(a, 1000)).nulls(Nulls::Always),
        f("time_from_micros", &[Arg::Long], time(), |_, a| from_whole(a, 1)).nulls(Nulls::Always),
        f("spark_time_hour", T, int(), |_, a| part(a, 3_600_000_000, 24)),
        f("spark_time_minute", T, int(), |_, a| part(a, 60_000_000, 60)),
        f("spark_time_second", T, int(), |_, a| part(a, 1_000_000, 60)),
        f("spark_time_extract_second", T, Ret::Is(DataType::Decimal128(8, 6)), |_, a| seconds(a, 60_000_000, 8)),
    ]
}
