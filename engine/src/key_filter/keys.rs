//! The keys that a filter knows: a hash of each, or that there are too many. It knows no plan but the one it reads.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;

/// More keys than this are not worth their memory in every task: they rarely drop much, either.
pub(super) const MOST: usize = 1 << 20;

/// Hashes are hashes already.
#[derive(Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

type Hashes = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// What is known of the keys. Two values with one hash are taken for one.
#[derive(Debug, Clone)]
pub(super) enum Keys {
    /// These and no others.
    These(Arc<(Hashes, MemoryReservation)>),
    /// Too many to tell.
    Any,
}

impl Keys {
    /// The values of column `key` in the one partition of `plan`; reads no further when there are too many or memory is short.
    pub(super) async fn read(plan: Arc<dyn ExecutionPlan>, key: usize, context: Arc<TaskContext>) -> Result<Self> {
        let reservation = MemoryConsumer::new("KeyFilterExec").register(context.memory_pool());
        let mut known = Hashes::default();
        let mut batches = plan.execute(0, context)?;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            let column = batch.column(key);
            known.extend(
                hashes(column)?.into_iter().enumerate().filter(|(row, _)| column.is_valid(*row)).map(|(_, hash)| hash),
            );
            // A control byte goes with each hash.
            let bytes = known.capacity().saturating_mul(size_of::<u64>() + 1);
            if known.len() > MOST || reservation.try_resize(bytes).is_err() {
                tracing::debug!(keys = known.len(), "more keys than a filter takes");
                return Ok(Self::Any);
            }
        }
        tracing::debug!(keys = known.len(), "the keys of a filter");
        Ok(Self::These(Arc::new((known, reservation))))
    }

    /// Which rows are among the keys; `None` for all. Nulls are equal to nothing.
    pub(super) fn among(&self, column: &ArrayRef) -> Result<Option<BooleanArray>> {
        let Self::These(known) = self else { return Ok(None) };
        let hashes = hashes(column)?;
        let found: BooleanBuffer = hashes.iter().map(|hash| known.0.contains(hash)).collect();
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
