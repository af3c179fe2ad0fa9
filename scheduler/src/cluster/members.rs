//! Who is in the cluster, and how many of their cores are free.
//!
//! Ballista's own state keeps executors and heartbeats. Two answers are ours, since Ballista's go wrong when executors die:
//!
//! - Free cores follow from the tasks that run now. Ballista counts them up and down instead, and loses those of every task
//!   whose stage it rolls back: an executor of one core would never be given a task again.
//! - An executor that refuses connections is dead at once, not when its heartbeat is long overdue.
//!
//! - An executor that drains keeps what it runs and holds, and is given no more tasks.
//!
//! It knows nothing of plans or of what jobs mean.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::error::Result;
use ballista_core::serde::protobuf::ExecutorHeartbeat;
use ballista_core::serde::protobuf::task_status::Status;
use ballista_core::serde::scheduler::{ExecutorData, ExecutorMetadata};
use ballista_scheduler::cluster::memory::InMemoryClusterState;
use ballista_scheduler::cluster::{BoundTask, ClusterState, ClusterStateEventStream, ExecutorSlot};
use ballista_scheduler::config::TaskDistributionPolicy;
use ballista_scheduler::state::execution_graph::ExecutionGraphBox;
use ballista_scheduler::state::execution_stage::ExecutionStage;
use ballista_scheduler::state::task_manager::JobInfoCache;
use parking_lot::Mutex;
use tokio::net::TcpStream;

/// How long an executor may take to accept a connection. Taking longer says nothing: it may be busy, or its network slow.
const ANSWER: Duration = Duration::from_secs(1);
/// Refusals in a row after which an executor is dead.
const REFUSALS: u32 = 2;

/// The executors of the cluster.
pub(crate) struct Members {
    known: InMemoryClusterState,
    /// Refused connections in a row, by executor.
    refusals: Mutex<HashMap<String, u32>>,
    lost: AtomicU64,
    draining: Mutex<HashSet<String>>,
    given: Mutex<HashMap<String, Given>>,
}

/// When an executor was last given a task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    /// When; or when it was first asked for.
    pub(crate) at: Instant,
    /// Whether it has been given any.
    pub(crate) given: bool,
}

impl Members {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            known: InMemoryClusterState::default(),
            refusals: Mutex::default(),
            lost: AtomicU64::new(0),
            draining: Mutex::default(),
            given: Mutex::default(),
        })
    }

    /// Gives an executor no more tasks, for good; `false` when there is no such executor.
    pub(crate) async fn drain(&self, executor_id: &str) -> bool {
        let known = self.known.registered_executor_metadata().await.iter().any(|executor| executor.id == executor_id);
        if known {
            self.draining.lock().insert(executor_id.to_owned());
        }
        known
    }

    /// Whether an executor is given no more tasks.
    pub(crate) fn is_draining(&self, executor_id: &str) -> bool {
        self.draining.lock().contains(executor_id)
    }

    /// When an executor was last given a task; one that is busy has one now.
    pub(crate) fn last_given(&self, executor_id: &str, busy: bool, now: Instant) -> Given {
        let mut given = self.given.lock();
        let last = given.entry(executor_id.to_owned()).or_insert(Given { at: now, given: busy });
        if busy {
            *last = Given { at: now, given: true };
        }
        *last
    }

    /// How many executors have left so far, for whatever reason. It only grows.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Tries to connect to every executor; true when one refuses. Those that refuse again and again are dead from then on.
    pub(crate) async fn probe(&self) -> bool {
        let executors = self.known.registered_executor_metadata().await;
        let refused = futures::future::join_all(executors.iter().map(refuses)).await;
        let mut refusals = self.refusals.lock();
        let before = std::mem::take(&mut *refusals);
        for (executor, _) in executors.iter().zip(&refused).filter(|(_, refused)| **refused) {
            refusals.insert(executor.id.clone(), before.get(&executor.id).map_or(1, |count| count + 1));
        }
        !refusals.is_empty()
    }

    fn dead(&self) -> HashSet<String> {
        let refusals = self.refusals.lock();
        refusals.iter().filter(|(_, count)| **count >= REFUSALS).map(|(id, _)| id.clone()).collect()
    }
}

/// Where shuffle data is served is what is tried: an executor that no longer serves it is of no use, whatever else it does.
async fn refuses(executor: &ExecutorMetadata) -> bool {
    let connected = TcpStream::connect((executor.host.as_str(), executor.port));
    match tokio::time::timeout(ANSWER, connected).await {
        Ok(Err(error)) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        Ok(Ok(_)) | Err(_) => false,
    }
}

/// Adds to `busy`, by executor, the cores that the running tasks of a job hold.
fn count_busy(graph: &ExecutionGraphBox, busy: &mut HashMap<String, u32>) {
    for stage in graph.stages().values() {
        let ExecutionStage::Running(stage) = stage else {
            continue;
        };
        for task in &stage.task_infos {
            if let Status::Running(running) = &task.task_status {
                *busy.entry(running.executor_id.clone()).or_default() += task.vcores_consumed;
            }
        }
    }
}

#[async_trait]
impl ClusterState for Members {
    async fn bind_schedulable_tasks(
        &self,
        distribution: TaskDistributionPolicy,
        active_jobs: Arc<HashMap<JobId, JobInfoCache>>,
        executors: Option<HashSet<String>>,
    ) -> Result<Vec<BoundTask>> {
        let mut busy = HashMap::new();
        for job in active_jobs.values() {
            count_busy(&*job.execution_graph.read().await, &mut busy);
        }
        // Ballista's rules place the tasks, over what is free just now.
        let now = InMemoryClusterState::default();
        let draining = self.draining.lock().clone();
        for metadata in self.known.registered_executor_metadata().await {
            if draining.contains(&metadata.id) {
                continue;
            }
            let total_vcores = metadata.specification.vcores;
            let free = total_vcores.saturating_sub(busy.get(&metadata.id).copied().unwrap_or(0));
            let data = ExecutorData { executor_id: metadata.id.clone(), total_vcores, available_vcores: free };
            now.register_executor(metadata, data).await?;
        }
        let bound = now.bind_schedulable_tasks(distribution, active_jobs, executors).await?;
        let at = Instant::now();
        let mut given = self.given.lock();
        for (executor_id, _) in &bound {
            given.insert(executor_id.clone(), Given { at, given: true });
        }
        Ok(bound)
    }

    /// Nothing to do: what is free follows from the tasks that run.
    async fn unbind_tasks(&self, _: Vec<ExecutorSlot>) -> Result<()> {
        Ok(())
    }

    async fn register_executor(&self, metadata: ExecutorMetadata, spec: ExecutorData) -> Result<()> {
        self.known.register_executor(metadata, spec).await
    }

    async fn save_executor_metadata(&self, metadata: ExecutorMetadata) -> Result<()> {
        self.known.save_executor_metadata(metadata).await
    }

    async fn get_executor_metadata(&self, executor_id: &str) -> Result<ExecutorMetadata> {
        self.known.get_executor_metadata(executor_id).await
    }

    async fn registered_executor_metadata(&self) -> Vec<ExecutorMetadata> {
        self.known.registered_executor_metadata().await
    }

    async fn save_executor_heartbeat(&self, heartbeat: ExecutorHeartbeat) -> Result<()> {
        self.known.save_executor_heartbeat(heartbeat).await
    }

    async fn remove_executor(&self, executor_id: &str) -> Result<()> {
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.refusals.lock().remove(executor_id);
        self.draining.lock().remove(executor_id);
        self.given.lock().remove(executor_id);
        self.known.remove_executor(executor_id).await
    }

    /// The dead have a heartbeat from long ago, so that Ballista gives them no task and removes them.
    fn executor_heartbeats(&self) -> HashMap<String, ExecutorHeartbeat> {
        let mut heartbeats = self.known.executor_heartbeats();
        for id in self.dead() {
            if let Some(heartbeat) = heartbeats.get_mut(&id) {
                heartbeat.timestamp = 0;
            }
        }
        heartbeats
    }

    fn get_executor_heartbeat(&self, executor_id: &str) -> Option<ExecutorHeartbeat> {
        self.known.get_executor_heartbeat(executor_id)
    }

    async fn cluster_state_events(&self) -> Result<ClusterStateEventStream> {
        self.known.cluster_state_events().await
    }
}

#[cfg(test)]
mod tests;
