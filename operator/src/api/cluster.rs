//! `FiresteelCluster`: a scheduler, groups of executors, and when they exist.

pub(crate) mod access;
pub(crate) mod ingress;
mod status;
pub(crate) mod tls;

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, Volume, VolumeMount};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use status::{ClusterStatus, Endpoints, GroupStatus};

use super::{LocalRef, Placement, PullPolicy};

/// A cluster: one scheduler, which serves clients and coordinates, and executors, which come and go with the load.
#[derive(Debug, Clone, PartialEq, CustomResource, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "firesteel.dev",
    version = "v1alpha1",
    kind = "FiresteelCluster",
    plural = "firesteelclusters",
    shortname = "fsc",
    category = "firesteel",
    namespaced,
    derive = "PartialEq",
    status = "ClusterStatus",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Ready", type_ = "integer", json_path = ".status.readyReplicas", description = "Executors that are ready"),
    printcolumn(name = "Desired", type_ = "integer", json_path = ".status.desiredReplicas", description = "Executors wanted"),
    printcolumn(name = "Pending", type_ = "integer", json_path = ".status.pendingTasks", description = "Tasks that wait for a core"),
    printcolumn(name = "Idle-Since", type_ = "date", json_path = ".status.idleSince"),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Endpoint", type_ = "string", json_path = ".status.endpoints.sparkConnect", priority = 1),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.lastScaleReason", priority = 1),
    validation = Rule::new("size(self.metadata.name) <= 40").message("metadata.name must be at most 40 characters, since names of pods are made from it"),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')").message("metadata.name must begin with a letter and hold only lower-case letters, digits and hyphens, since it is the name of a service"),
)]
#[x_kube(
    validation = Rule::new("!has(self.replicas) || self.autoscaling.mode == 'External'").message("spec.replicas is only used with autoscaling.mode External"),
    validation = Rule::new("!has(self.autoDelete) || !has(self.autoDelete.idleAfterSeconds) || !has(self.hibernation.idleAfterSeconds) || self.autoDelete.idleAfterSeconds > self.hibernation.idleAfterSeconds").message("autoDelete.idleAfterSeconds must be greater than hibernation.idleAfterSeconds"),
    validation = Rule::new("!self.hibernation.wakeOnConnection || has(self.hibernation.idleAfterSeconds)").message("hibernation.wakeOnConnection is only used with hibernation.idleAfterSeconds"),
    validation = Rule::new("self.access.tokens != self.allowUnauthenticated").message("exactly one of spec.access.tokens and spec.allowUnauthenticated must be true: the ports of a cluster ask for tokens, or whoever reaches them may use it"),
    validation = Rule::new("!has(self.access.kubernetes) || has(self.serviceAccountName)").message("access.kubernetes is only used with serviceAccountName: a ServiceAccount that is bound to the ClusterRole system:auth-delegator"),
    validation = Rule::new("!has(self.tls) || !has(self.ingress) || self.ingress.service == 'Rest' || !has(self.ingress.annotations) || !('nginx.ingress.kubernetes.io/backend-protocol' in self.ingress.annotations) || self.ingress.annotations['nginx.ingress.kubernetes.io/backend-protocol'] == 'GRPCS'").message("ingress.annotations: nginx.ingress.kubernetes.io/backend-protocol must be GRPCS with spec.tls, since the port behind the Ingress speaks TLS")
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FiresteelClusterSpec {
    /// Image with the `firesteel` binary as its entry point.
    #[schemars(length(min = 1, max = 512))]
    pub(crate) image: String,
    /// When the image is pulled.
    #[serde(default)]
    pub(crate) image_pull_policy: PullPolicy,
    /// Secrets for pulling it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub(crate) image_pull_secrets: Vec<LocalRef>,
    /// The ServiceAccount of all pods, for rights in the cloud that go by it. Its token is not mounted, but in the scheduler's pod
    /// for access.kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub(crate) service_account_name: Option<String>,
    /// Who may come in by the ports for clients.
    #[serde(default)]
    pub(crate) access: access::Access,
    /// Says that whoever reaches the cluster's ports may use it. It has to be said where no tokens protect them.
    #[serde(default)]
    pub(crate) allow_unauthenticated: bool,
    /// Where tables live: an s3a:// URL, or a folder of a volume that all pods mount.
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = Rule::new("self.matches('^(s3a?://[^/]+(/.*)?|/.*)$')").message("warehouse must be an s3:// or s3a:// URL or an absolute path"))]
    pub(crate) warehouse: String,
    /// The scheduler's pod.
    #[serde(default)]
    pub(crate) scheduler: SchedulerSpec,
    /// Groups of equal executors; filled in this order.
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(validation = Rule::new("self.all(group, self.exists_one(other, other.name == group.name))").message("executorGroups must have different names"))]
    pub(crate) executor_groups: Vec<ExecutorGroup>,
    /// Executors wanted in all, for mode External; the scale subresource writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10000))]
    pub(crate) replicas: Option<i32>,
    /// How the number of executors follows the load.
    #[serde(default)]
    pub(crate) autoscaling: Autoscaling,
    /// When the cluster has no pods at all. Services and the warehouse stay.
    #[serde(default)]
    pub(crate) hibernation: Hibernation,
    /// When the cluster is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) auto_delete: Option<AutoDelete>,
    /// TLS on the ports of Spark Connect and Flight SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<tls::Tls>,
    /// A port of the cluster at a host name; the Ingress stays while the cluster hibernates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ingress: Option<ingress::Ingress>,
    /// Environment of all pods, such as AWS_ENDPOINT_URL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub(crate) env: Vec<EnvVar>,
    /// Environment of all pods from ConfigMaps and Secrets, such as S3 credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub(crate) env_from: Vec<EnvFromSource>,
    /// Volumes of all pods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub(crate) volumes: Vec<Volume>,
    /// Where they are mounted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub(crate) volume_mounts: Vec<VolumeMount>,
}

/// The scheduler's pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SchedulerSpec {
    /// Where it may run and what it may use.
    #[serde(flatten)]
    pub(crate) placement: Placement,
    /// A PersistentVolumeClaim for what it knows of submitted jobs. Without it a new pod has forgotten the jobs of the old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state_volume_claim: Option<LocalRef>,
}

/// Equal executors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(
    validation = Rule::new("self.min <= self.max").message("executorGroups: min must not be greater than max"),
    validation = Rule::new("has(self.taskSlots) || (has(self.resources) && has(self.resources.requests) && 'cpu' in self.resources.requests)").message("executorGroups: give taskSlots, or resources.requests.cpu to derive them from")
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExecutorGroup {
    /// Name, a part of the names of pods.
    #[schemars(length(min = 1, max = 15), pattern("^[a-z]([a-z0-9]*)$"))]
    pub(crate) name: String,
    /// Executors there always are while the cluster is awake.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) min: i32,
    /// Executors there are at most.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) max: i32,
    /// Tasks an executor runs at once. Whole cores of resources.requests.cpu, one at least, when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1024))]
    pub(crate) task_slots: Option<i32>,
    /// Where executors may run and what they may use.
    #[serde(flatten)]
    pub(crate) placement: Placement,
}

/// Who says how many executors there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum ScalingMode {
    /// The operator, by the scheduler's load.
    #[default]
    Operator,
    /// `spec.replicas`, which another autoscaler or a person writes.
    External,
    /// Nobody: each group has `min` executors.
    None,
}

/// How the number of executors follows the load.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Autoscaling {
    /// Who decides.
    #[serde(default)]
    pub(crate) mode: ScalingMode,
    /// Adding executors.
    #[serde(default)]
    pub(crate) scale_up: ScaleUp,
    /// Removing executors.
    #[serde(default)]
    pub(crate) scale_down: ScaleDown,
}

/// Adding executors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScaleUp {
    /// Pods made at once, per group.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) max_pods_per_step: i32,
}

/// Removing executors. One that has tasks, or output that a query still needs, is never removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScaleDown {
    /// Seconds an executor is idle before it may go.
    #[serde(default = "sixty")]
    #[schemars(range(min = 0, max = 86400))]
    pub(crate) idle_seconds: i32,
    /// The highest demand of this many seconds counts.
    #[serde(default = "hundred_twenty")]
    #[schemars(range(min = 0, max = 86400))]
    pub(crate) stabilization_seconds: i32,
    /// Pods removed at once, per group.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) max_pods_per_step: i32,
    /// Seconds after which a draining executor goes although it is still needed; its work is done again elsewhere.
    #[serde(default = "six_hundred")]
    #[schemars(range(min = 0, max = 86400))]
    pub(crate) drain_timeout_seconds: i32,
}

/// When the cluster has no pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Hibernation {
    /// By hand. Jobs wait.
    #[serde(default)]
    pub(crate) suspend: bool,
    /// Seconds without queries, clients and jobs after which it hibernates. A job wakes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 31536000))]
    pub(crate) idle_after_seconds: Option<i64>,
    /// Has a request of a client wake it from sleep for idleness. Clients then reach the scheduler through the operator until it
    /// is ready, so whoever reaches the operator's pod may wake the cluster, and use it as access says.
    #[serde(default)]
    pub(crate) wake_on_connection: bool,
    /// Times of sleep. Jobs wait for their end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub(crate) schedules: Vec<Sleep>,
    /// Seconds running queries have left when sleep begins by hand or by schedule.
    #[serde(default = "six_hundred_long")]
    #[schemars(range(min = 0, max = 86400))]
    pub(crate) grace_seconds: i64,
}

/// A time of sleep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sleep {
    /// Cron expression of its begin.
    #[schemars(length(min = 9, max = 256))]
    pub(crate) start: String,
    /// Cron expression of its end.
    #[schemars(length(min = 9, max = 256))]
    pub(crate) end: String,
    /// IANA time zone of both.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 64))]
    pub(crate) time_zone: String,
}

/// When the cluster is deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AutoDelete {
    /// Seconds without queries, clients and jobs, awake or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 31536000))]
    pub(crate) idle_after_seconds: Option<i64>,
    /// Seconds since it was made, when nothing runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 31536000))]
    pub(crate) max_age_seconds: Option<i64>,
}

impl Default for ScaleUp {
    fn default() -> Self {
        Self { max_pods_per_step: fifty() }
    }
}

impl Default for ScaleDown {
    fn default() -> Self {
        Self {
            idle_seconds: sixty(),
            stabilization_seconds: hundred_twenty(),
            max_pods_per_step: ten(),
            drain_timeout_seconds: six_hundred(),
        }
    }
}

impl Default for Hibernation {
    fn default() -> Self {
        Self {
            suspend: false,
            idle_after_seconds: None,
            wake_on_connection: false,
            schedules: Vec::new(),
            grace_seconds: six_hundred_long(),
        }
    }
}

fn ten() -> i32 {
    10
}
fn fifty() -> i32 {
    50
}
fn sixty() -> i32 {
    60
}
fn hundred_twenty() -> i32 {
    120
}
fn six_hundred() -> i32 {
    600
}
fn six_hundred_long() -> i64 {
    600
}
fn utc() -> String {
    "Etc/UTC".into()
}
