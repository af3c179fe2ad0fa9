//! Our own optimizer rules, beside DataFusion's: the place for what makes whole queries faster.
//!
//! Rules here work on any plan. They may not rely on Spark names, and must leave results, order and nulls as they were.

use std::sync::Arc;

use datafusion::optimizer::OptimizerRule;
use datafusion::physical_optimizer::PhysicalOptimizerRule;

/// Logical rules, run after DataFusion's own.
#[must_use]
pub fn logical() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    Vec::new()
}

/// Physical rules, run after DataFusion's own.
#[must_use]
pub fn physical() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    Vec::new()
}
