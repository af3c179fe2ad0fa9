//! Semi-join reduction: rows that a join would drop anyway are dropped before they travel.
//!
//! ```text
//! HashJoin(Partitioned)                       HashJoin(Partitioned)
//!   Repartition                                 Repartition
//!     Filter: o_orderdate in 1994                 Filter: o_orderdate in 1994
//!       orders                           =>         orders
//!   Repartition                                 Repartition
//!     lineitem                                    HashJoin(CollectLeft, RightSemi) or KeyFilter
//!                                                   keys of: Filter: o_orderdate in 1994, orders
//!                                                   lineitem
//! ```
//!
//! In one process a filter made while an inner join runs does the same; outer and anti joins are reduced there, too. Between stages there is no such way back, so the filtered
//! side, where it is cheap to make, is made once more and its keys are broadcast. This is Spark's runtime filter by semi
//! join (`spark.sql.optimizer.runtimeFilter.semiJoinReduction.enabled`), also below an aggregate that groups by the key and
//! below joins that keep it.
//!
//! Where the filtered side travels itself, the keys are those of its exchange: the same exchange is then in the plan twice, and
//! who cuts the plan into stages makes it once. So the side may be anything that makes the same rows each time. Every task reads
//! what the exchange has written, by a [`KeyFilterExec`], which gives up when there are more keys than pay. That is also done on
//! suspicion, where keys come from groups of which a `HAVING` leaves an unknown share.
//!
//! Which keys are broadcast may only ever be too many, never too few: they come from a part of the filtered side whose
//! column holds every value the join can see. It knows no runner.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, replace_children_if_necessary};

use super::columns::index;
use crate::key_filter::KeyFilterExec;
pub use repeat::is_repeatable;
use source::{base_rows, estimate, inner_column, is_exchange, is_of_filtered_groups, is_one_stage};

mod repeat;
mod source;

/// A filter has to leave at most one in so many rows of its table.
const KEEPS_ONE_IN: usize = 3;

/// What is not cheap to make, but is there, has to leave at most one in so many rows for each task that reduces.
const KEEPS_FOR_A_TASK: usize = 10;

/// How many rows of its tables a filter may read for each row that it is to reduce.
const READS_A_ROW: usize = 2;

/// The most reductions of one plan: each is a stage more.
const MOST: usize = 8;

/// What is worth it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most bytes of broadcast keys, as estimated.
    pub bytes: usize,
    /// Fewer rows than this travel faster than they are reduced.
    pub fewest_rows: usize,
    /// Whether the plan is to be cut into stages. In one process joins that drop rows of both sides filter their larger side
    /// as they run, so only the others are reduced, and no exchange is read twice.
    pub stages: bool,
}

impl Limits {
    /// For keys that a broadcast of so many bytes may hold.
    #[must_use]
    pub fn of_broadcast(bytes: usize) -> Self {
        Self { bytes, fewest_rows: 500_000, stages: true }
    }

    /// For a plan that runs in this process.
    #[must_use]
    pub fn in_process(bytes: usize) -> Self {
        Self { stages: false, ..Self::of_broadcast(bytes) }
    }
}

/// The plan with such semi joins. An exchange may be in it twice, as one node, which only a plan in stages can run.
///
/// # Errors
/// When an operator cannot be rebuilt.
pub fn reduce(plan: Arc<dyn ExecutionPlan>, limits: Limits) -> Result<Arc<dyn ExecutionPlan>> {
    Reducer { limits, made: 0, exchanges: HashMap::new() }.walk(plan)
}

struct Reducer {
    limits: Limits,
    made: usize,
    /// What became of each exchange, by its address: one that is in the plan twice must become the same both times.
    exchanges: HashMap<usize, Exchange>,
}

struct Exchange {
    /// Kept so that its address is nobody else's.
    _before: Arc<dyn ExecutionPlan>,
    after: Arc<dyn ExecutionPlan>,
}

impl Reducer {
    fn walk(&mut self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|node| {
            if is_exchange(&node) {
                return Ok(Transformed::new(self.exchange(node)?, true, TreeNodeRecursion::Jump));
            }
            if self.made < MOST
                && let Some(node) = reduced(&node, self.limits)?
            {
                self.made += 1;
                return Ok(Transformed::yes(node));
            }
            Ok(Transformed::no(node))
        })
        .data()
    }

    fn exchange(&mut self, node: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        let address = Arc::as_ptr(&node).cast::<()>().addr();
        if let Some(done) = self.exchanges.get(&address) {
            return Ok(Arc::clone(&done.after));
        }
        let inputs = node.children().into_iter().map(Arc::clone).collect::<Vec<_>>();
        let inputs = inputs.into_iter().map(|input| self.walk(input)).collect::<Result<Vec<_>>>()?;
        let after = replace_children_if_necessary(Arc::clone(&node), inputs)?;
        self.exchanges.insert(address, Exchange { _before: node, after: Arc::clone(&after) });
        Ok(after)
    }
}

/// A join with the larger side that can be reduced reduced, or `None` when that does not pay.
fn reduced(node: &Arc<dyn ExecutionPlan>, limits: Limits) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(join) = node.downcast_ref::<HashJoinExec>() else { return Ok(None) };
    if join.null_equality() != NullEquality::NullEqualsNothing || join.null_aware {
        return Ok(None);
    }
    let sides = [join.left(), join.right()];
    let mut best: Option<(usize, usize, Arc<dyn ExecutionPlan>)> = None;
    for (at, side) in sides.into_iter().enumerate() {
        let Some(other) = sides.get(1 - at) else { continue };
        if !may_lose_rows(*join.join_type(), at) || !limits.stages && filters_itself(*join.join_type()) {
            continue;
        }
        for (left, right) in join.on() {
            let (Some(left), Some(right)) = (index(left), index(right)) else { continue };
            let (key, other_key) = if at == 0 { (left, right) } else { (right, left) };
            // A value has another hash in another type.
            if side.schema().field(key).data_type() != other.schema().field(other_key).data_type() {
                continue;
            }
            let Some((input, _, depth)) = travels(side, key) else { continue };
            let rows = estimate(input.as_ref())?.map_or(0, |(rows, _)| rows);
            if rows < limits.fewest_rows || best.as_ref().is_some_and(|(most, ..)| *most >= rows) {
                continue;
            }
            let Some(keys) = keys_of(other, other_key, rows, limits)? else { continue };
            best = Some((rows, at, put(side, key, &keys, depth)?));
        }
    }
    let Some((_, at, side)) = best else { return Ok(None) };
    let [left, right] = sides.map(Arc::clone);
    let children = if at == 0 { vec![side, right] } else { vec![left, side] };
    replace_children_if_necessary(Arc::clone(node), children).map(Some)
}

/// Whether rows of side `at` that match nothing leave no trace in the result.
fn may_lose_rows(join: JoinType, at: usize) -> bool {
    match join {
        JoinType::Inner | JoinType::LeftSemi | JoinType::RightSemi => true,
        JoinType::Left | JoinType::LeftAnti | JoinType::LeftMark => at == 1,
        JoinType::Right | JoinType::RightAnti | JoinType::RightMark => at == 0,
        JoinType::Full => false,
    }
}

/// Whether DataFusion filters the probe side of such a join by what it built.
fn filters_itself(join: JoinType) -> bool {
    matches!(join, JoinType::Inner | JoinType::LeftSemi | JoinType::RightSemi)
}

/// Where the rows of a key come from: what is below the exchanges, groupings and joins through which it passes, the key's
/// index there, and how many operators are above; `None` when the rows do not travel, or come from several stages.
fn travels(plan: &Arc<dyn ExecutionPlan>, key: usize) -> Option<(&Arc<dyn ExecutionPlan>, usize, usize)> {
    let (mut at, mut column, mut depth, mut exchanged) = (plan, key, 0, false);
    // Rows are best reduced above their own filters and broadcast joins.
    while !(exchanged && is_one_stage(at)) {
        let (child, below, exchange) = source::passes(at, column)?;
        (at, column, depth, exchanged) = (*at.children().get(child)?, below, depth + 1, exchanged || exchange);
    }
    Some((at, column, depth))
}

/// `plan` with only those rows `depth` operators below whose key is among `keys`.
fn put(plan: &Arc<dyn ExecutionPlan>, key: usize, keys: &Keys, depth: usize) -> Result<Arc<dyn ExecutionPlan>> {
    if depth > 0
        && let Some((child, below, _)) = source::passes(plan, key)
    {
        let mut children: Vec<_> = plan.children().into_iter().map(Arc::clone).collect();
        if let Some(input) = children.get_mut(child) {
            *input = put(input, below, keys, depth - 1)?;
        }
        return replace_children_if_necessary(Arc::clone(plan), children);
    }
    match keys {
        Keys::Few(keys) => Ok(Arc::new(semi_join(keys, 0, plan, key)?)),
        Keys::Exchange { exchange, key: own, few } => {
            let left = semi_join(exchange, *own, plan, key)?;
            let rows = if *few { estimate(&left)?.map(|(rows, _)| rows) } else { None };
            Ok(Arc::new(KeyFilterExec::new(Arc::clone(exchange), *own, Arc::clone(plan), key).estimated(rows)))
        }
    }
}

/// The rows of `plan` whose `column` is among the values of `key` in `keys`, which are broadcast.
fn semi_join(
    keys: &Arc<dyn ExecutionPlan>,
    key: usize,
    plan: &Arc<dyn ExecutionPlan>,
    column: usize,
) -> Result<HashJoinExec> {
    let expr = |plan: &Arc<dyn ExecutionPlan>, at: usize| -> Arc<dyn PhysicalExpr> {
        Arc::new(Column::new(plan.schema().field(at).name(), at))
    };
    HashJoinExec::try_new(
        Arc::clone(keys),
        Arc::clone(plan),
        vec![(expr(keys, key), expr(plan, column))],
        None,
        &JoinType::RightSemi,
        None,
        PartitionMode::CollectLeft,
        NullEquality::NullEqualsNothing,
        false,
    )
}

/// The keys that rows are reduced by.
enum Keys {
    /// A plan of nothing else, which is small and runs for this alone.
    Few(Arc<dyn ExecutionPlan>),
    /// An exchange of the plan and its column; whether it is known to be small, or only likely.
    Exchange { exchange: Arc<dyn ExecutionPlan>, key: usize, few: bool },
}

/// A plan for all values the key can have, if it is cheap, small and selective enough for `rows` rows to be reduced.
fn keys_of(plan: &Arc<dyn ExecutionPlan>, key: usize, rows: usize, limits: Limits) -> Result<Option<Keys>> {
    let shared = limits.stages && is_exchange(plan) && is_repeatable(plan);
    if shared || is_one_stage(plan) {
        let name = plan.schema().field(key).name().clone();
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(&name, key));
        let keys: Arc<dyn ExecutionPlan> = Arc::new(ProjectionExec::try_new(vec![(column, name)], Arc::clone(plan))?);
        // In one process an operator that is in the plan twice would run once: a scan gives its files to whoever asks first.
        let keys = if limits.stages { keys } else { reset_plan_states(keys)? };
        let (Some((kept, size)), Some((table, read))) = (estimate(keys.as_ref())?, base_rows(plan, key)?) else {
            return Ok(None);
        };
        let one_in = |share: usize| {
            let least = kept.saturating_mul(share);
            least <= table && least <= rows
        };
        // Reading an exchange a second time costs nothing, but each task makes a table of all the keys.
        let tasks = plan.output_partitioning().partition_count();
        let cheap =
            read <= rows.saturating_mul(READS_A_ROW) || shared && one_in(KEEPS_FOR_A_TASK.saturating_mul(tasks));
        let pays = size < limits.bytes && one_in(KEEPS_ONE_IN) && cheap;
        tracing::debug!(kept, table, rows, read, shared, pays, "keys that a join could be reduced by");
        if pays && shared {
            return Ok(Some(Keys::Exchange { exchange: Arc::clone(plan), key, few: true }));
        }
        if pays {
            let several = keys.output_partitioning().partition_count() > 1;
            let keys =
                if several { Arc::new(CoalescePartitionsExec::new(keys)) as Arc<dyn ExecutionPlan> } else { keys };
            return Ok(Some(Keys::Few(keys)));
        }
    }
    let deeper = match inner_column(plan, key) {
        Some((input, column)) => keys_of(input, column, rows, limits)?,
        None => None,
    };
    Ok(match deeper {
        None if shared && is_of_filtered_groups(plan, key) => {
            Some(Keys::Exchange { exchange: Arc::clone(plan), key, few: false })
        }
        deeper => deeper,
    })
}

#[cfg(test)]
mod tests;
