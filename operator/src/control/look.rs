//! What pods and objects look like to the decisions.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;

use super::Context;
use crate::api::{CLUSTER, COMPONENT, DRAINING_SINCE, EXECUTOR_GROUP, FiresteelCluster, FiresteelJob};
use crate::decide::access::{self, reviews::Reviews};
use crate::decide::cluster::SchedulerPod;
use crate::decide::job;
use crate::decide::pods::{made_from, scheduler_name};
use crate::decide::private;
use crate::decide::scale::{ExecutorPod, Member};
use crate::engine::{Door, Load, TokenReviews};

/// Pods of a cluster, by component.
pub(crate) fn pods(context: &Context, namespace: &str, cluster: &str, component: &str) -> Vec<Arc<Pod>> {
    let label = |pod: &Pod, key: &str, value: &str| pod.labels().get(key).is_some_and(|have| have == value);
    let mut pods: Vec<Arc<Pod>> = context
        .pods
        .state()
        .into_iter()
        .filter(|pod| pod.namespace().as_deref() == Some(namespace))
        .filter(|pod| label(pod, CLUSTER, cluster) && label(pod, COMPONENT, component))
        .collect();
    pods.sort_by_key(|pod| pod.name_any());
    pods
}

/// The door of a cluster's scheduler, while its pod is ready and, where it asks for a token, there is one.
pub(crate) fn door(context: &Context, namespace: &str, cluster: &str) -> Option<Door> {
    let name = scheduler_name(cluster);
    let pods = pods(context, namespace, cluster, "scheduler");
    let pod = pods.iter().find(|pod| pod.name_any() == name)?;
    if !is_ready(pod) || pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let token = if access::is_guarded(pod) {
        let guards = context.guards.lock();
        Some(pod.owner_references().iter().find_map(|owner| guards.get(&owner.uid)?.operator())?)
    } else {
        None
    };
    Some(Door { address: pod.status.as_ref()?.pod_ip.clone()?, token })
}

pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// Why a pod has ended, if it has.
pub(crate) fn ended(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    if !matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
        return None;
    }
    let state =
        status.container_statuses.iter().flatten().find_map(|container| container.state.as_ref()?.terminated.as_ref());
    Some(match (&status.reason, state) {
        (Some(reason), _) => format!("{reason}: {}", status.message.as_deref().unwrap_or("")),
        (None, Some(state)) => {
            format!("{} with exit code {}", state.reason.as_deref().unwrap_or("ended"), state.exit_code)
        }
        (None, None) => "ended".to_owned(),
    })
}

fn has_ended(pod: &Pod) -> bool {
    ended(pod).is_some()
}

/// Why a pod does not start.
fn problem(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let waiting = status.container_statuses.iter().flatten().find_map(|container| {
        let waiting = container.state.as_ref()?.waiting.as_ref()?;
        let reason =
            waiting.reason.as_deref().filter(|reason| !matches!(*reason, "ContainerCreating" | "PodInitializing"))?;
        Some(format!("{reason}: {}", waiting.message.as_deref().unwrap_or("")))
    });
    let unscheduled = || {
        let condition = status
            .conditions
            .iter()
            .flatten()
            .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")?;
        Some(format!(
            "{}: {}",
            condition.reason.as_deref().unwrap_or("Unschedulable"),
            condition.message.as_deref().unwrap_or("")
        ))
    };
    waiting.or_else(unscheduled)
}

/// The scheduler's pod; `expected` is what it would be made from now.
pub(crate) fn scheduler(pod: &Pod, expected: &str) -> SchedulerPod {
    SchedulerPod {
        name: pod.name_any(),
        ready: is_ready(pod),
        ended: has_ended(pod),
        going: pod.metadata.deletion_timestamp.is_some(),
        outdated: made_from(pod) != expected,
        problem: problem(pod),
    }
}

/// An executor's pod, with what the scheduler says of it; one that is outdated is to be replaced.
pub(crate) fn executor(pod: &Pod, outdated: bool, load: Option<&Load>) -> ExecutorPod {
    let ip = pod.status.as_ref().and_then(|status| status.pod_ip.as_deref());
    let gone = pod.metadata.deletion_timestamp.is_some() || has_ended(pod);
    let member = load.zip(ip).and_then(|(load, ip)| {
        // A pod whose process was started again may be known twice for a moment.
        let mut known = load.executors.iter().filter(|executor| executor.host == ip);
        let first = known.next()?;
        let busy = |executor: &crate::engine::Executor| executor.running_tasks > 0 || executor.holds_data;
        Some(Member { id: first.id.clone(), busy: busy(first) || known.any(busy), idle_seconds: first.idle_seconds })
    });
    let since =
        pod.annotations().get(DRAINING_SINCE).and_then(|text| text.parse::<k8s_openapi::jiff::Timestamp>().ok());
    ExecutorPod {
        name: pod.name_any(),
        group: pod.labels().get(EXECUTOR_GROUP).cloned().unwrap_or_default(),
        ready: is_ready(pod),
        gone,
        outdated,
        draining_since: since.map(|since| since.as_second()),
        member,
    }
}

/// A cluster as its jobs see it.
pub(crate) fn cluster(cluster: Option<&FiresteelCluster>) -> job::Cluster {
    let Some(cluster) = cluster.filter(|cluster| cluster.metadata.deletion_timestamp.is_none()) else {
        return job::Cluster::Missing;
    };
    match cluster.status.as_ref().map(|status| status.phase.as_str()) {
        Some("Hibernated" | "Hibernating") => job::Cluster::Asleep,
        // One that is about to be upgraded finishes what it has.
        Some("Ready") => job::Cluster::Ready,
        _ => job::Cluster::NotReady,
    }
}

/// What a cluster says is wrong with it.
pub(crate) fn trouble(cluster: &FiresteelCluster) -> Option<String> {
    let status = cluster.status.as_ref()?;
    let wrong = |condition: &&Condition| match condition.type_.as_str() {
        "Ready" => condition.status != "True" && condition.reason == "SchedulerFailing",
        "SpecInvalid" => condition.status == "True",
        _ => false,
    };
    let condition = status.conditions.iter().find(wrong)?;
    Some(format!("the cluster cannot start: {}", condition.message))
}

/// How reviews of tokens go.
pub(crate) fn reviews(reviews: &TokenReviews) -> Reviews {
    reviews.problem.clone().map_or(Reviews::Made, Reviews::Failing)
}

/// Jobs that need a cluster.
pub(crate) fn jobs_of(context: &Context, namespace: &str, cluster: &str) -> usize {
    let needs = |job: &FiresteelJob| {
        let phase = job.status.as_ref().map(|status| status.phase).unwrap_or_default();
        job.namespace().as_deref() == Some(namespace)
            && private::cluster_name(job) == cluster
            && job.metadata.deletion_timestamp.is_none()
            && !phase.is_final()
            && phase != crate::api::job::Phase::Suspended
            && !job.spec.suspend
    };
    context.jobs.state().iter().filter(|job| needs(job)).count()
}
