//! Keeps a sort below an aggregate that takes rows as they come, as in `df.orderBy("time").groupBy("user").agg(first("page"))`.
//!
//! DataFusion takes a sort for a wish about the result of a query and drops it below aggregates. Spark keeps it
//! (`EliminateSorts`) unless no function above depends on the order of rows, and its partial aggregates see the rows sorted.
//! Such a sort becomes a layout, which no rule takes out. It knows no function but by its name.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use super::order::ORDERED;
use crate::layout::{Layout, LayoutNode};

/// The rule.
#[derive(Debug, Default)]
pub(super) struct KeepSeenSort;

impl AnalyzerRule for KeepSeenSort {
    fn name(&self) -> &str {
        "keep_seen_sort"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let kept = plan.transform_down_with_subqueries(|node| match &node {
            LogicalPlan::Aggregate(aggregate) if aggregate.aggr_expr.iter().any(sees_order) => {
                match sorted(&aggregate.input)? {
                    Some(input) => {
                        let mut aggregate = aggregate.clone();
                        aggregate.input = Arc::new(input);
                        Ok(Transformed::yes(LogicalPlan::Aggregate(aggregate)))
                    }
                    None => Ok(Transformed::no(node)),
                }
            }
            _ => Ok(Transformed::no(node)),
        })?;
        Ok(kept.data)
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

/// The plan with the sort whose order its rows have as a layout; `None` where there is none.
fn sorted(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => {
            let layout = Layout::Merged { keys: sort.expr.clone() };
            Ok(Some(LayoutNode::new(sort.input.as_ref().clone(), layout).into_plan()))
        }
        LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) => {
            let Some(input) = plan.inputs().first().map(|input| sorted(input)).transpose()?.flatten() else {
                return Ok(None);
            };
            plan.with_new_exprs(plan.expressions(), vec![input]).map(Some)
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::functions_aggregate::expr_fn::{first_value, max};
    use datafusion::logical_expr::{LogicalPlanBuilder, col, lit};

    use super::*;

    fn analyzed(aggregate: Expr) -> String {
        let plan = LogicalPlanBuilder::empty(true).project([lit(1_i64).alias("x"), lit(2_i64).alias("k")]).unwrap();
        let plan = plan.sort([col("x").sort(true, true)]).unwrap().filter(col("x").gt(lit(0_i64))).unwrap();
        let plan = plan.aggregate([col("k")], [aggregate]).unwrap().build().unwrap();
        KeepSeenSort.analyze(plan, &ConfigOptions::default()).unwrap().to_string()
    }

    #[test]
    fn a_sort_stays_where_its_order_is_seen() {
        assert!(analyzed(first_value(col("x"), vec![])).contains("SortIntoOne"));
        let own = first_value(col("x"), vec![col("x").sort(false, true)]);
        for other in [max(col("x")), own] {
            let plan = analyzed(other);
            assert!(!plan.contains("SortIntoOne"), "{plan}");
        }
    }
}
