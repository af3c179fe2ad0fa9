//! Spark's implicit casts for the operands of arithmetic: both sides become types the operator works on.

use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use super::{Op, wrong_pair};
use crate::cast::{CastMode, cast_array, cast_expr_from};
use crate::error::SparkResult;
use crate::options::SparkOptions;
use crate::time::Zone;
use crate::types::{DataType, DayTimeField};

/// An expression and its Spark type.
pub type Operand<'a> = (Expr, &'a DataType);
type Typed = (Expr, DataType);

pub(super) fn operands(
    op: Op,
    left: Operand<'_>,
    right: Operand<'_>,
    mode: CastMode,
    options: &SparkOptions,
) -> SparkResult<(Typed, Typed)> {
    let cast = if options.ansi { CastMode::Ansi } else { CastMode::Legacy };
    // A try function forgives the operation, and in Spark also the implicit casts of its operands only if ANSI is off.
    let _ = mode;
    let (mut left, mut right) = ((left.0, left.1.clone()), (right.0, right.1.clone()));
    // Addition and multiplication commute, so that the date or interval always stands on the left.
    let swap = match op {
        Op::Add => is_step(&left.1) && (is_point(&right.1)) || (left.1.is_integral() && right.1 == DataType::Date),
        Op::Multiply => (left.1.is_numeric() || left.1.is_string()) && is_step(&right.1),
        _ => false,
    };
    if swap {
        std::mem::swap(&mut left, &mut right);
    }
    let to = |value: Typed, to: &DataType| -> Typed {
        let (expr, from) = value;
        (folded(&expr, &from, to).unwrap_or_else(|| cast_expr_from(expr, &from, to, cast)), to.clone())
    };
    if let Some((l, r)) = datetime_types(op, &left.1, &right.1) {
        return Ok((to(left, &l), to(right, &r)));
    }
    let left_type = number_type(&left.1, &right.1, options.ansi).ok_or_else(|| wrong_pair(op, &left.1, &right.1))?;
    let right_type = number_type(&right.1, &left.1, options.ansi).ok_or_else(|| wrong_pair(op, &left.1, &right.1))?;
    let (l, r) = (literal_decimal(&left, &right_type), literal_decimal(&right, &left_type));
    let (l, r) = common(op, l.unwrap_or(left_type), r.unwrap_or(right_type), options.ansi);
    Ok((to(left, &l), to(right, &r)))
}

/// A number literal in its new type, so that scans and rules see a literal. One that does not fit must fail at run time.
fn folded(expr: &Expr, from: &DataType, to: &DataType) -> Option<Expr> {
    let Expr::Literal(value, metadata) = expr else { return None };
    if !from.is_numeric() || !to.is_numeric() || from == to {
        return None;
    }
    let array = cast_array(&value.to_array().ok()?, from, to, CastMode::Ansi, &Zone::UTC).ok()?;
    Some(Expr::Literal(ScalarValue::try_from_array(&array, 0).ok()?, metadata.clone()))
}

fn is_step(data_type: &DataType) -> bool {
    data_type.is_ansi_interval() || *data_type == DataType::CalendarInterval
}

fn is_point(data_type: &DataType) -> bool {
    data_type.is_datetime() || matches!(data_type, DataType::Time(_))
}

/// The types dates, timestamps and intervals are brought to; `None` if this is about numbers.
fn datetime_types(op: Op, left: &DataType, right: &DataType) -> Option<(DataType, DataType)> {
    use DataType as T;
    let same = || (left.clone(), right.clone());
    Some(match (op, left, right) {
        (Op::Subtract, T::Timestamp, T::Date | T::TimestampNtz | T::String) => (T::Timestamp, T::Timestamp),
        (Op::Subtract, T::Date | T::TimestampNtz | T::String, T::Timestamp) => (T::Timestamp, T::Timestamp),
        (Op::Subtract, T::TimestampNtz, T::Date | T::String) | (Op::Subtract, T::Date | T::String, T::TimestampNtz) => {
            (T::TimestampNtz, T::TimestampNtz)
        }
        (Op::Subtract, T::Date, T::String | T::Null) | (Op::Subtract, T::String, T::Date) => (T::Date, T::Date),
        (_, T::Date, T::Byte | T::Short) => (T::Date, T::Integer),
        (Op::Add, T::Date, T::String | T::Null) => (T::Date, T::Integer),
        (_, T::Date, T::DayTimeInterval(_, end)) if *end != DayTimeField::Day => (T::Timestamp, right.clone()),
        (Op::Add | Op::Subtract, T::String, right) if is_step(right) && !matches!(right, T::YearMonthInterval(..)) => {
            (T::Timestamp, right.clone())
        }
        (Op::Add | Op::Subtract, T::CalendarInterval, right) if is_step(right) => same(),
        (Op::Add | Op::Subtract, left, T::Null) if is_step(left) || is_point(left) => (left.clone(), left.clone()),
        (Op::Add | Op::Subtract, T::Null, right) if is_step(right) => (right.clone(), right.clone()),
        (Op::Multiply | Op::Divide, T::CalendarInterval, right) if right.is_numeric() || right.is_string() => {
            (left.clone(), T::Double)
        }
        (Op::Multiply | Op::Divide, left, T::String | T::Null) if is_step(left) => (left.clone(), T::Double),
        (_, left, right) if is_step(left) || is_point(left) || is_step(right) || is_point(right) => same(),
        _ => return None,
    })
}

/// What a string or NULL becomes next to a number.
fn number_type(own: &DataType, other: &DataType, ansi: bool) -> Option<DataType> {
    match own {
        own if own.is_numeric() => Some(own.clone()),
        DataType::Null if other.is_numeric() => Some(other.clone()),
        DataType::Null => Some(DataType::Double),
        DataType::String | DataType::Collated(_) | DataType::Char(_) | DataType::Varchar(_) => match (ansi, other) {
            (true, other) if other.is_integral() => Some(DataType::Long),
            (true, other) if other.is_string() => None,
            _ => Some(DataType::Double),
        },
        _ => None,
    }
}

/// An integer literal beside a decimal counts with the digits it has, not with those of its type.
fn literal_decimal((expr, data_type): &Typed, other: &DataType) -> Option<DataType> {
    let DataType::Decimal(..) = other else { return None };
    if !data_type.is_integral() {
        return None;
    }
    let value = match expr {
        Expr::Literal(ScalarValue::Int8(Some(value)), _) => i64::from(*value),
        Expr::Literal(ScalarValue::Int16(Some(value)), _) => i64::from(*value),
        Expr::Literal(ScalarValue::Int32(Some(value)), _) => i64::from(*value),
        Expr::Literal(ScalarValue::Int64(Some(value)), _) => *value,
        _ => return None,
    };
    let digits = value.unsigned_abs().to_string().len();
    Some(DataType::Decimal(u8::try_from(digits).ok()?, 0))
}

fn common(op: Op, left: DataType, right: DataType, ansi: bool) -> (DataType, DataType) {
    use DataType as T;
    let fraction = |t: &T| matches!(t, T::Float | T::Double);
    let decimal = |t: &T| t.as_decimal().map_or(T::Double, |(p, s)| T::Decimal(p, s));
    let any_decimal = matches!(left, T::Decimal(..)) || matches!(right, T::Decimal(..));
    match op {
        _ if any_decimal && (fraction(&left) || fraction(&right)) => (T::Double, T::Double),
        _ if any_decimal => (decimal(&left), decimal(&right)),
        Op::Divide => (T::Double, T::Double),
        Op::IntDivide if !fraction(&left) && !fraction(&right) => (T::Long, T::Long),
        // `div` takes whole numbers and decimals; a double is read as a decimal by Spark's implicit cast to BIGINT.
        Op::IntDivide => (T::Long, T::Long),
        _ => {
            let wider = wider(left, right, ansi);
            (wider.clone(), wider)
        }
    }
}

fn wider(left: DataType, right: DataType, ansi: bool) -> DataType {
    use DataType as T;
    let mixed = (left == T::Float && right.is_integral()) || (left.is_integral() && right == T::Float);
    if mixed {
        return if ansi { T::Double } else { T::Float };
    }
    let order = [T::Byte, T::Short, T::Integer, T::Long, T::Float, T::Double];
    let place = |t: &T| order.iter().position(|o| o == t);
    if place(&left) >= place(&right) { left } else { right }
}
