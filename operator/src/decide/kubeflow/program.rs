//! What an application runs: a script, or SQL given to Spark's command line.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::EnvVar;
use serde_json::json;

use super::Settings;
use super::cluster::{plain, volumes};
use super::fields::{Fields, Refused};
use super::role::Role;
use crate::api::job::{PythonSource, SqlSource};
use crate::api::{LocalRef, PullPolicy};

/// Spark's command line for SQL.
const CLI: &str = "org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver";
/// Container of a driver, where Airflow looks for its log.
const CONTAINER: &str = "spark-kubernetes-driver";
/// Packages for what Firesteel does itself.
const BUILT_IN: &[&str] = &[
    "org.postgresql:postgresql:",
    "com.clickhouse:clickhouse-jdbc:",
    "org.apache.hadoop:hadoop-aws:",
    "com.amazonaws:aws-java-sdk-bundle:",
    "software.amazon.awssdk:bundle:",
    "org.apache.spark:spark-avro_",
    "org.apache.spark:spark-hadoop-cloud_",
];

/// What is run.
#[derive(Debug, Clone)]
pub(super) enum Program {
    Python(Box<PythonSource>),
    Sql(SqlSource),
}

/// What a program is made from, beside the fields.
#[derive(Debug)]
pub(super) struct Around<'a> {
    pub(super) name: &'a str,
    pub(super) driver: &'a Role,
    pub(super) volumes: &'a [k8s_openapi::api::core::v1::Volume],
    pub(super) pull_secrets: Vec<LocalRef>,
}

/// Reads what is run.
pub(super) fn program(fields: &mut Fields, around: Around<'_>, settings: &Settings) -> Result<Program, Refused> {
    let kind: String = fields.or_default("type")?;
    let main: Option<String> = fields.take("mainApplicationFile")?;
    let class: Option<String> = fields.take("mainClass")?;
    let arguments: Vec<String> = fields.or_default("arguments")?;
    let image: Option<String> = fields.take("image")?;
    let policy: Option<PullPolicy> = fields.take("imagePullPolicy")?;
    let search = dependencies(fields)?;
    match (kind.as_str(), class.as_deref()) {
        ("Python", Some(_)) => Err(fields.refuse("mainClass", "a Python application has none")),
        ("Python", None) => {
            let image = settings.python_image.clone().or_else(|| around.driver.image.clone()).or(image);
            let image = image.ok_or_else(|| fields.refuse("image", "is needed, with python3 and pyspark-client"))?;
            let file = local(fields, main.as_deref().unwrap_or_default())?;
            Ok(Program::Python(Box::new(python(around, image, policy, file, arguments, search)?)))
        }
        ("Java" | "Scala", Some(CLI)) => {
            if around.driver.image.is_some() {
                return Err(Refused("spec.driver.image: SQL runs in Firesteel's own image".into()));
            }
            around.driver.runs_our_image("spec.driver")?;
            if !search.is_empty() {
                return Err(fields.refuse("deps.pyFiles", "SQL has no Python files"));
            }
            let thrift = |main: &str| main == "spark-internal" || main.contains("spark-hive-thriftserver");
            if main.as_deref().is_some_and(|main| !thrift(main)) {
                return Err(
                    fields.refuse("mainApplicationFile", "must be spark-internal or left out for SQL: there is no JVM")
                );
            }
            Ok(Program::Sql(sql(&arguments, around.driver)?))
        }
        ("Java" | "Scala", _) => Err(fields.refuse(
            "mainClass",
            &format!("not supported by Firesteel: there is no JVM; write it in Python or SQL ({CLI} with -e or -f)"),
        )),
        _ => Err(fields.refuse("type", "not supported by Firesteel: only Python and SQL are")),
    }
}

/// A path in the image or a volume.
fn local(fields: &Fields, main: &str) -> Result<String, Refused> {
    match main.strip_prefix("local://").unwrap_or(main) {
        path if path.starts_with('/') => Ok(path.to_owned()),
        _ => {
            let why = format!(
                "'{main}' is not supported by Firesteel: put the script into the image or a volume and say local:///..."
            );
            Err(fields.refuse("mainApplicationFile", &why))
        }
    }
}

fn python(
    around: Around<'_>,
    image: String,
    policy: Option<PullPolicy>,
    file: String,
    args: Vec<String>,
    search: Vec<String>,
) -> Result<PythonSource, Refused> {
    let Around { name, driver, .. } = around;
    let mut source: PythonSource = plain(json!({"image": image, "file": file, "containerName": CONTAINER}))?;
    source.image_pull_policy = policy.unwrap_or_default();
    source.image_pull_secrets = around.pull_secrets;
    source.args = args;
    source.env = driver.env.clone();
    if !search.is_empty() {
        if driver.env.iter().any(|variable| variable.name == "PYTHONPATH") {
            return Err(Refused(
                "spec.deps.pyFiles: cannot be given together with PYTHONPATH in spec.driver.env".into(),
            ));
        }
        let path = Some(search.join(":"));
        source.env.push(EnvVar { name: "PYTHONPATH".into(), value: path, ..EnvVar::default() });
    }
    source.env_from = driver.env_from.clone();
    source.volumes = volumes(&driver.mounts, around.volumes, &[driver])?;
    source.volume_mounts = driver.mounts.clone();
    source.placement = driver.placement.clone();
    let labels = [
        ("sparkoperator.k8s.io/app-name", name),
        ("sparkoperator.k8s.io/launched-by-spark-operator", "true"),
        ("spark-app-name", name),
        ("spark-role", "driver"),
    ];
    source.placement.labels.extend(labels.map(|(key, value)| (key.to_owned(), value.to_owned())));
    source.service_account_name = driver.service_account.clone();
    (source.run_as_user, source.run_as_group) = (driver.user, driver.group);
    Ok(source)
}

/// Where Python looks for the files of `deps`; what Firesteel does itself needs no package.
fn dependencies(fields: &mut Fields) -> Result<Vec<String>, Refused> {
    let mut deps = fields.object("deps")?;
    let mut search = Vec::new();
    for file in deps.or_default::<Vec<String>>("pyFiles")? {
        let Some(path) = file.strip_prefix("local://").filter(|path| path.starts_with('/')) else {
            let why = format!(
                "'{file}' is not supported by Firesteel: put it into the image or a volume and say local:///..."
            );
            return Err(deps.refuse("pyFiles", &why));
        };
        // A module is found by its folder, an archive by itself.
        let place = if path.ends_with(".py") { path.rsplit_once('/').map_or("/", |(folder, _)| folder) } else { path };
        if !search.iter().any(|known| known == place) {
            search.push(place.to_owned());
        }
    }
    for package in deps.or_default::<Vec<String>>("packages")? {
        if !BUILT_IN.iter().any(|known| package.starts_with(known)) {
            return Err(deps.refuse("packages", &format!("{package} is not supported by Firesteel: there is no JVM")));
        }
    }
    let (_found, _left_out): (Vec<String>, Vec<String>) =
        (deps.or_default("repositories")?, deps.or_default("excludePackages")?);
    let mut more = Vec::new();
    deps.done(&mut more);
    if more.is_empty() { Ok(search) } else { Err(Refused(more.join("; "))) }
}

/// The statements of `-e` or the file of `-f`.
fn sql(arguments: &[String], driver: &Role) -> Result<SqlSource, Refused> {
    let refuse = |why: &str| Err(Refused(format!("spec.arguments: {why}")));
    let (flag, value) = match arguments {
        [flag, value] => (flag.as_str(), value),
        [] => return refuse("give -e and statements, or -f and a file"),
        [other, ..] if !matches!(other.as_str(), "-e" | "-f") => {
            return refuse(&format!(
                "{other} is not supported by Firesteel: give -e and statements, or -f and a file, and nothing else"
            ));
        }
        _ => return refuse("give one -e with statements, or one -f with a file, and nothing else"),
    };
    let source = |text: Option<String>, uri: Option<String>| SqlSource {
        text,
        uri,
        config_map_key_ref: None,
        parameters: BTreeMap::new(),
    };
    match flag {
        "-e" => Ok(source(Some(value.clone()), None)),
        "-f" if value.starts_with("s3://") || value.starts_with("s3a://") => Ok(source(None, Some(value.clone()))),
        "-f" => {
            let path = ["local://", "file://"].iter().find_map(|scheme| value.strip_prefix(scheme)).unwrap_or(value);
            let mounted = driver.mounts.iter().any(|mount| {
                path.strip_prefix(mount.mount_path.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
            });
            if mounted {
                Ok(source(None, Some(format!("file://{path}"))))
            } else {
                refuse(&format!(
                    "'{value}' must be in S3 or in a volume of spec.driver, since SQL runs in Firesteel's own image"
                ))
            }
        }
        other => refuse(&format!("{other} is not supported by Firesteel: give -e and statements, or -f and a file")),
    }
}
