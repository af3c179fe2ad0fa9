//! Gives a plan the rows of one round: in place of each reference, also in subqueries and in recursions inside it.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;

use super::{RecursionNode, WorkNode};

/// `plan` with `rows` for the work of recursion `id`.
pub(super) fn with_rows(plan: &LogicalPlan, id: u64, rows: &Arc<Vec<RecordBatch>>) -> Result<LogicalPlan> {
    plan.clone()
        .transform_down_with_subqueries(|plan| {
            let LogicalPlan::Extension(extension) = &plan else { return Ok(Transformed::no(plan)) };
            if let Some(work) = extension.node.as_any().downcast_ref::<WorkNode>() {
                return Ok(if work.id() == id {
                    Transformed::yes(work.with_rows(rows).into_plan())
                } else {
                    Transformed::no(plan)
                });
            }
            if let Some(inner) = extension.node.as_any().downcast_ref::<RecursionNode>() {
                let anchor = with_rows(inner.anchor(), id, rows)?;
                let step = with_rows(inner.step(), id, rows)?;
                return Ok(Transformed::yes(inner.with_plans(anchor, step).into_plan()));
            }
            Ok(Transformed::no(plan))
        })
        .map(|t| t.data)
}

/// Whether a plan reads tables: what does not is small, and one thread keeps its order.
pub(super) fn scans(plan: &LogicalPlan) -> bool {
    let mut found = false;
    // The closure never fails.
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Extension(extension) = node
            && let Some(inner) = extension.node.as_any().downcast_ref::<RecursionNode>()
        {
            found |= scans(inner.anchor()) || scans(inner.step());
        }
        found |= matches!(node, LogicalPlan::TableScan(_));
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}
