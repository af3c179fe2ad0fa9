//! What is refused in the definition of a table: defaults that are no constants, buckets of no column.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier, sql_type};

use crate::catalog::{self, Column, Relation, TableName};
use crate::session::Session;
use crate::spec::ExprKind;

/// The most buckets (`spark.sql.sources.bucketing.maxBuckets`).
const MOST_BUCKETS: u32 = 100_000;

/// Refuses a default that is no constant of its column's type.
pub(super) async fn default(session: &Arc<Session>, column: &Column, statement: &str) -> SparkResult<()> {
    let Some(text) = &column.default else { return Ok(()) };
    let expr = session.parse_expression(text)?;
    let wanted = column.data_type()?;
    let name = quote_identifier(&[&column.name]);
    let refused = |sub: &str, actual: &str| {
        let expected = sql_type(&wanted);
        SparkError::analysis(
            &format!("INVALID_DEFAULT_VALUE.{sub}"),
            &[
                ("statement", statement),
                ("colName", &name),
                ("defaultValue", text),
                ("expectedType", &expected),
                ("actualType", actual),
            ],
        )
    };
    if matches!(expr.kind.as_ref(), ExprKind::Subquery(_)) {
        return Err(refused("SUBQUERY_EXPRESSION", ""));
    }
    let held = catalog::text_type::plain(&wanted);
    let Err(error) = session.evaluate(&expr, Some(&held)).await else { return Ok(()) };
    Err(match error.condition() {
        condition if condition.starts_with("UNRESOLVED") => refused("UNRESOLVED_EXPRESSION", ""),
        "CAST_INVALID_INPUT" | "CAST_OVERFLOW" => {
            let actual = session.evaluate(&expr, None).await.map(|(actual, _)| actual);
            let actual = actual.map_or_else(|_| String::new(), |actual| sql_type(&actual));
            refused("DATA_TYPE", &actual)
        }
        condition if condition.starts_with("DATATYPE_MISMATCH") => {
            let actual = session.evaluate(&expr, None).await.map(|(actual, _)| actual);
            let actual = actual.map_or_else(|_| String::new(), |actual| sql_type(&actual));
            refused("DATA_TYPE", &actual)
        }
        _ => error,
    })
}

/// Buckets say how rows are laid out, which no answer depends on; what is asked is checked.
pub(super) fn buckets(relation: &Relation, name: &TableName) -> SparkResult<()> {
    let Some((count, columns, sorted)) = &relation.buckets else { return Ok(()) };
    if *count == 0 || *count > MOST_BUCKETS {
        return Err(SparkError::parse(
            "INVALID_BUCKET_COUNT",
            &[("bucketingMaxBuckets", &MOST_BUCKETS.to_string()), ("numBuckets", &count.to_string())],
        ));
    }
    for wanted in columns.iter().chain(sorted) {
        if !relation.columns.iter().any(|column| column.name.eq_ignore_ascii_case(wanted)) {
            return Err(undefined("bucket", wanted, relation, name));
        }
    }
    Ok(())
}

/// A column that a clause names and the table has not.
pub(super) fn undefined(kind: &str, wanted: &str, relation: &Relation, name: &TableName) -> SparkError {
    let known: Vec<String> = relation.columns.iter().map(|column| quote_identifier(&[&column.name])).collect();
    SparkError::analysis(
        "COLUMN_NOT_DEFINED_IN_TABLE",
        &[
            ("colType", kind),
            ("colName", &quote_identifier(&[wanted])),
            ("tableName", &name.quoted()),
            ("tableCols", &known.join(", ")),
        ],
    )
}
