//! `min` and `max` of floats: NaN is above everything, and of zeros of both signs the first one met stays.
//!
//! Arrow orders floats by their bits, where a NaN with a sign is below everything. It knows nothing of other types.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::rows;
use super::spec::SyncGroups;

/// What finds the least or greatest float of each group; `None` for other functions and types.
pub(super) fn float_extreme(name: &str, data_type: &DataType) -> Option<SyncGroups> {
    let wanted = match name {
        "min" => Ordering::Less,
        "max" => Ordering::Greater,
        _ => return None,
    };
    match data_type {
        DataType::Float32 => Some(Box::new(Extremes::<Float32Type> { best: vec![], wanted, order: single })),
        DataType::Float64 => Some(Box::new(Extremes::<Float64Type> { best: vec![], wanted, order: double })),
        _ => None,
    }
}

fn single(a: f32, b: f32) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn double(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// The best value of each group; none before the first one.
struct Extremes<T: ArrowPrimitiveType> {
    best: Vec<Option<T::Native>>,
    wanted: Ordering,
    order: fn(T::Native, T::Native) -> Ordering,
}

impl<T: ArrowPrimitiveType> GroupsAccumulator for Extremes<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.best.resize(total, None);
        let Some(values) = values.first().and_then(|values| values.as_primitive_opt::<T>()) else {
            return internal_err!("extreme of floats");
        };
        let (best, order, wanted) = (&mut self.best, self.order, self.wanted);
        rows::each(values, groups, filter, |group, value| {
            if let Some(best) = best.get_mut(group)
                && best.is_none_or(|best| order(value, best) == wanted)
            {
                *best = Some(value);
            }
        });
        Ok(())
    }
    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let best = emit.take_needed(&mut self.best);
        Ok(Arc::new(PrimitiveArray::<T>::from_iter(best)))
    }
    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit)?])
    }
    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.update_batch(states, groups, None, total)
    }
    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let Some(column) = values.first() else { return internal_err!("extreme of nothing") };
        let kept = match filter {
            // A row counts where the condition is true; the others have no value.
            Some(filter) => {
                let dropped = BooleanArray::from_iter(filter.iter().map(|keep| Some(keep != Some(true))));
                arrow::compute::nullif(column, &dropped)?
            }
            None => Arc::clone(column),
        };
        Ok(vec![kept])
    }
    fn size(&self) -> usize {
        size_of_val(self) + self.best.capacity() * size_of::<Option<T::Native>>()
    }
}
