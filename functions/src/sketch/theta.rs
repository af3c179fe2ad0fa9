//! The theta sketch of DataSketches: distinct values that can be united, intersected and subtracted.
//!
//! <https://datasketches.apache.org/docs/Theta/ThetaSketches.html>

mod aggregates;
mod bytes;
mod functions;

pub(super) use aggregates::all as aggregates;
pub(super) use bytes::{array, read};
pub(super) use functions::all as functions;

use datafusion::common::{DataFusionError, Result};

use super::sample::Sample;
use crate::error::ErrorKind;
use crate::scalar::read::fail;

/// Least and greatest base-2 logarithm of the nominal number of hashes.
const LG: std::ops::RangeInclusive<i32> = 4..=26;
/// Its default.
pub(super) const DEFAULT_LG: i32 = 12;

/// A theta sketch has no summaries.
pub(super) type Theta = Sample<()>;

/// `THETA_INVALID_INPUT_SKETCH_BUFFER`.
pub(super) fn invalid(function: &str) -> DataFusionError {
    fail(ErrorKind::Runtime, "THETA_INVALID_INPUT_SKETCH_BUFFER", &[("function", &format!("`{function}`"))])
}

/// Checks the nominal number of hashes: `SKETCH_INVALID_LG_NOM_ENTRIES`.
pub(super) fn nominal(function: &str, lg: i32) -> Result<u8> {
    if LG.contains(&lg) {
        return Ok(lg as u8);
    }
    let (function, value) = (format!("`{function}`"), lg.to_string());
    let parameters = [("function", function.as_str()), ("min", "4"), ("max", "26"), ("value", value.as_str())];
    Err(fail(ErrorKind::Runtime, "SKETCH_INVALID_LG_NOM_ENTRIES", &parameters))
}
