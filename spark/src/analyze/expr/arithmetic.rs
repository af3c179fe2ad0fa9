//! Arithmetic operators: names, nullability and errors. Types and computation belong to the functions crate.

use firesteel_functions::arithmetic::{self, Op};
use firesteel_functions::cast::CastMode;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::errors;
use crate::analyze::typed::Typed;

const NUMERIC: &str = "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")";

impl Exprs<'_, '_> {
    /// `+ - * / % div`.
    pub(super) fn arithmetic(&self, op: &str, l: Typed, r: Typed, shown: String) -> SparkResult<Typed> {
        let kind = match op {
            "+" => Op::Add,
            "-" => Op::Subtract,
            "*" => Op::Multiply,
            "/" => Op::Divide,
            "div" => Op::IntDivide,
            _ => Op::Remainder,
        };
        let options = &self.analyzer.context.options;
        let mode = if options.ansi { CastMode::Ansi } else { CastMode::Legacy };
        let (expr, data_type) = arithmetic::binary(kind, (l.expr, &l.data_type), (r.expr, &r.data_type), mode, options)
            .map_err(|e| in_words(e, &shown, &l.data_type, &r.data_type))?;
        let may_fail = matches!(kind, Op::Divide | Op::IntDivide | Op::Remainder)
            || !options.ansi && matches!(data_type, DataType::Decimal(..))
            || l.data_type.is_string()
            || r.data_type.is_string();
        Ok(Typed::new(expr, data_type, l.nullable || r.nullable || may_fail, shown))
    }

    /// Unary minus; of a literal it is a literal.
    pub(super) fn negative(&self, value: Typed, shown: String) -> SparkResult<Typed> {
        let value = match value.data_type {
            DataType::String | DataType::Null => self.analyzer.coerce(value, &DataType::Double)?,
            _ => value,
        };
        let literal = value.constant().is_some();
        let (expr, data_type) = arithmetic::negative((value.expr, &value.data_type), &self.analyzer.context.options)
            .map_err(|_| errors::unexpected_input(&shown, 0, NUMERIC, &value.name, &value.data_type))?;
        let expr = match literal.then(|| self.analyzer.fold(&expr)) {
            Some(Ok(folded)) => datafusion::logical_expr::Expr::Literal(folded, None),
            _ => expr,
        };
        Ok(Typed::new(expr, data_type, value.nullable, shown))
    }
}

/// The same error about the expression as Spark writes it.
fn in_words(error: SparkError, shown: &str, left: &DataType, right: &DataType) -> SparkError {
    match error.condition() {
        "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES" => errors::differing_types(shown, left, right),
        "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE" => {
            let numeric = |t: &DataType| t.is_numeric() || t.is_ansi_interval();
            errors::wrong_type(shown, NUMERIC, if numeric(left) { right } else { left })
        }
        _ => error,
    }
}
