//! What a plan says of a column: where it comes from, how many rows there are, what it costs to make them again.
//! It changes no plan.

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, Partitioning};

use super::index;
use super::repeat::{self, is_stable};
use crate::key_filter::KeyFilterExec;

/// Whether rows travel here by their hash.
pub(super) fn is_exchange(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let repartition = plan.downcast_ref::<RepartitionExec>();
    repartition.is_some_and(|repartition| matches!(repartition.partitioning(), Partitioning::Hash(..)))
}

/// Which input of an operator that treats all rows with the same key alike holds the key, the key's index there, and whether
/// the operator is an exchange. Rows dropped below it by their key are the rows that would have been dropped above.
pub(super) fn passes(plan: &Arc<dyn ExecutionPlan>, key: usize) -> Option<(usize, usize, bool)> {
    if plan.is::<RepartitionExec>() {
        return is_exchange(plan).then_some((0, key, true));
    }
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        return Some((0, group(aggregate, key)?, false));
    }
    // What is not stable, such as a row's number, says another thing of each row once other rows are gone.
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let stable = projection.expr().iter().all(|e| is_stable(&e.expr));
        return stable.then_some((0, index(&projection.expr().get(key)?.expr)?, false));
    }
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let stable = filter.fetch().is_none() && is_stable(filter.predicate());
        return stable.then_some((0, filtered(filter, key)?, false));
    }
    if plan.is::<KeyFilterExec>() {
        return Some((1, key, false));
    }
    let join = plan.downcast_ref::<HashJoinExec>()?;
    let (side, column) = joined(join, key)?;
    let stays = match join.join_type() {
        JoinType::Left if side == 1 => false,
        JoinType::Right if side == 0 => false,
        _ => join.filter().is_none_or(|filter| is_stable(filter.expression())),
    };
    stays.then_some((side, column, false))
}

/// The index in the input of a filter's column.
fn filtered(filter: &FilterExec, column: usize) -> Option<usize> {
    match filter.projection() {
        Some(projection) => projection.get(column).copied(),
        None => Some(column),
    }
}

/// Which side of a join a column comes from, and its index there.
fn joined(join: &HashJoinExec, column: usize) -> Option<(usize, usize)> {
    let column = match &join.projection {
        Some(projection) => *projection.get(column)?,
        None => column,
    };
    let width = join.left().schema().fields().len();
    match join.join_type() {
        JoinType::Inner | JoinType::Left | JoinType::Right if column >= width => Some((1, column - width)),
        JoinType::Inner | JoinType::Left | JoinType::Right => Some((0, column)),
        JoinType::LeftSemi | JoinType::LeftAnti => Some((0, column)),
        JoinType::RightSemi | JoinType::RightAnti => Some((1, column)),
        _ => None,
    }
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
        return Some((filter.input(), filtered(filter, column)?));
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
    if let Some(filter) = plan.downcast_ref::<KeyFilterExec>() {
        return Some((filter.input(), column));
    }
    let join = plan.downcast_ref::<HashJoinExec>()?;
    // The other side of an outer join also has nulls, which match nothing.
    let (side, column) = joined(join, column)?;
    Some((if side == 0 { join.left() } else { join.right() }, column))
}

/// Whether a column holds keys of groups that a `HAVING` has left, or what a join with such keys leaves: few as a rule, but
/// nobody can tell.
pub(super) fn is_of_filtered_groups(plan: &Arc<dyn ExecutionPlan>, column: usize) -> bool {
    if let Some(filter) = plan.downcast_ref::<FilterExec>()
        && filtered(filter, column).is_some_and(|column| is_group(filter.input(), column))
    {
        return true;
    }
    if let Some(join) = plan.downcast_ref::<HashJoinExec>()
        && matches!(join.join_type(), JoinType::Inner | JoinType::LeftSemi | JoinType::RightSemi)
        && let Some((side, column)) = joined(join, column)
    {
        let partner = |(left, right): &(_, _)| {
            let (own, other) = if side == 0 { (index(left)?, index(right)?) } else { (index(right)?, index(left)?) };
            (own == column).then_some(other)
        };
        let other = if side == 0 { join.right() } else { join.left() };
        if join.on().iter().filter_map(partner).any(|column| is_of_filtered_groups(other, column)) {
            return true;
        }
    }
    inner_column(plan, column).is_some_and(|(input, column)| is_of_filtered_groups(input, column))
}

/// Whether a column is one that an aggregate, below nothing but projections, groups by.
fn is_group(plan: &Arc<dyn ExecutionPlan>, column: usize) -> bool {
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let below = projection.expr().get(column).and_then(|e| index(&e.expr));
        return below.is_some_and(|column| is_group(projection.input(), column));
    }
    plan.downcast_ref::<AggregateExec>().is_some_and(|aggregate| group(aggregate, column).is_some())
}

/// Whether a plan reads files and makes the same rows each time, without rows travelling but for broadcast sides of joins.
pub(super) fn is_one_stage(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if plan.is::<DataSourceExec>() {
        return repeat::is_stable_scan(plan.as_ref());
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
