//! One column's builder, fed with wire values.
//!
//! Knows nothing of rows.

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int16Builder, Int32Builder, Int64Builder, ListArray, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::Field;
use bytes::Buf;

use super::super::ReadKind;
use crate::error::{ConnectorError, Result};

const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// What Spark makes of infinity: the last and first day of the years 9999 and 1.
const LAST_DAY: i32 = 2_932_896;
const FIRST_DAY: i32 = -719_162;
/// 9999-12-31 23:59:59 and 0001-01-01 00:00:00.
const LAST_MOMENT: i64 = 253_402_300_799_000_000;
const FIRST_MOMENT: i64 = -62_135_596_800_000_000;

const SHORT: &str = "value of unexpected length";

type Reason = &'static str;

pub(super) enum Column {
    Bool(BooleanBuilder),
    Int2(Int16Builder),
    Int4(Int32Builder),
    Int8(Int64Builder),
    Float4(Float32Builder),
    Float8(Float64Builder),
    Numeric(Decimal128Builder, u8, i8),
    Text(StringBuilder),
    Bytea(BinaryBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder, bool),
    List { items: Box<Column>, offsets: Vec<i32>, valid: Vec<bool> },
}

impl Column {
    pub(super) fn new(kind: &ReadKind) -> Self {
        match kind {
            ReadKind::Bool => Self::Bool(BooleanBuilder::new()),
            ReadKind::Int2 => Self::Int2(Int16Builder::new()),
            ReadKind::Int4 => Self::Int4(Int32Builder::new()),
            ReadKind::Int8 => Self::Int8(Int64Builder::new()),
            ReadKind::Float4 => Self::Float4(Float32Builder::new()),
            ReadKind::Float8 => Self::Float8(Float64Builder::new()),
            ReadKind::Numeric(precision, scale) => Self::Numeric(Decimal128Builder::new(), *precision, *scale),
            ReadKind::Text => Self::Text(StringBuilder::new()),
            ReadKind::Bytea => Self::Bytea(BinaryBuilder::new()),
            ReadKind::Date => Self::Date(Date32Builder::new()),
            ReadKind::TimestampNtz => Self::Timestamp(TimestampMicrosecondBuilder::new(), false),
            ReadKind::TimestampUtc | ReadKind::TimestampTz => Self::Timestamp(TimestampMicrosecondBuilder::new(), true),
            ReadKind::Array(item) => {
                Self::List { items: Box::new(Self::new(item)), offsets: vec![0], valid: Vec::new() }
            }
        }
    }

    pub(super) fn append_null(&mut self) {
        match self {
            Self::Bool(builder) => builder.append_null(),
            Self::Int2(builder) => builder.append_null(),
            Self::Int4(builder) => builder.append_null(),
            Self::Int8(builder) => builder.append_null(),
            Self::Float4(builder) => builder.append_null(),
            Self::Float8(builder) => builder.append_null(),
            Self::Numeric(builder, _, _) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Bytea(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Timestamp(builder, _) => builder.append_null(),
            Self::List { offsets, valid, .. } => {
                offsets.push(offsets.last().copied().unwrap_or_default());
                valid.push(false);
            }
        }
    }

    pub(super) fn append(&mut self, mut value: &[u8]) -> Result<(), Reason> {
        match self {
            Self::Bool(builder) => builder.append_value(value.try_get_u8().map_err(|_| SHORT)? != 0),
            Self::Int2(builder) => builder.append_value(value.try_get_i16().map_err(|_| SHORT)?),
            Self::Int4(builder) => builder.append_value(value.try_get_i32().map_err(|_| SHORT)?),
            Self::Int8(builder) => builder.append_value(value.try_get_i64().map_err(|_| SHORT)?),
            Self::Float4(builder) => builder.append_value(value.try_get_f32().map_err(|_| SHORT)?),
            Self::Float8(builder) => builder.append_value(value.try_get_f64().map_err(|_| SHORT)?),
            Self::Numeric(builder, precision, scale) => builder.append_value(decimal(value, *precision, *scale)?),
            Self::Text(builder) => builder.append_value(std::str::from_utf8(value).map_err(|_| "text is not UTF-8")?),
            Self::Bytea(builder) => builder.append_value(value),
            Self::Date(builder) => builder.append_value(match value.try_get_i32().map_err(|_| SHORT)? {
                i32::MAX => LAST_DAY,
                i32::MIN => FIRST_DAY,
                days => days.checked_add(EPOCH_DAYS).ok_or("out of range")?,
            }),
            Self::Timestamp(builder, _) => builder.append_value(match value.try_get_i64().map_err(|_| SHORT)? {
                i64::MAX => LAST_MOMENT,
                i64::MIN => FIRST_MOMENT,
                micros => micros.checked_add(EPOCH_MICROS).ok_or("out of range")?,
            }),
            Self::List { .. } => return self.append_array(value),
        }
        Ok(())
    }

    /// Takes an array: dimensions, flags, element type, lengths, then elements.
    fn append_array(&mut self, mut value: &[u8]) -> Result<(), Reason> {
        let dimensions = value.try_get_i32().map_err(|_| SHORT)?;
        value.try_get_i64().map_err(|_| SHORT)?;
        let mut lengths = Vec::new();
        for _ in 0..dimensions {
            lengths.push(value.try_get_i32().map_err(|_| SHORT)?);
            value.try_get_i32().map_err(|_| SHORT)?;
        }
        if lengths.is_empty() {
            return self.close(0);
        }
        if lengths.len() != self.depth() {
            return Err("an array with other dimensions than its column was declared with");
        }
        self.append_elements(&lengths, &mut value)
    }

    fn depth(&self) -> usize {
        match self {
            Self::List { items, .. } => 1 + items.depth(),
            _ => 0,
        }
    }

    fn append_elements(&mut self, lengths: &[i32], value: &mut &[u8]) -> Result<(), Reason> {
        let (Self::List { items, .. }, Some((length, inner))) = (&mut *self, lengths.split_first()) else {
            return Err(SHORT);
        };
        for _ in 0..*length {
            if inner.is_empty() {
                match super::value(value).map_err(|_| SHORT)? {
                    Some(element) => items.append(element)?,
                    None => items.append_null(),
                }
            } else {
                items.append_elements(inner, value)?;
            }
        }
        self.close(*length)
    }

    /// Ends a list of so many elements.
    fn close(&mut self, length: i32) -> Result<(), Reason> {
        if let Self::List { offsets, valid, .. } = self {
            let last = offsets.last().copied().unwrap_or_default();
            offsets.push(last.checked_add(length).ok_or("too many elements in a batch")?);
            valid.push(true);
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef> {
        Ok(match self {
            Self::Bool(builder) => ArrayBuilder::finish(builder),
            Self::Int2(builder) => ArrayBuilder::finish(builder),
            Self::Int4(builder) => ArrayBuilder::finish(builder),
            Self::Int8(builder) => ArrayBuilder::finish(builder),
            Self::Float4(builder) => ArrayBuilder::finish(builder),
            Self::Float8(builder) => ArrayBuilder::finish(builder),
            Self::Numeric(builder, precision, scale) => Arc::new(
                builder
                    .finish()
                    .with_precision_and_scale(*precision, *scale)
                    .map_err(|error| ConnectorError::Engine(error.into()))?,
            ),
            Self::Text(builder) => ArrayBuilder::finish(builder),
            Self::Bytea(builder) => ArrayBuilder::finish(builder),
            Self::Date(builder) => ArrayBuilder::finish(builder),
            Self::Timestamp(builder, false) => ArrayBuilder::finish(builder),
            Self::Timestamp(builder, true) => Arc::new(builder.finish().with_timezone("UTC")),
            Self::List { items, offsets, valid } => {
                let items = items.finish()?;
                let field = Arc::new(Field::new("element", items.data_type().clone(), true));
                let offsets = OffsetBuffer::new(std::mem::replace(offsets, vec![0]).into());
                let nulls = NullBuffer::from(std::mem::take(valid));
                let list = ListArray::try_new(field, offsets, items, Some(nulls));
                Arc::new(list.map_err(|error| ConnectorError::Engine(error.into()))?)
            }
        })
    }
}

/// A value for a message, where its bytes say something.
pub(super) fn shown(column: &Column, value: &[u8]) -> String {
    match column {
        Column::Text(_) => String::from_utf8_lossy(value.get(..60).unwrap_or(value)).into_owned(),
        Column::Numeric(_, _, _) => match value.get(4..6) {
            Some([0xC0, 0]) => "NaN".to_owned(),
            Some([0xD0, 0]) => "Infinity".to_owned(),
            Some([0xF0, 0]) => "-Infinity".to_owned(),
            _ => format!("a number of {} bytes", value.len()),
        },
        _ => format!("{} bytes", value.len()),
    }
}

/// The unscaled value of a wire `numeric` at this scale, rounded half up as Spark's reader does.
fn decimal(mut value: &[u8], precision: u8, scale: i8) -> std::result::Result<i128, &'static str> {
    const SHORT: &str = "value of unexpected length";
    const LARGE: &str = "does not fit the decimal's precision";
    let count = value.try_get_i16().map_err(|_| SHORT)?;
    let weight = i32::from(value.try_get_i16().map_err(|_| SHORT)?);
    let sign = value.try_get_u16().map_err(|_| SHORT)?;
    value.try_get_i16().map_err(|_| SHORT)?;
    if sign & 0x8000 != 0 {
        return Err("NaN or infinity has no decimal form");
    }
    let mut unscaled: i128 = 0;
    for index in 0..i32::from(count) {
        let group = i128::from(value.try_get_i16().map_err(|_| SHORT)?);
        // This group stands for `group * 10^exponent` of the unscaled value.
        let exponent = (weight - index) * 4 + i32::from(scale);
        let part = if exponent >= 0 {
            let factor = 10_i128.checked_pow(exponent.unsigned_abs()).ok_or(LARGE)?;
            group.checked_mul(factor).ok_or(LARGE)?
        } else if exponent > -4 {
            let divisor = 10_i128.pow(exponent.unsigned_abs());
            (group + divisor / 2) / divisor
        } else if exponent == -4 {
            i128::from(group >= 5000)
        } else {
            0
        };
        unscaled = unscaled.checked_add(part).ok_or(LARGE)?;
        if exponent <= -4 {
            break;
        }
    }
    if unscaled >= 10_i128.checked_pow(u32::from(precision)).ok_or(LARGE)? {
        return Err(LARGE);
    }
    Ok(if sign == 0x4000 { -unscaled } else { unscaled })
}
