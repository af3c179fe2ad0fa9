//! Converted arrays, put on the wire value by value.
//!
//! Conversion is done before; here only what the wire itself refuses can fail.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int16Array, Int32Array, Int64Array, ListArray, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use bytes::{BufMut, BytesMut};

use super::convert::{Wire, shown};
use crate::error::{ConnectorError, Result};
use crate::postgres::numeric;
use crate::postgres::table::TableColumn;

/// 2000-01-01, where the server's time begins.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Why one value cannot be sent.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) value: String,
    pub(super) reason: &'static str,
}

/// One column, typed for its wire form.
pub(super) enum Values {
    Bool(BooleanArray),
    Int2(Int16Array),
    Int4(Int32Array),
    Int8(Int64Array),
    Float4(Float32Array),
    Float8(Float64Array),
    Decimal(Decimal128Array, i8),
    NumericText(StringArray),
    Text(StringArray),
    Jsonb(StringArray),
    Uuid(StringArray),
    Bytea(BinaryArray),
    Date(Date32Array),
    Timestamp(TimestampMicrosecondArray),
    Time(Time64MicrosecondArray),
    Array { list: ListArray, items: Box<Values>, oid: u32 },
}

impl Values {
    pub(super) fn new(array: &ArrayRef, wire: &Wire, column: &TableColumn) -> Result<Self> {
        Ok(match (wire, array.data_type()) {
            (Wire::Bool, DataType::Boolean) => Self::Bool(array.as_boolean().clone()),
            (Wire::Int2, DataType::Int16) => Self::Int2(array.as_primitive::<Int16Type>().clone()),
            (Wire::Int4, DataType::Int32) => Self::Int4(array.as_primitive::<Int32Type>().clone()),
            (Wire::Int8, DataType::Int64) => Self::Int8(array.as_primitive::<Int64Type>().clone()),
            (Wire::Float4, DataType::Float32) => Self::Float4(array.as_primitive::<Float32Type>().clone()),
            (Wire::Float8, DataType::Float64) => Self::Float8(array.as_primitive::<Float64Type>().clone()),
            (Wire::Numeric, DataType::Decimal128(_, scale)) => {
                Self::Decimal(array.as_primitive::<Decimal128Type>().clone(), *scale)
            }
            (Wire::Numeric, DataType::Utf8) => Self::NumericText(array.as_string::<i32>().clone()),
            (Wire::Text, DataType::Utf8) => Self::Text(array.as_string::<i32>().clone()),
            (Wire::Jsonb, DataType::Utf8) => Self::Jsonb(array.as_string::<i32>().clone()),
            (Wire::Uuid, DataType::Utf8) => Self::Uuid(array.as_string::<i32>().clone()),
            (Wire::Bytea, DataType::Binary) => Self::Bytea(array.as_binary::<i32>().clone()),
            (Wire::Date, DataType::Date32) => Self::Date(array.as_primitive::<Date32Type>().clone()),
            (Wire::Timestamp | Wire::TimestampTz, DataType::Timestamp(_, _)) => {
                Self::Timestamp(array.as_primitive::<TimestampMicrosecondType>().clone())
            }
            (Wire::Time, DataType::Time64(_)) => Self::Time(array.as_primitive::<Time64MicrosecondType>().clone()),
            (Wire::Array(item, oid), DataType::List(_)) => {
                let list = array.as_list::<i32>().clone();
                let items = Box::new(Self::new(list.values(), item, column)?);
                Self::Array { list, items, oid: *oid }
            }
            (_, data_type) => {
                return Err(ConnectorError::TypeMismatch {
                    column: column.name.clone(),
                    from: data_type.to_string(),
                    to: column.sql_type.clone(),
                });
            }
        })
    }

    fn array(&self) -> &dyn Array {
        match self {
            Self::Bool(array) => array,
            Self::Int2(array) => array,
            Self::Int4(array) => array,
            Self::Int8(array) => array,
            Self::Float4(array) => array,
            Self::Float8(array) => array,
            Self::Decimal(array, _) => array,
            Self::NumericText(array) | Self::Text(array) | Self::Jsonb(array) | Self::Uuid(array) => array,
            Self::Bytea(array) => array,
            Self::Date(array) => array,
            Self::Timestamp(array) => array,
            Self::Time(array) => array,
            Self::Array { list, .. } => list,
        }
    }

    /// Appends length and value.
    pub(super) fn put(&self, row: usize, out: &mut BytesMut) -> std::result::Result<(), Failure> {
        if self.array().is_null(row) {
            out.put_i32(-1);
            return Ok(());
        }
        let failure = |reason| Failure { value: shown(self.array(), row), reason };
        match self {
            Self::Bool(array) => {
                out.put_i32(1);
                out.put_u8(u8::from(array.value(row)));
            }
            Self::Int2(array) => {
                out.put_i32(2);
                out.put_i16(array.value(row));
            }
            Self::Int4(array) => {
                out.put_i32(4);
                out.put_i32(array.value(row));
            }
            Self::Int8(array) => {
                out.put_i32(8);
                out.put_i64(array.value(row));
            }
            Self::Float4(array) => {
                out.put_i32(4);
                out.put_f32(array.value(row));
            }
            Self::Float8(array) => {
                out.put_i32(8);
                out.put_f64(array.value(row));
            }
            Self::Decimal(array, scale) => numeric::put_decimal(array.value(row), *scale, out),
            Self::NumericText(array) => numeric::put_text(array.value(row), out),
            Self::Text(array) => {
                let text = array.value(row);
                if text.contains('\0') {
                    return Err(failure("text in PostgreSQL cannot hold the character U+0000"));
                }
                put_bytes(text.as_bytes(), out).map_err(failure)?;
            }
            Self::Jsonb(array) => {
                let text = array.value(row);
                let length = i32::try_from(text.len() + 1).map_err(|_| failure("too long"))?;
                out.put_i32(length);
                out.put_u8(1);
                out.extend_from_slice(text.as_bytes());
            }
            Self::Uuid(array) => {
                let uuid = uuid::Uuid::try_parse(array.value(row)).map_err(|_| failure("not a UUID"))?;
                out.put_i32(16);
                out.extend_from_slice(uuid.as_bytes());
            }
            Self::Bytea(array) => put_bytes(array.value(row), out).map_err(failure)?,
            Self::Date(array) => {
                let days = array.value(row).checked_sub(EPOCH_DAYS).ok_or_else(|| failure("out of range"))?;
                out.put_i32(4);
                out.put_i32(days);
            }
            Self::Timestamp(array) => {
                let micros = array.value(row).checked_sub(EPOCH_MICROS).ok_or_else(|| failure("out of range"))?;
                out.put_i32(8);
                out.put_i64(micros);
            }
            Self::Time(array) => {
                out.put_i32(8);
                out.put_i64(array.value(row));
            }
            Self::Array { list, items, oid } => {
                let offsets = list.value_offsets();
                let at = |index: usize| {
                    offsets.get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or_default()
                };
                let (start, end) = (at(row), at(row + 1));
                let length_at = out.len();
                out.put_i32(0);
                let count = i32::try_from(end - start).map_err(|_| failure("too long"))?;
                out.put_i32(i32::from(count > 0));
                out.put_i32(1);
                out.put_u32(*oid);
                if count > 0 {
                    out.put_i32(count);
                    out.put_i32(1);
                }
                for item in start..end {
                    items.put(item, out)?;
                }
                let length = i32::try_from(out.len() - length_at - 4).map_err(|_| failure("too long"))?;
                if let Some(slot) = out.get_mut(length_at..length_at + 4) {
                    slot.copy_from_slice(&length.to_be_bytes());
                }
            }
        }
        Ok(())
    }
}

fn put_bytes(bytes: &[u8], out: &mut BytesMut) -> std::result::Result<(), &'static str> {
    out.put_i32(i32::try_from(bytes.len()).map_err(|_| "too long")?);
    out.extend_from_slice(bytes);
    Ok(())
}
