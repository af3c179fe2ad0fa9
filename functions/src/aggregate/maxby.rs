//! `max_by` and `min_by`: the value beside the greatest or least ordering value.

use arrow::array::{Array, AsArray, UInt32Array};
use arrow::compute::{SortOptions, sort_to_indices, take};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Result, ScalarValue};

use super::adapt::list_scalar;
use super::collect::{AtEnd, Gather, lists};
use super::spec::{Agg, AggCall, agg};
use crate::scalar::coerce::{Arg, list_of, target};
use crate::scalar::spec::conform;

fn result(types: &[DataType]) -> Result<DataType> {
    let one = types.first().cloned().unwrap_or(DataType::Null);
    Ok(if types.len() > 2 { list_of(one, true) } else { one })
}

fn coerced(types: &[DataType]) -> Result<Vec<DataType>> {
    Ok(types
        .iter()
        .enumerate()
        .map(|(at, t)| if at == 2 { DataType::Int32 } else { target(Arg::Any, t).unwrap_or_else(|| t.clone()) })
        .collect())
}

fn pick(gather: &Gather, descending: bool) -> Result<ScalarValue> {
    let (values, keys) = (gather.column(1)?, gather.column(0)?);
    let count = if gather.types.len() > 2 {
        let counts = gather.column(2)?;
        Some(counts.as_primitive_opt::<Int32Type>().filter(|c| !c.is_empty()).map_or(0, |c| c.value(0)).max(0))
    } else {
        None
    };
    let order = sort_to_indices(&keys, Some(SortOptions { descending, nulls_first: false }), None)?;
    match count {
        Some(count) => {
            let rows = UInt32Array::from_iter_values(order.values().iter().copied().take(count as usize));
            let list = list_scalar(take(&values, &rows, None)?).to_array()?;
            ScalarValue::try_from_array(&conform(list, &gather.result)?, 0)
        }
        None => order.values().first().map_or_else(
            || ScalarValue::try_from(&gather.result),
            |row| ScalarValue::try_from_array(&values, *row as usize),
        ),
    }
}

/// `max_by(value, ordering[, k])`: rows with a null ordering are skipped; null on no rows.
pub(crate) fn all() -> Vec<Agg> {
    const ARGS: &[Arg] = &[Arg::Any, Arg::Any, Arg::Int];
    vec![
        agg("max_by", ARGS, result, swapped, |call| swap(call, |g| pick(g, true))).min(2).coerce(coerced),
        agg("min_by", ARGS, result, swapped, |call| swap(call, |g| pick(g, false))).min(2).coerce(coerced),
    ]
}

/// State lists in gathered order: ordering, value, count.
fn swapped(types: &[DataType], result: &DataType) -> Vec<DataType> {
    let mut types = types.to_vec();
    if types.len() > 1 {
        types.swap(0, 1);
    }
    lists(&types, result)
}

fn swap(
    call: &AggCall,
    work: fn(&Gather) -> Result<ScalarValue>,
) -> Result<Box<dyn datafusion::logical_expr::Accumulator>> {
    let mut call = call.clone();
    if call.types.len() > 1 {
        call.types.swap(0, 1);
    }
    Ok(Box::new(Swapped(AtEnd(Gather::new(&call), work))))
}

/// Puts the ordering first, because rows with a null there are dropped.
#[derive(Debug)]
struct Swapped(AtEnd);

impl datafusion::logical_expr::Accumulator for Swapped {
    fn update_batch(&mut self, values: &[arrow::array::ArrayRef]) -> Result<()> {
        let mut values = values.to_vec();
        if values.len() > 1 {
            values.swap(0, 1);
        }
        self.0.update_batch(&values)
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.evaluate()
    }
    fn size(&self) -> usize {
        self.0.size()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.state()
    }
    fn merge_batch(&mut self, states: &[arrow::array::ArrayRef]) -> Result<()> {
        self.0.merge_batch(states)
    }
}
