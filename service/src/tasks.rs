//! Named background tasks. Nothing in Firesteel runs detached and nameless: a task belongs to a [`Task`] that aborts it
//! when dropped, and a panic in it is logged with its name.

use std::future::Future;

use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use tokio::task::JoinHandle;
use tracing::{Instrument, error};

/// A running named task; dropping it aborts the task.
#[derive(Debug)]
#[must_use = "dropping a task aborts it"]
pub struct Task<T> {
    name: &'static str,
    handle: Option<JoinHandle<Option<T>>>,
}

/// Starts a named task that lives until it ends or the returned [`Task`] is dropped.
pub fn spawn<F>(name: &'static str, future: F) -> Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let guarded = async move {
        match AssertUnwindSafe(future).catch_unwind().await {
            Ok(value) => Some(value),
            Err(panic) => {
                error!(task = name, reason = panic_text(panic.as_ref()), "task panicked");
                None
            }
        }
    };
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    let handle = tokio::spawn(guarded.instrument(tracing::info_span!("task", name)));
    Task { name, handle: Some(handle) }
}

/// Starts a named task that ends by itself; nobody waits for it. For work that must outlive its caller, such as cleaning up.
pub fn spawn_detached<F>(name: &'static str, future: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut task = spawn(name, future);
    task.handle.take();
}

/// What a panic said.
#[must_use]
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown panic")
}

/// A task ended without a value: it panicked or was aborted.
#[derive(Debug, thiserror::Error)]
#[error("task '{name}' did not finish")]
pub struct TaskLost {
    /// Name of the task.
    pub name: &'static str,
}

impl<T> Task<T> {
    /// Waits for the value.
    ///
    /// # Errors
    /// [`TaskLost`] when the task panicked or was aborted.
    ///
    /// # Cancellation
    /// Dropping this future aborts the task.
    pub async fn join(mut self) -> Result<T, TaskLost> {
        let name = self.name;
        let result = match self.handle.as_mut() {
            Some(handle) => handle.await.ok().flatten(),
            None => None,
        };
        self.handle = None;
        result.ok_or(TaskLost { name })
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Asks the task to stop at its next await.
    pub fn abort(&self) {
        if let Some(handle) = &self.handle {
            handle.abort();
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panicking_task_is_lost_not_fatal() {
        let task = spawn("breaks", async { panic!("boom") });
        assert!(task.join().await.is_err());
        assert_eq!(spawn("works", async { 7 }).join().await.unwrap(), 7);
    }

    #[tokio::test]
    async fn dropping_a_task_aborts_it() {
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let task = spawn("holds", async move {
            let _sender = sender;
            futures::future::pending::<()>().await;
        });
        drop(task);
        assert!(receiver.await.is_err());
    }
}
