//! Keeps rows in the order Spark gives them where somebody can tell: up to the result of a query, below limits, and below
//! aggregates that take the first rows or collect them.
//!
//! DataFusion spreads the batches of one partition over several, merges partitions as they come, and breaks ties of merged
//! sorts by turns; and a scan that is done with the files of its partition takes those of others. All of that is undone here on those paths only, so that joins, groups and sorts keep their parallelism.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_expr::Partitioning;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::{InterleaveExec, UnionExec};
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

use crate::order::InOrderExec;
use crate::sink::SinkExec;

/// Aggregates whose result depends on the order of rows.
pub(super) const ORDERED: &[&str] =
    &["any_value", "array_agg", "collect_list", "first", "first_value", "last", "last_value", "listagg", "string_agg"];

/// The rule.
#[derive(Debug, Default)]
pub(super) struct KeepOrder;

impl PhysicalOptimizerRule for KeepOrder {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        kept(plan, true)
    }

    fn name(&self) -> &str {
        "keep_order"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The plan with scans that read the files of their own partitions only, in order.
pub(super) fn by_own_files(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let kept = plan.transform_up(|node| {
        let scan = if node.children().is_empty() { node.with_preserve_order(true) } else { None };
        Ok(scan.map_or_else(|| Transformed::no(node), Transformed::yes))
    })?;
    Ok(kept.data)
}

/// `seen`: somebody above can tell the order of this operator's rows.
fn kept(plan: Arc<dyn ExecutionPlan>, seen: bool) -> Result<Arc<dyn ExecutionPlan>> {
    let cuts = plan.is::<GlobalLimitExec>() || plan.is::<LocalLimitExec>() || plan.fetch().is_some();
    let seen = seen || cuts;
    if seen
        && let Some(spread) = plan.downcast_ref::<RepartitionExec>()
        && matches!(spread.partitioning(), Partitioning::RoundRobinBatch(_))
    {
        return kept(Arc::clone(spread.input()), true);
    }
    if seen && plan.children().is_empty() {
        return Ok(plan.with_preserve_order(true).unwrap_or(plan));
    }
    let below = below(plan.as_ref(), seen);
    let children =
        plan.children().into_iter().map(|child| kept(Arc::clone(child), below)).collect::<Result<Vec<_>>>()?;
    if seen && plan.is::<InterleaveExec>() {
        return UnionExec::try_new(children);
    }
    let plan = replace_children_if_necessary(plan, children)?;
    if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
        return Ok(Arc::new(merge.clone().with_round_robin_repartition(false)));
    }
    match plan.downcast_ref::<CoalescePartitionsExec>() {
        Some(merge) if seen => {
            let wanted = ExecutionPlan::fetch(merge);
            Ok(Arc::new(InOrderExec::new(plan, wanted)))
        }
        _ => Ok(plan),
    }
}

/// Whether this operator's result shows the order of its input.
fn below(plan: &dyn ExecutionPlan, seen: bool) -> bool {
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        // States of global aggregates are few, and merging them in order costs nothing.
        let merges = aggregate.group_expr().is_empty() && *aggregate.mode() == AggregateMode::Final;
        return merges || aggregate.aggr_expr().iter().any(|call| ORDERED.contains(&call.fun().name()));
    }
    if plan.is::<SortExec>() {
        // Which of equal rows are cut off, that is seen.
        return plan.fetch().is_some();
    }
    let joins = plan.children().len() > 1 && !plan.is::<UnionExec>() && !plan.is::<InterleaveExec>();
    seen && !joins && !plan.is::<RepartitionExec>() && !plan.is::<SinkExec>()
}
