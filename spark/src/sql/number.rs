//! Number tokens to literal values.

use super::lexer::Kind;
use crate::spec::Literal;

/// Why a number is none.
pub(super) enum NumberError {
    /// Does not fit the type: type name, least and greatest value.
    Range(&'static str, String, String),
    /// More than 38 digits: precision found.
    Precision(usize),
}

/// The value of a number token.
pub(super) fn literal(
    kind: Kind,
    text: &str,
    negative: bool,
    exponent_as_decimal: bool,
) -> Result<Literal, NumberError> {
    let signed = |digits: &str| if negative { format!("-{digits}") } else { digits.to_string() };
    match kind {
        Kind::Integer => {
            let text = signed(text);
            if let Ok(value) = text.parse() {
                Ok(Literal::Integer(value))
            } else if let Ok(value) = text.parse() {
                Ok(Literal::Long(value))
            } else {
                decimal(&text)
            }
        }
        Kind::Exponent if !exponent_as_decimal => double(&signed(text)),
        Kind::Exponent | Kind::Decimal => decimal(&signed(text)),
        _ => suffixed(text, &signed),
    }
}

fn suffixed(text: &str, signed: &dyn Fn(&str) -> String) -> Result<Literal, NumberError> {
    let upper = text.to_ascii_uppercase();
    if let Some(digits) = upper.strip_suffix("BD") {
        return decimal(&signed(digits));
    }
    let (digits, suffix) = upper.split_at(upper.len().saturating_sub(1));
    let digits = signed(digits);
    let range = |name, low: String, high: String| NumberError::Range(name, low, high);
    match suffix {
        "Y" => {
            digits.parse().map(Literal::Byte).map_err(|_| range("tinyint", i8::MIN.to_string(), i8::MAX.to_string()))
        }
        "S" => digits
            .parse()
            .map(Literal::Short)
            .map_err(|_| range("smallint", i16::MIN.to_string(), i16::MAX.to_string())),
        "L" => {
            digits.parse().map(Literal::Long).map_err(|_| range("bigint", i64::MIN.to_string(), i64::MAX.to_string()))
        }
        "F" => {
            let error = || range("float", "-3.4028234663852886E+38".into(), "3.4028234663852886E+38".into());
            // The bound is compared before rounding to a float, as a number just above it would round down into range.
            let wide: f64 = digits.parse().map_err(|_| error())?;
            if wide.abs() > f64::from(f32::MAX) {
                return Err(error());
            }
            digits.parse().map(Literal::Float).map_err(|_| error())
        }
        _ => double(&digits),
    }
}

fn double(text: &str) -> Result<Literal, NumberError> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Literal::Double(value)),
        _ => Err(NumberError::Range("double", "-1.7976931348623157E+308".into(), "1.7976931348623157E+308".into())),
    }
}

/// A decimal of as few digits as the text needs.
pub(super) fn decimal(text: &str) -> Result<Literal, NumberError> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => {
            (text.get(..at).unwrap_or(""), text.get(at + 1..).unwrap_or("").parse::<i32>().unwrap_or(i32::MAX / 2))
        }
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}").trim_start_matches('0').to_string();
    let mut scale = i32::try_from(fraction.len()).unwrap_or(i32::MAX / 2) - exponent;
    if scale < 0 {
        if scale < -80 {
            return Err(NumberError::Precision(digits.len() + scale.unsigned_abs() as usize));
        }
        if !digits.is_empty() {
            digits.push_str(&"0".repeat(scale.unsigned_abs() as usize));
        }
        scale = 0;
    }
    let precision = digits.len().max(usize::try_from(scale).unwrap_or(0)).max(1);
    if precision > 38 {
        return Err(NumberError::Precision(precision));
    }
    let value: i128 =
        if digits.is_empty() { 0 } else { digits.parse().map_err(|_| NumberError::Precision(precision))? };
    Ok(Literal::Decimal {
        value: if negative { -value } else { value },
        precision: u8::try_from(precision).unwrap_or(38),
        scale: i8::try_from(scale).unwrap_or(38),
    })
}
