//! Which wire form a target column takes, and checked conversion of arrays to it.
//!
//! A conversion that would change a value is an error, never a rounding.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Field, Float64Type, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::{ConnectorError, Result};
use crate::postgres::table::TableColumn;

/// The binary form of a target type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wire {
    /// `bool`
    Bool,
    /// `int2`
    Int2,
    /// `int4`
    Int4,
    /// `int8`
    Int8,
    /// `float4`
    Float4,
    /// `float8`
    Float8,
    /// `numeric`
    Numeric,
    /// Text types, enums and `json`
    Text,
    /// `jsonb`: text with a version byte
    Jsonb,
    /// `uuid`, from its text
    Uuid,
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `timestamp`
    Timestamp,
    /// `timestamptz`
    TimestampTz,
    /// `time`
    Time,
    /// One-dimensional array: element and its type's OID
    Array(Box<Wire>, u32),
}

impl Wire {
    /// The form of a column.
    ///
    /// # Errors
    /// `TypeMismatch` for types without one.
    pub fn of(column: &TableColumn) -> Result<Self> {
        let scalar = |name: &str| {
            Some(match name {
                "bool" => (Self::Bool, 16),
                "int2" => (Self::Int2, 21),
                "int4" => (Self::Int4, 23),
                "int8" => (Self::Int8, 20),
                "float4" => (Self::Float4, 700),
                "float8" => (Self::Float8, 701),
                "numeric" => (Self::Numeric, 1700),
                "text" => (Self::Text, 25),
                "varchar" => (Self::Text, 1043),
                "bpchar" => (Self::Text, 1042),
                "name" => (Self::Text, 19),
                "json" => (Self::Text, 114),
                "jsonb" => (Self::Jsonb, 3802),
                "uuid" => (Self::Uuid, 2950),
                "bytea" => (Self::Bytea, 17),
                "date" => (Self::Date, 1082),
                "timestamp" => (Self::Timestamp, 1114),
                "timestamptz" => (Self::TimestampTz, 1184),
                "time" => (Self::Time, 1083),
                _ => return None,
            })
        };
        if column.kind == "e" {
            return Ok(Self::Text);
        }
        if let Some((wire, _)) = scalar(&column.type_name) {
            return Ok(wire);
        }
        if let Some((item, oid)) = column.type_name.strip_prefix('_').and_then(scalar) {
            return Ok(Self::Array(Box::new(item), oid));
        }
        Err(ConnectorError::TypeMismatch {
            column: column.name.clone(),
            from: "any type".to_owned(),
            to: column.sql_type.clone(),
        })
    }

    /// The Arrow type whose arrays are encoded for it, given what comes in; `None` if that cannot be stored.
    fn arrow(&self, from: &DataType) -> Option<DataType> {
        let text = matches!(from, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let binary = matches!(
            from,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
        );
        let number = from.is_numeric();
        let nothing = *from == DataType::Null;
        let micros = |zone: Option<Arc<str>>| DataType::Timestamp(TimeUnit::Microsecond, zone);
        match self {
            Self::Bool => (matches!(from, DataType::Boolean) || nothing).then_some(DataType::Boolean),
            Self::Int2 => (number || nothing).then_some(DataType::Int16),
            Self::Int4 => (number || nothing).then_some(DataType::Int32),
            Self::Int8 => (number || nothing).then_some(DataType::Int64),
            Self::Float4 => (number || nothing).then_some(DataType::Float32),
            Self::Float8 => (number || nothing).then_some(DataType::Float64),
            Self::Numeric => match from {
                DataType::Decimal128(_, _) => Some(from.clone()),
                DataType::Decimal256(_, _) | DataType::Float32 | DataType::Float64 => Some(DataType::Utf8),
                _ if from.is_integer() => Some(DataType::Decimal128(20, 0)),
                _ => nothing.then_some(DataType::Decimal128(20, 0)),
            },
            Self::Text => (text
                || nothing
                || from.is_integer()
                || matches!(from, DataType::Boolean | DataType::Decimal128(_, _) | DataType::Date32))
            .then_some(DataType::Utf8),
            Self::Jsonb | Self::Uuid => (text || nothing).then_some(DataType::Utf8),
            Self::Bytea => (binary || nothing).then_some(DataType::Binary),
            Self::Date => (matches!(from, DataType::Date32) || nothing).then_some(DataType::Date32),
            // Zoned times are instants in UTC; a column without zone takes them so, as the session's zone is UTC.
            Self::Timestamp | Self::TimestampTz => match from {
                DataType::Timestamp(_, zone) => Some(micros(zone.clone())),
                DataType::Date32 => Some(micros(None)),
                _ => nothing.then(|| micros(None)),
            },
            Self::Time => (matches!(from, DataType::Time32(_) | DataType::Time64(_)) || nothing)
                .then_some(DataType::Time64(TimeUnit::Microsecond)),
            Self::Array(item, _) => match from {
                DataType::List(field) | DataType::LargeList(field) => {
                    let item = item.arrow(field.data_type())?;
                    Some(DataType::List(Arc::new(Field::new("item", item, true))))
                }
                _ => None,
            },
        }
    }
}

/// Converts a column for the wire; `base` is the number of its first row.
pub(super) fn convert(array: &ArrayRef, column: &TableColumn, wire: &Wire, base: u64) -> Result<ArrayRef> {
    let from = array.data_type();
    let to = wire.arrow(from).ok_or_else(|| ConnectorError::TypeMismatch {
        column: column.name.clone(),
        from: from.to_string(),
        to: column.sql_type.clone(),
    })?;
    if let (Wire::Array(item, _), DataType::List(_)) = (wire, from) {
        let list = array.as_list::<i32>();
        let values = convert(list.values(), column, item, base)?;
        let field = Arc::new(Field::new("item", values.data_type().clone(), true));
        let list = ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned());
        return Ok(Arc::new(list.map_err(engine)?));
    }
    if *from == to {
        return Ok(Arc::clone(array));
    }
    if *wire == Wire::Numeric && to == DataType::Utf8 {
        return plain_numbers(array);
    }
    let options = CastOptions { safe: true, format_options: FormatOptions::default() };
    let converted = cast_with_options(array, &to, &options).map_err(engine)?;
    let fractional = matches!(from, DataType::Float32 | DataType::Float64 | DataType::Decimal128(_, _))
        && matches!(wire, Wire::Int2 | Wire::Int4 | Wire::Int8);
    let back = if fractional { Some(cast(&converted, from).map_err(engine)?) } else { None };
    let overflows = (*wire == Wire::Float4).then(|| cast(array, &DataType::Float64).map_err(engine)).transpose()?;
    if converted.null_count() == array.logical_null_count() && back.is_none() && overflows.is_none() {
        return Ok(converted);
    }
    for row in 0..array.len() {
        if array.is_null(row) {
            continue;
        }
        let lost = converted.is_null(row)
            || back.as_ref().is_some_and(|back| back.slice(row, 1).as_ref() != array.slice(row, 1).as_ref());
        let became_infinite = overflows.as_ref().is_some_and(|wide| {
            let wide = wide.as_primitive::<Float64Type>().value(row);
            wide.is_finite() && wide.abs() > f64::from(f32::MAX)
        });
        if lost || became_infinite {
            return Err(ConnectorError::InvalidValue {
                column: column.name.clone(),
                row: base + row as u64,
                value: shown(array, row),
                to: column.sql_type.clone(),
                reason: if converted.is_null(row) || became_infinite { "out of range" } else { "not a whole number" }
                    .to_owned(),
            });
        }
    }
    Ok(converted)
}

/// Floats and wide decimals in plain digits.
fn plain_numbers(array: &ArrayRef) -> Result<ArrayRef> {
    let strings: StringArray = match array.data_type() {
        DataType::Float32 => array
            .as_primitive::<arrow::datatypes::Float32Type>()
            .iter()
            .map(|value| value.map(|value| value.to_string()))
            .collect(),
        DataType::Float64 => {
            array.as_primitive::<Float64Type>().iter().map(|value| value.map(|value| value.to_string())).collect()
        }
        _ => return cast(array, &DataType::Utf8).map_err(engine),
    };
    Ok(Arc::new(strings))
}

/// A value for a message.
pub(super) fn shown(array: &dyn Array, row: usize) -> String {
    let text = ArrayFormatter::try_new(array, &FormatOptions::default())
        .ok()
        .and_then(|formatter| formatter.value(row).try_to_string().ok())
        .unwrap_or_default();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn engine(error: arrow::error::ArrowError) -> ConnectorError {
    ConnectorError::Engine(error.into())
}
