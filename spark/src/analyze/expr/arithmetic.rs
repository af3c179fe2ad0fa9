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
    /// `+ - * / % div` and `pmod`.
    pub(super) fn arithmetic(&self, op: &str, l: Typed, r: Typed, shown: String) -> SparkResult<Typed> {
        let kind = match op {
            "+" => Op::Add,
            "-" => Op::Subtract,
            "*" => Op::Multiply,
            "/" => Op::Divide,
            "div" => Op::IntDivide,
            "pmod" => Op::Pmod,
            _ => Op::Remainder,
        };
        let ansi = self.analyzer.context.options.ansi;
        let (left, right) = (&l.data_type, &r.data_type);
        if ansi && (left.is_string() && *right == DataType::Null || *left == DataType::Null && right.is_string()) {
            // A bare NULL takes the type of what it meets, and text is no number.
            return Err(errors::wrong_type(&shown, NUMERIC, if left.is_string() { left } else { right }));
        }
        let mode = if ansi { CastMode::Ansi } else { CastMode::Legacy };
        let may_fail = matches!(kind, Op::Divide | Op::IntDivide | Op::Remainder | Op::Pmod)
            || l.data_type.is_string()
            || r.data_type.is_string();
        let mut typed = self.combined(kind, l, r, shown, mode)?;
        typed.nullable |= may_fail || !ansi && matches!(typed.data_type, DataType::Decimal(..));
        Ok(typed)
    }

    /// `try_add` and its like: NULL where the operator fails.
    pub(super) fn tried(&self, name: &str, args: &[Typed]) -> SparkResult<Option<Typed>> {
        let kind = match name {
            "try_add" => Op::Add,
            "try_subtract" => Op::Subtract,
            "try_multiply" => Op::Multiply,
            "try_divide" => Op::Divide,
            "try_mod" => Op::Remainder,
            _ => return Ok(None),
        };
        let [l, r] = args else { return Err(errors::wrong_num_args(name, "2", args.len())) };
        let shown = crate::analyze::naming::call(name, &[l.sql(), r.sql()]);
        let operator = format!("({} {} {})", l.sql(), kind.symbol(), r.sql());
        let mut typed = self.combined(kind, l.clone(), r.clone(), operator, CastMode::Try)?.named_as(shown);
        typed.nullable = true;
        Ok(Some(typed))
    }

    /// The operator on operands brought to types it takes.
    fn combined(&self, op: Op, l: Typed, r: Typed, shown: String, mode: CastMode) -> SparkResult<Typed> {
        let options = &self.analyzer.context.options;
        let (left_type, right_type) = (l.data_type.clone(), r.data_type.clone());
        if op == Op::IntDivide && has_fraction(&left_type, &right_type, options.ansi) {
            return Err(mismatched(&shown, op, &left_type, &right_type, options.ansi));
        }
        let (l, r, shown, back) = match self.temporal(op, &l, &r, mode)? {
            Some(step) => (step.left, step.right, step.shown.unwrap_or(shown), step.back),
            None => (l, r, shown, None),
        };
        let nullable = l.nullable || r.nullable;
        let (expr, data_type) = arithmetic::binary(op, (l.expr, &l.data_type), (r.expr, &r.data_type), mode, options)
            .map_err(|error| match error.condition() {
            "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES" | "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE" => {
                let time = |t: &DataType| matches!(t, DataType::Time(_));
                let text = |t: &DataType| matches!(t, DataType::String | DataType::Null);
                let meets = time(&left_type) && right_type.is_string() || time(&right_type) && text(&left_type);
                match meets && !options.time_type {
                    true => errors::no_time_type(),
                    false => mismatched(&shown, op, &left_type, &right_type, options.ansi),
                }
            }
            _ => error,
        })?;
        let typed = Typed::new(expr, data_type, nullable, shown);
        match back {
            Some(to) => self.analyzer.coerce(typed, &to),
            None => Ok(typed),
        }
    }

    /// Unary minus; of a literal it is a literal.
    pub(super) fn negative(&self, value: Typed, shown: String) -> SparkResult<Typed> {
        let value = match value.data_type {
            DataType::String | DataType::Collated(_) | DataType::Null => {
                self.analyzer.coerce(value, &DataType::Double)?
            }
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

/// Why two types do not meet in an operator: they differ, or they agree on a type that it does not take.
fn mismatched(shown: &str, op: Op, left: &DataType, right: &DataType, ansi: bool) -> SparkError {
    use DataType::{Binary, Boolean, Date, Decimal, Double, Float, Null, String, Time, Timestamp, TimestampNtz};
    // With ANSI a text becomes what the other side is, without it a number.
    let joins_text = |t: &DataType| {
        ansi && matches!(t, Boolean | Binary | Date | Timestamp | TimestampNtz | Time(_) | Null)
            || op == Op::IntDivide && matches!(t, Double | Float | Decimal(..))
    };
    let agreed = match (left, right) {
        (l, r) if l == r => Some(l),
        (String, other) if joins_text(other) => Some(if *other == Null { left } else { other }),
        (other, String) if joins_text(other) => Some(if *other == Null { right } else { other }),
        (Double, Decimal(..)) => Some(left),
        (Decimal(..), Double) => Some(right),
        _ => None,
    };
    match agreed {
        Some(found) => errors::wrong_type(shown, NUMERIC, found),
        None => errors::differing_types(shown, left, right),
    }
}

/// Whether `div` meets a floating-point number, which it does not take.
fn has_fraction(left: &DataType, right: &DataType, ansi: bool) -> bool {
    let fraction = |t: &DataType| matches!(t, DataType::Float | DataType::Double);
    let text = |t: &DataType| t.is_string();
    fraction(left)
        || fraction(right)
        || !ansi && (text(left) || text(right))
        || text(left) && matches!(right, DataType::Decimal(..))
        || text(right) && matches!(left, DataType::Decimal(..))
}
