//! Follows one job from submission to its end: status, progress, cancellation and a watchdog for jobs that are stuck.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ballista_core::JobId;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::{JobStatus, PartitionLocation};
use datafusion::error::{DataFusionError, Result};
use firesteel_engine::cancel;
use firesteel_engine::job::JobProgress;
use firesteel_service::tasks;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::progress::{self, Sight};
use crate::cluster::Ballista;

/// How often status and progress are read. Statuses are also pushed; this is for progress and for those that got lost.
const LOOK: Duration = Duration::from_millis(200);
/// How long a job may stand still, with executors there and none of its tasks running, before it is given up.
const STILL: Duration = Duration::from_secs(60);
/// How often, and how long, a cancellation is repeated: one sent before the graph exists is lost.
const CANCEL_AGAIN: Duration = Duration::from_millis(200);
const CANCEL_TRIES: usize = 50;

/// One job under way.
pub(super) struct Follower {
    pub(super) ballista: Ballista,
    pub(super) id: JobId,
    pub(super) statuses: mpsc::Receiver<JobStatus>,
    pub(super) progress: watch::Sender<JobProgress>,
    pub(super) token: CancellationToken,
    pub(super) executor_wait: Duration,
    /// Cores of the cluster now.
    pub(super) cores: Arc<AtomicUsize>,
}

/// Frees what a job holds on the cluster when dropped: running tasks if there are any, then its data.
pub(super) struct Release {
    ballista: Ballista,
    id: JobId,
}

impl Follower {
    /// What to drop once the job's rows are no longer needed.
    pub(super) fn release(&self) -> Release {
        Release { ballista: self.ballista.clone(), id: self.id.clone() }
    }

    /// Waits until the job has ended well and tells where its rows are.
    pub(super) async fn finished(&mut self) -> Result<Vec<PartitionLocation>> {
        let mut look = tokio::time::interval(LOOK);
        let mut watchdog = Watchdog::new(self.executor_wait);
        let mut pushed = true;
        loop {
            let status = tokio::select! {
                biased;
                () = self.token.cancelled() => return Err(cancel::cancelled()),
                status = self.statuses.recv(), if pushed => {
                    pushed = status.is_some();
                    status
                }
                _ = look.tick() => {
                    self.look(&mut watchdog).await?;
                    self.ballista.state.task_manager.get_job_status(&self.id).await.ok().flatten()
                }
            };
            match status.and_then(|status| status.status) {
                Some(Status::Successful(job)) => {
                    self.progress.send_modify(all_done);
                    return Ok(job.partition_location);
                }
                Some(Status::Failed(job)) => return Err(super::failure(&job.error)),
                _ => {}
            }
        }
    }

    async fn look(&self, watchdog: &mut Watchdog) -> Result<()> {
        let jobs = self.ballista.state.task_manager.get_running_job_cache();
        let mut sight = Sight::default();
        if let Some(job) = jobs.get(&self.id) {
            sight = progress::of(&*job.execution_graph.read().await);
            self.progress.send_if_modified(|seen| {
                let changed = *seen != sight.progress;
                seen.clone_from(&sight.progress);
                changed
            });
        }
        let cores = self.cores.load(Ordering::Relaxed);
        watchdog.see(sight, cores, jobs.len(), Instant::now())
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        let ballista = self.ballista.clone();
        let id = self.id.clone();
        // Must outlive the query: its reader has gone.
        tasks::spawn_detached("release-job", async move {
            for _ in 0..CANCEL_TRIES {
                let status = ballista.state.task_manager.get_job_status(&id).await.ok().flatten();
                if matches!(status.and_then(|s| s.status), Some(Status::Successful(_) | Status::Failed(_))) {
                    break;
                }
                if let Err(error) = ballista.cancel_job(id.clone()).await {
                    tracing::warn!(job_id = %id, %error, "failed to cancel a job");
                }
                tokio::time::sleep(CANCEL_AGAIN).await;
            }
            ballista.state.executor_manager.clean_up_job_data(id);
        });
    }
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

    #[tokio::test(start_paused = true)]
    async fn a_job_without_executors_or_progress_is_given_up() {
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
