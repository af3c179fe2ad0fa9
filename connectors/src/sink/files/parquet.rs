//! Parquet as Spark reads it, streamed: row groups leave memory as they close.
//!
//! Knows nothing of where the bytes go beyond an upload.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::async_writer::AsyncFileWriter;
use parquet::arrow::{ArrowSchemaConverter, AsyncArrowWriter};
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::upload::Upload;
use super::{ParquetOptions, Pending, unsupported_type};
use crate::error::{ConnectorError, Result};

/// Encoded bytes at which a row group is closed, whatever its rows: Spark's block size.
const ROW_GROUP_BYTES: usize = 128 * 1024 * 1024;

pub(super) struct ParquetFile {
    writer: AsyncArrowWriter<Sink>,
    schema: SchemaRef,
}

struct Sink {
    upload: Upload,
    failure: Option<ConnectorError>,
}

impl AsyncFileWriter for Sink {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, parquet::errors::Result<()>> {
        async move {
            self.upload.write(bytes).await.map_err(|error| {
                let text = error.to_string();
                self.failure = Some(error);
                ParquetError::General(text)
            })
        }
        .boxed()
    }

    fn complete(&mut self) -> BoxFuture<'_, parquet::errors::Result<()>> {
        // The upload is finished by its owner, who needs the result.
        async { Ok(()) }.boxed()
    }
}

impl ParquetFile {
    pub(super) fn open(options: &ParquetOptions, schema: &SchemaRef, upload: Upload) -> Result<Self> {
        let metadata = options.metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
        let properties = WriterProperties::builder()
            .set_compression(codec(options)?.0)
            .set_max_row_group_row_count(Some(options.row_group_rows.max(1)))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            // Names inside lists and maps as the format's standard has them.
            .set_coerce_types(true)
            .set_created_by(concat!("firesteel version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(metadata))
            .build();
        // Readers shall go by the Parquet types, not by an embedded Arrow schema.
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true)
            .with_schema_root("spark_schema".to_owned());
        let schema = stored_schema(schema);
        let sink = Sink { upload, failure: None };
        let writer =
            AsyncArrowWriter::try_new_with_options(sink, Arc::clone(&schema), options).map_err(parquet_error)?;
        Ok(Self { writer, schema })
    }

    pub(super) async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut columns = Vec::with_capacity(batch.num_columns());
        for (column, field) in batch.columns().iter().zip(self.schema.fields()) {
            columns.push(match column.data_type() == field.data_type() {
                true => Arc::clone(column),
                false => arrow::compute::cast(column, field.data_type()).map_err(arrow_error)?,
            });
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(arrow_error)?;
        self.writer.write(&batch).await.map_err(parquet_error)
    }

    pub(super) fn memory(&self) -> usize {
        self.writer.memory_size()
    }

    pub(super) async fn finish(mut self) -> Result<(Pending, u64)> {
        let finished = self.writer.finish().await;
        let sink = self.writer.into_inner();
        match finished {
            Ok(_) => sink.upload.finish().await,
            Err(error) => {
                sink.upload.discard().await;
                Err(sink.failure.unwrap_or_else(|| parquet_error(error)))
            }
        }
    }

    pub(super) async fn discard(self) {
        self.writer.into_inner().upload.discard().await;
    }
}

/// The codec and its part of the file's name.
pub(super) fn codec(options: &ParquetOptions) -> Result<(Compression, &'static str)> {
    Ok(match options.compression.to_ascii_lowercase().as_str() {
        "snappy" | "" => (Compression::SNAPPY, ".snappy"),
        "none" | "uncompressed" => (Compression::UNCOMPRESSED, ""),
        "gzip" => (Compression::GZIP(GzipLevel::default()), ".gz"),
        "zstd" => (Compression::ZSTD(ZstdLevel::try_new(3).map_err(parquet_error)?), ".zstd"),
        "lz4" => (Compression::LZ4, ".lz4hadoop"),
        "lz4_raw" | "lz4raw" => (Compression::LZ4_RAW, ".lz4raw"),
        "brotli" => (Compression::BROTLI(BrotliLevel::default()), ".br"),
        other => return Err(ConnectorError::option("compression", format!("unknown Parquet codec {other}"))),
    })
}

pub(super) fn check(options: &ParquetOptions, schema: &Schema) -> Result<()> {
    codec(options)?;
    for field in schema.fields() {
        let supported = |data_type: &DataType| {
            !matches!(
                data_type,
                DataType::Null
                    | DataType::Interval(_)
                    | DataType::Duration(_)
                    | DataType::Union(_, _)
                    | DataType::Timestamp(TimeUnit::Second, _)
            )
        };
        if !all_types(field.data_type(), &supported) {
            return Err(unsupported_type(field.name(), field.data_type(), "parquet"));
        }
    }
    ArrowSchemaConverter::new().with_coerce_types(true).convert(&stored_schema(schema)).map_err(parquet_error)?;
    Ok(())
}

/// Top-level types Spark knows: no dictionaries, views or wide offsets change the file, but nanoseconds would.
fn stored_schema(schema: &Schema) -> SchemaRef {
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond | TimeUnit::Millisecond, zone) => {
                let stored = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
                field.as_ref().clone().with_data_type(stored)
            }
            _ => field.as_ref().clone(),
        })
        .map(|field| {
            let metadata = field.metadata().iter().filter(|(key, _)| key.as_str() == "PARQUET:field_id");
            let metadata = metadata.map(|(key, value)| (key.clone(), value.clone())).collect();
            field.with_metadata(metadata)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// Whether a type and all types inside it pass.
fn all_types(data_type: &DataType, passes: &impl Fn(&DataType) -> bool) -> bool {
    passes(data_type)
        && match data_type {
            DataType::List(field) | DataType::LargeList(field) | DataType::Map(field, _) => {
                all_types(field.data_type(), passes)
            }
            DataType::Struct(fields) => fields.iter().all(|field| all_types(field.data_type(), passes)),
            _ => true,
        }
}

fn parquet_error(error: ParquetError) -> ConnectorError {
    ConnectorError::Engine(error.into())
}

fn arrow_error(error: arrow::error::ArrowError) -> ConnectorError {
    ConnectorError::Engine(error.into())
}
