//! Turns a `LayoutNode` into a `LayoutExec`, and says how many partitions there are where the user did not.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::{LexOrdering, create_physical_sort_expr};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::exec::{LayoutExec, Wanted};
use super::{Layout, LayoutNode};

/// What one partition takes (Spark's `spark.sql.adaptive.advisoryPartitionSizeInBytes`).
const BYTES_A_PARTITION: usize = 64 << 20;

/// Plans [`LayoutNode`].
#[derive(Debug, Default)]
pub struct LayoutPlanner;

#[async_trait]
impl ExtensionPlanner for LayoutPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        planning: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<LayoutNode>() else {
            return Ok(None);
        };
        let ([input], [_]) = (physical_inputs, logical_inputs) else {
            return Err(DataFusionError::Internal("a layout has one input".into()));
        };
        let wanted = match node.layout() {
            Layout::Shuffle { partitions: Some(partitions) } => Wanted::Shuffle((*partitions).max(1)),
            Layout::Shuffle { partitions: None } => {
                Wanted::Shuffle(needed(input.as_ref(), session.config().target_partitions()))
            }
            Layout::Coalesce { partitions } => Wanted::Coalesce((*partitions).max(1)),
            Layout::Kept => Wanted::Kept,
            Layout::Sorted { keys } | Layout::Merged { keys } => {
                let schema = UserDefinedLogicalNodeCore::schema(node);
                let keys = keys
                    .iter()
                    .map(|key| create_physical_sort_expr(key, schema, session.execution_props(), planning))
                    .collect::<Result<Vec<_>>>()?;
                match LexOrdering::new(keys) {
                    Some(keys) if matches!(node.layout(), Layout::Merged { .. }) => Wanted::Merged(keys),
                    Some(keys) => Wanted::Sorted(keys),
                    None => return Ok(Some(Arc::clone(input))),
                }
            }
        };
        Ok(Some(Arc::new(LayoutExec::new(Arc::clone(input), wanted))))
    }
}

/// Partitions for rows of an input: few for little, as adaptive execution leaves them in Spark; `most` where nobody knows.
fn needed(input: &dyn ExecutionPlan, most: usize) -> usize {
    if input.output_partitioning().partition_count() == 1 && most == 1 {
        return 1;
    }
    let statistics = StatisticsContext::new().compute(input, &StatisticsArgs::new());
    let bytes = statistics.ok().and_then(|known| known.total_byte_size.get_value().copied());
    bytes.map_or(most, |bytes| bytes.div_ceil(BYTES_A_PARTITION).clamp(1, most.max(1)))
}
