//! `EXECUTE IMMEDIATE`: a statement made at run time, with values for its parameters and variables for its row.
//!
//! Values take the place of the markers in the text before it is parsed, so that a marker may stand wherever a literal
//! may, as in Spark.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier, sql_type};

use super::{Rows, literal_text, parameters, variable};
use crate::script;
use crate::session::Session;
use crate::spec::{Command, Expr, ExprKind, ObjectName, Plan};
use crate::sql::{Marker, parameter_markers};

/// Runs the statement.
pub(super) async fn run(
    session: &Arc<Session>,
    text: Expr,
    into: Vec<ObjectName>,
    using: Vec<Expr>,
) -> SparkResult<Rows> {
    let (data_type, _) = match session.evaluate(&text, None).await {
        Err(error) if error.condition() == "UNSUPPORTED_FEATURE.NOT_IMPLEMENTED" => {
            return Err(literal_text::refused(&text));
        }
        outcome => outcome?,
    };
    if !data_type.is_string() {
        return Err(SparkError::analysis(
            "INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE",
            &[("exprType", &sql_type(&data_type))],
        ));
    }
    let Some(sql) = session.evaluate_text(&text).await? else {
        return Err(SparkError::analysis("NULL_QUERY_STRING_EXECUTE_IMMEDIATE", &[("varName", "the query string")]));
    };
    let sql = bound(session, &sql, using).await?;
    let plan = script::outside(async { session.parse(&sql) }).await?;
    let query = match plan {
        Plan::Command(command) if matches!(*command, Command::Script(_)) => {
            return Err(SparkError::analysis("SQL_SCRIPT_IN_EXECUTE_IMMEDIATE", &[("sqlString", &sql)]));
        }
        Plan::Command(_) if !into.is_empty() => {
            let shown = sql.to_uppercase();
            return Err(SparkError::analysis("INVALID_STATEMENT_FOR_EXECUTE_INTO", &[("sqlString", &shown)]));
        }
        Plan::Command(command) => return script::outside(Box::pin(super::run(session, *command))).await,
        Plan::Query(query) => query,
    };
    if !into.is_empty() {
        return variable::set(session, into, Vec::new(), Some(query)).await;
    }
    script::outside(async {
        let ctx = session.context()?;
        let analyzed = session.analyze_in(&ctx, &query, &Default::default()).await?;
        let batches = session.collect(&ctx, analyzed.plan, "EXECUTE IMMEDIATE").await?;
        Ok(Rows { schema: analyzed.schema, batches })
    })
    .await
}

/// The text with values in place of its markers.
async fn bound(session: &Arc<Session>, sql: &str, using: Vec<Expr>) -> SparkResult<String> {
    let markers = parameter_markers(sql)?;
    let mut values: Vec<(Option<String>, Expr)> = Vec::with_capacity(using.len());
    for expr in using {
        let aliased = matches!(expr.kind.as_ref(), ExprKind::Alias { .. });
        let (name, expr) = named(expr);
        let taken = |name: &String| values.iter().any(|(known, _)| known.as_ref() == Some(name));
        if let Some(name) = name.as_ref().filter(|name| aliased && taken(name)) {
            return Err(SparkError::analysis(
                "EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES",
                &[("aliases", &quote_identifier(&[name]))],
            ));
        }
        values.push((name, expr));
    }
    let by_name = markers.iter().any(|(_, marker)| matches!(marker, Marker::Named(_)));
    if by_name && markers.iter().any(|(_, marker)| matches!(marker, Marker::Positional(_))) {
        return Err(SparkError::analysis("INVALID_QUERY_MIXED_QUERY_PARAMETERS", &[]));
    }
    let mut texts = Vec::with_capacity(values.len());
    for (_, expr) in &values {
        texts.push(literal_text::render(session, expr).await?);
    }
    if by_name && values.iter().any(|(name, _)| name.is_none()) {
        let unnamed = values.iter().zip(&texts).filter(|((name, _), _)| name.is_none());
        let list: Vec<String> = unnamed.map(|(_, text)| format!("\"{}\"", text.trim_matches('\''))).collect();
        return Err(SparkError::analysis("ALL_PARAMETERS_MUST_BE_NAMED", &[("exprs", &list.join(", "))]));
    }
    parameters::put(sql, |index, marker| match marker {
        Marker::Positional(_) => texts.get(index),
        Marker::Named(name) => {
            let position = values.iter().position(|(known, _)| known.as_ref() == Some(&name.to_lowercase()));
            position.and_then(|position| texts.get(position))
        }
    })
}

/// `1 AS a` has a name, and so has a variable.
fn named(expr: Expr) -> (Option<String>, Expr) {
    let Expr { kind, origin } = expr;
    match *kind {
        ExprKind::Alias { expr, names, .. } if names.len() == 1 => (Some(names.concat().to_lowercase()), expr),
        kind => {
            let name = match &kind {
                ExprKind::Attribute { name, .. } => name.last().map(|name| name.to_lowercase()),
                _ => None,
            };
            (name, Expr { kind: Box::new(kind), origin })
        }
    }
}
