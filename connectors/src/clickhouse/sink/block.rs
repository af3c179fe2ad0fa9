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

use crate::clickhouse::encode::Encoder;
use crate::clickhouse::options::Codec;
use crate::error::{ConnectorError, Result};

/// Bytes at which a block ends, whatever its rows.
pub(super) const BLOCK_BYTES: usize = 64 * 1024 * 1024;
/// Rows and bytes of a batch inside a block.
const BATCH_ROWS: usize = 65_536;
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Rows taken at a time, so that a block ends near its bounds.
const STEP: usize = 8192;

/// What one INSERT will send.
pub(super) struct Block {
    writer: StreamWriter<Vec<u8>>,
    /// Rows it has, those that wait included.
    rows: usize,
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    waiting_bytes: usize,
}

impl Block {
    /// A block without rows, of what an encoder gives.
    pub(super) fn new(schema: &SchemaRef, codec: Codec) -> Result<Self> {
        let codec = match codec {
            Codec::None => None,
            Codec::Lz4 => Some(CompressionType::LZ4_FRAME),
            Codec::Zstd => Some(CompressionType::ZSTD),
        };
        let options = IpcWriteOptions::default().try_with_compression(codec);
        let writer = options.and_then(|options| StreamWriter::try_new_with_options(Vec::new(), schema, options));
        let writer = writer.map_err(|error| ConnectorError::Engine(error.into()))?;
        Ok(Self { writer, rows: 0, waiting: Vec::new(), waiting_rows: 0, waiting_bytes: 0 })
    }

    /// Rows it has.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Takes rows of `batch` from `at` on, `most` in the whole block, and says how many.
    ///
    /// # Errors
    /// Those of the encoder, for a value that does not fit.
    pub(super) fn take(&mut self, batch: &RecordBatch, at: usize, most: usize, encoder: &mut Encoder) -> Result<usize> {
        let length = batch.num_rows().saturating_sub(at).min(STEP).min(most.saturating_sub(self.rows));
        if length == 0 {
            return Ok(0);
        }
        let rows = batch.slice(at, length);
        self.rows += length;
        self.waiting_rows += length;
        self.waiting_bytes += bytes(&rows);
        self.waiting.push(rows);
        if self.waiting_rows >= BATCH_ROWS || self.waiting_bytes >= BATCH_BYTES {
            self.settle(encoder)?;
        }
        Ok(length)
    }

    /// Whether it is to be sent.
    pub(super) fn is_full(&self, most: usize) -> bool {
        self.rows >= most || self.writer.get_ref().len() >= BLOCK_BYTES
    }

    /// The bytes to send.
    ///
    /// # Errors
    /// Those of the encoder, for a value that does not fit.
    pub(super) fn finish(mut self, encoder: &mut Encoder) -> Result<Bytes> {
        self.settle(encoder)?;
        self.writer.into_inner().map(Bytes::from).map_err(|error| ConnectorError::Engine(error.into()))
    }

    fn settle(&mut self, encoder: &mut Encoder) -> Result<()> {
        let Some(first) = self.waiting.first() else { return Ok(()) };
        let engine = |error: arrow::error::ArrowError| ConnectorError::Engine(error.into());
        let rows = concat_batches(&first.schema(), &self.waiting).map_err(engine)?;
        self.waiting.clear();
        (self.waiting_rows, self.waiting_bytes) = (0, 0);
        self.writer.write(&encoder.batch(&rows)?).map_err(engine)
    }
}

/// The bytes of these rows alone, so that a task that is run again makes the same batches.
fn bytes(batch: &RecordBatch) -> usize {
    let size = |column: &dyn Array| column.to_data().get_slice_memory_size().unwrap_or_default();
    batch.columns().iter().map(|column| size(column.as_ref())).sum()
}

#[cfg(test)]
mod tests;
