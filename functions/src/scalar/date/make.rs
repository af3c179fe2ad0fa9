//! Dates and timestamps made of their parts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int32Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Decimal128Type, TimeUnit};
use datafusion::common::Result;

use super::super::coerce::{self, Arg, ltz, ntz};
use super::super::read::{dates, ints, strs, times};
use super::super::spec::{Call, Nulls, Ret, SparkFn, f};
use super::{DATE, conform_stamp, zone};
use crate::display::decimal_text;
use crate::error::{ErrorKind, SparkError, SparkResult};
use crate::time::{MICROS_PER_DAY, Zone, days_from_civil};

const MONTHS: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];

/// `DATETIME_FIELD_OUT_OF_BOUNDS` in the words of the calendar.
pub(crate) fn out_of_bounds(message: &str) -> SparkError {
    SparkError::new(
        ErrorKind::DateTime,
        "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION",
        &[("rangeMessage", message)],
    )
}

/// `value` if it is in the range of a field.
pub(crate) fn field(name: &str, range: &str, most: i64, least: i64, value: i64) -> SparkResult<i64> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(out_of_bounds(&format!("Invalid value for {name} (valid values {range}): {value}")))
}

fn day_number(year: i32, month: i32, day: i32) -> SparkResult<i32> {
    field("Year", "-999999999 - 999999999", 999_999_999, -999_999_999, i64::from(year))?;
    field("MonthOfYear", "1 - 12", 12, 1, i64::from(month))?;
    field("DayOfMonth", "1 - 28/31", 31, 1, i64::from(day))?;
    days_from_civil(year, month.unsigned_abs(), day.unsigned_abs()).ok_or_else(|| {
        let name = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or("");
        out_of_bounds(&match (month, day) {
            (2, 29) => format!("Invalid date 'February 29' as '{year}' is not a leap year"),
            _ => format!("Invalid date '{name} {day}'"),
        })
    })
}

/// Microseconds of the day of an hour, a minute and seconds with six decimals. A whole minute of seconds is the next
/// minute where `leap` allows it.
pub(crate) fn clock(hour: i32, minute: i32, micros: i128, leap: bool) -> SparkResult<i64> {
    let second = micros.div_euclid(1_000_000);
    if second == 60 && leap {
        if micros != 60_000_000 {
            return Err(SparkError::new(
                ErrorKind::DateTime,
                "INVALID_FRACTION_OF_SECOND",
                &[("secAndMicros", &decimal_text(micros, 6))],
            ));
        }
    } else {
        field("SecondOfMinute", "0 - 59", 59, 0, i64::try_from(second).unwrap_or(i64::MAX))?;
    }
    let hour = field("HourOfDay", "0 - 23", 23, 0, i64::from(hour))?;
    let minute = field("MinuteOfHour", "0 - 59", 59, 0, i64::from(minute))?;
    Ok((hour * 60 + minute) * 60_000_000 + i64::try_from(micros).unwrap_or(0))
}

/// Whether a call fails for parts that are no date or time.
fn strict(call: &Call<'_>) -> bool {
    call.options.ansi && !call.name.starts_with("try_")
}

/// `make_date(y, m, d)`: ANSI fails for no such day.
fn make_date(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (y, m, d) = (ints(args, 0)?, ints(args, 1)?, ints(args, 2)?);
    let out = (0..y.len())
        .map(|row| {
            if y.is_null(row) || m.is_null(row) || d.is_null(row) {
                return Ok(None);
            }
            match day_number(y.value(row), m.value(row), d.value(row)) {
                Ok(day) => Ok(Some(day)),
                Err(error) if strict(call) => Err(error.into()),
                Err(_) => Ok(None),
            }
        })
        .collect::<Result<Date32Array>>()?;
    Ok(Arc::new(out))
}

/// The local microseconds a row of parts makes; `None` for a null among them.
fn local(parts: &[&Int32Array], seconds: Option<&ArrayRef>, row: usize) -> SparkResult<Option<i64>> {
    let values: Option<Vec<i32>> = parts.iter().map(|part| part.is_valid(row).then(|| part.value(row))).collect();
    let second =
        seconds.and_then(|s| s.as_primitive_opt::<Decimal128Type>()).filter(|s| s.is_valid(row)).map(|s| s.value(row));
    let (Some(values), Some(second)) = (values, second) else { return Ok(None) };
    let [year, month, day, hour, minute] = values.as_slice() else { return Ok(None) };
    let day = day_number(*year, *month, *day)?;
    Ok(Some(i64::from(day) * MICROS_PER_DAY + clock(*hour, *minute, second, true)?))
}

/// `make_timestamp(y, mo, d, h, mi, s[, zone])`, `make_timestamp(date[, time[, zone]])` and the `_ltz`, `_ntz` and
/// `try_` forms. ANSI fails for parts that are no date or time; a name that is no zone always fails.
fn make_timestamp(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let by_parts = args.len() > 3;
    let parts = if by_parts { (0..5).map(|at| ints(args, at)).collect::<Result<Vec<_>>>()? } else { Vec::new() };
    let zones = match args.get(if by_parts { 6 } else { 2 }) {
        Some(_) => Some(strs(args, if by_parts { 6 } else { 2 })?),
        None => None,
    };
    let session = zone(call)?;
    let wall = matches!(call.result, DataType::Timestamp(_, None));
    let rows = args.first().map_or(call.rows, |first| first.len());
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        let made = if by_parts { local(&parts, args.get(5), row) } else { of_date_and_time(args, row) };
        let made = match made {
            Ok(made) => made.filter(|_| zones.is_none_or(|zones: &StringArray| zones.is_valid(row))),
            Err(error) if strict(call) => return Err(error.into()),
            Err(_) => None,
        };
        out.push(match (made, zones) {
            (Some(local), _) if wall => Some(local),
            (Some(local), Some(zones)) => Some(Zone::parse(zones.value(row))?.to_utc(local)),
            (Some(local), None) => Some(session.to_utc(local)),
            (None, _) => None,
        });
    }
    conform_stamp(TimestampMicrosecondArray::from(out), call.result)
}

fn of_date_and_time(args: &[ArrayRef], row: usize) -> SparkResult<Option<i64>> {
    let days = dates(args, 0)?;
    let clock = match args.get(1) {
        Some(_) => {
            let times = times(args, 1)?;
            times.is_valid(row).then(|| times.value(row))
        }
        None => Some(0),
    };
    Ok(days.is_valid(row).then(|| i64::from(days.value(row)) * MICROS_PER_DAY).zip(clock).map(|(day, at)| day + at))
}

/// Six or seven parts, or a date, a time and a zone.
fn stamp_types(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() <= 3 {
        let mut wanted = Vec::with_capacity(types.len());
        for (at, given) in types.iter().enumerate() {
            let null = matches!(given, DataType::Null);
            let (fits, to, name) = match at {
                0 => (matches!(given, DataType::Date32), DataType::Date32, "\"DATE\""),
                1 => (matches!(given, DataType::Time64(_)), DataType::Time64(TimeUnit::Microsecond), "\"TIME\""),
                _ => (coerce::target(Arg::Str, given).is_some(), DataType::Utf8, "\"STRING\""),
            };
            if !fits && !null {
                return Err(coerce::mismatch("make_timestamp", at, name, given).into());
            }
            wanted.push(to);
        }
        return Ok(wanted);
    }
    if types.len() < 6 {
        coerce::check_count("make_timestamp", types.len(), 6, 7)?;
    }
    const PARTS: &[Arg] = &[Arg::Int, Arg::Int, Arg::Int, Arg::Int, Arg::Int, Arg::Num, Arg::Str];
    let mut wanted = coerce::coerce("make_timestamp", PARTS, None, types)?;
    if let Some(seconds) = wanted.get_mut(5) {
        *seconds = DataType::Decimal128(16, 6);
    }
    Ok(wanted)
}

/// Functions that make.
pub(super) fn all() -> Vec<SparkFn> {
    const MAKE: &[Arg] = &[Arg::Any, Arg::Any, Arg::Any, Arg::Any, Arg::Any, Arg::Any, Arg::Any];
    const NTZ: &[Arg] = &[Arg::Any, Arg::Any, Arg::Any, Arg::Any, Arg::Any, Arg::Any];
    let stamp = || Ret::Is(ltz());
    let make = |name: &'static str, ret: Ret, min: usize| {
        f(name, MAKE, ret, make_timestamp).min(min).coerce(stamp_types).nulls(Nulls::Always)
    };
    let make_ntz = |name: &'static str| {
        f(name, NTZ, Ret::Is(ntz()), make_timestamp).min(2).coerce(stamp_types).nulls(Nulls::Always)
    };
    vec![
        f("make_date", &[Arg::Int, Arg::Int, Arg::Int], DATE, make_date).nulls(Nulls::Always),
        make("make_timestamp", stamp(), 1),
        make("make_timestamp_ltz", stamp(), 2),
        make("try_make_timestamp", stamp(), 1),
        make("try_make_timestamp_ltz", stamp(), 2),
        make_ntz("make_timestamp_ntz"),
        make_ntz("try_make_timestamp_ntz"),
    ]
}
