//! What is known of executors and jobs, in the form it is shown in.

use ballista_core::serde::protobuf::job_status::Status;
use serde::Serialize;

use super::Rest;

/// An executor.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Executor {
    /// Unique for each start of the process.
    pub(crate) id: String,
    pub(crate) host: String,
    pub(crate) data_port: u16,
    pub(crate) task_port: u16,
    pub(crate) cores: u32,
    /// Seconds since the epoch.
    pub(crate) last_heartbeat: Option<u64>,
}

/// A job on the cluster.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: &'static str,
    /// Milliseconds since the epoch.
    pub(crate) started: u64,
    /// Milliseconds since the epoch; 0 while it runs.
    pub(crate) ended: u64,
    pub(crate) stages: usize,
    pub(crate) completed_stages: usize,
}

pub(super) async fn executors(rest: &Rest) -> Vec<Executor> {
    let Some(coordinator) = &rest.coordinator else {
        return Vec::new();
    };
    let mut seen: Vec<Executor> = match coordinator.ballista.state.executor_manager.get_executors_state().await {
        Ok(executors) => executors
            .into_iter()
            .map(|(executor, heartbeat, _)| Executor {
                id: executor.id,
                host: executor.host,
                data_port: executor.port,
                task_port: executor.grpc_port,
                cores: executor.specification.vcores,
                last_heartbeat: heartbeat.map(|since_epoch| since_epoch.as_secs()),
            })
            .collect(),
        Err(error) => {
            tracing::warn!(%error, "failed to list executors");
            Vec::new()
        }
    };
    seen.sort_by(|left, right| (&left.host, &left.id).cmp(&(&right.host, &right.id)));
    seen
}

pub(super) async fn jobs(rest: &Rest) -> Vec<Job> {
    let Some(coordinator) = &rest.coordinator else {
        return Vec::new();
    };
    let mut seen: Vec<Job> = match coordinator.ballista.state.task_manager.get_all_jobs().await {
        Ok(jobs) => jobs
            .into_iter()
            .map(|job| Job {
                id: job.job_id.to_string(),
                name: job.job_name,
                status: status(job.status.status.as_ref()),
                started: job.start_time,
                ended: job.end_time,
                stages: job.num_stages,
                completed_stages: job.completed_stages,
            })
            .collect(),
        Err(error) => {
            tracing::warn!(%error, "failed to list jobs");
            Vec::new()
        }
    };
    seen.sort_by_key(|job| std::cmp::Reverse(job.started));
    seen
}

fn status(status: Option<&Status>) -> &'static str {
    match status {
        Some(Status::Queued(_)) | None => "queued",
        Some(Status::Running(_)) => "running",
        Some(Status::Failed(job)) if job.error == "Cancelled" => "cancelled",
        Some(Status::Failed(_)) => "failed",
        Some(Status::Successful(_)) => "succeeded",
    }
}
