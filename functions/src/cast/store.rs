//! Values that do not fit into the column of a table they are inserted into.
//!
//! Source: <https://spark.apache.org/docs/latest/sql-ref-ansi-compliance.html#store-assignment>.

use super::rules::can_up_cast;
use crate::error::{ErrorKind, SparkError, sql_type};
use crate::types::DataType;

/// Whether some part of the cast is to a number that may be too small.
pub(super) fn may_overflow(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Array { element: from, .. }, DataType::Array { element: to, .. }) => may_overflow(from, to),
        (DataType::Map { key: a, value: b, .. }, DataType::Map { key: c, value: d, .. }) => {
            may_overflow(a, c) || may_overflow(b, d)
        }
        (DataType::Struct(from), DataType::Struct(to)) => {
            from.fields.iter().zip(&to.fields).any(|(from, to)| may_overflow(&from.data_type, &to.data_type))
        }
        (from, to) => (to.is_integral() || matches!(to, DataType::Decimal(..))) && !can_up_cast(from, to),
    }
}

/// An overflow as Spark reports it in an `INSERT`; any other error as it is.
pub(super) fn overflow(error: SparkError, from: &DataType, to: &DataType, column: &str) -> SparkError {
    let overflows = error.condition() == "CAST_OVERFLOW" || error.condition().starts_with("NUMERIC_VALUE_OUT_OF_RANGE");
    if !overflows {
        return error;
    }
    SparkError::new(
        ErrorKind::Arithmetic,
        "CAST_OVERFLOW_IN_TABLE_INSERT",
        &[("sourceType", &sql_type(from)), ("targetType", &sql_type(to)), ("columnName", column)],
    )
}
