//! What is known of a job.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a job stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Phase {
    /// It waits for its cluster.
    #[default]
    Queued,
    /// Its submission is decided and may have reached the cluster.
    Starting,
    /// It runs.
    Running,
    /// It waits to be tried again.
    Backoff,
    /// It is being stopped.
    Suspending,
    /// It waits for `suspend: false`.
    Suspended,
    /// It is done.
    Succeeded,
    /// It is given up.
    Failed,
}

impl Phase {
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attempt {
    /// From 1.
    pub(crate) number: i32,
    /// Its submission.
    pub(crate) submission_id: String,
    /// Succeeded, Failed, Infrastructure, Timeout or Suspended.
    pub(crate) outcome: String,
    /// In a word.
    pub(crate) reason: String,
    /// In a sentence.
    pub(crate) message: String,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at: Option<Time>,
}

/// What is known of a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JobStatus {
    /// Where it stands.
    pub(crate) phase: Phase,
    /// Generation of the spec all this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) observed_generation: Option<i64>,
    /// ClusterReady, Complete, Failed and Suspended.
    pub(crate) conditions: Vec<Condition>,
    /// Why it stands there, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Why it stands there, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// The cluster it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cluster_name: Option<String>,
    /// The current or last attempt, from 1.
    pub(crate) attempt: i32,
    /// Attempts that failed by themselves.
    pub(crate) failures: i32,
    /// Attempts that were lost for other reasons.
    pub(crate) infrastructure_failures: i32,
    /// The submission of this attempt, the same in the cluster and here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) submission_id: Option<String>,
    /// The scheduler process it was first seen to run in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
    /// The driver pod of a script; `kubectl logs` shows what it printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) driver_pod: Option<String>,
    /// The last attempts.
    pub(crate) attempts: Vec<Attempt>,
    /// Statements of the SQL.
    pub(crate) statements: i64,
    /// Statements done.
    pub(crate) completed_statements: i64,
    /// Rows that statements returned.
    pub(crate) rows: i64,
    /// When it began to wait for its cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queued_at: Option<Time>,
    /// When this attempt was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) submitted_at: Option<Time>,
    /// When this attempt began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<Time>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at: Option<Time>,
}
