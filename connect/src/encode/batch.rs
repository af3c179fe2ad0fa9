//! A batch of rows as `ArrowBatch` messages.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;
use firesteel_proto::spark::connect as sc;
use sc::execute_plan_response::ArrowBatch;

/// The largest chunk that is sent, whatever a client prefers; Spark's limit for one message.
const MAX_CHUNK: usize = 120_795_955;
/// Smaller preferences would only cost messages.
const MIN_CHUNK: usize = 1024;

/// How a client wants large batches to be split.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Chunking {
    /// Whether the client can join chunks.
    pub(crate) allowed: bool,
    /// Preferred bytes of a chunk.
    pub(crate) preferred: Option<i64>,
}

impl Chunking {
    fn size(self) -> usize {
        if !self.allowed {
            return usize::MAX;
        }
        let preferred = self.preferred.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(MAX_CHUNK);
        preferred.clamp(MIN_CHUNK, MAX_CHUNK)
    }
}

/// A complete IPC stream with exactly this one batch.
pub(crate) fn ipc_stream(batch: &RecordBatch) -> Result<Bytes, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(batch)?;
    writer.finish()?;
    Ok(Bytes::from(writer.into_inner()?))
}

/// The messages of one batch that begins at `start_offset` of the result.
pub(crate) fn arrow_batches(
    batch: &RecordBatch,
    start_offset: i64,
    chunking: Chunking,
) -> Result<Vec<ArrowBatch>, ArrowError> {
    let data = ipc_stream(batch)?;
    let row_count = i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
    let size = chunking.size();
    let chunks = data.len().div_ceil(size).max(1);
    let chunk = |index: usize| {
        let start = index * size;
        let end = start.saturating_add(size).min(data.len());
        ArrowBatch {
            row_count,
            data: data.slice(start..end),
            start_offset: Some(start_offset),
            chunk_index: i64::try_from(index).ok(),
            num_chunks_in_batch: i64::try_from(chunks).ok(),
        }
    };
    Ok((0..chunks).map(chunk).collect())
}
