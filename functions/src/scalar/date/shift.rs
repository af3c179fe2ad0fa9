//! Dates moved by days or months, and the distance between two.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, Float64Array};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;

use super::super::coerce::{self, Arg};
use super::super::read::{bools, dates, fail, ints, strs};
use super::super::spec::{Call, Nulls, Ret, SparkFn, f};
use super::{DATE, INT, locals};
use crate::arithmetic::pairs;
use crate::error::ErrorKind;
use crate::time::civil::{add_months, iso_weekday};
use crate::time::{MICROS_PER_DAY, civil_from_days, days_in_month};

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

/// The number of days of `date_add` and `date_sub`: a small whole number, nothing wider.
fn days_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let mut wanted = coerce::coerce("date_add", &[Arg::Date, Arg::Any], None, types)?;
    if let (Some(days), Some(given)) = (wanted.get_mut(1), types.get(1)) {
        let fits = matches!(given, DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Null);
        let text = matches!(given, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8);
        if !fits && !text {
            return Err(coerce::mismatch("date_add", 1, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")", given).into());
        }
        *days = DataType::Int32;
    }
    Ok(wanted)
}

/// Functions that move dates.
pub(super) fn all() -> Vec<SparkFn> {
    const D: &[Arg] = &[Arg::Date];
    const DN: &[Arg] = &[Arg::Date, Arg::Int];
    vec![
        f("date_add", DN, DATE, |_, a| plus(a, 1)).coerce(days_types).also(&["dateadd"]),
        f("date_sub", DN, DATE, |_, a| plus(a, -1)).coerce(days_types),
        f("datediff", &[Arg::Date, Arg::Date], INT, |_, a| {
            Ok(Arc::new(pairs::<_, _, Int32Type>(dates(a, 0)?, dates(a, 1)?, i32::wrapping_sub)))
        })
        .constants()
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
    ]
}
