//! `abs` of numbers and of intervals. It knows no names and no precision of intervals, which Arrow does not carry.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Float32Array, Float64Array};
use arrow::compute::kernels::cmp::lt;
use arrow::compute::kernels::zip::zip;
use arrow::compute::nullif;
use arrow::datatypes::{
    ArrowNativeTypeOp, DataType, Decimal128Type, DurationMicrosecondType, Field, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType, TimeUnit,
};
use datafusion::common::{Result, ScalarValue, internal_err};

use super::coerce::{check_count, mismatch};
use super::spec::{Call, Ret, SparkFn, f};
use crate::arithmetic::{JAVA_DIGITS, negate};
use crate::cast::CastMode;

/// `abs(value)`: the smallest whole number has none, which fails in ANSI mode and stays itself without; the smallest
/// interval fails in both.
fn abs(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let [value] = args else { return internal_err!("abs") };
    match value.data_type() {
        DataType::Float64 => {
            let made: Float64Array = value.as_primitive::<Float64Type>().unary(f64::abs);
            return Ok(Arc::new(made));
        }
        DataType::Float32 => {
            let made: Float32Array = value.as_primitive::<Float32Type>().unary(f32::abs);
            return Ok(Arc::new(made));
        }
        _ => {}
    }
    if let Some(made) = quickly(value) {
        return Ok(made);
    }
    let zero = match value.data_type() {
        DataType::Duration(unit) => ScalarValue::new_primitive::<Int64Type>(Some(0), &DataType::Int64)
            .and_then(|zero| zero.cast_to(&DataType::Duration(*unit)))?,
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

/// All at once where every value has one; `None` where the smallest value, which has none, may be among them.
fn quickly(value: &ArrayRef) -> Option<ArrayRef> {
    match value.data_type() {
        DataType::Int8 => turned::<Int8Type>(value),
        DataType::Int16 => turned::<Int16Type>(value),
        DataType::Int32 => turned::<Int32Type>(value),
        DataType::Int64 => turned::<Int64Type>(value),
        DataType::Duration(TimeUnit::Microsecond) => turned::<DurationMicrosecondType>(value),
        DataType::Interval(IntervalUnit::YearMonth) => turned::<IntervalYearMonthType>(value),
        // Beyond, the negative has fewer digits.
        DataType::Decimal128(precision, _) if *precision <= JAVA_DIGITS => turned::<Decimal128Type>(value),
        _ => None,
    }
}

fn turned<T: ArrowPrimitiveType>(value: &ArrayRef) -> Option<ArrayRef>
where
    T::Native: ArrowNativeTypeOp,
{
    let values = value.as_primitive_opt::<T>()?;
    // Two loops, because a loop that also keeps a flag does not always become vector instructions.
    if values.values().iter().fold(false, |any, value| any | value.is_eq(T::Native::MIN_TOTAL_ORDER)) {
        return None;
    }
    let made = values.unary::<_, T>(|value| if value.is_lt(T::Native::ZERO) { value.neg_wrapping() } else { value });
    Some(Arc::new(made.with_data_type(value.data_type().clone())))
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

#[cfg(test)]
mod tests {
    use arrow::array::{Decimal128Array, Int32Array};

    use super::*;

    #[test]
    fn only_the_smallest_value_takes_the_long_way() {
        let array: ArrayRef = Arc::new(Int32Array::from(vec![Some(i32::MIN), Some(-3), None, Some(i32::MAX), Some(0)]));
        assert!(quickly(&array).is_none());
        let wanted = Int32Array::from(vec![Some(3), None, Some(i32::MAX), Some(0)]);
        assert_eq!(quickly(&array.slice(1, 4)).unwrap().as_primitive::<Int32Type>(), &wanted);
        let decimals = |precision| {
            let values = Decimal128Array::from(vec![-5]).with_precision_and_scale(precision, 2).unwrap();
            quickly(&(Arc::new(values) as ArrayRef))
        };
        assert_eq!(decimals(34).unwrap().data_type(), &DataType::Decimal128(34, 2));
        assert!(decimals(35).is_none());
    }
}
