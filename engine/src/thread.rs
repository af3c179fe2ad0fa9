//! Runs a piece of work on a thread of its own, to its end: it is not cut short when whoever waits for it goes away.

use datafusion::common::runtime::SpawnedTask;
use datafusion::error::{DataFusionError, Result};
use tokio::runtime::Handle;

/// Runs `work` on a thread for blocking work of the current runtime.
///
/// # Errors
/// The work's own, or an internal one when it panicked.
///
/// # Cancellation
/// Dropping the future does not stop work that has begun.
pub(crate) async fn run<T, E, F>(work: F) -> Result<T>
where
    F: AsyncFnOnce() -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Into<DataFusionError> + Send + 'static,
{
    let handle = Handle::current();
    let task = SpawnedTask::spawn_blocking(move || handle.block_on(work()));
    match task.join().await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(error) => Err(DataFusionError::Internal(format!("a write panicked: {error}"))),
    }
}
