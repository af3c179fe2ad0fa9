//! `vector_sum` and `vector_avg`: vectors added element by element.
//!
//! Null vectors and those with a null element are left out; vectors of different lengths fail; no rows give null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array};
use arrow::datatypes::{DataType, Float32Type, Int64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::adapt::list_scalar;
use super::spec::{Agg, agg};
use crate::scalar::array_types::exactly;
use crate::scalar::coerce::{Arg, list_of};
use crate::scalar::spec::conform;
use crate::scalar::vector::{VECTOR, is_vector, other_dimension, vector};

fn vectors() -> DataType {
    list_of(DataType::Float32, true)
}

#[derive(Debug)]
struct Total {
    name: &'static str,
    average: bool,
    /// The sum, or the running average.
    values: Option<Vec<f32>>,
    count: i64,
}

impl Total {
    fn new(name: &'static str, average: bool) -> Self {
        Self { name, average, values: None, count: 0 }
    }

    fn add(&mut self, given: &[f32], count: i64) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let all = self.count + count;
        let share = count as f32 / all as f32;
        match &mut self.values {
            None => self.values = Some(given.to_vec()),
            Some(values) if values.len() != given.len() => {
                return Err(other_dimension(self.name, values.len(), given.len()));
            }
            Some(values) => {
                for (value, given) in values.iter_mut().zip(given) {
                    *value += if self.average { (given - *value) * share } else { *given };
                }
            }
        }
        self.count = all;
        Ok(())
    }

    fn value(&self) -> Result<ScalarValue> {
        match &self.values {
            None => ScalarValue::try_from(&vectors()),
            Some(values) => {
                let made: ArrayRef = Arc::new(Float32Array::from(values.clone()));
                ScalarValue::try_from_array(&conform(list_scalar(made).to_array()?, &vectors())?, 0)
            }
        }
    }
}

impl Accumulator for Total {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(list) = values.first().and_then(|values| values.as_list_opt::<i32>()) else {
            return internal_err!("a vector is no array");
        };
        for row in 0..list.len() {
            if let Some(given) = vector(list, row) {
                self.add(given.values(), 1)?;
            }
        }
        Ok(())
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.value()
    }
    fn size(&self) -> usize {
        size_of_val(self) + self.values.as_ref().map_or(0, |values| values.capacity() * size_of::<f32>())
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value()?, ScalarValue::Int64(Some(self.count))])
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [values, counts] = states else { return internal_err!("a vector's state has two parts") };
        let (Some(list), Some(counts)) = (values.as_list_opt::<i32>(), counts.as_primitive_opt::<Int64Type>()) else {
            return internal_err!("a vector's state");
        };
        for row in 0..list.len() {
            if list.is_valid(row)
                && let Some(given) = list.value(row).as_primitive_opt::<Float32Type>()
            {
                self.add(given.values(), counts.value(row))?;
            }
        }
        Ok(())
    }
}

fn state(_: &[DataType], _: &DataType) -> Vec<DataType> {
    vec![vectors(), DataType::Int64]
}

/// Aggregates of vectors.
pub(crate) fn all() -> Vec<Agg> {
    const ANY: &[Arg] = &[Arg::Any];
    let result = |_: &[DataType]| Ok(vectors());
    vec![
        agg("vector_sum", ANY, result, state, |_| Ok(Box::new(Total::new("vector_sum", false))))
            .coerce(|t| exactly("vector_sum", t, &[(VECTOR, is_vector)])),
        agg("vector_avg", ANY, result, state, |_| Ok(Box::new(Total::new("vector_avg", true))))
            .coerce(|t| exactly("vector_avg", t, &[(VECTOR, is_vector)])),
    ]
}
