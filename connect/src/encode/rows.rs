//! Gathers the batches of a result into batches of the size that clients expect.
//!
//! Clients answer every message with a call of their own, so small batches are joined; large ones are cut, so that no
//! message comes near the limit of gRPC. Memory is bounded by one batch of the target size and one of the input.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::error::ArrowError;

/// Rows of one message, Spark's `spark.sql.execution.arrow.maxRecordsPerBatch`.
pub(crate) const MAX_ROWS: usize = 10_000;
/// Bytes of one message, about.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Batches in, batches of a good size out.
#[derive(Debug, Default)]
pub(crate) struct RowBuffer {
    waiting: VecDeque<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl RowBuffer {
    /// Takes a batch in.
    pub(crate) fn push(&mut self, batch: RecordBatch) {
        if batch.num_rows() == 0 {
            return;
        }
        for piece in cut(batch) {
            self.rows += piece.num_rows();
            self.bytes += size(&piece);
            self.waiting.push_back(piece);
        }
    }

    /// A batch that is large enough to be sent.
    pub(crate) fn full(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        if self.rows >= MAX_ROWS || self.bytes >= MAX_BYTES { self.take() } else { Ok(None) }
    }

    /// Whatever there is, up to the size of one message.
    pub(crate) fn take(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let mut parts = vec![];
        let (mut rows, mut bytes) = (0, 0);
        while let Some(batch) = self.waiting.pop_front() {
            let room = MAX_ROWS - rows;
            if batch.num_rows() > room {
                let total = batch.num_rows();
                let first = batch.slice(0, room);
                self.waiting.push_front(batch.slice(room, total - room));
                if room > 0 {
                    parts.push(first);
                }
                break;
            }
            if !parts.is_empty() && bytes + size(&batch) > MAX_BYTES {
                self.waiting.push_front(batch);
                break;
            }
            rows += batch.num_rows();
            bytes += size(&batch);
            parts.push(batch);
            if rows >= MAX_ROWS || bytes >= MAX_BYTES {
                break;
            }
        }
        self.rows = self.waiting.iter().map(RecordBatch::num_rows).sum();
        self.bytes = self.waiting.iter().map(size).sum();
        match parts.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            [first, ..] => concat_batches(&first.schema(), &parts).map(Some),
        }
    }
}

/// Bytes of the rows of a batch, not of the buffers it shares with others.
fn size(batch: &RecordBatch) -> usize {
    let column = |column: &arrow::array::ArrayRef| {
        column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size())
    };
    batch.columns().iter().map(column).sum()
}

/// Cuts a batch so that no piece is much larger than a message should be.
fn cut(batch: RecordBatch) -> Vec<RecordBatch> {
    let (rows, bytes) = (batch.num_rows(), size(&batch));
    if bytes <= MAX_BYTES || rows <= 1 {
        return vec![batch];
    }
    let step = (rows / (bytes / MAX_BYTES + 1)).max(1);
    (0..rows).step_by(step).map(|start| batch.slice(start, step.min(rows - start))).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn numbers(rows: i64) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
        RecordBatch::try_from_iter([("n", column)]).unwrap()
    }

    fn drain(buffer: &mut RowBuffer) -> Vec<usize> {
        std::iter::from_fn(|| buffer.take().unwrap()).map(|batch| batch.num_rows()).collect()
    }

    #[test]
    fn small_batches_are_joined_and_large_ones_cut() {
        let mut buffer = RowBuffer::default();
        for _ in 0..3 {
            buffer.push(numbers(100));
        }
        assert!(buffer.full().unwrap().is_none());
        buffer.push(numbers(25_000));
        assert_eq!(buffer.full().unwrap().unwrap().num_rows(), MAX_ROWS);
        assert_eq!(drain(&mut buffer), [10_000, 5_300]);
    }

    #[test]
    fn wide_rows_are_cut_by_bytes() {
        let column: ArrayRef = Arc::new(StringArray::from_iter_values((0..64).map(|_| "x".repeat(1024 * 1024))));
        let mut buffer = RowBuffer::default();
        buffer.push(RecordBatch::try_from_iter([("s", column)]).unwrap());
        let sizes = drain(&mut buffer);
        assert_eq!(sizes.iter().sum::<usize>(), 64);
        assert!(sizes.iter().all(|rows| *rows <= 5), "{sizes:?}");
    }
}
