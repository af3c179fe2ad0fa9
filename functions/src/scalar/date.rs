//! Dates and timestamps: fields, arithmetic, truncation, making, printing, current time.
//!
//! This file lists them and holds what they share: the session zone, the time of the query, local microseconds.

mod current;
mod fields;
mod make;
mod print;
mod shift;
mod trunc;
mod unit;
mod zones;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, TimestampMicrosecondArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

pub(crate) use make::{clock, out_of_bounds};

use super::read::{dates, stamps};
use super::spec::{Call, Ret, SparkFn};
use crate::time::{MICROS_PER_DAY, Zone};

const DATE: Ret = Ret::Is(DataType::Date32);
const INT: Ret = Ret::Is(DataType::Int32);
const TEXT: Ret = Ret::Is(DataType::Utf8);

/// Date and time functions.
pub(crate) fn all() -> Vec<SparkFn> {
    let rooms = [
        current::all(),
        fields::all(),
        make::all(),
        print::all(),
        shift::all(),
        trunc::all(),
        unit::all(),
        zones::all(),
    ];
    rooms.into_iter().flatten().collect()
}

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

/// Gives microseconds the declared timestamp type.
pub(crate) fn conform_stamp(values: TimestampMicrosecondArray, result: &DataType) -> Result<ArrayRef> {
    Ok(Arc::new(match result {
        DataType::Timestamp(_, Some(zone)) => values.with_timezone(Arc::clone(zone)),
        _ => values,
    }))
}
