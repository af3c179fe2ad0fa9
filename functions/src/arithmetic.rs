//! Spark's `+ - * / div %`, negation and comparison, as DataFusion expressions and as kernels.
//!
//! Where DataFusion's operator gives Spark's answer it is used, because optimizer rules understand it. Everything else is a
//! `spark_*` function with checks. It knows nothing of names or nullability.

mod compare;
mod compute;
mod datetime;
mod decimal;
mod kernel;
mod normalize;
mod result_type;
#[cfg(test)]
mod tests;
mod udf;
mod whole;

use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;

pub(crate) use compare::normalize;
pub use compare::{compare, holds_float, normalize_float};
pub use compute::{compute, negate};
pub(crate) use kernel::pairs;
pub use normalize::Operand;
pub use result_type::{bounded, decimal_result};
pub use udf::{all_udfs, udf_of};

use crate::cast::CastMode;
use crate::error::{SparkError, SparkResult, sql_type};
use crate::options::SparkOptions;
use crate::types::DataType;

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `div`
    IntDivide,
    /// `%`
    Remainder,
    /// `pmod`
    Pmod,
}

impl Op {
    /// The operator as SQL writes it.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::IntDivide => "div",
            Self::Remainder => "%",
            Self::Pmod => "pmod",
        }
    }

    /// The function that gives NULL where this operator fails.
    #[must_use]
    pub fn try_function(self) -> &'static str {
        match self {
            Self::Add => "try_add",
            Self::Subtract => "try_subtract",
            Self::Multiply => "try_multiply",
            Self::Divide | Self::IntDivide => "try_divide",
            Self::Remainder | Self::Pmod => "try_mod",
        }
    }
}

fn session_mode(options: &SparkOptions) -> CastMode {
    if options.ansi { CastMode::Ansi } else { CastMode::Legacy }
}

/// `left + right`, with its type.
///
/// # Errors
/// Types that cannot be added.
pub fn add(left: Operand<'_>, right: Operand<'_>, options: &SparkOptions) -> SparkResult<(Expr, DataType)> {
    binary(Op::Add, left, right, session_mode(options), options)
}

/// `left - right`, with its type.
///
/// # Errors
/// Types that cannot be subtracted.
pub fn subtract(left: Operand<'_>, right: Operand<'_>, options: &SparkOptions) -> SparkResult<(Expr, DataType)> {
    binary(Op::Subtract, left, right, session_mode(options), options)
}

/// `left * right`, with its type.
///
/// # Errors
/// Types that cannot be multiplied.
pub fn multiply(left: Operand<'_>, right: Operand<'_>, options: &SparkOptions) -> SparkResult<(Expr, DataType)> {
    binary(Op::Multiply, left, right, session_mode(options), options)
}

/// `left / right`, with its type.
///
/// # Errors
/// Types that cannot be divided.
pub fn divide(left: Operand<'_>, right: Operand<'_>, options: &SparkOptions) -> SparkResult<(Expr, DataType)> {
    binary(Op::Divide, left, right, session_mode(options), options)
}

/// `left div right`, a BIGINT.
///
/// # Errors
/// Types that cannot be divided.
pub fn int_divide(left: Operand<'_>, right: Operand<'_>, options: &SparkOptions) -> SparkResult<(Expr, DataType)> {
    binary(Op::IntDivide, left, right, session_mode(options), options)
}

/// `left % right`, with its type.
///
/// # Errors
/// Types that cannot be divided.
pub fn remainder(left: Operand<'_>, right: Operand<'_>, options: &SparkOptions) -> SparkResult<(Expr, DataType)> {
    binary(Op::Remainder, left, right, session_mode(options), options)
}

/// The digits that Scala's decimals keep when they are negated.
pub(crate) const JAVA_DIGITS: u8 = 34;

/// `-value`, with its type.
///
/// # Errors
/// A type that has no negative.
pub fn negative(value: Operand<'_>, options: &SparkOptions) -> SparkResult<(Expr, DataType)> {
    let (expr, data_type) = value;
    match data_type {
        DataType::Float | DataType::Double | DataType::Decimal(..=JAVA_DIGITS, _) => {
            Ok((Expr::Negative(Box::new(expr)), data_type.clone()))
        }
        DataType::Decimal(..)
        | DataType::Byte
        | DataType::Short
        | DataType::Integer
        | DataType::Long
        | DataType::YearMonthInterval(..)
        | DataType::DayTimeInterval(..)
        | DataType::CalendarInterval => {
            let spec = udf::Spec::unary(session_mode(options), data_type);
            let function = ScalarFunction::new_udf(udf::negative_udf(), vec![expr, spec.literal()]);
            Ok((Expr::ScalarFunction(function), data_type.clone()))
        }
        other => Err(wrong_type("-", other)),
    }
}

/// Any operator in any mode. Operands are brought to the types the operator works on, as Spark's implicit casts do.
///
/// # Errors
/// Types the operator does not take.
pub fn binary(
    op: Op,
    left: Operand<'_>,
    right: Operand<'_>,
    mode: CastMode,
    options: &SparkOptions,
) -> SparkResult<(Expr, DataType)> {
    let ((left, left_type), (right, right_type)) = normalize::operands(op, left, right, mode, options)?;
    let result = result_type::result_type(op, &left_type, &right_type, options.allow_precision_loss)
        .ok_or_else(|| wrong_pair(op, &left_type, &right_type))?;
    if is_plain(op, &left_type, &right_type, &right, &result) {
        let operator = match op {
            Op::Add => Operator::Plus,
            Op::Subtract => Operator::Minus,
            Op::Multiply => Operator::Multiply,
            _ => Operator::Divide,
        };
        return Ok((Expr::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right))), result));
    }
    let spec = udf::Spec::binary(mode, &left_type, &right_type, &result);
    let function = ScalarFunction::new_udf(udf_of(op), vec![left, right, spec.literal()]);
    Ok((Expr::ScalarFunction(function), result))
}

/// Whether DataFusion's operator has Spark's type and answer.
fn is_plain(op: Op, left: &DataType, right: &DataType, right_expr: &Expr, result: &DataType) -> bool {
    match (op, left, right, result) {
        (Op::Add | Op::Subtract | Op::Multiply, DataType::Double, DataType::Double, _) => true,
        (Op::Add | Op::Subtract | Op::Multiply, DataType::Float, DataType::Float, _) => true,
        // Below the largest precision Spark's result type is Arrow's, and no overflow is possible.
        (
            Op::Add | Op::Subtract | Op::Multiply,
            DataType::Decimal(..),
            DataType::Decimal(..),
            DataType::Decimal(precision, _),
        ) => *precision < 38 && decimal_result(op, left, right, false).as_ref() == Some(result),
        (Op::Divide, DataType::Double, DataType::Double, _) => {
            matches!(right_expr, Expr::Literal(ScalarValue::Float64(Some(divisor)), _) if *divisor != 0.0)
        }
        _ => false,
    }
}

fn wrong_pair(op: Op, left: &DataType, right: &DataType) -> SparkError {
    SparkError::analysis(
        "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
        &[("sqlExpr", &format!("\"{}\"", op.symbol())), ("left", &sql_type(left)), ("right", &sql_type(right))],
    )
}

fn wrong_type(symbol: &str, data_type: &DataType) -> SparkError {
    SparkError::analysis(
        "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE",
        &[
            ("sqlExpr", &format!("\"{symbol}\"")),
            ("inputType", "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")"),
            ("actualDataType", &sql_type(data_type)),
        ],
    )
}
