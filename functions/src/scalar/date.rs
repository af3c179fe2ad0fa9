//! Dates and timestamps: fields, arithmetic, truncation, current time. Local fields use the session zone.
//! It is long because it is a table of small kernels over one calendar, each with its entry.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Float64Array, Int32Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::Result;

use super::coerce::{Arg, ltz, ntz};
use super::read::{bools, dates, fail, ints, stamps, strs};
use super::spec::{Call, Nulls, Ret, SparkFn, conform, f};
use crate::error::ErrorKind;
use crate::time::civil::{add_months, day_of_year, iso_weekday};
use crate::time::pattern::Pattern;
use crate::time::{MICROS_PER_DAY, Zone, civil_from_days, days_from_civil, days_in_month};

const DATE: Ret = Ret::Is(DataType::Date32);
const INT: Ret = Ret::Is(DataType::Int32);
const TEXT: Ret = Ret::Is(DataType::Utf8);

/// The session zone.
pub(crate) fn zone(call: &Call<'_>) -> Result<Zone> {
    Ok(Zone::parse(&call.options.time_zone)?)
}

/// Now, the same for a whole query.
pub(crate) fn now(call: &Call<'_>) -> i64 {
    match i64::try_from(call.options.query_time) {
        Ok(time) if time > 0 => time,
        _ => chrono::Utc::now().timestamp_micros(),
    }
}

/// Local microseconds of dates and timestamps of both kinds.
fn locals(call: &Call<'_>, args: &[ArrayRef], at: usize) -> Result<Vec<Option<i64>>> {
    if args.get(at).is_some_and(|a| *a.data_type() == DataType::Date32) {
        return Ok(dates(args, at)?.iter().map(|d| d.map(|d| i64::from(d) * MICROS_PER_DAY)).collect());
    }
    let values = stamps(args, at)?;
    if matches!(values.data_type(), DataType::Timestamp(_, None)) {
        return Ok(values.iter().collect());
    }
    let zone = zone(call)?;
    Ok(values.iter().map(|t| t.map(|t| zone.to_local(t))).collect())
}

fn day_part(args: &[ArrayRef], work: fn(i32) -> i32) -> Result<ArrayRef> {
    Ok(Arc::new(dates(args, 0)?.iter().map(|d| d.map(work)).collect::<Int32Array>()))
}

fn time_part(call: &Call<'_>, args: &[ArrayRef], unit: i64, modulo: i64) -> Result<ArrayRef> {
    let part = |t: i64| (t.div_euclid(unit).rem_euclid(modulo)) as i32;
    Ok(Arc::new(locals(call, args, 0)?.into_iter().map(|t| t.map(part)).collect::<Int32Array>()))
}

fn iso_week(day: i32) -> (i32, i32) {
    // The Thursday of a week decides its year.
    let thursday = day - (iso_weekday(day) as i32 - 4);
    ((day_of_year(thursday) as i32 - 1) / 7 + 1, civil_from_days(thursday).0)
}

fn plus(args: &[ArrayRef], sign: i64) -> Result<ArrayRef> {
    let pairs = dates(args, 0)?.iter().zip(ints(args, 1)?);
    let out = pairs
        .map(|(d, n)| match d.zip(n) {
            Some((d, n)) => i32::try_from(i64::from(d) + sign * i64::from(n)).map(Some).map_err(|_| overflow()),
            None => Ok(None),
        })
        .collect::<Result<Date32Array>>()?;
    Ok(Arc::new(out))
}

fn overflow() -> datafusion::common::DataFusionError {
    let parameters = [("message", "integer overflow"), ("alternative", ""), ("config", "\"spark.sql.ansi.enabled\"")];
    fail(ErrorKind::Arithmetic, "ARITHMETIC_OVERFLOW", &parameters)
}

/// `make_date(y, m, d)`: ANSI fails for no such day.
fn make_date(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (y, m, d) = (ints(args, 0)?, ints(args, 1)?, ints(args, 2)?);
    let out = (0..y.len())
        .map(|row| {
            if y.is_null(row) || m.is_null(row) || d.is_null(row) {
                return Ok(None);
            }
            let (y, m, d) = (y.value(row), m.value(row), d.value(row));
            let made = u32::try_from(m).ok().zip(u32::try_from(d).ok()).and_then(|(m, d)| days_from_civil(y, m, d));
            match made {
                Some(day) => Ok(Some(day)),
                None if call.options.ansi => Err(fail(
                    ErrorKind::DateTime,
                    "DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION",
                    &[
                        ("rangeMessage", &format!("Invalid date '{y}-{m}-{d}'")),
                        ("ansiConfig", "\"spark.sql.ansi.enabled\""),
                    ],
                )),
                None => Ok(None),
            }
        })
        .collect::<Result<Date32Array>>()?;
    Ok(Arc::new(out))
}

fn last_day(day: i32) -> i32 {
    let (y, m, d) = civil_from_days(day);
    day + (days_in_month(y, m) as i32 - d as i32)
}

/// `next_day(date, weekday)`: ANSI fails for no weekday.
fn next_day(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let pairs = dates(args, 0)?.iter().zip(strs(args, 1)?);
    let out = pairs
        .map(|(day, name)| {
            let Some((day, name)) = day.zip(name) else { return Ok(None) };
            let wanted = match name.to_ascii_uppercase().as_str() {
                "MO" | "MON" | "MONDAY" => 1,
                "TU" | "TUE" | "TUESDAY" => 2,
                "WE" | "WED" | "WEDNESDAY" => 3,
                "TH" | "THU" | "THURSDAY" => 4,
                "FR" | "FRI" | "FRIDAY" => 5,
                "SA" | "SAT" | "SATURDAY" => 6,
                "SU" | "SUN" | "SUNDAY" => 7,
                _ if call.options.ansi => {
                    return Err(fail(ErrorKind::IllegalArgument, "ILLEGAL_DAY_OF_WEEK", &[("string", name)]));
                }
                _ => return Ok(None),
            };
            let ahead = (wanted - iso_weekday(day) as i32 - 1).rem_euclid(7) + 1;
            Ok(Some(day + ahead))
        })
        .collect::<Result<Date32Array>>()?;
    Ok(Arc::new(out))
}

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

/// Gives microseconds the declared timestamp type.
pub(crate) fn conform_stamp(values: TimestampMicrosecondArray, result: &DataType) -> Result<ArrayRef> {
    Ok(Arc::new(match result {
        DataType::Timestamp(_, Some(zone)) => values.with_timezone(Arc::clone(zone)),
        _ => values,
    }))
}

/// `date_format(timestamp, pattern)`.
fn date_format(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let local = locals(call, args, 0)?;
    let zone = zone(call)?;
    let wall = !matches!(args[0].data_type(), DataType::Timestamp(_, Some(_)));
    let utc = if wall { None } else { Some(stamps(args, 0)?) };
    let patterns = strs(args, 1)?;
    let mut held: Option<(String, Pattern)> = None;
    let out = (0..local.len())
        .map(|row| {
            let Some(time) = local[row].filter(|_| patterns.is_valid(row)) else { return Ok(None) };
            let text = patterns.value(row);
            if held.as_ref().is_none_or(|(known, _)| known != text) {
                held = Some((text.to_string(), Pattern::for_format(text)?));
            }
            Ok(held.as_ref().map(|(_, pattern)| match utc {
                Some(utc) => pattern.format_timestamp(utc.value(row), &zone),
                None => pattern.format_ntz(time),
            }))
        })
        .collect::<Result<StringArray>>()?;
    Ok(Arc::new(out))
}

/// `months_between(a, b[, roundOff])`.
fn months_between(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (a, b) = (locals(call, args, 0)?, locals(call, args, 1)?);
    let round = if args.len() > 2 { Some(bools(args, 2)?) } else { None };
    let out: Float64Array = a
        .into_iter()
        .zip(b)
        .enumerate()
        .map(|(row, (a, b))| {
            let (a, b) = (a?, b?);
            let round = match round {
                Some(round) => round.is_valid(row).then(|| round.value(row))?,
                None => true,
            };
            let split = |t: i64| {
                let day = t.div_euclid(MICROS_PER_DAY) as i32;
                let (y, m, d) = civil_from_days(day);
                (
                    i64::from(y) * 12 + i64::from(m),
                    i64::from(d),
                    t.rem_euclid(MICROS_PER_DAY) / 1_000_000,
                    days_in_month(y, m),
                )
            };
            let ((am, ad, at, al), (bm, bd, bt, bl)) = (split(a), split(b));
            let months = (am - bm) as f64;
            if ad == bd || (ad == i64::from(al) && bd == i64::from(bl)) {
                return Some(months);
            }
            let seconds = (ad - bd) * 86_400 + at - bt;
            let value = months + seconds as f64 / (31.0 * 86_400.0);
            Some(if round { (value * 1e8).round() / 1e8 } else { value })
        })
        .collect();
    Ok(Arc::new(out))
}

/// `make_timestamp(y, mo, d, h, mi, s[, zone])` and its `_ltz`, `_ntz` and `try_` forms.
fn make_timestamp(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let parts = (0..5).map(|at| ints(args, at)).collect::<Result<Vec<_>>>()?;
    let seconds = args[5].as_primitive_opt::<Decimal128Type>();
    let zones = if args.len() > 6 { Some(strs(args, 6)?) } else { None };
    let session = zone(call)?;
    let wall = matches!(call.result, DataType::Timestamp(_, None));
    let strict = call.options.ansi && !call.name.starts_with("try_");
    let out = (0..call.rows.max(parts[0].len()))
        .map(|row| {
            let values: Option<Vec<i32>> =
                parts.iter().map(|part| part.is_valid(row).then(|| part.value(row))).collect();
            let second = seconds.filter(|s| s.is_valid(row)).map(|s| s.value(row));
            let zoned = zones.is_none_or(|zones| zones.is_valid(row));
            let (Some(values), Some(second)) = (values.filter(|_| zoned), second) else { return Ok(None) };
            let [y, mo, d, h, mi] = values.as_slice() else { return Ok(None) };
            let unsigned = |v: i32| u32::try_from(v).ok();
            let day = unsigned(*mo).zip(unsigned(*d)).and_then(|(mo, d)| days_from_civil(*y, mo, d));
            let good = (0..24).contains(h)
                && (0..60).contains(mi)
                && ((0..60_000_000).contains(&second) || second == 60_000_000);
            let made = day.filter(|_| good).map(|day| {
                i64::from(day) * MICROS_PER_DAY
                    + i64::from(*h) * 3_600_000_000
                    + i64::from(*mi) * 60_000_000
                    + second as i64
            });
            match made {
                Some(local) if wall => Ok(Some(local)),
                Some(local) => Ok(Some(match zones {
                    Some(zones) => Zone::parse(zones.value(row))?.to_utc(local),
                    None => session.to_utc(local),
                })),
                None if strict => Err(fail(
                    ErrorKind::DateTime,
                    "DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION",
                    &[
                        ("rangeMessage", "Invalid value of a date or time field"),
                        ("ansiConfig", "\"spark.sql.ansi.enabled\""),
                    ],
                )),
                None => Ok(None),
            }
        })
        .collect::<Result<TimestampMicrosecondArray>>()?;
    conform_stamp(out, call.result)
}

fn stamp_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let one = |at: usize| match at {
        5 => DataType::Decimal128(16, 6),
        6 => DataType::Utf8,
        _ => DataType::Int32,
    };
    Ok((0..types.len()).map(one).collect())
}

fn shifted(args: &[ArrayRef], call: &Call<'_>, to_utc: bool) -> Result<ArrayRef> {
    let pairs = stamps(args, 0)?.iter().zip(strs(args, 1)?);
    let out = pairs
        .map(|(t, name)| match t.zip(name) {
            Some((t, name)) => {
                let zone = Zone::parse(name)?;
                Ok(Some(if to_utc { zone.to_utc(t) } else { zone.to_local(t) }))
            }
            None => Ok(None),
        })
        .collect::<Result<TimestampMicrosecondArray>>()?;
    conform_stamp(out, call.result)
}

/// `convert_timezone([source, ]target, timestamp_ntz)`.
fn convert_timezone(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let last = args.len() - 1;
    let (target, time) = (strs(args, last - 1)?, stamps(args, last)?);
    let source = if last == 2 { Some(strs(args, 0)?) } else { None };
    let session = zone(call)?;
    let out = (0..time.len())
        .map(|row| {
            if time.is_null(row) || target.is_null(row) || source.is_some_and(|s| s.is_null(row)) {
                return Ok(None);
            }
            let utc = match source {
                Some(source) => Zone::parse(source.value(row))?.to_utc(time.value(row)),
                None => session.to_utc(time.value(row)),
            };
            Ok(Some(Zone::parse(target.value(row))?.to_local(utc)))
        })
        .collect::<Result<TimestampMicrosecondArray>>()?;
    Ok(Arc::new(out))
}

fn current(call: &Call<'_>, wall: bool) -> Result<ArrayRef> {
    let now = if wall { zone(call)?.to_local(now(call)) } else { now(call) };
    conform_stamp(TimestampMicrosecondArray::from(vec![now; call.rows]), call.result)
}

fn second_fraction(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let out: Decimal128Array =
        locals(call, args, 0)?.into_iter().map(|t| t.map(|t| i128::from(t.rem_euclid(60_000_000)))).collect();
    conform(Arc::new(out.with_precision_and_scale(8, 6)?), call.result)
}

fn name(args: &[ArrayRef], work: fn(i32) -> &'static str) -> Result<ArrayRef> {
    Ok(Arc::new(dates(args, 0)?.iter().map(|d| d.map(work)).collect::<StringArray>()))
}

fn month_name(day: i32) -> &'static str {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES.get(civil_from_days(day).1 as usize - 1).copied().unwrap_or("")
}

fn day_name(day: i32) -> &'static str {
    const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    NAMES.get(iso_weekday(day) as usize - 1).copied().unwrap_or("")
}

/// Date and time functions. `spark_extract_*` serve `extract` and `date_part`, which the analyzer maps by field.
pub(crate) fn all() -> Vec<SparkFn> {
    const D: &[Arg] = &[Arg::Date];
    const T: &[Arg] = &[Arg::AnyTs];
    const DN: &[Arg] = &[Arg::Date, Arg::Int];
    const MAKE: &[Arg] = &[Arg::Int, Arg::Int, Arg::Int, Arg::Int, Arg::Int, Arg::Double, Arg::Str];
    let stamp = || Ret::Is(ltz());
    let make = |name: &'static str, ret: Ret, min: usize| {
        f(name, MAKE, ret, make_timestamp).min(min).coerce(stamp_types).nulls(Nulls::Always)
    };
    vec![
        f("year", D, INT, |_, a| day_part(a, |d| civil_from_days(d).0)),
        f("quarter", D, INT, |_, a| day_part(a, |d| (civil_from_days(d).1 as i32 - 1) / 3 + 1)),
        f("month", D, INT, |_, a| day_part(a, |d| civil_from_days(d).1 as i32)),
        f("day", D, INT, |_, a| day_part(a, |d| civil_from_days(d).2 as i32)).also(&["dayofmonth"]),
        f("dayofyear", D, INT, |_, a| day_part(a, |d| day_of_year(d) as i32)),
        f("dayofweek", D, INT, |_, a| day_part(a, |d| iso_weekday(d) as i32 % 7 + 1)),
        f("weekday", D, INT, |_, a| day_part(a, |d| iso_weekday(d) as i32 - 1)),
        f("weekofyear", D, INT, |_, a| day_part(a, |d| iso_week(d).0)),
        f("spark_extract_isodow", D, INT, |_, a| day_part(a, |d| iso_weekday(d) as i32)),
        f("spark_extract_yearofweek", D, INT, |_, a| day_part(a, |d| iso_week(d).1)),
        f("spark_extract_second", T, Ret::Is(DataType::Decimal128(8, 6)), second_fraction),
        f("hour", T, INT, |c, a| time_part(c, a, 3_600_000_000, 24)),
        f("minute", T, INT, |c, a| time_part(c, a, 60_000_000, 60)),
        f("second", T, INT, |c, a| time_part(c, a, 1_000_000, 60)),
        f("monthname", D, TEXT, |_, a| name(a, month_name)),
        f("dayname", D, TEXT, |_, a| name(a, day_name)),
        f("date_add", DN, DATE, |_, a| plus(a, 1)).also(&["dateadd"]),
        f("date_sub", DN, DATE, |_, a| plus(a, -1)),
        f("datediff", &[Arg::Date, Arg::Date], INT, |_, a| {
            let pairs = dates(a, 0)?.iter().zip(dates(a, 1)?);
            Ok(Arc::new(pairs.map(|(a, b)| Some(a?.wrapping_sub(b?))).collect::<Int32Array>()))
        })
        .also(&["date_diff"]),
        f("add_months", DN, DATE, |_, a| {
            let pairs = dates(a, 0)?.iter().zip(ints(a, 1)?);
            let out = pairs.map(|(d, n)| match d.zip(n) {
                Some((d, n)) => add_months(d, n).map(Some).ok_or_else(overflow),
                None => Ok(None),
            });
            Ok(Arc::new(out.collect::<Result<Date32Array>>()?))
        }),
        f("months_between", &[Arg::AnyTs, Arg::AnyTs, Arg::Bool], Ret::Is(DataType::Float64), months_between).min(2),
        f("last_day", D, DATE, |_, a| {
            Ok(Arc::new(dates(a, 0)?.iter().map(|d| d.map(last_day)).collect::<Date32Array>()))
        }),
        f("next_day", &[Arg::Date, Arg::Str], DATE, next_day).nulls(Nulls::Always),
        f("trunc", &[Arg::Date, Arg::Str], DATE, trunc).nulls(Nulls::Always),
        f("date_trunc", &[Arg::Str, Arg::AnyTs], Ret::Same(1), date_trunc).nulls(Nulls::Always),
        f("date_format", &[Arg::DateOrTs, Arg::Str], TEXT, date_format),
        f("make_date", &[Arg::Int, Arg::Int, Arg::Int], DATE, make_date).nulls(Nulls::Always),
        make("make_timestamp", stamp(), 6),
        make("make_timestamp_ltz", stamp(), 6),
        make("make_timestamp_ntz", Ret::Is(ntz()), 6),
        make("try_make_timestamp", stamp(), 6),
        make("try_make_timestamp_ltz", stamp(), 6),
        make("try_make_timestamp_ntz", Ret::Is(ntz()), 6),
        f("from_utc_timestamp", &[Arg::Ts, Arg::Str], stamp(), |c, a| shifted(a, c, false)),
        f("to_utc_timestamp", &[Arg::Ts, Arg::Str], stamp(), |c, a| shifted(a, c, true)),
        f("convert_timezone", &[Arg::Str, Arg::Str, Arg::Ntz], Ret::Is(ntz()), convert_timezone).min(2).coerce(|t| {
            let last = t.len().saturating_sub(1);
            Ok((0..t.len()).map(|at| if at == last { ntz() } else { DataType::Utf8 }).collect())
        }),
        f("current_date", &[], DATE, |c, _| {
            let day = zone(c)?.to_local(now(c)).div_euclid(MICROS_PER_DAY) as i32;
            Ok(Arc::new(Date32Array::from(vec![day; c.rows])))
        })
        .stable()
        .also(&["curdate"]),
        f("current_timestamp", &[], stamp(), |c, _| current(c, false)).stable().also(&["now"]),
        f("localtimestamp", &[], Ret::Is(ntz()), |c, _| current(c, true)).stable(),
        f("current_timezone", &[], TEXT, |c, _| {
            Ok(Arc::new(StringArray::from(vec![c.options.time_zone.clone(); c.rows])))
        })
        .stable(),
    ]
}
