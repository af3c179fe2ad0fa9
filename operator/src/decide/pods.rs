//! The pods and the service of a cluster, as Kubernetes is asked for them.

mod made;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, EmptyDirVolumeSource, EnvVar, EnvVarSource, HTTPGetAction,
    LocalObjectReference, ObjectFieldSelector, PersistentVolumeClaimVolumeSource, Pod, PodSecurityContext, PodSpec,
    Probe, SeccompProfile, SecurityContext, Service, ServicePort, ServiceSpec, TCPSocketAction, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

pub(crate) use made::{made, made_from};

use super::{access, tls};
use crate::api::cluster::{ExecutorGroup, FiresteelClusterSpec};
use crate::api::{CLUSTER, COMPONENT, EXECUTOR_GROUP, LocalRef, Placement};

/// Spark Connect.
pub(crate) const CONNECT_PORT: i32 = 15002;
/// Flight SQL.
pub(crate) const FLIGHT_PORT: i32 = 32010;
/// REST, health, metrics and the web page.
pub(crate) const REST_PORT: i32 = 8080;
/// Executors to the scheduler.
const CLUSTER_PORT: i32 = 50050;
const DATA_PORT: i32 = 50051;
const TASK_PORT: i32 = 50052;
/// User and group of the image.
pub(crate) const IMAGE_USER: i64 = 65532;
const SCRATCH: &str = "/var/lib/firesteel/scratch";
const STATE: &str = "/var/lib/firesteel/state";

/// A cluster by name, with whom its objects belong to.
#[derive(Debug, Clone)]
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) owner: OwnerReference,
    pub(crate) spec: &'a FiresteelClusterSpec,
}

/// The name under which pods of the cluster's Kubernetes reach a cluster.
pub(crate) fn host(cluster: &str, namespace: &str) -> String {
    format!("{cluster}.{namespace}.svc")
}

/// The scheduler's pod.
pub(crate) fn scheduler_name(cluster: &str) -> String {
    format!("{cluster}-scheduler")
}

/// Tasks at once of an executor: as said, or the whole cores it requests.
pub(crate) fn slots(group: &ExecutorGroup) -> i32 {
    let requested = || {
        let resources = group.placement.resources.as_ref()?;
        cores(&resources.requests.as_ref()?.get("cpu")?.0)
    };
    group.task_slots.or_else(requested).unwrap_or(1).max(1)
}

/// Whole cores of a quantity of CPU, rounded down.
fn cores(quantity: &str) -> Option<i32> {
    let (digits, scale) = match quantity.strip_suffix('m') {
        Some(digits) => (digits, 0.001),
        None => (quantity, 1.0),
    };
    let value = digits.trim().parse::<f64>().ok()? * scale;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (0.0..=4096.0).contains(&value).then_some(value as i32)
}

/// The service in front of the scheduler.
pub(crate) fn service(cluster: &Named<'_>) -> Service {
    let port = |name: &str, port: i32| ServicePort {
        name: Some(name.to_owned()),
        port,
        target_port: Some(IntOrString::Int(port)),
        ..ServicePort::default()
    };
    Service {
        metadata: ObjectMeta {
            name: Some(cluster.name.to_owned()),
            namespace: Some(cluster.namespace.to_owned()),
            labels: Some(labels(cluster.name, "scheduler")),
            owner_references: Some(vec![cluster.owner.clone()]),
            ..ObjectMeta::default()
        },
        spec: Some(ServiceSpec {
            selector: Some(labels(cluster.name, "scheduler")),
            ports: Some(vec![
                port("spark-connect", CONNECT_PORT),
                port("flight-sql", FLIGHT_PORT),
                port("rest", REST_PORT),
                port("cluster", CLUSTER_PORT),
            ]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

/// The scheduler's pod. What it keeps outlives its container, and the pod itself with a claim.
pub(crate) fn scheduler(cluster: &Named<'_>) -> Pod {
    let spec = cluster.spec;
    let state = match &spec.scheduler.state_volume_claim {
        Some(claim) => Volume {
            name: "state".into(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: claim.name.clone(),
                ..PersistentVolumeClaimVolumeSource::default()
            }),
            ..Volume::default()
        },
        None => empty("state"),
    };
    let args = [
        "scheduler",
        "--bind",
        "0.0.0.0",
        "--insecure",
        "--external-host",
        "$(FIRESTEEL_POD_IP)",
        "--warehouse",
        &spec.warehouse,
        "--state-dir",
        STATE,
        "--spill-dir",
        SCRATCH,
        // A job waits until there are executors, however long Kubernetes takes to find a place for them.
        "--executor-wait",
        "86400",
    ];
    let mut container = Container {
        name: "scheduler".into(),
        args: Some(args.map(str::to_owned).to_vec()),
        ports: Some(vec![
            port("spark-connect", CONNECT_PORT),
            port("flight-sql", FLIGHT_PORT),
            port("rest", REST_PORT),
            port("cluster", CLUSTER_PORT),
        ]),
        readiness_probe: Some(Probe { period_seconds: Some(2), ..get("/readyz") }),
        liveness_probe: Some(Probe {
            period_seconds: Some(10),
            timeout_seconds: Some(5),
            failure_threshold: Some(6),
            initial_delay_seconds: Some(30),
            ..get("/healthz")
        }),
        ..container(spec, &spec.scheduler.placement, vec![mount("state", STATE)])
    };
    let mut volumes = vec![state];
    if spec.access.tokens {
        access::guard(cluster.name, &mut container, &mut volumes);
        access::reviews::guard(cluster, &mut container, &mut volumes);
    }
    tls::guard(spec.tls.as_ref(), &mut container, &mut volumes);
    pod(
        cluster,
        scheduler_name(cluster.name),
        labels(cluster.name, "scheduler"),
        &spec.scheduler.placement,
        container,
        PodShape { restart: "Always", grace_seconds: 45, volumes },
    )
}

/// The pod of an executor; it is never restarted, since the operator makes another one where one is needed.
pub(crate) fn executor(cluster: &Named<'_>, group: &ExecutorGroup, index: usize) -> Pod {
    let args = [
        "executor".to_owned(),
        "--scheduler".into(),
        format!("{}:{CLUSTER_PORT}", host(cluster.name, cluster.namespace)),
        "--bind".into(),
        "0.0.0.0".into(),
        "--insecure".into(),
        "--external-host".into(),
        "$(FIRESTEEL_POD_IP)".into(),
        "--data-port".into(),
        DATA_PORT.to_string(),
        "--task-port".into(),
        TASK_PORT.to_string(),
        "--cores".into(),
        slots(group).to_string(),
        "--work-dir".into(),
        SCRATCH.into(),
    ];
    let probe = Probe {
        tcp_socket: Some(TCPSocketAction { port: IntOrString::Int(DATA_PORT), ..TCPSocketAction::default() }),
        period_seconds: Some(2),
        ..Probe::default()
    };
    let container = Container {
        name: "executor".into(),
        args: Some(args.to_vec()),
        ports: Some(vec![port("data", DATA_PORT), port("task", TASK_PORT)]),
        readiness_probe: Some(probe),
        ..container(cluster.spec, &group.placement, Vec::new())
    };
    let mut labels = labels(cluster.name, "executor");
    labels.insert(EXECUTOR_GROUP.into(), group.name.clone());
    let name = format!("{}-{}-{index}", cluster.name, group.name);
    pod(
        cluster,
        name,
        labels,
        &group.placement,
        container,
        PodShape { restart: "Never", grace_seconds: 60, volumes: Vec::new() },
    )
}

struct PodShape {
    restart: &'static str,
    grace_seconds: i64,
    volumes: Vec<Volume>,
}

fn pod(
    cluster: &Named<'_>,
    name: String,
    labels: BTreeMap<String, String>,
    placement: &Placement,
    container: Container,
    shape: PodShape,
) -> Pod {
    let spec = cluster.spec;
    let mut volumes = vec![empty("scratch")];
    volumes.extend(shape.volumes);
    volumes.extend(spec.volumes.iter().cloned());
    let mut all = placement.labels.clone();
    all.extend(labels);
    let spec = PodSpec {
        containers: vec![container],
        service_account_name: spec.service_account_name.clone(),
        volumes: Some(volumes),
        restart_policy: Some(shape.restart.into()),
        termination_grace_period_seconds: Some(shape.grace_seconds),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        image_pull_secrets: pull_secrets(&spec.image_pull_secrets),
        node_selector: Some(placement.node_selector.clone()).filter(|labels| !labels.is_empty()),
        tolerations: Some(placement.tolerations.clone()).filter(|all| !all.is_empty()),
        priority_class_name: placement.priority_class_name.clone(),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(IMAGE_USER),
            fs_group: Some(IMAGE_USER),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), ..SeccompProfile::default() }),
            ..PodSecurityContext::default()
        }),
        ..PodSpec::default()
    };
    let mut annotations = placement.annotations.clone();
    annotations.extend(made::annotations(&spec, placement));
    Pod {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: Some(cluster.namespace.to_owned()),
            labels: Some(all),
            annotations: Some(annotations),
            owner_references: Some(vec![cluster.owner.clone()]),
            ..ObjectMeta::default()
        },
        spec: Some(spec),
        ..Pod::default()
    }
}

fn container(spec: &FiresteelClusterSpec, placement: &Placement, mounts: Vec<VolumeMount>) -> Container {
    let mut env = vec![
        EnvVar {
            name: "FIRESTEEL_POD_IP".into(),
            value_from: Some(EnvVarSource {
                field_ref: Some(ObjectFieldSelector {
                    field_path: "status.podIP".into(),
                    ..ObjectFieldSelector::default()
                }),
                ..EnvVarSource::default()
            }),
            ..EnvVar::default()
        },
        EnvVar { name: "TMPDIR".into(), value: Some(SCRATCH.into()), ..EnvVar::default() },
    ];
    env.extend(spec.env.iter().cloned());
    let mut all = vec![mount("scratch", SCRATCH)];
    all.extend(mounts);
    all.extend(spec.volume_mounts.iter().cloned());
    Container {
        image: Some(spec.image.clone()),
        image_pull_policy: Some(spec.image_pull_policy.as_str().into()),
        env: Some(env),
        env_from: Some(spec.env_from.clone()).filter(|all| !all.is_empty()),
        resources: placement.resources.clone(),
        volume_mounts: Some(all),
        security_context: Some(SecurityContext { read_only_root_filesystem: Some(true), ..unprivileged() }),
        ..Container::default()
    }
}

/// No rights beyond those of an ordinary process.
pub(crate) fn unprivileged() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), ..Capabilities::default() }),
        ..SecurityContext::default()
    }
}

pub(crate) fn pull_secrets(secrets: &[LocalRef]) -> Option<Vec<LocalObjectReference>> {
    let named = secrets.iter().map(|secret| LocalObjectReference { name: secret.name.clone() }).collect();
    Some(named).filter(|all: &Vec<LocalObjectReference>| !all.is_empty())
}

pub(crate) fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { name: name.into(), mount_path: path.into(), ..VolumeMount::default() }
}

fn labels(cluster: &str, component: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("app.kubernetes.io/name".to_owned(), "firesteel".to_owned()),
        ("app.kubernetes.io/managed-by".to_owned(), "firesteel-operator".to_owned()),
        (CLUSTER.to_owned(), cluster.to_owned()),
        (COMPONENT.to_owned(), component.to_owned()),
    ])
}

fn empty(name: &str) -> Volume {
    Volume { name: name.into(), empty_dir: Some(EmptyDirVolumeSource::default()), ..Volume::default() }
}

fn port(name: &str, port: i32) -> ContainerPort {
    ContainerPort { name: Some(name.into()), container_port: port, ..ContainerPort::default() }
}

fn get(path: &str) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.into()),
            port: IntOrString::Int(REST_PORT),
            ..HTTPGetAction::default()
        }),
        ..Probe::default()
    }
}

#[cfg(test)]
mod tests;
