//! Aggregates that gather values: `collect_list`, `collect_set`, and the shared gathering used by others.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, new_empty_array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::adapt::list_scalar;
use super::spec::{Agg, AggCall, agg};
use crate::scalar::coerce::{Arg, list_of};
use crate::scalar::spec::conform;

fn listed(types: &[DataType]) -> Result<DataType> {
    Ok(list_of(types.first().cloned().unwrap_or(DataType::Null), false))
}

/// No values.
pub(crate) fn empty(result: &DataType) -> Result<ScalarValue> {
    match result {
        DataType::List(field) => ScalarValue::try_from_array(
            &conform(list_scalar(new_empty_array(field.data_type())).to_array()?, result)?,
            0,
        ),
        _ => internal_err!("collect without a list"),
    }
}

/// `collect_list(expr)`: non-null values in order met; `collect_set`: without duplicates. Never null, `[]` on no rows.
pub(crate) fn all() -> Vec<Agg> {
    const ARGS: &[Arg] = &[Arg::Any];
    let list = |call: &AggCall| -> Result<Box<dyn Accumulator>> { Ok(Box::new(Collect(Gather::new(call)))) };
    let set = |call: &AggCall| -> Result<Box<dyn Accumulator>> { Ok(Box::new(Collect(Gather::distinct(call)))) };
    vec![
        agg("collect_list", ARGS, listed, lists, list).empty(empty).ordered().also(&["array_agg"]),
        agg("collect_set", ARGS, listed, lists, set).empty(empty),
    ]
}

/// State of a gathering: one list for each argument.
pub(crate) fn lists(types: &[DataType], _: &DataType) -> Vec<DataType> {
    types.iter().map(|t| list_of(t.clone(), true)).collect()
}

/// Rows kept as columns, those with a null in the first column dropped.
#[derive(Debug)]
pub(crate) struct Gather {
    /// Argument types.
    pub(crate) types: Vec<DataType>,
    /// Result type.
    pub(crate) result: DataType,
    /// Whether the first sort direction is descending.
    pub(crate) descending: bool,
    batches: Vec<Vec<ArrayRef>>,
    seen: HashSet<ScalarValue>,
    distinct: bool,
}

impl Gather {
    pub(crate) fn new(call: &AggCall) -> Self {
        Self {
            types: call.types.clone(),
            result: call.result.clone(),
            descending: call.descending,
            batches: vec![],
            seen: HashSet::new(),
            distinct: false,
        }
    }
    /// One that keeps each value of the first column once.
    pub(crate) fn distinct(call: &AggCall) -> Self {
        Self { distinct: true, ..Self::new(call) }
    }
    /// Keeps the rows whose first column is not null.
    pub(crate) fn add(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(first) = values.first() else { return internal_err!("an aggregate without argument") };
        let mut keep = arrow::compute::is_not_null(first)?;
        if self.distinct {
            let plain = crate::arithmetic::normalize(first);
            let mut flags = Vec::with_capacity(plain.len());
            for row in 0..plain.len() {
                flags.push(keep.value(row) && self.seen.insert(ScalarValue::try_from_array(&plain, row)?.compacted()));
            }
            keep = flags.into();
        }
        if keep.true_count() == 0 {
            return Ok(());
        }
        let kept = values
            .iter()
            .map(|values| Ok(arrow::compute::filter(values, &keep)?))
            .collect::<Result<Vec<ArrayRef>>>()?;
        self.batches.push(kept);
        Ok(())
    }
    /// The column of argument `at`.
    pub(crate) fn column(&self, at: usize) -> Result<ArrayRef> {
        let parts: Vec<&dyn Array> = self.batches.iter().filter_map(|batch| batch.get(at)).map(AsRef::as_ref).collect();
        if parts.is_empty() {
            return Ok(new_empty_array(self.types.get(at).unwrap_or(&DataType::Null)));
        }
        Ok(arrow::compute::concat(&parts)?)
    }
    /// One list for each argument.
    pub(crate) fn save(&self) -> Result<Vec<ScalarValue>> {
        (0..self.types.len()).map(|at| Ok(list_scalar(self.column(at)?))).collect()
    }
    /// Adds saved lists.
    pub(crate) fn merge(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row in 0..states.first().map_or(0, |state| state.len()) {
            let mut columns = Vec::with_capacity(states.len());
            for state in states {
                let Some(list) = state.as_list_opt::<i32>() else { return internal_err!("state of an aggregate") };
                columns.push(list.value(row));
            }
            self.add(&columns)?;
        }
        Ok(())
    }
    /// Memory held.
    pub(crate) fn bytes(&self) -> usize {
        let held: usize = self.batches.iter().flatten().map(|column| column.get_array_memory_size()).sum();
        size_of_val(self) + held + self.seen.iter().map(ScalarValue::size).sum::<usize>()
    }
}

#[derive(Debug)]
struct Collect(Gather);

impl Accumulator for Collect {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.add(values)
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        let list = list_scalar(self.0.column(0)?).to_array()?;
        ScalarValue::try_from_array(&conform(Arc::clone(&list), &self.0.result)?, 0)
    }
    fn size(&self) -> usize {
        self.0.bytes()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.save()
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states)
    }
}

/// An accumulator that gathers its rows and computes the result at the end.
pub(crate) struct AtEnd(pub(crate) Gather, pub(crate) fn(&Gather) -> Result<ScalarValue>);

impl std::fmt::Debug for AtEnd {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("AtEnd")
    }
}

impl Accumulator for AtEnd {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.add(values)
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        (self.1)(&self.0)
    }
    fn size(&self) -> usize {
        self.0.bytes()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.save()
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states)
    }
}
