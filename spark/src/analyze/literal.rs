//! Literals of the unresolved plan as values, and their text in column names. It knows no session beyond its time zone.

use std::sync::Arc;

use arrow::array::{ArrayRef, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::IntervalMonthDayNano;
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::Analyzer;
use super::typed::{Typed, arrow_field};
use crate::spec::Literal;

impl Analyzer<'_> {
    /// A literal.
    pub(super) fn literal(&self, literal: &Literal) -> SparkResult<Typed> {
        let data_type = literal_type(literal)?;
        let value = scalar(literal, &data_type)?;
        let name = self.literal_text(&value, &data_type)?;
        Ok(Typed::literal(value, data_type, name))
    }

    /// Text of a constant in column names: strings bare, dates with their type, decimals in full.
    pub(super) fn literal_text(&self, value: &ScalarValue, data_type: &DataType) -> SparkResult<String> {
        if value.is_null() {
            return Ok("NULL".to_string());
        }
        Ok(match data_type {
            DataType::Boolean | DataType::Byte | DataType::Short | DataType::Integer | DataType::Long => {
                value.to_string()
            }
            DataType::Date => format!("DATE '{}'", self.cast_text(value, data_type)?),
            DataType::Timestamp => format!("TIMESTAMP '{}'", self.cast_text(value, data_type)?),
            DataType::TimestampNtz => format!("TIMESTAMP_NTZ '{}'", self.cast_text(value, data_type)?),
            DataType::Time(_) => format!("TIME '{}'", self.cast_text(value, data_type)?),
            DataType::Binary => match value {
                ScalarValue::Binary(Some(bytes)) => {
                    format!("X'{}'", bytes.iter().map(|b| format!("{b:02X}")).collect::<String>())
                }
                _ => value.to_string(),
            },
            _ => self.cast_text(value, data_type)?,
        })
    }

    /// A value as `CAST(value AS STRING)` says it.
    pub(super) fn cast_text(&self, value: &ScalarValue, data_type: &DataType) -> SparkResult<String> {
        if let ScalarValue::Utf8(Some(text)) = value {
            return Ok(text.clone());
        }
        let expr = super::functions::cast_to_string(value.clone(), data_type);
        match self.fold(&expr)? {
            ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) | ScalarValue::LargeUtf8(Some(text)) => {
                Ok(text)
            }
            other => Ok(other.to_string()),
        }
    }
}

/// Spark type of a literal.
pub(super) fn literal_type(literal: &Literal) -> SparkResult<DataType> {
    Ok(match literal {
        Literal::Null(data_type) | Literal::Struct(data_type, _) => data_type.clone(),
        Literal::Boolean(_) => DataType::Boolean,
        Literal::Byte(_) => DataType::Byte,
        Literal::Short(_) => DataType::Short,
        Literal::Integer(_) => DataType::Integer,
        Literal::Long(_) => DataType::Long,
        Literal::Float(_) => DataType::Float,
        Literal::Double(_) => DataType::Double,
        Literal::Decimal { precision, scale, .. } => DataType::Decimal(*precision, *scale),
        Literal::String(_) => DataType::String,
        Literal::Binary(_) => DataType::Binary,
        Literal::Date(_) => DataType::Date,
        Literal::Timestamp(_) => DataType::Timestamp,
        Literal::TimestampNtz(_) => DataType::TimestampNtz,
        Literal::Time(_, precision) => DataType::Time(*precision),
        Literal::YearMonthInterval(_, from, to) => DataType::YearMonthInterval(*from, *to),
        Literal::DayTimeInterval(_, from, to) => DataType::DayTimeInterval(*from, *to),
        Literal::CalendarInterval { .. } => DataType::CalendarInterval,
        Literal::Array(element, items) => DataType::Array {
            element: Box::new(element.clone()),
            contains_null: items.iter().any(|i| matches!(i, Literal::Null(_))),
        },
        Literal::Map(key, value, entries) => DataType::Map {
            key: Box::new(key.clone()),
            value: Box::new(value.clone()),
            value_contains_null: entries.iter().any(|(_, v)| matches!(v, Literal::Null(_))),
        },
    })
}

/// The value of a literal as `data_type`.
pub(super) fn scalar(literal: &Literal, data_type: &DataType) -> SparkResult<ScalarValue> {
    Ok(match literal {
        Literal::Null(_) => null(data_type)?,
        Literal::Boolean(v) => ScalarValue::Boolean(Some(*v)),
        Literal::Byte(v) => ScalarValue::Int8(Some(*v)),
        Literal::Short(v) => ScalarValue::Int16(Some(*v)),
        Literal::Integer(v) => ScalarValue::Int32(Some(*v)),
        Literal::Long(v) => ScalarValue::Int64(Some(*v)),
        Literal::Float(v) => ScalarValue::Float32(Some(*v)),
        Literal::Double(v) => ScalarValue::Float64(Some(*v)),
        Literal::Decimal { value, precision, scale } => ScalarValue::Decimal128(Some(*value), *precision, *scale),
        Literal::String(v) => ScalarValue::Utf8(Some(v.clone())),
        Literal::Binary(v) => ScalarValue::Binary(Some(v.clone())),
        Literal::Date(v) => ScalarValue::Date32(Some(*v)),
        Literal::Timestamp(v) => ScalarValue::TimestampMicrosecond(Some(*v), Some("UTC".into())),
        Literal::TimestampNtz(v) => ScalarValue::TimestampMicrosecond(Some(*v), None),
        Literal::Time(v, _) => ScalarValue::Time64Microsecond(Some(*v)),
        Literal::YearMonthInterval(v, ..) => ScalarValue::IntervalYearMonth(Some(*v)),
        Literal::DayTimeInterval(v, ..) => ScalarValue::DurationMicrosecond(Some(*v)),
        Literal::CalendarInterval { months, days, micros } => ScalarValue::IntervalMonthDayNano(Some(
            IntervalMonthDayNano::new(*months, *days, micros.saturating_mul(1000)),
        )),
        Literal::Array(element, items) => {
            let values = array_of(items.iter(), element)?;
            let field = Arc::new(arrow_field("element", element, true));
            let array = arrow::array::ListArray::try_new(
                field,
                arrow::buffer::OffsetBuffer::from_lengths([values.len()]),
                values,
                None,
            )
            .map_err(|e| SparkError::internal(e.to_string()))?;
            ScalarValue::List(Arc::new(array))
        }
        Literal::Map(key, value, entries) => map_scalar(key, value, entries, data_type)?,
        Literal::Struct(struct_type, items) => struct_scalar(struct_type, items)?,
    })
}

fn struct_scalar(struct_type: &DataType, items: &[Literal]) -> SparkResult<ScalarValue> {
    let DataType::Struct(StructType { fields }) = struct_type else {
        return Err(SparkError::internal("a struct literal needs a struct type"));
    };
    let mut columns = Vec::with_capacity(fields.len());
    for (field, item) in fields.iter().zip(items) {
        columns.push((Arc::new(StructField::to_arrow(field)), array_of([item].into_iter(), &field.data_type)?));
    }
    let array = arrow::array::StructArray::from(columns);
    Ok(ScalarValue::Struct(Arc::new(array)))
}

fn map_scalar(
    key: &DataType,
    value: &DataType,
    entries: &[(Literal, Literal)],
    map: &DataType,
) -> SparkResult<ScalarValue> {
    let internal = |e: arrow::error::ArrowError| SparkError::internal(e.to_string());
    let keys = array_of(entries.iter().map(|(k, _)| k), key)?;
    let values = array_of(entries.iter().map(|(_, v)| v), value)?;
    let arrow::datatypes::DataType::Map(field, sorted) = map.to_arrow() else {
        return Err(SparkError::internal("a map literal needs a map type"));
    };
    let arrow::datatypes::DataType::Struct(fields) = field.data_type() else {
        return Err(SparkError::internal("a map has entries"));
    };
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([keys.len()]);
    let pairs = arrow::array::StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(internal)?;
    let array = arrow::array::MapArray::try_new(Arc::clone(&field), offsets, pairs, None, sorted).map_err(internal)?;
    Ok(ScalarValue::Map(Arc::new(array)))
}

fn array_of<'l>(items: impl Iterator<Item = &'l Literal>, element: &DataType) -> SparkResult<ArrayRef> {
    let arrow_type = element.to_arrow();
    let mut parts = Vec::new();
    for item in items {
        let part = match item {
            Literal::Null(_) => new_null_array(&arrow_type, 1),
            other => {
                let array = scalar(other, element)?.to_array().map_err(super::errors::planning)?;
                if array.data_type() == &arrow_type {
                    array
                } else {
                    arrow::compute::cast(&array, &arrow_type).map_err(|e| SparkError::internal(e.to_string()))?
                }
            }
        };
        parts.push(part);
    }
    if parts.is_empty() {
        return Ok(new_null_array(&arrow_type, 0));
    }
    let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(AsRef::as_ref).collect();
    concat(&parts).map_err(|e| SparkError::internal(e.to_string()))
}

/// `NULL` of a type.
pub(super) fn null(data_type: &DataType) -> SparkResult<ScalarValue> {
    match data_type {
        DataType::Timestamp => Ok(ScalarValue::TimestampMicrosecond(None, Some("UTC".into()))),
        DataType::YearMonthInterval(..) => Ok(ScalarValue::IntervalYearMonth(None)),
        DataType::CalendarInterval => Ok(ScalarValue::IntervalMonthDayNano(None)),
        _ => ScalarValue::try_from(&data_type.to_arrow()).map_err(super::errors::planning),
    }
}
