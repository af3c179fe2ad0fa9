//! Loops over two arrays: with errors, with wraparound, or with NULL where there is no answer. One of the arrays may have a
//! single row, which then meets every row of the other.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::compute;

use crate::cast::{CastMode, primitive};
use crate::error::{SparkError, SparkResult};
use crate::types::DataType;

/// Applies `f`, which is cheap and also tells whether it fails; then the result is `error` in ANSI mode and NULL in the others.
///
/// Hardly a batch has a row that fails, so all are computed first without a branch, those of nulls too. Only when one fails the
/// rows are looked at one by one. What is left of the cost of ANSI mode is to remember that one has failed.
pub(super) fn checked<L: ArrowPrimitiveType, R: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    left: &dyn Array,
    right: &dyn Array,
    result: &DataType,
    mode: CastMode,
    f: impl Fn(L::Native, R::Native) -> (O::Native, bool),
    error: impl Fn(L::Native, R::Native) -> SparkError,
) -> SparkResult<ArrayRef> {
    let mut any = false;
    let values: PrimitiveArray<O> = pairs(primitive::<L>(left)?, primitive::<R>(right)?, |l, r| {
        let (value, fails) = f(l, r);
        any |= fails;
        value
    });
    if !any {
        return Ok(Arc::new(values.with_data_type(result.to_arrow())));
    }
    let answer = |l, r| {
        let (value, fails) = f(l, r);
        (!fails).then_some(value)
    };
    by_row::<L, R, O>(left, right, result, mode, answer, error)
}

/// Applies `f` only where no side is null; where it has no answer the result is `error` in ANSI mode and NULL in the others.
pub(super) fn by_row<L: ArrowPrimitiveType, R: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    left: &dyn Array,
    right: &dyn Array,
    result: &DataType,
    mode: CastMode,
    f: impl Fn(L::Native, R::Native) -> Option<O::Native>,
    error: impl Fn(L::Native, R::Native) -> SparkError,
) -> SparkResult<ArrayRef> {
    let (left, right) = (primitive::<L>(left)?, primitive::<R>(right)?);
    let (left, right) = (&repeated(left, right.len()), &repeated(right, left.len()));
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
    let values: PrimitiveArray<O> = pairs(primitive::<L>(left)?, primitive::<R>(right)?, f);
    Ok(Arc::new(values.with_data_type(result.to_arrow())))
}

/// `f` of every pair, also of what stands under nulls; null where a side is.
pub(crate) fn pairs<L: ArrowPrimitiveType, R: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    left: &PrimitiveArray<L>,
    right: &PrimitiveArray<R>,
    mut f: impl FnMut(L::Native, R::Native) -> O::Native,
) -> PrimitiveArray<O> {
    let (lefts, rights) = (left.values(), right.values());
    let values: Vec<O::Native> = match (&**lefts, &**rights) {
        ([left], [_, _, ..] | []) => rights.iter().map(|right| f(*left, *right)).collect(),
        ([_, _, ..] | [], [right]) => lefts.iter().map(|left| f(*left, *right)).collect(),
        (lefts, rights) => lefts.iter().zip(rights).map(|(left, right)| f(*left, *right)).collect(),
    };
    let (left, right) = (nulls(left, values.len()), nulls(right, values.len()));
    PrimitiveArray::new(values.into(), NullBuffer::union(left.as_ref(), right.as_ref()))
}

fn nulls<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, rows: usize) -> Option<NullBuffer> {
    match array.len() == rows {
        true => array.nulls().cloned(),
        false => (array.null_count() > 0).then(|| NullBuffer::new_null(rows)),
    }
}

fn repeated<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, rows: usize) -> PrimitiveArray<T> {
    if array.len() != 1 || rows == 1 {
        return array.clone();
    }
    match array.is_null(0) {
        true => PrimitiveArray::new_null(rows),
        false => PrimitiveArray::from_value(array.value(0), rows),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int32Array};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn add(left: &Int32Array, right: &Int32Array, mode: CastMode) -> SparkResult<Int32Array> {
        let error = |l: i32, r: i32| SparkError::internal(format!("{l} {r}"));
        let sum = checked::<Int32Type, Int32Type, Int32Type>(
            left,
            right,
            &DataType::Integer,
            mode,
            i32::overflowing_add,
            error,
        )?;
        Ok(sum.as_primitive::<Int32Type>().clone())
    }

    #[test]
    fn all_at_once_and_one_by_one_agree() {
        let full = Int32Array::from(vec![Some(1), None, Some(i32::MAX), Some(-7), None, Some(5)]);
        let other = Int32Array::from(vec![Some(i32::MAX), Some(3), Some(1), None, None, Some(6)]);
        for start in 0..6 {
            for length in 0..=6 - start {
                let (left, right) = (full.slice(start, length), other.slice(start, length));
                let wanted: Vec<Option<i32>> =
                    left.iter().zip(&right).map(|(l, r)| l.zip(r).and_then(|(l, r)| l.checked_add(r))).collect();
                assert_eq!(add(&left, &right, CastMode::Try).unwrap(), Int32Array::from(wanted));
                let first =
                    left.iter().zip(&right).filter_map(|(l, r)| l.zip(r)).find(|(l, r)| l.checked_add(*r).is_none());
                match (add(&left, &right, CastMode::Ansi), first) {
                    (Ok(_), None) => {}
                    (Err(error), Some((l, r))) => assert!(error.message().contains(&format!("{l} {r}"))),
                    (found, first) => panic!("{found:?} for {first:?}"),
                }
            }
        }
        // An overflow of what stands under a null is none.
        let hidden = Int32Array::new(vec![i32::MAX, 4].into(), Some(NullBuffer::from(vec![false, true])));
        assert_eq!(
            add(&hidden, &Int32Array::from(vec![1, 2]), CastMode::Ansi).unwrap(),
            Int32Array::from(vec![None, Some(6)])
        );
    }

    #[test]
    fn a_single_row_meets_every_row() {
        let rows = Int32Array::from(vec![Some(1), None, Some(i32::MAX)]);
        for (one, wanted) in [(Some(2), vec![Some(3), None, None]), (None, vec![None, None, None])] {
            let one = Int32Array::from(vec![one]);
            let wanted = Int32Array::from(wanted);
            assert_eq!(add(&rows, &one, CastMode::Try).unwrap(), wanted);
            assert_eq!(add(&one, &rows, CastMode::Try).unwrap(), wanted);
            assert_eq!(add(&one, &rows.slice(0, 2), CastMode::Ansi).unwrap(), wanted.slice(0, 2));
            assert!(add(&rows.slice(0, 0), &one, CastMode::Ansi).unwrap().is_empty());
            assert_eq!(add(&rows.slice(0, 1), &one, CastMode::Ansi).unwrap(), wanted.slice(0, 1));
        }
        assert!(add(&rows, &Int32Array::from(vec![1]), CastMode::Ansi).is_err());
        assert!(add(&Int32Array::from(vec![1]), &rows, CastMode::Ansi).is_err());
    }
}
