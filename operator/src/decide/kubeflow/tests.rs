//! Applications as people write them, and everything that is refused.

use super::*;
use crate::api::job::{Growth, Restart};
use crate::api::kubeflow::SparkApplication;
use k8s_openapi::api::core::v1::ResourceRequirements;

pub(super) fn settings() -> Settings {
    Settings { image: "firesteel:1".into(), warehouse: "s3a://all/warehouse".into(), python_image: None }
}

pub(super) fn application(yaml: &str) -> SparkApplication {
    serde_saphyr::from_str(yaml).unwrap()
}

fn read(yaml: &str) -> FiresteelJobSpec {
    let application = application(yaml);
    job(application.metadata.name.as_deref().unwrap(), &application.spec, &settings()).unwrap()
}

pub(super) const PYTHON: &str = include_str!("tests/fixtures/python.yaml");
const AIRFLOW: &str = include_str!("tests/fixtures/airflow.yaml");
const SQL_TEXT: &str = include_str!("tests/fixtures/sql-text.yaml");
const SQL_FILE: &str = include_str!("tests/fixtures/sql-file.yaml");

fn sizes(resources: Option<&ResourceRequirements>) -> Value {
    serde_json::to_value(resources.unwrap()).unwrap()
}

#[test]
fn a_script_runs_in_its_own_image_beside_a_cluster_of_its_own() {
    let job = read(PYTHON);
    let python = job.python.as_ref().unwrap();
    assert_eq!(
        (python.image.as_str(), python.file.as_deref()),
        ("registry.example.com/reports:7", Some("/app/report.py"))
    );
    assert_eq!(
        (python.args.as_slice(), python.image_pull_policy.as_str()),
        (["--day".to_owned(), "2026-11-28".into()].as_slice(), "Always")
    );
    assert_eq!((python.container_name.as_str(), python.run_as_user), ("spark-kubernetes-driver", Some(185)));
    assert_eq!(python.service_account_name.as_deref(), Some("reports"));
    let env: Vec<_> = python.env.iter().map(|v| (v.name.as_str(), v.value.as_deref().unwrap())).collect();
    assert_eq!(env, [("REPORT", "daily"), ("PYTHONPATH", "/app/lib:/app/wheels/tools.zip")]);
    let labels = &python.placement.labels;
    let label = |key: &str| labels.get(key).map(String::as_str);
    assert_eq!((label("team"), label("spark-role")), (Some("finance"), Some("driver")));
    assert_eq!(label("sparkoperator.k8s.io/app-name"), Some("daily-report"));
    assert_eq!((python.volumes.len(), python.volumes[0].name.as_str()), (1, "config"));
    let expected = json!({"requests": {"cpu": "1", "memory": "896Mi"}, "limits": {"cpu": "1200m", "memory": "896Mi"}});
    assert_eq!(sizes(python.placement.resources.as_ref()), expected);
    assert_eq!(job.conf["spark.sql.session.timeZone"], "Europe/Berlin");

    let own = &job.cluster_template.as_ref().unwrap().spec;
    assert_eq!((own.image.as_str(), own.warehouse.as_str()), ("firesteel:1", "s3a://all/warehouse"));
    assert!(own.access.tokens && !own.allow_unauthenticated);
    assert_eq!(own.service_account_name.as_deref(), Some("reports"));
    let group = &own.executor_groups[0];
    assert_eq!((own.executor_groups.len(), group.min, group.max, group.task_slots), (1, 3, 3, Some(2)));
    let expected = json!({"requests": {"cpu": "2", "memory": "5120Mi"}, "limits": {"memory": "5120Mi"}});
    assert_eq!(sizes(group.placement.resources.as_ref()), expected);
    assert_eq!((group.placement.tolerations.len(), group.placement.labels["spark-role"].as_str()), (1, "executor"));
    assert_eq!(sizes(own.scheduler.placement.resources.as_ref())["requests"]["memory"], "896Mi");
    // Airflow finds the driver by its labels, so nothing else may have them.
    assert!(!own.scheduler.placement.labels.contains_key("team"));
    let env: Vec<_> = own.env.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(env, ["AWS_ENDPOINT_URL", "AWS_S3_FORCE_PATH_STYLE", "REPORT"]);
    assert_eq!(own.env_from.len(), 1);
    let mounted: Vec<_> = own.volume_mounts.iter().map(|mount| mount.mount_path.as_str()).collect();
    assert_eq!((mounted.as_slice(), own.volumes.len()), (["/data", "/etc/report"].as_slice(), 2));

    let policy = &job.restart_policy;
    assert_eq!((policy.restart, policy.max_attempts, policy.max_infrastructure_failures), (Restart::OnFailure, 4, 3));
    assert_eq!((policy.backoff_growth, policy.backoff_seconds), (Growth::Linear, 10));
    // The application is deleted, and the job with it.
    assert_eq!((job.ttl_seconds_after_finished, job.suspend), (None, false));
}

#[test]
fn what_airflow_leaves_empty_is_not_there() {
    let job = read(AIRFLOW);
    let group = &job.cluster_template.as_ref().unwrap().spec.executor_groups[0];
    assert_eq!((group.min, group.max), (1, 4));
    assert_eq!(job.restart_policy.restart, Restart::Never);
    assert_eq!(job.python.unwrap().placement.labels["dag_id"], "reports");
}

#[test]
fn sql_given_to_sparks_command_line_runs_in_the_scheduler() {
    let job = read(SQL_TEXT);
    let sql = job.sql.as_ref().unwrap();
    assert_eq!(sql.text.as_deref(), Some("INSERT OVERWRITE sums SELECT k, sum(v) FROM facts GROUP BY k"));
    assert!(job.python.is_none() && sql.uri.is_none());
    assert_eq!(job.conf["spark.sql.ansi.enabled"], "false");
    let own = &job.cluster_template.as_ref().unwrap().spec;
    assert_eq!((own.image.as_str(), own.warehouse.as_str()), ("firesteel:1", "s3a://lake/warehouse"));
    assert_eq!(sizes(own.executor_groups[0].placement.resources.as_ref())["requests"]["memory"], "9012Mi");
    let file = read(SQL_FILE);
    assert_eq!(file.sql.unwrap().uri.as_deref(), Some("file:///sql/nightly.sql"));
    assert_eq!(file.cluster_template.unwrap().spec.volumes[0].name, "sql-map");
}

#[test]
fn an_image_may_be_given_for_all_scripts() {
    let application = application(PYTHON);
    let settings = Settings { python_image: Some("pyspark:4".into()), ..settings() };
    assert_eq!(job("a", &application.spec, &settings).unwrap().python.unwrap().image, "pyspark:4");
}

/// Lays one value over another, as a merge patch does.
pub(super) fn lay(base: &mut Value, over: &Value) {
    match (base.as_object_mut(), over.as_object()) {
        (Some(fields), Some(changes)) => {
            for (key, change) in changes {
                lay(fields.entry(key.clone()).or_insert(Value::Null), change);
            }
        }
        _ => *base = over.clone(),
    }
}

#[test]
fn everything_else_is_refused_by_its_name_and_with_the_reason() {
    let table = include_str!("tests/refused.txt");
    let mut cases = 0;
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (change, sentence) = line.split_once(" => ").unwrap();
        let (fixture, change) = change.split_once(' ').unwrap();
        let mut spec = match fixture {
            "python" => application(PYTHON).spec,
            "sql" => application(SQL_TEXT).spec,
            other => panic!("{other}"),
        };
        lay(&mut spec, &serde_json::from_str(change).unwrap());
        let told = job("daily-report", &spec, &settings()).unwrap_err().0;
        assert!(told.starts_with(sentence), "{change}\n  told: {told}\n  not:  {sentence}");
        cases += 1;
    }
    assert!(cases > 50, "{cases}");
}

#[test]
fn all_fields_that_are_not_supported_are_told_at_once() {
    let mut spec = application(PYTHON).spec;
    lay(
        &mut spec,
        &json!({"batchScheduler": "volcano", "driver": {"sidecars": [{"name": "s"}]}, "sparkConf": {"spark.ui.port": "1"}}),
    );
    let told = job("a", &spec, &settings()).unwrap_err().0;
    for field in ["spec.batchScheduler: ", "spec.driver.sidecars: ", "spec.sparkConf.spark.ui.port: "] {
        assert!(told.contains(field), "{told}");
    }
}

#[test]
fn a_spec_is_the_same_whatever_order_its_fields_are_in_and_whether_it_waits() {
    let spec: Value = serde_json::from_str(r#"{"a": 1, "b": {"c": [1, 2], "d": "x"}}"#).unwrap();
    let other: Value =
        serde_json::from_str(r#"{"b": {"d": "x", "c": [1, 2]}, "suspend": true, "a": 1, "timeToLiveSeconds": 5}"#)
            .unwrap();
    assert_eq!(digest(&spec), digest(&other));
    for changed in [json!({"a": 2, "b": {"c": [1, 2], "d": "x"}}), json!({"a": 1, "b": {"c": [2, 1], "d": "x"}})] {
        assert_ne!(digest(&spec), digest(&changed));
    }
}
