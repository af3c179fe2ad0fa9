//! `abs` of numbers and of intervals. It knows no names and no precision of intervals, which Arrow does not carry.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float32Array, Float64Array};
use arrow::compute::kernels::cmp::lt;
use arrow::compute::kernels::zip::zip;
use arrow::compute::nullif;
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type, IntervalUnit};
use datafusion::common::{Result, ScalarValue, internal_err};

use super::coerce::{check_count, mismatch};
use super::spec::{Call, Ret, SparkFn, f};
use crate::arithmetic::negate;
use crate::cast::CastMode;

/// `abs(value)`: the smallest whole number has none, which fails in ANSI mode and stays itself without; the smallest
/// interval fails in both.
fn abs(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let [value] = args else { return internal_err!("abs") };
    match value.data_type() {
        DataType::Float64 => {
            let made: Float64Array = arrow::array::AsArray::as_primitive::<Float64Type>(value).unary(f64::abs);
            return Ok(Arc::new(made));
        }
        DataType::Float32 => {
            let made: Float32Array = arrow::array::AsArray::as_primitive::<Float32Type>(value).unary(f32::abs);
            return Ok(Arc::new(made));
        }
        _ => {}
    }
    let zero = match value.data_type() {
        DataType::Duration(unit) => {
            ScalarValue::new_primitive::<arrow::datatypes::Int64Type>(Some(0), &DataType::Int64)
                .and_then(|zero| zero.cast_to(&DataType::Duration(*unit)))?
        }
        DataType::Interval(IntervalUnit::YearMonth) => ScalarValue::IntervalYearMonth(Some(0)),
        other => ScalarValue::new_zero(other)?,
    };
    let below: BooleanArray = lt(value, &zero.to_scalar()?)?;
    // Only what is below zero is turned over, so that nothing else can fail.
    let others = BooleanArray::from_iter(below.iter().map(|below| Some(below != Some(true))));
    let mode = if call.options.ansi { CastMode::Ansi } else { CastMode::Legacy };
    let spark = crate::types::DataType::from_arrow(&Field::new("", value.data_type().clone(), true))?;
    let turned = negate(&nullif(value, &others)?, &spark, mode)?;
    Ok(zip(&below, &turned, value)?)
}

fn types(types: &[DataType]) -> Result<Vec<DataType>> {
    check_count("abs", types.len(), 1, 1)?;
    types
        .iter()
        .map(|given| match given {
            DataType::Utf8 | DataType::Null => Ok(DataType::Float64),
            given if given.is_numeric() => Ok(given.clone()),
            DataType::Duration(_) | DataType::Interval(IntervalUnit::YearMonth) => Ok(given.clone()),
            other => {
                let wanted = "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\")";
                Err(mismatch("abs", 0, wanted, other).into())
            }
        })
        .collect()
}

/// `abs`.
pub(super) fn all() -> Vec<SparkFn> {
    vec![f("abs", &[super::coerce::Arg::Any], Ret::Same(0), abs).coerce(types)]
}
