//! The private cluster of an application, from the sizes of its driver and executors.
//!
//! Spark's driver is two pods here: the script, and the scheduler, which plans and hands out results. Either gets what the
//! driver was to have. The image is ours: what is in the application's own image is there for the script only.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EnvVar, Volume, VolumeMount};
use serde::Deserialize;
use serde_json::json;

use super::Settings;
use super::conf::Conf;
use super::fields::{Fields, Refused};
use super::role::Role;
use crate::api::cluster::{ExecutorGroup, FiresteelClusterSpec};
use crate::api::{LocalRef, Placement};

/// Executors: as many as are said, or by the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) min: i32,
    pub(super) max: i32,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Dynamic {
    #[serde(default)]
    enabled: bool,
    initial_executors: Option<i32>,
    min_executors: Option<i32>,
    max_executors: Option<i32>,
    shuffle_tracking_enabled: Option<bool>,
}

/// How many executors there are.
pub(super) fn count(
    instances: Option<i32>,
    fields: &mut Fields,
    conf: &BTreeMap<String, String>,
) -> Result<Count, Refused> {
    let (dynamic, name) = match fields.take::<Dynamic>("dynamicAllocation")? {
        Some(_) if !conf.is_empty() => {
            let why = "cannot be given together with spark.dynamicAllocation settings in spec.sparkConf";
            return Err(fields.refuse("dynamicAllocation", why));
        }
        Some(said) => (said, fields.name("dynamicAllocation")),
        None => (by_conf(conf)?, "spec.sparkConf.spark.dynamicAllocation".to_owned()),
    };
    let refuse = |key: &str, why: &str| Err(Refused(format!("{name}.{key}: {why}")));
    if !dynamic.enabled {
        let instances = instances.unwrap_or(1);
        return Ok(Count { min: instances, max: instances });
    }
    let min = dynamic.min_executors.unwrap_or(0);
    let Some(max) = dynamic.max_executors else {
        return refuse("maxExecutors", "is needed, since there is no end to the number of executors without it");
    };
    if min < 0 || max < 1 || min > max || max > 1000 {
        return refuse("maxExecutors", "must be from 1 to 1000 and not less than minExecutors");
    }
    if dynamic.initial_executors.or(instances).is_some_and(|initial| initial > min) {
        return refuse(
            "initialExecutors",
            "not supported by Firesteel beyond minExecutors: their number follows the load from the beginning",
        );
    }
    if dynamic.shuffle_tracking_enabled == Some(false) {
        return refuse(
            "shuffleTrackingEnabled",
            "not supported by Firesteel: executors that hold data which is needed are never removed",
        );
    }
    Ok(Count { min, max })
}

fn by_conf(conf: &BTreeMap<String, String>) -> Result<Dynamic, Refused> {
    let mut said = Dynamic::default();
    for (key, value) in conf {
        let refuse = |why: &str| Refused(format!("spec.sparkConf.spark.dynamicAllocation.{key}: {why}"));
        let number = || value.parse::<i32>().map(Some).map_err(|_| refuse("must be a number"));
        let truth = || value.parse::<bool>().map_err(|_| refuse("must be true or false"));
        match key.as_str() {
            "enabled" => said.enabled = truth()?,
            "initialExecutors" => said.initial_executors = number()?,
            "minExecutors" => said.min_executors = number()?,
            "maxExecutors" => said.max_executors = number()?,
            "shuffleTracking.enabled" => said.shuffle_tracking_enabled = Some(truth()?),
            _ => return Err(refuse("not supported by Firesteel")),
        }
    }
    Ok(said)
}

/// What a cluster is made from.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) name: &'a str,
    pub(super) driver: &'a Role,
    pub(super) executor: &'a Role,
    pub(super) count: Count,
    pub(super) conf: &'a Conf,
    pub(super) volumes: &'a [Volume],
    pub(super) pull_secrets: Vec<LocalRef>,
}

/// The cluster. Its pods mount and know what driver or executors were to.
pub(super) fn spec(parts: Parts<'_>, settings: &Settings) -> Result<FiresteelClusterSpec, Refused> {
    let Parts { name, driver, executor, count, conf, .. } = parts;
    let warehouse = conf.warehouse.as_deref().unwrap_or(&settings.warehouse);
    if !["s3://", "s3a://", "/"].iter().any(|begin| warehouse.starts_with(begin)) {
        let why = "must be an s3:// or s3a:// URL or an absolute path";
        return Err(Refused(format!("spec.sparkConf.spark.sql.warehouse.dir: {why}")));
    }
    let group = json!({"name": "executor", "min": count.min, "max": count.max, "taskSlots": executor.cores});
    let group: ExecutorGroup = plain(group)?;
    let labelled = |placement: &Placement, role: &str| {
        let mut placement = placement.clone();
        for (key, value) in [("sparkoperator.k8s.io/app-name", name), ("spark-app-name", name), ("spark-role", role)] {
            placement.labels.insert(key.to_owned(), value.to_owned());
        }
        placement
    };
    let base = json!({
        "image": settings.image, "warehouse": warehouse, "access": {"tokens": true},
        "executorGroups": [], "scheduler": {},
    });
    let mut spec: FiresteelClusterSpec = plain(base)?;
    spec.image_pull_secrets = parts.pull_secrets;
    spec.service_account_name = executor.service_account.clone().or_else(|| driver.service_account.clone());
    spec.executor_groups = vec![ExecutorGroup { placement: labelled(&executor.placement, "executor"), ..group }];
    // Labels and annotations of the driver are the script's; those who look for it must not find the scheduler.
    let quiet = Placement { labels: BTreeMap::new(), annotations: BTreeMap::new(), ..driver.placement.clone() };
    spec.scheduler.placement = labelled(&quiet, "scheduler");
    spec.env = environment(driver, executor, conf)?;
    for source in driver.env_from.iter().chain(&executor.env_from) {
        if !spec.env_from.contains(source) {
            spec.env_from.push(source.clone());
        }
    }
    spec.volume_mounts = mounts(driver, executor)?;
    spec.volumes = volumes(&spec.volume_mounts, parts.volumes, &[driver, executor])?;
    Ok(spec)
}

/// A part of which only what is needed is said.
pub(super) fn plain<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T, Refused> {
    serde_json::from_value(value).map_err(|error| Refused(format!("spec: {error}")))
}

fn environment(driver: &Role, executor: &Role, conf: &Conf) -> Result<Vec<EnvVar>, Refused> {
    let mut env = conf.env.clone();
    for variable in &executor.env {
        env.retain(|known| known.name != variable.name);
        env.push(variable.clone());
    }
    for variable in &driver.env {
        match executor.env.iter().find(|known| known.name == variable.name) {
            Some(known) if known != variable => {
                let why = format!(
                    "{} has another value than in spec.executor.env; all pods of a cluster have the same",
                    variable.name
                );
                return Err(Refused(format!("spec.driver.env: {why}")));
            }
            Some(_) => {}
            None => {
                env.retain(|known| known.name != variable.name);
                env.push(variable.clone());
            }
        }
    }
    Ok(env)
}

fn mounts(driver: &Role, executor: &Role) -> Result<Vec<VolumeMount>, Refused> {
    let mut all = executor.mounts.clone();
    for mount in &driver.mounts {
        match all.iter().find(|known| known.mount_path == mount.mount_path) {
            Some(known) if known != mount => {
                let why = format!(
                    "{} is mounted in another way than in spec.executor; all pods of a cluster mount the same",
                    mount.mount_path
                );
                return Err(Refused(format!("spec.driver.volumeMounts: {why}")));
            }
            Some(_) => {}
            None => all.push(mount.clone()),
        }
    }
    Ok(all)
}

/// The volumes that are mounted.
pub(super) fn volumes(mounts: &[VolumeMount], shared: &[Volume], roles: &[&Role]) -> Result<Vec<Volume>, Refused> {
    let known = || shared.iter().chain(roles.iter().flat_map(|role| role.volumes.iter()));
    let mut all: Vec<Volume> = Vec::new();
    for mount in mounts {
        let Some(volume) = known().find(|volume| volume.name == mount.name) else {
            return Err(Refused(format!(
                "spec.volumes: there is no volume {}, which is mounted at {}",
                mount.name, mount.mount_path
            )));
        };
        if !all.iter().any(|have| have.name == volume.name) {
            all.push(volume.clone());
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn counted(instances: Option<i32>, said: Value, conf: &[(&str, &str)]) -> Result<Count, Refused> {
        let conf = conf.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        count(instances, &mut Fields::of("spec", &json!({"dynamicAllocation": said})).unwrap(), &conf)
    }

    #[test]
    fn executors_are_as_many_as_said_or_as_the_load_needs_within_limits() {
        let is = |min, max| Ok(Count { min, max });
        assert_eq!(counted(None, Value::Null, &[]), is(1, 1));
        assert_eq!(counted(Some(4), json!({"enabled": false, "maxExecutors": 9}), &[]), is(4, 4));
        assert_eq!(
            counted(None, json!({"enabled": true, "minExecutors": 2, "initialExecutors": 2, "maxExecutors": 9}), &[]),
            is(2, 9)
        );
        let conf = [("enabled", "true"), ("maxExecutors", "5"), ("shuffleTracking.enabled", "true")];
        assert_eq!(counted(None, Value::Null, &conf), is(0, 5));
    }

    #[test]
    fn what_the_load_does_not_decide_is_refused() {
        for (said, sentence) in [
            (json!({"enabled": true}), "spec.dynamicAllocation.maxExecutors: is needed"),
            (
                json!({"enabled": true, "minExecutors": 3, "maxExecutors": 2}),
                "spec.dynamicAllocation.maxExecutors: must be",
            ),
            (
                json!({"enabled": true, "initialExecutors": 2, "maxExecutors": 3}),
                "spec.dynamicAllocation.initialExecutors: not supported",
            ),
            (
                json!({"enabled": true, "maxExecutors": 3, "shuffleTrackingEnabled": false}),
                "spec.dynamicAllocation.shuffleTrackingEnabled: not",
            ),
            (
                json!({"enabled": true, "maxExecutors": 3, "shuffleTrackingTimeout": 9}),
                "spec.dynamicAllocation: unknown field",
            ),
        ] {
            let told = counted(None, said, &[]).unwrap_err().0;
            assert!(told.starts_with(sentence), "{told}");
        }
        let told = counted(None, json!({"enabled": false}), &[("enabled", "true")]).unwrap_err().0;
        assert!(told.starts_with("spec.dynamicAllocation: cannot be given together"), "{told}");
        let told = counted(None, Value::Null, &[("enabled", "true"), ("executorIdleTimeout", "60s")]).unwrap_err().0;
        assert!(
            told.starts_with("spec.sparkConf.spark.dynamicAllocation.executorIdleTimeout: not supported"),
            "{told}"
        );
    }
}
