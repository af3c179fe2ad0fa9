//! Spark's scalar functions. Each file holds related ones; this one lists them.

mod array;
mod array_build;
mod bits;
pub(crate) mod coerce;
mod conditional;
mod date;
mod element;
mod hash;
mod json;
mod map;
mod math;
pub(crate) mod read;
mod regexp;
mod session;
pub(crate) mod spec;
mod string;
mod string_edit;
#[cfg(test)]
mod tests;
mod unix;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

/// All scalar functions.
pub(crate) fn all() -> Vec<Arc<ScalarUDF>> {
    let groups = [
        string::all(),
        string_edit::all(),
        regexp::all(),
        math::all(),
        array::all(),
        array_build::all(),
        bits::all(),
        conditional::all(),
        date::all(),
        unix::all(),
        hash::all(),
        json::all(),
        session::all(),
        element::all(),
        map::all(),
    ];
    groups.into_iter().flatten().flat_map(spec::SparkFn::build).collect()
}
