//! `FiresteelToken`: a token for the ports of a cluster, made here and kept in a Secret.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LocalRef;

/// A token: lets those in who can read its Secret. Deleting it shuts them out.
#[derive(Debug, Clone, PartialEq, CustomResource, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "firesteel.dev",
    version = "v1alpha1",
    kind = "FiresteelToken",
    plural = "firesteeltokens",
    shortname = "fst",
    category = "firesteel",
    namespaced,
    derive = "PartialEq",
    status = "TokenStatus",
    printcolumn(name = "Cluster", type_ = "string", json_path = ".spec.clusterRef.name"),
    printcolumn(name = "Role", type_ = "string", json_path = ".spec.role"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Secret", type_ = "string", json_path = ".spec.secretName"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.current.expiresAt"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Rotates", type_ = "string", json_path = ".status.nextRotationAt", priority = 1),
    validation = Rule::new("size(self.metadata.name) <= 63").message("metadata.name must be at most 63 characters, since it is shown as the owner of jobs"),
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FiresteelTokenSpec {
    /// The cluster, which needs `access.tokens`.
    #[x_kube(validation = Rule::new("self == oldSelf").message("spec.clusterRef cannot be changed; make another token"))]
    pub(crate) cluster_ref: LocalRef,
    /// What it lets do.
    pub(crate) role: Role,
    /// The Secret that is made for it, with the token under the key `token`.
    #[schemars(length(min = 1, max = 253), pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("spec.secretName cannot be changed; make another token"))]
    pub(crate) secret_name: String,
    /// Seconds from its creation until it is worth nothing, for ever when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 3153600000_i64))]
    pub(crate) ttl_seconds: Option<i64>,
    /// When another token takes its place in the Secret; never when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rotation: Option<Rotation>,
}

/// What a token lets do; each role lets do what those before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Look at the state of the cluster and its jobs.
    Viewer,
    /// Run queries and jobs, and cancel the own ones.
    User,
    /// Everything, jobs of others and executors included.
    Admin,
}

impl Role {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

/// When another token takes the place of the present one. A token that is not replaced in time ends all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(
    validation = Rule::new("self.overlapSeconds < self.everySeconds").message("rotation.overlapSeconds must be less than rotation.everySeconds")
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rotation {
    /// Seconds between one token and the next.
    #[schemars(range(min = 10, max = 31536000))]
    pub(crate) every_seconds: i64,
    /// Seconds the old token is good for beside the new one.
    #[serde(default = "hour")]
    #[schemars(range(min = 0, max = 31535999))]
    pub(crate) overlap_seconds: i64,
}

/// What is known of a token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TokenStatus {
    /// Pending, Active, Blocked or Expired.
    pub(crate) phase: String,
    /// Generation of the spec all this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) observed_generation: Option<i64>,
    /// Ready.
    pub(crate) conditions: Vec<Condition>,
    /// What the Secret holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<Minted>,
    /// What it held before, while that is still good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Minted>,
    /// When the next one takes its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_rotation_at: Option<Time>,
}

/// A token that was made. What it is, is in the Secret only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Minted {
    /// Its SHA-256 in hexadecimal digits.
    pub(crate) sha256: String,
    /// When it was made.
    pub(crate) minted_at: Time,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Time>,
}

fn hour() -> i64 {
    3600
}
