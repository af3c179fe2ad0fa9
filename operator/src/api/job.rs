//! `FiresteelJob`: SQL or a Python script, run to its end.

mod status;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, Volume, VolumeMount};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use status::{Attempt, JobStatus, Phase};

use super::cluster::FiresteelClusterSpec;
use super::{KeyRef, LocalRef, Placement, PullPolicy};

/// A job: SQL statements, or a PySpark script, on a cluster.
#[derive(Debug, Clone, PartialEq, CustomResource, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "firesteel.dev",
    version = "v1alpha1",
    kind = "FiresteelJob",
    plural = "firesteeljobs",
    shortname = "fsj",
    category = "firesteel",
    namespaced,
    derive = "PartialEq",
    status = "JobStatus",
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Attempt", type_ = "integer", json_path = ".status.attempt"),
    printcolumn(name = "Cluster", type_ = "string", json_path = ".status.clusterName"),
    printcolumn(name = "Started", type_ = "date", json_path = ".status.startedAt"),
    printcolumn(name = "Finished", type_ = "date", json_path = ".status.finishedAt"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.reason", priority = 1),
    printcolumn(name = "Rows", type_ = "integer", json_path = ".status.rows", priority = 1),
    printcolumn(name = "Submission", type_ = "string", json_path = ".status.submissionId", priority = 1),
    validation = Rule::new("size(self.metadata.name) <= 52").message("metadata.name must be at most 52 characters, since names of pods are made from it"),
    validation = Rule::new("has(self.spec.clusterRef) == has(oldSelf.spec.clusterRef) && (!has(self.spec.clusterRef) || self.spec.clusterRef == oldSelf.spec.clusterRef) && has(self.spec.clusterTemplate) == has(oldSelf.spec.clusterTemplate) && (!has(self.spec.clusterTemplate) || self.spec.clusterTemplate == oldSelf.spec.clusterTemplate)").message("spec.clusterRef and spec.clusterTemplate cannot be changed: make another job"),
    validation = Rule::new("has(self.spec.sql) == has(oldSelf.spec.sql) && (!has(self.spec.sql) || self.spec.sql == oldSelf.spec.sql) && has(self.spec.python) == has(oldSelf.spec.python) && (!has(self.spec.python) || self.spec.python == oldSelf.spec.python)").message("spec.sql and spec.python cannot be changed: make another job"),
)]
#[x_kube(
    validation = Rule::new("has(self.sql) != has(self.python)").message("give exactly one of spec.sql and spec.python"),
    validation = Rule::new("has(self.clusterRef) != has(self.clusterTemplate)").message("give exactly one of spec.clusterRef and spec.clusterTemplate"),
    validation = Rule::new("!has(self.conf) || !has(self.python) || self.conf.all(key, key.startsWith('spark.sql.'))").message("spec.conf of a script may hold spark.sql. keys only, since PySpark gives no others to a session that is there")
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FiresteelJobSpec {
    /// The cluster it runs on. It need not exist yet, and is woken when it hibernates for being idle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cluster_ref: Option<LocalRef>,
    /// A cluster of its own, made when the job begins and deleted when it has ended or is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cluster_template: Option<Box<ClusterTemplate>>,
    /// SQL statements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sql: Option<SqlSource>,
    /// A PySpark script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) python: Option<PythonSource>,
    /// Session configuration, such as spark.sql.session.timeZone. What a script sets itself comes after it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(length(max = 256))]
    pub(crate) conf: BTreeMap<String, String>,
    /// Stops it, or keeps it from starting, until it is false again; then it begins anew.
    #[serde(default)]
    pub(crate) suspend: bool,
    /// When it is tried again.
    #[serde(default)]
    pub(crate) restart_policy: RestartPolicy,
    /// When it is given up.
    #[serde(default)]
    pub(crate) timeouts: Timeouts,
    /// Seconds after its end when it is deleted; never when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31536000))]
    pub(crate) ttl_seconds_after_finished: Option<i64>,
}

/// A cluster for one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClusterTemplate {
    /// The spec of the cluster.
    pub(crate) spec: FiresteelClusterSpec,
}

/// SQL statements, separated by semicolons. Rows of queries are counted and dropped: write what should be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("[has(self.text), has(self.configMapKeyRef), has(self.uri)].exists_one(given, given)").message("give exactly one of sql.text, sql.configMapKeyRef and sql.uri"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct SqlSource {
    /// The statements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 262144))]
    pub(crate) text: Option<String>,
    /// A ConfigMap with the statements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config_map_key_ref: Option<KeyRef>,
    /// An object with the statements; the cluster reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = Rule::new("self.matches('^(s3|s3a|file)://.+')").message("sql.uri must begin with s3://, s3a:// or file://"))]
    pub(crate) uri: Option<String>,
    /// Values of `:name` in the statements, as strings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(length(max = 256))]
    pub(crate) parameters: BTreeMap<String, String>,
}

/// A PySpark script, run in a driver pod with SPARK_REMOTE set, so that `SparkSession.builder.getOrCreate()` connects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.file) != has(self.configMapKeyRef)").message("give exactly one of python.file and python.configMapKeyRef"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct PythonSource {
    /// Image with python3 and pyspark-client.
    #[schemars(length(min = 1, max = 512))]
    pub(crate) image: String,
    /// When the image is pulled.
    #[serde(default)]
    pub(crate) image_pull_policy: PullPolicy,
    /// Secrets for pulling it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub(crate) image_pull_secrets: Vec<LocalRef>,
    /// Path of the script in the image or a volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub(crate) file: Option<String>,
    /// A ConfigMap with the script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config_map_key_ref: Option<KeyRef>,
    /// Arguments of the script.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub(crate) args: Vec<String>,
    /// Environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub(crate) env: Vec<EnvVar>,
    /// Environment from ConfigMaps and Secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub(crate) env_from: Vec<EnvFromSource>,
    /// Where the pod may run and what it may use.
    #[serde(flatten)]
    pub(crate) placement: Placement,
    /// Volumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub(crate) volumes: Vec<Volume>,
    /// Where they are mounted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub(crate) volume_mounts: Vec<VolumeMount>,
    /// The pod's ServiceAccount; its token is mounted only when one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub(crate) service_account_name: Option<String>,
    /// Name of the container, for tools that follow its log by name.
    #[serde(default = "driver")]
    #[schemars(length(min = 1, max = 63), pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub(crate) container_name: String,
    /// The user the script runs as; the image's own when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub(crate) run_as_user: Option<i64>,
    /// The group the script runs as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub(crate) run_as_group: Option<i64>,
}

/// What is tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Restart {
    /// Nothing.
    Never,
    /// Jobs that did not fail by themselves: the pod was evicted, the scheduler was lost.
    #[default]
    OnInfrastructureFailure,
    /// Those, and jobs that failed.
    OnFailure,
}

/// How a wait grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Growth {
    /// Twice as long each time.
    #[default]
    Doubling,
    /// Longer by the first wait each time.
    Linear,
}

/// When a job is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("self.backoffMaxSeconds >= self.backoffSeconds").message("restartPolicy.backoffMaxSeconds must not be less than backoffSeconds"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct RestartPolicy {
    /// What is tried again.
    #[serde(default, rename = "type")]
    pub(crate) restart: Restart,
    /// Attempts in all that may fail by themselves.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 100))]
    pub(crate) max_attempts: i32,
    /// Attempts that may be lost for other reasons; counted apart.
    #[serde(default = "ten")]
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) max_infrastructure_failures: i32,
    /// How the wait grows from attempt to attempt.
    #[serde(default)]
    pub(crate) backoff_growth: Growth,
    /// Seconds before the second attempt.
    #[serde(default = "five")]
    #[schemars(range(min = 0, max = 86400))]
    pub(crate) backoff_seconds: i64,
    /// Seconds between attempts at most.
    #[serde(default = "three_hundred")]
    #[schemars(range(min = 0, max = 86400))]
    pub(crate) backoff_max_seconds: i64,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            restart: Restart::default(),
            max_attempts: three(),
            max_infrastructure_failures: ten(),
            backoff_growth: Growth::default(),
            backoff_seconds: five(),
            backoff_max_seconds: three_hundred(),
        }
    }
}

/// When a job is given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Timeouts {
    /// Seconds it waits for its cluster; for ever when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 31536000))]
    pub(crate) queue_seconds: Option<i64>,
    /// Seconds an attempt may take to start, which fails by the infrastructure when it does not.
    #[serde(default = "three_hundred")]
    #[schemars(range(min = 1, max = 86400))]
    pub(crate) start_seconds: i64,
    /// Seconds an attempt may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 31536000))]
    pub(crate) active_seconds: Option<i64>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { queue_seconds: None, start_seconds: three_hundred(), active_seconds: None }
    }
}

fn driver() -> String {
    "driver".into()
}
fn three() -> i32 {
    3
}
fn ten() -> i32 {
    10
}
fn five() -> i64 {
    5
}
fn three_hundred() -> i64 {
    300
}
