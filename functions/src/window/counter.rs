//! `counter_diff(value[, start_time])`: the growth of a cumulative counter from row to row.
//!
//! Source: Spark's page of `counter_diff`. Rows without a value are as if they were not there; a counter that fell, or
//! whose start moved on, was reset and gives null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::kernels::cmp::{gt, lt};
use arrow::compute::kernels::numeric::sub_wrapping;
use arrow::compute::{cast, is_not_null, nullif, take};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDFImpl};
use datafusion::physical_expr::PhysicalExpr;

use crate::error::{ErrorKind, SparkError};
use crate::scalar::coerce::{check_count, mismatch};
use crate::time::Zone;

const NAME: &str = "counter_diff";

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct CounterDiff(Signature);

impl CounterDiff {
    pub(super) fn new() -> Self {
        Self(Signature::user_defined(Volatility::Immutable))
    }
}

impl WindowUDFImpl for CounterDiff {
    fn name(&self) -> &str {
        NAME
    }
    fn signature(&self) -> &Signature {
        &self.0
    }
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        check_count(NAME, types.len(), 1, 2)?;
        for (at, given) in types.iter().enumerate() {
            let (fits, wanted) = match at {
                0 => (given.is_numeric() || given.is_null(), "\"NUMERIC\""),
                _ => {
                    (matches!(given, DataType::Timestamp(..) | DataType::Null), "(\"TIMESTAMP\" or \"TIMESTAMP_NTZ\")")
                }
            };
            if !fits {
                return Err(mismatch(NAME, at, wanted, given).into());
            }
        }
        Ok(types.to_vec())
    }
    fn expressions(&self, args: ExpressionArgs<'_>) -> Vec<Arc<dyn PhysicalExpr>> {
        args.input_exprs().to_vec()
    }
    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Growth))
    }
    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let of = args.get_input_field(0).map_or(DataType::Null, |field| field.data_type().clone());
        Ok(Arc::new(Field::new(args.name(), of, true)))
    }
    fn limit_effect(&self, _: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

#[derive(Debug)]
struct Growth;

impl PartitionEvaluator for Growth {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let Some(counter) = values.first().filter(|counter| !counter.data_type().is_null()) else {
            return Ok(arrow::array::new_null_array(&DataType::Null, rows));
        };
        not_negative(counter)?;
        let known = is_not_null(counter)?;
        let mut last = None;
        let before: UInt32Array = (0..rows)
            .map(|row| {
                if !known.value(row) {
                    return None;
                }
                last.replace(row as u32)
            })
            .collect();
        let previous = take(counter, &before, None)?;
        let growth = sub_wrapping(counter, &previous)?;
        let growth =
            if growth.data_type() == counter.data_type() { growth } else { cast(&growth, counter.data_type())? };
        let growth = nullif(&growth, &lt(counter, &previous)?)?;
        let Some(start) = values.get(1).filter(|start| !start.data_type().is_null()) else { return Ok(growth) };
        let earlier = take(start, &before, None)?;
        let back = lt(start, &earlier)?;
        if let Some(row) = (0..rows).find(|row| back.is_valid(*row) && back.value(*row)) {
            let text = |array: &ArrayRef| -> Result<String> {
                let of = crate::types::DataType::from_arrow(&Field::new("", array.data_type().clone(), true))?;
                let shown = crate::display::cast_to_string(&array.slice(row, 1), &of, &Zone::Fixed(0))?;
                Ok(shown.value(0).to_string())
            };
            let (from, to) = (text(&earlier)?, text(start)?);
            return Err(SparkError::new(
                ErrorKind::Runtime,
                "COUNTER_DIFF_START_TIME_DECREASED",
                &[("function", "`counter_diff`"), ("previousStartTime", &from), ("currentStartTime", &to)],
            )
            .into());
        }
        Ok(nullif(&growth, &gt(start, &earlier)?)?)
    }
    fn supports_bounded_execution(&self) -> bool {
        false
    }
    fn uses_window_frame(&self) -> bool {
        false
    }
    fn include_rank(&self) -> bool {
        false
    }
}

fn not_negative(counter: &ArrayRef) -> Result<()> {
    let zero = ScalarValue::new_zero(counter.data_type())?.to_scalar()?;
    let below = lt(counter, &zero)?;
    let Some(row) = (0..counter.len()).find(|row| below.is_valid(*row) && below.value(*row)) else { return Ok(()) };
    let shown = cast(&counter.slice(row, 1), &DataType::Utf8)?;
    let value = shown.as_string_opt::<i32>().map_or("", |text| text.value(0));
    let parameters = [("function", "`counter_diff`"), ("value", value)];
    Err(SparkError::new(ErrorKind::Runtime, "COUNTER_DIFF_NEGATIVE_COUNTER_VALUE", &parameters).into())
}
