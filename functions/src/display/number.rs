//! Floats and decimals as Java prints them.

use super::digits::Backward;
use super::java_digits::{Digits, Form, double_digits, float_digits};
use super::plain::{Plain, plain};

/// A double as `Double.toString` of Java 17: exponent below 1e-3 and from 1e7.
#[must_use]
pub fn java_double(value: f64) -> String {
    let mut out = String::new();
    write_double(value, &mut out);
    out
}

/// Appends [`java_double`].
pub(crate) fn write_double(value: f64, out: &mut String) {
    match plain(value) {
        Some(digits) => write_plain(value < 0.0, digits.trimmed(), out),
        None => java(value, || double_digits(value, Form::Text), out),
    }
}

/// A float as `Float.toString` of Java 17.
#[must_use]
pub fn java_float(value: f32) -> String {
    let mut out = String::new();
    java(f64::from(value), || float_digits(value, Form::Text), &mut out);
    out
}

/// Numbers from a thousandth, with an exponent from 1e7.
fn write_plain(negative: bool, Plain { number, decimals }: Plain, out: &mut String) {
    let mut text = Backward::new();
    let above = |whole: u64| whole > 9_999_999;
    if decimals == 0 && above(number) || decimals > 0 && above(number / 10_u64.wrapping_pow(decimals)) {
        let digits = number.checked_ilog10().unwrap_or(0);
        text.whole(u64::from(digits.wrapping_sub(decimals)));
        text.put(b'E');
        // Zeros before the point say nothing either.
        let (mut number, mut digits) = (number, digits);
        while digits > 1 && number.is_multiple_of(10) {
            number /= 10;
            digits = digits.wrapping_sub(1);
        }
        let first = text.last(number, digits);
        text.put(b'.');
        text.whole(first);
    } else {
        if decimals == 0 {
            text.put(b'0');
        }
        let whole = text.last(number, decimals);
        text.put(b'.');
        text.whole(whole);
    }
    if negative {
        text.put(b'-');
    }
    out.push_str(text.text());
}

fn java(value: f64, digits: impl Fn() -> Digits, out: &mut String) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    if value.is_infinite() {
        return out.push_str("Infinity");
    }
    if value == 0.0 {
        return out.push_str("0.0");
    }
    let Digits { digits, point } = digits();
    let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    let or_zero = |rest: &str| if rest.is_empty() { "0".to_owned() } else { rest.to_owned() };
    out.push_str(&match usize::try_from(point) {
        Ok(whole @ 1..=7) => {
            let padded = format!("{text:0<whole$}");
            let (whole, fraction) = padded.split_at(whole);
            format!("{whole}.{}", or_zero(fraction))
        }
        _ if (-2..=0).contains(&point) => format!("0.{}{text}", "0".repeat(point.unsigned_abs() as usize)),
        _ => {
            let (first, rest) = text.split_at(1);
            format!("{first}.{}E{}", or_zero(rest), point - 1)
        }
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(value: f64) -> String {
        let mut out = String::new();
        java(value, || double_digits(value, Form::Text), &mut out);
        out
    }

    #[test]
    fn digits_taken_at_once_are_those_found_one_by_one() {
        let mut seed = 88_172_645_463_325_252_u64;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let check = |value: f64| {
            for value in [value, -value, value.next_up(), value.next_down()] {
                assert_eq!(java_double(value), slow(value), "{value:e}");
            }
        };
        for exponent in 0..2047_u64 {
            check(f64::from_bits(exponent << 52));
        }
        for power in -20..25 {
            check(format!("1e{power}").parse().unwrap());
            check(format!("5e{power}").parse().unwrap());
        }
        for _ in 0..150_000 {
            // Any bits at an exponent near the bounds, few digits, thirds of whole numbers, whole numbers.
            let bits = random();
            check(f64::from_bits(bits & ((1 << 52) - 1) | (1010 + bits % 70) << 52));
            let digits = 10_u64.pow(1 + (random() % 17) as u32);
            let decimals = random() % 18;
            check(format!("{}e-{decimals}", random() % digits).parse().unwrap());
            check((random() % 10_000_000) as f64 / 7.0);
            check((random() >> (random() % 60)) as f64);
        }
    }
}
