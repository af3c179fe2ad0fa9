//! The status of a job in kubeflow's words, which Airflow's sensors and others wait for.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use crate::api::FiresteelJob;
use crate::api::job::{JobStatus, Phase};
use crate::decide::pods::{REST_PORT, scheduler_name};

/// Marks an id as ours, and the status that has it as written by us.
pub(crate) const OURS: &str = "firesteel-";

/// The id of the submission of a spec.
pub(crate) fn submission(digest: &str) -> String {
    format!("{OURS}{digest}")
}

/// The state of a job in kubeflow's words.
pub(crate) fn state(status: &JobStatus) -> &'static str {
    match status.phase {
        Phase::Queued if status.attempt > 0 => "PENDING_RERUN",
        Phase::Queued | Phase::Starting => "SUBMITTED",
        Phase::Running => "RUNNING",
        Phase::Backoff => "PENDING_RERUN",
        Phase::Suspending => "SUSPENDING",
        Phase::Suspended => "SUSPENDED",
        Phase::Succeeded => "COMPLETED",
        Phase::Failed => "FAILED",
    }
}

/// Whether a state is an end.
pub(crate) fn is_final(state: &str) -> bool {
    matches!(state, "COMPLETED" | "FAILED")
}

/// The status of an application whose job this is.
pub(crate) fn status(uid: &str, digest: &str, job: &FiresteelJob) -> Value {
    let known = job.status.clone().unwrap_or_default();
    let state = state(&known);
    let error = (state == "FAILED" || state == "PENDING_RERUN").then(|| {
        let (reason, message) =
            (known.reason.as_deref().unwrap_or_default(), known.message.as_deref().unwrap_or_default());
        if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") }
    });
    let cluster = known.cluster_name.as_deref();
    // SQL runs in the scheduler, so its log is the driver's.
    let sql = || cluster.filter(|_| job.spec.sql.is_some() && known.attempt > 0).map(scheduler_name);
    let mut driver = json!({"podName": known.driver_pod.clone().or_else(sql)});
    if let (Some(cluster), Some(fields)) = (cluster, driver.as_object_mut()) {
        fields.insert("webUIServiceName".into(), cluster.into());
        fields.insert("webUIPort".into(), REST_PORT.into());
    }
    json!({
        "sparkApplicationId": format!("{OURS}{uid}"),
        "submissionID": submission(digest),
        "lastSubmissionAttemptTime": known.submitted_at,
        "terminationTime": known.finished_at,
        "driverInfo": driver,
        "applicationState": {"state": state, "errorMessage": error},
        "executionAttempts": known.attempt,
        "submissionAttempts": known.attempt,
    })
}

/// The status of an application that has no job and gets none.
pub(crate) fn failed(uid: &str, digest: &str, message: &str, at: &Time) -> Value {
    json!({
        "sparkApplicationId": format!("{OURS}{uid}"),
        "submissionID": submission(digest),
        "lastSubmissionAttemptTime": at,
        "terminationTime": at,
        "driverInfo": {},
        "applicationState": {"state": "FAILED", "errorMessage": message},
        "executionAttempts": null,
        "submissionAttempts": 1,
    })
}

/// The status of an application whose spec was changed and whose old run is being taken away.
pub(crate) fn invalidating() -> Value {
    json!({"applicationState": {"state": "INVALIDATING", "errorMessage": null}})
}

/// Whether a patch would change a status. What a patch says is nothing is not there.
pub(crate) fn changes(status: Option<&Value>, patch: &Value) -> bool {
    match patch {
        Value::Object(fields) => {
            fields.iter().any(|(key, wanted)| changes(status.and_then(|status| status.get(key)), wanted))
        }
        Value::Null => status.is_some_and(|status| !status.is_null()),
        wanted => status != Some(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::time;

    fn job(status: JobStatus) -> FiresteelJob {
        let spec = json!({"clusterRef": {"name": "c"}, "sql": {"text": "SELECT 1"}});
        let mut job = FiresteelJob::new("j", serde_json::from_value(spec).unwrap());
        job.status = Some(status);
        job
    }

    #[test]
    fn every_phase_has_a_word_that_sensors_know() {
        let of = |phase, attempt| state(&JobStatus { phase, attempt, ..JobStatus::default() });
        let words = [
            (Phase::Queued, 0, "SUBMITTED"),
            (Phase::Queued, 1, "PENDING_RERUN"),
            (Phase::Starting, 1, "SUBMITTED"),
            (Phase::Running, 1, "RUNNING"),
            (Phase::Backoff, 1, "PENDING_RERUN"),
            (Phase::Suspending, 1, "SUSPENDING"),
            (Phase::Suspended, 1, "SUSPENDED"),
            (Phase::Succeeded, 1, "COMPLETED"),
            (Phase::Failed, 1, "FAILED"),
        ];
        for (phase, attempt, word) in words {
            assert_eq!(of(phase, attempt), word);
            assert_eq!(is_final(word), phase.is_final());
        }
    }

    #[test]
    fn a_status_says_where_the_log_is_how_often_it_was_tried_and_why_it_failed() {
        let failed = JobStatus {
            phase: Phase::Failed,
            attempt: 3,
            driver_pod: Some("a-driver-3".into()),
            cluster_name: Some("a-1234".into()),
            reason: Some("ScriptFailed".into()),
            message: Some("exit code 3".into()),
            submitted_at: Some(time(60)),
            finished_at: Some(time(120)),
            ..JobStatus::default()
        };
        let told = status("u", "d", &job(failed));
        assert_eq!(told["applicationState"], json!({"state": "FAILED", "errorMessage": "ScriptFailed: exit code 3"}));
        assert_eq!((&told["driverInfo"]["podName"], &told["executionAttempts"]), (&json!("a-driver-3"), &json!(3)));
        assert_eq!(
            (&told["lastSubmissionAttemptTime"], &told["terminationTime"]),
            (&json!("1970-01-01T00:01:00Z"), &json!("1970-01-01T00:02:00Z"))
        );
        let running =
            JobStatus { phase: Phase::Running, attempt: 1, cluster_name: Some("a-1".into()), ..JobStatus::default() };
        assert_eq!(status("u", "d", &job(running))["driverInfo"]["podName"], "a-1-scheduler");
    }

    #[test]
    fn a_status_is_written_when_it_changes_only() {
        let now = json!({"applicationState": {"state": "RUNNING"}, "executionAttempts": 1, "other": 1});
        assert!(!changes(Some(&now), &json!({"applicationState": {"state": "RUNNING", "errorMessage": null}})));
        assert!(changes(Some(&now), &json!({"applicationState": {"state": "FAILED"}})));
        assert!(changes(Some(&now), &json!({"executionAttempts": null})));
        assert!(changes(None, &json!({"driverInfo": {"podName": "p"}})));
        assert!(!changes(None, &json!({"driverInfo": {"podName": null}})));
    }
}
