//! `EXECUTE IMMEDIATE`: a statement made at run time, with values for its parameters and variables for its row.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, sql_type};
use firesteel_functions::types::DataType;

use super::{Rows, variable};
use crate::session::{Parameters, Session};
use crate::spec::{Command, Expr, ExprKind, ObjectName, Plan, Relation, RelationKind};

/// Runs the statement.
pub(super) async fn run(
    session: &Arc<Session>,
    text: Expr,
    into: Vec<ObjectName>,
    using: Vec<Expr>,
) -> SparkResult<Rows> {
    let (data_type, _) = session.evaluate(&text, None).await?;
    if !data_type.is_string() && data_type != DataType::Null {
        return Err(SparkError::analysis(
            "INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE",
            &[("exprType", &sql_type(&data_type))],
        ));
    }
    let Some(sql) = session.evaluate_text(&text).await? else {
        return Err(SparkError::analysis("NULL_QUERY_STRING_EXECUTE_IMMEDIATE", &[("varName", "the query string")]));
    };
    let Parameters { named, positional } = arguments(using)?;
    let plan = session.parse(&sql)?;
    let relation = match plan {
        Plan::Command(command) if matches!(*command, Command::ExecuteImmediate { .. }) => {
            return Err(SparkError::analysis("NESTED_EXECUTE_IMMEDIATE", &[("sqlString", &sql)]));
        }
        Plan::Command(_) if !into.is_empty() => {
            return Err(SparkError::analysis("INVALID_STATEMENT_FOR_EXECUTE_INTO", &[("sqlString", &sql)]));
        }
        Plan::Command(command) => {
            if !named.is_empty() || !positional.is_empty() {
                return Err(SparkError::unsupported("parameters of a command in EXECUTE IMMEDIATE"));
            }
            return Box::pin(super::run(session, *command)).await;
        }
        Plan::Query(_) => Relation::from(RelationKind::Sql { text: sql, named, positional }),
    };
    if !into.is_empty() {
        return variable::set(session, into, Vec::new(), Some(relation)).await;
    }
    let ctx = session.context()?;
    let analyzed = session.analyze_in(&ctx, &relation, &Default::default()).await?;
    let batches = session.collect(&ctx, analyzed.plan, "EXECUTE IMMEDIATE").await?;
    Ok(Rows { schema: analyzed.schema, batches })
}

/// `USING 1 AS a, 2 AS b` names all parameters or none.
fn arguments(using: Vec<Expr>) -> SparkResult<Parameters> {
    let mut named = Vec::new();
    let mut positional = Vec::new();
    for expr in using {
        match *expr.kind {
            ExprKind::Alias { expr, names, .. } if names.len() == 1 => named.push((names.concat(), expr)),
            kind => positional.push(Expr { kind: Box::new(kind), origin: expr.origin }),
        }
    }
    if !named.is_empty() && !positional.is_empty() {
        return Err(SparkError::analysis("ALL_PARAMETERS_MUST_BE_NAMED", &[("exprs", "")]));
    }
    Ok(Parameters { named, positional })
}
