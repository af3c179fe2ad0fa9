//! `LocalJobRunner`: runs plans in this process.
//!
//! Operators compute on threads of their own, so that a busy query does not delay the network side. Rows flow through
//! short bounded channels, one for each partition, and are handed on in partition order:
//!
//! ```text
//! partition 0 -> [channel] -+
//! partition 1 -> [channel] -+-> JobHandle::stream (0 first, then 1, ...)
//! ```

mod partitions;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion::prelude::SessionContext;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cancel;
use crate::job::{JobHandle, JobId, JobRunner};
use crate::read_ahead::read_ahead;
use crate::rules::reduction::{self, Limits};
use crate::session::profile;

/// Stack of a thread that runs operators: plans may be deep.
const STACK_BYTES: usize = 32 << 20;

/// Runs plans in this process.
pub struct LocalJobRunner {
    target_partitions: usize,
    /// Made by the first query, so that an idle process has no idle threads.
    runtime: OnceLock<Option<Runtime>>,
}

impl LocalJobRunner {
    /// A runner that computes on `target_partitions` threads.
    #[must_use]
    pub fn new(target_partitions: usize) -> Arc<Self> {
        Arc::new(Self { target_partitions: target_partitions.max(1), runtime: OnceLock::new() })
    }

    /// Threads that compute.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.target_partitions
    }

    /// Starts a physical plan.
    ///
    /// # Errors
    /// When the plan cannot be started.
    pub fn run(
        &self,
        state: &SessionState,
        plan: Arc<dyn ExecutionPlan>,
        cancel: CancellationToken,
    ) -> Result<JobHandle> {
        let id = JobId(uuid::Uuid::new_v4().to_string());
        // A child: the end of this job must not cancel others that share the caller's token.
        let token = cancel.child_token();
        let stores = Arc::new(OnceLock::from(Arc::clone(state.runtime_env())));
        let plan = cancel::guard(read_ahead(plan, &stores)?, &token)?;
        let partitions = plan.output_partitioning().partition_count();
        tracing::debug!(job_id = %id, partitions, "starting a local job");
        let (stream, progress) =
            partitions::run(self.runtime()?, plan, state.task_ctx(), self.target_partitions, token.clone());
        Ok(JobHandle { id, stream, progress, cancel: token })
    }

    /// Runs a future on the operators' threads; dropping the returned future aborts it.
    async fn offload<T: Send + 'static>(&self, future: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let mut task = AbortOnDrop(self.runtime()?.spawn(future));
        match (&mut task.0).await {
            Ok(result) => result,
            Err(error) if error.is_cancelled() => Err(cancel::cancelled()),
            Err(error) => Err(DataFusionError::Internal(format!("planning panicked: {error}"))),
        }
    }

    fn runtime(&self) -> Result<&Runtime> {
        let made = self.runtime.get_or_init(|| {
            Builder::new_multi_thread()
                .worker_threads(self.target_partitions)
                .thread_name("firesteel-query")
                .thread_stack_size(STACK_BYTES)
                .enable_all()
                .build()
                .inspect_err(|error| tracing::error!(%error, "failed to start query threads"))
                .ok()
        });
        made.as_ref().ok_or_else(|| DataFusionError::Internal("there are no query threads".into()))
    }
}

#[async_trait]
impl JobRunner for LocalJobRunner {
    async fn submit(
        &self,
        name: &str,
        ctx: Arc<SessionContext>,
        plan: LogicalPlan,
        cancel: CancellationToken,
    ) -> Result<JobHandle> {
        let mut state = ctx.state();
        let options = state.config_mut().options_mut();
        profile::local(options);
        profile::stamp(options);
        let planning = {
            let state = state.clone();
            self.offload(async move {
                let physical = state.create_physical_plan(&plan).await?;
                reduction::reduce(physical, Limits::in_process(profile::BROADCAST_BYTES))
            })
        };
        let physical = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(cancel::cancelled()),
            planned = planning => planned?,
        };
        tracing::trace!(name, "planned a local job");
        self.run(&state, physical, cancel)
    }
}

impl fmt::Debug for LocalJobRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalJobRunner").field("target_partitions", &self.target_partitions).finish_non_exhaustive()
    }
}

impl Drop for LocalJobRunner {
    fn drop(&mut self) {
        // A runtime may not be waited for on an async thread, which is where the last owner often is.
        if let Some(runtime) = self.runtime.take().flatten() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) struct AbortOnDrop<T>(pub(crate) JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
