//! Turns a `SinkNode` into a `SinkExec`, and narrows its input to as many writers as the sink allows.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{PhysicalExpr, PhysicalExprRef};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlanProperties, Partitioning};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::{SinkExec, SinkNode};

/// Plans [`SinkNode`].
#[derive(Debug, Default)]
pub struct SinkPlanner;

#[async_trait]
impl ExtensionPlanner for SinkPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<SinkNode>() else {
            return Ok(None);
        };
        let [input] = physical_inputs else {
            return Err(DataFusionError::Internal("a sink has one input".into()));
        };
        let input = narrowed(Arc::clone(input), node.sink().max_partitions())?;
        Ok(Some(Arc::new(SinkExec::new(input, Arc::clone(node.sink())))))
    }
}

/// `input` in at most `most` partitions, where the sink says how many writers it bears.
fn narrowed(input: Arc<dyn ExecutionPlan>, most: Option<usize>) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(most) = most.filter(|most| *most < input.output_partitioning().partition_count()) else {
        return Ok(input);
    };
    if most <= 1 {
        return Ok(Arc::new(CoalescePartitionsExec::new(input)));
    }
    // By hash of the first column: the one way of repartitioning that can also cross the stages of a cluster.
    let schema = input.schema();
    let Some(first) = schema.fields().first() else {
        return Ok(Arc::new(CoalescePartitionsExec::new(input)));
    };
    let key: PhysicalExprRef = Arc::new(Column::new(first.name(), 0)) as Arc<dyn PhysicalExpr>;
    Ok(Arc::new(RepartitionExec::try_new(input, Partitioning::Hash(vec![key], most))?))
}
