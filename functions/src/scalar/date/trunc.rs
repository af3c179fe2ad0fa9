//! The first moment of the unit, or of the bucket, that a date or timestamp lies in.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, DurationMicrosecondType, IntervalUnit, IntervalYearMonthType, TimeUnit};
use datafusion::common::Result;

use super::super::coerce::{self, Arg, ltz, ntz};
use super::super::read::{dates, strs};
use super::super::spec::{Call, Nulls, Ret, SparkFn, f};
use super::{DATE, conform_stamp, locals, zone};
use crate::error::SparkError;
use crate::time::civil::{add_months, iso_weekday};
use crate::time::{MICROS_PER_DAY, Zone, civil_from_days, days_from_civil};

/// The first day of a unit, or `None` for an unknown one.
fn floor_day(day: i32, unit: &str) -> Option<i32> {
    let (y, m, _) = civil_from_days(day);
    match unit {
        "YEAR" | "YYYY" | "YY" => days_from_civil(y, 1, 1),
        "QUARTER" => days_from_civil(y, (m - 1) / 3 * 3 + 1, 1),
        "MONTH" | "MM" | "MON" => days_from_civil(y, m, 1),
        "WEEK" => Some(day - (iso_weekday(day) as i32 - 1)),
        _ => None,
    }
}

/// `trunc(date, unit)`: null for an unknown unit.
fn trunc(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let pairs = dates(args, 0)?.iter().zip(strs(args, 1)?);
    Ok(Arc::new(pairs.map(|(d, u)| floor_day(d?, &u?.to_ascii_uppercase())).collect::<Date32Array>()))
}

/// `date_trunc(unit, timestamp)`: null for an unknown unit.
fn date_trunc(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let units = strs(args, 0)?;
    let zone = zone(call)?;
    let local = locals(call, args, 1)?;
    let wall = matches!(args[1].data_type(), DataType::Timestamp(_, None));
    let out: TimestampMicrosecondArray = local
        .into_iter()
        .zip(units)
        .map(|(t, unit)| {
            let (t, unit) = (t?, unit?.to_ascii_uppercase());
            let step = match unit.as_str() {
                "MICROSECOND" => 1,
                "MILLISECOND" => 1000,
                "SECOND" => 1_000_000,
                "MINUTE" => 60_000_000,
                "HOUR" => 3_600_000_000,
                "DAY" | "DD" => MICROS_PER_DAY,
                _ => 0,
            };
            let cut = if step > 0 {
                t.div_euclid(step) * step
            } else {
                i64::from(floor_day(i32::try_from(t.div_euclid(MICROS_PER_DAY)).ok()?, &unit)?) * MICROS_PER_DAY
            };
            Some(if wall { cut } else { zone.to_utc(cut) })
        })
        .collect();
    conform_stamp(out, call.result)
}

/// Whole steps from `origin` to `at`, rounded down, and their start. Months count on the local calendar.
fn bucket(at: i64, origin: i64, months: i32, micros: i64) -> Option<i64> {
    if months == 0 {
        return origin.checked_add(at.checked_sub(origin)?.div_euclid(micros).checked_mul(micros)?);
    }
    let split = |t: i64| (i32::try_from(t.div_euclid(MICROS_PER_DAY)).ok(), t.rem_euclid(MICROS_PER_DAY));
    let ((Some(day), _), (Some(first), clock)) = (split(at), split(origin)) else { return None };
    let index = |day: i32| {
        let (year, month, _) = civil_from_days(day);
        i64::from(year) * 12 + i64::from(month) - 1
    };
    let mut steps = (index(day) - index(first)).div_euclid(i64::from(months));
    let start = |steps: i64| {
        let moved = add_months(first, i32::try_from(steps.checked_mul(i64::from(months))?).ok()?)?;
        i64::from(moved).checked_mul(MICROS_PER_DAY)?.checked_add(clock)
    };
    if start(steps)? > at {
        steps -= 1;
    }
    start(steps)
}

/// `time_bucket(size, timestamp[, origin])`: the start of the bucket of an interval's length that the timestamp is in.
/// Days and smaller are exact lengths for wall-clock time and for instants alike; the origin is the epoch unless given.
/// A size of zero or less fails.
fn time_bucket(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let session = zone(call)?;
    let wall = matches!(call.result, DataType::Timestamp(_, None));
    let zone = if wall { Zone::UTC } else { session };
    let at = locals(call, args, 1)?;
    let origins = if args.len() > 2 { Some(locals(call, args, 2)?) } else { None };
    let months = args[0].as_primitive_opt::<IntervalYearMonthType>();
    let micros = args[0].as_primitive_opt::<DurationMicrosecondType>();
    let mut out = Vec::with_capacity(at.len());
    for (row, at) in at.into_iter().enumerate() {
        let size = (
            months.filter(|a| a.is_valid(row)).map(|a| a.value(row)),
            micros.filter(|a| a.is_valid(row)).map(|a| a.value(row)),
        );
        let origin = match &origins {
            Some(origins) => origins.get(row).copied().flatten(),
            None => Some(0),
        };
        let (months, micros) = match size {
            (None, None) => {
                out.push(None);
                continue;
            }
            (months, micros) => (months.unwrap_or(0), micros.unwrap_or(0)),
        };
        let (Some(at), Some(origin)) = (at, origin) else {
            out.push(None);
            continue;
        };
        if months <= 0 && micros <= 0 {
            let parameters = [("exprName", "`bucketSize`"), ("valueRange", "(0, inf)")];
            return Err(SparkError::analysis("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", &parameters).into());
        }
        let start = bucket(at, origin, months, micros)
            .ok_or_else(|| SparkError::datetime_overflow("compute the bucket of a timestamp"))?;
        out.push(Some(zone.to_utc(start)));
    }
    conform_stamp(TimestampMicrosecondArray::from(out), call.result)
}

fn bucket_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let step = match types.first() {
        Some(t @ (DataType::Interval(IntervalUnit::YearMonth) | DataType::Duration(_))) => t.clone(),
        Some(DataType::Null) | None => DataType::Duration(TimeUnit::Microsecond),
        Some(other) => {
            let wanted = "(\"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\")";
            return Err(coerce::mismatch("time_bucket", 0, wanted, other).into());
        }
    };
    let mut wanted = vec![step];
    for (at, given) in types.iter().enumerate().skip(1) {
        let to = match given {
            DataType::Timestamp(_, None) => Some(ntz()),
            other => coerce::target(Arg::AnyTs, other).map(|_| ltz()),
        };
        wanted.push(to.ok_or_else(|| {
            coerce::mismatch("time_bucket", at, "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\"", given)
        })?);
    }
    Ok(wanted)
}

/// Functions that cut off.
pub(super) fn all() -> Vec<SparkFn> {
    const ANY: &[Arg] = &[Arg::Any, Arg::AnyTs, Arg::AnyTs];
    vec![
        f("trunc", &[Arg::Date, Arg::Str], DATE, trunc).nulls(Nulls::Always),
        f("date_trunc", &[Arg::Str, Arg::Ts], Ret::Same(1), date_trunc).nulls(Nulls::Always),
        f("time_bucket", ANY, Ret::Same(1), time_bucket).min(2).coerce(bucket_types),
    ]
}
