//! Avro as Spark reads it: one block for some thousand rows, types inside the file.
//!
//! Knows nothing of where the bytes go beyond an upload.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_avro::compression::CompressionCodec;
use arrow_avro::errors::AvroError;
use arrow_avro::writer::format::AvroOcfFormat;
use arrow_avro::writer::{AvroWriter, WriterBuilder};
use bytes::Bytes;
use parking_lot::Mutex;

use super::upload::Upload;
use super::{AvroOptions, Pending, unsupported_type};
use crate::error::{ConnectorError, Result};

/// Rows of a block.
const BLOCK: usize = 4096;

pub(super) struct AvroFile {
    writer: AvroWriter<Shared>,
    schema: SchemaRef,
    written: Shared,
    upload: Upload,
}

/// Bytes that the writer has made and the upload has not taken yet.
#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn take(&self) -> Bytes {
        Bytes::from(std::mem::take(&mut *self.0.lock()))
    }
}

impl AvroFile {
    pub(super) fn open(options: &AvroOptions, schema: &SchemaRef, upload: Upload) -> Result<Self> {
        let schema = stored(schema);
        let written = Shared::default();
        let writer = WriterBuilder::new(schema.as_ref().clone())
            .with_compression(codec(options)?)
            .build::<_, AvroOcfFormat>(written.clone())
            .map_err(avro_error)?;
        Ok(Self { writer, schema, written, upload })
    }

    pub(super) async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())
            .map_err(|error| ConnectorError::Engine(error.into()))?;
        let mut at = 0;
        while at < batch.num_rows() {
            let length = BLOCK.min(batch.num_rows() - at);
            self.writer.write(&batch.slice(at, length)).map_err(avro_error)?;
            at += length;
            self.upload.write(self.written.take()).await?;
        }
        Ok(())
    }

    pub(super) fn memory(&self) -> usize {
        self.written.0.lock().len()
    }

    pub(super) async fn finish(mut self) -> Result<(Pending, u64)> {
        let mut result = self.writer.finish().map_err(avro_error);
        let rest = self.written.take();
        if result.is_ok() && !rest.is_empty() {
            result = self.upload.write(rest).await;
        }
        match result {
            Ok(()) => self.upload.finish().await,
            Err(error) => {
                self.upload.discard().await;
                Err(error)
            }
        }
    }

    pub(super) async fn discard(self) {
        self.upload.discard().await;
    }
}

/// The columns without the notes of other formats, which would become part of Avro's schema.
fn stored(schema: &Schema) -> SchemaRef {
    let plain = |field: &Arc<Field>| Field::new(field.name(), field.data_type().clone(), field.is_nullable());
    Arc::new(Schema::new(schema.fields().iter().map(plain).collect::<Vec<_>>()))
}

fn codec(options: &AvroOptions) -> Result<Option<CompressionCodec>> {
    Ok(match options.compression.to_ascii_lowercase().as_str() {
        "uncompressed" | "none" => None,
        "snappy" => Some(CompressionCodec::Snappy),
        "deflate" => Some(CompressionCodec::Deflate),
        "zstandard" => Some(CompressionCodec::ZStandard),
        "bzip2" => Some(CompressionCodec::Bzip2),
        "xz" => Some(CompressionCodec::Xz),
        other => return Err(ConnectorError::option("compression", format!("unknown Avro codec {other}"))),
    })
}

pub(super) fn check(options: &AvroOptions, schema: &Schema) -> Result<()> {
    codec(options)?;
    for field in schema.fields() {
        check_field(field).map_err(|bad| match bad {
            Some(name) => ConnectorError::Unsupported { feature: format!("the name `{name}` in Avro files") },
            None => unsupported_type(field.name(), field.data_type(), "avro"),
        })?;
    }
    Ok(())
}

/// `Some` with a name that Avro does not allow, `None` for a type that it has not.
fn check_field(field: &Field) -> std::result::Result<(), Option<String>> {
    let name = field.name();
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !begins || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Some(name.clone()));
    }
    check_type(field.data_type())
}

fn check_type(data_type: &DataType) -> std::result::Result<(), Option<String>> {
    match data_type {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Utf8
        | DataType::Binary
        | DataType::Date32
        | DataType::Timestamp(TimeUnit::Microsecond, _) => Ok(()),
        DataType::List(item) => check_type(item.data_type()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => match fields.as_ref() {
                // Keys of Avro's maps are text.
                [key, value] if *key.data_type() == DataType::Utf8 => check_type(value.data_type()),
                _ => Err(None),
            },
            _ => Err(None),
        },
        DataType::Struct(fields) => fields.iter().try_for_each(|field| check_field(field)),
        _ => Err(None),
    }
}

fn avro_error(error: AvroError) -> ConnectorError {
    ConnectorError::Engine(arrow::error::ArrowError::from(error).into())
}
