//! The kernels of arithmetic: which loop runs for which types.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow::datatypes::{
    ArrowNativeTypeOp, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalYearMonthType,
};

use super::JAVA_DIGITS;
use super::kernel::{checked, total};
use super::whole::Whole;
use super::{Op, datetime, decimal};
use crate::cast::decimal_parts::power_of_ten;
use crate::cast::{CastMode, canonical, primitive};
use crate::display::decimal_text;
use crate::error::{SparkError, SparkResult};
use crate::scalar::read::repeated;
use crate::time::Zone;
use crate::types::DataType;

/// Computes an operator on two arrays whose types fit the operator. They have equal length, or one has a single row that
/// meets every row of the other.
///
/// # Errors
/// In ANSI mode the first pair without an answer; in every mode types that do not fit.
pub fn compute(
    op: Op,
    left: (&ArrayRef, &DataType),
    right: (&ArrayRef, &DataType),
    result: &DataType,
    mode: CastMode,
    zone: &Zone,
) -> SparkResult<ArrayRef> {
    let (l, r) = (&canonical(left.0, left.1)?, &canonical(right.0, right.1)?);
    match (left.1, right.1) {
        (DataType::Byte, DataType::Byte) => integers::<Int8Type>(op, l, r, left.1, result, mode),
        (DataType::Short, DataType::Short) => integers::<Int16Type>(op, l, r, left.1, result, mode),
        (DataType::Integer, DataType::Integer) => integers::<Int32Type>(op, l, r, left.1, result, mode),
        (DataType::Long, DataType::Long) => integers::<Int64Type>(op, l, r, left.1, result, mode),
        (DataType::Float, DataType::Float) => floats::<Float32Type>(op, l, r, result, mode, |v| v == 0.0, |v| v < 0.0),
        (DataType::Double, DataType::Double) => {
            floats::<Float64Type>(op, l, r, result, mode, |v| v == 0.0, |v| v < 0.0)
        }
        (DataType::Decimal(_, s1), DataType::Decimal(_, s2)) => decimal::compute(op, l, *s1, r, *s2, result, mode),
        _ => {
            let (l, r) = (&repeated(l, r.len())?, &repeated(r, l.len())?);
            datetime::compute(op, (l, left.1), (r, right.1), result, mode, zone)
        }
    }
}

fn integers<T: ArrowPrimitiveType>(
    op: Op,
    left: &dyn Array,
    right: &dyn Array,
    data_type: &DataType,
    result: &DataType,
    mode: CastMode,
) -> SparkResult<ArrayRef>
where
    T::Native: Whole,
{
    let zero = T::Native::ZERO;
    let is_zero = |value: T::Native| value.is_zero();
    let overflow = |l: T::Native, r: T::Native| overflow(op, l.into(), r.into(), data_type);
    let wrap = mode == CastMode::Legacy;
    match op {
        Op::Add if wrap => total::<T, T, T>(left, right, result, T::Native::add_wrapping),
        Op::Subtract if wrap => total::<T, T, T>(left, right, result, T::Native::sub_wrapping),
        Op::Multiply if wrap => total::<T, T, T>(left, right, result, T::Native::mul_wrapping),
        Op::Add => checked::<T, T, T>(left, right, result, mode, Whole::plus, overflow),
        Op::Subtract => checked::<T, T, T>(left, right, result, mode, Whole::minus, overflow),
        Op::Multiply => checked::<T, T, T>(left, right, result, mode, Whole::times, overflow),
        Op::Divide => Err(SparkError::internal("whole numbers are divided as doubles")),
        Op::IntDivide => {
            let quotient = |l: T::Native, r: T::Native| {
                let (l, r): (i64, i64) = (l.into(), r.into());
                match (r, l.checked_div(r)) {
                    (0, _) => (0, true),
                    (_, Some(quotient)) => (quotient, false),
                    (..) => (l, !wrap),
                }
            };
            checked::<T, T, Int64Type>(left, right, result, mode, quotient, |_, r| match is_zero(r) {
                true => SparkError::divide_by_zero(),
                false => SparkError::arithmetic_overflow("Overflow in integral divide", "try_divide"),
            })
        }
        Op::Remainder => {
            let rest = |l: T::Native, r: T::Native| match is_zero(r) {
                true => (r, true),
                false => (l.mod_wrapping(r), false),
            };
            checked::<T, T, T>(left, right, result, mode, rest, |_, _| SparkError::remainder_by_zero())
        }
        Op::Pmod => {
            let rest = |l: T::Native, r: T::Native| {
                if is_zero(r) {
                    return (r, true);
                }
                let rest = l.mod_wrapping(r);
                (if rest < zero { rest.add_wrapping(r).mod_wrapping(r) } else { rest }, false)
            };
            checked::<T, T, T>(left, right, result, mode, rest, |_, _| SparkError::remainder_by_zero())
        }
    }
}

/// Spark names the operands of the two narrow types and only the function for the wide ones.
fn overflow(op: Op, left: i64, right: i64, data_type: &DataType) -> SparkError {
    let suffix = match data_type {
        DataType::Byte => "Y",
        DataType::Short => "S",
        _ => return SparkError::arithmetic_overflow("overflow", op.try_function()),
    };
    let (left, right) = (format!("{left}{suffix}"), format!("{right}{suffix}"));
    SparkError::binary_arithmetic_overflow(&left, op.symbol(), &right, op.try_function())
}

fn floats<T: ArrowPrimitiveType>(
    op: Op,
    left: &dyn Array,
    right: &dyn Array,
    result: &DataType,
    mode: CastMode,
    is_zero: impl Fn(T::Native) -> bool,
    is_negative: impl Fn(T::Native) -> bool,
) -> SparkResult<ArrayRef>
where
    T::Native: ArrowNativeTypeOp,
{
    match op {
        Op::Add => total::<T, T, T>(left, right, result, T::Native::add_wrapping),
        Op::Subtract => total::<T, T, T>(left, right, result, T::Native::sub_wrapping),
        Op::Multiply => total::<T, T, T>(left, right, result, T::Native::mul_wrapping),
        Op::Divide => {
            let quotient = |l: T::Native, r: T::Native| (l.div_wrapping(r), is_zero(r));
            checked::<T, T, T>(left, right, result, mode, quotient, |_, _| SparkError::divide_by_zero())
        }
        Op::Remainder => {
            let rest = |l: T::Native, r: T::Native| match is_zero(r) {
                true => (r, true),
                false => (l.mod_wrapping(r), false),
            };
            checked::<T, T, T>(left, right, result, mode, rest, |_, _| SparkError::remainder_by_zero())
        }
        Op::Pmod => {
            let rest = |l: T::Native, r: T::Native| {
                if is_zero(r) {
                    return (r, true);
                }
                let rest = l.mod_wrapping(r);
                (if is_negative(rest) { rest.add_wrapping(r).mod_wrapping(r) } else { rest }, false)
            };
            checked::<T, T, T>(left, right, result, mode, rest, |_, _| SparkError::remainder_by_zero())
        }
        Op::IntDivide => Err(SparkError::internal("div does not take doubles")),
    }
}

/// Negates an array.
///
/// # Errors
/// In ANSI mode the smallest value of a type, which has no negative.
pub fn negate(array: &ArrayRef, data_type: &DataType, mode: CastMode) -> SparkResult<ArrayRef> {
    let array = &canonical(array, data_type)?;
    let number = || SparkError::arithmetic_overflow("overflow", "");
    let interval = || SparkError::interval_overflow("");
    match data_type {
        DataType::Byte => minus::<Int8Type>(array, data_type, mode, number),
        DataType::Short => minus::<Int16Type>(array, data_type, mode, number),
        DataType::Integer => minus::<Int32Type>(array, data_type, mode, number),
        DataType::Long => minus::<Int64Type>(array, data_type, mode, number),
        // Intervals overflow with an error whatever the mode.
        DataType::YearMonthInterval(..) => minus::<IntervalYearMonthType>(array, data_type, CastMode::Ansi, interval),
        DataType::DayTimeInterval(..) => minus::<DurationMicrosecondType>(array, data_type, CastMode::Ansi, interval),
        DataType::Decimal(precision, scale) if *precision > JAVA_DIGITS => {
            let limit = power_of_ten(u32::from(*precision)).unwrap_or(i128::MAX);
            let values: PrimitiveArray<Decimal128Type> =
                primitive::<Decimal128Type>(array)?.try_unary(|value| match -kept_digits(value) {
                    value if value.abs() < limit => Ok(value),
                    value => Err(SparkError::decimal_does_not_fit(&decimal_text(value, *scale), *precision, *scale)),
                })?;
            Ok(Arc::new(values.with_data_type(data_type.to_arrow())))
        }
        DataType::CalendarInterval => {
            let values: PrimitiveArray<IntervalMonthDayNanoType> = primitive::<IntervalMonthDayNanoType>(array)?
                .try_unary(|v| {
                    let parts = (v.months.checked_neg(), v.days.checked_neg(), v.nanoseconds.checked_neg());
                    match parts {
                        (Some(months), Some(days), Some(nanos)) => Ok(IntervalMonthDayNano::new(months, days, nanos)),
                        _ => Err(interval()),
                    }
                })?;
            Ok(Arc::new(values))
        }
        _ => Ok(arrow::compute::kernels::numeric::neg(array)?),
    }
}

/// The value with the digits that Java's decimals keep, half to even, in the same scale.
fn kept_digits(value: i128) -> i128 {
    let digits = value.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1);
    let Some(unit) = digits.checked_sub(u32::from(JAVA_DIGITS)).filter(|drop| *drop > 0).and_then(power_of_ten) else {
        return value;
    };
    let (quotient, rest) = (value.div_euclid(unit), value.rem_euclid(unit));
    let up = 2 * rest > unit || 2 * rest == unit && quotient % 2 != 0;
    (quotient + i128::from(up)).saturating_mul(unit)
}

fn minus<T: ArrowPrimitiveType>(
    array: &dyn Array,
    data_type: &DataType,
    mode: CastMode,
    error: impl Fn() -> SparkError,
) -> SparkResult<ArrayRef>
where
    T::Native: ArrowNativeTypeOp,
{
    let array = primitive::<T>(array)?;
    let values: PrimitiveArray<T> = match mode {
        CastMode::Ansi => array.try_unary(|v| v.neg_checked().map_err(|_| error()))?,
        CastMode::Legacy => array.unary(T::Native::neg_wrapping),
        CastMode::Try => array.unary_opt(|v| v.neg_checked().ok()),
    };
    Ok(Arc::new(values.with_data_type(data_type.to_arrow())))
}
