//! `timestampadd` and `timestampdiff`: moves and distances in a named unit.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, TimestampMicrosecondArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::super::coerce::Arg;
use super::super::read::{longs, stamps, strs};
use super::super::spec::{Call, Ret, SparkFn, f};
use super::{conform_stamp, zone};
use crate::error::{ErrorKind, SparkError, SparkResult};
use crate::time::civil::add_months;
use crate::time::{MICROS_PER_DAY, Zone, civil_from_days};

/// A unit: so many months, days or microseconds.
#[derive(Clone, Copy)]
enum Unit {
    Months(i64),
    Days(i64),
    Micros(i64),
}

impl Unit {
    fn parse(name: &str) -> SparkResult<Self> {
        Ok(match name.to_ascii_uppercase().as_str() {
            "MICROSECOND" => Self::Micros(1),
            "MILLISECOND" => Self::Micros(1000),
            "SECOND" => Self::Micros(1_000_000),
            "MINUTE" => Self::Micros(60_000_000),
            "HOUR" => Self::Micros(3_600_000_000),
            "DAY" | "DAYOFYEAR" => Self::Days(1),
            "WEEK" => Self::Days(7),
            "MONTH" => Self::Months(1),
            "QUARTER" => Self::Months(3),
            "YEAR" => Self::Months(12),
            _ => return Err(SparkError::internal(format!("Got the unexpected unit '{name}'."))),
        })
    }

    /// A timestamp moved by `count` units; months and days move on the local calendar.
    fn add(self, micros: i64, count: i64, zone: &Zone) -> Option<i64> {
        let local = || {
            let local = zone.to_local(micros);
            (local.div_euclid(MICROS_PER_DAY), local.rem_euclid(MICROS_PER_DAY))
        };
        let join = |day: i64, clock: i64| Some(zone.to_utc(day.checked_mul(MICROS_PER_DAY)?.checked_add(clock)?));
        match self {
            Self::Micros(size) => micros.checked_add(count.checked_mul(size)?),
            Self::Days(size) => {
                let (day, clock) = local();
                let days = i32::try_from(count.checked_mul(size)?).ok()?;
                join(i64::from(i32::try_from(day).ok()?.checked_add(days)?), clock)
            }
            Self::Months(size) => {
                let (day, clock) = local();
                let months = i32::try_from(count.checked_mul(size)?).ok()?;
                join(i64::from(add_months(i32::try_from(day).ok()?, months)?), clock)
            }
        }
    }

    /// Whole units from `start` to `end`, towards zero, on the local calendar.
    fn between(self, start: i64, end: i64, zone: &Zone) -> i64 {
        match self {
            Self::Micros(size) => end.saturating_sub(start) / size,
            Self::Days(size) => (zone.to_local(end).saturating_sub(zone.to_local(start))) / MICROS_PER_DAY / size,
            Self::Months(size) => {
                let part = |micros: i64| {
                    let local = zone.to_local(micros);
                    let (year, month, day) = civil_from_days(local.div_euclid(MICROS_PER_DAY) as i32);
                    let months = i64::from(year) * 12 + i64::from(month);
                    (months, i64::from(day) * MICROS_PER_DAY + local.rem_euclid(MICROS_PER_DAY))
                };
                let ((first, start), (last, end)) = (part(start), part(end));
                let months = last - first;
                let incomplete = match months {
                    1.. => i64::from(end < start),
                    0 => 0,
                    _ => -i64::from(end > start),
                };
                (months - incomplete) / size
            }
        }
    }
}

/// The zone whose calendar counts for an argument.
fn calendar(call: &Call<'_>, data_type: &DataType) -> Result<Zone> {
    if matches!(data_type, DataType::Timestamp(_, None)) { Ok(Zone::UTC) } else { zone(call) }
}

/// `timestampadd(unit, count, timestamp)`: the type of the timestamp; fails where it does not fit.
fn timestampadd(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (units, counts, times) = (strs(args, 0)?, longs(args, 1)?, stamps(args, 2)?);
    let zone = calendar(call, times.data_type())?;
    let mut out = Vec::with_capacity(times.len());
    for row in 0..times.len() {
        if units.is_null(row) || counts.is_null(row) || times.is_null(row) {
            out.push(None);
            continue;
        }
        let (unit, count) = (units.value(row), counts.value(row));
        let moved = Unit::parse(unit)?.add(times.value(row), count, &zone).ok_or_else(|| {
            SparkError::new(
                ErrorKind::Arithmetic,
                "DATETIME_OVERFLOW",
                &[("operation", &format!("add {count}L {unit} to a timestamp"))],
            )
        })?;
        out.push(Some(moved));
    }
    conform_stamp(TimestampMicrosecondArray::from(out), call.result)
}

/// `timestampdiff(unit, start, end)`: whole units.
fn timestampdiff(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (units, starts, ends) = (strs(args, 0)?, stamps(args, 1)?, stamps(args, 2)?);
    let zone = calendar(call, starts.data_type())?;
    let mut out = Vec::with_capacity(starts.len());
    for row in 0..starts.len() {
        if units.is_null(row) || starts.is_null(row) || ends.is_null(row) {
            out.push(None);
            continue;
        }
        out.push(Some(Unit::parse(units.value(row))?.between(starts.value(row), ends.value(row), &zone)));
    }
    Ok(Arc::new(Int64Array::from(out)))
}

/// Both timestamps in one type: without zone only if neither has one.
fn pair_types(types: &[DataType]) -> Result<Vec<DataType>> {
    use super::super::coerce::{coerce, ltz, ntz};
    let wanted = coerce("timestampdiff", &[Arg::Str, Arg::AnyTs, Arg::AnyTs], None, types)?;
    let wall = |t: &DataType| matches!(t, DataType::Timestamp(_, None));
    let one = if wanted.iter().skip(1).all(wall) { ntz() } else { ltz() };
    Ok(vec![DataType::Utf8, one.clone(), one])
}

/// Functions of units.
pub(super) fn all() -> Vec<SparkFn> {
    vec![
        f("timestampadd", &[Arg::Str, Arg::Long, Arg::AnyTs], Ret::Same(2), timestampadd),
        f("timestampdiff", &[Arg::Str, Arg::AnyTs, Arg::AnyTs], Ret::Is(DataType::Int64), timestampdiff)
            .coerce(pair_types),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_between_two_instants_are_whole_and_cut_towards_zero() {
        let day = |text: &str| i64::from(crate::time::parse_date(text).unwrap()) * MICROS_PER_DAY;
        let months = |from: &str, to: &str| Unit::Months(1).between(day(from), day(to), &Zone::UTC);
        assert_eq!(months("2020-01-31", "2020-02-29"), 0);
        assert_eq!(months("2020-01-15", "2020-03-15"), 2);
        assert_eq!(months("2020-03-15", "2020-01-16"), -1);
    }
}
