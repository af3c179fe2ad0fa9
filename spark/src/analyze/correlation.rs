//! Where a subquery may refer to the query around it: in filters, projections and conditions of inner joins.
//!
//! Spark's `CheckAnalysis` refuses the rest, though it could be computed. It knows plans only.

use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use firesteel_functions::{SparkError, SparkResult};

use super::scope::Scope;

/// Refuses outer columns where Spark does.
pub(super) fn check(plan: &LogicalPlan, outer: &[Arc<Scope>]) -> SparkResult<()> {
    let Some(outer) = outer.last() else { return Ok(()) };
    let uses = |expr: &Expr| {
        expr.exists(|e| {
            Ok(match e {
                Expr::OuterReferenceColumn(_, column) => {
                    outer.attributes.iter().chain(&outer.hidden).any(|a| a.column() == *column)
                }
                _ => false,
            })
        })
        .unwrap_or(false)
    };
    node(plan, true, &uses)
}

fn node(plan: &LogicalPlan, allowed: bool, uses: &dyn Fn(&Expr) -> bool) -> SparkResult<()> {
    stacker::maybe_grow(64 * 1024, 1024 * 1024, || {
        let mut used = false;
        // The closure never fails.
        let _ = plan.apply_expressions(|expr| {
            used |= uses(expr);
            Ok(if used { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        });
        if used && !allowed {
            return Err(SparkError::analysis(
                "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED",
                &[("treeNode", "the subquery")],
            ));
        }
        if used && matches!(plan, LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) | LogicalPlan::Sort(_)) {
            return Err(SparkError::analysis(
                "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE",
                &[("sqlExprs", "\"outer column\"")],
            ));
        }
        if used
            && let LogicalPlan::Projection(projection) = plan
            && is_aggregated(&projection.input)
        {
            return Err(SparkError::analysis(
                "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE",
                &[("sqlExprs", "\"outer column\"")],
            ));
        }
        // Set operations are joins that compare nulls as equal; both of their sides may refer to the outside.
        let (left, right) = match plan {
            LogicalPlan::Join(join) if join.null_equality == NullEquality::NullEqualsNothing => match join.join_type {
                JoinType::Inner => (true, true),
                JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => (true, false),
                JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => (false, true),
                JoinType::Full => (false, false),
            },
            _ => (true, true),
        };
        // A lateral join's right side has outer columns of its own.
        for (index, input) in plan.inputs().into_iter().enumerate() {
            let lateral = matches!(input, LogicalPlan::Subquery(_));
            node(input, allowed && (lateral || if index == 0 { left } else { right }), uses)?;
        }
        Ok(())
    })
}

/// Whether a select list stands right above the groups it is made of.
fn is_aggregated(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(_) => true,
        LogicalPlan::Filter(filter) => is_aggregated(&filter.input),
        LogicalPlan::Limit(limit) => is_aggregated(&limit.input),
        _ => false,
    }
}

/// Refuses a correlated scalar subquery whose groups are not made of values that the outer row fixes.
pub(super) fn check_groups(plan: &LogicalPlan) -> SparkResult<()> {
    if plan.all_out_ref_exprs().is_empty() {
        return Ok(());
    }
    let mut top = plan;
    let aggregate = loop {
        top = match top {
            LogicalPlan::Projection(projection) => &projection.input,
            LogicalPlan::Filter(filter) => &filter.input,
            LogicalPlan::Sort(sort) => &sort.input,
            LogicalPlan::Aggregate(aggregate) => break aggregate,
            _ => return Ok(()),
        };
    };
    let mut fixed: Vec<Expr> = Vec::new();
    let mut renamed = false;
    // The closure never fails.
    let _ = aggregate.input.apply(|input| {
        match input {
            LogicalPlan::Filter(filter) => {
                fixed.extend(split_conjunction(&filter.predicate).into_iter().flat_map(sides))
            }
            LogicalPlan::Join(join) => {
                fixed.extend(join.filter.iter().flat_map(|f| split_conjunction(f)).flat_map(sides));
            }
            LogicalPlan::Projection(projection) => {
                renamed |= projection.expr.iter().any(|e| !matches!(e, Expr::Column(_)));
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    });
    for group in &aggregate.group_expr {
        let group = group.clone().unalias_nested().data;
        let constant = group.column_refs().is_empty();
        if constant
            || renamed
            || matches!(group, Expr::GroupingSet(_))
            || fixed.iter().any(|e| plain(e) == plain(&group))
        {
            continue;
        }
        return Err(SparkError::analysis(
            "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.NON_CORRELATED_COLUMNS_IN_GROUP_BY",
            &[("value", "a column")],
        ));
    }
    Ok(())
}

/// The side of an equality that the other one fixes: that has no columns of the subquery.
fn sides(condition: &Expr) -> Vec<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq | Operator::IsNotDistinctFrom, right }) = condition else {
        return vec![];
    };
    let mut out = Vec::new();
    for (side, other) in [(left, right), (right, left)] {
        if other.column_refs().is_empty() && !side.column_refs().is_empty() {
            out.push(side.as_ref().clone());
        }
    }
    out
}

/// An expression below its conversions: casts and the like of one column.
fn plain(expr: &Expr) -> Expr {
    match expr {
        Expr::Cast(cast) => plain(&cast.expr),
        // The cast and the float normalisation of a key are functions of it.
        Expr::ScalarFunction(call) if matches!(call.func.name(), "spark_cast" | "spark_normalize_float") => {
            call.args.first().map_or_else(|| expr.clone(), plain)
        }
        other => other.clone(),
    }
}
