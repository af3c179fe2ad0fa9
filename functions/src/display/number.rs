//! Floats and decimals as Java prints them.

use super::java_digits::{Digits, Form, double_digits, float_digits};

/// A double as `Double.toString` of Java 17: exponent below 1e-3 and from 1e7.
#[must_use]
pub fn java_double(value: f64) -> String {
    java(value, || double_digits(value, Form::Text))
}

/// A float as `Float.toString` of Java 17.
#[must_use]
pub fn java_float(value: f32) -> String {
    java(f64::from(value), || float_digits(value, Form::Text))
}

fn java(value: f64, digits: impl Fn() -> Digits) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}Infinity");
    }
    if value == 0.0 {
        return format!("{sign}0.0");
    }
    let Digits { digits, point } = digits();
    let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    let or_zero = |rest: &str| if rest.is_empty() { "0".to_owned() } else { rest.to_owned() };
    match usize::try_from(point) {
        Ok(whole @ 1..=7) => {
            let padded = format!("{text:0<whole$}");
            let (whole, fraction) = padded.split_at(whole);
            format!("{sign}{whole}.{}", or_zero(fraction))
        }
        _ if (-2..=0).contains(&point) => format!("{sign}0.{}{text}", "0".repeat(point.unsigned_abs() as usize)),
        _ => {
            let (first, rest) = text.split_at(1);
            format!("{sign}{first}.{}E{}", or_zero(rest), point - 1)
        }
    }
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
pub(crate) fn decimal_scientific(unscaled: i128, scale: i8) -> String {
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
