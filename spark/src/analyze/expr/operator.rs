//! Operators: arithmetic, comparison, logic, bits. Which types meet is decided here, what is computed in the functions crate.

use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use firesteel_functions::SparkResult;
use firesteel_functions::types::DataType;

use super::Exprs;
use crate::analyze::typed::Typed;
use crate::analyze::{coerce, collation, errors, naming};

impl Exprs<'_, '_> {
    /// An operator of the unresolved plan, or `None` when `name` is none.
    pub(super) fn operator(&self, name: &str, args: &[Typed]) -> SparkResult<Option<Typed>> {
        let texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
        let shown = || naming::operator(name, &texts).unwrap_or_else(|| naming::call(name, &texts));
        Ok(Some(match (name, args) {
            ("+" | "-" | "*" | "/" | "%" | "div", [l, r]) => self.arithmetic(name, l.clone(), r.clone(), shown())?,
            ("mod", [l, r]) => self.arithmetic("%", l.clone(), r.clone(), shown())?,
            ("pmod", [l, r]) => self.arithmetic("pmod", l.clone(), r.clone(), shown())?,
            // Only the operator is shown as one.
            ("-", [v]) => self.negative(v.clone(), format!("(- {})", v.sql()))?,
            ("negative", [v]) => self.negative(v.clone(), naming::call(name, &texts))?,
            ("abs", [v]) if v.data_type.is_ansi_interval() => {
                let found = self.registered("abs", vec![v.clone()], shown())?;
                // Arrow does not know the fields of an interval.
                Typed { data_type: v.data_type.clone(), ..found }
            }
            ("positive", [v]) => self.numeric(v.clone(), &shown())?.named_as(shown()),
            ("=" | "==" | "<=>" | "<" | "<=" | ">" | ">=" | "!=" | "<>", [l, r]) => {
                self.comparison(name, l.clone(), r.clone(), shown())?
            }
            ("and" | "or", [l, r]) => self.logic(name, l.clone(), r.clone(), shown())?,
            ("not" | "!", [v]) => {
                let v = self.boolean(v.clone(), &shown())?;
                Typed::new(negated(v.expr), DataType::Boolean, v.nullable, shown())
            }
            ("&" | "|" | "^", [l, r]) => self.bitwise(name, l.clone(), r.clone(), shown())?,
            ("~", [v]) => {
                if v.data_type.is_string() && !self.analyzer.context.options.ansi {
                    return Err(errors::unexpected_input(&shown(), 0, "\"INTEGRAL\"", &v.sql(), &v.data_type));
                }
                self.registered("bitwise_not", vec![v.clone()], shown())?
            }
            ("<<", [..]) => self.registered("shiftleft", args.to_vec(), shown())?,
            (">>", [..]) => self.registered("shiftright", args.to_vec(), shown())?,
            (">>>", [..]) => self.registered("shiftrightunsigned", args.to_vec(), shown())?,
            ("||", [..]) => self.registered("concat", args.to_vec(), naming::call("concat", &texts))?,
            _ => return Ok(None),
        }))
    }

    /// A whole tree of `AND` or `OR`, built balanced so that its depth stays small.
    pub(super) fn logic_chain(&self, name: &str, args: &[crate::spec::Expr]) -> SparkResult<Typed> {
        let mut leaves = Vec::new();
        let mut pending: Vec<&crate::spec::Expr> = args.iter().rev().collect();
        while let Some(next) = pending.pop() {
            match &*next.kind {
                crate::spec::ExprKind::Function(f) if is_call(f, name) => pending.extend(f.args.iter().rev()),
                _ => leaves.push(next),
            }
        }
        let values = leaves.into_iter().map(|e| self.resolve(e)).collect::<SparkResult<Vec<_>>>()?;
        let texts: Vec<String> = values.iter().map(|v| v.sql()).collect();
        let ansi = self.analyzer.context.options.ansi;
        let mut parts = Vec::with_capacity(values.len());
        let mut nullable = false;
        let mut shown = String::new();
        let types: Vec<DataType> = values.iter().map(|value| value.data_type.clone()).collect();
        for (index, value) in values.into_iter().enumerate() {
            let text = texts.get(index).cloned().unwrap_or_default();
            shown = if index == 0 { text } else { format!("({shown} {} {text})", name.to_uppercase()) };
            if index == 0 {
                // The first operand is judged together with the second.
                if let (left, Some(right), Some(second)) = (&value.data_type, types.get(1), texts.get(1)) {
                    both_boolean(left, right, ansi, &format!("({shown} {} {second})", name.to_uppercase()))?;
                }
            } else {
                both_boolean(&DataType::Boolean, &value.data_type, ansi, &shown)?;
            }
            let value = self.boolean(value, &shown)?;
            nullable |= value.nullable;
            parts.push(value.expr);
        }
        let op = if name == "and" { Operator::And } else { Operator::Or };
        Ok(Typed::new(balanced(parts, op), DataType::Boolean, nullable, shown))
    }

    fn logic(&self, name: &str, l: Typed, r: Typed, shown: String) -> SparkResult<Typed> {
        let (l, r) = (self.boolean(l, &shown)?, self.boolean(r, &shown)?);
        let op = if name == "and" { Operator::And } else { Operator::Or };
        let nullable = l.nullable || r.nullable;
        Ok(Typed::new(binary(l.expr, op, r.expr), DataType::Boolean, nullable, shown))
    }

    /// An operand of a logical operator.
    pub(super) fn boolean(&self, value: Typed, shown: &str) -> SparkResult<Typed> {
        match &value.data_type {
            DataType::Boolean => Ok(value),
            DataType::Null => self.analyzer.coerce(value, &DataType::Boolean),
            // Without ANSI no text is read as a boolean here.
            DataType::String | DataType::Collated(_) if self.analyzer.context.options.ansi => {
                self.analyzer.coerce(value, &DataType::Boolean)
            }
            other => Err(errors::unexpected_input(shown, 0, "\"BOOLEAN\"", &value.name, other)),
        }
    }

    fn numeric(&self, value: Typed, shown: &str) -> SparkResult<Typed> {
        match &value.data_type {
            t if t.is_numeric() || t.is_ansi_interval() || *t == DataType::CalendarInterval => Ok(value),
            DataType::String | DataType::Collated(_) | DataType::Null => self.analyzer.coerce(value, &DataType::Double),
            other => Err(errors::unexpected_input(shown, 0, "(\"NUMERIC\" or \"INTERVAL\")", &value.name, other)),
        }
    }

    fn comparison(&self, name: &str, l: Typed, r: Typed, shown: String) -> SparkResult<Typed> {
        let (l, r) = self.padded_pair(l, r);
        let equality = matches!(name, "=" | "==" | "<=>" | "!=" | "<>");
        // A number may equal a boolean without ANSI, but they have no order.
        let truth = |x: &DataType, y: &DataType| *x == DataType::Boolean && y.is_numeric();
        if !equality && (truth(&l.data_type, &r.data_type) || truth(&r.data_type, &l.data_type)) {
            return Err(errors::differing_types(&shown, &l.data_type, &r.data_type));
        }
        let (l, r) = self.same_type(l, r, &shown)?;
        if !equality && !errors::is_orderable(&l.data_type)
            || matches!(l.data_type, DataType::Map { .. } | DataType::Variant)
            || l.data_type.is_spatial()
        {
            return Err(errors::wrong_comparison(name, &shown, &l.data_type));
        }
        let nullable = name != "<=>" && (l.nullable || r.nullable);
        let expr = binary(l.expr, operator_of(name), r.expr);
        Ok(Typed::new(expr, DataType::Boolean, nullable, shown))
    }

    /// Both operands of a comparison in one type.
    pub(super) fn same_type(&self, l: Typed, r: Typed, shown: &str) -> SparkResult<(Typed, Typed)> {
        let Some(to) = coerce::comparable(&l.data_type, &r.data_type, self.analyzer.context.options.ansi) else {
            return Err(errors::differing_types(shown, &l.data_type, &r.data_type));
        };
        let (l, r) = (self.analyzer.coerce(l, &to)?, self.analyzer.coerce(r, &to)?);
        let key =
            |value: Typed| -> SparkResult<Typed> { Ok(Typed { expr: collation::keyed(value.expr, &to)?, ..value }) };
        Ok((key(l)?, key(r)?))
    }

    fn bitwise(&self, name: &str, l: Typed, r: Typed, shown: String) -> SparkResult<Typed> {
        let ansi = self.analyzer.context.options.ansi;
        let to = match (&l.data_type, &r.data_type) {
            (DataType::Null, DataType::Null) => Some(DataType::Integer),
            // Without ANSI no text is read as a whole number here.
            (text, DataType::Double | DataType::Decimal(..)) | (DataType::Double | DataType::Decimal(..), text)
                if !ansi && text.is_string() =>
            {
                Some(DataType::Double)
            }
            (left, right) if !ansi && left != right && (left.is_string() || right.is_string()) => None,
            (left, right) => coerce::wider(left, right, ansi),
        };
        let to = to.ok_or_else(|| errors::differing_types(&shown, &l.data_type, &r.data_type))?;
        if !to.is_integral() {
            if stay_apart(&l.data_type, &r.data_type) {
                return Err(errors::differing_types(&shown, &l.data_type, &r.data_type));
            }
            return Err(errors::wrong_type(&shown, "\"INTEGRAL\"", &to));
        }
        let (l, r) = (self.analyzer.coerce(l, &to)?, self.analyzer.coerce(r, &to)?);
        let op = match name {
            "&" => Operator::BitwiseAnd,
            "|" => Operator::BitwiseOr,
            _ => Operator::BitwiseXor,
        };
        let nullable = l.nullable || r.nullable;
        Ok(Typed::new(binary(l.expr, op, r.expr), to, nullable, shown))
    }
}

fn is_call(function: &crate::spec::Function, name: &str) -> bool {
    matches!(function.name.as_slice(), [one] if one.eq_ignore_ascii_case(name)) && function.args.len() == 2
}

fn operator_of(name: &str) -> Operator {
    match name {
        "<=>" => Operator::IsNotDistinctFrom,
        "<" => Operator::Lt,
        "<=" => Operator::LtEq,
        ">" => Operator::Gt,
        ">=" => Operator::GtEq,
        "!=" | "<>" => Operator::NotEq,
        _ => Operator::Eq,
    }
}

/// `NOT` of a condition; of a subquery it is the subquery's own, which the optimizer knows as an anti join.
fn negated(condition: Expr) -> Expr {
    match condition {
        Expr::InSubquery(mut subquery) => {
            subquery.negated = !subquery.negated;
            Expr::InSubquery(subquery)
        }
        Expr::Exists(mut exists) => {
            exists.negated = !exists.negated;
            Expr::Exists(exists)
        }
        other => Expr::Not(Box::new(other)),
    }
}

/// A plain binary expression.
pub(in crate::analyze) fn binary(l: Expr, op: Operator, r: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(l), op, Box::new(r)))
}

/// A balanced tree of one operator.
pub(in crate::analyze) fn balanced(mut parts: Vec<Expr>, op: Operator) -> Expr {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    if parts.is_empty() {
        return Expr::Literal(datafusion::scalar::ScalarValue::Boolean(Some(op == Operator::And)), None);
    }
    let right = parts.split_off(parts.len() / 2);
    binary(balanced(parts, op), op, balanced(right, op))
}

/// Whether two types can be operands of `AND` and `OR`; with ANSI a string that meets a boolean is read as one.
fn both_boolean(left: &DataType, right: &DataType, ansi: bool, shown: &str) -> SparkResult<()> {
    use DataType::{Boolean, Null};
    match (left, right) {
        (Boolean | Null, Boolean | Null) => return Ok(()),
        (Boolean, text) | (text, Boolean) if ansi && text.is_string() => return Ok(()),
        (left, right) if !ansi && left != right && (left.is_string() || right.is_string()) => {
            return Err(errors::differing_types(shown, left, right));
        }
        _ => {}
    }
    match coerce::wider(left, right, ansi) {
        Some(met) if !stay_apart(left, right) => Err(errors::wrong_type(shown, "\"BOOLEAN\"", &met)),
        _ => Err(errors::differing_types(shown, left, right)),
    }
}

/// Whether two numbers keep their types where an operator takes neither: only a decimal beside a double becomes one.
fn stay_apart(left: &DataType, right: &DataType) -> bool {
    let met =
        |a: &DataType, b: &DataType| matches!((a, b), (DataType::Float | DataType::Double, DataType::Decimal(..)));
    left.is_numeric() && right.is_numeric() && left != right && !met(left, right) && !met(right, left)
}
