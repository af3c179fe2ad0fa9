//! Spark's functions with lambda arguments. Each file holds related ones; this one lists them.
//!
//! Types of arguments and bodies are checked by whoever builds the call; kernels see arguments that fit.

mod aggregate;
mod array;
mod flat;
mod map;
mod sort;
mod spec;

use std::sync::Arc;

use datafusion::logical_expr::HigherOrderUDF;

/// All functions with lambda arguments.
pub(crate) fn all() -> Vec<Arc<HigherOrderUDF>> {
    let groups = [array::all(), aggregate::all(), sort::all(), map::all()];
    groups.into_iter().flatten().map(spec::LambdaFn::build).collect()
}
