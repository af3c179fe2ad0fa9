//! Conditions that mean the same to Spark and to ClickHouse, as ClickHouse's SQL.
//!
//! Left out: floats (NaN), texts that ClickHouse keeps as something else, instants with more digits than Spark has.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use super::ReadColumn;
use crate::clickhouse::kind::Kind;
use crate::clickhouse::table::{literal, quote};

/// The condition, when all of it can be said.
pub(super) fn sql(expr: &Expr, columns: &[ReadColumn]) -> Option<String> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            Some(format!("({} {op} {})", sql(left, columns)?, sql(right, columns)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let (column, op, value) = match (left.as_ref(), right.as_ref()) {
                (Expr::Column(column), Expr::Literal(value, _)) => (column, *op, value),
                (Expr::Literal(value, _), Expr::Column(column)) => (column, op.swap()?, value),
                _ => return None,
            };
            let sign = match op {
                Operator::Eq => "=",
                Operator::NotEq => "!=",
                Operator::Lt => "<",
                Operator::LtEq => "<=",
                Operator::Gt => ">",
                Operator::GtEq => ">=",
                _ => return None,
            };
            let column = find(&column.name, columns)?;
            Some(format!("{} {sign} {}", quote(&column.name), constant(&column.kind, value)?))
        }
        Expr::Not(inner) => Some(format!("NOT ({})", sql(inner, columns)?)),
        Expr::IsNull(inner) => Some(format!("{} IS NULL", plain(inner, columns)?)),
        Expr::IsNotNull(inner) => Some(format!("{} IS NOT NULL", plain(inner, columns)?)),
        Expr::Between(between) => {
            let Expr::Column(column) = between.expr.as_ref() else { return None };
            let (Expr::Literal(low, _), Expr::Literal(high, _)) = (between.low.as_ref(), between.high.as_ref()) else {
                return None;
            };
            let column = find(&column.name, columns)?;
            let not = if between.negated { "NOT " } else { "" };
            let (low, high) = (constant(&column.kind, low)?, constant(&column.kind, high)?);
            Some(format!("{} {not}BETWEEN {low} AND {high}", quote(&column.name)))
        }
        Expr::InList(list) => {
            let Expr::Column(column) = list.expr.as_ref() else { return None };
            let column = find(&column.name, columns)?;
            let value = |expr: &Expr| match expr {
                Expr::Literal(value, _) => constant(&column.kind, value),
                _ => None,
            };
            let values = list.list.iter().map(value).collect::<Option<Vec<_>>>().filter(|values| !values.is_empty())?;
            // Not `IN`, which would take literals for the column's type and a null for no match.
            let (sign, between) = if list.negated { ("!=", " AND ") } else { ("=", " OR ") };
            let name = quote(&column.name);
            let each: Vec<String> = values.iter().map(|value| format!("{name} {sign} {value}")).collect();
            Some(format!("({})", each.join(between)))
        }
        Expr::Column(column) => {
            let column = find(&column.name, columns)?;
            (*column.kind.bare() == Kind::Bool).then(|| quote(&column.name))
        }
        _ => None,
    }
}

fn find<'a>(name: &str, columns: &'a [ReadColumn]) -> Option<&'a ReadColumn> {
    columns.iter().find(|column| column.name == name)
}

fn plain(expr: &Expr, columns: &[ReadColumn]) -> Option<String> {
    match expr {
        Expr::Column(column) => find(&column.name, columns).map(|column| quote(&column.name)),
        _ => None,
    }
}

/// A literal in ClickHouse's words, when comparing it to a column of `kind` means what it means to Spark.
fn constant(kind: &Kind, value: &ScalarValue) -> Option<String> {
    let kind = kind.bare();
    Some(match (kind, value) {
        (Kind::Bool, ScalarValue::Boolean(Some(value))) => value.to_string(),
        (Kind::Int(8 | 16 | 32 | 64) | Kind::UInt(8 | 16 | 32), value) => whole(value)?.to_string(),
        (Kind::UInt(64), ScalarValue::Decimal128(Some(value), _, 0)) => whole_decimal(*value)?,
        (Kind::Decimal(precision, own), ScalarValue::Decimal128(Some(value), _, scale))
            if *precision <= 38 && own == scale && *scale >= 0 =>
        {
            format!("toDecimal128({}, {scale})", literal(&digits(*value, (*scale).unsigned_abs())))
        }
        (Kind::String, ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text))) => literal(text),
        (Kind::Date, ScalarValue::Date32(Some(days @ 0..=65_535))) => format!("toDate({days})"),
        (Kind::Date32, ScalarValue::Date32(Some(days @ -25_567..=120_529))) => {
            format!("addDays(toDate32('1970-01-01'), {days})")
        }
        (Kind::DateTime(_) | Kind::DateTime64(0..=6, _), ScalarValue::TimestampMicrosecond(Some(micros), Some(_)))
            if (-2_000_000_000_000_000..=10_000_000_000_000_000).contains(micros) =>
        {
            format!("fromUnixTimestamp64Micro({micros}, 'UTC')")
        }
        _ => return None,
    })
}

fn whole(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int8(value) => value.map(i64::from),
        ScalarValue::Int16(value) => value.map(i64::from),
        ScalarValue::Int32(value) => value.map(i64::from),
        ScalarValue::Int64(value) => *value,
        _ => None,
    }
}

/// As a whole number of 64 bits, so that the column is compared as it is.
fn whole_decimal(value: i128) -> Option<String> {
    u64::try_from(value).ok().map(|value| value.to_string())
}

fn digits(value: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let all = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = all.split_at(all.len() - scale);
    let sign = if value < 0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    fn columns() -> Vec<ReadColumn> {
        [("id", "Int64"), ("f", "Float64"), ("s", "LowCardinality(String)"), ("u", "UUID"), ("t", "DateTime64(9)")]
            .map(|(name, kind)| ReadColumn { name: name.to_owned(), kind: Kind::parse(kind) })
            .to_vec()
    }

    #[test]
    fn only_what_means_the_same_is_sent() {
        let said = |expr: &Expr| sql(expr, &columns());
        assert_eq!(said(&col("id").gt(lit(5_i64))).as_deref(), Some("`id` > 5"));
        assert_eq!(said(&lit(5_i64).gt(col("id"))).as_deref(), Some("`id` < 5"));
        assert_eq!(said(&col("s").eq(lit("it's"))).as_deref(), Some(r"`s` = 'it\'s'"));
        assert_eq!(said(&col("f").gt(lit(1.0))), None);
        assert_eq!(said(&col("u").eq(lit("x"))), None);
        assert_eq!(said(&col("id").gt(lit(5_i64)).or(col("f").gt(lit(1.0)))), None);
        let instant = ScalarValue::TimestampMicrosecond(Some(1), Some("UTC".into()));
        assert_eq!(said(&col("t").eq(Expr::Literal(instant, None))), None);
    }

    #[test]
    fn decimals_are_written_out() {
        assert_eq!(digits(-5, 2), "-0.05");
        assert_eq!(digits(12_345, 2), "123.45");
        assert_eq!(digits(7, 0), "7");
    }
}
