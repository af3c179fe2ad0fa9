//! Sketches: small summaries of many values that can be merged, in the serialised forms of Apache DataSketches.
//!
//! Their functions live beside them. Nothing here knows sessions or plans; a sketch travels as the bytes users see.

mod count_min;
mod hll;
mod items;
mod kll;
mod murmur;
mod sample;
pub(crate) mod state;
mod theta;
mod tuple;
mod types;

use crate::aggregate::spec::Agg;
use crate::scalar::spec::SparkFn;

/// The scalar functions on sketches.
pub(crate) fn functions() -> Vec<SparkFn> {
    let groups = [hll::functions(), theta::functions(), kll::functions(), tuple::functions(), items::functions()];
    groups.into_iter().flatten().collect()
}

/// The aggregates that make and merge sketches.
pub(crate) fn aggregates() -> Vec<Agg> {
    let groups = [
        hll::aggregates(),
        theta::aggregates(),
        kll::aggregates(),
        tuple::aggregates(),
        items::aggregates(),
        count_min::aggregates(),
    ];
    groups.into_iter().flatten().collect()
}
