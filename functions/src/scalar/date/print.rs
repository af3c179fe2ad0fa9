//! Dates and timestamps as text by a pattern.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Time64MicrosecondType};
use datafusion::common::Result;

use super::super::coerce::{self, Arg};
use super::super::read::{stamps, strs};
use super::super::spec::{Call, SparkFn, f};
use super::{TEXT, locals, zone};
use crate::time::pattern::Pattern;

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
                held = Some((text.to_string(), Pattern::for_policy(text, &call.options.time_parser_policy)?));
            }
            Ok(held.as_ref().map(|(_, pattern)| match utc {
                Some(utc) => pattern.format_timestamp(utc.value(row), &zone),
                None => pattern.format_ntz(time),
            }))
        })
        .collect::<Result<StringArray>>()?;
    Ok(Arc::new(out))
}

/// `date_format(time, pattern)`: a pattern that asks for a date fails.
fn time_format(args: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(times) = args[0].as_primitive_opt::<Time64MicrosecondType>() else {
        return datafusion::common::internal_err!("no time of day");
    };
    let patterns = strs(args, 1)?;
    let mut held: Option<(String, Pattern)> = None;
    let mut out = Vec::with_capacity(times.len());
    for row in 0..times.len() {
        if times.is_null(row) || patterns.is_null(row) {
            out.push(None);
            continue;
        }
        let text = patterns.value(row);
        if held.as_ref().is_none_or(|(known, _)| known != text) {
            let pattern = Pattern::for_format(text)?;
            if pattern.needs_date() {
                let value = crate::error::sql_value(text);
                let parameters =
                    [("parameter", "`format`"), ("functionName", "`date_format`"), ("invalidValue", value.as_str())];
                return Err(crate::error::SparkError::runtime("INVALID_PARAMETER_VALUE.PATTERN", &parameters).into());
            }
            held = Some((text.to_string(), pattern));
        }
        out.push(held.as_ref().map(|(_, pattern)| pattern.format_ntz(times.value(row))));
    }
    Ok(Arc::new(StringArray::from(out)))
}

fn printed_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let first = if matches!(types.first(), Some(DataType::Time64(_))) { Arg::Any } else { Arg::DateOrTs };
    coerce::coerce("date_format", &[first, Arg::Str], None, types)
}

/// Functions that print.
pub(super) fn all() -> Vec<SparkFn> {
    vec![
        f("date_format", &[Arg::DateOrTs, Arg::Str], TEXT, |call, args| match args[0].data_type() {
            DataType::Time64(_) => time_format(args),
            _ => date_format(call, args),
        })
        .coerce(printed_types),
    ]
}
