//! Numbers and texts to dates and timestamps and back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type};
use datafusion::common::{DataFusionError, Result};

use super::coerce::{self, Arg, ltz, ntz};
use super::date::{conform_stamp, now, zone};
use super::read::{dates, fail, longs, stamps, strs};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::error::{ErrorKind, SparkError};
use crate::time::pattern::Pattern;
use crate::time::{MICROS_PER_DAY, parse_date, parse_ntz, parse_timestamp};

const BIGINT: Ret = Ret::Is(DataType::Int64);

/// `DATETIME_OVERFLOW` of a number that is no timestamp.
fn no_timestamp(number: &str, unit: &str) -> DataFusionError {
    SparkError::datetime_overflow(&format!("create a TIMESTAMP from {number} {unit} since the epoch")).into()
}

fn overflow() -> DataFusionError {
    let parameters = [("message", "long overflow"), ("alternative", ""), ("config", "\"spark.sql.ansi.enabled\"")];
    fail(ErrorKind::Arithmetic, "ARITHMETIC_OVERFLOW", &parameters)
}

fn unparsed(text: &str, kind: &str) -> DataFusionError {
    let message = format!("Text '{text}' could not be parsed as {kind}");
    fail(ErrorKind::DateTime, "CANNOT_PARSE_TIMESTAMP", &[("func", "`try_to_timestamp`"), ("message", &message)])
}

/// A text that only the old parser reads.
fn read_otherwise(text: &str) -> DataFusionError {
    let text = format!("'{text}'");
    let parameters = [("datetime", text.as_str()), ("config", "\"spark.sql.legacy.timeParserPolicy\"")];
    fail(ErrorKind::Upgrade, "INCONSISTENT_BEHAVIOR_CROSS_VERSION.PARSE_DATETIME_BY_NEW_PARSER", &parameters)
}

fn invalid_cast(text: &str, kind: &str) -> DataFusionError {
    let (expression, target) = (format!("'{text}'"), format!("\"{kind}\""));
    let parameters = [
        ("expression", expression.as_str()),
        ("sourceType", "\"STRING\""),
        ("targetType", target.as_str()),
        ("ansiConfig", "\"spark.sql.ansi.enabled\""),
    ];
    fail(ErrorKind::DateTime, "CAST_INVALID_INPUT", &parameters)
}

/// What text is read as.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Date,
    Ltz,
    Ntz,
}

/// Reads texts with an optional pattern into microseconds (days for dates).
fn read(call: &Call<'_>, args: &[ArrayRef], kind: Kind) -> Result<Vec<Option<i64>>> {
    let text = strs(args, 0)?;
    let patterns = if args.len() > 1 { Some(strs(args, 1)?) } else { None };
    let zone = zone(call)?;
    let strict = call.options.ansi && !call.name.starts_with("try_");
    let today = || zone.to_local(now(call)).div_euclid(MICROS_PER_DAY) as i32;
    let label = if kind == Kind::Date { "DATE" } else { "TIMESTAMP" };
    let policy = call.options.time_parser_policy.as_str();
    let mut held: Option<(String, Pattern)> = None;
    (0..text.len())
        .map(|row| {
            if text.is_null(row) || patterns.is_some_and(|patterns| patterns.is_null(row)) {
                return Ok(None);
            }
            let value = text.value(row);
            let Some(patterns) = patterns else {
                let got = match kind {
                    Kind::Date => parse_date(value).map(i64::from),
                    Kind::Ltz => parse_timestamp(value, &zone, today),
                    Kind::Ntz => parse_ntz(value, true),
                };
                return if got.is_none() && strict { Err(invalid_cast(value, label)) } else { Ok(got) };
            };
            let pattern = patterns.value(row);
            if held.as_ref().is_none_or(|(known, _)| known != pattern) {
                held = Some((pattern.to_string(), Pattern::for_parse_policy(pattern, policy)?));
            }
            let by = |pattern: &Pattern| match kind {
                Kind::Date => pattern.parse_date(value).map(i64::from),
                Kind::Ltz => pattern.parse_timestamp(value, &zone),
                Kind::Ntz => pattern.parse_ntz(value),
            };
            let got = held.as_ref().and_then(|(_, pattern)| by(pattern));
            if got.is_none()
                && policy == "EXCEPTION"
                && Pattern::for_parse_policy(pattern, "LEGACY").is_ok_and(|old| by(&old).is_some())
            {
                return Err(read_otherwise(value));
            }
            if got.is_none() && strict { Err(unparsed(value, label)) } else { Ok(got) }
        })
        .collect()
}

fn text_first(types: &[DataType]) -> bool {
    matches!(types.first(), Some(DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8))
}

/// `to_date(expr[, fmt])`.
fn to_date(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    if *args[0].data_type() == DataType::Date32 {
        return Ok(Arc::clone(&args[0]));
    }
    let days = read(call, args, Kind::Date)?.into_iter().map(|d| d.and_then(|d| i32::try_from(d).ok()));
    Ok(Arc::new(days.collect::<Date32Array>()))
}

/// `to_timestamp(expr[, fmt])` and its forms: other timestamps and dates are converted.
fn to_timestamp(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    if args[0].data_type() == call.result {
        return Ok(Arc::clone(&args[0]));
    }
    let kind = if matches!(call.result, DataType::Timestamp(_, None)) { Kind::Ntz } else { Kind::Ltz };
    let values = read(call, args, kind)?;
    conform_stamp(values.into_iter().collect::<TimestampMicrosecondArray>(), call.result)
}

/// `unix_timestamp([expr[, fmt]])`, `to_unix_timestamp`: whole seconds.
fn unix_timestamp(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    // Moments before the epoch are cut towards it.
    let seconds = |t: i64| t / 1_000_000;
    if args.is_empty() {
        return Ok(Arc::new(Int64Array::from(vec![seconds(now(call)); call.rows])));
    }
    if args[0].as_string_opt::<i32>().is_none() {
        return Ok(Arc::new(stamps(args, 0)?.iter().map(|t| t.map(seconds)).collect::<Int64Array>()));
    }
    let pattern: ArrayRef = match args.get(1) {
        Some(pattern) => Arc::clone(pattern),
        None => Arc::new(StringArray::from(vec!["yyyy-MM-dd HH:mm:ss"; args[0].len()])),
    };
    let values = read(call, &[Arc::clone(&args[0]), pattern], Kind::Ltz)?;
    Ok(Arc::new(values.into_iter().map(|t| t.map(seconds)).collect::<Int64Array>()))
}

fn moment_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let first = if text_first(types) { Arg::Str } else { Arg::Ts };
    coerce::coerce("unix_timestamp", &[first, Arg::Str], None, types)
}

/// A whole number of any width; no other is cast.
fn whole(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [given] if given.is_signed_integer() || matches!(given, DataType::Null) => Ok(vec![DataType::Int64]),
        [other] => Err(coerce::mismatch(name, 0, "\"INTEGRAL\"", other).into()),
        _ => Ok(types.to_vec()),
    }
}

/// A date, or a timestamp, as it is: nothing else is cast.
fn no_other(name: &str, arg: Arg, types: &[DataType]) -> Result<Vec<DataType>> {
    if let Some(given) = types.first()
        && !matches!(
            (given, arg),
            (DataType::Null, _) | (DataType::Date32, Arg::Date) | (DataType::Timestamp(..), Arg::AnyTs)
        )
    {
        let wanted = if arg == Arg::Date { "\"DATE\"" } else { "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\"" };
        return Err(coerce::mismatch(name, 0, wanted, given).into());
    }
    coerce::coerce(name, &[arg], None, types)
}

/// What is no date or time is read as text.
fn text_or(first: Arg, types: &[DataType]) -> Arg {
    let moment = matches!(types.first(), Some(DataType::Date32 | DataType::Timestamp(..) | DataType::Null));
    if moment { first } else { Arg::Str }
}

/// `from_unixtime(seconds[, fmt])`.
fn from_unixtime(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let zone = zone(call)?;
    let seconds = longs(args, 0)?;
    let patterns = if args.len() > 1 { Some(strs(args, 1)?) } else { None };
    let out = (0..seconds.len())
        .map(|row| {
            if seconds.is_null(row) || patterns.is_some_and(|p| p.is_null(row)) {
                return Ok(None);
            }
            let pattern = {
                let text = patterns.map_or("yyyy-MM-dd HH:mm:ss", |p| p.value(row));
                Pattern::for_policy(text, &call.options.time_parser_policy)?
            };
            // Beyond the range of a timestamp Java's product wraps.
            let micros = seconds.value(row).wrapping_mul(1_000_000);
            Ok(Some(pattern.format_timestamp(micros, &zone)))
        })
        .collect::<Result<StringArray>>()?;
    Ok(Arc::new(out))
}

/// `timestamp_seconds(n)`: integers, decimals and doubles.
fn timestamp_seconds(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let out: TimestampMicrosecondArray = if let Some(values) = args[0].as_primitive_opt::<Decimal128Type>() {
        let DataType::Decimal128(_, scale) = *values.data_type() else { return Err(overflow()) };
        let by = |v: i128| -> Result<i64> {
            let unit = 10_i128.checked_pow(u32::from(scale.unsigned_abs())).ok_or_else(overflow)?;
            let shown = || no_timestamp(&crate::display::decimal_text(v, scale), "seconds");
            let micros = v.checked_mul(1_000_000).ok_or_else(shown)?;
            if micros % unit != 0 {
                let message = "Rounding necessary";
                return Err(SparkError::new(ErrorKind::Arithmetic, "ARITHMETIC_OVERFLOW", &[("message", message)])
                    .with_message(message)
                    .into());
            }
            i64::try_from(micros / unit).map_err(|_| shown())
        };
        values.iter().map(|v| v.map(by).transpose()).collect::<Result<_>>()?
    } else if let Some(values) = args[0].as_primitive_opt::<Float64Type>() {
        values.iter().map(|v| v.filter(|v| v.is_finite()).map(|v| (v * 1e6) as i64)).collect()
    } else {
        scaled(longs(args, 0)?, 1_000_000, "seconds")?
    };
    conform_stamp(out, call.result)
}

fn scaled(values: &Int64Array, by: i64, unit: &str) -> Result<TimestampMicrosecondArray> {
    let one = |v: i64| v.checked_mul(by).ok_or_else(|| no_timestamp(&format!("{v}L"), unit));
    values.iter().map(|v| v.map(one).transpose()).collect()
}

fn unix(args: &[ArrayRef], unit: i64) -> Result<ArrayRef> {
    Ok(Arc::new(stamps(args, 0)?.iter().map(|t| t.map(|t| t.div_euclid(unit))).collect::<Int64Array>()))
}

/// Conversions; text that does not parse fails in ANSI mode, `try_` gives null.
pub(crate) fn all() -> Vec<SparkFn> {
    const TEXT: &[Arg] = &[Arg::Any, Arg::Str];
    const L: &[Arg] = &[Arg::Long];
    const T: &[Arg] = &[Arg::AnyTs];
    let date_types = |t: &[DataType]| {
        let first = text_or(Arg::Date, t);
        coerce::coerce("to_date", &[first, Arg::Str], None, t)
    };
    let ltz_types = |t: &[DataType]| {
        let first = text_or(Arg::Ts, t);
        coerce::coerce("to_timestamp", &[first, Arg::Str], None, t)
    };
    let ntz_types = |t: &[DataType]| {
        let first = text_or(Arg::Ntz, t);
        coerce::coerce("to_timestamp_ntz", &[first, Arg::Str], None, t)
    };
    let stamp = || Ret::Is(ltz());
    vec![
        f("to_date", TEXT, Ret::Is(DataType::Date32), to_date)
            .min(1)
            .coerce(date_types)
            .nulls(Nulls::Always)
            .also(&["try_to_date"]),
        f("to_timestamp", TEXT, stamp(), to_timestamp)
            .min(1)
            .coerce(ltz_types)
            .nulls(Nulls::Always)
            .also(&["try_to_timestamp", "to_timestamp_ltz"]),
        f("to_timestamp_ntz", TEXT, Ret::Is(ntz()), to_timestamp).min(1).coerce(ntz_types).nulls(Nulls::Always),
        f("unix_timestamp", TEXT, BIGINT, unix_timestamp).min(0).coerce(moment_types).stable().nulls(Nulls::Always),
        f("to_unix_timestamp", TEXT, BIGINT, unix_timestamp).min(1).coerce(moment_types).nulls(Nulls::Always),
        f("from_unixtime", &[Arg::Long, Arg::Str], Ret::Is(DataType::Utf8), from_unixtime).min(1),
        f("timestamp_seconds", &[Arg::Num], stamp(), timestamp_seconds)
            .coerce(|t| {
                if let Some(other) = t.iter().find(|t| !t.is_numeric() && !matches!(t, DataType::Null)) {
                    return Err(coerce::mismatch("timestamp_seconds", 0, "\"NUMERIC\"", other).into());
                }
                Ok(t.iter()
                    .map(|t| match t {
                        DataType::Decimal128(..) => t.clone(),
                        t if t.is_floating() => DataType::Float64,
                        _ => DataType::Int64,
                    })
                    .collect())
            })
            .nulls(Nulls::Always),
        f("timestamp_millis", L, stamp(), |c, a| conform_stamp(scaled(longs(a, 0)?, 1000, "milliseconds")?, c.result))
            .coerce(|t| whole("timestamp_millis", t)),
        f("timestamp_micros", L, stamp(), |c, a| conform_stamp(scaled(longs(a, 0)?, 1, "microseconds")?, c.result))
            .coerce(|t| whole("timestamp_micros", t)),
        f("unix_seconds", T, BIGINT, |_, a| unix(a, 1_000_000)).coerce(|t| no_other("unix_seconds", Arg::AnyTs, t)),
        f("unix_millis", T, BIGINT, |_, a| unix(a, 1000)).coerce(|t| no_other("unix_millis", Arg::AnyTs, t)),
        f("unix_micros", T, BIGINT, |_, a| unix(a, 1)).coerce(|t| no_other("unix_micros", Arg::AnyTs, t)),
        f("unix_date", &[Arg::Date], Ret::Is(DataType::Int32), |_, a| {
            Ok(Arc::new(dates(a, 0)?.iter().collect::<Int32Array>()))
        })
        .coerce(|t| no_other("unix_date", Arg::Date, t)),
        f("date_from_unix_date", &[Arg::Int], Ret::Is(DataType::Date32), |_, a| {
            Ok(arrow::compute::cast(&a[0], &DataType::Date32)?)
        }),
    ]
}
