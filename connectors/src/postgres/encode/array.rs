//! Converted arrays, put on the wire value by value.
//!
//! Conversion is done before; here only what the wire itself refuses can fail.

use std::borrow::Cow;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMicrosecondArray,
    Float32Array, Float64Array, Int16Array, Int32Array, Int64Array, IntervalMonthDayNanoArray, IntervalYearMonthArray,
    ListArray, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use bytes::{BufMut, BytesMut};

use super::convert::shown;
use super::text::put_bytes;
use super::wire::Wire;
use super::{list, text};
use crate::error::{ConnectorError, Result};
use crate::postgres::numeric::{self, Limits};
use crate::postgres::table::TableColumn;

/// 2000-01-01, where the server's time begins.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// The first day of the server's calendar, 4713 BC, and the day after its last, from its beginning of time.
const DAYS: std::ops::Range<i32> = -2_451_545..2_145_031_949;
/// The same for moments; the ends stand for infinity.
const MICROS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// Why one value cannot be sent.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) value: String,
    pub(super) reason: Cow<'static, str>,
}

/// One column, typed for its wire form.
pub(super) enum Values {
    Bool(BooleanArray),
    Int2(Int16Array),
    Int4(Int32Array),
    Int8(Int64Array),
    Float4(Float32Array),
    Float8(Float64Array),
    /// With its scale, and limits that need a look at each value
    Decimal(Decimal128Array, i8, Option<Limits>),
    NumericText(StringArray, Option<Limits>),
    Text(StringArray, Option<usize>),
    Jsonb(StringArray),
    Uuid(StringArray),
    Bytea(BinaryArray),
    Date(Date32Array),
    Timestamp(TimestampMicrosecondArray),
    Time(Time64MicrosecondArray),
    Duration(DurationMicrosecondArray),
    Months(IntervalYearMonthArray),
    Calendar(IntervalMonthDayNanoArray),
    Inet(StringArray, bool),
    MacAddr(StringArray),
    Array {
        list: ListArray,
        items: Box<Values>,
        oid: u32,
    },
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
            (Wire::Numeric(limits), DataType::Decimal128(precision, scale)) => {
                let limits = limits.filter(|limits| !limits.holds_all(*precision, *scale));
                Self::Decimal(array.as_primitive::<Decimal128Type>().clone(), *scale, limits)
            }
            (Wire::Numeric(limits), DataType::Utf8) => Self::NumericText(array.as_string::<i32>().clone(), *limits),
            (Wire::Text(limit), DataType::Utf8) => Self::Text(array.as_string::<i32>().clone(), *limit),
            (Wire::ServerText, DataType::Utf8) => Self::Text(array.as_string::<i32>().clone(), None),
            (Wire::Inet(is_cidr), DataType::Utf8) => Self::Inet(array.as_string::<i32>().clone(), *is_cidr),
            (Wire::MacAddr, DataType::Utf8) => Self::MacAddr(array.as_string::<i32>().clone()),
            (Wire::Interval, DataType::Duration(_)) => {
                Self::Duration(array.as_primitive::<DurationMicrosecondType>().clone())
            }
            (Wire::Interval, DataType::Interval(IntervalUnit::YearMonth)) => {
                Self::Months(array.as_primitive::<IntervalYearMonthType>().clone())
            }
            (Wire::Interval, DataType::Interval(IntervalUnit::MonthDayNano)) => {
                Self::Calendar(array.as_primitive::<IntervalMonthDayNanoType>().clone())
            }
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
                let nested = matches!(list.values().data_type(), DataType::List(_));
                let items = Box::new(Self::new(list.values(), if nested { wire } else { item }, column)?);
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
            Self::Decimal(array, _, _) => array,
            Self::NumericText(array, _) | Self::Text(array, _) | Self::Inet(array, _) => array,
            Self::Jsonb(array) | Self::Uuid(array) | Self::MacAddr(array) => array,
            Self::Duration(array) => array,
            Self::Months(array) => array,
            Self::Calendar(array) => array,
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
        let failure = |reason: &'static str| Failure { value: shown(self.array(), row), reason: reason.into() };
        let explained = |reason: String| Failure { value: shown(self.array(), row), reason: reason.into() };
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
            Self::Decimal(array, scale, limits) => {
                let value = array.value(row);
                if limits.is_some_and(|limits| !limits.holds(value, *scale)) {
                    return Err(failure("out of range"));
                }
                numeric::put_decimal(value, *scale, out);
            }
            Self::NumericText(array, limits) => {
                let text = array.value(row);
                if limits.is_some_and(|limits| limits.too_long(text)) {
                    return Err(failure("out of range"));
                }
                numeric::put_text(text, out);
            }
            Self::Text(array, limit) => text::put(array.value(row), *limit, out).map_err(explained)?,
            Self::Inet(array, is_cidr) => text::put_inet(array.value(row), *is_cidr, out).map_err(explained)?,
            Self::MacAddr(array) => text::put_macaddr(array.value(row), out).map_err(explained)?,
            Self::Duration(array) => put_interval(array.value(row), 0, 0, out),
            Self::Months(array) => put_interval(0, 0, array.value(row), out),
            Self::Calendar(array) => {
                let value = array.value(row);
                put_interval(value.nanoseconds / 1000, value.days, value.months, out);
            }
            Self::Jsonb(array) => {
                let text = array.value(row);
                let length = i32::try_from(text.len() + 1).map_err(|_| failure("too long"))?;
                if text::holds_nul(text) {
                    return Err(failure("text in PostgreSQL cannot hold the character U+0000"));
                }
                out.put_i32(length);
                out.put_u8(1);
                out.extend_from_slice(text.as_bytes());
            }
            Self::Uuid(array) => {
                let uuid = uuid::Uuid::try_parse(array.value(row)).map_err(|_| failure("not a UUID"))?;
                out.put_i32(16);
                out.extend_from_slice(uuid.as_bytes());
            }
            Self::Bytea(array) => put_bytes(array.value(row), out).map_err(explained)?,
            Self::Date(array) => {
                let days = array.value(row).checked_sub(EPOCH_DAYS).filter(|days| DAYS.contains(days));
                let days = days.ok_or_else(|| failure("out of range"))?;
                out.put_i32(4);
                out.put_i32(days);
            }
            Self::Timestamp(array) => {
                let micros = array.value(row).checked_sub(EPOCH_MICROS).filter(|micros| MICROS.contains(micros));
                let micros = micros.ok_or_else(|| failure("out of range"))?;
                out.put_i32(8);
                out.put_i64(micros);
            }
            Self::Time(array) => {
                out.put_i32(8);
                out.put_i64(array.value(row));
            }
            Self::Array { list, items, oid } => list::put(list, items, *oid, row, out)?,
        }
        Ok(())
    }
}

fn put_interval(micros: i64, days: i32, months: i32, out: &mut BytesMut) {
    out.put_i32(16);
    out.put_i64(micros);
    out.put_i32(days);
    out.put_i32(months);
}
