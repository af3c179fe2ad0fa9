//! Loops over two arrays: with errors, with wraparound, or with NULL where there is no answer.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow::compute;

use crate::cast::{CastMode, primitive};
use crate::error::{SparkError, SparkResult};
use crate::types::DataType;

/// Applies `f`; where it has no answer the result is `error` in ANSI mode and NULL in the others.
pub(super) fn checked<L: ArrowPrimitiveType, R: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    left: &dyn Array,
    right: &dyn Array,
    result: &DataType,
    mode: CastMode,
    f: impl Fn(L::Native, R::Native) -> Option<O::Native>,
    error: impl Fn(L::Native, R::Native) -> SparkError,
) -> SparkResult<ArrayRef> {
    let (left, right) = (primitive::<L>(left)?, primitive::<R>(right)?);
    let values: PrimitiveArray<O> = if mode == CastMode::Ansi {
        compute::try_binary(left, right, |l, r| f(l, r).ok_or_else(|| error(l, r).into()))?
    } else {
        let pairs = left.iter().zip(right.iter());
        pairs.map(|(l, r)| l.zip(r).and_then(|(l, r)| f(l, r))).collect()
    };
    Ok(Arc::new(values.with_data_type(result.to_arrow())))
}

/// Applies `f`, which has an answer for every pair.
pub(super) fn total<L: ArrowPrimitiveType, R: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    left: &dyn Array,
    right: &dyn Array,
    result: &DataType,
    f: impl Fn(L::Native, R::Native) -> O::Native,
) -> SparkResult<ArrayRef> {
    let values: PrimitiveArray<O> = compute::binary(primitive::<L>(left)?, primitive::<R>(right)?, f)?;
    Ok(Arc::new(values.with_data_type(result.to_arrow())))
}
