//! `array_sort(array, (l, r) -> ..)`: a stable sort whose order a body decides.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{FieldRef, Int32Type};
use datafusion::common::{Result, internal_err};

use super::array::list;
use super::flat::{Flat, apply};
use super::spec::{Applied, LambdaFn, array_of, element, lambda, parameter};
use crate::error::ErrorKind;
use crate::scalar::read::{fail, lists};

/// A merge sort that asks for one comparison at a time, so that many of them can be answered at once.
struct Sorting {
    order: Vec<u32>,
    merged: Vec<u32>,
    width: usize,
    /// Begin, middle and end of the two runs that are merged.
    runs: (usize, usize, usize),
    left: usize,
    right: usize,
}

impl Sorting {
    fn new(order: Vec<u32>) -> Self {
        let mut made = Self { order, merged: vec![], width: 1, runs: (0, 0, 0), left: 0, right: 0 };
        made.runs_at(0);
        made
    }

    fn runs_at(&mut self, begin: usize) {
        let length = self.order.len();
        self.runs = (begin, (begin + self.width).min(length), (begin + 2 * self.width).min(length));
        (self.left, self.right) = (begin, self.runs.1);
    }

    /// The next two elements to compare, the later one first; `None` when all are in order.
    fn question(&mut self) -> Option<(u32, u32)> {
        while self.width < self.order.len() {
            let (_, middle, end) = self.runs;
            if self.left < middle && self.right < end {
                return Some((*self.order.get(self.right)?, *self.order.get(self.left)?));
            }
            self.merged.extend_from_slice(self.order.get(self.left..middle)?);
            self.merged.extend_from_slice(self.order.get(self.right..end)?);
            if end < self.order.len() {
                self.runs_at(end);
            } else {
                self.order = std::mem::take(&mut self.merged);
                self.width *= 2;
                self.runs_at(0);
            }
        }
        None
    }

    /// How the two elements of the last question compare.
    fn answer(&mut self, found: Ordering) {
        let next = if found == Ordering::Less { &mut self.right } else { &mut self.left };
        self.merged.extend(self.order.get(*next));
        *next += 1;
    }
}

fn parameters(values: &[FieldRef]) -> Result<Vec<Vec<FieldRef>>> {
    let element = element(values, 0)?;
    // Both are nullable for the comparator, whatever the array says.
    let one = parameter(element.data_type().clone(), element.is_nullable());
    Ok(vec![vec![one.clone(), one]])
}

/// `array_sort(array, comparator)`: the comparator gives a negative number, zero or a positive number.
/// A comparator that gives null fails with `COMPARATOR_RETURNS_NULL`.
fn array_sort(call: &Applied) -> Result<ArrayRef> {
    let array = lists(&call.values, 0)?;
    let flat = Flat::of_list(array);
    let elements = flat.pick(array.values())?;
    let mut sorts: Vec<Sorting> =
        (0..call.rows).map(|row| Sorting::new(flat.range(row).map(|at| at as u32).collect())).collect();
    let mut open: Vec<usize> = (0..call.rows).collect();
    loop {
        let (mut left, mut right, mut rows) = (vec![], vec![], vec![]);
        open.retain(|row| match sorts.get_mut(*row).and_then(Sorting::question) {
            Some((l, r)) => {
                left.push(l);
                right.push(r);
                rows.push(*row as u32);
                true
            }
            None => false,
        });
        if open.is_empty() {
            break;
        }
        let lefts = take(&elements, &UInt32Array::from(left), None)?;
        let rights = take(&elements, &UInt32Array::from(right), None)?;
        let answers = apply(call.lambda(0)?, &[&lefts, &rights], &UInt32Array::from(rows))?;
        let Some(answers) = answers.as_primitive_opt::<Int32Type>() else {
            return internal_err!("a comparator gives no int");
        };
        for (at, row) in open.iter().enumerate() {
            if answers.is_null(at) {
                let shown = |array: &ArrayRef| arrow::util::display::array_value_to_string(array, at);
                let parameters = [("firstValue", shown(&lefts)?), ("secondValue", shown(&rights)?)];
                let parameters: Vec<(&str, &str)> = parameters.iter().map(|(k, v)| (*k, v.as_str())).collect();
                return Err(fail(ErrorKind::Runtime, "COMPARATOR_RETURNS_NULL", &parameters));
            }
            if let Some(sort) = sorts.get_mut(*row) {
                sort.answer(answers.value(at).cmp(&0));
            }
        }
    }
    let order: Vec<u32> = sorts.into_iter().flat_map(|sort| sort.order).collect();
    let sorted = take(&elements, &UInt32Array::from(order), None)?;
    list(&call.result, flat.offsets, sorted, flat.nulls)
}

/// Functions that sort arrays.
pub(crate) fn all() -> Vec<LambdaFn> {
    vec![lambda(
        "array_sort",
        parameters,
        |values, _| {
            let nullable = values.iter().any(|field| field.is_nullable());
            Ok((array_of(&element(values, 0)?), nullable))
        },
        array_sort,
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sorting_answers_like_a_stable_sort() {
        let given = [(3, 'a'), (1, 'b'), (2, 'c'), (1, 'd'), (3, 'e')];
        let mut sort = Sorting::new((0..5).collect());
        while let Some((l, r)) = sort.question() {
            sort.answer(given[l as usize].0.cmp(&given[r as usize].0));
        }
        assert_eq!(sort.order, vec![1, 3, 2, 0, 4]);
    }
}
