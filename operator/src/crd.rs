//! The custom resource definitions, as documents for `kubectl apply`.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

use crate::api::{FiresteelCluster, FiresteelJob, FiresteelSchedule, FiresteelToken};

/// All definitions.
pub(crate) fn all() -> [CustomResourceDefinition; 4] {
    [FiresteelCluster::crd(), FiresteelJob::crd(), FiresteelSchedule::crd(), FiresteelToken::crd()]
}

/// All definitions as YAML.
///
/// # Errors
/// When one cannot be written as YAML.
pub(crate) fn yaml() -> anyhow::Result<String> {
    let mut text = String::from("# Made by `firesteel crd`; do not edit.\n");
    for definition in all() {
        text.push_str("---\n");
        text.push_str(&serde_saphyr::to_string(&definition)?);
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    Ok(text)
}
