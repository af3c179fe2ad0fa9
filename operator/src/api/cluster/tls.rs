//! `spec.tls` of a cluster: what its ports for clients show of themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// TLS on the ports of Spark Connect and Flight SQL. REST stays as it is: the operator and probes use it within the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tls {
    /// A Secret of the type kubernetes.io/tls, such as cert-manager makes, for NAME.NAMESPACE.svc and every other name by which
    /// clients know the cluster. A renewed certificate is shown to new connections, and nothing is restarted. Scripts of jobs
    /// trust its ca.crt, where it has one.
    #[schemars(length(min = 1, max = 253))]
    pub(crate) secret_name: String,
}
