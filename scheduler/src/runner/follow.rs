//! Follows one job from submission to its end: status, progress, cancellation and a watchdog for jobs that are stuck.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ballista_core::JobId;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::{JobStatus, PartitionLocation};
use ballista_scheduler::cluster::JobState;
use ballista_scheduler::state::execution_graph::RunningTaskInfo;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use firesteel_engine::cancel;
use firesteel_engine::database::Snapshots;
use firesteel_engine::job::JobProgress;
use firesteel_functions::SparkError;
use firesteel_service::tasks;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::holders::Holders;
use super::progress::{self, Sight};
use crate::cluster::{Ballista, Members};

/// Statuses that may wait to be read. Ballista drops what does not fit, even the last one.
const STATUSES: usize = 1024;
/// How often status and progress are read. Statuses are also pushed; this is for progress and for those that got lost.
const LOOK: Duration = Duration::from_millis(200);
/// How long a job may stand still, with executors there and none of its tasks running, before it is given up.
const STILL: Duration = Duration::from_secs(60);
/// How often, and how long, a cancellation is repeated: one sent before the graph exists is lost.
const CANCEL_AGAIN: Duration = Duration::from_millis(200);
const CANCEL_TRIES: usize = 50;
/// When the tasks of a cancelled job are told to stop again.
const STOP_AGAIN: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_secs(1), Duration::from_secs(3)];

/// How long the finished graph is looked for: its end is told just before it is put away. The waits grow from the first.
const GRAPH_TRIES: u32 = 12;
const GRAPH_WAIT: Duration = Duration::from_micros(500);

/// A plan and all it takes to run it as a job, again if need be.
pub(super) struct Follower {
    pub(super) ballista: Ballista,
    pub(super) finished_jobs: Arc<dyn JobState>,
    pub(super) members: Arc<Members>,
    pub(super) holders: Arc<Holders>,
    pub(super) name: String,
    pub(super) ctx: Arc<SessionContext>,
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) _snapshots: Snapshots,
    pub(super) progress: watch::Sender<JobProgress>,
    pub(super) token: CancellationToken,
    pub(super) executor_wait: Duration,
    /// Cores of the cluster now.
    pub(super) cores: Arc<AtomicUsize>,
}

/// One run of the plan. Dropping it frees what it holds on the cluster: running tasks if there are any, then its data.
pub(super) struct Attempt {
    pub(super) id: JobId,
    statuses: mpsc::Receiver<JobStatus>,
    /// Executors lost before it began.
    lost_before: u64,
    ballista: Ballista,
}

/// How an attempt ended.
pub(super) enum Outcome {
    /// Where the rows are.
    Rows(Vec<PartitionLocation>),
    /// Executors were lost and parts were run again. Ballista may then count the output of a part twice, so that the
    /// rows cannot be trusted and the whole must be run again.
    Untrusted,
}

impl Follower {
    /// Starts the job.
    pub(super) async fn submit(&self) -> Result<Attempt> {
        let (sender, statuses) = mpsc::channel(STATUSES);
        let (ctx, plan) = (Arc::clone(&self.ctx), Arc::clone(&self.plan));
        let lost_before = self.members.lost();
        let submitted = self.ballista.submit_physical_plan(&self.name, ctx, plan, Some(sender)).await;
        let id = submitted.map_err(|error| super::failure(&error.to_string()))?;
        tracing::info!(job_id = %id, name = self.name, "submitted a job to the cluster");
        Ok(Attempt { id, statuses, lost_before, ballista: self.ballista.clone() })
    }

    /// Waits for the end of an attempt.
    pub(super) async fn finished(&self, attempt: &mut Attempt) -> Result<Outcome> {
        let mut look = tokio::time::interval(LOOK);
        let mut watchdog = Watchdog::new(self.executor_wait);
        let mut pushed = true;
        loop {
            let status = tokio::select! {
                biased;
                () = self.token.cancelled() => return Err(cancel::cancelled()),
                status = attempt.statuses.recv(), if pushed => {
                    pushed = status.is_some();
                    status
                }
                _ = look.tick() => {
                    if self.look(&attempt.id, &mut watchdog).await? {
                        return Ok(Outcome::Untrusted);
                    }
                    self.ballista.state.task_manager.get_job_status(&attempt.id).await.ok().flatten()
                }
            };
            match status.and_then(|status| status.status) {
                Some(Status::Successful(job)) => {
                    if self.ended_patched(&attempt.id).await != Some(false) {
                        return Ok(Outcome::Untrusted);
                    }
                    self.progress.send_modify(all_done);
                    return Ok(Outcome::Rows(job.partition_location));
                }
                // A failure of the query itself would come again; one that follows a loss need not.
                Some(Status::Failed(job)) => {
                    if SparkError::recover_text(&job.error).is_none() && self.lost_executors(attempt).await {
                        tracing::warn!(job_id = %attempt.id, error = job.error, "a job failed as executors were lost");
                        return Ok(Outcome::Untrusted);
                    }
                    return Err(super::failure(&job.error));
                }
                _ => {}
            }
        }
    }

    /// Looks at the running job; true when parts of it are being run again.
    async fn look(&self, id: &JobId, watchdog: &mut Watchdog) -> Result<bool> {
        let jobs = self.ballista.state.task_manager.get_running_job_cache();
        let mut sight = Sight::default();
        if let Some(job) = jobs.get(id) {
            sight = progress::of(&*job.execution_graph.read().await);
            self.progress.send_if_modified(|seen| {
                let changed = *seen != sight.progress;
                seen.clone_from(&sight.progress);
                changed
            });
        }
        let patched = sight.patched;
        let cores = self.cores.load(Ordering::Relaxed);
        watchdog.see(sight, cores, jobs.len(), Instant::now())?;
        Ok(patched)
    }

    /// Whether executors were lost while an attempt ran, known to Ballista already or not.
    async fn lost_executors(&self, attempt: &Attempt) -> bool {
        self.members.lost() != attempt.lost_before
            || self.members.probe().await
            || self.ended_patched(&attempt.id).await == Some(true)
    }

    /// Whether parts of a job that has ended were run again; `None` when its graph cannot be had.
    async fn ended_patched(&self, id: &JobId) -> Option<bool> {
        for again in 0..GRAPH_TRIES {
            if let Ok(Some(graph)) = self.finished_jobs.get_execution_graph(id).await {
                return Some(progress::of(&graph).patched);
            }
            tokio::time::sleep(GRAPH_WAIT * 2_u32.pow(again)).await;
        }
        None
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let ballista = self.ballista.clone();
        let id = self.id.clone();
        // Must outlive the query: its reader has gone.
        tasks::spawn_detached("release-job", async move {
            let running = stop(&ballista, &id).await;
            // An executor that has not begun a task yet forgets that it was told to stop it.
            if !running.is_empty() {
                for wait in STOP_AGAIN {
                    tokio::time::sleep(wait).await;
                    if let Err(error) = ballista.state.executor_manager.cancel_running_tasks(running.clone()).await {
                        tracing::warn!(job_id = %id, %error, "failed to stop the tasks of a job");
                    }
                }
            }
            ballista.state.executor_manager.clean_up_job_data(id);
        });
    }
}

/// Cancels a job unless it has ended; tells which tasks were running then.
async fn stop(ballista: &Ballista, id: &JobId) -> Vec<RunningTaskInfo> {
    let mut running = Vec::new();
    for _ in 0..CANCEL_TRIES {
        let status = ballista.state.task_manager.get_job_status(id).await.ok().flatten();
        if matches!(status.and_then(|s| s.status), Some(Status::Successful(_) | Status::Failed(_))) {
            break;
        }
        let jobs = ballista.state.task_manager.get_running_job_cache();
        if let Some(job) = jobs.get(id) {
            running = job.execution_graph.read().await.running_tasks();
        }
        if let Err(error) = ballista.cancel_job(id.clone()).await {
            tracing::warn!(job_id = %id, %error, "failed to cancel a job");
        }
        tokio::time::sleep(CANCEL_AGAIN).await;
    }
    running
}

fn all_done(progress: &mut JobProgress) {
    progress.running_tasks = 0;
    for stage in &mut progress.stages {
        stage.completed_tasks = stage.tasks;
        stage.done = true;
    }
}

/// Notices jobs that will never end. It decides by what it is shown; it looks at nothing itself.
#[derive(Debug)]
struct Watchdog {
    executor_wait: Duration,
    last: Sight,
    /// Since when nothing has changed and nothing runs.
    still_since: Option<Instant>,
    /// Since when there has been no executor.
    alone_since: Option<Instant>,
}

impl Watchdog {
    fn new(executor_wait: Duration) -> Self {
        Self { executor_wait, last: Sight::default(), still_since: None, alone_since: None }
    }

    fn see(&mut self, sight: Sight, cores: usize, jobs: usize, now: Instant) -> Result<()> {
        if cores == 0 {
            let since = *self.alone_since.get_or_insert(now);
            if now.duration_since(since) >= self.executor_wait {
                return Err(DataFusionError::ResourcesExhausted(format!(
                    "no executor has been available for {} seconds; start executors or check that they can reach this scheduler",
                    self.executor_wait.as_secs()
                )));
            }
            self.still_since = None;
            return Ok(());
        }
        self.alone_since = None;
        // With others running, waiting partitions may just be waiting for their turn.
        let waiting_its_turn = sight.waiting > 0 && jobs > 1;
        if sight.progress.running_tasks > 0 || waiting_its_turn || sight != self.last {
            self.still_since = None;
        } else {
            let since = *self.still_since.get_or_insert(now);
            if now.duration_since(since) >= STILL {
                return Err(DataFusionError::Execution(format!(
                    "the job has stood still for {} seconds with {cores} cores available and was given up",
                    STILL.as_secs()
                )));
            }
        }
        self.last = sight;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_without_executors_or_progress_is_given_up() {
        let begun = Instant::now();
        let mut watchdog = Watchdog::new(Duration::from_secs(10));
        assert!(watchdog.see(Sight::default(), 0, 1, begun).is_ok());
        assert!(watchdog.see(Sight::default(), 0, 1, begun + Duration::from_secs(11)).is_err());

        let mut watchdog = Watchdog::new(Duration::from_secs(10));
        let waiting = Sight { waiting: 3, ..Sight::default() };
        assert!(watchdog.see(waiting.clone(), 1, 1, begun).is_ok());
        assert!(watchdog.see(waiting.clone(), 1, 1, begun + Duration::from_secs(1)).is_ok());
        assert!(watchdog.see(waiting.clone(), 1, 2, begun + Duration::from_secs(90)).is_ok(), "others are running");
        assert!(watchdog.see(waiting.clone(), 1, 1, begun + Duration::from_secs(91)).is_ok());
        assert!(watchdog.see(waiting, 1, 1, begun + Duration::from_secs(152)).is_err());
    }
}
