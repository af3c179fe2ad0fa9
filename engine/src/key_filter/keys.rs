//! The keys that a filter knows: a Bloom filter of their hashes, or that there are too many. It knows no plan but the one it
//! reads.
//!
//! All bits of a key are in one word, so that a question costs one look at memory: Putze, Sanders and Singler, "Cache-,
//! Hash- and Space-Efficient Bloom Filters" (2007), with a block of 64 bits. Less than one of a hundred rows without a partner
//! comes through, which the join above drops.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;

/// More rows of keys than this are not worth their time and memory in every task: they rarely drop much, either.
pub(super) const MOST: usize = 1 << 22;

/// Keys for each word, on average: 16 bits a key, of which four are set.
const KEYS_A_WORD: usize = 4;

/// What is known of the keys.
#[derive(Debug, Clone)]
pub(super) enum Keys {
    /// These, and a few that look like them.
    These(Arc<Words>),
    /// Too many to tell.
    Any,
}

/// The bits of all keys.
#[derive(Debug)]
pub(super) struct Words {
    words: Vec<u64>,
    _reservation: MemoryReservation,
}

impl Words {
    fn contains(&self, hash: u64) -> bool {
        let bits = bits(hash);
        self.words.get(place(hash, self.words.len())).is_some_and(|word| word & bits == bits)
    }
}

/// Which word a key has: the upper half of its hash, scaled to their number.
fn place(hash: u64, words: usize) -> usize {
    usize::try_from(((hash >> 32) * words as u64) >> 32).unwrap_or_default()
}

/// Four bits, told by the lower half of a hash.
fn bits(hash: u64) -> u64 {
    [0, 6, 12, 18].iter().fold(0, |bits, shift| bits | 1 << ((hash >> shift) & 63))
}

impl Keys {
    /// The values of column `key` in the one partition of `plan`; reads no further when there are too many or memory is short.
    pub(super) async fn read(plan: Arc<dyn ExecutionPlan>, key: usize, context: Arc<TaskContext>) -> Result<Self> {
        let reservation = MemoryConsumer::new("KeyFilterExec").register(context.memory_pool());
        let mut known: Vec<u64> = Vec::new();
        let mut batches = plan.execute(0, context)?;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            let column = batch.column(key);
            let valid = column.logical_nulls();
            let hashes = hashes(column)?.into_iter().enumerate();
            known.extend(
                hashes.filter(|(row, _)| valid.as_ref().is_none_or(|v| v.is_valid(*row))).map(|(_, hash)| hash),
            );
            let words = known.len() / KEYS_A_WORD + 1;
            let bytes = (known.capacity() + words).saturating_mul(size_of::<u64>());
            if known.len() > MOST || reservation.try_resize(bytes).is_err() {
                tracing::debug!(keys = known.len(), "more keys than a filter takes");
                return Ok(Self::Any);
            }
        }
        let mut words = vec![0; known.len() / KEYS_A_WORD + 1];
        for hash in &known {
            let place = place(*hash, words.len());
            if let Some(word) = words.get_mut(place) {
                *word |= bits(*hash);
            }
        }
        tracing::debug!(keys = known.len(), "the keys of a filter");
        drop(known);
        reservation.try_resize(words.len().saturating_mul(size_of::<u64>()))?;
        Ok(Self::These(Arc::new(Words { words, _reservation: reservation })))
    }

    /// Which rows may be among the keys; `None` for all. Nulls are equal to nothing.
    pub(super) fn among(&self, column: &ArrayRef) -> Result<Option<BooleanArray>> {
        let Self::These(known) = self else { return Ok(None) };
        let hashes = hashes(column)?;
        let found =
            BooleanBuffer::collect_bool(hashes.len(), |row| hashes.get(row).is_some_and(|h| known.contains(*h)));
        let found = match column.logical_nulls().as_ref().map(NullBuffer::inner) {
            Some(valid) => &found & valid,
            None => found,
        };
        Ok(Some(BooleanArray::new(found, None)))
    }
}

fn hashes(column: &ArrayRef) -> Result<Vec<u64>> {
    let mut hashes = vec![0; column.len()];
    create_hashes([column], &RandomState::default(), &mut hashes)?;
    Ok(hashes)
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use datafusion::datasource::memory::MemorySourceConfig;
    use datafusion::prelude::SessionContext;

    use super::*;

    #[tokio::test]
    async fn every_key_is_found_and_of_others_less_than_one_in_a_hundred() {
        let batch = |values: std::ops::Range<i64>| {
            let column: ArrayRef = Arc::new(Int64Array::from_iter_values(values.map(|value| value * 37)));
            arrow::array::RecordBatch::try_from_iter([("k", column)]).unwrap()
        };
        for many in [1, 3, 1000, 300_000] {
            let keys = batch(0..many);
            let plan = MemorySourceConfig::try_new_exec(&[vec![keys.clone()]], keys.schema(), None).unwrap();
            let known = Keys::read(plan, 0, SessionContext::new().task_ctx()).await.unwrap();
            assert_eq!(known.among(keys.column(0)).unwrap().unwrap().true_count(), keys.num_rows());
            let others = batch(many..many + 100_000);
            let wrong = known.among(others.column(0)).unwrap().unwrap().true_count();
            assert!(wrong < 1000, "{wrong} of 100000 others, with {many} keys");
        }
    }
}
