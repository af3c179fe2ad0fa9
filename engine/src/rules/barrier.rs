//! Keeps filters above aggregates without groups, which have a row also when their input has none.
//!
//! The optimizer moves a filter that names no column, such as one that is found to be false, below any aggregate, where it
//! only empties the input. A limit of one row changes nothing and stops it.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::{Limit, LogicalPlan, lit};
use datafusion::optimizer::AnalyzerRule;

/// The rule.
#[derive(Debug, Default)]
pub(super) struct Barrier;

impl AnalyzerRule for Barrier {
    fn name(&self) -> &str {
        "global_aggregate_barrier"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        guarded(plan, false)
    }
}

/// `filtered`: a filter or join condition above may move down to here.
fn guarded(plan: LogicalPlan, filtered: bool) -> Result<LogicalPlan> {
    use datafusion::common::tree_node::TreeNode;
    let below = match &plan {
        LogicalPlan::Filter(_) => true,
        LogicalPlan::Join(join) => filtered || join.filter.is_some(),
        LogicalPlan::Limit(_) | LogicalPlan::Aggregate(_) => false,
        _ => filtered,
    };
    let global = matches!(&plan, LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty());
    let plan = plan
        .map_children(|child| guarded(child, below).map(Transformed::yes))?
        .map_data(|plan| plan.map_subqueries(|inner| guarded(inner, false).map(Transformed::yes)).map(|t| t.data))?
        .data;
    if !(global && filtered) {
        return Ok(plan);
    }
    Ok(LogicalPlan::Limit(Limit { skip: None, fetch: Some(Box::new(lit(1_i64))), input: Arc::new(plan) }))
}
