//! What a plan says of a column: where it comes from, how many rows there are, what it costs to make them again.
//! It changes no plan.

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, Partitioning};

use super::index;

/// The input of an operator that treats all rows with the same key alike, the key's index in it, and whether the
/// operator is an exchange. Rows dropped below it by their key are the rows that would have been dropped above.
pub(super) fn passes(plan: &Arc<dyn ExecutionPlan>, key: usize) -> Option<(&Arc<dyn ExecutionPlan>, usize, bool)> {
    if let Some(repartition) = plan.downcast_ref::<RepartitionExec>() {
        return matches!(repartition.partitioning(), Partitioning::Hash(..)).then(|| (repartition.input(), key, true));
    }
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        return Some((aggregate.input(), group(aggregate, key)?, false));
    }
    // Only above one that is passed: rows are best reduced above their own filters.
    let projection = plan.downcast_ref::<ProjectionExec>()?;
    let below = index(&projection.expr().get(key)?.expr)?;
    let deeper = projection.input();
    (deeper.downcast_ref::<RepartitionExec>().is_some() || deeper.downcast_ref::<AggregateExec>().is_some())
        .then_some((deeper, below, false))
}

/// The index in the input of a grouping column.
fn group(aggregate: &AggregateExec, column: usize) -> Option<usize> {
    let groups = aggregate.group_expr();
    if groups.has_grouping_set() || aggregate.limit_options().is_some() {
        return None;
    }
    index(&groups.expr().get(column)?.0)
}

/// An input that holds every value of a column, and the column's index there.
pub(super) fn inner_column(plan: &Arc<dyn ExecutionPlan>, column: usize) -> Option<(&Arc<dyn ExecutionPlan>, usize)> {
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        return Some((projection.input(), index(&projection.expr().get(column)?.expr)?));
    }
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let column = match filter.projection() {
            Some(projection) => *projection.get(column)?,
            None => column,
        };
        return Some((filter.input(), column));
    }
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        return Some((aggregate.input(), group(aggregate, column)?));
    }
    if let Some(repartition) = plan.downcast_ref::<RepartitionExec>() {
        return Some((repartition.input(), column));
    }
    if let Some(merge) = plan.downcast_ref::<CoalescePartitionsExec>() {
        return Some((merge.input(), column));
    }
    let join = plan.downcast_ref::<HashJoinExec>()?;
    let column = match &join.projection {
        Some(projection) => *projection.get(column)?,
        None => column,
    };
    let width = join.left().schema().fields().len();
    match join.join_type() {
        JoinType::Inner if column >= width => Some((join.right(), column - width)),
        JoinType::Inner => Some((join.left(), column)),
        JoinType::LeftSemi | JoinType::LeftAnti => Some((join.left(), column)),
        JoinType::RightSemi | JoinType::RightAnti => Some((join.right(), column)),
        _ => None,
    }
}

/// Whether a plan reads files and makes the same rows each time, without rows travelling but for broadcast sides of joins.
pub(super) fn is_one_stage(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some(source) = plan.downcast_ref::<DataSourceExec>() {
        let scan = source.data_source().downcast_ref::<FileScanConfig>();
        // A limit may take other rows the next time, a database may have others by then.
        return scan.is_some_and(|scan| scan.limit.is_none() && scan.file_source().file_type() == "parquet");
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        return projection.expr().iter().all(|e| is_stable(&e.expr)) && is_one_stage(projection.input());
    }
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        return is_stable(filter.predicate()) && filter.fetch().is_none() && is_one_stage(filter.input());
    }
    if let Some(merge) = plan.downcast_ref::<CoalescePartitionsExec>() {
        return merge.fetch().is_none() && is_one_stage(merge.input());
    }
    let Some(join) = plan.downcast_ref::<HashJoinExec>() else { return false };
    let broadcast = *join.partition_mode() == PartitionMode::CollectLeft
        && matches!(join.join_type(), JoinType::Inner | JoinType::RightSemi);
    broadcast
        && join.filter().is_none_or(|filter| is_stable(filter.expression()))
        && is_one_stage(join.left())
        && is_one_stage(join.right())
}

fn is_stable(expr: &Arc<dyn PhysicalExpr>) -> bool {
    !is_volatile(expr)
}

/// Estimated rows and bytes; bytes as the stage planner counts them before it broadcasts.
pub(super) fn estimate(plan: &dyn ExecutionPlan) -> Result<Option<(usize, usize)>> {
    let statistics = StatisticsContext::new().compute(plan, &StatisticsArgs::new())?;
    let Some(rows) = statistics.num_rows.get_value().copied().filter(|rows| *rows > 0) else { return Ok(None) };
    let width: usize = plan.schema().fields().iter().map(|f| f.data_type().primitive_width().unwrap_or(32)).sum();
    let counted = statistics.total_byte_size.get_value().copied().unwrap_or_default();
    Ok(Some((rows, counted.max(rows.saturating_mul(width.max(8))))))
}

/// Rows of the table a column comes from, and of all tables that a plan reads.
pub(super) fn base_rows(plan: &Arc<dyn ExecutionPlan>, column: usize) -> Result<Option<(usize, usize)>> {
    let (mut at, mut key) = (plan, column);
    while let Some((input, column)) = inner_column(at, key) {
        (at, key) = (input, column);
    }
    let Some((table, _)) = estimate(at.as_ref())? else { return Ok(None) };
    let mut read = Some(0_usize);
    plan.apply(|node| {
        if node.children().is_empty() {
            let rows = estimate(node.as_ref())?;
            read = read.zip(rows).map(|(sum, (rows, _))| sum.saturating_add(rows));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(read.map(|read| (table, read)))
}
