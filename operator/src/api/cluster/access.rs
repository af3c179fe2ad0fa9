//! Who may come in by the ports of a cluster.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may come in by the ports for clients. Executors reach the scheduler without tokens: restrict who reaches port 50050.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.kubernetes) || self.tokens").message("access.kubernetes is only used with access.tokens"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Access {
    /// Only who has a token, which a FiresteelToken makes.
    #[serde(default)]
    pub(crate) tokens: bool,
    /// Beside them, who has a token that the API server accepts, and one of the verbs view, query and admin on this cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kubernetes: Option<Kubernetes>,
}

/// Callers that Kubernetes knows, such as ServiceAccounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kubernetes {
    /// Audiences one of which their tokens must be for; the API server's own where there are none. A token for another audience
    /// is worth nothing to the API server, so that nobody who gets hold of it here can use it there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 256)))]
    pub(crate) audiences: Vec<String>,
}
