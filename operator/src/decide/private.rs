//! The cluster of a job: one that is named, or one of its own.
//!
//! The name of a private cluster is made from the job's uid, so that whoever decides comes to the same one, and a job that
//! takes the name of a deleted one never meets what is left of it.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{Resource, ResourceExt};
use sha2::{Digest, Sha256};

use crate::api::{FiresteelCluster, FiresteelJob, JOB};

/// What a name of a cluster may have beside the digest: 40 characters in all.
const READABLE: usize = 31;

/// The name of the cluster a job runs on.
pub(crate) fn cluster_name(job: &FiresteelJob) -> String {
    match &job.spec.cluster_ref {
        Some(named) => named.name.clone(),
        None => private_name(&job.name_any(), job.metadata.uid.as_deref().unwrap_or_default()),
    }
}

/// Whether the job's cluster is its own.
pub(crate) fn is_private(job: &FiresteelJob) -> bool {
    job.spec.cluster_template.is_some()
}

/// Whether a cluster belongs to a job.
pub(crate) fn belongs(cluster: &FiresteelCluster, job: &FiresteelJob) -> bool {
    job.metadata.uid.is_some()
        && cluster.owner_references().iter().any(|owner| Some(&owner.uid) == job.meta().uid.as_ref())
}

fn private_name(job: &str, uid: &str) -> String {
    let digest: String = Sha256::digest(uid.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    // Names of jobs may have dots and begin with a digit; names of services may not.
    let plain: String = job.chars().map(|letter| if letter == '.' { '-' } else { letter }).collect();
    let letter = plain.starts_with(|first: char| first.is_ascii_lowercase());
    let readable: String = if letter { plain } else { format!("j{plain}") }.chars().take(READABLE).collect();
    format!("{}-{digest}", readable.trim_end_matches('-'))
}

/// The private cluster of a job, as it is made; `None` for a job that names one.
pub(crate) fn cluster(job: &FiresteelJob, owner: OwnerReference) -> Option<FiresteelCluster> {
    let template = job.spec.cluster_template.as_deref()?;
    let metadata = ObjectMeta {
        name: Some(cluster_name(job)),
        namespace: job.namespace(),
        labels: Some(BTreeMap::from([
            ("app.kubernetes.io/managed-by".to_owned(), "firesteel-operator".to_owned()),
            (JOB.to_owned(), job.name_any()),
        ])),
        owner_references: Some(vec![owner]),
        ..ObjectMeta::default()
    };
    Some(FiresteelCluster { metadata, spec: template.spec.clone(), status: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(name: &str, uid: &str, cluster: serde_json::Value) -> FiresteelJob {
        let mut spec = json!({"sql": {"text": "SELECT 1"}});
        spec.as_object_mut().unwrap().extend(cluster.as_object().unwrap().clone());
        let object = json!({
            "apiVersion": "firesteel.dev/v1alpha1", "kind": "FiresteelJob",
            "metadata": {"name": name, "namespace": "n", "uid": uid}, "spec": spec,
        });
        serde_json::from_value(object).unwrap()
    }

    fn private(name: &str, uid: &str) -> FiresteelJob {
        let spec = json!({
            "image": "i", "warehouse": "/w", "allowUnauthenticated": true,
            "executorGroups": [{"name": "a", "max": 1, "taskSlots": 1}],
        });
        job(name, uid, json!({"clusterTemplate": {"spec": spec}}))
    }

    #[test]
    fn a_named_cluster_is_the_one_that_is_named() {
        let job = job("j", "u", json!({"clusterRef": {"name": "c"}}));
        assert_eq!((cluster_name(&job).as_str(), is_private(&job)), ("c", false));
        assert!(cluster(&job, OwnerReference::default()).is_none());
    }

    #[test]
    fn every_name_of_a_private_cluster_is_a_name_of_a_service_and_of_one_job_only() {
        let long = "a-job-with-a-name-of-fifty-two-characters-in-the-end";
        for name in ["etl", "9-to-5", "a.b.c", long, "thirty-one-characters-and-then--x"] {
            let made = cluster_name(&private(name, "u-1"));
            assert!(made.len() <= 40, "{made}");
            assert!(made.starts_with(|first: char| first.is_ascii_lowercase()), "{made}");
            assert!(made.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-'), "{made}");
            assert_eq!(made, cluster_name(&private(name, "u-1")));
            assert_ne!(made, cluster_name(&private(name, "u-2")));
        }
        assert_ne!(cluster_name(&private("a.b", "u-1")), cluster_name(&private("a-b", "u-2")));
    }

    #[test]
    fn a_private_cluster_belongs_to_its_job() {
        let job = private("etl", "u-1");
        let owner = OwnerReference { uid: "u-1".into(), ..OwnerReference::default() };
        let made = cluster(&job, owner).unwrap();
        assert_eq!(made.metadata.name, Some(cluster_name(&job)));
        assert_eq!(made.spec.image, "i");
        assert!(belongs(&made, &job) && !belongs(&made, &private("etl", "u-2")));
    }
}
