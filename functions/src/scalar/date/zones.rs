//! Timestamps moved between time zones.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, TimestampMicrosecondArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::super::coerce::{Arg, ltz, ntz};
use super::super::read::{stamps, strs};
use super::super::spec::{Call, Ret, SparkFn, f};
use super::{conform_stamp, zone};
use crate::time::Zone;

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

/// Functions of time zones.
pub(super) fn all() -> Vec<SparkFn> {
    let stamp = || Ret::Is(ltz());
    vec![
        f("from_utc_timestamp", &[Arg::Ts, Arg::Str], stamp(), |c, a| shifted(a, c, false)),
        f("to_utc_timestamp", &[Arg::Ts, Arg::Str], stamp(), |c, a| shifted(a, c, true)),
        f("convert_timezone", &[Arg::Str, Arg::Str, Arg::Ntz], Ret::Is(ntz()), convert_timezone).min(2).coerce(|t| {
            let last = t.len().saturating_sub(1);
            Ok((0..t.len()).map(|at| if at == last { ntz() } else { DataType::Utf8 }).collect())
        }),
    ]
}
