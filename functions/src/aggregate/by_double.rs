//! Values of any ordered type as doubles and back, as Java casts them: what Spark's sketches of values compute with.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, IntervalYearMonthArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, DurationMicrosecondType, Field, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType, TimestampMicrosecondType,
};
use datafusion::common::{Result, internal_err};

use crate::cast::{CastMode, cast_array};
use crate::time::Zone;
use crate::types::DataType as Spark;

/// The values as doubles; moments and intervals as the numbers that carry them.
pub(crate) fn to_doubles(values: &ArrayRef) -> Result<Float64Array> {
    if let Some(months) = values.as_primitive_opt::<IntervalYearMonthType>() {
        return Ok(months.unary(f64::from));
    }
    let plain = match values.data_type() {
        DataType::Date32 => arrow::compute::cast(values, &DataType::Int32)?,
        DataType::Timestamp(..) | DataType::Duration(_) => arrow::compute::cast(values, &DataType::Int64)?,
        _ => Arc::clone(values),
    };
    match arrow::compute::cast(&plain, &DataType::Float64)?.as_primitive_opt::<Float64Type>() {
        Some(doubles) => Ok(doubles.clone()),
        None => internal_err!("{} as doubles", values.data_type()),
    }
}

/// Doubles in a type: whole numbers lose their fraction and stay in range, decimals are those of the doubles' texts.
pub(super) fn from_doubles(values: &Float64Array, of: &DataType) -> Result<ArrayRef> {
    fn whole<T: ArrowPrimitiveType>(values: &Float64Array, of: &DataType, cast: fn(f64) -> T::Native) -> ArrayRef {
        let made: PrimitiveArray<T> = values.unary(cast);
        Arc::new(made.with_data_type(of.clone()))
    }
    Ok(match of {
        DataType::Int8 => whole::<Int8Type>(values, of, |v| v as i32 as i8),
        DataType::Int16 => whole::<Int16Type>(values, of, |v| v as i32 as i16),
        DataType::Int32 => whole::<Int32Type>(values, of, |v| v as i32),
        DataType::Int64 => whole::<Int64Type>(values, of, |v| v as i64),
        DataType::Date32 => whole::<Date32Type>(values, of, |v| v as i32),
        DataType::Timestamp(..) => whole::<TimestampMicrosecondType>(values, of, |v| v as i64),
        DataType::Duration(_) => whole::<DurationMicrosecondType>(values, of, |v| v as i64),
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months: IntervalYearMonthArray = values.unary(|v| v as i32);
            Arc::new(months)
        }
        other => {
            let to = Spark::from_arrow(&Field::new("", other.clone(), true))?;
            let doubles: ArrayRef = Arc::new(values.clone());
            cast_array(&doubles, &Spark::Double, &to, CastMode::Legacy, &Zone::UTC)?
        }
    })
}
