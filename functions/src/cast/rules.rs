//! Which casts exist, which cannot fail, and which an `INSERT` may make. It knows types only.

use super::CastMode;
use crate::error::{SparkError, sql_type};
use crate::types::DataType;

/// Whether Spark lets a query write this cast.
#[must_use]
pub fn can_cast(from: &DataType, to: &DataType, mode: CastMode) -> bool {
    use DataType as T;
    match (from, to) {
        (from, to) if from == to => true,
        (T::Null, _) => true,
        (T::Collated(_), to) => can_cast(&T::String, to, mode),
        (from, T::Collated(_)) => can_cast(from, &T::String, mode),
        (from, to) if from.is_spatial() || to.is_spatial() => crate::geo::can_cast(from, to),
        (T::Variant, to) => crate::scalar::variant::castable(to, true),
        (from, T::Variant) => crate::scalar::variant::castable(from, false),
        (_, T::String | T::Char(_) | T::Varchar(_)) => true,
        (T::Char(_) | T::Varchar(_), to) => can_cast(&T::String, to, mode),
        (T::Array { element: a, contains_null: m }, T::Array { element: b, contains_null: n }) => {
            can_cast(a, b, mode) && (*n || !*m)
        }
        (T::Map { key: a, value: c, value_contains_null: m }, T::Map { key: b, value: d, value_contains_null: n }) => {
            can_cast(a, b, mode) && can_cast(c, d, mode) && (*n || !*m)
        }
        (T::Struct(a), T::Struct(b)) => {
            a.fields.len() == b.fields.len()
                && a.fields
                    .iter()
                    .zip(&b.fields)
                    .all(|(f, g)| can_cast(&f.data_type, &g.data_type, mode) && (g.nullable || !f.nullable))
        }
        (T::Array { .. } | T::Map { .. } | T::Struct(_), _) | (_, T::Array { .. } | T::Map { .. } | T::Struct(_)) => {
            false
        }
        (T::String, T::Null) => false,
        (T::String, _) => true,
        (from, T::Binary) => from.is_integral() && mode == CastMode::Legacy,
        (from, T::Boolean) => from.is_numeric() || (mode == CastMode::Legacy && matches!(from, T::Date | T::Timestamp)),
        (T::Boolean | T::Timestamp, T::Timestamp) => true,
        (T::Date | T::TimestampNtz, T::Timestamp) => true,
        (from, T::Timestamp) => from.is_numeric(),
        (T::Timestamp | T::Date, T::TimestampNtz) => true,
        (T::Timestamp | T::TimestampNtz, T::Date) => true,
        (T::Timestamp | T::TimestampNtz | T::Time(_), T::Time(_)) => true,
        (T::YearMonthInterval(..), T::YearMonthInterval(..)) | (T::DayTimeInterval(..), T::DayTimeInterval(..)) => true,
        (from, T::YearMonthInterval(a, b)) => (from.is_integral() || matches!(from, T::Decimal(..))) && a == b,
        (from, T::DayTimeInterval(a, b)) => (from.is_integral() || matches!(from, T::Decimal(..))) && a == b,
        (T::YearMonthInterval(a, b), to) => (to.is_integral() || matches!(to, T::Decimal(..))) && a == b,
        (T::DayTimeInterval(a, b), to) => (to.is_integral() || matches!(to, T::Decimal(..))) && a == b,
        (T::Boolean | T::Timestamp, to) if to.is_numeric() => true,
        (T::Date, to) if to.is_numeric() => mode == CastMode::Legacy,
        (T::Time(_), to) => matches!(to, T::Decimal(..)) || to.is_integral(),
        (from, to) => from.is_numeric() && to.is_numeric(),
    }
}

/// Whether every value survives unchanged, so that the cast may be inserted silently.
#[must_use]
pub fn can_up_cast(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    match (from, to) {
        (from, to) if from == to => true,
        (T::Null, _) => true,
        (T::Collated(_), to) => can_up_cast(&T::String, to),
        (from, T::Collated(_)) => can_up_cast(from, &T::String),
        (from, T::Decimal(p, s)) if from.is_numeric() => match from {
            T::Float | T::Double => false,
            from => from
                .as_decimal()
                .is_some_and(|(q, t)| i16::from(*p) - i16::from(*s) >= i16::from(q) - i16::from(t) && *s >= t),
        },
        (T::Decimal(p, s), to) if to.is_integral() => *s == 0 && to.as_decimal().is_some_and(|(q, _)| *p < q),
        (from, to) if rank(from).is_some() && rank(to).is_some() => rank(from) <= rank(to),
        (T::Date, T::Timestamp | T::TimestampNtz)
        | (T::Timestamp, T::TimestampNtz)
        | (T::TimestampNtz, T::Timestamp) => true,
        (from, T::String) => from.is_atomic() && *from != T::CalendarInterval,
        (T::Char(_) | T::Varchar(_), T::Char(_) | T::Varchar(_)) => true,
        (T::YearMonthInterval(..), T::YearMonthInterval(..)) | (T::DayTimeInterval(..), T::DayTimeInterval(..)) => true,
        (T::Array { element: a, contains_null: m }, T::Array { element: b, contains_null: n }) => {
            can_up_cast(a, b) && (*n || !*m)
        }
        (T::Map { key: a, value: c, value_contains_null: m }, T::Map { key: b, value: d, value_contains_null: n }) => {
            can_up_cast(a, b) && can_up_cast(c, d) && (*n || !*m)
        }
        (T::Struct(a), T::Struct(b)) => {
            a.fields.len() == b.fields.len()
                && a.fields
                    .iter()
                    .zip(&b.fields)
                    .all(|(f, g)| can_up_cast(&f.data_type, &g.data_type) && (g.nullable || !f.nullable))
        }
        _ => false,
    }
}

/// Whether a value may be stored into a column of another type; `policy` is `ANSI`, `LEGACY` or `STRICT`.
#[must_use]
pub fn can_store_assign(from: &DataType, to: &DataType, policy: &str) -> bool {
    use DataType as T;
    match policy {
        "LEGACY" => return can_cast(from, to, CastMode::Legacy),
        "STRICT" => return can_up_cast(from, to),
        _ => {}
    }
    match (from, to) {
        (from, to) if from == to => true,
        (T::Null, _) => true,
        (T::Collated(_), to) => can_store_assign(&T::String, to, policy),
        (from, T::Collated(_)) => can_store_assign(from, &T::String, policy),
        (from, to) if from.is_numeric() && to.is_numeric() => true,
        (from, T::String | T::Char(_) | T::Varchar(_)) if from.is_atomic() => !matches!(from, T::CalendarInterval),
        (from, to) if from.is_datetime() && to.is_datetime() => true,
        (T::YearMonthInterval(..), T::YearMonthInterval(..)) | (T::DayTimeInterval(..), T::DayTimeInterval(..)) => true,
        (T::Array { element: a, contains_null: m }, T::Array { element: b, contains_null: n }) => {
            can_store_assign(a, b, policy) && (*n || !*m)
        }
        (T::Map { key: a, value: c, value_contains_null: m }, T::Map { key: b, value: d, value_contains_null: n }) => {
            can_store_assign(a, b, policy) && can_store_assign(c, d, policy) && (*n || !*m)
        }
        (T::Struct(a), T::Struct(b)) => {
            a.fields.len() == b.fields.len()
                && a.fields
                    .iter()
                    .zip(&b.fields)
                    .all(|(f, g)| can_store_assign(&f.data_type, &g.data_type, policy) && (g.nullable || !f.nullable))
        }
        _ => false,
    }
}

fn rank(data_type: &DataType) -> Option<u8> {
    Some(match data_type {
        DataType::Byte => 0,
        DataType::Short => 1,
        DataType::Integer => 2,
        DataType::Long => 3,
        DataType::Float => 4,
        DataType::Double => 5,
        _ => return None,
    })
}

/// A cast that cannot fail and on which Arrow and Spark agree.
pub(crate) fn is_plain(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    match (from, to) {
        (from, to) if rank(from).is_some() && rank(to).is_some() => rank(from) <= rank(to),
        (T::Decimal(p, s), T::Decimal(q, t)) => {
            t >= s && i16::from(*q) - i16::from(*t) >= i16::from(*p) - i16::from(*s)
        }
        (from, T::Decimal(q, t)) if from.is_integral() => {
            from.as_decimal().is_some_and(|(p, _)| i16::from(*q) - i16::from(*t) >= i16::from(p))
        }
        _ => false,
    }
}

/// Whether the cast can make a null of a value.
pub(crate) fn may_be_null(from: &DataType, to: &DataType, mode: CastMode) -> bool {
    use DataType as T;
    match (from, to) {
        (from, to) if from == to || is_plain(from, to) => false,
        (T::Null, _) => true,
        // The variant null becomes NULL.
        (T::Variant, _) => true,
        (_, T::String | T::Collated(_)) => false,
        (T::Float | T::Double, T::Timestamp | T::Decimal(..)) => true,
        _ => mode != CastMode::Ansi && !can_up_cast(from, to),
    }
}

/// `DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION`.
pub(crate) fn cannot_cast(what: &str, from: &DataType, to: &DataType) -> SparkError {
    SparkError::analysis(
        "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
        &[("sqlExpr", &format!("\"{what}\"")), ("srcType", &sql_type(from)), ("targetType", &sql_type(to))],
    )
}
