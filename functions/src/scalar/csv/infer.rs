//! `schema_of_csv`: the narrowest type of each field.

use super::Dialect;
use super::line::split;
use super::read::Scalars;
use crate::error::SparkResult;
use crate::options::SparkOptions;
use crate::scalar::document::{Formats, Options};
use crate::time;
use crate::types::{DataType, StructField, StructType};

/// The struct type of a line.
///
/// # Errors
/// Bad options.
pub(super) fn schema(line: &str, options: &Options, session: &SparkOptions) -> SparkResult<DataType> {
    let dialect = Dialect::new(options, false)?;
    let formats = Formats::reading(options, session)?;
    let scalars = Scalars::new(options, session);
    let dates = options.flag("preferDate", true)?;
    let fields = split(line, &dialect).unwrap_or_default().into_iter().enumerate().map(|(index, text)| {
        let data_type = match text {
            Some(text) if text != scalars.null => infer(&text, &formats, &scalars, dates),
            _ => DataType::String,
        };
        StructField::new(format!("_c{index}"), data_type, true)
    });
    Ok(DataType::Struct(StructType::new(fields.collect())))
}

fn infer(text: &str, formats: &Formats, scalars: &Scalars, dates: bool) -> DataType {
    if text.parse::<i32>().is_ok() {
        return DataType::Integer;
    }
    if text.parse::<i64>().is_ok() {
        return DataType::Long;
    }
    decimal(text)
        .or_else(|| double(text, scalars).then_some(DataType::Double))
        .or_else(|| (dates && is_date(text, formats)).then_some(DataType::Date))
        .or_else(|| moment(text, formats))
        .or_else(|| {
            let known = text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
            known.then_some(DataType::Boolean)
        })
        .unwrap_or(DataType::String)
}

/// A decimal is only inferred without digits after the point, for whole numbers too long for a bigint.
fn decimal(text: &str) -> Option<DataType> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = digits.strip_suffix('.').unwrap_or(digits);
    if digits.is_empty() || digits.len() > 38 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let length = digits.trim_start_matches('0').len().max(1);
    Some(DataType::Decimal(u8::try_from(length).ok()?, 0))
}

fn double(text: &str, scalars: &Scalars) -> bool {
    // Java skips white space around doubles.
    let text = text.trim();
    let body = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let numeric = body.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    text == scalars.nan
        || text == scalars.positive
        || text == scalars.negative
        || matches!(text, "NaN" | "Infinity" | "-Infinity" | "+Infinity")
        || (numeric && body.parse::<f64>().is_ok())
}

/// Only ten characters are a date without a pattern; longer texts are times.
fn is_date(text: &str, formats: &Formats) -> bool {
    formats.read_date(text).is_some() && (formats.has_date_pattern() || !text.contains([':', ' ', 'T']))
}

fn moment(text: &str, formats: &Formats) -> Option<DataType> {
    if formats.has_timestamp_pattern() {
        return formats.read_timestamp(text).map(|_| DataType::Timestamp);
    }
    time::parse_timestamp(text, formats.zone(), || 0).map(|_| DataType::Timestamp)
}
