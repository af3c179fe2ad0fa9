//! One value out of an array.

use arrow::array::{Array, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNanoType, IntervalYearMonthType, Time64MicrosecondType, TimestampMicrosecondType,
};

use super::Datum;
use crate::cast::primitive;
use crate::error::{SparkError, SparkResult};
use crate::scalar::variant::Variant;
use crate::types::DataType;

/// The value of a row; NULL stays [`Datum::Null`].
///
/// # Errors
/// An array that does not carry `data_type`.
pub(crate) fn read(data_type: &DataType, array: &dyn Array, row: usize) -> SparkResult<Datum> {
    use DataType as T;
    if row >= array.len() || array.is_null(row) || matches!(data_type, T::Null) {
        return Ok(Datum::Null);
    }
    let wrong = || SparkError::internal(format!("expected {}, found {:?}", data_type.sql(), array.data_type()));
    Ok(match data_type {
        T::Null => Datum::Null,
        T::Boolean => Datum::Bool(array.as_boolean_opt().ok_or_else(wrong)?.value(row)),
        T::Byte => Datum::Int(at::<Int8Type>(array, row)?.into()),
        T::Short => Datum::Int(at::<Int16Type>(array, row)?.into()),
        T::Integer => Datum::Int(at::<Int32Type>(array, row)?.into()),
        T::Long => Datum::Int(at::<Int64Type>(array, row)?),
        T::Date => Datum::Int(at::<Date32Type>(array, row)?.into()),
        T::Timestamp | T::TimestampNtz => Datum::Int(at::<TimestampMicrosecondType>(array, row)?),
        T::Time(_) => Datum::Int(at::<Time64MicrosecondType>(array, row)?),
        T::YearMonthInterval(..) => Datum::Int(at::<IntervalYearMonthType>(array, row)?.into()),
        T::DayTimeInterval(..) => Datum::Int(at::<DurationMicrosecondType>(array, row)?),
        T::Float => Datum::Float(at::<Float32Type>(array, row)?),
        T::Double => Datum::Double(at::<Float64Type>(array, row)?),
        T::Decimal(..) => Datum::Decimal(at::<Decimal128Type>(array, row)?),
        T::CalendarInterval => {
            let value = at::<IntervalMonthDayNanoType>(array, row)?;
            Datum::Interval(value.months, value.days, value.nanoseconds)
        }
        T::String | T::Collated(_) | T::Char(_) | T::Varchar(_) => {
            Datum::Text(array.as_string_opt::<i32>().ok_or_else(wrong)?.value(row).to_owned())
        }
        T::Geometry(_) | T::Geography(_) => return Err(SparkError::unsupported("spatial values in another format")),
        T::Binary => Datum::Bytes(array.as_binary_opt::<i32>().ok_or_else(wrong)?.value(row).to_vec()),
        T::Array { element, .. } => {
            let items = array.as_list_opt::<i32>().ok_or_else(wrong)?.value(row);
            let items = (0..items.len()).map(|index| read(element, items.as_ref(), index));
            Datum::List(items.collect::<SparkResult<_>>()?)
        }
        T::Map { key, value, .. } => {
            let entries = array.as_map_opt().ok_or_else(wrong)?.value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let entries = (0..entries.len())
                .map(|index| Ok((read(key, keys.as_ref(), index)?, read(value, values.as_ref(), index)?)));
            Datum::Map(entries.collect::<SparkResult<_>>()?)
        }
        T::Struct(fields) => {
            let columns = array.as_struct_opt().ok_or_else(wrong)?.columns();
            let values = fields.fields.iter().zip(columns).map(|(f, c)| read(&f.data_type, c.as_ref(), row));
            Datum::Row(values.collect::<SparkResult<_>>()?)
        }
        T::Variant => {
            let columns = array.as_struct_opt().ok_or_else(wrong)?.columns();
            let part = |index: usize| {
                let bytes = columns.get(index).and_then(|column| column.as_binary_opt::<i32>());
                bytes.map(|bytes| bytes.value(row).to_vec()).ok_or_else(wrong)
            };
            Datum::Variant(Variant { value: part(0)?, metadata: part(1)? })
        }
    })
}

fn at<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> SparkResult<T::Native> {
    Ok(primitive::<T>(array)?.value(row))
}
