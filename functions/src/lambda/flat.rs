//! The elements of arrays side by side, which is what lambda bodies are evaluated over.
//!
//! Elements beneath null rows and outside of a slice are left out: a body must not see, and fail on, what is not there.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, ListArray, MapArray, UInt32Array, new_empty_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{take, take_arrays};
use datafusion::common::Result;
use datafusion::logical_expr::LambdaArgument;

/// Which elements of which rows are looked at.
pub(crate) struct Flat {
    /// Flat index of each element in the values of the array.
    pub(crate) picks: UInt32Array,
    /// Row of each element.
    pub(crate) rows: UInt32Array,
    /// Place of each element in its row.
    pub(crate) places: Int32Array,
    /// Where each row begins and ends among the elements.
    pub(crate) offsets: OffsetBuffer<i32>,
    /// Null rows.
    pub(crate) nulls: Option<NullBuffer>,
}

fn flat(length: usize, nulls: Option<&NullBuffer>, offsets: &[i32]) -> Flat {
    let (mut picks, mut rows, mut places, mut lengths) = (vec![], vec![], vec![], vec![]);
    for (row, bounds) in offsets.windows(2).enumerate().take(length) {
        let here = match (bounds, nulls.is_none_or(|nulls| nulls.is_valid(row))) {
            ([from, to], true) => *from..*to,
            _ => 0..0,
        };
        lengths.push(here.len());
        for (place, at) in here.enumerate() {
            picks.push(at as u32);
            rows.push(row as u32);
            places.push(place as i32);
        }
    }
    Flat {
        picks: UInt32Array::from(picks),
        rows: UInt32Array::from(rows),
        places: Int32Array::from(places),
        offsets: OffsetBuffer::from_lengths(lengths),
        nulls: nulls.cloned(),
    }
}

impl Flat {
    /// The elements of an array.
    pub(crate) fn of_list(list: &ListArray) -> Self {
        flat(list.len(), list.nulls(), list.value_offsets())
    }

    /// The entries of a map.
    pub(crate) fn of_map(map: &MapArray) -> Self {
        flat(map.len(), map.nulls(), map.value_offsets())
    }

    /// Where a row lies among the elements.
    pub(crate) fn range(&self, row: usize) -> Range<usize> {
        match (self.offsets.get(row), self.offsets.get(row + 1)) {
            (Some(from), Some(to)) => *from as usize..*to as usize,
            _ => 0..0,
        }
    }

    /// The elements themselves.
    pub(crate) fn pick(&self, values: &ArrayRef) -> Result<ArrayRef> {
        Ok(take(values, &self.picks, None)?)
    }

    /// The body over all elements, whose captured columns are those of their rows.
    pub(crate) fn apply(&self, lambda: &LambdaArgument, parameters: &[&ArrayRef]) -> Result<ArrayRef> {
        apply(lambda, parameters, &self.rows)
    }
}

/// A body over parameters of one length; `rows` says which row's captured columns each sees.
pub(crate) fn apply(lambda: &LambdaArgument, parameters: &[&ArrayRef], rows: &UInt32Array) -> Result<ArrayRef> {
    let getters: Vec<_> = parameters.iter().map(|array| move || Ok(Arc::clone(*array))).collect();
    let getters: Vec<&dyn Fn() -> Result<ArrayRef>> = getters.iter().map(|get| get as _).collect();
    let value = lambda.evaluate(&getters, |captured| Ok(take_arrays(captured, rows, None)?))?;
    if rows.is_empty() {
        return Ok(new_empty_array(&value.data_type()));
    }
    value.into_array(rows.len())
}
