//! Decimal arithmetic with Spark's precision, rounding half up. Values that leave 128 bits on the way use 256.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{Decimal128Type, Int64Type, i256};

use super::Op;
use super::kernel::by_row;
use crate::cast::CastMode;
use crate::cast::decimal_parts::{divide_half_up as half_up, power_of_ten};
use crate::display::decimal_text;
use crate::error::{SparkError, SparkResult};
use crate::types::DataType;

pub(super) fn compute(
    op: Op,
    left: &dyn Array,
    s1: i8,
    right: &dyn Array,
    s2: i8,
    result: &DataType,
    mode: CastMode,
) -> SparkResult<ArrayRef> {
    let by_zero = move |_: i128, r: i128| match (r, op) {
        (0, Op::Remainder | Op::Pmod) => Some(SparkError::remainder_by_zero()),
        (0, Op::Divide | Op::IntDivide) => Some(SparkError::divide_by_zero()),
        _ => None,
    };
    if op == Op::IntDivide {
        // Spark keeps the low 64 bits of a quotient that is larger.
        let quotient = |l: i128, r: i128| exact(op, l, s1, r, s2, 0).and_then(to_i128).map(|v| v as i64);
        return by_row::<Decimal128Type, Decimal128Type, Int64Type>(left, right, result, mode, quotient, |l, r| {
            by_zero(l, r)
                .unwrap_or_else(|| SparkError::arithmetic_overflow("Overflow in integral divide", "try_divide"))
        });
    }
    let DataType::Decimal(precision, scale) = *result else {
        return Err(SparkError::internal("decimal arithmetic with another result"));
    };
    let error = |l: i128, r: i128| {
        by_zero(l, r).unwrap_or_else(|| {
            let shown = exact(op, l, s1, r, s2, scale).map_or_else(String::new, |value| text(value, scale));
            SparkError::decimal_out_of_range(&shown, precision, scale)
        })
    };
    let limit = power_of_ten(u32::from(precision)).unwrap_or(i128::MAX);
    let fits = |value: &i128| *value < limit && *value > -limit;
    let wide = |l: i128, r: i128| exact(op, l, s1, r, s2, scale).and_then(to_i128).filter(fits);
    // The operator is chosen and powers of ten are computed once, not for every row.
    let common = s1.max(s2);
    let up = |digits: i8| power_of_ten(u32::try_from(digits).ok()?);
    macro_rules! rows {
        ($value:expr) => {{
            let value = $value;
            let value = |l: i128, r: i128| value(l, r).filter(fits).or_else(|| wide(l, r));
            by_row::<Decimal128Type, Decimal128Type, Decimal128Type>(left, right, result, mode, value, error)
        }};
    }
    let factors = match op {
        Op::Add | Op::Subtract => (up(common - s1), up(common - s2), up(common - scale)),
        Op::Multiply => (Some(1), Some(1), up(s1 + s2 - scale)),
        _ => (up(scale + s2 - s1), Some(1), Some(1)),
    };
    let (Some(a), Some(b), Some(down)) = factors else { return rows!(|_: i128, _: i128| None) };
    match (op, a, b, down) {
        (Op::Add, 1, 1, 1) => rows!(|l: i128, r: i128| l.checked_add(r)),
        (Op::Subtract, 1, 1, 1) => rows!(|l: i128, r: i128| l.checked_sub(r)),
        (Op::Add, ..) => rows!(|l: i128, r: i128| rounded(product(l, a)?.checked_add(product(r, b)?)?, down)),
        (Op::Subtract, ..) => rows!(|l: i128, r: i128| rounded(product(l, a)?.checked_sub(product(r, b)?)?, down)),
        (Op::Multiply, .., 1) => rows!(product),
        (Op::Multiply, ..) => rows!(|l: i128, r: i128| rounded(product(l, r)?, down)),
        (Op::Divide, ..) => rows!(|l: i128, r: i128| if r == 0 { None } else { rounded(product(l, a)?, r) }),
        _ => rows!(|_: i128, _: i128| None),
    }
}

/// A product; one multiplication where both factors have 64 bits.
#[inline]
fn product(l: i128, r: i128) -> Option<i128> {
    match (i64::try_from(l), i64::try_from(r)) {
        (Ok(l), Ok(r)) => Some(i128::from(l) * i128::from(r)),
        _ => l.checked_mul(r),
    }
}

#[inline]
fn rounded(value: i128, divisor: i128) -> Option<i128> {
    Some(if divisor == 1 { value } else { half_up(value, divisor) })
}

/// The result in the wanted scale; `None` for division by zero and beyond 256 bits.
fn exact(op: Op, l: i128, s1: i8, r: i128, s2: i8, scale: i8) -> Option<i256> {
    let common = s1.max(s2);
    let (wide_l, wide_r) = (i256::from_i128(l), i256::from_i128(r));
    let aligned = || Some((shift(wide_l, common - s1)?, shift(wide_r, common - s2)?));
    match op {
        Op::Add | Op::Subtract => {
            let (a, b) = aligned()?;
            let sum = if op == Op::Add { a.checked_add(b)? } else { a.checked_sub(b)? };
            to_scale(sum, common, scale)
        }
        Op::Multiply => to_scale(wide_l.checked_mul(wide_r)?, s1 + s2, scale),
        Op::Divide => {
            // l / 10^s1 / (r / 10^s2) * 10^scale
            let exponent = i32::from(scale) + i32::from(s2) - i32::from(s1);
            let (a, b) = match exponent {
                0.. => (scale_up(wide_l, exponent)?, wide_r),
                _ => (wide_l, scale_up(wide_r, -exponent)?),
            };
            divide_half_up(a, b)
        }
        Op::IntDivide => {
            let (a, b) = aligned()?;
            if b == i256::ZERO { None } else { a.checked_div(b) }
        }
        Op::Remainder | Op::Pmod => {
            let (a, b) = aligned()?;
            if b == i256::ZERO {
                return None;
            }
            let mut rest = a.checked_rem(b)?;
            if op == Op::Pmod && rest < i256::ZERO {
                rest = rest.checked_add(b)?.checked_rem(b)?;
            }
            to_scale(rest, common, scale)
        }
    }
}

fn shift(value: i256, digits: i8) -> Option<i256> {
    scale_up(value, i32::from(digits))
}

fn scale_up(value: i256, mut digits: i32) -> Option<i256> {
    let mut value = value;
    while digits > 0 {
        let step = digits.min(38);
        value = value.checked_mul(i256::from_i128(power_of_ten(step.unsigned_abs())?))?;
        digits -= step;
    }
    Some(value)
}

fn to_scale(value: i256, from: i8, to: i8) -> Option<i256> {
    let digits = i32::from(to) - i32::from(from);
    match digits {
        0.. => scale_up(value, digits),
        _ => divide_half_up(value, scale_up(i256::ONE, -digits)?),
    }
}

fn divide_half_up(value: i256, divisor: i256) -> Option<i256> {
    if divisor == i256::ZERO {
        return None;
    }
    // One 128-bit division where it fits: it is far cheaper.
    if let (Some(value), Some(divisor)) = (to_i128(value), to_i128(divisor))
        && value != i128::MIN
    {
        return Some(i256::from_i128(half_up(value, divisor)));
    }
    let (quotient, rest) = (value.checked_div(divisor)?, value.checked_rem(divisor)?);
    let twice = rest.wrapping_abs().checked_mul(i256::from_i128(2))?;
    if twice < divisor.wrapping_abs() {
        return Some(quotient);
    }
    let step = if (value < i256::ZERO) == (divisor < i256::ZERO) { 1 } else { -1 };
    quotient.checked_add(i256::from_i128(step))
}

fn to_i128(value: i256) -> Option<i128> {
    value.to_i128()
}

fn text(value: i256, scale: i8) -> String {
    if let Some(value) = to_i128(value) {
        return decimal_text(value, scale);
    }
    let digits = value.to_string();
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
    let at = digits.len().saturating_sub(usize::from(scale.unsigned_abs()));
    let (whole, fraction) = digits.split_at(at);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
