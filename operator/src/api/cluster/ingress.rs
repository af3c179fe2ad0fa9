//! `spec.ingress` of a cluster: one of its ports at a host name, by whatever ingress controller there is.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An Ingress object of the cluster's name, which belongs to the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("self.service == 'Rest' || self.path == '/'").message("ingress.path must be / for SparkConnect and FlightSql, since gRPC has paths of its own"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ingress {
    /// Host name.
    #[schemars(
        length(min = 1, max = 253),
        pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub(crate) host: String,
    /// What is behind it. SparkConnect and FlightSql are gRPC, which most ingress controllers have to be told by an annotation.
    #[serde(default)]
    pub(crate) service: Exposed,
    /// Path, passed on as it is: a path other than / needs an annotation that has the ingress controller take it away.
    #[serde(default = "root")]
    #[schemars(length(min = 1, max = 256), pattern("^/"))]
    pub(crate) path: String,
    /// The IngressClass; the default one when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub(crate) class_name: Option<String>,
    /// Annotations for the ingress controller.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
    /// A Secret with a certificate for the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub(crate) tls_secret_name: Option<String>,
}

/// A port of a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Exposed {
    /// REST and the web page.
    #[default]
    Rest,
    /// Spark Connect.
    SparkConnect,
    /// Flight SQL.
    FlightSql,
}

fn root() -> String {
    "/".into()
}
