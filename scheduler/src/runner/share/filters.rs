//! Filters by keys: each reads, whole and in every task, the output of an exchange that the plan has elsewhere.
//!
//! While roles are given to exchanges a leaf stands for the keys of a filter, so that they are never made for it alone. A
//! filter whose exchange is not found is left out: the join above drops what it would have dropped.

use std::sync::Arc;

use ballista_core::execution_plans::UnresolvedShuffleExec;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, replace_children_if_necessary};
use firesteel_engine::key_filter::KeyFilterExec;

use super::equal;

/// A plan whose filters have leaves for keys, and what these stand for.
pub(super) struct Detached {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) sources: Vec<Source>,
}

/// An exchange that makes keys, as it is recognised.
pub(super) struct Source {
    pub(super) shape: String,
    pub(super) text: String,
}

/// The plan with a leaf in place of the keys of each filter; equal keys have equal leaves. Filters whose keys cannot be
/// recognised are left out.
pub(super) fn detached(plan: Arc<dyn ExecutionPlan>) -> Result<Detached> {
    let mut sources: Vec<Source> = Vec::new();
    // From below, so that filters within the keys of a filter already have their leaves.
    let plan = plan.transform_up(|node| {
        let Some(filter) = node.downcast_ref::<KeyFilterExec>() else { return Ok(Transformed::no(node)) };
        let (keys, input) = (filter.keys(), Arc::clone(filter.input()));
        let Some(text) = equal::text(keys) else { return Ok(Transformed::yes(input)) };
        let place = sources.iter().position(|source| source.text == text).unwrap_or_else(|| {
            sources.push(Source { shape: equal::shape(keys), text });
            sources.len() - 1
        });
        let partitions = keys.output_partitioning().partition_count();
        let leaf = Arc::new(UnresolvedShuffleExec::new_broadcast(number(place), keys.schema(), partitions));
        Ok(Transformed::yes(replace_children_if_necessary(node, vec![leaf, input])?))
    });
    Ok(Detached { plan: plan.data()?, sources })
}

/// The plan with the leaves reading the stage that `made` says their exchange becomes; filters without one are left out.
pub(super) fn attached(
    plan: Arc<dyn ExecutionPlan>,
    made: &dyn Fn(usize) -> Option<(usize, Arc<dyn ExecutionPlan>)>,
) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        let Some(filter) = node.downcast_ref::<KeyFilterExec>() else { return Ok(Transformed::no(node)) };
        let input = Arc::clone(filter.input());
        let place = filter.keys().downcast_ref::<UnresolvedShuffleExec>().map(|leaf| number(leaf.stage_id));
        let Some((stage, exchange)) = place.and_then(made) else { return Ok(Transformed::yes(input)) };
        let partitions = exchange.output_partitioning().partition_count();
        let leaf = Arc::new(UnresolvedShuffleExec::new_broadcast(stage, exchange.schema(), partitions));
        Ok(Transformed::yes(replace_children_if_necessary(node, vec![leaf, input])?))
    })
    .data()
}

/// The number of the stage that stands for a source, and back: from the far end, where no stage is.
fn number(place: usize) -> usize {
    (usize::MAX - 1).wrapping_sub(place)
}
