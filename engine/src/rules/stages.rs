//! Makes a physical plan say all it relies on, before it is cut into stages.
//!
//! DataFusion leaves out what follows from other parts of the same plan: a sort key that a filter fixes to one value, a
//! merge of partitions where there is only one. A task of a later stage sees its inputs as plain files and can no longer
//! conclude such things, and Ballista may give a join more partitions than it was planned with.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties, InputOrderMode, Partitioning, replace_children_if_necessary,
};

use crate::database;

/// The plan with all orders and merges written out.
///
/// # Errors
///
/// A node that refuses its new input.
pub fn explicit(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        if let Some(window) = window_of(node.as_ref())
            && let Some(sorted) = fully_sorted(node.as_ref(), window)
        {
            return Ok(Transformed::yes(replace_children_if_necessary(node, vec![sorted])?));
        }
        match merged_left(node.as_ref()).or_else(|| merged(node.as_ref())) {
            Some(children) => Ok(Transformed::yes(replace_children_if_necessary(node, children)?)),
            None => Ok(Transformed::no(node)),
        }
    })
    .data()
}

/// The first window expression of an operator that needs sorted input; all of its expressions share keys and order.
fn window_of(node: &dyn ExecutionPlan) -> Option<&Arc<dyn WindowExpr>> {
    if let Some(window) = node.downcast_ref::<WindowAggExec>() {
        return window.window_expr().first();
    }
    let window = node.downcast_ref::<BoundedWindowAggExec>()?;
    (window.input_order_mode == InputOrderMode::Sorted).then(|| window.window_expr().first())?
}

/// The input of a window operator sorted by every key and order expression, or `None` where it already is.
fn fully_sorted(node: &dyn ExecutionPlan, window: &Arc<dyn WindowExpr>) -> Option<Arc<dyn ExecutionPlan>> {
    let input = *node.children().first()?;
    let present: Vec<PhysicalSortExpr> =
        input.output_ordering().map(|o| o.iter().cloned().collect()).unwrap_or_default();
    let sort = input.downcast_ref::<SortExec>();
    let present = sort.map_or(present, |sort| sort.expr().iter().cloned().collect());
    let has = |wanted: &Arc<_>| present.iter().any(|known| known.expr.eq(wanted));
    let keys = window.partition_by();
    if keys.iter().all(has) && window.order_by().iter().all(|order| has(&order.expr)) {
        return None;
    }
    // What is missing has one value, or that of another key, wherever the rest is equal: the order stays what it was.
    let is_key = |sort: &PhysicalSortExpr| keys.iter().any(|key| key.eq(&sort.expr));
    let mut order: Vec<PhysicalSortExpr> = present.iter().filter(|known| is_key(known)).cloned().collect();
    order.extend(keys.iter().map(|key| PhysicalSortExpr::new_default(Arc::clone(key))));
    order.extend(window.order_by().iter().cloned());
    order.extend(present.iter().cloned());
    // Later repeats of an expression fall away.
    let order = LexOrdering::new(order)?;
    let below = sort.map_or_else(|| Arc::clone(input), |sort| Arc::clone(sort.input()));
    let several = below.output_partitioning().partition_count() > 1;
    let sorted = SortExec::new(order, below)
        .with_preserve_partitioning(sort.map_or(several, SortExec::preserve_partitioning))
        .with_fetch(sort.and_then(SortExec::fetch));
    Some(Arc::new(sorted))
}

/// The inputs of a join that reads its left side whole, with a merge above a left side that may grow partitions, or that each
/// task would ask a database for.
fn merged_left(node: &dyn ExecutionPlan) -> Option<Vec<Arc<dyn ExecutionPlan>>> {
    let collects = node.downcast_ref::<NestedLoopJoinExec>().is_some()
        || node.downcast_ref::<CrossJoinExec>().is_some()
        || is_collected(node);
    let children = node.children();
    let [left, right] = children.as_slice() else { return None };
    let grows = collects
        && left.output_partitioning().partition_count() == 1
        && left.downcast_ref::<CoalescePartitionsExec>().is_none()
        && left.exists(|below| Ok(is_collected(below.as_ref()) || database::is_scan(below.as_ref()))).unwrap_or(false);
    grows.then(|| vec![Arc::new(CoalescePartitionsExec::new(Arc::clone(left))) as Arc<_>, Arc::clone(right)])
}

/// The inputs of an operator that sees one partition as the whole (a final aggregate, a limit, a sort, ...), with a merge above
/// each one-partition input that may grow: a collected join that must not be broadcast becomes one of two shuffled sides.
fn merged(node: &dyn ExecutionPlan) -> Option<Vec<Arc<dyn ExecutionPlan>>> {
    if works_by_partition(node) || is_merge(node) || is_collected(node) {
        return None;
    }
    let children = node.children();
    let relies = |child: &dyn ExecutionPlan| child.output_partitioning().partition_count() == 1 && grows(child);
    children.iter().any(|child| relies(child.as_ref())).then(|| {
        let merge = |child: &Arc<dyn ExecutionPlan>| -> Arc<dyn ExecutionPlan> {
            if relies(child.as_ref()) {
                Arc::new(CoalescePartitionsExec::new(Arc::clone(child)))
            } else {
                Arc::clone(child)
            }
        };
        children.iter().map(|child| merge(child)).collect()
    })
}

/// Whether a plan may have more partitions in its stage than it says.
fn grows(plan: &dyn ExecutionPlan) -> bool {
    is_collected(plan) || works_by_partition(plan) && plan.children().iter().any(|child| grows(child.as_ref()))
}

/// Whether an operator treats each partition alike and by itself.
fn works_by_partition(node: &dyn ExecutionPlan) -> bool {
    let partial = |aggregate: &AggregateExec| *aggregate.mode() == AggregateMode::Partial;
    // Ballista takes repartitioning out of the plan, unless it is by hash, which cuts a stage.
    let dropped = |repartition: &RepartitionExec| !matches!(repartition.partitioning(), Partitioning::Hash(..));
    node.downcast_ref::<ProjectionExec>().is_some()
        || node.downcast_ref::<FilterExec>().is_some()
        || node.downcast_ref::<UnionExec>().is_some()
        || node.downcast_ref::<SortExec>().is_some_and(SortExec::preserve_partitioning)
        || node.downcast_ref::<AggregateExec>().is_some_and(partial)
        || node.downcast_ref::<RepartitionExec>().is_some_and(dropped)
}

/// Whether an operator takes any number of partitions and makes one of them, or new ones by hash.
fn is_merge(node: &dyn ExecutionPlan) -> bool {
    node.downcast_ref::<CoalescePartitionsExec>().is_some()
        || node.downcast_ref::<SortPreservingMergeExec>().is_some()
        || node.downcast_ref::<RepartitionExec>().is_some()
}

fn is_collected(node: &dyn ExecutionPlan) -> bool {
    node.downcast_ref::<HashJoinExec>().is_some_and(|join| *join.partition_mode() == PartitionMode::CollectLeft)
}

#[cfg(test)]
mod tests {
    use datafusion::physical_plan::displayable;
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::explicit;

    async fn planned(sql: &str) -> String {
        let config = SessionConfig::new().with_target_partitions(3).with_round_robin_repartition(false);
        let context = SessionContext::new_with_config(config);
        let table = "create table t(k int, a int, b int) as values (1, 1, 1), (1, 2, 2), (2, 1, 1)";
        context.sql(table).await.unwrap().collect().await.unwrap();
        let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        displayable(explicit(plan).unwrap().as_ref()).indent(false).to_string()
    }

    #[tokio::test]
    async fn a_key_that_a_filter_fixes_is_sorted_by_all_the_same() {
        let plan = planned("select sum(b) over (partition by k order by a) from t where k = 1").await;
        assert!(plan.contains("expr=[k@0 ASC, a@1 ASC NULLS LAST]"), "{plan}");
        let plan = planned("select sum(b) over (partition by k order by a) from t").await;
        assert_eq!(plan.matches("SortExec").count(), 1, "{plan}");
    }
    #[tokio::test]
    async fn an_aggregate_of_all_rows_merges_a_join_that_may_be_shuffled() {
        for from in
            ["where not exists (select 1 from t x where x.k = t.a)", "left join t x on x.k = t.a where x.b is null"]
        {
            let plan = planned(&format!("select count(*) from t {from}")).await;
            let merge = plan.find("CoalescePartitionsExec").unwrap_or(usize::MAX);
            assert!(plan.contains("CollectLeft") && merge < plan.find("HashJoinExec").unwrap(), "{plan}");
        }
    }
}
