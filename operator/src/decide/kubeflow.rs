//! Applications of kubeflow's operator as jobs of ours: pure functions, from their fields to our specs and back to their
//! status. What has no counterpart is refused at once, by its name and with the reason; nothing is taken and ignored.

pub(crate) mod application;
mod cluster;
mod conf;
mod fields;
pub(crate) mod mirror;
mod program;
mod restart;
mod role;
pub(crate) mod scheduled;
mod sizes;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Volume;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) use fields::Refused;

use crate::api::LocalRef;
use crate::api::job::{ClusterTemplate, FiresteelJobSpec};
use cluster::plain;
use fields::Fields;
use program::Program;

/// What applications do not say themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Image of clusters.
    pub(crate) image: String,
    /// Where tables live unless spark.sql.warehouse.dir says so.
    pub(crate) warehouse: String,
    /// Image of scripts instead of the applications' own.
    pub(crate) python_image: Option<String>,
}

/// The job of an application's spec. `name` is that of the application, which its pods are labelled with.
///
/// # Errors
/// A sentence that names the fields and says why.
pub(crate) fn job(name: &str, spec: &Value, settings: &Settings) -> Result<FiresteelJobSpec, Refused> {
    let mut problems = Vec::new();
    let mut fields = Fields::of("spec", spec)?;
    version(&mut fields)?;
    let mode: Option<String> = fields.take("mode")?;
    if mode.as_deref().is_some_and(|mode| mode != "cluster") {
        return Err(fields.refuse("mode", "not supported by Firesteel: only cluster is"));
    }
    let python: Option<String> = fields.take("pythonVersion")?;
    if python.as_deref().is_some_and(|version| version != "3") {
        return Err(fields.refuse("pythonVersion", "not supported by Firesteel: only 3 is"));
    }
    let factor = factor(&mut fields)?;
    let selector: BTreeMap<String, String> = fields.or_default("nodeSelector")?;
    let volumes: Vec<Volume> = fields.or_default("volumes")?;
    let secrets: Vec<String> = fields.or_default("imagePullSecrets")?;
    let secrets: Vec<LocalRef> = secrets.into_iter().map(|name| LocalRef { name }).collect();

    let mut said = fields.object("driver")?;
    let driver = role::role(&mut said, factor, &selector)?;
    let pod: Option<String> = said.take("podName")?;
    if pod.is_some_and(|pod| pod != format!("{name}-driver")) {
        return Err(said.refuse("podName", &format!("must be {name}-driver or left out")));
    }
    said.done(&mut problems);
    let mut said = fields.object("executor")?;
    let executor = role::role(&mut said, factor, &selector)?;
    if executor.image.is_some() {
        problems.push(said.refuse("image", "executors run Firesteel's own image").0);
    }
    if let Err(Refused(problem)) = executor.runs_our_image("spec.executor") {
        problems.push(problem);
    }
    let instances: Option<i32> = said.take("instances")?;
    if instances.is_some_and(|instances| !(1..=1000).contains(&instances)) {
        return Err(said.refuse("instances", "must be from 1 to 1000"));
    }
    let deleted: Option<bool> = said.take("deleteOnTermination")?;
    if deleted == Some(false) {
        problems
            .push(said.refuse("deleteOnTermination", "not supported by Firesteel: executors go with their cluster").0);
    }
    said.done(&mut problems);

    let conf = conf::conf(fields.or_default("sparkConf")?, fields.or_default("hadoopConf")?, &mut problems);
    let count = cluster::count(instances, &mut fields, &conf.dynamic)?;
    let around = program::Around { name, driver: &driver, volumes: &volumes, pull_secrets: secrets.clone() };
    let program = program::program(&mut fields, around, settings)?;
    let restart = restart::policy(&mut fields, &mut problems)?;
    let suspend: bool = fields.or_default("suspend")?;
    let _kept: Option<i64> = ttl(&mut fields)?;
    fields.done(&mut problems);
    let parts = cluster::Parts {
        name,
        driver: &driver,
        executor: &executor,
        count,
        conf: &conf,
        volumes: &volumes,
        pull_secrets: secrets,
    };
    let own = cluster::spec(parts, settings)?;
    if !problems.is_empty() {
        return Err(Refused(problems.join("; ")));
    }
    let mut job: FiresteelJobSpec = plain(json!({"suspend": suspend}))?;
    job.cluster_template = Some(Box::new(ClusterTemplate { spec: own }));
    job.conf = conf.session;
    job.restart_policy = restart;
    match program {
        Program::Python(source) => job.python = Some(*source),
        Program::Sql(source) => job.sql = Some(source),
    }
    Ok(job)
}

/// Applications of these versions of Spark mean what Firesteel does.
fn version(fields: &mut Fields) -> Result<(), Refused> {
    let version: String = fields.or_default("sparkVersion")?;
    let major = version.split('.').next().unwrap_or_default();
    if ["3", "4"].contains(&major) {
        Ok(())
    } else {
        Err(fields.refuse(
            "sparkVersion",
            &format!("'{version}' is not supported by Firesteel: applications are of Spark 3 or 4"),
        ))
    }
}

/// The share of memory outside of the heap: Spark's own, unless it is said.
fn factor(fields: &mut Fields) -> Result<f64, Refused> {
    let Some(text) = fields.take::<String>("memoryOverheadFactor")? else {
        let python = fields.peek("type").and_then(Value::as_str) == Some("Python");
        return Ok(if python { 0.4 } else { 0.1 });
    };
    match text.parse::<f64>() {
        Ok(factor) if (0.0..=10.0).contains(&factor) => Ok(factor),
        _ => Err(fields.refuse("memoryOverheadFactor", &format!("'{text}' is no number from 0 to 10"))),
    }
}

/// How many seconds an application is kept after its end.
fn ttl(fields: &mut Fields) -> Result<Option<i64>, Refused> {
    let ttl: Option<i64> = fields.take("timeToLiveSeconds")?;
    match ttl {
        Some(seconds) if seconds < 0 => Err(fields.refuse("timeToLiveSeconds", "must not be less than 0")),
        other => Ok(other),
    }
}

/// What tells one run's spec from another's: neither holding it back nor how long it is kept makes another run.
pub(crate) fn digest(spec: &Value) -> String {
    let mut spec = spec.clone();
    if let Some(fields) = spec.as_object_mut() {
        fields.retain(|key, _| key != "suspend" && key != "timeToLiveSeconds");
    }
    let mut text = String::new();
    canonical(&spec, &mut text);
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// JSON with its keys in order, whatever order they came in.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            text.push('{');
            for key in keys {
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                canonical(fields.get(key).unwrap_or(&Value::Null), text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests;
