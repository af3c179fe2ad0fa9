//! Puts DataFusion's operators in the place of layouts, when no rule can take them out any more.
//!
//! Rows go where Spark sends them on every runner: repartitioning by hash is the one way that crosses the stages of a
//! cluster, so `spark_spread` turns the number of the wanted partition into a number whose hash goes there.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalExprRef, ScalarFunctionExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};
use firesteel_functions::registry;

use crate::as_is::AsIsExec;
use crate::layout::{LayoutExec, Wanted};
use crate::order::InOrderExec;

/// The rule.
#[derive(Debug, Default)]
pub(super) struct PlaceLayouts;

impl PhysicalOptimizerRule for PlaceLayouts {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if !plan.exists(|node| Ok(node.is::<LayoutExec>()))? {
            return Ok(plan);
        }
        // Rows in few partitions because somebody said so are not spread again for a projection's sake.
        let plan = plan.transform_down(|node| match node.downcast_ref::<RepartitionExec>() {
            Some(spread)
                if matches!(spread.partitioning(), Partitioning::RoundRobinBatch(_)) && laid_out(spread.input()) =>
            {
                let input = Arc::clone(spread.input());
                Ok(Transformed::yes(input))
            }
            _ => Ok(Transformed::no(node)),
        })?;
        let plan = plan.data.transform_up(|node| match node.downcast_ref::<LayoutExec>() {
            Some(layout) => Ok(Transformed::yes(placed(layout, config)?)),
            None => Ok(Transformed::no(node)),
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "place_layouts"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether the partitions of a plan are those of a layout.
fn laid_out(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<LayoutExec>()
        || (plan.is::<ProjectionExec>() || plan.is::<FilterExec>())
            && plan.children().first().is_some_and(|child| laid_out(child))
}

fn placed(layout: &LayoutExec, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
    let input = Arc::clone(layout.input());
    let given = input.output_partitioning().partition_count();
    match layout.wanted() {
        Wanted::Sorted(keys) => Ok(Arc::new(AsIsExec::sorted(sorted(input, keys.clone()), keys.clone()))),
        Wanted::Merged(keys) => {
            let mut one = sorted(input, keys.clone());
            if given > 1 {
                one = Arc::new(SortPreservingMergeExec::new(keys.clone(), one));
            }
            Ok(Arc::new(AsIsExec::sorted(one, keys.clone())))
        }
        Wanted::Kept => Ok(input),
        Wanted::Coalesce(partitions) if given <= *partitions => Ok(input),
        Wanted::Coalesce(1) => Ok(Arc::new(InOrderExec::new(Arc::new(CoalescePartitionsExec::new(input)), None))),
        Wanted::Coalesce(partitions) => shuffled(input, given, *partitions, config),
        Wanted::Shuffle(1) if given == 1 => Ok(input),
        Wanted::Shuffle(1) => Ok(Arc::new(CoalescePartitionsExec::new(input))),
        Wanted::Shuffle(partitions) => shuffled(input, 0, *partitions, config),
    }
}

fn sorted(input: Arc<dyn ExecutionPlan>, keys: LexOrdering) -> Arc<dyn ExecutionPlan> {
    let several = input.output_partitioning().partition_count() > 1;
    Arc::new(SortExec::new(keys, input).with_preserve_partitioning(several))
}

/// Rows in the partitions that their last column says, counted as one of `from`, or as they come when that is 0.
fn shuffled(
    input: Arc<dyn ExecutionPlan>,
    from: usize,
    to: usize,
    config: &ConfigOptions,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let last = schema.fields().len().checked_sub(1).ok_or_else(|| missing("a layout without its column"))?;
    let function = registry().scalar("spark_spread").ok_or_else(|| missing("spark_spread is not known"))?;
    let mut columns: Vec<(Arc<dyn PhysicalExpr>, String)> = Vec::with_capacity(last + 1);
    for (index, field) in schema.fields().iter().enumerate() {
        let column: PhysicalExprRef = Arc::new(Column::new(field.name(), index));
        let column: PhysicalExprRef = if index == last {
            let arguments = vec![column, count(from)?, count(to)?];
            let config = Arc::new(config.clone());
            Arc::new(ScalarFunctionExpr::try_new(Arc::clone(&function), arguments, &schema, config)?)
        } else {
            column
        };
        columns.push((column, field.name().clone()));
    }
    let key: PhysicalExprRef = Arc::new(Column::new(columns.last().map_or("", |(_, name)| name.as_str()), last));
    let numbered: Arc<dyn ExecutionPlan> = Arc::new(ProjectionExec::try_new(columns, input)?);
    Ok(Arc::new(RepartitionExec::try_new(numbered, Partitioning::Hash(vec![key], to))?))
}

fn count(number: usize) -> Result<PhysicalExprRef> {
    let number = i64::try_from(number).map_err(|error| DataFusionError::External(Box::new(error)))?;
    Ok(Arc::new(Literal::new(ScalarValue::Int64(Some(number)))))
}

fn missing(what: &str) -> DataFusionError {
    DataFusionError::Internal(what.into())
}
