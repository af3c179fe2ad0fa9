//! The port between the Spark language and whatever runs its plans: [`JobRunner`].
//!
//! `LocalJobRunner` (here) runs in this process; `BallistaJobRunner` (in `scheduler`) runs on executors.
//! This file knows neither Spark nor Ballista.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Identifies a job in logs, metrics and the commit ledger; unique per submission.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobId(pub String);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far one stage has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StageProgress {
    /// Stage number.
    pub stage_id: i64,
    /// Tasks (partitions) in all.
    pub tasks: i64,
    /// Tasks done.
    pub completed_tasks: i64,
    /// Bytes read so far.
    pub input_bytes_read: i64,
    /// Whether the stage is done.
    pub done: bool,
}

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobProgress {
    /// Stages known so far.
    pub stages: Vec<StageProgress>,
    /// Tasks running now.
    pub running_tasks: i64,
}

/// A running job. Dropping it cancels the job.
///
/// The stream yields an error, never an early end, when the job is cancelled or cut.
pub struct JobHandle {
    /// The job.
    pub id: JobId,
    /// Rows in partition order, with the physical schema of the plan.
    pub stream: SendableRecordBatchStream,
    /// Progress as it goes.
    pub progress: watch::Receiver<JobProgress>,
    /// Cancels the job when triggered.
    pub cancel: CancellationToken,
}

impl fmt::Debug for JobHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Runs logical plans.
#[async_trait]
pub trait JobRunner: Send + Sync + fmt::Debug {
    /// Starts a plan and returns as soon as it is accepted. `ctx` is the session's own context, made by
    /// [`crate::session`]; `cancel` is the caller's token, `name` is shown to people.
    async fn submit(
        &self,
        name: &str,
        ctx: Arc<SessionContext>,
        plan: LogicalPlan,
        cancel: CancellationToken,
    ) -> Result<JobHandle>;
}
