//! Rows gathered for one INSERT.
//!
//! Rows are put together before they are encoded: a server works by the batch, and small ones cost it a third of its time.
//! Bounded in rows and bytes. Knows no requests.

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use bytes::Bytes;

use crate::clickhouse::options::Codec;
use crate::error::{ConnectorError, Result};

/// Rows and bytes of a batch inside a block.
const BATCH_ROWS: usize = 65_536;
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Rows taken at a time, so that a batch ends near its bounds.
const STEP: usize = 8192;

/// Small batches that wait to become one.
#[derive(Default)]
pub(super) struct Gather {
    waiting: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl Gather {
    /// Takes rows of `batch` from `at` on and says how many.
    pub(super) fn take(&mut self, batch: &RecordBatch, at: usize) -> usize {
        let left = batch.num_rows().saturating_sub(at);
        // What has been put together already is not cut again.
        let length = if at == 0 && self.rows == 0 && fits(batch) { left } else { left.min(STEP) };
        if length == 0 {
            return 0;
        }
        let rows = batch.slice(at, length);
        self.rows += length;
        self.bytes += bytes(&rows);
        self.waiting.push(rows);
        length
    }

    /// Whether what waits is enough.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// What waits, as one batch, if anything does.
    pub(super) fn settle(&mut self) -> Result<Option<RecordBatch>> {
        (self.rows, self.bytes) = (0, 0);
        let waiting = std::mem::take(&mut self.waiting);
        match waiting.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            [first, ..] => concat_batches(&first.schema(), &waiting).map(Some).map_err(engine),
        }
    }
}

/// Whether a batch is about as large as one shall be.
fn fits(batch: &RecordBatch) -> bool {
    (BATCH_ROWS / 2..=BATCH_ROWS + STEP).contains(&batch.num_rows()) && bytes(batch) <= 2 * BATCH_BYTES
}

/// What one INSERT will send.
pub(super) struct Block {
    writer: StreamWriter<Vec<u8>>,
    rows: usize,
}

impl Block {
    /// A block without rows, which is likely to take about `size` bytes.
    pub(super) fn new(schema: &SchemaRef, codec: Codec, size: usize) -> Result<Self> {
        let codec = match codec {
            Codec::None => None,
            Codec::Lz4 => Some(CompressionType::LZ4_FRAME),
            Codec::Zstd => Some(CompressionType::ZSTD),
        };
        let options = IpcWriteOptions::default().try_with_compression(codec);
        let room = Vec::with_capacity(size);
        let writer = options.and_then(|options| StreamWriter::try_new_with_options(room, schema, options));
        Ok(Self { writer: writer.map_err(engine)?, rows: 0 })
    }

    /// Rows it has.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes it has.
    pub(super) fn size(&self) -> usize {
        self.writer.get_ref().len()
    }

    /// Takes rows as the target takes them.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        self.writer.write(batch).map_err(engine)
    }

    /// The bytes to send.
    pub(super) fn finish(self) -> Result<Bytes> {
        self.writer.into_inner().map(Bytes::from).map_err(engine)
    }
}

fn engine(error: arrow::error::ArrowError) -> ConnectorError {
    ConnectorError::Engine(error.into())
}

/// The bytes of these rows alone, so that a task that is run again makes the same batches.
fn bytes(batch: &RecordBatch) -> usize {
    let size = |column: &dyn Array| column.to_data().get_slice_memory_size().unwrap_or_default();
    batch.columns().iter().map(|column| size(column.as_ref())).sum()
}

#[cfg(test)]
mod tests;
