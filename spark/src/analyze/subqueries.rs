//! Plans of subqueries as `IN` and `EXISTS` see them. How they are joined is the engine's to decide. It knows plans only.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, Projection};
use datafusion::scalar::ScalarValue;
use firesteel_functions::SparkResult;

use super::errors;

/// An expression over outer columns, as the outer query sees it.
pub(super) fn seen_from_outside(expr: Expr) -> SparkResult<Expr> {
    expr.transform(|e| {
        Ok(match e {
            Expr::OuterReferenceColumn(_, column) => Transformed::yes(Expr::Column(column)),
            other => Transformed::no(other),
        })
    })
    .map(|t| t.data)
    .map_err(errors::planning)
}

/// A plan without the sort at its top, which no `IN` can see.
pub(super) fn unordered(plan: LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => unordered(Arc::unwrap_or_clone(sort.input)),
        LogicalPlan::Projection(projection) => {
            let Projection { expr, input, schema, .. } = projection;
            let input = unordered(Arc::unwrap_or_clone(input));
            match Projection::try_new_with_schema(expr, Arc::new(input), schema) {
                Ok(made) => LogicalPlan::Projection(made),
                Err(_) => LogicalPlan::default(),
            }
        }
        other => other,
    }
}

/// A plan that has rows exactly when the given one has: without sorts, projections, groups and limits at its top.
pub(super) fn any_row(plan: LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => any_row(Arc::unwrap_or_clone(sort.input)),
        LogicalPlan::Projection(projection) if !unnests(&projection.expr) => {
            any_row(Arc::unwrap_or_clone(projection.input))
        }
        LogicalPlan::Distinct(datafusion::logical_expr::Distinct::All(input)) => any_row(Arc::unwrap_or_clone(input)),
        LogicalPlan::Aggregate(aggregate) if grouped(&aggregate) => any_row(Arc::unwrap_or_clone(aggregate.input)),
        LogicalPlan::Limit(limit) if at_least_one(&limit) => any_row(Arc::unwrap_or_clone(limit.input)),
        other => other,
    }
}

fn unnests(exprs: &[Expr]) -> bool {
    exprs.iter().any(|e| e.exists(|e| Ok(matches!(e, Expr::Unnest(_)))).unwrap_or(true))
}

/// Plain groups: every input row is in one.
fn grouped(aggregate: &Aggregate) -> bool {
    !aggregate.group_expr.is_empty() && !aggregate.group_expr.iter().any(|e| matches!(e, Expr::GroupingSet(_)))
}

fn at_least_one(limit: &datafusion::logical_expr::Limit) -> bool {
    let literal = |e: &Option<Box<Expr>>| match e.as_deref() {
        Some(Expr::Literal(ScalarValue::Int64(Some(n)), _)) => Some(*n),
        _ => None,
    };
    literal(&limit.skip).unwrap_or(0) == 0 && limit.fetch.is_some() && literal(&limit.fetch).is_some_and(|n| n >= 1)
}
