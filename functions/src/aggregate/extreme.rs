//! `min` and `max` of structs and arrays: a null inside is less than every value, as in Spark's ordering of nested values.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, UInt32Array, make_comparator};
use arrow::compute::{SortOptions, take};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

/// The least or greatest value so far; null on no values.
#[derive(Debug)]
pub(crate) struct Extreme {
    best: Option<ArrayRef>,
    data_type: DataType,
    wanted: Ordering,
}

impl Extreme {
    /// An accumulator for the function `name` over nested values; `None` for other functions and types.
    pub(crate) fn new(name: &str, data_type: &DataType) -> Option<Self> {
        let wanted = match name {
            "min" => Ordering::Less,
            "max" => Ordering::Greater,
            _ => return None,
        };
        let nested = matches!(data_type, DataType::Struct(_) | DataType::List(_));
        nested.then(|| Self { best: None, data_type: data_type.clone(), wanted })
    }
}

const ORDER: SortOptions = SortOptions { descending: false, nulls_first: true };

impl Accumulator for Extreme {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(column) = values.first() else { return Ok(()) };
        let compare = make_comparator(column, column, ORDER)?;
        let valid = (0..column.len()).filter(|row| column.is_valid(*row));
        let Some(row) = valid.reduce(|best, row| if compare(row, best) == self.wanted { row } else { best }) else {
            return Ok(());
        };
        let better = match &self.best {
            Some(best) => make_comparator(column, best, ORDER)?(row, 0) == self.wanted,
            None => true,
        };
        if better {
            // A copy of the row: a slice would keep the whole batch.
            let row = UInt32Array::from_iter_values(u32::try_from(row));
            self.best = Some(take(column, &row, None)?);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        match &self.best {
            Some(best) => ScalarValue::try_from_array(best, 0),
            None => ScalarValue::try_from(&self.data_type),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.best.as_ref().map_or(0, |best| best.get_array_memory_size())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}
