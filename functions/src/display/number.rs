//! Floats and decimals as Java prints them.

/// A double as `Double.toString`: shortest digits, exponent below 1e-3 and from 1e7.
#[must_use]
pub fn java_double(value: f64) -> String {
    java(value, value.abs(), || format!("{value:?}"), || format!("{value:e}"))
}

/// A float as `Float.toString`.
#[must_use]
pub fn java_float(value: f32) -> String {
    java(f64::from(value), f64::from(value.abs()), || format!("{value:?}"), || format!("{value:e}"))
}

fn java(value: f64, size: f64, plain: impl Fn() -> String, scientific: impl Fn() -> String) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    // The bounds of a float compare exactly as doubles except for 1e-3, whose float lies above the double.
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return plain();
    }
    let text = scientific();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if mantissa.contains('.') { "" } else { ".0" };
    format!("{mantissa}{point}E{exponent}")
}

/// A decimal with all its digits and no exponent.
#[must_use]
pub fn decimal_text(unscaled: i128, scale: i8) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = unscaled.unsigned_abs().to_string();
    if scale <= 0 {
        let zeros = if unscaled == 0 { 0 } else { usize::from(scale.unsigned_abs()) };
        return format!("{sign}{digits}{}", "0".repeat(zeros));
    }
    let scale = usize::from(scale.unsigned_abs());
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// A decimal as `BigDecimal.toString`, which uses an exponent for very small numbers.
pub(super) fn decimal_scientific(unscaled: i128, scale: i8) -> String {
    let digits = unscaled.unsigned_abs().to_string();
    let exponent = digits.len() as i32 - 1 - i32::from(scale);
    if exponent >= -6 {
        return decimal_text(unscaled, scale);
    }
    let sign = if unscaled < 0 { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}E{exponent}")
}
