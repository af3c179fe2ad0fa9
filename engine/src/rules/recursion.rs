//! Tells a recursion how many rows are wanted where a limit stands right above it.

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{FetchType, LogicalPlan, SkipType};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::recursion::RecursionNode;

/// Moves the number of a limit into the recursion below it; the limit stays.
#[derive(Debug, Default)]
pub(super) struct LimitRecursion;

impl OptimizerRule for LimitRecursion {
    fn name(&self) -> &str {
        "limit_recursion"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Limit(limit) = &plan else { return Ok(Transformed::no(plan)) };
        let LogicalPlan::Extension(extension) = limit.input.as_ref() else { return Ok(Transformed::no(plan)) };
        let Some(recursion) = extension.node.as_any().downcast_ref::<RecursionNode>() else {
            return Ok(Transformed::no(plan));
        };
        let (SkipType::Literal(skip), FetchType::Literal(Some(fetch))) =
            (limit.get_skip_type()?, limit.get_fetch_type()?)
        else {
            return Ok(Transformed::no(plan));
        };
        let wanted = u64::try_from(skip.saturating_add(fetch)).unwrap_or(u64::MAX);
        if recursion.fetch().is_some_and(|known| known <= wanted) {
            return Ok(Transformed::no(plan));
        }
        let mut limit = limit.clone();
        limit.input = recursion.with_fetch(wanted).into_plan().into();
        Ok(Transformed::yes(LogicalPlan::Limit(limit)))
    }
}
