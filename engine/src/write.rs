//! Running a write from beginning to end: prepare, run as a job, collect the messages, commit once or abort.
//!
//! Rows never pass through here, only commit messages. What happens in each step is the connectors' business.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, Int64Array, StringArray};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use firesteel_connectors::ConnectorError;
use firesteel_connectors::sink::{self, CommitMessage, PreparedSink, SinkSpec, WriteReport};
use futures::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::cancel;
use crate::job::{JobHandle, JobProgress, JobRunner};
use crate::sink::SinkNode;
use crate::thread;

/// Pauses before committing again.
const COMMIT_WAITS: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(5)];

/// How long tasks may take to notice that their job is cancelled.
const TASKS_STOP: Duration = Duration::from_secs(2);

/// A write on its way. [`WriteHandle::finish`] must be awaited: nothing is committed before.
///
/// To stop it, trigger the token given to [`start`] and await `finish`, which then undoes what was written.
#[derive(Debug)]
pub struct WriteHandle {
    /// Progress as it goes.
    pub progress: watch::Receiver<JobProgress>,
    runtime: Arc<RuntimeEnv>,
    state: State,
}

enum State {
    Running {
        sink: Box<PreparedSink>,
        unfinished: Unfinished,
        job: JobHandle,
        cancel: CancellationToken,
    },
    /// The mode said to leave the target as it is.
    Nothing,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Running { job, .. } => f.debug_tuple("Running").field(job).finish(),
            Self::Nothing => f.write_str("Nothing"),
        }
    }
}

/// Writes the rows of `plan` as `spec` says and waits until they are committed.
///
/// # Errors
/// When any step fails; the target is then as it was, as far as it can be.
pub async fn write(
    runner: &dyn JobRunner,
    ctx: Arc<SessionContext>,
    plan: LogicalPlan,
    spec: SinkSpec,
    name: &str,
    cancel: CancellationToken,
) -> Result<WriteReport> {
    start(runner, ctx, plan, spec, name, cancel).await?.finish().await
}

/// Prepares the target and starts the job that writes. The columns of `plan` are called and typed as the target's should
/// be.
///
/// # Errors
/// When the target refuses or the job cannot be started.
pub async fn start(
    runner: &dyn JobRunner,
    ctx: Arc<SessionContext>,
    plan: LogicalPlan,
    spec: SinkSpec,
    name: &str,
    cancel: CancellationToken,
) -> Result<WriteHandle> {
    let schema: SchemaRef = Arc::clone(plan.schema().inner());
    let runtime = ctx.runtime_env();
    let write_id = uuid::Uuid::new_v4().to_string();
    // Preparing goes on when the caller goes away; what it made is then undone with the guard that nobody takes.
    let (prepared, mut unfinished) = {
        let runtime = Arc::clone(&runtime);
        let prepare = async move || {
            let sink = sink::prepare(spec, schema, &write_id, Arc::clone(&runtime)).await?;
            let unfinished = Unfinished { sink: Some(Box::new(sink.clone())), runtime };
            Ok::<_, ConnectorError>((sink, unfinished))
        };
        thread::run(prepare).await?
    };
    if matches!(prepared, PreparedSink::Nothing) {
        let (_, progress) = watch::channel(JobProgress::default());
        return Ok(WriteHandle { progress, runtime, state: State::Nothing });
    }
    let submitted = match SinkNode::new(plan, prepared.clone()) {
        Ok(node) => runner.submit(name, ctx, node.into_plan(), cancel.clone()).await,
        Err(error) => Err(error),
    };
    match submitted {
        Ok(job) => {
            let progress = job.progress.clone();
            let state = State::Running { sink: Box::new(prepared), unfinished, job, cancel };
            Ok(WriteHandle { progress, runtime, state })
        }
        Err(error) => {
            unfinished.sink = None;
            undo(&prepared, Vec::new(), &runtime).await;
            Err(error)
        }
    }
}

impl WriteHandle {
    /// Waits for the job, then commits it.
    ///
    /// # Errors
    /// When a task, the commit or a cancellation ended the write; what was written is then undone.
    ///
    /// # Cancellation
    /// Dropping this future cancels the job and undoes it in the background; a commit that has begun goes on to its end.
    pub async fn finish(self) -> Result<WriteReport> {
        let State::Running { sink, mut unfinished, mut job, cancel } = self.state else {
            return Ok(WriteReport::default());
        };
        let mut messages = BTreeMap::new();
        let outcome = collect(&mut job, &mut messages).await.and_then(|()| {
            // From here on the commit runs to its end: half a commit is worse than a late one.
            if cancel.is_cancelled() { Err(cancel::cancelled()) } else { Ok(()) }
        });
        unfinished.sink = None;
        let messages: Vec<CommitMessage> = messages.into_values().collect();
        match outcome {
            Ok(()) => match commit(&sink, &messages, &self.runtime).await {
                Ok(report) => Ok(report),
                Err(error) => {
                    undo(&sink, messages, &self.runtime).await;
                    Err(error)
                }
            },
            Err(error) => {
                drop(job);
                undo(&sink, messages, &self.runtime).await;
                Err(error)
            }
        }
    }
}

/// Undoes a write whose caller went away before all of it was there.
#[derive(Debug)]
struct Unfinished {
    sink: Option<Box<PreparedSink>>,
    runtime: Arc<RuntimeEnv>,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let (Some(sink), Ok(handle)) = (self.sink.take(), Handle::try_current()) else {
            return;
        };
        let runtime = Arc::clone(&self.runtime);
        handle.spawn(async move {
            tokio::time::sleep(TASKS_STOP).await;
            undo(&sink, Vec::new(), &runtime).await;
        });
    }
}

/// Commits, again when the target was out of reach for a moment: committing twice does what committing once does.
async fn commit(sink: &PreparedSink, messages: &[CommitMessage], runtime: &Arc<RuntimeEnv>) -> Result<WriteReport> {
    let mut waits = COMMIT_WAITS.iter();
    loop {
        let (target, winners, runtime) = (sink.clone(), messages.to_vec(), Arc::clone(runtime));
        match thread::run(async move || target.commit(winners, runtime).await).await {
            Ok(report) => return Ok(report),
            Err(error) => match waits.next() {
                Some(wait) if matches!(error, DataFusionError::IoError(_)) => {
                    warn!(%error, "failed to commit a write, trying again");
                    tokio::time::sleep(*wait).await;
                }
                _ => return Err(error),
            },
        }
    }
}

async fn undo(sink: &PreparedSink, messages: Vec<CommitMessage>, runtime: &Arc<RuntimeEnv>) {
    let (target, runtime) = (sink.clone(), Arc::clone(runtime));
    if let Err(error) = thread::run(async move || target.abort(messages, runtime).await).await {
        warn!(%error, "failed to undo an aborted write");
    }
}

async fn collect(job: &mut JobHandle, messages: &mut BTreeMap<i64, CommitMessage>) -> Result<()> {
    while let Some(batch) = job.stream.next().await {
        for (partition, message) in decode(&batch?)? {
            // Of a partition that was written twice, one attempt counts.
            messages.entry(partition).or_insert(message);
        }
    }
    Ok(())
}

fn decode(batch: &RecordBatch) -> Result<Vec<(i64, CommitMessage)>> {
    let wrong = || DataFusionError::Internal("a sink reported something that is no commit message".into());
    let [partitions, messages] = batch.columns() else {
        return Err(wrong());
    };
    let partitions = partitions.as_any().downcast_ref::<Int64Array>().ok_or_else(wrong)?;
    let messages = messages.as_any().downcast_ref::<StringArray>().ok_or_else(wrong)?;
    partitions
        .iter()
        .zip(messages.iter())
        .map(|(partition, message)| {
            let message = serde_json::from_str(message.ok_or_else(wrong)?)
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
            Ok((partition.ok_or_else(wrong)?, message))
        })
        .collect()
}
