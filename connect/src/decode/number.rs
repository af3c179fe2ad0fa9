//! Decimal text of literals into an unscaled value.

/// The unscaled value, precision and scale of decimal text, optionally with an exponent.
pub(crate) fn decimal(text: &str) -> Option<(i128, u8, i8)> {
    let text = text.trim();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value: i128 = 0;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value.checked_mul(10)?.checked_add(i128::from(digit.to_digit(10)?))?;
    }
    let mut scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    while scale < 0 {
        value = value.checked_mul(10)?;
        scale += 1;
    }
    let digits = i32::try_from(value.to_string().len()).ok()?;
    let precision = u8::try_from(digits.max(scale)).ok().filter(|precision| *precision <= 38)?;
    Some((if negative { -value } else { value }, precision, i8::try_from(scale).ok()?))
}

/// The same number at another precision and scale, when it fits without loss.
pub(crate) fn rescale(value: i128, scale: i8, precision: u8, to: i8) -> Option<i128> {
    let mut value = value;
    let mut scale = scale;
    while scale < to {
        value = value.checked_mul(10)?;
        scale += 1;
    }
    while scale > to {
        if value % 10 != 0 {
            return None;
        }
        value /= 10;
        scale -= 1;
    }
    (value.unsigned_abs() < 10u128.checked_pow(u32::from(precision))?).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::{decimal, rescale};

    #[test]
    fn decimals_keep_every_digit() {
        assert_eq!(decimal("-12.340"), Some((-12340, 5, 3)));
        assert_eq!(decimal("0.001"), Some((1, 3, 3)));
        assert_eq!(decimal("1E+3"), Some((1000, 4, 0)));
        assert_eq!(decimal("1.5e-2"), Some((15, 3, 3)));
        assert_eq!(decimal("12x"), None);
        assert_eq!(rescale(150, 2, 4, 1), Some(15));
        assert_eq!(rescale(155, 2, 4, 1), None);
    }
}
