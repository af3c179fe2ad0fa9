//! Number patterns as in Java's `DecimalFormat`: `#,##0.00`, percent, exponent, a pattern for negative numbers.

use crate::display::java_digits::{Digits, Form, double_digits};
use crate::error::{ErrorKind, SparkError, SparkResult, sql_value};

/// A number to print.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    /// Unscaled value and scale.
    Exact(i128, i8),
    Double(f64),
}

/// A parsed pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    positive: (String, String),
    negative: (String, String),
    least_whole: usize,
    least_fraction: usize,
    most_fraction: usize,
    grouping: usize,
    shift: i8,
    exponent: Option<usize>,
}

fn malformed(pattern: &str) -> SparkError {
    SparkError::new(
        ErrorKind::IllegalArgument,
        "INVALID_PARAMETER_VALUE.PATTERN",
        &[("parameter", "`format`"), ("functionName", "`format_number`"), ("value", &sql_value(pattern))],
    )
}

/// Prefix, digits and suffix of one side of a pattern, quotes removed.
fn split(side: &str) -> (String, String, String) {
    let (mut prefix, mut body, mut suffix) = (String::new(), String::new(), String::new());
    let mut quoted = false;
    let mut chars = side.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            if chars.peek() == Some(&'\'') {
                chars.next();
                if body.is_empty() { prefix.push('\'') } else { suffix.push('\'') }
            } else {
                quoted = !quoted;
            }
            continue;
        }
        let digit = !quoted && suffix.is_empty() && matches!(c, '#' | '0' | ',' | '.')
            || !quoted && suffix.is_empty() && !body.is_empty() && c == 'E' && chars.peek() == Some(&'0');
        match digit {
            true => body.push(c),
            false if body.is_empty() => prefix.push(c),
            false => suffix.push(c),
        }
    }
    (prefix, body, suffix)
}

impl Pattern {
    /// # Errors
    /// A pattern that Java refuses, or one with an exponent in groups.
    pub(super) fn parse(pattern: &str) -> SparkResult<Self> {
        let (side, other) = match pattern.split_once(';') {
            Some((side, other)) => (side, Some(other)),
            None => (pattern, None),
        };
        let (prefix, body, suffix) = split(side);
        let (body, exponent) = match body.split_once('E') {
            Some((body, zeros)) => (body.to_string(), Some(zeros.len())),
            None => (body, None),
        };
        let (whole, fraction) = body.split_once('.').unwrap_or((&body, ""));
        if fraction.contains(['.', ',']) {
            return Err(malformed(pattern));
        }
        let count = |text: &str, wanted: char| text.chars().filter(|c| *c == wanted).count();
        let mut least_whole = count(whole, '0');
        let pointed = body.contains('.');
        let (mut least_fraction, most_fraction) = (count(fraction, '0'), fraction.len());
        // Without any zero one digit before the point is printed.
        if pointed && least_whole == 0 && least_fraction == 0 && !body.is_empty() {
            if whole.is_empty() {
                least_fraction = 1.min(most_fraction);
            } else {
                least_whole = 1;
            }
        }
        let grouping = whole.rfind(',').map_or(0, |at| whole.len() - at - 1);
        if exponent.is_some() && (grouping > 0 || count(whole, '#') > 0) {
            return Err(SparkError::unsupported("number patterns with an exponent in groups"));
        }
        let shift = match (prefix.contains('%') || suffix.contains('%'), prefix.contains('‰') || suffix.contains('‰'))
        {
            (true, _) => 2,
            (_, true) => 3,
            _ => 0,
        };
        let negative = match other {
            Some(other) => {
                let (prefix, _, suffix) = split(other);
                (prefix, suffix)
            }
            None => (format!("-{prefix}"), suffix.clone()),
        };
        Ok(Self {
            positive: (prefix, suffix),
            negative,
            least_whole,
            least_fraction,
            most_fraction,
            grouping,
            shift,
            exponent,
        })
    }

    /// A number by the pattern, half to even.
    pub(super) fn write(&self, number: Number) -> String {
        let (negative, body) = match number {
            Number::Double(value) if value.is_nan() => return "NaN".to_string(),
            Number::Double(value) if value.is_infinite() => (value < 0.0, "∞".to_string()),
            Number::Double(value) => {
                (value.is_sign_negative(), self.body(&|places| double_text(value.abs(), self.shift, places)))
            }
            Number::Exact(value, scale) => {
                let text =
                    |places: usize| exact_text(value.unsigned_abs(), i32::from(scale) - i32::from(self.shift), places);
                (value < 0, self.body(&text))
            }
        };
        let (prefix, suffix) = if negative { &self.negative } else { &self.positive };
        format!("{prefix}{body}{suffix}")
    }

    /// `text(places)` is the number with so many decimals.
    fn body(&self, text: &dyn Fn(usize) -> String) -> String {
        if let Some(digits) = self.exponent {
            return self.scientific(text, digits);
        }
        let text = text(self.most_fraction);
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        self.join(whole.trim_start_matches('0'), fraction)
    }

    fn join(&self, whole: &str, fraction: &str) -> String {
        let kept = fraction.trim_end_matches('0').len().max(self.least_fraction);
        let fraction = fraction.get(..kept).unwrap_or(fraction);
        let mut whole = format!("{whole:0>width$}", width = self.least_whole);
        if whole.is_empty() && fraction.is_empty() {
            whole.push('0');
        }
        let mut out = String::new();
        for (index, digit) in whole.chars().enumerate() {
            let left = whole.len() - index;
            if self.grouping > 0 && index > 0 && left % self.grouping == 0 {
                out.push(',');
            }
            out.push(digit);
        }
        if !fraction.is_empty() {
            out.push('.');
            out.push_str(fraction);
        }
        out
    }

    fn scientific(&self, text: &dyn Fn(usize) -> String, digits: usize) -> String {
        // Enough places for every digit of a double.
        let full = text(340);
        let (whole, fraction) = full.split_once('.').unwrap_or((&full, ""));
        let all = format!("{whole}{fraction}");
        let Some(first) = all.find(|c| c != '0') else {
            return format!("{}E{:0>digits$}", self.join("0", &"0".repeat(self.most_fraction)), 0);
        };
        let mut exponent = whole.len() as i32 - first as i32 - self.least_whole.max(1) as i32;
        let significant = self.least_whole.max(1) + self.most_fraction;
        let mut kept: Vec<u8> = all.bytes().skip(first).take(significant).collect();
        kept.resize(significant, b'0');
        let rest = all.get(first + significant..).unwrap_or("");
        let odd = kept.last().is_some_and(|digit| digit % 2 == 1);
        let up = match rest.bytes().next() {
            Some(b'6'..=b'9') => true,
            Some(b'5') => odd || rest.bytes().skip(1).any(|b| b != b'0'),
            _ => false,
        };
        if up {
            let mut carried = true;
            for digit in kept.iter_mut().rev() {
                if *digit < b'9' {
                    *digit += 1;
                    carried = false;
                    break;
                }
                *digit = b'0';
            }
            if carried {
                kept.insert(0, b'1');
                kept.pop();
                exponent += 1;
            }
        }
        let text: String = kept.into_iter().map(char::from).collect();
        let (whole, fraction) = text.split_at(self.least_whole.max(1));
        let sign = if exponent < 0 { "-" } else { "" };
        format!("{}E{sign}{:0>digits$}", self.join(whole, fraction), exponent.abs())
    }
}

/// A double times a power of ten, rounded half to even at so many decimals. Digits that its text does not have are zeros.
fn double_text(value: f64, shift: i8, places: usize) -> String {
    if value == 0.0 {
        return round_text("0", "", places);
    }
    let Digits { digits, point } = double_digits(value, Form::Text);
    let point = point + i32::from(shift);
    let wanted = i32::try_from(places).unwrap_or(i32::MAX);
    if digits.len() as i32 - point <= wanted {
        let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        return match usize::try_from(point) {
            Ok(whole @ 1..) => {
                let text = format!("{text:0<whole$}");
                let (whole, fraction) = text.split_at(whole);
                round_text(whole, fraction, places)
            }
            _ => round_text("0", &format!("{}{text}", "0".repeat(point.unsigned_abs() as usize)), places),
        };
    }
    if shift == 0 {
        return format!("{value:.places$}");
    }
    // The exact decimal expansion, with its point moved.
    let exact = format!("{value:.1080}");
    let (whole, fraction) = exact.split_once('.').unwrap_or((&exact, ""));
    let by = usize::from(shift.unsigned_abs());
    let digits = format!("{whole}{fraction}");
    let split = (whole.len() + by).min(digits.len());
    let (whole, fraction) = digits.split_at(split);
    round_text(whole, fraction, places)
}

/// `value / 10^scale` rounded half to even at so many decimals.
fn exact_text(value: u128, scale: i32, places: usize) -> String {
    let digits = value.to_string();
    if scale <= 0 {
        return round_text(&format!("{digits}{}", "0".repeat(scale.unsigned_abs() as usize)), "", places);
    }
    let scale = scale.unsigned_abs() as usize;
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    round_text(whole, fraction, places)
}

fn round_text(whole: &str, fraction: &str, places: usize) -> String {
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes().take(places)).collect();
    digits.resize(whole.len() + places, b'0');
    let rest = fraction.get(places.min(fraction.len())..).unwrap_or("");
    let up = match rest.bytes().next() {
        Some(b'6'..=b'9') => true,
        Some(b'5') => rest.bytes().skip(1).any(|b| b != b'0') || digits.last().is_some_and(|digit| digit % 2 == 1),
        _ => false,
    };
    let mut carry = up;
    for digit in digits.iter_mut().rev() {
        if !carry {
            break;
        }
        carry = *digit == b'9';
        *digit = if carry { b'0' } else { *digit + 1 };
    }
    if carry {
        digits.insert(0, b'1');
    }
    let text: String = digits.into_iter().map(char::from).collect();
    let (whole, fraction) = text.split_at(text.len() - places);
    if places == 0 { whole.to_string() } else { format!("{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_java_writes_them() {
        let write = |pattern: &str, number| Pattern::parse(pattern).unwrap().write(number);
        assert_eq!(write("#,###.##", Number::Exact(12_332_123_456, 6)), "12,332.12");
        assert_eq!(write("0.###E0", Number::Exact(12345, 0)), "1.234E4");
        assert_eq!(write("#.##%", Number::Exact(256, 3)), "25.6%");
        assert_eq!(write("#,##0.00;(#)", Number::Double(-12_345.678)), "(12,345.68)");
        assert_eq!(write("#,##0", Number::Double(2.5)), "2");
    }
}
