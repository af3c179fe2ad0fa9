//! What `spec.driver` and `spec.executor` say of their pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, EnvFromSource, EnvVar, EnvVarSource, SecretKeySelector, SecretVolumeSource, Toleration,
    Volume, VolumeMount,
};
use serde::Deserialize;
use serde_json::Value;

use super::fields::{Fields, Refused};
use super::sizes;
use crate::api::Placement;
use crate::decide::pods::IMAGE_USER;

/// User and group of Spark's image.
const SPARK_USER: i64 = 185;

/// A driver or an executor.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) cores: i32,
    pub(super) placement: Placement,
    pub(super) env: Vec<EnvVar>,
    pub(super) env_from: Vec<EnvFromSource>,
    /// Volumes of its own, beside those of the application.
    pub(super) volumes: Vec<Volume>,
    pub(super) mounts: Vec<VolumeMount>,
    pub(super) image: Option<String>,
    pub(super) service_account: Option<String>,
    pub(super) user: Option<i64>,
    pub(super) group: Option<i64>,
}

impl Role {
    /// A pod of our own image has that image's user. 185 is that of Spark's image, so it says the same.
    pub(super) fn runs_our_image(&self, path: &str) -> Result<(), Refused> {
        for (key, id) in [("runAsUser", self.user), ("runAsGroup", self.group)] {
            if let Some(id) = id.filter(|id| ![SPARK_USER, IMAGE_USER].contains(id)) {
                let why = format!("{id} is not supported by Firesteel: its own image runs as {IMAGE_USER}");
                return Err(Refused(format!("{path}.securityContext.{key}: {why}")));
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct NamePath {
    name: String,
    path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretPath {
    name: String,
    path: String,
    secret_type: String,
}

#[derive(Deserialize)]
struct NameKey {
    name: String,
    key: String,
}

/// Reads a role; `selector` is the application's own.
pub(super) fn role(fields: &mut Fields, factor: f64, selector: &BTreeMap<String, String>) -> Result<Role, Refused> {
    let size = sizes::size(fields, factor)?;
    let own: BTreeMap<String, String> = fields.or_default("nodeSelector")?;
    if !own.is_empty() && !selector.is_empty() {
        return Err(fields.refuse("nodeSelector", "cannot be given together with spec.nodeSelector"));
    }
    let (user, group) = security(fields)?;
    let (volumes, mounts) = mounted(fields)?;
    Ok(Role {
        cores: size.cores,
        placement: Placement {
            resources: Some(size.resources),
            labels: labels(fields, "labels")?,
            annotations: labels(fields, "annotations")?,
            node_selector: if own.is_empty() { selector.clone() } else { own },
            tolerations: fields.or_default::<Vec<Toleration>>("tolerations")?,
            priority_class_name: fields.take("priorityClassName")?,
        },
        env: environment(fields)?,
        env_from: fields.or_default("envFrom")?,
        volumes,
        mounts,
        image: fields.take("image")?,
        service_account: fields.take("serviceAccount")?,
        user,
        group,
    })
}

fn labels(fields: &mut Fields, key: &str) -> Result<BTreeMap<String, String>, Refused> {
    let found: BTreeMap<String, String> = fields.or_default(key)?;
    match found.keys().find(|name| name.starts_with("firesteel.dev/") || *name == "app.kubernetes.io/managed-by") {
        Some(name) => Err(fields.refuse(key, &format!("{name} is the operator's own"))),
        None => Ok(found),
    }
}

fn environment(fields: &mut Fields) -> Result<Vec<EnvVar>, Refused> {
    let mut env: Vec<EnvVar> = Vec::new();
    for (name, value) in fields.or_default::<BTreeMap<String, String>>("envVars")? {
        env.push(EnvVar { name, value: Some(value), ..EnvVar::default() });
    }
    for (name, secret) in fields.or_default::<BTreeMap<String, NameKey>>("envSecretKeyRefs")? {
        let selector = SecretKeySelector { name: secret.name, key: secret.key, ..SecretKeySelector::default() };
        let source = EnvVarSource { secret_key_ref: Some(selector), ..EnvVarSource::default() };
        env.push(EnvVar { name, value_from: Some(source), ..EnvVar::default() });
    }
    for variable in fields.or_default::<Vec<EnvVar>>("env")? {
        env.retain(|known| known.name != variable.name);
        env.push(variable);
    }
    Ok(env)
}

/// Volumes for ConfigMaps and Secrets that are named with a path, and all mounts.
fn mounted(fields: &mut Fields) -> Result<(Vec<Volume>, Vec<VolumeMount>), Refused> {
    let mut volumes = Vec::new();
    let mut mounts: Vec<VolumeMount> = fields.or_default("volumeMounts")?;
    if let Some(mount) = mounts.iter().find(|mount| mount.name.starts_with("spark-local-dir-")) {
        let why = format!("{}: room for data that does not fit into memory is made by the operator", mount.name);
        return Err(fields.refuse("volumeMounts", &why));
    }
    let mut add = |name: String, path: String, volume: Volume| {
        mounts.push(VolumeMount { name: name.clone(), mount_path: path, ..VolumeMount::default() });
        volumes.push(Volume { name, ..volume });
    };
    for map in fields.or_default::<Vec<NamePath>>("configMaps")? {
        let source = ConfigMapVolumeSource { name: map.name.clone(), ..ConfigMapVolumeSource::default() };
        add(format!("{}-map", map.name), map.path, Volume { config_map: Some(source), ..Volume::default() });
    }
    for secret in fields.or_default::<Vec<SecretPath>>("secrets")? {
        if secret.secret_type != "Generic" {
            let why = format!(
                "secretType {} of {} is not supported by Firesteel: only Generic is",
                secret.secret_type, secret.name
            );
            return Err(fields.refuse("secrets", &why));
        }
        let source = SecretVolumeSource { secret_name: Some(secret.name.clone()), ..SecretVolumeSource::default() };
        add(format!("{}-secret", secret.name), secret.path, Volume { secret: Some(source), ..Volume::default() });
    }
    Ok((volumes, mounts))
}

/// User and group of a security context that asks for no more rights than our pods have anyway.
fn security(fields: &mut Fields) -> Result<(Option<i64>, Option<i64>), Refused> {
    let mut asked = fields.object("securityContext")?;
    let (user, group): (Option<i64>, Option<i64>) = (asked.take("runAsUser")?, asked.take("runAsGroup")?);
    let mut capabilities = asked.object("capabilities")?;
    let _dropped: Vec<String> = capabilities.or_default("drop")?;
    let profile: Option<Value> = asked.take("seccompProfile")?;
    let non_root: Option<bool> = asked.take("runAsNonRoot")?;
    let escalates: Option<bool> = asked.take("allowPrivilegeEscalation")?;
    let _read_only: Option<bool> = asked.take("readOnlyRootFilesystem")?;
    let mut more = Vec::new();
    capabilities.done(&mut more);
    asked.done(&mut more);
    let plain = profile.as_ref().is_none_or(|profile| profile.get("type").is_some_and(|kind| kind == "RuntimeDefault"));
    if !more.is_empty()
        || !plain
        || non_root == Some(false)
        || escalates == Some(true)
        || user == Some(0)
        || group == Some(0)
    {
        let why =
            "pods have no more rights than they need: no root, no added capabilities, the runtime's seccomp profile";
        return Err(fields.refuse("securityContext", why));
    }
    Ok((user, group))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<Role, Refused> {
        let selector = BTreeMap::from([("zone".to_owned(), "a".to_owned())]);
        role(&mut Fields::of("spec.driver", &value).unwrap(), 0.1, &selector)
    }

    #[test]
    fn what_is_said_twice_in_the_environment_counts_as_said_last() {
        let role = read(json!({
            "envVars": {"A": "old", "B": "b"}, "envSecretKeyRefs": {"C": {"name": "s", "key": "k"}},
            "env": [{"name": "A", "value": "new"}], "envFrom": [{"secretRef": {"name": "all"}}],
        }))
        .unwrap();
        let env = serde_json::to_value(&role.env).unwrap();
        let secret = json!({"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}});
        assert_eq!(env, json!([{"name": "B", "value": "b"}, secret, {"name": "A", "value": "new"}]));
        assert_eq!((role.env_from.len(), role.placement.node_selector["zone"].as_str()), (1, "a"));
    }

    #[test]
    fn maps_and_secrets_with_a_path_become_volumes() {
        let role = read(json!({
            "configMaps": [{"name": "jobs", "path": "/jobs"}], "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            "secrets": [{"name": "key", "path": "/key", "secretType": "Generic"}],
        }))
        .unwrap();
        let at: Vec<_> = role.mounts.iter().map(|mount| (mount.name.as_str(), mount.mount_path.as_str())).collect();
        assert_eq!(at, [("data", "/data"), ("jobs-map", "/jobs"), ("key-secret", "/key")]);
        assert_eq!(role.volumes.len(), 2);
    }

    #[test]
    fn a_context_that_takes_rights_away_is_fine_and_one_that_adds_some_is_not() {
        let fine = json!({"capabilities": {"drop": ["ALL"]}, "runAsUser": 185, "runAsGroup": 185, "runAsNonRoot": true,
                          "allowPrivilegeEscalation": false, "seccompProfile": {"type": "RuntimeDefault"}});
        let role = read(json!({"securityContext": fine})).unwrap();
        assert_eq!((role.user, role.group), (Some(185), Some(185)));
        // Spark's user says no more than that it is not root; another one is not that of our image.
        assert!(role.runs_our_image("spec.executor").is_ok());
        let other = read(json!({"securityContext": {"runAsUser": 1000}})).unwrap();
        let told = other.runs_our_image("spec.executor").unwrap_err().0;
        assert!(told.starts_with("spec.executor.securityContext.runAsUser: 1000 is not supported"), "{told}");
        for bad in [
            json!({"privileged": true}),
            json!({"capabilities": {"add": ["NET_ADMIN"]}}),
            json!({"runAsUser": 0}),
            json!({"runAsNonRoot": false}),
            json!({"allowPrivilegeEscalation": true}),
            json!({"seccompProfile": {"type": "Unconfined"}}),
        ] {
            let told = read(json!({"securityContext": bad})).unwrap_err().0;
            assert!(told.starts_with("spec.driver.securityContext: "), "{told}");
        }
    }

    #[test]
    fn what_cannot_be_had_is_told_by_its_field() {
        for (value, sentence) in [
            (json!({"nodeSelector": {"a": "b"}}), "spec.driver.nodeSelector: cannot be given together"),
            (json!({"labels": {"firesteel.dev/job": "x"}}), "spec.driver.labels: firesteel.dev/job"),
            (
                json!({"secrets": [{"name": "g", "path": "/g", "secretType": "GCPServiceAccount"}]}),
                "spec.driver.secrets: secretType",
            ),
            (
                json!({"volumeMounts": [{"name": "spark-local-dir-1", "mountPath": "/tmp"}]}),
                "spec.driver.volumeMounts: spark-local-dir-1",
            ),
            (json!({"env": "A=b"}), "spec.driver.env: invalid type"),
        ] {
            let told = read(value).unwrap_err().0;
            assert!(told.starts_with(sentence), "{told}");
        }
    }
}
