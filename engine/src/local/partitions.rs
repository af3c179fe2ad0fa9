//! Drives the partitions of a plan side by side and hands their batches on in partition order.
//!
//! It knows nothing of sessions or planning.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::AbortOnDrop;
use crate::cancel;
use crate::job::{JobProgress, StageProgress};

/// Batches a partition may be ahead of its reader.
const AHEAD: usize = 4;

struct Running {
    batches: mpsc::Receiver<Result<RecordBatch>>,
    task: AbortOnDrop<()>,
}

struct Job {
    handle: Handle,
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    token: CancellationToken,
    progress: Arc<watch::Sender<JobProgress>>,
    partitions: usize,
    next: usize,
    at_once: usize,
    running: VecDeque<Running>,
    failed: bool,
    /// Dropping the stream cancels what still runs.
    _stop: DropGuard,
}

/// Starts `plan`; at most `at_once` partitions run ahead of the one being read.
pub(super) fn run(
    runtime: &Runtime,
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    at_once: usize,
    token: CancellationToken,
) -> (SendableRecordBatchStream, watch::Receiver<JobProgress>) {
    let partitions = plan.output_partitioning().partition_count();
    let (progress, receiver) = watch::channel(progress_of(partitions, 0, partitions.min(at_once)));
    let schema = plan.schema();
    let mut job = Job {
        handle: runtime.handle().clone(),
        plan,
        context,
        token: token.clone(),
        progress: Arc::new(progress),
        partitions,
        next: 0,
        at_once: at_once.max(1),
        running: VecDeque::new(),
        failed: false,
        _stop: token.drop_guard(),
    };
    // Work begins now, not when the first row is asked for.
    job.fill();
    let stream = futures::stream::unfold(job, |mut job| async move { job.step().await.map(|item| (item, job)) });
    (Box::pin(RecordBatchStreamAdapter::new(schema, stream)), receiver)
}

impl Job {
    async fn step(&mut self) -> Option<Result<RecordBatch>> {
        if self.failed {
            return None;
        }
        loop {
            self.fill();
            let front = self.running.front_mut()?;
            let received = tokio::select! {
                biased;
                () = self.token.cancelled() => Some(Err(cancel::cancelled())),
                item = front.batches.recv() => item,
            };
            match received {
                Some(Ok(batch)) => return Some(Ok(batch)),
                Some(Err(error)) => return Some(Err(self.fail(error))),
                None => {
                    if let Some(error) = lost(self.running.pop_front()).await {
                        return Some(Err(self.fail(error)));
                    }
                }
            }
        }
    }

    /// Starts partitions while there is room.
    fn fill(&mut self) {
        while self.next < self.partitions && self.running.len() < self.at_once {
            let partition = self.next;
            self.next += 1;
            let (sender, batches) = mpsc::channel(AHEAD);
            let work = drive(Arc::clone(&self.plan), partition, Arc::clone(&self.context), sender);
            let progress = Arc::clone(&self.progress);
            let partitions = self.partitions;
            let at_once = self.at_once;
            let work = async move {
                if work.await {
                    progress.send_modify(|seen| *seen = advanced(seen, partitions, at_once));
                }
            };
            self.running.push_back(Running { batches, task: AbortOnDrop(self.handle.spawn(work)) });
        }
    }

    fn fail(&mut self, error: DataFusionError) -> DataFusionError {
        self.failed = true;
        self.token.cancel();
        self.running.clear();
        error
    }
}

/// Sends a partition's batches; true when all were sent.
async fn drive(
    plan: Arc<dyn ExecutionPlan>,
    partition: usize,
    context: Arc<TaskContext>,
    sender: mpsc::Sender<Result<RecordBatch>>,
) -> bool {
    let mut stream = match plan.execute(partition, context) {
        Ok(stream) => stream,
        Err(error) => {
            // Nobody is left to tell when the reader has gone.
            let _ = sender.send(Err(error)).await;
            return false;
        }
    };
    while let Some(item) = stream.next().await {
        let failed = item.is_err();
        if sender.send(item).await.is_err() || failed {
            return false;
        }
    }
    true
}

/// The error of a partition whose channel closed because its task died rather than ended.
async fn lost(running: Option<Running>) -> Option<DataFusionError> {
    let mut running = running?;
    match (&mut running.task.0).await {
        Ok(()) => None,
        Err(error) if error.is_cancelled() => Some(cancel::cancelled()),
        Err(error) => Some(DataFusionError::Internal(format!("a task panicked: {error}"))),
    }
}

fn progress_of(partitions: usize, completed: usize, running: usize) -> JobProgress {
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    JobProgress {
        stages: vec![StageProgress {
            stage_id: 0,
            tasks: count(partitions),
            completed_tasks: count(completed),
            input_bytes_read: 0,
            done: completed >= partitions,
        }],
        running_tasks: count(running),
    }
}

fn advanced(seen: &JobProgress, partitions: usize, at_once: usize) -> JobProgress {
    let before = seen.stages.first().map_or(0, |stage| stage.completed_tasks);
    let completed = usize::try_from(before).unwrap_or(0) + 1;
    progress_of(partitions, completed, partitions.saturating_sub(completed).min(at_once))
}
