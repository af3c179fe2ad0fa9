//! Which type an operator gives for operands that already fit together. It knows types only.

use super::Op;
use crate::types::{DataType, DayTimeField};

/// A decimal type within Spark's bounds; digits after the point give way first, down to six.
#[must_use]
pub fn bounded(precision: i32, scale: i32, allow_precision_loss: bool) -> DataType {
    let (precision, scale) = if precision <= 38 {
        (precision, scale)
    } else if allow_precision_loss {
        let whole = precision - scale;
        (38, (38 - whole).max(scale.min(6)))
    } else {
        (38, scale.min(38))
    };
    DataType::Decimal(precision.clamp(1, 38) as u8, scale.clamp(0, 38) as i8)
}

/// The result of an operator on two decimals.
#[must_use]
pub fn decimal_result(op: Op, left: &DataType, right: &DataType, allow_precision_loss: bool) -> Option<DataType> {
    let (DataType::Decimal(p1, s1), DataType::Decimal(p2, s2)) = (left, right) else { return None };
    let (p1, s1, p2, s2) = (i32::from(*p1), i32::from(*s1), i32::from(*p2), i32::from(*s2));
    let scale = s1.max(s2);
    Some(match op {
        Op::Add | Op::Subtract => bounded((p1 - s1).max(p2 - s2) + scale + 1, scale, allow_precision_loss),
        Op::Multiply => bounded(p1 + p2 + 1, s1 + s2, allow_precision_loss),
        Op::Divide if allow_precision_loss => {
            let scale = (s1 + p2 + 1).max(6);
            bounded(p1 - s1 + s2 + scale, scale, true)
        }
        Op::Divide => {
            let mut whole = (p1 - s1 + s2).min(38);
            let mut scale = (s1 + p2 + 1).clamp(6, 38);
            let excess = whole + scale - 38;
            if excess > 0 {
                scale -= excess / 2 + 1;
                whole = 38 - scale;
            }
            bounded(whole + scale, scale, false)
        }
        Op::Remainder | Op::Pmod => bounded((p1 - s1).min(p2 - s2) + scale, scale, allow_precision_loss),
        Op::IntDivide => DataType::Long,
    })
}

/// The result type, or `None` if the operator does not take these types.
pub(super) fn result_type(op: Op, left: &DataType, right: &DataType, allow_precision_loss: bool) -> Option<DataType> {
    use DataType as T;
    if matches!((left, right), (T::Decimal(..), T::Decimal(..))) {
        return decimal_result(op, left, right, allow_precision_loss);
    }
    if left.is_numeric() && left == right {
        return Some(match op {
            Op::IntDivide => T::Long,
            _ => left.clone(),
        });
    }
    let day_second = T::day_time;
    match (op, left, right) {
        (Op::Add | Op::Subtract, T::YearMonthInterval(a, b), T::YearMonthInterval(c, d)) => {
            Some(T::YearMonthInterval(*a.min(c), *b.max(d)))
        }
        (Op::Add | Op::Subtract, T::DayTimeInterval(a, b), T::DayTimeInterval(c, d)) => {
            Some(T::DayTimeInterval(*a.min(c), *b.max(d)))
        }
        (Op::Add | Op::Subtract, T::CalendarInterval, T::CalendarInterval) => Some(T::CalendarInterval),
        (Op::Multiply | Op::Divide, T::YearMonthInterval(..), right) if right.is_numeric() => Some(T::year_month()),
        (Op::Multiply | Op::Divide, T::DayTimeInterval(..), right) if right.is_numeric() => Some(day_second()),
        (Op::Multiply | Op::Divide, T::CalendarInterval, T::Double) => Some(T::CalendarInterval),
        (Op::IntDivide, T::YearMonthInterval(..), T::YearMonthInterval(..)) => Some(T::Long),
        (Op::IntDivide, T::DayTimeInterval(..), T::DayTimeInterval(..)) => Some(T::Long),
        (Op::Add | Op::Subtract, T::Date, T::Integer) => Some(T::Date),
        (Op::Add | Op::Subtract, T::Date, T::YearMonthInterval(..) | T::CalendarInterval) => Some(T::Date),
        (Op::Add | Op::Subtract, T::Date, T::DayTimeInterval(DayTimeField::Day, DayTimeField::Day)) => Some(T::Date),
        (
            Op::Add | Op::Subtract,
            T::Timestamp | T::TimestampNtz,
            T::YearMonthInterval(..) | T::DayTimeInterval(..) | T::CalendarInterval,
        ) => Some(left.clone()),
        (Op::Subtract, T::Date, T::Date) => Some(T::DayTimeInterval(DayTimeField::Day, DayTimeField::Day)),
        (Op::Subtract, T::Timestamp, T::Timestamp) | (Op::Subtract, T::TimestampNtz, T::TimestampNtz) => {
            Some(day_second())
        }
        (Op::Add | Op::Subtract, T::Time(a), T::DayTimeInterval(..)) => Some(T::Time((*a).max(6))),
        (Op::Subtract, T::Time(_), T::Time(_)) => Some(T::DayTimeInterval(DayTimeField::Hour, DayTimeField::Second)),
        _ => None,
    }
}
