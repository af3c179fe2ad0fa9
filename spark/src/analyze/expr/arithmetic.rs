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
        let shown = temporal_text(kind, &l, &r).unwrap_or(shown);
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
        let options = &self.analyzer.context.options;
        let (expr, data_type) = arithmetic::binary(
            kind,
            (l.expr.clone(), &l.data_type),
            (r.expr.clone(), &r.data_type),
            CastMode::Try,
            options,
        )
        .map_err(|e| in_words(e, &shown, &l.data_type, &r.data_type))?;
        Ok(Some(Typed::new(expr, data_type, true, shown)))
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

/// Text of arithmetic on dates and intervals, which Spark turns into other expressions before it names them.
fn temporal_text(op: Op, l: &Typed, r: &Typed) -> Option<String> {
    use DataType::{
        Byte, CalendarInterval, Date, DayTimeInterval, Integer, Short, Timestamp, TimestampNtz, YearMonthInterval,
    };
    let (left, right) = (l.sql(), r.sql());
    let day = firesteel_functions::types::DayTimeField::Day;
    Some(match (op, &l.data_type, &r.data_type) {
        (Op::Add, Date, Byte | Short | Integer) => format!("date_add({left}, {right})"),
        (Op::Add, Byte | Short | Integer, Date) => format!("date_add({right}, {left})"),
        (Op::Subtract, Date, Byte | Short | Integer) => format!("date_sub({left}, {right})"),
        (Op::Add, Date, DayTimeInterval(_, end)) if *end == day => {
            format!("date_add({left}, extractansiintervaldays({right}))")
        }
        (Op::Subtract, Date, DayTimeInterval(_, end)) if *end == day => {
            format!("date_add({left}, (- extractansiintervaldays({right})))")
        }
        (
            Op::Add | Op::Subtract,
            Date | Timestamp | TimestampNtz,
            YearMonthInterval(..) | DayTimeInterval(..) | CalendarInterval,
        ) => format!("{left} {} {right}", op.symbol()),
        (Op::Add, YearMonthInterval(..) | DayTimeInterval(..) | CalendarInterval, Date | Timestamp | TimestampNtz) => {
            format!("{right} + {left}")
        }
        (Op::Multiply, other, YearMonthInterval(..) | DayTimeInterval(..)) if !other.is_ansi_interval() => {
            format!("({right} * {left})")
        }
        _ => return None,
    })
}
