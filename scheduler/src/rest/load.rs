//! The load signal: what an autoscaler needs to know to add executors, to choose those that are safe to remove, and to
//! tell an idle cluster from a busy one.

use std::collections::HashMap;
use std::time::Instant;

use ballista_core::serde::protobuf::task_status::Status;
use ballista_scheduler::cluster::ClusterState;
use ballista_scheduler::state::execution_graph::ExecutionGraphBox;
use ballista_scheduler::state::execution_stage::ExecutionStage;
use serde::Serialize;

use super::Rest;

/// The load of a cluster.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Load {
    /// Of this process: another value means another process, which knows nothing of what the last one ran.
    pub(crate) instance: String,
    pub(crate) version: &'static str,
    /// Queries and jobs that run or wait.
    pub(crate) queries: usize,
    /// Tasks that could run now if there were cores for them.
    pub(crate) pending_tasks: usize,
    pub(crate) running_tasks: usize,
    /// Cores of executors that take tasks.
    pub(crate) slots: u32,
    /// Seconds since anything ran or any client spoke; 0 while something runs.
    pub(crate) idle_seconds: u64,
    /// How reviews of tokens go; `None` where there are none, and before the first look.
    pub(crate) token_reviews: Option<TokenReviews>,
    pub(crate) executors: Vec<Member>,
}

/// How reviews of tokens go.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TokenReviews {
    /// Why they cannot be made.
    pub(crate) problem: Option<String>,
}

/// An executor as an autoscaler sees it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) host: String,
    pub(crate) cores: u32,
    pub(crate) running_tasks: usize,
    /// It may hold output that a running query still needs.
    pub(crate) holds_data: bool,
    /// It gets no more tasks.
    pub(crate) draining: bool,
    /// Seconds since it last had a task, or since it was first seen.
    pub(crate) idle_seconds: u64,
}

/// What the running jobs hold.
#[derive(Debug, Default)]
struct Held {
    pending: usize,
    running: HashMap<String, usize>,
}

fn count(graph: &ExecutionGraphBox, held: &mut Held) {
    held.pending += graph.available_tasks();
    for stage in graph.stages().values() {
        let ExecutionStage::Running(stage) = stage else {
            continue;
        };
        for task in &stage.task_infos {
            if let Status::Running(running) = &task.task_status {
                *held.running.entry(running.executor_id.clone()).or_default() += 1;
            }
        }
    }
}

fn reviews(rest: &Rest) -> Option<TokenReviews> {
    let looked = rest.kubernetes.as_ref()?.looked()?;
    Some(TokenReviews { problem: looked.err() })
}

pub(super) async fn load(rest: &Rest) -> Load {
    let mut held = Held::default();
    let mut executors = Vec::new();
    if let Some(coordinator) = &rest.coordinator {
        let tasks = &coordinator.ballista.state.task_manager;
        for job in tasks.get_running_job_cache().values() {
            count(&*job.execution_graph.read().await, &mut held);
        }
        // A job that is not cut into stages yet needs one task at least.
        held.pending += tasks.pending_job_number();
        let oldest = rest.activity.oldest();
        let now = Instant::now();
        for metadata in coordinator.members.registered_executor_metadata().await {
            let running_tasks = held.running.get(&metadata.id).copied().unwrap_or(0);
            let last = coordinator.members.last_given(&metadata.id, running_tasks > 0, now);
            executors.push(Member {
                cores: metadata.specification.vcores,
                running_tasks,
                holds_data: running_tasks > 0 || oldest.is_some_and(|oldest| last.given && last.at >= oldest),
                draining: coordinator.members.is_draining(&metadata.id),
                idle_seconds: now.saturating_duration_since(last.at).as_secs(),
                id: metadata.id,
                host: metadata.host,
            });
        }
    }
    executors.sort_by(|left, right| (&left.host, &left.id).cmp(&(&right.host, &right.id)));
    let queries = rest.activity.running();
    let spoken = rest.engine.sessions().iter().map(|session| session.idle()).min();
    let quiet = rest.activity.quiet();
    Load {
        instance: rest.instance.clone(),
        version: env!("CARGO_PKG_VERSION"),
        queries,
        pending_tasks: held.pending,
        running_tasks: held.running.values().sum(),
        slots: executors.iter().filter(|member| !member.draining).map(|member| member.cores).sum(),
        idle_seconds: spoken.map_or(quiet, |spoken| spoken.min(quiet)).as_secs(),
        token_reviews: reviews(rest),
        executors,
    }
}
