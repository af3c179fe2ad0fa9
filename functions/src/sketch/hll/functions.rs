//! `hll_sketch_estimate` and `hll_union`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int64Array};
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};

use super::Hll;
use crate::error::ErrorKind;
use crate::scalar::coerce::Arg;
use crate::scalar::read::{bins, fail};
use crate::scalar::spec::{Call, Ret, SparkFn, f};
use crate::sketch::types::{Kind, strict};

/// `HLL_INVALID_INPUT_SKETCH_BUFFER`.
pub(super) fn invalid(function: &str) -> DataFusionError {
    fail(ErrorKind::Runtime, "HLL_INVALID_INPUT_SKETCH_BUFFER", &[("function", &format!("`{function}`"))])
}

/// `HLL_UNION_DIFFERENT_LG_K`.
pub(super) fn different(function: &str, left: u8, right: u8) -> DataFusionError {
    let parameters = [("left", left.to_string()), ("right", right.to_string()), ("function", format!("`{function}`"))];
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(key, value)| (*key, value.as_str())).collect();
    fail(ErrorKind::Runtime, "HLL_UNION_DIFFERENT_LG_K", &parameters)
}

/// `hll_sketch_estimate(sketch)`: a null sketch gives null; other bytes fail with `HLL_INVALID_INPUT_SKETCH_BUFFER`.
fn estimate(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let one = |bytes: &[u8]| -> Result<i64> {
        let sketch = Hll::read(bytes).ok_or_else(|| invalid(call.name))?;
        Ok((sketch.estimate() + 0.5).floor() as i64)
    };
    Ok(Arc::new(bins(args, 0)?.iter().map(|bytes| bytes.map(one).transpose()).collect::<Result<Int64Array>>()?))
}

/// `hll_union(left, right[, allowDifferentLgConfigK])`: sketches of different sizes fail unless allowed.
fn union(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let allow = args.get(2).and_then(|flag| flag.as_boolean_opt());
    let allowed = |row: usize| allow.is_some_and(|flags| flags.is_valid(row) && flags.value(row));
    let null_flag = |row: usize| allow.is_some_and(|flags| flags.is_null(row));
    let read = |bytes: &[u8]| Hll::read(bytes).ok_or_else(|| invalid(call.name));
    let out = bins(args, 0)?
        .iter()
        .zip(bins(args, 1)?)
        .enumerate()
        .map(|(row, pair)| {
            let (Some(left), Some(right)) = pair else { return Ok(None) };
            if null_flag(row) {
                return Ok(None);
            }
            let (left, right) = (read(left)?, read(right)?);
            if left.lg_k != right.lg_k && !allowed(row) {
                return Err(different(call.name, left.lg_k, right.lg_k));
            }
            let mut made = Hll::new(left.lg_k.min(right.lg_k));
            made.unite(&left, false);
            made.unite(&right, false);
            Ok(Some(made.bytes()))
        })
        .collect::<Result<Vec<Option<Vec<u8>>>>>()?;
    Ok(Arc::new(BinaryArray::from_iter(out)))
}

/// The scalar functions on HLL sketches.
pub(in crate::sketch) fn all() -> Vec<SparkFn> {
    const ONE: &[Arg] = &[Arg::Any];
    const THREE: &[Arg] = &[Arg::Any, Arg::Any, Arg::Any];
    vec![
        f("hll_sketch_estimate", ONE, Ret::Is(DataType::Int64), estimate)
            .coerce(|types| strict("hll_sketch_estimate", &[Kind::Bin], types)),
        f("hll_union", THREE, Ret::Is(DataType::Binary), union)
            .min(2)
            .coerce(|types| strict("hll_union", &[Kind::Bin, Kind::Bin, Kind::Bool], types)),
    ]
}
