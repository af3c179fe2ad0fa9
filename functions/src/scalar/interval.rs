//! Intervals made of their parts, and the parts of intervals.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, DurationMicrosecondArray, Int8Array, Int32Array,
    IntervalMonthDayNanoArray, IntervalYearMonthArray,
};
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, TimeUnit,
};
use datafusion::common::{Result, internal_err};

use super::coerce::{self, Arg};
use super::read::ints;
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::error::SparkError;
use crate::time::MICROS_PER_DAY;

const HOUR: i64 = 3_600_000_000;
const MINUTE: i64 = 60_000_000;

fn rows(call: &Call<'_>, args: &[ArrayRef]) -> usize {
    args.first().map_or(call.rows, |first| first.len())
}

/// Whole parts of a row, 0 where an argument was not given; `None` if one is null.
fn parts<const N: usize>(args: &[ArrayRef], row: usize) -> Result<Option<[i64; N]>> {
    let mut out = [0; N];
    for (at, slot) in out.iter_mut().enumerate().take(args.len()) {
        let values = ints(args, at)?;
        if values.is_null(row) {
            return Ok(None);
        }
        *slot = i64::from(values.value(row));
    }
    Ok(Some(out))
}

/// Seconds with six decimals as microseconds, 0 if not given.
fn seconds(args: &[ArrayRef], at: usize, row: usize) -> Result<Option<i128>> {
    let Some(array) = args.get(at) else { return Ok(Some(0)) };
    let Some(values) = array.as_primitive_opt::<Decimal128Type>() else {
        return internal_err!("seconds of an interval are no decimal");
    };
    Ok(values.is_valid(row).then(|| values.value(row)))
}

fn calendar(parts: [i64; 6], seconds: i128) -> Option<(i32, i32, i64)> {
    let [years, months, weeks, days, hours, minutes] = parts;
    let months = i32::try_from(years.checked_mul(12)?.checked_add(months)?).ok()?;
    let days = i32::try_from(weeks.checked_mul(7)?.checked_add(days)?).ok()?;
    let clock = hours.checked_mul(HOUR)?.checked_add(minutes.checked_mul(MINUTE)?)?;
    Some((months, days, clock.checked_add(i64::try_from(seconds).ok()?)?))
}

/// `make_interval([years, months, weeks, days, hours, minutes, seconds])`: what does not fit is null without ANSI and in
/// `try_make_interval`.
fn make_interval(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let strict = call.options.ansi && !call.name.starts_with("try_");
    let whole = args.get(..args.len().min(6)).unwrap_or(args);
    let mut out = Vec::with_capacity(rows(call, args));
    for row in 0..rows(call, args) {
        let (Some(parts), Some(seconds)) = (parts::<6>(whole, row)?, seconds(args, 6, row)?) else {
            out.push(None);
            continue;
        };
        let Some((months, days, micros)) = calendar(parts, seconds) else {
            if strict {
                return Err(SparkError::arithmetic_overflow("overflow", "").into());
            }
            out.push(None);
            continue;
        };
        // Arrow's intervals count nanoseconds, so that fewer microseconds fit than in Spark's own.
        let nanos = micros.checked_mul(1000).ok_or_else(|| {
            let value = crate::time::interval::Calendar { months, days, micros };
            SparkError::datetime_overflow(&format!("write the interval value {value} as Arrow Interval"))
        })?;
        out.push(Some(IntervalMonthDayNano::new(months, days, nanos)));
    }
    Ok(Arc::new(IntervalMonthDayNanoArray::from(out)))
}

/// `make_dt_interval([days, hours, minutes, seconds])`: fails in every mode where it does not fit.
fn make_dt_interval(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let whole = args.get(..args.len().min(3)).unwrap_or(args);
    let sum = |[days, hours, minutes]: [i64; 3], seconds: i128| {
        let clock = hours.checked_mul(HOUR)?.checked_add(minutes.checked_mul(MINUTE)?)?;
        let total = days.checked_mul(MICROS_PER_DAY)?.checked_add(clock)?;
        total.checked_add(i64::try_from(seconds).ok()?)
    };
    let mut out = Vec::with_capacity(rows(call, args));
    for row in 0..rows(call, args) {
        out.push(match (parts::<3>(whole, row)?, seconds(args, 3, row)?) {
            (Some(parts), Some(seconds)) => Some(sum(parts, seconds).ok_or_else(|| SparkError::interval_overflow(""))?),
            _ => None,
        });
    }
    Ok(Arc::new(DurationMicrosecondArray::from(out)))
}

/// `make_ym_interval([years, months])`: fails in every mode where it does not fit.
fn make_ym_interval(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut out = Vec::with_capacity(rows(call, args));
    for row in 0..rows(call, args) {
        out.push(match parts::<2>(args, row)? {
            Some([years, months]) => {
                Some(i32::try_from(years * 12 + months).map_err(|_| SparkError::interval_overflow(""))?)
            }
            None => None,
        });
    }
    Ok(Arc::new(IntervalYearMonthArray::from(out)))
}

fn with_seconds(types: &[DataType], at: usize) -> Result<Vec<DataType>> {
    let numbers = vec![Arg::Int; types.len()];
    let mut wanted = coerce::coerce("make_interval", &numbers, None, types)?;
    if let Some(seconds) = wanted.get_mut(at) {
        *seconds = DataType::Decimal128(18, 6);
    }
    Ok(wanted)
}

/// Months, days and microseconds of any interval.
fn split(array: &ArrayRef) -> Result<Vec<Option<(i32, i32, i64)>>> {
    if let Some(months) = array.as_primitive_opt::<IntervalYearMonthType>() {
        return Ok(months.iter().map(|v| v.map(|v| (v, 0, 0))).collect());
    }
    if let Some(micros) = array.as_primitive_opt::<DurationMicrosecondType>() {
        return Ok(micros.iter().map(|v| v.map(|v| (0, 0, v))).collect());
    }
    match array.as_primitive_opt::<IntervalMonthDayNanoType>() {
        Some(values) => Ok(values.iter().map(|v| v.map(|v| (v.months, v.days, v.nanoseconds / 1000))).collect()),
        None => internal_err!("an argument is no interval"),
    }
}

fn whole(args: &[ArrayRef], part: fn((i32, i32, i64)) -> i32) -> Result<ArrayRef> {
    Ok(Arc::new(split(&args[0])?.into_iter().map(|v| v.map(part)).collect::<Int32Array>()))
}

fn small(args: &[ArrayRef], part: fn((i32, i32, i64)) -> i8) -> Result<ArrayRef> {
    Ok(Arc::new(split(&args[0])?.into_iter().map(|v| v.map(part)).collect::<Int8Array>()))
}

fn span(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [one @ (DataType::Interval(_) | DataType::Duration(_))] => Ok(vec![one.clone()]),
        [other] => Err(coerce::mismatch("extract", 0, "\"INTERVAL\"", other).into()),
        _ => internal_err!("one interval expected"),
    }
}

/// Functions of intervals. `spark_interval_*` serve `extract` and `date_part`, which the analyzer maps by field.
pub(crate) fn all() -> Vec<SparkFn> {
    const ANY: &[Arg] = &[Arg::Any];
    const YM: &[Arg] = &[Arg::Int, Arg::Int];
    const DT: &[Arg] = &[Arg::Int, Arg::Int, Arg::Int, Arg::Num];
    const ALL: &[Arg] = &[Arg::Int, Arg::Int, Arg::Int, Arg::Int, Arg::Int, Arg::Int, Arg::Num];
    let int = || Ret::Is(DataType::Int32);
    let byte = || Ret::Is(DataType::Int8);
    let month_day_nano = Ret::Is(DataType::Interval(IntervalUnit::MonthDayNano));
    vec![
        f("make_interval", ALL, month_day_nano, make_interval)
            .min(0)
            .coerce(|types| with_seconds(types, 6))
            .nulls(Nulls::Always)
            .also(&["try_make_interval"]),
        f("make_dt_interval", DT, Ret::Is(DataType::Duration(TimeUnit::Microsecond)), make_dt_interval)
            .min(0)
            .coerce(|types| with_seconds(types, 3)),
        f("make_ym_interval", YM, Ret::Is(DataType::Interval(IntervalUnit::YearMonth)), make_ym_interval).min(0),
        f("spark_interval_years", ANY, int(), |_, a| whole(a, |(months, _, _)| months / 12)).coerce(span),
        f("spark_interval_months", ANY, byte(), |_, a| small(a, |(months, _, _)| (months % 12) as i8)).coerce(span),
        f("spark_interval_days", ANY, int(), |_, a| {
            whole(a, |(_, days, micros)| days.saturating_add((micros / MICROS_PER_DAY) as i32))
        })
        .coerce(span),
        f("spark_interval_hours", ANY, byte(), |_, a| small(a, |(_, _, v)| (v % MICROS_PER_DAY / HOUR) as i8))
            .coerce(span),
        f("spark_interval_minutes", ANY, byte(), |_, a| small(a, |(_, _, v)| (v % HOUR / MINUTE) as i8)).coerce(span),
        f("spark_interval_seconds", ANY, Ret::Is(DataType::Decimal128(8, 6)), |_, a| {
            let seconds = split(&a[0])?.into_iter().map(|v| v.map(|(_, _, v)| i128::from(v % MINUTE)));
            Ok(Arc::new(seconds.collect::<Decimal128Array>().with_precision_and_scale(8, 6)?))
        })
        .coerce(span),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_interval_add_up_or_overflow() {
        assert_eq!(calendar([1, 2, 3, 4, 5, 6], 7_500_000), Some((14, 25, 5 * HOUR + 6 * MINUTE + 7_500_000)));
        assert_eq!(calendar([i64::from(i32::MAX), 0, 0, 0, 0, 0], 0), None);
    }
}
