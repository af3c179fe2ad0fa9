//! Accumulators around accumulators: result casts, DISTINCT, sliding frames, one group of many. It knows no function.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use crate::scalar::spec::conform;

/// Casts the result of an accumulator.
#[derive(Debug)]
pub(crate) struct Cast(pub(crate) Box<dyn Accumulator>, pub(crate) DataType);

impl Accumulator for Cast {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update_batch(values)
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.evaluate()?.cast_to(&self.1)
    }
    fn size(&self) -> usize {
        self.0.size()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.state()
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge_batch(states)
    }
    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.retract_batch(values)
    }
    fn supports_retract_batch(&self) -> bool {
        self.0.supports_retract_batch()
    }
}

/// Casts the results of a grouped accumulator.
pub(crate) struct CastGroups(pub(crate) Box<dyn GroupsAccumulator>, pub(crate) DataType);

impl GroupsAccumulator for CastGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.0.update_batch(values, groups, filter, total)
    }
    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        conform(self.0.evaluate(emit)?, &self.1)
    }
    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        self.0.state(emit)
    }
    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.0.merge_batch(values, groups, total)
    }
    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.0.convert_to_state(values, filter)
    }
    fn size(&self) -> usize {
        self.0.size()
    }
}

/// A grouped accumulator used for a single group.
pub(crate) struct OneGroup(pub(crate) Box<dyn GroupsAccumulator + Sync>);

impl std::fmt::Debug for OneGroup {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("OneGroup")
    }
}

impl OneGroup {
    /// The state without losing it: grouped accumulators give theirs away.
    fn saved(&mut self) -> Result<Vec<ArrayRef>> {
        // An empty update makes sure that the group exists.
        let state = self.0.state(EmitTo::All)?;
        if state.first().is_some_and(|column| !column.is_empty()) {
            self.0.merge_batch(&state, &[0], 1)?;
        }
        Ok(state)
    }
}

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |values| values.len());
        self.0.update_batch(values, &vec![0; rows], None, 1)
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        let state = self.state()?;
        let arrays = state.iter().map(|value| value.to_array()).collect::<Result<Vec<_>>>()?;
        let out = self.0.evaluate(EmitTo::All)?;
        self.0.merge_batch(&arrays, &[0], 1)?;
        ScalarValue::try_from_array(&out, 0)
    }
    fn size(&self) -> usize {
        self.0.size()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut state = self.saved()?;
        if state.first().is_none_or(|column| column.is_empty()) {
            self.0.merge_batch(&state, &[], 1)?;
            state = self.saved()?;
        }
        state.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |states| states.len());
        self.0.merge_batch(states, &vec![0; rows], 1)
    }
}

/// Feeds only the first of equal rows to an accumulator, at the end.
#[derive(Debug)]
pub(crate) struct Distinct {
    inner: Box<dyn Accumulator>,
    types: Vec<DataType>,
    seen: HashSet<Vec<ScalarValue>>,
    order: Vec<Vec<ScalarValue>>,
    fed: usize,
}

impl Distinct {
    pub(crate) fn new(inner: Box<dyn Accumulator>, types: Vec<DataType>) -> Self {
        Self { inner, types, seen: HashSet::new(), order: Vec::new(), fed: 0 }
    }
    fn add(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values: Vec<ArrayRef> = values.iter().map(crate::arithmetic::normalize).collect();
        for row in 0..values.first().map_or(0, |values| values.len()) {
            let key = values
                .iter()
                .map(|values| ScalarValue::try_from_array(values, row))
                .collect::<Result<Vec<ScalarValue>>>()?;
            if self.seen.insert(key.clone()) {
                self.order.push(key);
            }
        }
        Ok(())
    }
    fn columns(&self, from: usize) -> Result<Vec<ArrayRef>> {
        self.types
            .iter()
            .enumerate()
            .map(|(at, data_type)| {
                let column: Vec<ScalarValue> =
                    self.order.iter().skip(from).filter_map(|row| row.get(at).cloned()).collect();
                if column.is_empty() {
                    return Ok(arrow::array::new_empty_array(data_type));
                }
                ScalarValue::iter_to_array(column)
            })
            .collect()
    }
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values)
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.fed < self.order.len() {
            let fresh = self.columns(self.fed)?;
            self.inner.update_batch(&fresh)?;
            self.fed = self.order.len();
        }
        self.inner.evaluate()
    }
    fn size(&self) -> usize {
        size_of_val(self) + 2 * self.order.iter().flatten().map(ScalarValue::size).sum::<usize>()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.columns(0)?.into_iter().map(|column| Ok(list_scalar(column))).collect()
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(first) = states.first() else { return Ok(()) };
        for row in 0..first.len() {
            let mut columns = Vec::with_capacity(states.len());
            for state in states {
                let Some(list) = state.as_list_opt::<i32>() else { return internal_err!("DISTINCT state") };
                columns.push(list.value(row));
            }
            self.add(&columns)?;
        }
        Ok(())
    }
}

/// One list holding all of `values`.
pub(crate) fn list_scalar(values: ArrayRef) -> ScalarValue {
    let field = Arc::new(Field::new("element", values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    ScalarValue::List(Arc::new(ListArray::new(field, offsets, values, None)))
}

/// Makes fresh accumulators.
pub(crate) type Fresh = Box<dyn Fn() -> Result<Box<dyn Accumulator>> + Send + Sync>;

/// Keeps the rows of a sliding frame and computes each result from nothing: exact, and right for every function.
pub(crate) struct Replay {
    fresh: Fresh,
    rows: Option<Vec<ArrayRef>>,
}

impl Replay {
    pub(crate) fn new(fresh: Fresh) -> Self {
        Self { fresh, rows: None }
    }
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Replay")
    }
}

impl Accumulator for Replay {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.rows = Some(match self.rows.take() {
            None => values.to_vec(),
            Some(old) => old
                .iter()
                .zip(values)
                .map(|(old, new)| Ok(arrow::compute::concat(&[old.as_ref(), new.as_ref()])?))
                .collect::<Result<_>>()?,
        });
        Ok(())
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut inner = (self.fresh)()?;
        if let Some(rows) = &self.rows {
            inner.update_batch(rows)?;
        }
        inner.evaluate()
    }
    fn size(&self) -> usize {
        size_of_val(self) + self.rows.iter().flatten().map(|rows| rows.get_array_memory_size()).sum::<usize>()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("a sliding frame has no state")
    }
    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        internal_err!("a sliding frame has no state")
    }
    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let gone = values.first().map_or(0, |values| values.len());
        if let Some(rows) = &mut self.rows {
            for column in rows {
                *column = column.slice(gone.min(column.len()), column.len().saturating_sub(gone));
            }
        }
        Ok(())
    }
    fn supports_retract_batch(&self) -> bool {
        true
    }
}
