//! One task's share of a write: rows to partition directories to files, none of them visible.
//!
//! ```text
//! batch -> split by partition directory -> open file of that directory -> upload
//! ```
//! Bounded: few files are open at once, and the least recently used one is closed for another.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::runtime_env::RuntimeEnv;
use futures::StreamExt;
use uuid::Uuid;

use super::encode::{self, Encoder};
use super::upload::Destination;
use super::values::{Cells, Times};
use super::{FileMessage, PreparedFiles, TimeFormats, WrittenFile, data_columns};
use crate::error::{ConnectorError, Result};
use crate::files::escape::partition_segment;
use crate::store::multipart_of;

const OPEN_FILES: usize = 24;
const OPEN_BYTES: usize = 256 * 1024 * 1024;

struct OpenFile {
    encoder: Encoder,
    key: String,
    rows: u64,
    used: u64,
}

struct Task<'a> {
    prepared: &'a PreparedFiles,
    partition: usize,
    destination: Destination,
    schema: SchemaRef,
    extension: String,
    open: HashMap<String, OpenFile>,
    counters: HashMap<String, u32>,
    clock: u64,
    message: FileMessage,
}

impl PreparedFiles {
    /// Writes one partition. On failure everything this attempt uploaded is dropped again.
    pub(in crate::sink) async fn write(
        &self,
        partition: usize,
        attempt: &str,
        mut input: SendableRecordBatchStream,
        runtime: &RuntimeEnv,
    ) -> Result<FileMessage> {
        let store = self.store(runtime)?;
        let destination = match multipart_of(&store) {
            Some(multipart) => Destination::deferred(multipart),
            None => {
                // Attempts never share a directory, even if their names repeat.
                let directory = format!("{}/{partition}-{}", self.staging()?, Uuid::new_v4());
                let directory = object_store::path::Path::parse(&directory)
                    .map_err(|error| ConnectorError::InvalidPath { path: directory, reason: error.to_string() })?;
                Destination::Staged(Arc::clone(&store), directory)
            }
        };
        let mut task = Task {
            prepared: self,
            partition,
            destination,
            schema: encode::data_schema(self, &input.schema()),
            extension: encode::extension(&self.spec.format)?,
            open: HashMap::new(),
            counters: HashMap::new(),
            clock: 0,
            message: FileMessage::default(),
        };
        let result = task.run(&mut input).await;
        match result {
            Ok(()) => Ok(task.message),
            Err(error) => {
                tracing::debug!(partition, attempt, %error, "dropping a failed attempt's files");
                for (_, file) in task.open.drain() {
                    file.encoder.discard().await;
                }
                if let Err(error) = self.discard(vec![task.message], &store).await {
                    tracing::debug!(%error, "could not drop a failed attempt's files");
                }
                Err(error)
            }
        }
    }
}

impl Task<'_> {
    async fn run(&mut self, input: &mut SendableRecordBatchStream) -> Result<()> {
        let splitter = Splitter::new(self.prepared, &input.schema())?;
        while let Some(batch) = input.next().await {
            let batch = batch?;
            if batch.num_rows() == 0 {
                continue;
            }
            for (directory, rows) in splitter.split(&batch)? {
                self.write(&directory, &rows).await?;
            }
            self.relieve().await?;
        }
        let nothing_written = self.open.is_empty() && self.message.files.is_empty();
        let unpartitioned = self.prepared.partition_columns.is_empty();
        if nothing_written && unpartitioned && self.partition == 0 && encode::writes_empty(&self.prepared.spec.format) {
            self.write("", &RecordBatch::new_empty(Arc::clone(&self.schema))).await?;
        }
        let mut directories: Vec<String> = self.open.keys().cloned().collect();
        directories.sort_unstable();
        for directory in directories {
            self.close(&directory).await?;
        }
        Ok(())
    }

    async fn write(&mut self, directory: &str, rows: &RecordBatch) -> Result<()> {
        let limit = self.prepared.spec.max_records_per_file;
        let mut rows = rows.clone();
        loop {
            self.clock += 1;
            if !self.open.contains_key(directory) {
                self.open_file(directory).await?;
            }
            let clock = self.clock;
            let Some(file) = self.open.get_mut(directory) else { return Ok(()) };
            file.used = clock;
            let room = if limit == 0 { u64::MAX } else { limit - file.rows };
            let count = rows.num_rows().min(usize::try_from(room).unwrap_or(usize::MAX));
            file.encoder.write(&rows.slice(0, count)).await?;
            file.rows += count as u64;
            self.message.rows += count as u64;
            let full = limit != 0 && file.rows >= limit;
            rows = rows.slice(count, rows.num_rows() - count);
            if full {
                self.close(directory).await?;
            }
            if rows.num_rows() == 0 {
                return Ok(());
            }
        }
    }

    async fn open_file(&mut self, directory: &str) -> Result<()> {
        while self.open.len() >= OPEN_FILES {
            self.close_oldest().await?;
        }
        let counter = self.counters.entry(directory.to_owned()).or_insert(0);
        let joint = if self.prepared.partition_columns.is_empty() { '-' } else { '.' };
        let name =
            format!("part-{:05}-{}{joint}c{:03}{}", self.partition, self.prepared.write_id, counter, self.extension);
        *counter += 1;
        let relative = if directory.is_empty() { name } else { format!("{directory}/{name}") };
        let key = self.prepared.child(&relative)?;
        let upload = self.destination.open(&key, &relative).await?;
        let encoder = Encoder::open(self.prepared, &self.schema, upload)?;
        self.open.insert(directory.to_owned(), OpenFile { encoder, key: key.into(), rows: 0, used: self.clock });
        Ok(())
    }

    async fn close(&mut self, directory: &str) -> Result<()> {
        let Some(file) = self.open.remove(directory) else { return Ok(()) };
        let (pending, bytes) = file.encoder.finish().await?;
        self.message.files.push(WrittenFile { key: file.key, directory: directory.to_owned(), bytes, pending });
        Ok(())
    }

    async fn close_oldest(&mut self) -> Result<()> {
        let oldest = self.open.iter().min_by_key(|(_, file)| file.used).map(|(directory, _)| directory.clone());
        match oldest {
            Some(directory) => self.close(&directory).await,
            None => Ok(()),
        }
    }

    /// Closes files while the open ones hold too much memory together.
    async fn relieve(&mut self) -> Result<()> {
        while self.open.len() > 1 && self.open.values().map(|file| file.encoder.memory()).sum::<usize>() > OPEN_BYTES {
            self.close_oldest().await?;
        }
        Ok(())
    }
}

/// Splits batches by partition directory and takes the partition columns out.
struct Splitter<'a> {
    prepared: &'a PreparedFiles,
    keys: Option<RowConverter>,
    times: Times,
}

impl<'a> Splitter<'a> {
    fn new(prepared: &'a PreparedFiles, schema: &SchemaRef) -> Result<Self> {
        let mut fields = Vec::new();
        for index in &prepared.partition_columns {
            let field = schema.fields().get(*index).ok_or_else(|| missing(*index))?;
            fields.push(SortField::new(field.data_type().clone()));
        }
        let keys = match fields.is_empty() {
            true => None,
            false => Some(RowConverter::new(fields).map_err(arrow_error)?),
        };
        // Spark casts partition values to strings: a space between date and time, and no trailing zeros.
        let formats = TimeFormats {
            date: "yyyy-MM-dd".to_owned(),
            timestamp: "yyyy-MM-dd HH:mm:ss.SSSSSS".to_owned(),
            timestamp_ntz: "yyyy-MM-dd HH:mm:ss.SSSSSS".to_owned(),
        };
        Ok(Self { prepared, keys, times: Times::new(&formats, &prepared.spec.time_zone)? })
    }

    fn split(&self, batch: &RecordBatch) -> Result<Vec<(String, RecordBatch)>> {
        let data = batch.project(&data_columns(self.prepared)).map_err(arrow_error)?;
        let Some(keys) = &self.keys else { return Ok(vec![(String::new(), data)]) };
        let mut columns: Vec<ArrayRef> = Vec::new();
        for index in &self.prepared.partition_columns {
            columns.push(Arc::clone(batch.columns().get(*index).ok_or_else(|| missing(*index))?));
        }
        let rows = keys.convert_columns(&columns).map_err(arrow_error)?;
        let mut order: Vec<Vec<u32>> = Vec::new();
        let mut groups: HashMap<OwnedRow, usize> = HashMap::new();
        let mut last: Option<(OwnedRow, usize)> = None;
        for (index, row) in rows.iter().enumerate() {
            let index = u32::try_from(index).map_err(|_| ConnectorError::Protocol("batch too large".to_owned()))?;
            let group = match &last {
                Some((key, group)) if key.row() == row => *group,
                _ => {
                    let key = row.owned();
                    let group = *groups.entry(key.clone()).or_insert(order.len());
                    last = Some((key, group));
                    group
                }
            };
            match order.get_mut(group) {
                Some(group) => group.push(index),
                None => order.push(vec![index]),
            }
        }
        let cells: Vec<Cells> = columns.iter().map(Cells::new).collect::<Result<_>>()?;
        let mut parts = Vec::with_capacity(order.len());
        for indices in order {
            let first = indices.first().copied().unwrap_or_default() as usize;
            let directory = self.directory(&cells, &columns, first)?;
            let all = indices.len() == batch.num_rows();
            let rows = match all {
                true => data.clone(),
                false => take_record_batch(&data, &UInt32Array::from(indices)).map_err(arrow_error)?,
            };
            parts.push((directory, rows));
        }
        Ok(parts)
    }

    fn directory(&self, cells: &[Cells], columns: &[ArrayRef], row: usize) -> Result<String> {
        let mut segments = Vec::with_capacity(cells.len());
        for ((cells, column), name) in cells.iter().zip(columns).zip(&self.prepared.spec.partition_by) {
            if cells.is_null(row) {
                segments.push(partition_segment(name, None));
                continue;
            }
            let mut text = String::new();
            cells.text(row, &self.times, &mut text)?;
            if matches!(column.data_type(), DataType::Timestamp(_, _)) {
                text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
            }
            segments.push(partition_segment(name, Some(&text)));
        }
        Ok(segments.join("/"))
    }
}

fn missing(index: usize) -> ConnectorError {
    ConnectorError::Protocol(format!("the input has no column {index}"))
}

fn arrow_error(error: arrow::error::ArrowError) -> ConnectorError {
    ConnectorError::Engine(error.into())
}
