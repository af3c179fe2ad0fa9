//! Spark's aggregate functions. Each file holds related ones; this one lists them.

mod adapt;
mod approx;
mod average;
mod bitmap;
mod builtin;
mod by_double;
pub(crate) mod collect;
mod correlation;
mod extreme;
mod first;
mod float_extreme;
mod histogram;
mod maxby;
mod moments;
mod percentile;
mod rows;
pub(crate) mod spec;
mod sum;
mod text;
mod union;
mod vector;

use std::sync::Arc;

pub use approx::precision as approx_count_distinct_precision;
pub(crate) use by_double::to_doubles;

use datafusion::logical_expr::AggregateUDF;

/// Suffix of the variant used when ANSI mode is off.
pub(crate) const LEGACY: &str = "__legacy";

/// All aggregate functions.
pub(crate) fn all() -> Vec<Arc<AggregateUDF>> {
    let groups = [
        builtin::all(),
        sum::all(),
        average::all(),
        first::all(),
        collect::all(),
        union::all(),
        histogram::all(),
        percentile::all(),
        maxby::all(),
        moments::all(),
        correlation::all(),
        text::all(),
        approx::all(),
        bitmap::all(),
        vector::all(),
        crate::sketch::aggregates(),
        crate::scalar::variant::aggregates(),
    ];
    groups.into_iter().flatten().flat_map(spec::Agg::build).collect()
}
