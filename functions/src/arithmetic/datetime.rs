//! Arithmetic with dates, timestamps, times and intervals. Days and months move on the calendar of the session zone.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float64Type, Int32Type, Int64Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType, IntervalYearMonthType, Time64MicrosecondType, TimestampMicrosecondType,
};

use super::Op;
use super::kernel::{by_row, total};
use crate::cast::decimal_parts::power_of_ten;
use crate::cast::{CastMode, cast_array, primitive};
use crate::error::{SparkError, SparkResult};
use crate::time::civil::add_months;
use crate::time::{MICROS_PER_DAY, Zone};
use crate::types::DataType;

type Side<'a> = (&'a ArrayRef, &'a DataType);

pub(super) fn compute(
    op: Op,
    (left, left_type): Side<'_>,
    (right, right_type): Side<'_>,
    result: &DataType,
    mode: CastMode,
    zone: &Zone,
) -> SparkResult<ArrayRef> {
    use DataType as T;
    // Overflow of dates and intervals is an error even without ANSI; only try functions forgive it.
    let strict = if mode == CastMode::Try { CastMode::Try } else { CastMode::Ansi };
    let sign = if op == Op::Subtract { -1 } else { 1 };
    let overflow = || SparkError::datetime_overflow(if sign < 0 { "subtract an interval" } else { "add an interval" });
    match (left_type, right_type) {
        (T::Date, T::Integer) => {
            // Days beyond the range of a date wrap, as Java's sum of whole numbers does.
            total::<Date32Type, Int32Type, Date32Type>(left, right, result, |l, r| l.wrapping_add(r.wrapping_mul(sign)))
        }
        (T::Date, T::Date) => by_row::<Date32Type, Date32Type, DurationMicrosecondType>(
            left,
            right,
            result,
            strict,
            |l, r| (i64::from(l) - i64::from(r)).checked_mul(MICROS_PER_DAY),
            |_, _| SparkError::interval_overflow(""),
        ),
        (T::Date, T::YearMonthInterval(..)) => by_row::<Date32Type, IntervalYearMonthType, Date32Type>(
            left,
            right,
            result,
            strict,
            |l, r| add_months(l, r.checked_mul(sign)?),
            |_, _| SparkError::arithmetic_overflow("integer overflow", ""),
        ),
        (T::Date, T::DayTimeInterval(..)) => by_row::<Date32Type, DurationMicrosecondType, Date32Type>(
            left,
            right,
            result,
            strict,
            |l, r| l.checked_add(i32::try_from(r / MICROS_PER_DAY * i64::from(sign)).ok()?),
            |_, _| overflow(),
        ),
        (T::Date, T::CalendarInterval) => date_and_calendar(left, right, result, sign, mode),
        (T::Timestamp | T::TimestampNtz, T::Timestamp | T::TimestampNtz) => {
            let local = |v: i64| if *left_type == T::Timestamp { zone.to_local(v) } else { v };
            by_row::<TimestampMicrosecondType, TimestampMicrosecondType, DurationMicrosecondType>(
                left,
                right,
                result,
                strict,
                |l, r| local(l).checked_sub(local(r)),
                |_, _| SparkError::interval_overflow(""),
            )
        }
        (T::Timestamp | T::TimestampNtz, step) => {
            let zone = if *left_type == T::Timestamp { *zone } else { Zone::UTC };
            timestamp_and_step(left, (right, step), result, sign, strict, &zone, overflow)
        }
        (T::Time(_), T::Time(_)) => total::<Time64MicrosecondType, Time64MicrosecondType, DurationMicrosecondType>(
            left,
            right,
            result,
            |l, r| l - r,
        ),
        (T::Time(_), T::DayTimeInterval(..)) => {
            by_row::<Time64MicrosecondType, DurationMicrosecondType, Time64MicrosecondType>(
                left,
                right,
                result,
                strict,
                |l, r| l.checked_add(r.checked_mul(i64::from(sign))?).filter(|v| (0..MICROS_PER_DAY).contains(v)),
                |_, _| overflow(),
            )
        }
        // Division by zero is null without ANSI, for intervals too.
        _ if op == Op::IntDivide => intervals(op, (left, left_type), (right, right_type), result, mode),
        _ => intervals(op, (left, left_type), (right, right_type), result, strict),
    }
}

/// A timestamp moved by months, then days, then microseconds, the first two on the local calendar.
fn shift(micros: i64, months: i32, days: i32, rest: i64, zone: &Zone) -> Option<i64> {
    let mut at = micros;
    if months != 0 || days != 0 {
        let local = zone.to_local(at);
        let date = i32::try_from(local.div_euclid(MICROS_PER_DAY)).ok()?;
        let date = add_months(date, months)?.checked_add(days)?;
        let moved = i64::from(date).checked_mul(MICROS_PER_DAY)?.checked_add(local.rem_euclid(MICROS_PER_DAY))?;
        // A wall-clock time that occurs twice keeps the offset it had.
        let offset = zone.offset_at(at);
        let same_offset = moved.checked_sub(i64::from(offset) * 1_000_000)?;
        at = if zone.offset_at(same_offset) == offset { same_offset } else { zone.to_utc(moved) };
    }
    at.checked_add(rest)
}

fn timestamp_and_step(
    left: &dyn Array,
    (right, step): Side<'_>,
    result: &DataType,
    sign: i32,
    mode: CastMode,
    zone: &Zone,
    overflow: impl Fn() -> SparkError,
) -> SparkResult<ArrayRef> {
    match step {
        DataType::YearMonthInterval(..) => {
            by_row::<TimestampMicrosecondType, IntervalYearMonthType, TimestampMicrosecondType>(
                left,
                right,
                result,
                mode,
                |l, r| shift(l, r.checked_mul(sign)?, 0, 0, zone),
                |_, _| overflow(),
            )
        }
        DataType::DayTimeInterval(..) => {
            by_row::<TimestampMicrosecondType, DurationMicrosecondType, TimestampMicrosecondType>(
                left,
                right,
                result,
                mode,
                |l, r| {
                    let r = r.checked_mul(i64::from(sign))?;
                    shift(l, 0, i32::try_from(r / MICROS_PER_DAY).ok()?, r % MICROS_PER_DAY, zone)
                },
                |_, _| overflow(),
            )
        }
        DataType::CalendarInterval => {
            by_row::<TimestampMicrosecondType, IntervalMonthDayNanoType, TimestampMicrosecondType>(
                left,
                right,
                result,
                mode,
                |l, r| {
                    let rest = (r.nanoseconds / 1000).checked_mul(i64::from(sign))?;
                    shift(l, r.months.checked_mul(sign)?, r.days.checked_mul(sign)?, rest, zone)
                },
                |_, _| overflow(),
            )
        }
        _ => Err(SparkError::internal("a timestamp and something that is no interval")),
    }
}

fn date_and_calendar(
    left: &dyn Array,
    right: &dyn Array,
    result: &DataType,
    sign: i32,
    mode: CastMode,
) -> SparkResult<ArrayRef> {
    let ansi = mode == CastMode::Ansi;
    let strict = if mode == CastMode::Try { CastMode::Try } else { CastMode::Ansi };
    by_row::<Date32Type, IntervalMonthDayNanoType, Date32Type>(
        left,
        right,
        result,
        strict,
        |l, r| {
            if ansi && r.nanoseconds != 0 {
                return None;
            }
            let date = add_months(l, r.months.checked_mul(sign)?)?.checked_add(r.days.checked_mul(sign)?)?;
            let micros = (r.nanoseconds / 1000).checked_mul(i64::from(sign))?;
            date.checked_add(i32::try_from(micros.div_euclid(MICROS_PER_DAY)).ok()?)
        },
        |_, r| match r.nanoseconds {
            0 => SparkError::datetime_overflow("add an interval to a date"),
            _ => SparkError::new(
                crate::error::ErrorKind::IllegalArgument,
                "INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION",
                &[("ansiConfig", &crate::error::sql_conf("spark.sql.ansi.enabled"))],
            ),
        },
    )
}

fn intervals(
    op: Op,
    (left, left_type): Side<'_>,
    (right, right_type): Side<'_>,
    result: &DataType,
    mode: CastMode,
) -> SparkResult<ArrayRef> {
    use DataType as T;
    let error = || SparkError::interval_overflow(op.try_function());
    let exact32 = |l: i32, r: i32| if op == Op::Subtract { l.checked_sub(r) } else { l.checked_add(r) };
    let exact64 = |l: i64, r: i64| if op == Op::Subtract { l.checked_sub(r) } else { l.checked_add(r) };
    let by_zero = |zero: bool| if zero { SparkError::interval_divided_by_zero() } else { error() };
    match (op, left_type, right_type) {
        (Op::Add | Op::Subtract, T::YearMonthInterval(..), T::YearMonthInterval(..)) => {
            by_row::<IntervalYearMonthType, IntervalYearMonthType, IntervalYearMonthType>(
                left,
                right,
                result,
                mode,
                exact32,
                |_, _| error(),
            )
        }
        (Op::Add | Op::Subtract, T::DayTimeInterval(..), T::DayTimeInterval(..)) => {
            by_row::<DurationMicrosecondType, DurationMicrosecondType, DurationMicrosecondType>(
                left,
                right,
                result,
                mode,
                exact64,
                |_, _| error(),
            )
        }
        (Op::Add | Op::Subtract, T::CalendarInterval, T::CalendarInterval) => {
            by_row::<IntervalMonthDayNanoType, IntervalMonthDayNanoType, IntervalMonthDayNanoType>(
                left,
                right,
                result,
                mode,
                |l, r| {
                    let (months, days) = (exact32(l.months, r.months)?, exact32(l.days, r.days)?);
                    Some(IntervalMonthDayNano::new(months, days, exact64(l.nanoseconds, r.nanoseconds)?))
                },
                |_, _| error(),
            )
        }
        (Op::IntDivide, T::YearMonthInterval(..), T::YearMonthInterval(..)) => {
            by_row::<IntervalYearMonthType, IntervalYearMonthType, Int64Type>(
                left,
                right,
                result,
                mode,
                |l, r| i64::from(l).checked_div(i64::from(r)),
                |_, r| by_zero(r == 0),
            )
        }
        (Op::IntDivide, T::DayTimeInterval(..), T::DayTimeInterval(..)) => {
            by_row::<DurationMicrosecondType, DurationMicrosecondType, Int64Type>(
                left,
                right,
                result,
                mode,
                i64::checked_div,
                |_, r| by_zero(r == 0),
            )
        }
        (Op::Multiply | Op::Divide, T::CalendarInterval, T::Double) => {
            by_row::<IntervalMonthDayNanoType, Float64Type, IntervalMonthDayNanoType>(
                left,
                right,
                result,
                mode,
                |l, r| match op {
                    Op::Divide if r == 0.0 => None,
                    Op::Divide => calendar_times(l, |v| v / r),
                    _ => calendar_times(l, |v| v * r),
                },
                |_, r| by_zero(op == Op::Divide && r == 0.0),
            )
        }
        (Op::Multiply | Op::Divide, T::YearMonthInterval(..) | T::DayTimeInterval(..), number)
            if number.is_numeric() =>
        {
            scaled(op, (left, left_type), (right, number), result, mode)
        }
        _ => Err(super::wrong_pair(op, left_type, right_type)),
    }
}

/// An interval times or divided by a number, rounded half up.
fn scaled(
    op: Op,
    (left, left_type): Side<'_>,
    (right, number): Side<'_>,
    result: &DataType,
    mode: CastMode,
) -> SparkResult<ArrayRef> {
    let error = |zero: bool| match zero && op == Op::Divide {
        true => SparkError::interval_divided_by_zero(),
        false => SparkError::interval_overflow(op.try_function()),
    };
    let by_double = |l: f64, r: f64| -> Option<f64> {
        let value = if op == Op::Divide { (r != 0.0).then(|| l / r)? } else { l * r };
        value.is_finite().then(|| value.round())
    };
    let in_range = |value: f64| (value.abs() < 9.223_372_036_854_775e18).then_some(value as i64);
    let (wide, is_months) = match left_type {
        DataType::YearMonthInterval(..) => {
            let months = primitive::<IntervalYearMonthType>(left)?;
            (Arc::new(months.unary::<_, Int64Type>(i64::from)) as ArrayRef, true)
        }
        _ => {
            let micros = primitive::<DurationMicrosecondType>(left)?;
            (Arc::new(micros.unary::<_, Int64Type>(|v| v)) as ArrayRef, false)
        }
    };
    let fits = |value: i64| if is_months { i32::try_from(value).ok().map(i64::from) } else { Some(value) };
    let longs = match number {
        DataType::Float | DataType::Double => {
            let doubles = cast_array(right, number, &DataType::Double, CastMode::Ansi, &Zone::UTC)?;
            by_row::<Int64Type, Float64Type, Int64Type>(
                &wide,
                &doubles,
                &DataType::Long,
                mode,
                |l, r| by_double(l as f64, r).and_then(in_range).and_then(fits),
                |_, r| error(r == 0.0),
            )?
        }
        _ => {
            let scale = if let DataType::Decimal(_, scale) = number { *scale } else { 0 };
            let unit = power_of_ten(u32::from(scale.unsigned_abs())).unwrap_or(1);
            let decimals = match number {
                DataType::Decimal(..) => ArrayRef::clone(right),
                other => cast_array(right, other, &DataType::Decimal(20, 0), CastMode::Ansi, &Zone::UTC)?,
            };
            let value = |l: i64, r: i128| {
                let (above, below) = match op {
                    Op::Divide => (i128::from(l).checked_mul(unit)?, r),
                    _ => (i128::from(l).checked_mul(r)?, unit),
                };
                (below != 0).then(|| crate::cast::decimal_parts::divide_half_up(above, below))
            };
            by_row::<Int64Type, Decimal128Type, Int64Type>(
                &wide,
                &decimals,
                &DataType::Long,
                mode,
                |l, r| value(l, r).and_then(|v| i64::try_from(v).ok()).and_then(fits),
                |_, r| error(r == 0),
            )?
        }
    };
    let longs = primitive::<Int64Type>(&longs)?;
    let array: ArrayRef = match is_months {
        true => Arc::new(longs.unary::<_, IntervalYearMonthType>(|v| v as i32)),
        false => Arc::new(longs.unary::<_, DurationMicrosecondType>(|v| v)),
    };
    debug_assert_eq!(array.data_type(), &result.to_arrow());
    Ok(array)
}

/// A legacy interval scaled part by part; what months and days leave over goes to the smaller unit.
fn calendar_times(value: IntervalMonthDayNano, f: impl Fn(f64) -> f64) -> Option<IntervalMonthDayNano> {
    let months = f(f64::from(value.months));
    let days = f(f64::from(value.days)) + months.fract() * 31.0;
    let micros = f((value.nanoseconds / 1000) as f64) + days.fract() * MICROS_PER_DAY as f64;
    let whole = |v: f64| (v.abs() < 2_147_483_648.0).then_some(v as i32);
    let micros = (micros.abs() < 9.2e15).then(|| micros.round() as i64)?;
    Some(IntervalMonthDayNano::new(whole(months.trunc())?, whole(days.trunc())?, micros * 1000))
}
