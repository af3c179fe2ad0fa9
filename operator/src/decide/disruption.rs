//! How many pods of a cluster may be taken by those who empty nodes, as disruption budgets.
//!
//! A cluster that rests hinders nobody. While it works, its scheduler stays, since queries die with it, and executors are
//! taken one at a time, since what they held is made again. The budgets say whole numbers of pods that stay, the only
//! form Kubernetes knows for pods without a controller.

use std::collections::BTreeMap;

use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::cluster::Load;
use super::pods::Named;
use super::scale::ExecutorPod;
use crate::api::{CLUSTER, COMPONENT};

/// Pods that stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stay {
    pub(crate) scheduler: i32,
    pub(crate) executors: i32,
}

/// What has to stay; `None` while the scheduler does not say whether it works, so that what was said stays true.
pub(crate) fn stay(asleep: bool, load: Option<&Load>, executors: &[ExecutorPod]) -> Option<Stay> {
    if asleep {
        return Some(Stay::default());
    }
    if load?.queries == 0 {
        return Some(Stay::default());
    }
    let ready = executors.iter().filter(|pod| pod.ready && !pod.gone).count();
    Some(Stay { scheduler: 1, executors: i32::try_from(ready).unwrap_or(i32::MAX).saturating_sub(1).max(0) })
}

/// The budgets, one a component.
pub(crate) fn budgets(cluster: &Named<'_>, stay: Stay) -> [PodDisruptionBudget; 2] {
    [("scheduler", stay.scheduler), ("executor", stay.executors)].map(|(component, pods)| {
        let labels = BTreeMap::from([
            (CLUSTER.to_owned(), cluster.name.to_owned()),
            (COMPONENT.to_owned(), component.to_owned()),
        ]);
        PodDisruptionBudget {
            metadata: ObjectMeta {
                name: Some(format!("{}-{component}", cluster.name)),
                namespace: Some(cluster.namespace.to_owned()),
                labels: Some(labels.clone()),
                owner_references: Some(vec![cluster.owner.clone()]),
                ..ObjectMeta::default()
            },
            spec: Some(PodDisruptionBudgetSpec {
                min_available: Some(IntOrString::Int(pods)),
                selector: Some(LabelSelector { match_labels: Some(labels), ..LabelSelector::default() }),
                // A pod that is not ready does no work that could be lost.
                unhealthy_pod_eviction_policy: Some("AlwaysAllow".into()),
                ..PodDisruptionBudgetSpec::default()
            }),
            ..PodDisruptionBudget::default()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
    use serde_json::json;

    fn executors(ready: usize, gone: usize) -> Vec<ExecutorPod> {
        let pod = |ready, gone| ExecutorPod {
            name: "p".into(),
            group: "a".into(),
            ready,
            gone,
            outdated: false,
            draining_since: None,
            member: None,
        };
        std::iter::repeat_n(pod(true, false), ready).chain(std::iter::repeat_n(pod(true, true), gone)).collect()
    }

    fn load(queries: i64) -> Load {
        Load { queries, ..Load::default() }
    }

    #[test]
    fn a_working_cluster_keeps_its_scheduler_and_all_executors_but_one() {
        let stays = |queries, ready| stay(false, Some(&load(queries)), &executors(ready, 1));
        assert_eq!(stays(1, 3), Some(Stay { scheduler: 1, executors: 2 }));
        assert_eq!(stays(1, 0), Some(Stay { scheduler: 1, executors: 0 }));
        assert_eq!(stays(0, 3), Some(Stay::default()));
        assert_eq!(stay(true, Some(&load(1)), &executors(3, 0)), Some(Stay::default()));
        assert_eq!(stay(false, None, &executors(3, 0)), None);
    }

    #[test]
    fn budgets_choose_the_pods_of_one_component_of_one_cluster() {
        let spec = serde_json::from_value(json!({
            "image": "i", "warehouse": "s3a://b/w", "allowUnauthenticated": true, "executorGroups": [{"name": "a", "max": 2}],
        }))
        .unwrap();
        let named = Named { name: "c", namespace: "n", owner: OwnerReference::default(), spec: &spec };
        let made = serde_json::to_value(budgets(&named, Stay { scheduler: 1, executors: 4 })).unwrap();
        assert_eq!(made[0]["spec"]["minAvailable"], 1);
        assert_eq!(made[1]["spec"]["minAvailable"], 4);
        assert_eq!(made[1]["metadata"]["name"], "c-executor");
        assert_eq!(made[1]["spec"]["selector"]["matchLabels"], json!({CLUSTER: "c", COMPONENT: "executor"}));
    }
}
