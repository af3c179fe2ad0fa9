//! Constructors for the run-time errors that many functions raise, with Spark's exact parameters.

use super::{ErrorKind, SparkError, sql_conf, sql_type, sql_value};
use crate::types::DataType;

const ANSI: &str = "spark.sql.ansi.enabled";

impl SparkError {
    /// `DIVIDE_BY_ZERO`.
    #[must_use]
    pub fn divide_by_zero() -> Self {
        Self::new(ErrorKind::Arithmetic, "DIVIDE_BY_ZERO", &[("config", &sql_conf(ANSI))])
    }

    /// `REMAINDER_BY_ZERO`.
    #[must_use]
    pub fn remainder_by_zero() -> Self {
        Self::new(ErrorKind::Arithmetic, "REMAINDER_BY_ZERO", &[("config", &sql_conf(ANSI))])
    }

    /// `INTERVAL_DIVIDED_BY_ZERO`.
    #[must_use]
    pub fn interval_divided_by_zero() -> Self {
        Self::new(ErrorKind::Arithmetic, "INTERVAL_DIVIDED_BY_ZERO", &[])
    }

    /// `ARITHMETIC_OVERFLOW`; `hint` is the function to use instead, for example `try_add`, or empty.
    #[must_use]
    pub fn arithmetic_overflow(message: &str, hint: &str) -> Self {
        let alternative = match hint {
            "" => String::new(),
            hint => format!(" Use '{hint}' to tolerate overflow and return NULL instead."),
        };
        Self::new(
            ErrorKind::Arithmetic,
            "ARITHMETIC_OVERFLOW",
            &[("message", message), ("alternative", &alternative), ("config", &sql_conf(ANSI))],
        )
    }

    /// `BINARY_ARITHMETIC_OVERFLOW`, for operands of one or two bytes given as SQL literals.
    #[must_use]
    pub fn binary_arithmetic_overflow(left: &str, symbol: &str, right: &str, function: &str) -> Self {
        Self::new(
            ErrorKind::Arithmetic,
            "BINARY_ARITHMETIC_OVERFLOW",
            &[("value1", left), ("symbol", symbol), ("value2", right), ("functionName", &format!("`{function}`"))],
        )
    }

    /// `INTERVAL_ARITHMETIC_OVERFLOW`; `hint` is the function to use instead, or empty.
    #[must_use]
    pub fn interval_overflow(hint: &str) -> Self {
        match hint {
            "" => Self::new(ErrorKind::Arithmetic, "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", &[]),
            hint => Self::new(
                ErrorKind::Arithmetic,
                "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION",
                &[("functionName", &format!("`{hint}`"))],
            ),
        }
    }

    /// `NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION`: an intermediate decimal that its type does not hold, in every mode.
    #[must_use]
    pub fn decimal_does_not_fit(value: &str, precision: u8, scale: i8) -> Self {
        let parameters = [("roundedValue", value), ("originalValue", value)];
        let (precision, scale) = (precision.to_string(), scale.to_string());
        let mut all = parameters.to_vec();
        all.extend([("precision", precision.as_str()), ("scale", scale.as_str())]);
        Self::new(ErrorKind::Arithmetic, "NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION", &all)
    }

    /// `DATETIME_OVERFLOW`.
    #[must_use]
    pub fn datetime_overflow(operation: &str) -> Self {
        Self::new(ErrorKind::Arithmetic, "DATETIME_OVERFLOW", &[("operation", operation)])
    }

    /// `CAST_INVALID_INPUT` for a value given as text; the exception class depends on the target.
    #[must_use]
    pub fn cast_invalid_input(text: &str, from: &DataType, to: &DataType) -> Self {
        let kind = match to {
            DataType::Date | DataType::Timestamp | DataType::TimestampNtz | DataType::Time(_) => ErrorKind::DateTime,
            DataType::Boolean => ErrorKind::Runtime,
            _ => ErrorKind::NumberFormat,
        };
        Self::new(
            kind,
            "CAST_INVALID_INPUT",
            &[
                ("expression", &sql_value(text)),
                ("sourceType", &sql_type(from)),
                ("targetType", &sql_type(to)),
                ("ansiConfig", &sql_conf(ANSI)),
            ],
        )
    }

    /// `CAST_OVERFLOW` for a value already written as a SQL literal.
    #[must_use]
    pub fn cast_overflow(value: &str, from: &DataType, to: &DataType) -> Self {
        Self::new(
            ErrorKind::Arithmetic,
            "CAST_OVERFLOW",
            &[
                ("value", value),
                ("sourceType", &sql_type(from)),
                ("targetType", &sql_type(to)),
                ("ansiConfig", &sql_conf(ANSI)),
            ],
        )
    }

    /// `NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION`.
    #[must_use]
    pub fn decimal_out_of_range(value: &str, precision: u8, scale: i8) -> Self {
        Self::new(
            ErrorKind::Arithmetic,
            "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
            &[
                ("value", value),
                ("precision", &precision.to_string()),
                ("scale", &scale.to_string()),
                ("config", &sql_conf(ANSI)),
            ],
        )
    }
}
