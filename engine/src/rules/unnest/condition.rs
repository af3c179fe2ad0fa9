//! Subqueries in join conditions: those of an inner join filter its result, others are computed on the side they refer to.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, JoinType};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, Join, LogicalPlan};
use firesteel_functions::SparkError;

use super::{Scalars, has_subquery, hoist, keep, refs};

/// Rewrites a join with subqueries in its condition.
pub(super) fn rewrite(join: Join) -> Result<LogicalPlan> {
    let columns = join.schema.columns();
    let (mut plain, mut others) = (Vec::new(), Vec::new());
    for part in join.filter.clone().map(split_conjunction_owned).unwrap_or_default() {
        if has_subquery(&part)? { others.push(part) } else { plain.push(part) }
    }
    if join.join_type == JoinType::Inner {
        for part in &others {
            part.apply(|e| {
                if within(e, join.left.schema()) && within(e, join.right.schema()) {
                    return Err(both_sides());
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        let joined = if plain.is_empty() && join.on.is_empty() {
            let right = Arc::unwrap_or_clone(join.right);
            super::flat::join(Arc::unwrap_or_clone(join.left), right, vec![], JoinType::Inner)?
        } else {
            LogicalPlan::Join(Join { filter: conjunction(plain), ..join })
        };
        let Some(predicate) = conjunction(others) else { return Ok(joined) };
        return super::filter::rewrite(Filter::try_new(predicate, Arc::new(joined))?);
    }
    let (mut left, mut right) = (join.left.as_ref().clone(), join.right.as_ref().clone());
    let mut filter = plain;
    for part in others {
        let rewritten = part.transform_down(|e| {
            if !matches!(e, Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_)) {
                return Ok(Transformed::no(e));
            }
            let uses_left = uses(&e, join.left.schema());
            let side = match (uses_left, uses(&e, join.right.schema())) {
                (true, true) => {
                    return Err(both_sides());
                }
                (true, false) => &mut left,
                _ => &mut right,
            };
            let value = hoist(e, side, Scalars::Join)?;
            Ok(Transformed::new(value, true, TreeNodeRecursion::Jump))
        })?;
        filter.push(rewritten.data);
    }
    let joined = Join::try_new(
        Arc::new(left),
        Arc::new(right),
        join.on,
        conjunction(filter),
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    keep(LogicalPlan::Join(joined), &columns)
}

fn both_sides() -> DataFusionError {
    SparkError::analysis(
        "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_EXPRESSION_IN_JOIN_CONDITION",
        &[("subqueryExpression", "a subquery")],
    )
    .into()
}

/// Whether a subquery refers to a side of the join from inside.
fn within(expr: &Expr, side: &DFSchema) -> bool {
    let plan = match expr {
        Expr::Exists(exists) => &exists.subquery.subquery,
        Expr::ScalarSubquery(subquery) => &subquery.subquery,
        Expr::InSubquery(subquery) => &subquery.subquery.subquery,
        _ => return false,
    };
    !refs::of(plan, side).is_empty()
}

/// Whether a subquery, or what is looked for in it, refers to a side of the join.
fn uses(expr: &Expr, side: &DFSchema) -> bool {
    let probe = match expr {
        Expr::InSubquery(subquery) => {
            let concerns = |e: &Expr| match e {
                Expr::Column(column) => side.has_column(column),
                _ => uses(e, side),
            };
            subquery.expr.exists(|e| Ok(concerns(e))).unwrap_or(true)
        }
        _ => false,
    };
    probe || within(expr, side)
}
