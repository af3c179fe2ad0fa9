//! `first`, `last`, `any_value` and `count_if`: one pass, a flag or number as state.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::spec::{Agg, AggCall, agg};
use crate::scalar::coerce::Arg;

fn same(types: &[DataType]) -> Result<DataType> {
    Ok(types.first().cloned().unwrap_or(DataType::Null))
}

fn state(_: &[DataType], result: &DataType) -> Vec<DataType> {
    vec![result.clone(), DataType::Boolean]
}

fn make(call: &AggCall, last: bool) -> Result<Box<dyn Accumulator>> {
    let value = ScalarValue::try_from(&call.result)?;
    Ok(Box::new(End { value, found: false, last, ignore: call.ignore_nulls }))
}

/// `first(expr[, ignoreNulls])` and `last`: the first or last value met, nulls included unless told otherwise.
pub(crate) fn all() -> Vec<Agg> {
    const ARGS: &[Arg] = &[Arg::Any, Arg::Bool];
    vec![
        agg("first", ARGS, same, state, |call| make(call, false)).min(1).ordered().also(&["first_value", "any_value"]),
        agg("last", ARGS, same, state, |call| make(call, true)).min(1).ordered().also(&["last_value"]),
    ]
}

/// `count_if(condition)`: rows where it is true; never null.
pub(crate) fn count_if() -> Agg {
    agg("count_if", &[Arg::Bool], |_| Ok(DataType::Int64), |_, _| vec![DataType::Int64], |_| Ok(Box::new(CountIf(0))))
        .empty(|_| Ok(ScalarValue::Int64(Some(0))))
}

#[derive(Debug)]
struct End {
    value: ScalarValue,
    found: bool,
    last: bool,
    ignore: bool,
}

impl Accumulator for End {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(array) = values.first() else { return internal_err!("first without argument") };
        if array.is_empty() || (self.found && !self.last) {
            return Ok(());
        }
        if let Some(flag) = values.get(1).and_then(|flag| flag.as_boolean_opt()) {
            self.ignore = flag.is_valid(0) && flag.value(0);
        }
        let valid = |row: &usize| !self.ignore || array.is_valid(*row);
        let found = if self.last { (0..array.len()).rev().find(valid) } else { (0..array.len()).find(valid) };
        if let Some(row) = found {
            self.value = ScalarValue::try_from_array(array, row)?.compacted();
            self.found = true;
        }
        Ok(())
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.value.clone())
    }
    fn size(&self) -> usize {
        size_of_val(self) + self.value.size()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value.clone(), ScalarValue::from(self.found)])
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (Some(values), Some(found)) = (states.first(), states.get(1).and_then(|f| f.as_boolean_opt())) else {
            return internal_err!("state of first");
        };
        for row in 0..values.len() {
            if found.value(row) && (self.last || !self.found) {
                self.value = ScalarValue::try_from_array(values, row)?.compacted();
                self.found = true;
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct CountIf(i64);

impl Accumulator for CountIf {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(flags) = values.first().and_then(|flags| flags.as_boolean_opt()) else {
            return internal_err!("count_if of a non-boolean");
        };
        self.0 += flags.true_count() as i64;
        Ok(())
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(self.0)))
    }
    fn size(&self) -> usize {
        size_of_val(self)
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Int64(Some(self.0))])
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(counts) = states.first().and_then(|counts| counts.as_primitive_opt::<Int64Type>()) else {
            return internal_err!("state of count_if");
        };
        self.0 += counts.iter().flatten().sum::<i64>();
        Ok(())
    }
    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if let Some(flags) = values.first().and_then(|flags| flags.as_boolean_opt()) {
            self.0 -= flags.true_count() as i64;
        }
        Ok(())
    }
    fn supports_retract_batch(&self) -> bool {
        true
    }
}
