//! The kinds users write: `firesteel.dev/v1alpha1`. Types, defaults and rules only; what happens is decided elsewhere.
//!
//! A field is here when it works. Checks that the API server can make are made there: by types, by ranges, and by rules in
//! CEL whose messages name the field.

pub(crate) mod cluster;
pub(crate) mod job;
pub(crate) mod kubeflow;
pub(crate) mod schedule;
pub(crate) mod token;

use k8s_openapi::api::core::v1::{ResourceRequirements, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use cluster::FiresteelCluster;
pub(crate) use job::FiresteelJob;
pub(crate) use schedule::FiresteelSchedule;
pub(crate) use token::FiresteelToken;

/// Label: the cluster a pod or service belongs to.
pub(crate) const CLUSTER: &str = "firesteel.dev/cluster";
/// Label: `scheduler`, `executor` or `driver`.
pub(crate) const COMPONENT: &str = "firesteel.dev/component";
/// Label: the group of an executor.
pub(crate) const EXECUTOR_GROUP: &str = "firesteel.dev/group";
/// Label: the job a driver pod runs.
pub(crate) const JOB: &str = "firesteel.dev/job";
/// Label: the schedule a job comes from.
pub(crate) const SCHEDULE: &str = "firesteel.dev/schedule";
/// Label of a driver pod: the submission it is.
pub(crate) const SUBMISSION: &str = "firesteel.dev/submission";
/// Annotation of an executor pod: since when it drains, RFC 3339.
pub(crate) const DRAINING_SINCE: &str = "firesteel.dev/draining-since";
/// Annotation of a pod: a hash of what it was made from.
pub(crate) const MADE_FROM: &str = "firesteel.dev/made-from";
/// Annotation of a pod: a hash of what it was made from that cannot change in place.
pub(crate) const SHAPE: &str = "firesteel.dev/made-from-shape";
/// Annotation of an executor pod: what it was asked to become in place, and when.
pub(crate) const RESIZING: &str = "firesteel.dev/resizing";
/// Annotation of an executor pod: what it cannot become in place.
pub(crate) const RESIZE_REFUSED: &str = "firesteel.dev/resize-refused";
/// Annotation of a scheduler's pod: a hash of its tokens. A kubelet looks at a pod that changes at once, so that they are there soon.
pub(crate) const TOKENS_SEEN: &str = "firesteel.dev/tokens";
/// Annotation of a cluster: wakes it when the value changes while it hibernates.
pub(crate) const WAKE: &str = "firesteel.dev/wake";

/// An object of the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LocalRef {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub(crate) name: String,
}

/// A key of a ConfigMap of the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyRef {
    /// The ConfigMap.
    #[schemars(length(min = 1, max = 253))]
    pub(crate) name: String,
    /// The key.
    #[schemars(length(min = 1, max = 253))]
    pub(crate) key: String,
}

/// Where pods may run and what they may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Placement {
    /// Requests and limits of the container. Without a memory limit the process takes 70 % of the node's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resources: Option<ResourceRequirements>,
    /// Labels of the pods.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    #[x_kube(validation = Rule::new("!['app.kubernetes.io/managed-by', 'firesteel.dev/cluster', 'firesteel.dev/component', 'firesteel.dev/group', 'firesteel.dev/job', 'firesteel.dev/schedule', 'firesteel.dev/submission'].exists(key, key in self)").message("labels must not hold firesteel.dev/ keys of the operator or app.kubernetes.io/managed-by, by which pods are found"))]
    pub(crate) labels: std::collections::BTreeMap<String, String>,
    /// Annotations of the pods.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    #[x_kube(validation = Rule::new("!['firesteel.dev/draining-since', 'firesteel.dev/made-from', 'firesteel.dev/made-from-shape', 'firesteel.dev/resizing', 'firesteel.dev/resize-refused', 'firesteel.dev/tokens'].exists(key, key in self)").message("annotations must not hold firesteel.dev/ keys of the operator, by which it knows its pods"))]
    pub(crate) annotations: std::collections::BTreeMap<String, String>,
    /// Labels a node must have.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub(crate) node_selector: std::collections::BTreeMap<String, String>,
    /// Taints that are tolerated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tolerations: Vec<Toleration>,
    /// Priority class of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) priority_class_name: Option<String>,
}

/// When an image is pulled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum PullPolicy {
    /// At every start.
    Always,
    /// When the node does not have it.
    #[default]
    IfNotPresent,
    /// Never; the node must have it.
    Never,
}

impl PullPolicy {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// Sets a condition; the time changes only with the status.
pub(crate) fn set_condition(
    conditions: &mut Vec<Condition>,
    kind: &str,
    holds: Option<bool>,
    reason: &str,
    message: &str,
    generation: Option<i64>,
    now: Time,
) {
    let status = match holds {
        Some(true) => "True",
        Some(false) => "False",
        None => "Unknown",
    };
    let since = conditions
        .iter()
        .find(|condition| condition.type_ == kind && condition.status == status)
        .map_or(now, |condition| condition.last_transition_time.clone());
    let condition = Condition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.chars().take(1024).collect(),
        observed_generation: generation,
        last_transition_time: since,
    };
    match conditions.iter_mut().find(|condition| condition.type_ == kind) {
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
}

#[cfg(test)]
mod tests;
