//! Spark's scalar functions. Each file holds related ones; this one lists them.

mod absolute;
mod aes;
pub(crate) mod array;
mod array_build;
pub(crate) mod array_types;
mod base32;
pub(crate) mod base64;
mod binary_text;
pub(crate) mod bitmap;
mod bits;
mod char_text;
mod charset;
mod clock;
pub(crate) mod coerce;
mod conditional;
mod csv;
mod date;
pub(crate) mod datum;
pub(crate) mod document;
mod element;
mod format_string;
pub(crate) mod hash;
mod hmac;
mod interval;
pub(crate) mod json;
pub(crate) mod map;
mod map_order;
mod mask;
mod math;
mod number;
mod random;
pub(crate) mod read;
mod regexp;
mod regexp_replace;
pub(crate) mod reshape;
mod sentences;
mod session;
mod similarity;
pub(crate) mod spec;
mod split;
mod string;
mod string_case;
mod string_edit;
mod string_join;
mod string_length;
mod string_part;
mod string_trim;
#[cfg(test)]
mod tests;
mod time_window;
mod unix;
mod url;
pub(crate) mod variant;
pub(crate) mod vector;
mod xml;
mod xxhash;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

/// All scalar functions.
pub(crate) fn all() -> Vec<Arc<ScalarUDF>> {
    let groups = [
        string::all(),
        format_string::all(),
        string_edit::all(),
        string_case::all(),
        string_join::all(),
        string_length::all(),
        string_part::all(),
        string_trim::all(),
        mask::all(),
        sentences::all(),
        charset::all(),
        binary_text::all(),
        regexp::all(),
        regexp_replace::all(),
        split::all(),
        math::all(),
        absolute::all(),
        number::all(),
        array::all(),
        array_build::all(),
        base32::all(),
        bitmap::all(),
        bits::all(),
        char_text::all(),
        conditional::all(),
        clock::all(),
        date::all(),
        interval::all(),
        time_window::all(),
        unix::all(),
        url::all(),
        hash::all(),
        hmac::all(),
        aes::all(),
        similarity::all(),
        json::all(),
        variant::all(),
        vector::all(),
        csv::all(),
        xml::all(),
        random::all(),
        session::all(),
        element::all(),
        map::all(),
        map_order::all(),
        reshape::all(),
        crate::sketch::functions(),
        crate::geo::functions(),
    ];
    groups.into_iter().flatten().flat_map(spec::SparkFn::build).collect()
}
