//! COPY BINARY rows to Arrow builders.
//!
//! Trusts no length: a short row is an error, not a panic. Opens no connection.

use arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int16Builder, Int32Builder, Int64Builder, RecordBatch, RecordBatchOptions, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::SchemaRef;
use bytes::{Buf, BytesMut};

use super::{ReadKind, ReadSpec};
use crate::error::{ConnectorError, Result};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = 946_684_800_000_000;

pub(super) struct Decoder {
    schema: SchemaRef,
    columns: Vec<(String, Column)>,
    buffer: BytesMut,
    started: bool,
    rows: usize,
    batch_size: usize,
}

enum Column {
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
}

impl Decoder {
    pub(super) fn new(spec: &ReadSpec, batch_size: usize) -> Self {
        let columns = spec.columns.iter().map(|column| (column.name.clone(), Column::new(&column.kind))).collect();
        Self {
            schema: spec.schema(),
            columns,
            buffer: BytesMut::new(),
            started: false,
            rows: 0,
            batch_size: batch_size.max(1),
        }
    }

    /// Takes one message, which holds whole rows. Returns a batch when one is full.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Option<RecordBatch>> {
        // Called again with the same message after a batch: then the buffer still holds its rest.
        if self.buffer.is_empty() {
            self.buffer.extend_from_slice(bytes);
        }
        if !self.started {
            self.header()?;
        }
        while !self.buffer.is_empty() {
            if self.rows >= self.batch_size {
                return self.batch().map(Some);
            }
            self.row()?;
        }
        Ok(None)
    }

    pub(super) fn finish(&mut self) -> Result<Option<RecordBatch>> {
        if self.rows == 0 { Ok(None) } else { self.batch().map(Some) }
    }

    fn header(&mut self) -> Result<()> {
        if !self.buffer.starts_with(SIGNATURE) || self.buffer.len() < SIGNATURE.len() + 8 {
            return Err(short());
        }
        self.buffer.advance(SIGNATURE.len() + 4);
        let extension = usize::try_from(self.buffer.get_u32()).map_err(|_| short())?;
        if self.buffer.len() < extension {
            return Err(short());
        }
        self.buffer.advance(extension);
        self.started = true;
        Ok(())
    }

    fn row(&mut self) -> Result<()> {
        let count = self.buffer.try_get_i16().map_err(|_| short())?;
        if count == -1 {
            self.buffer.clear();
            return Ok(());
        }
        let expected = self.columns.len().max(1);
        if usize::try_from(count).ok() != Some(expected) {
            return Err(ConnectorError::Protocol(format!("row with {count} fields instead of {expected}")));
        }
        if self.columns.is_empty() {
            self.buffer.try_get_i32().map_err(|_| short())?;
        }
        for (name, column) in &mut self.columns {
            let length = self.buffer.try_get_i32().map_err(|_| short())?;
            if length < 0 {
                column.append_null();
                continue;
            }
            let length = usize::try_from(length).map_err(|_| short())?;
            if self.buffer.len() < length {
                return Err(short());
            }
            let value = self.buffer.split_to(length);
            column.append(&value).map_err(|reason| ConnectorError::InvalidValue {
                column: name.clone(),
                row: self.rows as u64,
                value: String::new(),
                to: "the column's type".to_owned(),
                reason: reason.to_owned(),
            })?;
        }
        self.rows += 1;
        Ok(())
    }

    fn batch(&mut self) -> Result<RecordBatch> {
        let arrays: Vec<ArrayRef> =
            self.columns.iter_mut().map(|(_, column)| column.finish()).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        self.rows = 0;
        RecordBatch::try_new_with_options(std::sync::Arc::clone(&self.schema), arrays, &options)
            .map_err(|error| ConnectorError::Engine(error.into()))
    }
}

impl Column {
    fn new(kind: &ReadKind) -> Self {
        match kind {
            ReadKind::Bool => Self::Bool(BooleanBuilder::new()),
            ReadKind::Int2 => Self::Int2(Int16Builder::new()),
            ReadKind::Int4 => Self::Int4(Int32Builder::new()),
            ReadKind::Int8 => Self::Int8(Int64Builder::new()),
            ReadKind::Float4 => Self::Float4(Float32Builder::new()),
            ReadKind::Float8 => Self::Float8(Float64Builder::new()),
            ReadKind::Numeric(precision, scale) => Self::Numeric(Decimal128Builder::new(), *precision, *scale),
            ReadKind::Text | ReadKind::CastText => Self::Text(StringBuilder::new()),
            ReadKind::Bytea => Self::Bytea(BinaryBuilder::new()),
            ReadKind::Date => Self::Date(Date32Builder::new()),
            ReadKind::TimestampNtz => Self::Timestamp(TimestampMicrosecondBuilder::new(), false),
            ReadKind::TimestampUtc | ReadKind::TimestampTz => Self::Timestamp(TimestampMicrosecondBuilder::new(), true),
        }
    }

    fn append_null(&mut self) {
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
        }
    }

    fn append(&mut self, mut value: &[u8]) -> Result<(), &'static str> {
        const SHORT: &str = "value of unexpected length";
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
            Self::Date(builder) => {
                let days = value.try_get_i32().map_err(|_| SHORT)?;
                builder.append_value(days.checked_add(EPOCH_DAYS).ok_or("infinite date")?);
            }
            Self::Timestamp(builder, _) => {
                let micros = value.try_get_i64().map_err(|_| SHORT)?;
                if micros == i64::MIN {
                    return Err("infinite timestamp");
                }
                builder.append_value(micros.checked_add(EPOCH_MICROS).ok_or("infinite timestamp")?);
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        Ok(match self {
            Self::Bool(builder) => ArrayBuilder::finish(builder),
            Self::Int2(builder) => ArrayBuilder::finish(builder),
            Self::Int4(builder) => ArrayBuilder::finish(builder),
            Self::Int8(builder) => ArrayBuilder::finish(builder),
            Self::Float4(builder) => ArrayBuilder::finish(builder),
            Self::Float8(builder) => ArrayBuilder::finish(builder),
            Self::Numeric(builder, precision, scale) => std::sync::Arc::new(
                builder
                    .finish()
                    .with_precision_and_scale(*precision, *scale)
                    .map_err(|error| ConnectorError::Engine(error.into()))?,
            ),
            Self::Text(builder) => ArrayBuilder::finish(builder),
            Self::Bytea(builder) => ArrayBuilder::finish(builder),
            Self::Date(builder) => ArrayBuilder::finish(builder),
            Self::Timestamp(builder, false) => ArrayBuilder::finish(builder),
            Self::Timestamp(builder, true) => std::sync::Arc::new(builder.finish().with_timezone("UTC")),
        })
    }
}

/// The unscaled value of a wire `numeric` at this scale, rounded half up as Spark's reader does.
fn decimal(mut value: &[u8], precision: u8, scale: i8) -> Result<i128, &'static str> {
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

fn short() -> ConnectorError {
    ConnectorError::Protocol("malformed COPY data".to_owned())
}
