//! What is known of a cluster.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is known of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ClusterStatus {
    /// Pending, Provisioning, Ready, Degraded, Hibernating, Hibernated or Waking.
    pub(crate) phase: String,
    /// Generation of the spec all this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) observed_generation: Option<i64>,
    /// Ready, Hibernated, SpecInvalid and ScalingPaused; ActivatorListening where connections wake the cluster, TokensReviewed where Kubernetes
    /// knows callers, CertificateFound where ports speak TLS.
    pub(crate) conditions: Vec<Condition>,
    /// Version the scheduler says it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// Executor pods.
    pub(crate) replicas: i32,
    /// Executor pods wanted.
    pub(crate) desired_replicas: i32,
    /// Executor pods that are ready.
    pub(crate) ready_replicas: i32,
    /// Label selector of executor pods.
    pub(crate) selector: String,
    /// The groups.
    pub(crate) groups: Vec<GroupStatus>,
    /// Tasks that wait for a core.
    pub(crate) pending_tasks: i64,
    /// Tasks that run.
    pub(crate) running_tasks: i64,
    /// Since when nothing has run and no client has spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idle_since: Option<Time>,
    /// Since when it hibernates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hibernated_at: Option<Time>,
    /// Since when it is going to hibernate and waits for running queries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hibernating_since: Option<Time>,
    /// Value of the wake annotation when it began to hibernate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wake_seen: Option<String>,
    /// Where clients connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) endpoints: Option<Endpoints>,
    /// When the number of executors last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_scale_time: Option<Time>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_scale_reason: Option<String>,
    /// When it will be deleted unless it is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delete_at: Option<Time>,
}

/// What is known of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GroupStatus {
    /// Its name.
    pub(crate) name: String,
    /// Pods wanted.
    pub(crate) desired: i32,
    /// Pods that are ready.
    pub(crate) ready: i32,
    /// Pods that are on their way out.
    pub(crate) draining: i32,
}

/// Where clients connect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Endpoints {
    /// Spark Connect, for `SPARK_REMOTE`.
    pub(crate) spark_connect: String,
    /// Flight SQL.
    pub(crate) flight_sql: String,
    /// REST and the web page.
    pub(crate) rest: String,
    /// What the Ingress leads to, from outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ingress: Option<String>,
}
