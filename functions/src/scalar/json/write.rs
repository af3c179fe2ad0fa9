//! `to_json`: values as JSON trees.

use super::Json;
use crate::display::{decimal_text, java_double, java_float};
use crate::error::SparkResult;
use crate::scalar::datum::Datum;
use crate::scalar::document::Formats;
use crate::scalar::{base64, variant};
use crate::time::interval::{Calendar, format_day_time, format_year_month};
use crate::types::DataType;

/// What `to_json` does with NULL and times.
pub(crate) struct Writer {
    /// Leave out fields that are NULL.
    pub(crate) ignore_nulls: bool,
    /// Texts of dates and times.
    pub(crate) formats: Formats,
}

/// A value as a JSON tree.
///
/// # Errors
/// A bad datetime pattern; a broken variant.
pub(crate) fn tree(value: &Datum, data_type: &DataType, writer: &Writer) -> SparkResult<Json> {
    use DataType as T;
    Ok(match (data_type, value) {
        (_, Datum::Null) => Json::Null,
        (T::Variant, Datum::Variant(value)) => variant::decode(value)?.to_json(writer.formats.zone()),
        (T::Array { element, .. }, Datum::List(items)) => {
            Json::Array(items.iter().map(|item| tree(item, element, writer)).collect::<SparkResult<_>>()?)
        }
        (T::Map { key, value: to, .. }, Datum::Map(entries)) => {
            let fields = entries.iter().map(|(k, v)| Ok((internal_text(k, key), tree(v, to, writer)?)));
            Json::Object(fields.collect::<SparkResult<_>>()?)
        }
        (T::Struct(fields), Datum::Row(values)) => {
            let mut out = Vec::with_capacity(values.len());
            for (field, value) in fields.fields.iter().zip(values) {
                if writer.ignore_nulls && matches!(value, Datum::Null) {
                    continue;
                }
                out.push((field.name.clone(), tree(value, &field.data_type, writer)?));
            }
            Json::Object(out)
        }
        (_, Datum::Bool(value)) => Json::Bool(*value),
        (_, Datum::Bytes(bytes)) => Json::Text(base64::encode(bytes)),
        (T::Decimal(_, scale), Datum::Decimal(digits)) => Json::Int(java_decimal(*digits, *scale)),
        (_, Datum::Float(value)) if !value.is_finite() => Json::Text(java_float(*value)),
        (_, Datum::Float(value)) => Json::Int(java_float(*value)),
        (_, Datum::Double(value)) if !value.is_finite() => Json::Text(java_double(*value)),
        (_, Datum::Double(value)) => Json::Int(java_double(*value)),
        (T::Byte | T::Short | T::Integer | T::Long, Datum::Int(value)) => Json::Int(value.to_string()),
        (_, Datum::Text(text)) => Json::Text(text.clone()),
        (data_type, value) => moment(value, data_type, &writer.formats)?.map_or(Json::Null, Json::Text),
    })
}

/// Dates, times and intervals as text; `None` for other values.
///
/// # Errors
/// A bad datetime pattern.
pub(crate) fn moment(value: &Datum, data_type: &DataType, formats: &Formats) -> SparkResult<Option<String>> {
    Ok(Some(match (data_type, value) {
        (DataType::Date, Datum::Int(days)) => formats.write_date(*days)?,
        (DataType::Timestamp, Datum::Int(micros)) => formats.write_timestamp(*micros)?,
        (DataType::TimestampNtz, Datum::Int(micros)) => formats.write_ntz(*micros)?,
        (DataType::Time(_), Datum::Int(micros)) => formats.write_time(*micros)?,
        (DataType::YearMonthInterval(start, end), Datum::Int(months)) => {
            format_year_month(i32::try_from(*months).unwrap_or(0), *start, *end)
        }
        (DataType::DayTimeInterval(start, end), Datum::Int(micros)) => format_day_time(*micros, *start, *end),
        (DataType::CalendarInterval, Datum::Interval(months, days, nanos)) => {
            Calendar { months: *months, days: *days, micros: nanos / 1000 }.to_string()
        }
        _ => return Ok(None),
    }))
}

/// A decimal as Java's `BigDecimal` prints it, with an exponent when it is very small.
pub(crate) fn java_decimal(unscaled: i128, scale: i8) -> String {
    let digits = unscaled.unsigned_abs().to_string();
    let exponent = digits.len() as i64 - 1 - i64::from(scale);
    if scale >= 0 && exponent >= -6 {
        return decimal_text(unscaled, scale);
    }
    let sign = if unscaled < 0 { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let plus = if exponent > 0 { "+" } else { "" };
    format!("{sign}{first}{point}{rest}E{plus}{exponent}")
}

/// A map key as Spark's internal value prints itself: days and microseconds are numbers.
fn internal_text(value: &Datum, data_type: &DataType) -> String {
    match (data_type, value) {
        (_, Datum::Null) => "null".to_owned(),
        (_, Datum::Bool(value)) => value.to_string(),
        (_, Datum::Int(value)) => value.to_string(),
        (_, Datum::Float(value)) => java_float(*value),
        (_, Datum::Double(value)) => java_double(*value),
        (DataType::Decimal(_, scale), Datum::Decimal(digits)) => decimal_text(*digits, *scale),
        (_, Datum::Text(text)) => text.clone(),
        (_, Datum::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        (DataType::Struct(fields), Datum::Row(values)) => {
            let parts = fields.fields.iter().zip(values).map(|(f, v)| internal_text(v, &f.data_type));
            format!("[{}]", parts.collect::<Vec<_>>().join(","))
        }
        (DataType::Array { element, .. }, Datum::List(items)) => {
            format!("[{}]", items.iter().map(|v| internal_text(v, element)).collect::<Vec<_>>().join(","))
        }
        _ => String::new(),
    }
}
