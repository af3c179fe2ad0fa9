//! Floats by `%e`, `%f`, `%g` and `%a`: Java rounds the digits of a number's text, a half up.

use super::spec::Spec;
use crate::display::java_digits::{Digits, Form, double_digits};

/// A float by a specifier; `None` where Java throws.
pub(super) fn text(spec: &Spec, value: f64) -> Option<String> {
    let negative = value.is_sign_negative() && !value.is_nan();
    if value.is_nan() {
        return Some(spec.word(false, "NaN"));
    }
    if value.is_infinite() {
        return Some(spec.word(negative, "Infinity"));
    }
    let precision = spec.precision.unwrap_or(6);
    let digits = match value == 0.0 {
        true => Digits { digits: vec![0], point: 1 },
        false => double_digits(value, Form::Format),
    };
    let pointed = |mut text: String, precision: usize| {
        if spec.alternate && precision == 0 {
            text.push('.');
        }
        text
    };
    Some(match spec.conversion {
        'f' => {
            let wanted = digits.point.saturating_add(i32::try_from(precision).ok()?);
            let text = plain(&rounded(digits, wanted), precision);
            spec.number(negative, &pointed(text, precision), "")
        }
        'e' => {
            let (text, end) = scientific(&rounded(digits, i32::try_from(precision).ok()?.saturating_add(1)), precision);
            spec.number(negative, &pointed(text, precision), &end)
        }
        'g' if spec.alternate => return None,
        'g' => {
            let precision = precision.max(1);
            if value == 0.0 {
                return Some(spec.number(negative, &plain(&digits, precision - 1), ""));
            }
            let wanted = i32::try_from(precision).ok()?;
            let digits = rounded(digits, wanted);
            let exponent = digits.point - 1;
            if exponent < -4 || exponent >= wanted {
                let (text, end) = scientific(&digits, precision - 1);
                spec.number(negative, &text, &end)
            } else {
                let places = usize::try_from(wanted - digits.point).unwrap_or(0);
                spec.number(negative, &plain(&digits, places), "")
            }
        }
        _ if spec.precision.is_some() => return None,
        _ => spec.word(negative, &hexadecimal(value.abs())),
    })
}

/// So many digits, the last one rounded.
fn rounded(Digits { mut digits, mut point }: Digits, wanted: i32) -> Digits {
    let Ok(kept) = usize::try_from(wanted) else { return Digits { digits, point } };
    let Some(first) = digits.get(kept).copied() else { return Digits { digits, point } };
    digits.truncate(kept);
    if first >= 5 {
        let mut at = kept;
        loop {
            let Some(before) = at.checked_sub(1) else {
                digits.insert(0, 1);
                point += 1;
                break;
            };
            at = before;
            match digits.get_mut(at) {
                Some(digit) if *digit < 9 => {
                    *digit += 1;
                    break;
                }
                Some(digit) => *digit = 0,
                None => break,
            }
        }
    }
    if digits.is_empty() {
        digits.push(0);
    }
    Digits { digits, point }
}

fn characters(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(b'0' + digit)).collect()
}

/// Digits with a point and so many places after it.
fn plain(number: &Digits, places: usize) -> String {
    let text = characters(&number.digits);
    let (whole, fraction) = match usize::try_from(number.point) {
        Ok(point @ 1..) => {
            let padded = format!("{text:0<point$}");
            let (whole, fraction) = padded.split_at(point);
            (whole.to_owned(), fraction.to_owned())
        }
        _ => ("0".to_owned(), format!("{}{text}", "0".repeat(number.point.unsigned_abs() as usize))),
    };
    let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(places).collect();
    if places == 0 { whole } else { format!("{whole}.{fraction}") }
}

/// One digit, so many places after it, and the exponent.
fn scientific(number: &Digits, places: usize) -> (String, String) {
    let text = characters(&number.digits);
    let (first, rest) = text.split_at(1);
    let fraction: String = rest.chars().chain(std::iter::repeat('0')).take(places).collect();
    let exponent = number.point - 1;
    let sign = if exponent < 0 { '-' } else { '+' };
    let mantissa = if places == 0 { first.to_owned() } else { format!("{first}.{fraction}") };
    (mantissa, format!("e{sign}{:02}", exponent.unsigned_abs()))
}

/// `Double.toHexString` of a number that is not negative.
fn hexadecimal(value: f64) -> String {
    let bits = value.to_bits();
    let (fraction, biased) = (bits & ((1 << 52) - 1), (bits >> 52) as i32);
    if value == 0.0 {
        return "0x0.0p0".to_owned();
    }
    let digits = format!("{fraction:013x}");
    let digits = match digits.trim_end_matches('0') {
        "" => "0",
        digits => digits,
    };
    match biased {
        0 => format!("0x0.{digits}p-1022"),
        biased => format!("0x1.{digits}p{}", biased - 1023),
    }
}
