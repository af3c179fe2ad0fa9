//! Our own optimizer rules, beside DataFusion's: the place for what makes whole queries faster.
//!
//! Rules here work on any plan. They may not rely on Spark names, and must leave results, order and nulls as they were.

mod barrier;
mod columns;
mod database;
mod dimension;
mod estimate;
mod layout;
pub mod names;
mod narrow;
mod not_in;
mod order;
mod recursion;
pub mod reduction;
mod seen_sort;
mod semi_join;
pub mod shuffle;
pub mod stages;
mod task;
mod task_limit;
mod unnest;

use std::sync::Arc;

use datafusion::optimizer::{AnalyzerRule, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;

/// Rules run before DataFusion's own analysis.
#[must_use]
pub fn analysis() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    vec![
        Arc::new(unnest::Unnest),
        Arc::new(barrier::Barrier),
        Arc::new(seen_sort::KeepSeenSort),
        Arc::new(task_limit::KeepTasks),
        Arc::new(names::ShortNames),
    ]
}

/// Logical rules, run after DataFusion's own.
#[must_use]
pub fn logical() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    vec![Arc::new(recursion::LimitRecursion), Arc::new(not_in::PlainNotIn), Arc::new(semi_join::PushDownSemiJoin)]
}

/// Physical rules, run before DataFusion's own, which choose the sides of joins and how rows are spread.
#[must_use]
pub fn physical_first() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    vec![Arc::new(estimate::EstimateFilters), Arc::new(dimension::PushDownDimension)]
}

/// Physical rules, run after DataFusion's own.
#[must_use]
pub fn physical() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    vec![
        Arc::new(layout::PlaceLayouts),
        Arc::new(database::AskDatabase),
        Arc::new(narrow::NarrowSinks),
        Arc::new(order::KeepOrder),
        Arc::new(task::InsertTasks),
    ]
}
