//! Puts a task around every operator with functions that ask for one.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use firesteel_functions::task::FUNCTIONS;

use super::order;
use crate::task::TaskExec;

/// Inserts [`TaskExec`].
#[derive(Debug, Default)]
pub(super) struct InsertTasks;

impl PhysicalOptimizerRule for InsertTasks {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let wrapped = plan.transform_up(|node| {
            if asks(node.as_ref())? {
                // A seed draws the same rows again, if each partition has the same rows.
                let node = order::by_own_files(node)?;
                Ok(Transformed::yes(Arc::new(TaskExec::new(node)?) as Arc<dyn ExecutionPlan>))
            } else {
                Ok(Transformed::no(node))
            }
        })?;
        Ok(wrapped.data)
    }

    fn name(&self) -> &str {
        "insert_tasks"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn asks(node: &dyn ExecutionPlan) -> Result<bool> {
    let mut found = false;
    node.apply_expressions(&mut |root| {
        found |= root.exists(|expr| {
            let function = expr.downcast_ref::<ScalarFunctionExpr>();
            Ok(function.is_some_and(|function| FUNCTIONS.contains(&function.name())))
        })?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}
