//! Variants as JSON and as strings.

use super::Node;
use crate::display::{decimal_text, java_double, java_float};
use crate::scalar::base64;
use crate::scalar::json::Json;
use crate::time::{self, MICROS_PER_SECOND, Zone};

impl Node {
    /// The JSON form; times are in `zone`.
    pub(crate) fn to_json(&self, zone: &Zone) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Long(value) => Json::Int(value.to_string()),
            Self::Double(value) if value.is_finite() => Json::Int(java_double(*value)),
            Self::Double(value) => Json::Text(java_double(*value)),
            Self::Float(value) if value.is_finite() => Json::Int(java_float(*value)),
            Self::Float(value) => Json::Text(java_float(*value)),
            Self::Decimal(digits, scale) => Json::Int(plain_decimal(*digits, *scale)),
            Self::Array(items) => Json::Array(items.iter().map(|item| item.to_json(zone)).collect()),
            Self::Object(fields) => {
                Json::Object(fields.iter().map(|(name, value)| (name.clone(), value.to_json(zone))).collect())
            }
            Self::Date(days) => Json::Text(time::format_date(*days)),
            Self::Timestamp(micros) => Json::Text(with_offset(*micros, zone)),
            Self::TimestampNtz(micros) => Json::Text(time::format_local(*micros)),
            Self::Binary(bytes) => Json::Text(base64::encode(bytes)),
            Self::Text(text) => Json::Text(text.clone()),
            Self::Uuid(bytes) => Json::Text(uuid(bytes)),
        }
    }
}

/// A decimal without zeros at its end.
pub(super) fn plain_decimal(digits: i128, scale: u8) -> String {
    let (mut digits, mut scale) = (digits, scale);
    while scale > 0 && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    decimal_text(digits, i8::try_from(scale).unwrap_or(0))
}

fn with_offset(micros: i64, zone: &Zone) -> String {
    let seconds = i64::from(zone.offset_at(micros));
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    let local = micros.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND));
    format!("{}{sign}{:02}:{:02}", time::format_local(local), minutes / 60, minutes % 60)
}

/// `8-4-4-4-12` hexadecimal digits.
pub(super) fn uuid(bytes: &[u8; 16]) -> String {
    let mut out = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push_str(&format!("{byte:02x}"));
    }
    out
}
