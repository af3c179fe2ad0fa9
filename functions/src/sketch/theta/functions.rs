//! `theta_sketch_estimate`, `theta_union`, `theta_intersection`, `theta_difference`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, Int64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::bytes::{read, write};
use super::{DEFAULT_LG, Theta, invalid, nominal};
use crate::scalar::coerce::Arg;
use crate::scalar::read::{bins, ints};
use crate::scalar::spec::{Call, Ret, SparkFn, f};
use crate::sketch::sample::Union;
use crate::sketch::types::{Kind, strict};

/// `theta_sketch_estimate(sketch)`: bytes that are no sketch fail with `THETA_INVALID_INPUT_SKETCH_BUFFER`.
fn estimate(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let one = |bytes: &[u8]| -> Result<i64> {
        let sketch = read(bytes).ok_or_else(|| invalid(call.name))?;
        Ok((sketch.estimate() + 0.5).floor() as i64)
    };
    Ok(Arc::new(bins(args, 0)?.iter().map(|bytes| bytes.map(one).transpose()).collect::<Result<Int64Array>>()?))
}

fn pairs(
    call: &Call<'_>,
    args: &[ArrayRef],
    work: impl Fn(usize, &Theta, &Theta) -> Result<Option<Theta>>,
) -> Result<ArrayRef> {
    let sketch = |bytes: &[u8]| read(bytes).ok_or_else(|| invalid(call.name));
    let out = bins(args, 0)?
        .iter()
        .zip(bins(args, 1)?)
        .enumerate()
        .map(|(row, pair)| {
            let (Some(left), Some(right)) = pair else { return Ok(None) };
            Ok(work(row, &sketch(left)?, &sketch(right)?)?.map(|made| write(&made)))
        })
        .collect::<Result<Vec<Option<Vec<u8>>>>>()?;
    Ok(Arc::new(BinaryArray::from_iter(out)))
}

/// `theta_union(left, right[, lgNomEntries])`: values in either.
fn union(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let sizes = if args.len() > 2 { Some(ints(args, 2)?) } else { None };
    pairs(call, args, |row, left, right| {
        let lg = match sizes {
            Some(sizes) if sizes.is_null(row) => return Ok(None),
            Some(sizes) => sizes.value(row),
            None => DEFAULT_LG,
        };
        let mut made = Union::new(nominal(call.name, lg)?);
        made.add(left, |(), ()| ());
        made.add(right, |(), ()| ());
        Ok(Some(made.result()))
    })
}

/// The scalar functions on theta sketches; a null argument gives null.
pub(in crate::sketch) fn all() -> Vec<SparkFn> {
    const ONE: &[Arg] = &[Arg::Any];
    const TWO: &[Arg] = &[Arg::Any, Arg::Any];
    const THREE: &[Arg] = &[Arg::Any, Arg::Any, Arg::Any];
    let binary = || Ret::Is(DataType::Binary);
    vec![
        f("theta_sketch_estimate", ONE, Ret::Is(DataType::Int64), estimate)
            .coerce(|types| strict("theta_sketch_estimate", &[Kind::Bin], types)),
        f("theta_union", THREE, binary(), union)
            .min(2)
            .coerce(|types| strict("theta_union", &[Kind::Bin, Kind::Bin, Kind::Int], types)),
        // theta_intersection(left, right): values in both.
        f("theta_intersection", TWO, binary(), |call, args| {
            pairs(call, args, |_, left, right| Ok(Some(left.both(right, |(), ()| ()))))
        })
        .coerce(|types| strict("theta_intersection", &[Kind::Bin, Kind::Bin], types)),
        // theta_difference(left, right): values in the first only.
        f("theta_difference", TWO, binary(), |call, args| {
            pairs(call, args, |_, left, right| Ok(Some(left.without(right))))
        })
        .coerce(|types| strict("theta_difference", &[Kind::Bin, Kind::Bin], types)),
    ]
}
