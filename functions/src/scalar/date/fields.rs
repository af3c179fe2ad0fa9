//! Fields of dates and timestamps: year, week, hour, names. Local fields use the session zone.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int32Array, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;

use super::super::coerce::Arg;
use super::super::read::dates;
use super::super::spec::{Call, SparkFn, conform, f};
use super::{INT, TEXT, locals};
use crate::scalar::spec::Ret;
use crate::time::civil::{day_of_year, iso_weekday};
use crate::time::civil_from_days;

/// Applies `work` to what stands under nulls too.
fn day_part(args: &[ArrayRef], work: impl Fn(i32) -> i32) -> Result<ArrayRef> {
    Ok(Arc::new(dates(args, 0)?.unary::<_, Int32Type>(work)))
}

fn time_part(call: &Call<'_>, args: &[ArrayRef], unit: i64, modulo: i64) -> Result<ArrayRef> {
    let part = |t: i64| (t.div_euclid(unit).rem_euclid(modulo)) as i32;
    Ok(Arc::new(locals(call, args, 0)?.into_iter().map(|t| t.map(part)).collect::<Int32Array>()))
}

fn iso_week(day: i32) -> (i32, i32) {
    // The Thursday of a week decides its year.
    let thursday = day.wrapping_sub(iso_weekday(day) as i32 - 4);
    ((day_of_year(thursday) as i32 - 1) / 7 + 1, civil_from_days(thursday).0)
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

/// `spark_extract_*` serve `extract` and `date_part`, which the analyzer maps by field.
pub(super) fn all() -> Vec<SparkFn> {
    const D: &[Arg] = &[Arg::Date];
    const T: &[Arg] = &[Arg::AnyTs];
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
    ]
}
