//! Plans recursions and the rows of their rounds.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::{RecursionExec, RecursionNode, WorkNode};

/// Plans [`RecursionNode`] and [`WorkNode`].
#[derive(Debug, Default)]
pub struct RecursionPlanner;

#[async_trait]
impl ExtensionPlanner for RecursionPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        _physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        _planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if let Some(node) = node.as_any().downcast_ref::<RecursionNode>() {
            let Some(state) = session.as_any().downcast_ref::<SessionState>() else {
                return Err(DataFusionError::Internal("a recursion needs a session's state".into()));
            };
            return Ok(Some(Arc::new(RecursionExec::new(node.clone(), state.clone()))));
        }
        if let Some(work) = node.as_any().downcast_ref::<WorkNode>() {
            let Some(rows) = work.rows() else {
                return Err(DataFusionError::Internal("the rows of a recursion are read outside of it".into()));
            };
            let schema = Arc::new(UserDefinedLogicalNodeCore::schema(work).as_arrow().clone());
            let source = MemorySourceConfig::try_new_exec(&[rows.as_ref().clone()], schema, None)?;
            return Ok(Some(source));
        }
        Ok(None)
    }
}
