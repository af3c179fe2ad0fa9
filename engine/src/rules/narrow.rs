//! Gives a sink no more writers than it bears.
//!
//! Runs after DataFusion's own rules: to them a sink accepts any partitions, so they would take out what makes them fewer.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExprRef;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning, replace_children_if_necessary};

use crate::sink::SinkExec;

/// The rule.
#[derive(Debug, Default)]
pub(super) struct NarrowSinks;

impl PhysicalOptimizerRule for NarrowSinks {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let narrow = plan.transform_up(|node| {
            let most = node.downcast_ref::<SinkExec>().and_then(|sink| sink.sink().max_partitions());
            let input = node.children().first().map(|input| Arc::clone(input));
            let (Some(most), Some(input)) = (most, input) else { return Ok(Transformed::no(node)) };
            if input.output_partitioning().partition_count() <= most.max(1) {
                return Ok(Transformed::no(node));
            }
            let fewer = narrowed(input, most)?;
            Ok(Transformed::yes(replace_children_if_necessary(node, vec![fewer])?))
        })?;
        Ok(narrow.data)
    }

    fn name(&self) -> &str {
        "narrow_sinks"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `input` in `most` partitions, which are fewer than it has.
fn narrowed(input: Arc<dyn ExecutionPlan>, most: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let (true, Some(first)) = (most > 1, schema.fields().first()) else {
        return Ok(Arc::new(CoalescePartitionsExec::new(input)));
    };
    // By hash of the first column: the one way of repartitioning that can also cross the stages of a cluster.
    let key: PhysicalExprRef = Arc::new(Column::new(first.name(), 0));
    Ok(Arc::new(RepartitionExec::try_new(input, Partitioning::Hash(vec![key], most))?))
}
