//! An aggregate whose whole state is one sketch: updated with rows, carried between tasks as bytes, finished to a value.
//!
//! It knows DataFusion's accumulator and no single sketch.

use std::fmt::Debug;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use crate::aggregate::spec::AggCall;

/// What a sketch must do to be an aggregate.
pub(crate) trait Sketch: Debug + Send + Sync + 'static {
    /// Takes rows; nulls are for the sketch to skip.
    fn update(&mut self, args: &[ArrayRef]) -> Result<()>;
    /// Takes what another task saved.
    fn merge(&mut self, state: &[u8]) -> Result<()>;
    /// Everything another task needs.
    fn save(&self) -> Result<Vec<u8>>;
    /// The result; may be called more than once.
    fn finish(&self) -> Result<ScalarValue>;
    /// Bytes held, roughly.
    fn size(&self) -> usize;
}

/// The accumulator around a [`Sketch`].
#[derive(Debug)]
pub(crate) struct Held<S>(pub(crate) S);

impl<S: Sketch> Accumulator for Held<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update(values)
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.finish()
    }
    fn size(&self) -> usize {
        self.0.size()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.0.save()?))])
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(saved) = states.first().and_then(|s| s.as_binary_opt::<i32>()) else {
            return internal_err!("the state of a sketch is no binary");
        };
        saved.iter().flatten().try_for_each(|bytes| self.0.merge(bytes))
    }
}

/// The state columns of a [`Held`].
pub(crate) fn blob(_: &[DataType], _: &DataType) -> Vec<DataType> {
    vec![DataType::Binary]
}

/// The type of a sketch.
pub(crate) fn binary(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Binary)
}

/// A constant `INT` argument; null counts as zero, as it does in the JVM, and `default` stands in for none.
/// `None` when the argument is no constant.
pub(crate) fn int_argument(call: &AggCall, at: usize, default: i32) -> Option<i32> {
    match call.constants.get(at) {
        None => Some(default),
        Some(Some(ScalarValue::Int32(value))) => Some(value.unwrap_or(0)),
        Some(Some(value)) if value.is_null() => Some(0),
        Some(_) => None,
    }
}

/// A constant boolean argument; `false` stands in for none and null.
pub(crate) fn flag_argument(call: &AggCall, at: usize) -> bool {
    matches!(call.constants.get(at), Some(Some(ScalarValue::Boolean(Some(true)))))
}

/// Calls `work` with every value of `column` that is not null, as a result of nothing.
pub(crate) fn each_binary(column: Option<&ArrayRef>, mut work: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    match column.and_then(|c| c.as_binary_opt::<i32>()) {
        Some(values) => values.iter().flatten().try_for_each(&mut work),
        None if column.is_some_and(|c| *c.data_type() == DataType::Null) => Ok(()),
        None => internal_err!("a sketch argument is no binary"),
    }
}
