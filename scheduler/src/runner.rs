//! `BallistaJobRunner`: runs plans on executors, and what cannot or need not go there in this process.
//!
//! ```text
//! plan -> route -> local  -> LocalJobRunner
//!               -> remote -> submit -> follow (status, progress, watchdog) -> fetch -> rows in partition order
//! ```

mod fetch;
mod follow;
mod holders;
mod progress;
mod route;
mod share;
mod sizing;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ballista_scheduler::cluster::{ClusterState, JobState};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::SessionContext;
use firesteel_engine::database::{self, Snapshots};
use firesteel_engine::job::{JobHandle, JobId, JobProgress, JobRunner};
use firesteel_engine::local::LocalJobRunner;
use firesteel_engine::rules::reduction::{self, Limits};
use firesteel_engine::rules::{shuffle, stages};
use firesteel_engine::{cancel, session::profile};
use firesteel_functions::SparkError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cluster::{self, Ballista, Coordinator, Members};
use crate::settings::ShuffleCodec;
use follow::Follower;
use holders::Holders;
use route::Route;

/// Runs plans on the executors of a cluster.
pub struct BallistaJobRunner {
    ballista: Ballista,
    finished_jobs: Arc<dyn JobState>,
    members: Arc<Members>,
    holders: Arc<Holders>,
    shuffle_codec: ShuffleCodec,
    local: Arc<LocalJobRunner>,
    /// What sessions have for `target_partitions` unless they were told otherwise.
    default_partitions: usize,
    cores: Arc<AtomicUsize>,
    executor_wait: Duration,
    _census: firesteel_service::tasks::Task<()>,
}

impl BallistaJobRunner {
    /// A runner over a coordinator; `default_partitions` is what the session recipe gives every session.
    pub(crate) fn new(
        coordinator: Coordinator,
        local: Arc<LocalJobRunner>,
        default_partitions: usize,
        executor_wait: Duration,
    ) -> Arc<Self> {
        let Coordinator { ballista, finished_jobs, members, shuffle_codec } = coordinator;
        let cores = Arc::new(AtomicUsize::new(0));
        let census =
            firesteel_service::tasks::spawn("executor-census", census(Arc::clone(&members), Arc::clone(&cores)));
        Arc::new(Self {
            ballista,
            finished_jobs,
            members,
            holders: Arc::default(),
            shuffle_codec,
            local,
            default_partitions,
            cores,
            executor_wait,
            _census: census,
        })
    }

    async fn remote(
        &self,
        name: &str,
        state: SessionState,
        plan: Arc<dyn ExecutionPlan>,
        snapshots: Snapshots,
        cancel: CancellationToken,
    ) -> Result<JobHandle> {
        let schema = plan.schema();
        let (progress, receiver) = watch::channel(JobProgress::default());
        let token = cancel.child_token();
        let follower = Follower {
            ballista: self.ballista.clone(),
            finished_jobs: Arc::clone(&self.finished_jobs),
            members: Arc::clone(&self.members),
            holders: Arc::clone(&self.holders),
            name: name.to_owned(),
            ctx: Arc::new(SessionContext::new_with_state(state)),
            plan,
            _snapshots: snapshots,
            progress,
            token: token.clone(),
            executor_wait: self.executor_wait,
            cores: Arc::clone(&self.cores),
        };
        let first = follower.submit().await?;
        let id = JobId(first.id.to_string());
        let stream = fetch::stream(follower, first, schema, token.clone());
        Ok(JobHandle { id, stream, progress: receiver, cancel: token })
    }
}

#[async_trait]
impl JobRunner for BallistaJobRunner {
    async fn submit(
        &self,
        name: &str,
        ctx: Arc<SessionContext>,
        plan: LogicalPlan,
        cancel: CancellationToken,
    ) -> Result<JobHandle> {
        if cancel.is_cancelled() {
            return Err(cancel::cancelled());
        }
        if route::of_logical(&plan) == Route::Local {
            return self.local.submit(name, ctx, plan, cancel).await;
        }
        let mut state = ctx.state();
        let chosen = state.config().target_partitions();
        *state.config_mut() = cluster::session_config(state.config().clone(), self.shuffle_codec);
        let options = state.config_mut().options_mut();
        profile::stamp(options);
        let ours = chosen == self.default_partitions;
        let cores = match self.cores.load(Ordering::Relaxed) {
            0 => self.default_partitions,
            cores => cores,
        };
        if ours {
            options.execution.target_partitions = cores;
        }
        let mut physical = planned(&state, &plan, &cancel).await?;
        let bytes = sizing::input_bytes(&physical);
        if sizing::is_small(bytes, cores) {
            *state.config_mut() = cluster::reading_little(state.config().clone(), self.shuffle_codec);
        }
        if ours {
            let fit = sizing::partitions(bytes, cores);
            if fit != state.config().target_partitions() {
                state.config_mut().options_mut().execution.target_partitions = fit;
                physical = planned(&state, &plan, &cancel).await?;
            }
        }
        match route::of_physical(&physical) {
            Route::Local => self.local.submit(name, ctx, plan, cancel).await,
            Route::Remote => {
                let (physical, snapshots) = database::released(physical)?;
                let shared = share::shared(physical, state.config_options())?;
                tracing::debug!(name, plan = %displayable(shared.as_ref()).indent(false), "the plan of a job");
                self.remote(name, state, shared, snapshots, cancel).await
            }
        }
    }
}

/// The physical plan, ready to be cut into stages.
async fn planned(
    state: &SessionState,
    plan: &LogicalPlan,
    cancel: &CancellationToken,
) -> Result<Arc<dyn ExecutionPlan>> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(cancel::cancelled()),
        planned = state.create_physical_plan(plan) => {
            let plan = shuffle::shuffled(planned?, state.config().target_partitions())?;
            stages::explicit(reduction::reduce(plan, Limits::of_broadcast(profile::BROADCAST_BYTES))?)
        }
    }
}

impl fmt::Debug for BallistaJobRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BallistaJobRunner").field("cores", &self.cores).finish_non_exhaustive()
    }
}

/// Looks after the executors once a second: who is dead, and how many cores there are, so that asking for them costs nothing.
async fn census(members: Arc<Members>, cores: Arc<AtomicUsize>) {
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tick.tick().await;
        members.probe().await;
        let executors = members.registered_executor_metadata().await;
        cores.store(executors.iter().map(|executor| executor.specification.vcores as usize).sum(), Ordering::Relaxed);
    }
}

/// The error behind the text Ballista carried: Spark's where one was born, else the text.
fn failure(text: &str) -> DataFusionError {
    match SparkError::recover_text(text) {
        Some(error) => error.into(),
        None => DataFusionError::Execution(text.to_owned()),
    }
}

#[cfg(test)]
mod tests;
