//! Values to an array.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, Float32Array, Float64Array, IntervalMonthDayNanoArray,
    ListArray, MapArray, NullArray, PrimitiveArray, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    DataType as Arrow, Date32Type, Decimal128Type, DurationMicrosecondType, Fields, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNano, IntervalYearMonthType, Time64MicrosecondType, TimestampMicrosecondType,
};

use super::Datum;
use crate::error::{SparkError, SparkResult};
use crate::types::DataType;

/// An array of `data_type`; a value of another type becomes NULL.
///
/// # Errors
/// Where Arrow refuses: a NULL in a field that is declared not to have any.
pub(crate) fn build(data_type: &DataType, values: Vec<Datum>) -> SparkResult<ArrayRef> {
    use DataType as T;
    Ok(match data_type {
        T::Geometry(_) | T::Geography(_) => return Err(SparkError::unsupported("spatial values in another format")),
        T::Null => Arc::new(NullArray::new(values.len())),
        T::Boolean => Arc::new(
            values.iter().map(|v| if let Datum::Bool(v) = v { Some(*v) } else { None }).collect::<BooleanArray>(),
        ),
        T::Byte => whole::<Int8Type>(data_type, &values, |v| i8::try_from(v).ok()),
        T::Short => whole::<Int16Type>(data_type, &values, |v| i16::try_from(v).ok()),
        T::Integer => whole::<Int32Type>(data_type, &values, |v| i32::try_from(v).ok()),
        T::Long => whole::<Int64Type>(data_type, &values, Some),
        T::Date => whole::<Date32Type>(data_type, &values, |v| i32::try_from(v).ok()),
        T::Timestamp | T::TimestampNtz => whole::<TimestampMicrosecondType>(data_type, &values, Some),
        T::Time(_) => whole::<Time64MicrosecondType>(data_type, &values, Some),
        T::YearMonthInterval(..) => whole::<IntervalYearMonthType>(data_type, &values, |v| i32::try_from(v).ok()),
        T::DayTimeInterval(..) => whole::<DurationMicrosecondType>(data_type, &values, Some),
        T::Float => Arc::new(
            values.iter().map(|v| if let Datum::Float(v) = v { Some(*v) } else { None }).collect::<Float32Array>(),
        ),
        T::Double => Arc::new(
            values.iter().map(|v| if let Datum::Double(v) = v { Some(*v) } else { None }).collect::<Float64Array>(),
        ),
        T::Decimal(..) => {
            let digits = values.iter().map(|v| if let Datum::Decimal(v) = v { Some(*v) } else { None });
            Arc::new(digits.collect::<PrimitiveArray<Decimal128Type>>().with_data_type(data_type.to_arrow()))
        }
        T::CalendarInterval => {
            let values = values.iter().map(|v| match v {
                Datum::Interval(months, days, nanos) => Some(IntervalMonthDayNano::new(*months, *days, *nanos)),
                _ => None,
            });
            Arc::new(values.collect::<IntervalMonthDayNanoArray>())
        }
        T::String | T::Collated(_) | T::Char(_) | T::Varchar(_) => {
            let texts = values.iter().map(|v| if let Datum::Text(v) = v { Some(v.as_str()) } else { None });
            Arc::new(texts.collect::<StringArray>())
        }
        T::Binary => {
            let bytes = values.iter().map(|v| if let Datum::Bytes(v) = v { Some(v.as_slice()) } else { None });
            Arc::new(bytes.collect::<BinaryArray>())
        }
        T::Array { element, .. } => list(data_type, element, values)?,
        T::Map { key, value, .. } => map(data_type, key, value, values)?,
        T::Struct(fields) => {
            let Arrow::Struct(arrow) = data_type.to_arrow() else { return Err(mismatch(data_type)) };
            let nulls = NullBuffer::from_iter(values.iter().map(|v| matches!(v, Datum::Row(_))));
            let mut columns: Vec<Vec<Datum>> = fields.fields.iter().map(|_| Vec::with_capacity(values.len())).collect();
            let length = values.len();
            for value in values {
                let mut row = if let Datum::Row(row) = value { row } else { vec![] }.into_iter();
                columns.iter_mut().for_each(|column| column.push(row.next().unwrap_or(Datum::Null)));
            }
            if columns.is_empty() {
                return Ok(Arc::new(StructArray::new_empty_fields(length, Some(nulls))));
            }
            let columns = fields
                .fields
                .iter()
                .zip(columns)
                .map(|(field, column)| build(&field.data_type, column))
                .collect::<SparkResult<Vec<_>>>()?;
            Arc::new(StructArray::try_new(arrow, columns, Some(nulls))?)
        }
        T::Variant => {
            let Arrow::Struct(fields) = data_type.to_arrow() else { return Err(mismatch(data_type)) };
            variants(fields, &values)?
        }
    })
}

fn mismatch(data_type: &DataType) -> SparkError {
    SparkError::internal(format!("no array carries {}", data_type.sql()))
}

fn whole<T: ArrowPrimitiveType>(
    data_type: &DataType,
    values: &[Datum],
    fit: impl Fn(i64) -> Option<T::Native>,
) -> ArrayRef {
    let values = values.iter().map(|v| if let Datum::Int(v) = v { fit(*v) } else { None });
    let mut builder = PrimitiveArray::<T>::builder(values.len());
    values.for_each(|value| builder.append_option(value));
    Arc::new(builder.finish().with_data_type(data_type.to_arrow()))
}

fn list(data_type: &DataType, element: &DataType, values: Vec<Datum>) -> SparkResult<ArrayRef> {
    let Arrow::List(field) = data_type.to_arrow() else { return Err(mismatch(data_type)) };
    let nulls = NullBuffer::from_iter(values.iter().map(|v| matches!(v, Datum::List(_))));
    let mut lengths = Vec::with_capacity(values.len());
    let mut all = vec![];
    for value in values {
        let items = if let Datum::List(items) = value { items } else { vec![] };
        lengths.push(items.len());
        all.extend(items);
    }
    let inner = build(element, all)?;
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), inner, Some(nulls))?))
}

fn map(data_type: &DataType, key: &DataType, value: &DataType, values: Vec<Datum>) -> SparkResult<ArrayRef> {
    let Arrow::Map(field, ordered) = data_type.to_arrow() else { return Err(mismatch(data_type)) };
    let Arrow::Struct(fields) = field.data_type() else { return Err(mismatch(data_type)) };
    let nulls = NullBuffer::from_iter(values.iter().map(|v| matches!(v, Datum::Map(_))));
    let mut lengths = Vec::with_capacity(values.len());
    let (mut all_keys, mut all_values) = (vec![], vec![]);
    for entries in values {
        let entries = if let Datum::Map(entries) = entries { entries } else { vec![] };
        lengths.push(entries.len());
        for (key, value) in entries {
            all_keys.push(key);
            all_values.push(value);
        }
    }
    let entries = StructArray::try_new(fields.clone(), vec![build(key, all_keys)?, build(value, all_values)?], None)?;
    Ok(Arc::new(MapArray::try_new(field, OffsetBuffer::from_lengths(lengths), entries, Some(nulls), ordered)?))
}

fn variants(fields: Fields, values: &[Datum]) -> SparkResult<ArrayRef> {
    let nulls = NullBuffer::from_iter(values.iter().map(|v| matches!(v, Datum::Variant(_))));
    let part = |metadata: bool| {
        let bytes = values.iter().map(|v| match v {
            Datum::Variant(variant) if metadata => variant.metadata.as_slice(),
            Datum::Variant(variant) => variant.value.as_slice(),
            _ => &[][..],
        });
        Arc::new(BinaryArray::from_iter_values(bytes)) as ArrayRef
    };
    Ok(Arc::new(StructArray::try_new(fields, vec![part(false), part(true)], Some(nulls))?))
}
