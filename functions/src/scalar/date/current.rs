//! The time of the query.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, StringArray, TimestampMicrosecondArray};
use datafusion::common::Result;

use super::super::coerce::{ltz, ntz};
use super::super::spec::{Call, Ret, SparkFn, f};
use super::{DATE, TEXT, conform_stamp, now, zone};
use crate::time::MICROS_PER_DAY;

fn current(call: &Call<'_>, wall: bool) -> Result<ArrayRef> {
    let now = if wall { zone(call)?.to_local(now(call)) } else { now(call) };
    conform_stamp(TimestampMicrosecondArray::from(vec![now; call.rows]), call.result)
}

/// Functions of the time of the query; the same for all its rows.
pub(super) fn all() -> Vec<SparkFn> {
    vec![
        f("current_date", &[], DATE, |c, _| {
            let day = zone(c)?.to_local(now(c)).div_euclid(MICROS_PER_DAY) as i32;
            Ok(Arc::new(Date32Array::from(vec![day; c.rows])))
        })
        .stable()
        .also(&["curdate"]),
        f("current_timestamp", &[], Ret::Is(ltz()), |c, _| current(c, false)).stable().also(&["now"]),
        f("localtimestamp", &[], Ret::Is(ntz()), |c, _| current(c, true)).stable(),
        f("current_timezone", &[], TEXT, |c, _| {
            Ok(Arc::new(StringArray::from(vec![c.options.time_zone.clone(); c.rows])))
        })
        .stable(),
    ]
}
