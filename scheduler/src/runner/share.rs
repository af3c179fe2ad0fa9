//! One stage for what a plan asks for twice: of equal exchanges only the first is made, the others read its output.
//!
//! ```text
//! HashJoin                                HashJoin
//!   Repartition: hash(k)                    Repartition: hash(k)       <- stage 1
//!     Filter, lineitem                        Filter, lineitem
//!   Repartition: hash(k)            =>      UnresolvedShuffle: stage 1
//!     HashJoin(CollectLeft)                 ...
//!       Repartition: hash(k)
//!         Filter, lineitem
//! ```
//!
//! Spark calls it exchange reuse (`spark.sql.exchange.reuse`). Ballista numbers stages as it cuts them and takes leaves as
//! they are, so the plan handed to it may hold a leaf that reads a stage yet to be cut. Which number that stage gets is
//! learned by cutting a copy in which it is marked. It knows what plans say, and nothing of jobs.
//!
//! Filters by keys read the output of an exchange that the plan has anyway; of them no exchange is ever made.

mod equal;
mod filters;
mod mark;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ballista_core::JobId;
use ballista_core::execution_plans::UnresolvedShuffleExec;
use ballista_scheduler::planner::{DefaultDistributedPlanner, DistributedPlanner};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning, replace_children_if_necessary};
use firesteel_engine::as_is::AsIsExec;
use firesteel_engine::rules::reduction;

use filters::{Detached, Source};
use mark::MarkExec;

/// Exchanges in the order in which the plan is walked.
type Exchanges = Vec<Arc<dyn ExecutionPlan>>;

/// What becomes of an exchange, in the order in which the plan is walked; those below a `Reader` are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It is made, for itself or for others as well.
    Maker,
    /// It reads what the maker with this place made.
    Reader(usize),
}

impl Role {
    fn read(&self) -> Option<usize> {
        match self {
            Self::Reader(maker) => Some(*maker),
            Self::Maker => None,
        }
    }
}

/// What becomes of all exchanges.
struct Roles {
    roles: Vec<Role>,
    /// The exchanges themselves.
    makers: Exchanges,
    /// Which of them makes the keys of each source of filters; `None` where none does.
    of_sources: Vec<Option<usize>>,
}

/// The plan with every exchange made once.
///
/// # Errors
/// When an operator cannot be rebuilt or the plan cannot be cut into stages.
pub(super) fn shared(plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
    let Detached { plan, sources } = filters::detached(plan)?;
    let Roles { roles, makers, of_sources } = roles(&plan, &sources)?;
    let read: HashSet<usize> =
        roles.iter().filter_map(Role::read).chain(of_sources.iter().flatten().copied()).collect();
    if read.is_empty() {
        return filters::attached(plan, &|_| None);
    }
    // No stage has this number; it only has to be one.
    let marked = rewritten(Arc::clone(&plan), &roles, &makers, &|_| usize::MAX, Some(&read))?;
    let stages = stage_ids(marked, options)?;
    if !roles.iter().filter_map(Role::read).all(|maker| stages.contains_key(&maker)) {
        tracing::warn!("stages that could be shared were not found; each is run by itself");
        return filters::attached(plan, &|_| None);
    }
    let stage = |maker: usize| stages.get(&maker).copied().unwrap_or(usize::MAX);
    let shared = rewritten(plan, &roles, &makers, &stage, None)?;
    let shared = filters::attached(shared, &|source| {
        let maker = (*of_sources.get(source)?)?;
        Some((*stages.get(&maker)?, Arc::clone(makers.get(maker)?)))
    })?;
    tracing::debug!(stages = ?stages, "exchanges are shared");
    Ok(shared)
}

/// An exchange by hash.
fn exchange(node: &Arc<dyn ExecutionPlan>) -> Option<&RepartitionExec> {
    let repartition = node.downcast_ref::<RepartitionExec>()?;
    matches!(repartition.partitioning(), Partitioning::Hash(..)).then_some(repartition)
}

/// The role of each exchange, and which makes the keys of filters.
fn roles(plan: &Arc<dyn ExecutionPlan>, sources: &[Source]) -> Result<Roles> {
    let shapes = shapes(plan)?;
    let (mut roles, mut makers) = (Vec::new(), Exchanges::new());
    let mut of_sources = vec![None; sources.len()];
    let mut texts: HashMap<usize, Option<String>> = HashMap::new();
    plan.apply(|node| {
        if exchange(node).is_none() {
            return Ok(TreeNodeRecursion::Continue);
        }
        let (place, mut role) = (makers.len(), Role::Maker);
        let shape = equal::shape(node);
        // Writing a plan down takes time: only what looks alike is compared so.
        let alike = shapes.get(&shape).is_some_and(|count| *count > 1) || sources.iter().any(|s| s.shape == shape);
        if alike && reduction::is_repeatable(node) {
            let text = equal::text(node);
            let same = |at: &usize| text.is_some() && texts.get(at) == Some(&text);
            role = (0..place).find(same).map_or(Role::Maker, Role::Reader);
            for (maker, source) in of_sources.iter_mut().zip(sources) {
                if maker.is_none() && text.as_ref() == Some(&source.text) {
                    *maker = Some(place);
                }
            }
            texts.insert(place, text);
        }
        roles.push(role);
        makers.push(Arc::clone(node));
        Ok(if role == Role::Maker { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Jump })
    })?;
    Ok(Roles { roles, makers, of_sources })
}

/// How often each shape of an exchange is there.
fn shapes(plan: &Arc<dyn ExecutionPlan>) -> Result<HashMap<String, usize>> {
    let mut shapes = HashMap::new();
    plan.apply(|node| {
        if exchange(node).is_some() {
            *shapes.entry(equal::shape(node)).or_default() += 1;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(shapes)
}

/// The plan with readers in place of exchanges that are made elsewhere, and with marks in those that are `marked`.
fn rewritten(
    plan: Arc<dyn ExecutionPlan>,
    roles: &[Role],
    makers: &[Arc<dyn ExecutionPlan>],
    stage: &dyn Fn(usize) -> usize,
    marked: Option<&HashSet<usize>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let mut place = 0;
    plan.transform_down(|node| {
        let Some(repartition) = exchange(&node) else { return Ok(Transformed::no(node)) };
        let here = place;
        place += 1;
        match roles.get(here) {
            Some(Role::Reader(maker)) => {
                let Some(made) = makers.get(*maker) else { return Ok(Transformed::no(node)) };
                Ok(Transformed::new(reader(&node, made, stage(*maker))?, true, TreeNodeRecursion::Jump))
            }
            Some(Role::Maker) if marked.is_some_and(|marked| marked.contains(&here)) => {
                let input: Arc<dyn ExecutionPlan> = Arc::new(MarkExec::new(here, Arc::clone(repartition.input())));
                Ok(Transformed::yes(replace_children_if_necessary(node, vec![input])?))
            }
            _ => Ok(Transformed::no(node)),
        }
    })
    .data()
}

/// Reads the stage that `made` becomes, under the names of `node`.
fn reader(
    node: &Arc<dyn ExecutionPlan>,
    made: &Arc<dyn ExecutionPlan>,
    stage: usize,
) -> Result<Arc<dyn ExecutionPlan>> {
    let (schema, ours, partitioning) = (made.schema(), node.schema(), made.output_partitioning().clone());
    let mut leaf: Arc<dyn ExecutionPlan> =
        Arc::new(UnresolvedShuffleExec::new(stage, Arc::clone(&schema), partitioning));
    // A side of a join is broadcast only if it is known to be small.
    let known = StatisticsContext::new().compute(made.as_ref(), &StatisticsArgs::new())?;
    if let Some(rows) = known.num_rows.get_value() {
        leaf = Arc::new(AsIsExec::estimated(leaf, *rows));
    }
    if schema == ours {
        return Ok(leaf);
    }
    let names = schema.fields().iter().zip(ours.fields().iter()).enumerate();
    let exprs = names.map(|(at, (made, our))| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(made.name(), at));
        (column, our.name().clone())
    });
    Ok(Arc::new(ProjectionExec::try_new(exprs.collect::<Vec<_>>(), leaf)?))
}

/// The numbers of the stages that write marked exchanges, by mark.
fn stage_ids(marked: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<HashMap<usize, usize>> {
    let failed = |error: ballista_core::error::BallistaError| DataFusionError::External(Box::new(error));
    let job = JobId::new("numbering");
    let stages = DefaultDistributedPlanner::new().plan_query_stages(&job, marked, options).map_err(failed)?;
    let mut ids = HashMap::new();
    for stage in stages {
        let top = stage.children().first().map(|input| Arc::clone(input));
        if let Some(mark) = top.as_ref().and_then(|input| input.downcast_ref::<MarkExec>()) {
            ids.insert(mark.place(), stage.stage_id());
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests;
