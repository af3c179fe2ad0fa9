//! The formats behind one face: batches in, bytes to an upload.
//!
//! Knows nothing of file names, partitions or commits.

use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use bytes::Bytes;
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;

use super::upload::Upload;
use super::{FileFormat, Pending, PreparedFiles, avro, csv, data_columns, json, parquet, text};
use crate::error::{ConnectorError, Result};

/// An open file of some format.
pub(super) enum Encoder {
    Parquet(Box<parquet::ParquetFile>),
    Avro(Box<avro::AvroFile>),
    Lines(Box<LineFile>),
}

/// Turns batches into text.
pub(super) trait LineFormat: Send {
    /// What stands before the first row.
    fn header(&self) -> Option<String>;
    /// Appends the rows' text.
    fn append(&self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()>;
}

/// A text file, compressed on its way.
pub(super) struct LineFile {
    format: Box<dyn LineFormat>,
    upload: Compressed,
    buffer: Vec<u8>,
    started: bool,
}

const CHUNK: usize = 256 * 1024;

impl Encoder {
    pub(super) fn open(prepared: &PreparedFiles, schema: &SchemaRef, upload: Upload) -> Result<Self> {
        if let FileFormat::Parquet(options) = &prepared.spec.format {
            return Ok(Self::Parquet(Box::new(parquet::ParquetFile::open(options, schema, upload)?)));
        }
        if let FileFormat::Avro(options) = &prepared.spec.format {
            return Ok(Self::Avro(Box::new(avro::AvroFile::open(options, schema, upload)?)));
        }
        let format = line_format(prepared, schema)?;
        let upload = Compressed::new(upload, compression(&prepared.spec.format)?)?;
        Ok(Self::Lines(Box::new(LineFile { format, upload, buffer: Vec::new(), started: false })))
    }

    pub(super) async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::Parquet(file) => file.write(batch).await,
            Self::Avro(file) => file.write(batch).await,
            Self::Lines(file) => file.write(batch).await,
        }
    }

    /// Bytes held in memory for rows not yet handed to the upload.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Parquet(file) => file.memory(),
            Self::Avro(file) => file.memory(),
            Self::Lines(file) => file.buffer.len(),
        }
    }

    pub(super) async fn finish(self) -> Result<(Pending, u64)> {
        match self {
            Self::Parquet(file) => file.finish().await,
            Self::Avro(file) => file.finish().await,
            Self::Lines(file) => file.finish().await,
        }
    }

    pub(super) async fn discard(self) {
        match self {
            Self::Parquet(file) => file.discard().await,
            Self::Avro(file) => file.discard().await,
            Self::Lines(file) => file.upload.discard().await,
        }
    }
}

impl LineFile {
    async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.start();
        // Text can be much larger than its batch.
        let mut row = 0;
        while row < batch.num_rows() {
            let count = (batch.num_rows() - row).min(1024);
            self.format.append(&batch.slice(row, count), &mut self.buffer)?;
            row += count;
            if self.buffer.len() >= CHUNK {
                self.upload.write(Bytes::from(std::mem::take(&mut self.buffer))).await?;
            }
        }
        Ok(())
    }

    fn start(&mut self) {
        if !self.started {
            self.started = true;
            self.buffer.extend(self.format.header().unwrap_or_default().into_bytes());
        }
    }

    async fn finish(mut self) -> Result<(Pending, u64)> {
        self.start();
        let mut result = Ok(());
        if !self.buffer.is_empty() {
            result = self.upload.write(Bytes::from(std::mem::take(&mut self.buffer))).await;
        }
        match result {
            Ok(()) => self.upload.finish().await,
            Err(error) => {
                self.upload.discard().await;
                Err(error)
            }
        }
    }
}

/// Refuses types and options the format has no form for.
pub(super) fn check(prepared: &PreparedFiles, schema: &SchemaRef) -> Result<()> {
    let schema = data_schema(prepared, schema);
    for index in &prepared.partition_columns {
        if let Some(name) = prepared.columns.get(*index)
            && schema.fields().iter().any(|field| field.name() == name)
        {
            return Err(ConnectorError::Protocol(format!("column {name} is both data and partition")));
        }
    }
    match &prepared.spec.format {
        FileFormat::Parquet(options) => parquet::check(options, &schema),
        FileFormat::Avro(options) => avro::check(options, &schema),
        format => {
            compression(format)?;
            line_format(prepared, &schema).map(drop)
        }
    }
}

/// The file's columns: without the partition columns, under their written names, all nullable as Spark declares them.
pub(super) fn data_schema(prepared: &PreparedFiles, input: &Schema) -> SchemaRef {
    let fields: Vec<Field> = data_columns(prepared)
        .into_iter()
        .filter_map(|index| {
            let field = input.fields().get(index)?;
            let name = prepared.columns.get(index)?;
            Some(field.as_ref().clone().with_name(name).with_nullable(true))
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// The ending of the file's name, codec included.
pub(super) fn extension(format: &FileFormat) -> Result<String> {
    Ok(match format {
        FileFormat::Parquet(options) => format!("{}.parquet", parquet::codec(options)?.1),
        FileFormat::Avro(_) => ".avro".to_owned(),
        FileFormat::Csv(_) => format!(".csv{}", suffix(format)?),
        FileFormat::Json(_) => format!(".json{}", suffix(format)?),
        FileFormat::Text(_) => format!(".txt{}", suffix(format)?),
    })
}

/// Whether an empty result still makes a file that says something: a schema or a header.
pub(super) fn writes_empty(format: &FileFormat) -> bool {
    match format {
        FileFormat::Parquet(_) | FileFormat::Avro(_) => true,
        FileFormat::Csv(options) => options.header,
        FileFormat::Json(_) | FileFormat::Text(_) => false,
    }
}

fn line_format(prepared: &PreparedFiles, schema: &SchemaRef) -> Result<Box<dyn LineFormat>> {
    let zone = &prepared.spec.time_zone;
    Ok(match &prepared.spec.format {
        FileFormat::Csv(options) => Box::new(csv::CsvFormat::new(options, schema, zone)?),
        FileFormat::Json(options) => Box::new(json::JsonFormat::new(options, schema, zone)?),
        FileFormat::Text(options) => Box::new(text::TextFormat::new(options, schema)?),
        FileFormat::Parquet(_) | FileFormat::Avro(_) => {
            return Err(ConnectorError::Protocol("not a text format".to_owned()));
        }
    })
}

fn codec_name(format: &FileFormat) -> &str {
    match format {
        FileFormat::Parquet(options) => &options.compression,
        FileFormat::Avro(options) => &options.compression,
        FileFormat::Csv(options) => &options.compression,
        FileFormat::Json(options) => &options.compression,
        FileFormat::Text(options) => &options.compression,
    }
}

fn compression(format: &FileFormat) -> Result<FileCompressionType> {
    match codec_name(format).to_ascii_lowercase().as_str() {
        "" | "none" | "uncompressed" => Ok(FileCompressionType::UNCOMPRESSED),
        name @ ("gzip" | "bzip2" | "zstd" | "xz") => {
            FileCompressionType::from_str(name).map_err(ConnectorError::Engine)
        }
        name => Err(ConnectorError::option("compression", format!("codec {name} is not available for text"))),
    }
}

fn suffix(format: &FileFormat) -> Result<&'static str> {
    let compression = compression(format)?;
    Ok(match compression {
        FileCompressionType::GZIP => ".gz",
        FileCompressionType::BZIP2 => ".bz2",
        FileCompressionType::ZSTD => ".zst",
        FileCompressionType::XZ => ".xz",
        _ => "",
    })
}

/// An upload behind a compressor; the compressor pulls, so it runs as a task fed through a channel.
enum Compressed {
    Plain(Upload),
    Piped { sender: mpsc::Sender<Bytes>, task: SpawnedTask<Result<(Pending, u64)>> },
}

impl Compressed {
    fn new(upload: Upload, compression: FileCompressionType) -> Result<Self> {
        if compression == FileCompressionType::UNCOMPRESSED {
            return Ok(Self::Plain(upload));
        }
        let (sender, receiver) = mpsc::channel::<Bytes>(2);
        let plain: Pin<Box<dyn Stream<Item = datafusion::error::Result<Bytes>> + Send>> =
            stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|b| (Ok(b), receiver)) })
                .boxed();
        let mut packed = compression.convert_to_compress_stream(plain)?;
        let task = SpawnedTask::spawn(async move {
            let mut upload = upload;
            let mut pending = Vec::with_capacity(CHUNK);
            let copied = async {
                while let Some(bytes) = packed.try_next().await? {
                    // Compressors emit a few kilobytes at a time.
                    pending.extend_from_slice(&bytes);
                    if pending.len() >= CHUNK {
                        upload.write(Bytes::from(std::mem::take(&mut pending))).await?;
                    }
                }
                if !pending.is_empty() {
                    upload.write(Bytes::from(pending)).await?;
                }
                Ok(())
            };
            match copied.await {
                Ok(()) => upload.finish().await,
                Err(error) => {
                    upload.discard().await;
                    Err(error)
                }
            }
        });
        Ok(Self::Piped { sender, task })
    }

    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        match self {
            Self::Plain(upload) => upload.write(bytes).await,
            Self::Piped { sender, .. } => sender
                .send(bytes)
                .await
                .map_err(|_| ConnectorError::Protocol("the compressing task ended early".to_owned())),
        }
    }

    async fn finish(self) -> Result<(Pending, u64)> {
        match self {
            Self::Plain(upload) => upload.finish().await,
            Self::Piped { sender, task } => {
                drop(sender);
                task.join().await.map_err(|error| ConnectorError::Protocol(format!("compressing task: {error}")))?
            }
        }
    }

    async fn discard(self) {
        match self {
            Self::Plain(upload) => upload.discard().await,
            Self::Piped { sender, task } => {
                // Ends the input; what the task then finished is dropped again.
                drop(sender);
                if let Ok(Ok((pending, _))) = task.join().await {
                    tracing::debug!(?pending, "left an unfinished compressed file behind");
                }
            }
        }
    }
}
