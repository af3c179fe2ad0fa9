//! Which part of a plan the values of outer columns are taken from.
//!
//! That part is computed twice, for itself and for its values. When it holds a lateral join whose own values come from
//! another one, and so on, the plan doubles with each.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, JoinType};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};
use firesteel_functions::SparkError;

use super::refs;

/// So many lateral joins are computed twice without a thought.
const FEW: usize = 3;
/// The most of them: planning takes some seconds then, and four times as long with each one more.
const MOST: usize = 6;

/// The whole plan, as Spark takes it, unless it holds more than a few lateral joins: then the smallest part that has the
/// columns. It may have values that a join above drops, which cost time but meet no row.
///
/// # Errors
/// `UNSUPPORTED_FEATURE` when even that part holds too many.
pub(super) fn of<'a>(plan: &'a LogicalPlan, outer: &[Column]) -> Result<&'a LogicalPlan> {
    if laterals(plan)? <= FEW {
        return Ok(plan);
    }
    let part = smallest(plan, outer);
    if laterals(part)? > MOST {
        return Err(SparkError::unsupported("so many lateral joins that build on each other").into());
    }
    Ok(part)
}

/// How many lateral joins with outer columns there are.
fn laterals(plan: &LogicalPlan) -> Result<usize> {
    let mut found = 0;
    plan.apply(|node| {
        if let LogicalPlan::Subquery(subquery) = node {
            found += usize::from(refs::any(&subquery.subquery));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

fn smallest<'a>(plan: &'a LogicalPlan, outer: &[Column]) -> &'a LogicalPlan {
    let has_all = |plan: &LogicalPlan| outer.iter().all(|column| plan.schema().has_column(column));
    let mut at = plan;
    loop {
        let below = match at {
            LogicalPlan::Join(join) if matches!(join.join_type, JoinType::Inner | JoinType::Left) => &join.left,
            LogicalPlan::Projection(projection) => {
                let passed =
                    |column: &Column| projection.expr.iter().any(|e| matches!(e, Expr::Column(c) if c == column));
                if !outer.iter().all(passed) {
                    return at;
                }
                &projection.input
            }
            _ => return at,
        };
        if !has_all(below) {
            return at;
        }
        at = below;
    }
}
