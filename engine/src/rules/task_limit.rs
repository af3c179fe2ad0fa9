//! Keeps limits above expressions that ask which partition they run in, such as `spark_partition_id()`.
//!
//! DataFusion moves a limit below a projection, and with it the merge of all partitions, so that `df.show()` would see
//! one partition only. It knows of functions only which ask.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;
use firesteel_functions::task::FUNCTIONS;

use crate::layout::{Layout, LayoutNode};

/// The rule.
#[derive(Debug, Default)]
pub(super) struct KeepTasks;

impl AnalyzerRule for KeepTasks {
    fn name(&self) -> &str {
        "keep_tasks"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let kept = plan.transform_down_with_subqueries(|node| match &node {
            LogicalPlan::Limit(limit) => match kept(&limit.input)? {
                Some(input) => node.with_new_exprs(node.expressions(), vec![input]).map(Transformed::yes),
                None => Ok(Transformed::no(node)),
            },
            _ => Ok(Transformed::no(node)),
        })?;
        Ok(kept.data)
    }
}

/// The plan with a bar above the projections that a limit could pass to get below one that asks; `None` where none asks.
fn kept(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    let mut at = plan;
    while let LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) = at {
        if at.expressions().iter().any(asks) {
            return Ok(Some(LayoutNode::new(plan.clone(), Layout::Kept).into_plan()));
        }
        let Some(input) = at.inputs().first().copied() else { return Ok(None) };
        at = input;
    }
    Ok(None)
}

/// Whether an expression asks for its partition, or a row's place there.
pub(super) fn asks(expr: &Expr) -> bool {
    let call = |e: &Expr| matches!(e, Expr::ScalarFunction(call) if FUNCTIONS.contains(&call.func.name()));
    expr.exists(|e| Ok(call(e))).unwrap_or(false)
}
