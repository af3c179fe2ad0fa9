//! Decimals as unscaled numbers: reading, rounding and changing precision as Spark's `Decimal` does.

use arrow::datatypes::i256;

use crate::display::decimal_text;

/// Ten to a power up to 38.
pub(crate) fn power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// Whether an unscaled value has at most `precision` digits.
pub(crate) fn fits(unscaled: i128, precision: u8) -> bool {
    power_of_ten(u32::from(precision)).is_none_or(|limit| unscaled > -limit && unscaled < limit)
}

/// An unscaled value in another scale, rounded half up; `None` if it has more than `precision` digits.
#[must_use]
pub fn rescale(unscaled: i128, from_scale: i8, precision: u8, scale: i8) -> Option<i128> {
    rescaler(from_scale, precision, scale)(unscaled)
}

/// [`rescale`] for many values: powers of ten are computed once.
pub(crate) fn rescaler(from_scale: i8, precision: u8, scale: i8) -> impl Fn(i128) -> Option<i128> {
    let shift = i32::from(scale) - i32::from(from_scale);
    let power = power_of_ten(shift.unsigned_abs());
    let limit = power_of_ten(u32::from(precision));
    move |unscaled| {
        let result = match (power, shift) {
            (Some(factor), 0..) => unscaled.checked_mul(factor)?,
            (None, 0..) => return None,
            (Some(divisor), _) => divide_half_up(unscaled, divisor),
            (None, _) => 0,
        };
        limit.is_none_or(|limit| result > -limit && result < limit).then_some(result)
    }
}

/// A quotient rounded half away from zero.
#[inline]
pub(crate) fn divide_half_up(value: i128, divisor: i128) -> i128 {
    let negative = (value < 0) != (divisor < 0);
    let (value, divisor) = (value.unsigned_abs(), divisor.unsigned_abs());
    // One division gives both parts, and one of 64 bits is several times cheaper.
    let quotient = match (u64::try_from(value), u64::try_from(divisor)) {
        (Ok(value), Ok(divisor)) => {
            let (quotient, rest) = (value / divisor, value % divisor);
            u128::from(quotient) + u128::from(rest >= divisor - rest)
        }
        _ => {
            let quotient = value / divisor;
            let rest = value - quotient * divisor;
            quotient + u128::from(rest >= divisor - rest)
        }
    };
    if negative { (quotient as i128).wrapping_neg() } else { quotient as i128 }
}

/// A number read from text.
pub(crate) enum Read {
    /// The text is no number.
    Malformed,
    /// The number does not fit the type.
    Overflow,
    /// The unscaled value.
    Value(i128),
}

/// `value * factor / unit` without its fraction, as Java computes it: 34 digits of the product, half to even, and the lowest
/// 64 bits of a result that is out of range.
pub(super) fn wrapped_product(value: i128, factor: i128, unit: i128) -> i64 {
    const DIGITS: usize = 34;
    if let Some(product) = value.checked_mul(factor).filter(|product| fits(*product, DIGITS as u8)) {
        return (product / unit.max(1)) as i64;
    }
    let product = i256::from_i128(value).wrapping_mul(i256::from_i128(factor));
    let text = product.to_string();
    let extra = text.trim_start_matches('-').len().saturating_sub(DIGITS);
    let kept = match u32::try_from(extra).ok().filter(|extra| *extra > 0).and_then(power_of_ten).map(i256::from_i128) {
        None => product,
        Some(step) => {
            let (quotient, rest) = (product.wrapping_div(step), product.wrapping_rem(step).wrapping_abs());
            let twice = rest.wrapping_add(rest);
            let odd = quotient.to_parts().0 % 2 == 1;
            let up = twice > step || twice == step && odd;
            let one = if value < 0 { i256::from_i128(-1) } else { i256::ONE };
            let quotient = if up { quotient.wrapping_add(one) } else { quotient };
            quotient.wrapping_mul(step)
        }
    };
    kept.wrapping_div(i256::from_i128(unit.max(1))).to_parts().0 as i64
}

/// Reads `[+-]digits[.digits][e[+-]digits]` into a decimal type, rounded half up.
#[must_use]
pub fn parse_decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    match read(text, precision, scale) {
        Read::Value(value) => Some(value),
        Read::Malformed | Read::Overflow => None,
    }
}

pub(crate) fn read(text: &str, precision: u8, scale: i8) -> Read {
    let Some((negative, digits, exponent)) = split(text) else { return Read::Malformed };
    // The value is 0.digits * 10^point; the unscaled result needs the first point + scale digits.
    let leading = digits.iter().take_while(|digit| **digit == 0).count();
    let significant = digits.get(leading..).unwrap_or_default();
    if significant.is_empty() {
        return Read::Value(0);
    }
    let wanted = exponent - leading as i64 + i64::from(scale);
    if wanted > 39 {
        return Read::Overflow;
    }
    let digit = |index: i64| usize::try_from(index).ok().and_then(|i| significant.get(i)).copied().unwrap_or(0);
    let mut value = 0_i128;
    for index in 0..wanted.max(0) {
        let next = value.checked_mul(10).and_then(|value| value.checked_add(i128::from(digit(index))));
        let Some(next) = next else { return Read::Overflow };
        value = next;
    }
    if wanted >= 0 && digit(wanted) >= 5 {
        value += 1;
    }
    if !fits(value, precision) {
        return Read::Overflow;
    }
    Read::Value(if negative { -value } else { value })
}

/// Sign, digits, and how many of the digits stand before the point.
fn split(text: &str) -> Option<(bool, Vec<u8>, i64)> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => {
            let exponent = rest.get(at + 1..)?;
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            (rest.get(..at)?, exponent.parse::<i64>().ok()?)
        }
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let digits = whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').collect();
    Some((negative, digits, whole.len() as i64 + exponent))
}

/// The nearest double.
pub(crate) fn to_double(unscaled: i128, scale: i8) -> f64 {
    const EXACT: i128 = 1 << 53;
    if scale == 0 {
        return unscaled as f64;
    }
    // Both operands are exact, so one division rounds once.
    if (-EXACT..=EXACT).contains(&unscaled) && (0..=22).contains(&scale) {
        return unscaled as f64 / 10_f64.powi(i32::from(scale));
    }
    decimal_text(unscaled, scale).parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_are_rounded_half_away_from_zero() {
        let mut seed = 9_u128;
        for row in 0..500_000_u32 {
            seed = seed.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(row.into());
            let value = (seed as i128) >> (1 + row % 127);
            let divisor = match row % 3 {
                0 => power_of_ten(row % 38).unwrap(),
                1 => ((seed >> 3) as i128 >> (row % 126)) | 1,
                _ => 2 * i128::from(row % 50 + 1),
            };
            let (quotient, rest) = (value / divisor, value % divisor);
            let up = rest.unsigned_abs().saturating_mul(2) >= divisor.unsigned_abs();
            let step = if (value < 0) == (divisor < 0) { 1 } else { -1 };
            let wanted = if up { quotient + step } else { quotient };
            assert_eq!(divide_half_up(value, divisor), wanted, "{value} / {divisor}");
        }
    }
}
