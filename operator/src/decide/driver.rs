//! The driver pod of a script: how it is made, and what its state says of the run.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, Container, EnvVar, KeyToPath, Pod, PodSpec, SecurityContext, Volume,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::job::{Outcome, Run};
use super::pods::{mount, pull_secrets, unprivileged};
use super::{access, tls};
use crate::api::cluster::tls::Tls;
use crate::api::job::PythonSource;
use crate::api::{CLUSTER, COMPONENT, JOB, SUBMISSION};

const SCRIPT: &str = "/opt/firesteel/script";

/// What a driver pod is for.
#[derive(Debug, Clone)]
pub(crate) struct Driver<'a> {
    pub(crate) job: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) cluster: &'a str,
    pub(crate) submission: &'a str,
    pub(crate) attempt: i32,
    pub(crate) owner: OwnerReference,
    pub(crate) source: &'a PythonSource,
    /// What the session begins with.
    pub(crate) conf: &'a BTreeMap<String, String>,
    /// The cluster asks for tokens.
    pub(crate) guarded: bool,
    /// The cluster speaks TLS.
    pub(crate) tls: Option<&'a Tls>,
    /// The Secret of its certificate says whom to trust.
    pub(crate) authority: bool,
}

/// The name of a driver pod. The first attempt has the plain one, which people type.
pub(crate) fn name(job: &str, attempt: i32) -> String {
    if attempt <= 1 { format!("{job}-driver") } else { format!("{job}-driver-{attempt}") }
}

/// The pod.
pub(crate) fn pod(driver: &Driver<'_>) -> Pod {
    let source = driver.source;
    let placement = &source.placement;
    let mut volumes = source.volumes.clone();
    let mut mounts = source.volume_mounts.clone();
    let script = match (&source.file, &source.config_map_key_ref) {
        (Some(file), _) => file.clone(),
        (None, Some(key)) => {
            volumes.push(Volume {
                name: "firesteel-script".into(),
                config_map: Some(ConfigMapVolumeSource {
                    name: key.name.clone(),
                    items: Some(vec![KeyToPath {
                        key: key.key.clone(),
                        path: "main.py".into(),
                        ..KeyToPath::default()
                    }]),
                    ..ConfigMapVolumeSource::default()
                }),
                ..Volume::default()
            });
            mounts.push(mount("firesteel-script", SCRIPT));
            format!("{SCRIPT}/main.py")
        }
        // The API server lets no such job in.
        (None, None) => String::new(),
    };
    let fixed = |name: &str, value: String| EnvVar { name: name.into(), value: Some(value), ..EnvVar::default() };
    let mut env: Vec<EnvVar> = driver.guarded.then(|| access::driver_token(driver.cluster)).into_iter().collect();
    let remote = tls::spark_connect(driver.cluster, driver.namespace, driver.tls);
    let parameters = match (driver.guarded, driver.tls) {
        (false, _) => "",
        (true, None) => access::DRIVER_HEADER,
        (true, Some(_)) => access::DRIVER_TOKEN,
    };
    if let Some(tls) = driver.tls.filter(|_| driver.authority) {
        let (variable, volume, mount) = tls::trust(&tls.secret_name);
        env.push(variable);
        volumes.push(volume);
        mounts.push(mount);
    }
    env.extend([
        fixed("SPARK_REMOTE", format!("{remote}{parameters}")),
        fixed("FIRESTEEL_JOB", driver.job.to_owned()),
        fixed("FIRESTEEL_ATTEMPT", driver.attempt.to_string()),
        // What is printed shall be seen while it runs.
        fixed("PYTHONUNBUFFERED", "1".into()),
    ]);
    if !driver.conf.is_empty() {
        // PySpark's own variables, by which `spark-submit --remote` hands over its configuration.
        env.push(fixed("PYSPARK_REMOTE_INIT_CONF_LEN", "1".into()));
        // Serialising a map of strings cannot fail. Kubernetes would put values in for references.
        let conf = serde_json::to_string(driver.conf).unwrap_or_default().replace("$(", "$$(");
        env.push(fixed("PYSPARK_REMOTE_INIT_CONF_0", conf));
    }
    env.extend(source.env.iter().cloned());
    let container = Container {
        name: source.container_name.clone(),
        image: Some(source.image.clone()),
        image_pull_policy: Some(source.image_pull_policy.as_str().into()),
        command: Some(vec!["python3".into()]),
        args: Some(std::iter::once(script).chain(source.args.iter().cloned()).collect()),
        env: Some(env),
        env_from: Some(source.env_from.clone()).filter(|all| !all.is_empty()),
        resources: placement.resources.clone(),
        volume_mounts: Some(mounts).filter(|all| !all.is_empty()),
        security_context: Some(SecurityContext {
            run_as_user: source.run_as_user,
            run_as_group: source.run_as_group,
            ..unprivileged()
        }),
        ..Container::default()
    };
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let mut labels = placement.labels.clone();
    labels.extend([
        label("app.kubernetes.io/managed-by", "firesteel-operator"),
        label(COMPONENT, "driver"),
        label(CLUSTER, driver.cluster),
        label(JOB, driver.job),
        label(SUBMISSION, driver.submission),
    ]);
    Pod {
        metadata: ObjectMeta {
            name: Some(name(driver.job, driver.attempt)),
            namespace: Some(driver.namespace.to_owned()),
            labels: Some(labels),
            annotations: Some(placement.annotations.clone()).filter(|all| !all.is_empty()),
            owner_references: Some(vec![driver.owner.clone()]),
            ..ObjectMeta::default()
        },
        spec: Some(PodSpec {
            containers: vec![container],
            volumes: Some(volumes).filter(|all| !all.is_empty()),
            restart_policy: Some("Never".into()),
            node_selector: Some(placement.node_selector.clone()).filter(|labels| !labels.is_empty()),
            tolerations: Some(placement.tolerations.clone()).filter(|all| !all.is_empty()),
            priority_class_name: placement.priority_class_name.clone(),
            image_pull_secrets: pull_secrets(&source.image_pull_secrets),
            service_account_name: source.service_account_name.clone(),
            automount_service_account_token: Some(source.service_account_name.is_some()),
            enable_service_links: Some(false),
            ..PodSpec::default()
        }),
        ..Pod::default()
    }
}

/// What a driver pod says of the run of a submission. A pod of the same name with another submission is not it.
pub(crate) fn run(pod: Option<&Pod>, submission: &str) -> Run {
    let Some(pod) = pod else { return Run::Missing };
    let of = pod.metadata.labels.as_ref().and_then(|labels| labels.get(SUBMISSION));
    if of.map(String::as_str) != Some(submission) {
        let message = "a pod of the driver's name exists that is not this job's; delete it".to_owned();
        return Run::Waiting { reason: "NameTaken".into(), message };
    }
    let status = pod.status.clone().unwrap_or_default();
    let disrupted = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "DisruptionTarget" && condition.status == "True");
    let state = status.container_statuses.iter().flatten().next().and_then(|container| container.state.clone());
    match status.phase.as_deref() {
        Some("Succeeded") => Run::Ended(Outcome::Succeeded),
        Some("Failed") => {
            let ended = state.and_then(|state| state.terminated);
            if let Some(condition) = disrupted {
                let reason = condition.reason.clone().unwrap_or_else(|| "Disrupted".into());
                let message = condition.message.clone().unwrap_or_else(|| "the driver pod was disrupted".into());
                return Run::Ended(Outcome::Infrastructure { reason, message });
            }
            match (status.reason, ended) {
                (Some(reason), _) => Run::Ended(Outcome::Infrastructure {
                    message: status.message.unwrap_or_else(|| format!("the driver pod failed: {reason}")),
                    reason,
                }),
                (None, Some(ended)) => {
                    let reason =
                        ended.reason.filter(|reason| reason != "Error").unwrap_or_else(|| "ScriptFailed".into());
                    let message = match ended.message.filter(|text| !text.trim().is_empty()) {
                        Some(text) => format!("the script ended with exit code {}: {text}", ended.exit_code),
                        None => format!(
                            "the script ended with exit code {}; see the log of the driver pod",
                            ended.exit_code
                        ),
                    };
                    Run::Ended(Outcome::Failed { reason, message })
                }
                (None, None) => Run::Ended(Outcome::Infrastructure {
                    reason: "DriverLost".into(),
                    message: "the driver pod failed without having run".into(),
                }),
            }
        }
        Some("Running") => Run::Running { instance: None, progress: None },
        _ => {
            let waiting = state.and_then(|state| state.waiting);
            let unscheduled = status
                .conditions
                .into_iter()
                .flatten()
                .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
            match (waiting, unscheduled) {
                (Some(waiting), _) => Run::Waiting {
                    reason: waiting.reason.unwrap_or_else(|| "ContainerWaiting".into()),
                    message: waiting.message.unwrap_or_default(),
                },
                (None, Some(condition)) => Run::Waiting {
                    reason: condition.reason.unwrap_or_else(|| "Unschedulable".into()),
                    message: condition.message.unwrap_or_default(),
                },
                (None, None) => Run::Waiting { reason: "DriverPending".into(), message: String::new() },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seen(status: serde_json::Value) -> Run {
        let pod = json!({"metadata": {"name": "j-driver", "labels": {SUBMISSION: "s-1"}}, "status": status});
        run(Some(&serde_json::from_value(pod).unwrap()), "s-1")
    }

    fn reason(run: Run) -> (&'static str, String) {
        match run {
            Run::Ended(Outcome::Failed { reason, .. }) => ("failed", reason),
            Run::Ended(Outcome::Infrastructure { reason, .. }) => ("infrastructure", reason),
            Run::Waiting { reason, .. } => ("waiting", reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn evictions_are_told_from_scripts_that_fail() {
        let exit = |code: i32, reason: &str| json!([{"name": "driver", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": code, "reason": reason}}}]);
        assert_eq!(
            reason(seen(json!({"phase": "Failed", "containerStatuses": exit(1, "Error")}))),
            ("failed", "ScriptFailed".into())
        );
        assert_eq!(
            reason(seen(json!({"phase": "Failed", "containerStatuses": exit(137, "OOMKilled")}))),
            ("failed", "OOMKilled".into())
        );
        assert_eq!(reason(seen(json!({"phase": "Failed", "reason": "Evicted"}))), ("infrastructure", "Evicted".into()));
        let target = json!([{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]);
        assert_eq!(
            reason(seen(json!({"phase": "Failed", "conditions": target, "containerStatuses": exit(137, "Error")}))),
            ("infrastructure", "PreemptionByScheduler".into())
        );
        assert_eq!(seen(json!({"phase": "Succeeded"})), Run::Ended(Outcome::Succeeded));
    }

    #[test]
    fn what_a_pod_waits_for_is_told() {
        let waiting = json!([{"name": "driver", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]);
        assert_eq!(
            reason(seen(json!({"phase": "Pending", "containerStatuses": waiting}))),
            ("waiting", "ImagePullBackOff".into())
        );
        let other = serde_json::from_value(json!({"metadata": {"name": "j-driver"}})).unwrap();
        assert_eq!(reason(run(Some(&other), "s-1")), ("waiting", "NameTaken".into()));
        assert_eq!(run(None, "s-1"), Run::Missing);
    }

    fn made(source: &PythonSource, conf: &BTreeMap<String, String>, guarded: bool) -> Pod {
        made_with(source, conf, guarded, None, false)
    }

    fn made_with(
        source: &PythonSource,
        conf: &BTreeMap<String, String>,
        guarded: bool,
        tls: Option<&Tls>,
        authority: bool,
    ) -> Pod {
        let owner = OwnerReference::default();
        let (job, namespace, cluster, submission, attempt) = ("j", "n", "c", "s-1", 1);
        pod(&Driver { job, namespace, cluster, submission, attempt, owner, source, conf, guarded, tls, authority })
    }

    #[test]
    fn a_pod_is_placed_and_labelled_as_said_and_found_by_our_labels() {
        let source = serde_json::from_value(json!({
            "image": "i", "file": "/a.py", "containerName": "spark", "runAsUser": 185, "nodeSelector": {"disk": "ssd"},
            "labels": {"team": "a", COMPONENT: "other"}, "annotations": {"b": "c"}, "priorityClassName": "high",
            "resources": {"requests": {"cpu": "1"}},
        }))
        .unwrap();
        let conf = BTreeMap::from([("spark.sql.session.timeZone".to_owned(), "$(UTC)".to_owned())]);
        let pod = serde_json::to_value(made(&source, &conf, false)).unwrap();
        let labels = &pod["metadata"]["labels"];
        assert_eq!((&labels["team"], &labels[COMPONENT]), (&json!("a"), &json!("driver")));
        assert_eq!(pod["metadata"]["annotations"], json!({"b": "c"}));
        assert_eq!(
            (&pod["spec"]["nodeSelector"], &pod["spec"]["priorityClassName"]),
            (&json!({"disk": "ssd"}), &json!("high"))
        );
        let container = &pod["spec"]["containers"][0];
        assert_eq!((&container["name"], &container["securityContext"]["runAsUser"]), (&json!("spark"), &json!(185)));
        assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
        assert_eq!(container["resources"]["requests"]["cpu"], "1");
        let env = container["env"].as_array().unwrap();
        let begins =
            json!({"name": "PYSPARK_REMOTE_INIT_CONF_0", "value": "{\"spark.sql.session.timeZone\":\"$$(UTC)\"}"});
        assert!(env.contains(&begins), "{env:?}");
    }

    #[test]
    fn a_script_brings_a_token_along_where_the_cluster_asks_for_one() {
        let source = serde_json::from_value(json!({"image": "i", "file": "/a.py"})).unwrap();
        let env = |guarded| made(&source, &BTreeMap::new(), guarded).spec.unwrap().containers.remove(0).env.unwrap();
        assert_eq!(env(false)[0].value.as_deref(), Some("sc://c.n.svc:15002"));
        // What refers to a variable comes after it.
        let env = env(true);
        let (token, remote) = (env[0].clone(), env[1].clone());
        let key = token.value_from.unwrap().secret_key_ref.unwrap();
        assert_eq!(
            (token.name.as_str(), key.name.as_str(), key.key.as_str()),
            ("FIRESTEEL_TOKEN", "c-driver-token", "token")
        );
        assert!(remote.value.unwrap().ends_with("=Bearer%20$(FIRESTEEL_TOKEN)"));
    }

    #[test]
    fn a_script_speaks_tls_and_knows_whom_to_trust_where_the_secret_says_so() {
        let source = serde_json::from_value(json!({
            "image": "i", "file": "/a.py", "env": [{"name": "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "value": "/mine"}],
        }))
        .unwrap();
        let tls = Tls { secret_name: "cert".into() };
        let made = |guarded, authority| {
            let pod = made_with(&source, &BTreeMap::new(), guarded, Some(&tls), authority);
            serde_json::to_value(pod.spec.unwrap()).unwrap()
        };
        let values = |pod: &serde_json::Value, name: &str| -> Vec<String> {
            let env = pod["containers"][0]["env"].as_array().unwrap();
            let named = env.iter().filter(|variable| variable["name"] == name);
            named.map(|variable| variable["value"].as_str().unwrap().to_owned()).collect()
        };
        let open = made(false, false);
        assert_eq!(values(&open, "SPARK_REMOTE"), ["sc://c.n.svc:15002/;use_ssl=true"]);
        assert_eq!(
            (values(&open, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"), &open["volumes"]),
            (vec!["/mine".into()], &json!(null))
        );
        let guarded = made(true, true);
        assert_eq!(values(&guarded, "SPARK_REMOTE"), ["sc://c.n.svc:15002/;use_ssl=true;token=$(FIRESTEEL_TOKEN)"]);
        // Of two of a name Kubernetes takes the last one, which is the user's.
        assert_eq!(values(&guarded, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"), ["/etc/firesteel/authority/ca.crt", "/mine"]);
        let secret = &guarded["volumes"][0]["secret"];
        assert_eq!(
            (&secret["secretName"], &secret["items"]),
            (&json!("cert"), &json!([{"key": "ca.crt", "path": "ca.crt"}]))
        );
    }
}
