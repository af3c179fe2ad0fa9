//! The windows of time a timestamp falls into, and the last moment of one: `window(..)` and `window_time(window)`.
//!
//! Source: Spark's pages of `window` and `window_time`: a window begins at the start time plus a multiple of the slide
//! and ends before that plus the duration. Weeks and days have fixed lengths; months are refused.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, IntervalMonthDayNanoArray, ListArray, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    DataType, Field, FieldRef, Fields, IntervalMonthDayNano, IntervalUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, ScalarValue, internal_err};

use super::coerce::{Arg, list_of};
use super::read::{fail, stamps, strs};
use super::spec::{Call, Nulls, Ret, SparkFn, conform, f};
use crate::error::ErrorKind;
use crate::time::interval::parse_calendar;

const DAY: i64 = 86_400_000_000;

fn bounds(of: &DataType) -> Fields {
    Fields::from(vec![Field::new("start", of.clone(), true), Field::new("end", of.clone(), true)])
}

/// A length of time in microseconds.
fn length(args: &[ArrayRef], at: usize) -> Result<Option<i64>> {
    if args.len() <= at {
        return Ok(None);
    }
    let texts = strs(args, at)?;
    if texts.is_empty() || texts.is_null(0) {
        return Ok(None);
    }
    let text = texts.value(0);
    match parse_calendar(text) {
        Some(found) if found.months == 0 => Ok(Some(i64::from(found.days) * DAY + found.micros)),
        Some(_) => Err(fail(ErrorKind::IllegalArgument, "_LEGACY_ERROR_TEMP_3231", &[("interval", text)])),
        None => Err(fail(ErrorKind::Analysis, "CANNOT_PARSE_INTERVAL", &[("intervalString", &format!("'{text}'"))])),
    }
}

fn refuse(sub: &str, parameters: &[(&str, &str)]) -> datafusion::common::DataFusionError {
    let mut all = vec![("sqlExpr", "\"window\"")];
    all.extend_from_slice(parameters);
    fail(ErrorKind::Analysis, &format!("DATATYPE_MISMATCH.{sub}"), &all)
}

/// `spark_time_windows(time, duration[, slide[, start]])`: the windows of each row, none for null.
fn windows(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let DataType::List(field) = call.result else { return internal_err!("windows are an array") };
    let times = stamps(args, 0)?;
    let duration = length(args, 1)?.unwrap_or(0);
    let slide = length(args, 2)?.unwrap_or(duration);
    let begin = length(args, 3)?.unwrap_or(0);
    if !times.is_empty() {
        for (name, value) in [("window_duration", duration), ("slide_duration", slide)] {
            if value <= 0 {
                let (name, value) = (format!("`{name}`"), value.to_string());
                let parameters =
                    [("exprName", name.as_str()), ("valueRange", "(0, 9223372036854775807]"), ("currentValue", &value)];
                return Err(refuse("VALUE_OUT_OF_RANGE", &parameters));
            }
        }
        if slide > duration {
            let parameters = [
                ("leftExprName", "`slide_duration`"),
                ("leftExprValue", &*slide.to_string()),
                ("constraint", "<="),
                ("rightExprName", "`window_duration`"),
                ("rightExprValue", &*duration.to_string()),
            ];
            return Err(refuse("PARAMETER_CONSTRAINT_VIOLATION", &parameters));
        }
        if begin.abs() >= slide {
            let parameters = [
                ("leftExprName", "`abs(start_time)`"),
                ("leftExprValue", &*begin.abs().to_string()),
                ("constraint", "<"),
                ("rightExprName", "`slide_duration`"),
                ("rightExprValue", &*slide.to_string()),
            ];
            return Err(refuse("PARAMETER_CONSTRAINT_VIOLATION", &parameters));
        }
    }
    let (mut starts, mut ends, mut lengths) = (vec![], vec![], vec![]);
    for time in times {
        let before = starts.len();
        if let Some(time) = time {
            let mut start = time - (time - begin).rem_euclid(slide.max(1));
            while start.saturating_add(duration) > time {
                starts.push(start);
                ends.push(start + duration);
                start -= slide;
            }
        }
        lengths.push(starts.len() - before);
    }
    let zone = match times.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let column = |values: Vec<i64>| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from(values).with_timezone_opt(zone.clone()))
    };
    let total = starts.len();
    let values =
        StructArray::try_new_with_length(bounds(times.data_type()), vec![column(starts), column(ends)], None, total)?;
    let values = conform(Arc::new(values), field.data_type())?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), OffsetBuffer::from_lengths(lengths), values, None)?))
}

fn windows_type(fields: &[FieldRef], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    let of = fields.first().map_or(DataType::Null, |field| field.data_type().clone());
    Ok(list_of(DataType::Struct(bounds(&of)), false))
}

/// `window_time(window)`: one microsecond before its end.
fn window_time(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let ends = args.first().and_then(|window| window.as_struct_opt()).and_then(|window| window.column_by_name("end"));
    let Some(ends) = ends.and_then(|ends| ends.as_primitive_opt::<TimestampMicrosecondType>()) else {
        return internal_err!("a window has no end");
    };
    let valid = args.first().and_then(|window| window.nulls().cloned());
    let last: TimestampMicrosecondArray = ends
        .iter()
        .enumerate()
        .map(|(row, end)| end.filter(|_| valid.as_ref().is_none_or(|valid| valid.is_valid(row))).map(|end| end - 1))
        .collect();
    conform(Arc::new(last), call.result).or_else(|_| internal_err!("a window's end is no timestamp"))
}

fn end_type(fields: &[FieldRef], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(match fields.first().map(|field| field.data_type()) {
        Some(DataType::Struct(fields)) => {
            fields.iter().find(|field| field.name() == "end").map_or(DataType::Null, |end| end.data_type().clone())
        }
        _ => DataType::Null,
    })
}

/// A window is a struct of two timestamps.
fn window_types(types: &[DataType]) -> Result<Vec<DataType>> {
    if let [DataType::Struct(fields)] = types
        && let [start, end] = fields.as_ref()
        && (start.name().as_str(), end.name().as_str()) == ("start", "end")
        && matches!(end.data_type(), DataType::Timestamp(..))
    {
        return Ok(types.to_vec());
    }
    let given = types.first().cloned().unwrap_or(DataType::Null);
    Err(super::coerce::mismatch("window_time", 0, "\"STRUCT<start: TIMESTAMP, end: TIMESTAMP>\"", &given).into())
}

/// `spark_session_gap(gap)`: a text as an interval, null where it is none.
fn gap(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(given) = args.first() else { return internal_err!("a session has no gap") };
    let Some(texts) = given.as_string_opt::<i32>() else { return Ok(Arc::clone(given)) };
    let read = |text: &str| {
        let found = parse_calendar(text)?;
        Some(IntervalMonthDayNano::new(found.months, found.days, found.micros.checked_mul(1000)?))
    };
    Ok(Arc::new(texts.iter().map(|text| text.and_then(read)).collect::<IntervalMonthDayNanoArray>()))
}

fn gap_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [DataType::Interval(IntervalUnit::MonthDayNano) | DataType::Utf8] => Ok(types.to_vec()),
        [DataType::Null] => Ok(vec![DataType::Utf8]),
        _ => {
            let given = super::coerce::sql_name(types.first().unwrap_or(&DataType::Null));
            let parameters = [("dt", given.trim_matches('"'))];
            Err(fail(ErrorKind::Analysis, "_LEGACY_ERROR_TEMP_1040", &parameters))
        }
    }
}

/// Functions of windows of time.
pub(crate) fn all() -> Vec<SparkFn> {
    vec![
        f("spark_time_windows", &[Arg::AnyTs, Arg::Str, Arg::Str, Arg::Str], Ret::With(windows_type), windows)
            .min(2)
            .nulls(Nulls::Never),
        f("spark_session_time", &[Arg::AnyTs], Ret::Same(0), |_, args| match args.first() {
            Some(time) => Ok(Arc::clone(time)),
            None => internal_err!("a session has no time"),
        }),
        f("spark_session_gap", &[Arg::Any], Ret::Is(DataType::Interval(IntervalUnit::MonthDayNano)), gap)
            .coerce(gap_types)
            .nulls(Nulls::Always),
        f("window_time", &[Arg::Any], Ret::With(end_type), window_time).coerce(window_types),
    ]
}
