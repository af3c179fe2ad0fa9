//! Keeps sorts whose order is seen further up: by a write, by aggregates that take rows as they come, as in
//! `df.orderBy("time").groupBy("user").agg(first("page"))`, by rows' numbers.
//!
//! DataFusion takes a sort for a wish about the result of a query and drops it elsewhere. Spark keeps it (`EliminateSorts`)
//! unless a sort, a join, an exchange or an aggregate above does not care. Such a sort becomes a layout, which no rule takes
//! out. It knows no function but by its name.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use super::order::ORDERED;
use super::task_limit::asks;
use crate::layout::{Layout, LayoutNode};
use crate::sink::SinkNode;

/// The rule.
#[derive(Debug, Default)]
pub(super) struct KeepSeenSort;

impl AnalyzerRule for KeepSeenSort {
    fn name(&self) -> &str {
        "keep_seen_sort"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        // The order of a query's result is kept anyway.
        kept(plan, false)
    }
}

/// `seen`: somebody above sees the order of this plan's rows, who would not be heard.
fn kept(plan: LogicalPlan, seen: bool) -> Result<LogicalPlan> {
    let below = below(&plan, seen);
    let plan = plan
        .map_children(|child| kept(child, below).map(Transformed::yes))?
        .map_data(|plan| plan.map_subqueries(|inner| kept(inner, false).map(Transformed::yes)).map(|t| t.data))?
        .data;
    match plan {
        LogicalPlan::Sort(sort) if seen && sort.fetch.is_none() => {
            let layout = Layout::Merged { keys: sort.expr };
            Ok(LayoutNode::new(Arc::unwrap_or_clone(sort.input), layout).into_plan())
        }
        plan => Ok(plan),
    }
}

/// Whether the order of what is below is seen.
fn below(plan: &LogicalPlan, seen: bool) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => seen || projection.expr.iter().any(asks),
        LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) => seen,
        LogicalPlan::Unnest(_) | LogicalPlan::Union(_) => true,
        LogicalPlan::Aggregate(aggregate) => aggregate.aggr_expr.iter().any(sees_order),
        LogicalPlan::Extension(extension) => match extension.node.as_any().downcast_ref::<LayoutNode>() {
            Some(layout) => match layout.layout() {
                Layout::Coalesce { .. } => true,
                Layout::Kept => seen,
                Layout::Shuffle { .. } | Layout::Sorted { .. } | Layout::Merged { .. } => false,
            },
            None => extension.node.as_any().is::<SinkNode>(),
        },
        // A limit is heard: it takes the first of the sorted rows.
        _ => false,
    }
}

/// Whether a function's result depends on the order of rows that nothing in it says.
fn sees_order(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => sees_order(&alias.expr),
        Expr::AggregateFunction(call) => call.params.order_by.is_empty() && ORDERED.contains(&call.func.name()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::functions_aggregate::expr_fn::{first_value, max};
    use datafusion::logical_expr::{LogicalPlanBuilder, col, lit};

    use super::*;

    fn sorted() -> LogicalPlanBuilder {
        let plan = LogicalPlanBuilder::empty(true).project([lit(1_i64).alias("x"), lit(2_i64).alias("k")]).unwrap();
        plan.sort([col("x").sort(true, true)]).unwrap().filter(col("x").gt(lit(0_i64))).unwrap()
    }

    fn kept(plan: LogicalPlanBuilder) -> bool {
        let plan = KeepSeenSort.analyze(plan.build().unwrap(), &ConfigOptions::default()).unwrap().to_string();
        assert_eq!(plan.contains("SortIntoOne"), !plan.contains("Sort: "), "{plan}");
        plan.contains("SortIntoOne")
    }

    fn analyzed(aggregate: Expr) -> bool {
        kept(sorted().aggregate([col("k")], [aggregate]).unwrap())
    }

    #[test]
    fn a_sort_stays_where_its_order_is_seen() {
        assert!(analyzed(first_value(col("x"), vec![])));
        assert!(!analyzed(first_value(col("x"), vec![col("x").sort(false, true)])));
        assert!(!analyzed(max(col("x"))));
        assert!(kept(sorted().union(sorted().build().unwrap()).unwrap()));
    }

    #[test]
    fn what_a_query_ends_with_or_limits_is_left_to_datafusion() {
        assert!(!kept(sorted()));
        assert!(!kept(
            sorted().limit(0, Some(3)).unwrap().aggregate([col("k")], [first_value(col("x"), vec![])]).unwrap()
        ));
        assert!(!kept(sorted().cross_join(LogicalPlanBuilder::empty(true).build().unwrap()).unwrap()));
    }
}
