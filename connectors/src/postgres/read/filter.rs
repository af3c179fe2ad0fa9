//! Conditions in the server's SQL, where they mean the same there and here.
//!
//! Text is compared for equality only, or by bytes: the order of a collation is none of Spark's. Times are compared
//! between the years 1 and 9999, outside of which the server's infinity would be another value.

use chrono::{DateTime, Datelike, NaiveDate};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::{BinaryExpr, InList};
use datafusion::logical_expr::{Between, Expr, Operator};

use super::{Compare, ReadColumn, ReadKind};
use crate::postgres::table::{literal, quote};

/// A condition the server can check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pushed {
    pub(super) sql: String,
    /// Whether nothing is left to check.
    pub(super) exact: bool,
}

/// The condition in SQL, if the server would drop no row that Spark keeps.
pub(super) fn pushed(expr: &Expr, columns: &[ReadColumn]) -> Option<Pushed> {
    match expr {
        Expr::Alias(alias) => pushed(&alias.expr, columns),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            match (pushed(left, columns), pushed(right, columns)) {
                (Some(left), Some(right)) => Some(joined(&left, "AND", &right)),
                (Some(one), None) | (None, Some(one)) => Some(Pushed { exact: false, ..one }),
                (None, None) => None,
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            Some(joined(&pushed(left, columns)?, "OR", &pushed(right, columns)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(value, _)) => comparison(find(column, columns)?, *op, value),
            (Expr::Literal(value, _), Expr::Column(column)) => comparison(find(column, columns)?, op.swap()?, value),
            _ => None,
        },
        Expr::IsNull(inner) => null(inner, "IS NULL", columns),
        Expr::IsNotNull(inner) => null(inner, "IS NOT NULL", columns),
        Expr::Column(column) => flag(find(column, columns)?, ""),
        Expr::Not(inner) => match inner.as_ref() {
            Expr::Column(column) => flag(find(column, columns)?, "NOT "),
            _ => None,
        },
        Expr::InList(list) => in_list(list, columns),
        Expr::Between(Between { expr, negated: false, low, high }) => {
            match (expr.as_ref(), low.as_ref(), high.as_ref()) {
                (Expr::Column(column), Expr::Literal(low, _), Expr::Literal(high, _)) => {
                    let column = find(column, columns)?;
                    let (low, high) =
                        (comparison(column, Operator::GtEq, low)?, comparison(column, Operator::LtEq, high)?);
                    Some(joined(&low, "AND", &high))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn joined(left: &Pushed, word: &str, right: &Pushed) -> Pushed {
    Pushed { sql: format!("({}) {word} ({})", left.sql, right.sql), exact: left.exact && right.exact }
}

fn find<'a>(column: &Column, columns: &'a [ReadColumn]) -> Option<&'a ReadColumn> {
    columns.iter().find(|known| known.name == column.name)
}

fn null(inner: &Expr, test: &str, columns: &[ReadColumn]) -> Option<Pushed> {
    let Expr::Column(column) = inner else { return None };
    let column = find(column, columns)?;
    Some(Pushed { sql: format!("{} {test}", quote(&column.name)), exact: true })
}

fn flag(column: &ReadColumn, not: &str) -> Option<Pushed> {
    let plain = column.kind == ReadKind::Bool && column.compare == Compare::Everything;
    plain.then(|| Pushed { sql: format!("{not}{}", quote(&column.name)), exact: true })
}

fn comparison(column: &ReadColumn, operator: Operator, value: &ScalarValue) -> Option<Pushed> {
    let name = quote(&column.name);
    let sign = match operator {
        Operator::Eq => "=",
        Operator::NotEq => "<>",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        Operator::GtEq => ">=",
        _ => return None,
    };
    let value = constant(column, value)?;
    match column.compare {
        Compare::Nothing => None,
        Compare::Everything => Some(Pushed { sql: format!("{name} {sign} {value}"), exact: true }),
        // Equality may use an index of the column's own collation, which finds at least the equal bytes.
        Compare::Text if operator == Operator::Eq => Some(Pushed { sql: format!("{name} = {value}"), exact: false }),
        Compare::Text => Some(Pushed { sql: format!("{name} COLLATE \"C\" {sign} {value}"), exact: false }),
    }
}

fn in_list(list: &InList, columns: &[ReadColumn]) -> Option<Pushed> {
    let Expr::Column(column) = list.expr.as_ref() else { return None };
    let column = find(column, columns)?;
    if column.compare == Compare::Nothing || (list.negated && column.compare == Compare::Text) || list.list.is_empty() {
        return None;
    }
    let mut values = Vec::with_capacity(list.list.len());
    for item in &list.list {
        let Expr::Literal(value, _) = item else { return None };
        values.push(constant(column, value)?);
    }
    let not = if list.negated { "NOT " } else { "" };
    let sql = format!("{} {not}IN ({})", quote(&column.name), values.join(", "));
    Some(Pushed { sql, exact: column.compare == Compare::Everything })
}

/// A value in SQL, as the column's own type.
fn constant(column: &ReadColumn, value: &ScalarValue) -> Option<String> {
    match (&column.kind, value) {
        (ReadKind::Bool, ScalarValue::Boolean(Some(value))) => Some(if *value { "TRUE" } else { "FALSE" }.to_owned()),
        (ReadKind::Int2, ScalarValue::Int16(Some(value))) => Some(format!("({value})")),
        (ReadKind::Int4, ScalarValue::Int32(Some(value))) => Some(format!("({value})")),
        (ReadKind::Int8, ScalarValue::Int64(Some(value))) => Some(format!("({value})")),
        (ReadKind::Numeric(_, scale), ScalarValue::Decimal128(Some(value), _, other)) if scale == other => {
            Some(format!("'{}'::numeric", decimal(*value, *scale)))
        }
        (ReadKind::Date, ScalarValue::Date32(Some(days))) => {
            let day = NaiveDate::default().checked_add_signed(chrono::Duration::days(i64::from(*days)))?;
            within(day).then(|| format!("DATE '{day}'"))
        }
        (ReadKind::TimestampTz, ScalarValue::TimestampMicrosecond(Some(micros), Some(_))) => {
            moment(*micros).map(|text| format!("TIMESTAMPTZ '{text}+00'"))
        }
        (ReadKind::TimestampUtc, ScalarValue::TimestampMicrosecond(Some(micros), Some(_)))
        | (ReadKind::TimestampNtz, ScalarValue::TimestampMicrosecond(Some(micros), None)) => {
            moment(*micros).map(|text| format!("TIMESTAMP '{text}'"))
        }
        (
            ReadKind::Text,
            ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)),
        ) => (!text.contains('\0')).then(|| literal(text)),
        _ => None,
    }
}

fn moment(micros: i64) -> Option<String> {
    let at = DateTime::from_timestamp_micros(micros)?.naive_utc();
    within(at.date()).then(|| at.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

/// Days that are no stand-ins for infinity, nor next to one.
fn within(day: NaiveDate) -> bool {
    (2..9999).contains(&day.year())
}

fn decimal(value: i128, scale: i8) -> String {
    let scale = usize::from(scale.unsigned_abs());
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let sign = if value < 0 { "-" } else { "" };
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::*;

    fn columns() -> Vec<ReadColumn> {
        let column =
            |name: &str, kind, compare| ReadColumn { name: name.to_owned(), expr: None, kind, compare, nullable: true };
        vec![
            column("i", ReadKind::Int4, Compare::Everything),
            column("t", ReadKind::Text, Compare::Text),
            column("f", ReadKind::Float8, Compare::Nothing),
            column("d", ReadKind::Date, Compare::Everything),
            column("n", ReadKind::Numeric(10, 2), Compare::Everything),
        ]
    }

    fn sql(expr: &Expr) -> Option<(String, bool)> {
        pushed(expr, &columns()).map(|pushed| (pushed.sql, pushed.exact))
    }

    #[test]
    fn what_means_the_same_is_pushed_and_the_rest_is_not() {
        assert_eq!(sql(&col("i").gt(lit(-3_i32))), Some(("\"i\" > (-3)".to_owned(), true)));
        assert_eq!(sql(&col("t").eq(lit("o'x"))), Some(("\"t\" = 'o''x'".to_owned(), false)));
        assert_eq!(sql(&col("t").lt(lit("b"))), Some(("\"t\" COLLATE \"C\" < 'b'".to_owned(), false)));
        assert_eq!(sql(&col("t").eq(lit("a\0"))), None);
        assert_eq!(sql(&col("f").gt(lit(1.5))), None);
        assert_eq!(sql(&col("f").is_null()), Some(("\"f\" IS NULL".to_owned(), true)));
        let date = |days| Expr::Literal(ScalarValue::Date32(Some(days)), None);
        assert_eq!(sql(&col("d").lt(date(18_262))), Some(("\"d\" < DATE '2020-01-01'".to_owned(), true)));
        // 9999-12-31 is what infinity is read as.
        assert_eq!(sql(&col("d").eq(date(2_932_896))), None);
        let money = Expr::Literal(ScalarValue::Decimal128(Some(-5), 10, 2), None);
        assert_eq!(sql(&col("n").eq(money)), Some(("\"n\" = '-0.05'::numeric".to_owned(), true)));
        // Half of an AND may go, half of an OR may not.
        let both = col("i").eq(lit(1_i32)).and(col("f").gt(lit(1.5)));
        assert_eq!(sql(&both), Some(("\"i\" = (1)".to_owned(), false)));
        assert_eq!(sql(&col("i").eq(lit(1_i32)).or(col("f").gt(lit(1.5)))), None);
        assert_eq!(sql(&col("t").in_list(vec![lit("a")], true)), None);
    }
}
