//! Rounding of doubles. Spark rounds the digits of a double's text; where a multiplication cannot be wrong about them it
//! gives the same number.

use arrow::array::{Array, Float64Array};

use super::{Mode, divide, pow10};
use crate::display::java_digits::{Digits, Form, double_digits};

/// Half of what doubles hold exactly is left for the fraction, which then is wrong by less than a thousandth.
const LARGEST: f64 = (1_u64 << 40) as f64;
/// Added to a number below 2^51 and taken away again, this leaves the nearest whole number.
const WHOLE: f64 = 6_755_399_441_055_744.0;
/// Powers of ten up to this one are exact.
const EXACT: u32 = 22;

/// Rows whose answers are computed without a branch before it is asked whether all of them are sure.
const TOGETHER: usize = 64;

/// The values rounded half up or half even to so many digits behind the point, or before it.
pub(super) fn round(values: &Float64Array, scale: i32, mode: Mode) -> Float64Array {
    if scale.unsigned_abs() > EXACT {
        return values.unary(|value| by_digits(value, scale, mode));
    }
    let power = pow10(scale.unsigned_abs()) as f64;
    let digits = |value| by_digits(value, scale, mode);
    let rounded = match scale {
        0.. => rows(values.values(), |value| nearest(value, value.abs() * power, |whole| whole / power), digits),
        _ => rows(values.values(), |value| nearest(value, value.abs() / power, |whole| whole * power), digits),
    };
    Float64Array::new(rounded.into(), values.nulls().cloned())
}

fn rows(values: &[f64], quick: impl Fn(f64) -> (f64, bool), digits: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut rounded = Vec::with_capacity(values.len());
    for chunk in values.chunks(TOGETHER) {
        let (start, mut all) = (rounded.len(), true);
        rounded.extend(chunk.iter().map(|value| {
            let (value, sure) = quick(*value);
            all &= sure;
            value
        }));
        if !all && let Some(places) = rounded.get_mut(start..) {
            for (place, value) in places.iter_mut().zip(chunk).filter(|(_, value)| !quick(**value).1) {
                *place = digits(*value);
            }
        }
    }
    rounded
}

/// The nearest whole number of `scaled` brought back, and whether it is the answer: not where the fraction is about a half
/// or the number large.
#[inline]
fn nearest(value: f64, scaled: f64, back: impl Fn(f64) -> f64) -> (f64, bool) {
    let whole = (scaled + WHOLE) - WHOLE;
    let sure = (scaled < LARGEST) & ((scaled - whole).abs() < 0.499);
    // Only zero itself keeps its sign where nothing is left: digits have no negative zero.
    let sign = if (whole == 0.0) & (value != 0.0) { 0.0 } else { value };
    (back(whole).copysign(sign), sure)
}

/// A value rounded by the digits of its text.
pub(super) fn by_digits(value: f64, scale: i32, mode: Mode) -> f64 {
    if !value.is_finite() || scale > 308 || value == 0.0 {
        return value;
    }
    let Digits { digits, point } = double_digits(value, Form::Text);
    let mantissa = digits.iter().fold(0_i128, |number, digit| number * 10 + i128::from(*digit));
    let mantissa = if value < 0.0 { -mantissa } else { mantissa };
    let held = digits.len() as i32 - point;
    if held <= scale {
        return value;
    }
    let drop = held.saturating_sub(scale).unsigned_abs();
    let cut = if drop > 37 { 0 } else { divide(mantissa, pow10(drop), mode) };
    format!("{cut}e{}", scale.saturating_neg()).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplication_rounds_as_the_digits_do() {
        let mut seed = 88_172_645_463_325_252_u64;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let mut values = vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE];
        values.extend([1.005, 2.675, 0.285, 1e22, 5e-324, 0.5, 1.5, 2.5, -0.001, 1_099_511_627_775.5, 25.0, 35.0]);
        for _ in 0..4_000 {
            let digits = 10_u64.pow(1 + (random() % 17) as u32);
            let decimals = random() % 20;
            // Few digits, so that many end in a five, and their neighbours; anything.
            let short: f64 = format!("{}e-{decimals}", random() % digits).parse().unwrap();
            let tie: f64 = format!("{}5e-{}", random() % 100_000, random() % 8).parse().unwrap();
            values.extend([short, short.next_up(), -short.next_down(), tie, tie.next_up(), tie.next_down(), -tie]);
            values.extend([f64::from_bits(random()), (random() % (1 << 42)) as f64 / 7.0]);
        }
        let array = Float64Array::from(values.clone());
        for scale in [-400, -23, -20, -3, -1, 0, 1, 2, 3, 5, 8, 15, 22, 23, 308, 309] {
            for mode in [Mode::HalfUp, Mode::HalfEven] {
                let rounded = round(&array, scale, mode);
                for (value, found) in values.iter().zip(rounded.values()) {
                    let wanted = by_digits(*value, scale, mode);
                    assert_eq!(found.to_bits(), wanted.to_bits(), "{value:e} to {scale}: {found:e}, not {wanted:e}");
                }
            }
        }
        let with_nulls = Float64Array::from(vec![Some(9.0), None, Some(1.25), Some(-2.35)]);
        let rounded = round(&with_nulls.slice(1, 3), 1, Mode::HalfUp);
        assert_eq!(rounded, Float64Array::from(vec![None, Some(1.3), Some(-2.4)]));
        assert!(round(&Float64Array::from(Vec::<f64>::new()), 2, Mode::HalfUp).values().is_empty());
    }
}
