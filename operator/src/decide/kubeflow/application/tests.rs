//! Lives of applications, told step by step.

use super::super::tests::{PYTHON, application, lay, settings};
use super::*;
use crate::api::job::{JobStatus, Phase};
use serde_json::json;

fn owner() -> OwnerReference {
    OwnerReference { uid: "u-1".into(), kind: "SparkApplication".into(), ..OwnerReference::default() }
}

fn look(application: &SparkApplication, job: Option<&FiresteelJob>, now: Seconds) -> Decision {
    decide(&Seen { now, application, owner: owner(), job, settings: &settings() })
}

fn state(application: &SparkApplication) -> &str {
    application.status.as_ref().unwrap()["applicationState"]["state"].as_str().unwrap()
}

/// Writes what a decision says of the status, as the API server would.
fn write(application: &mut SparkApplication, decision: &Decision) {
    fn merge(base: &mut Value, patch: &Value) {
        match patch {
            Value::Object(changes) => {
                if !base.is_object() {
                    *base = json!({});
                }
                for (key, change) in changes {
                    let fields = base.as_object_mut().unwrap();
                    if change.is_null() {
                        fields.remove(key);
                    } else {
                        merge(fields.entry(key.clone()).or_insert(Value::Null), change);
                    }
                }
            }
            other => *base = other.clone(),
        }
    }
    if let Some(patch) = &decision.status {
        merge(application.status.get_or_insert(Value::Null), patch);
    }
}

fn with(job: &FiresteelJob, phase: Phase) -> FiresteelJob {
    let mut job = job.clone();
    let finished_at = phase.is_final().then(|| time(200));
    job.status = Some(JobStatus { phase, attempt: 1, finished_at, ..JobStatus::default() });
    job
}

#[test]
fn an_application_becomes_one_job_and_is_told_how_that_fares() {
    let mut app = application(PYTHON);
    let first = look(&app, None, 100);
    let job = *first.create.clone().unwrap();
    assert_eq!((job.name_any(), job.owner_references()[0].uid.as_str()), ("daily-report".to_owned(), "u-1"));
    write(&mut app, &first);
    assert_eq!(state(&app), "SUBMITTED");
    for (phase, word) in
        [(Phase::Running, "RUNNING"), (Phase::Backoff, "PENDING_RERUN"), (Phase::Succeeded, "COMPLETED")]
    {
        let job = with(&job, phase);
        let next = look(&app, Some(&job), 200);
        assert!(next.create.is_none() && !next.delete_job);
        write(&mut app, &next);
        assert_eq!(state(&app), word);
        assert_eq!(look(&app, Some(&job), 200).status, None, "what is told already is not told again");
    }
    // An hour after its end it goes, and the job with it.
    let done = with(&job, Phase::Succeeded);
    assert!(!look(&app, Some(&done), 200 + 3599).delete_application);
    assert!(look(&app, Some(&done), 200 + 3600).delete_application);
}

#[test]
fn an_operator_that_died_before_it_wrote_the_status_finds_the_job() {
    let app = application(PYTHON);
    let job = *look(&app, None, 100).create.unwrap();
    let again = look(&app, Some(&job), 101);
    assert!(again.create.is_none());
    assert_eq!(again.status.unwrap()["applicationState"]["state"], "SUBMITTED");
}

#[test]
fn what_is_over_is_not_run_again_though_its_job_is_gone_or_the_operator_is_another() {
    let mut app = application(PYTHON);
    let first = look(&app, None, 100);
    let job = *first.create.clone().unwrap();
    write(&mut app, &first);
    let lost = look(&app, None, 101);
    assert!(lost.create.is_none());
    assert_eq!(lost.status.unwrap()["applicationState"]["state"], "FAILED");
    let done = look(&app, Some(&with(&job, Phase::Succeeded)), 200);
    write(&mut app, &done);
    let over = look(&app, None, 300);
    assert!(over.create.is_none() && over.status.is_none());
    assert!(look(&app, None, 200 + 3600).delete_application);
    // What another operator ran is not touched at all.
    app.status = Some(json!({"submissionID": "4d9cd0d6", "applicationState": {"state": "COMPLETED"}}));
    let foreign = look(&app, None, 300);
    assert!(foreign.create.is_none() && foreign.status.is_none() && !foreign.delete_application);
}

#[test]
fn what_cannot_be_run_fails_at_once_with_the_reason_and_stays_failed() {
    let mut app = application(PYTHON);
    lay(&mut app.spec, &json!({"batchScheduler": "volcano"}));
    let refused = look(&app, None, 100);
    assert!(refused.create.is_none());
    assert_eq!(refused.news[0].reason, "SparkApplicationSubmissionFailed");
    write(&mut app, &refused);
    assert_eq!(state(&app), "FAILED");
    let message = app.status.as_ref().unwrap()["applicationState"]["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.starts_with("submission failed: spec.batchScheduler: "), "{message}");
    let again = look(&app, None, 101);
    assert!(again.status.is_none() && again.news.is_empty());
    // A changed spec is another try.
    lay(&mut app.spec, &json!({"batchScheduler": null}));
    assert!(look(&app, None, 102).create.is_some());
}

#[test]
fn a_changed_spec_is_another_run_when_the_old_one_is_gone() {
    let mut app = application(PYTHON);
    let first = look(&app, None, 100);
    let job = *first.create.clone().unwrap();
    write(&mut app, &first);
    lay(&mut app.spec, &json!({"arguments": ["other"]}));
    let edited = look(&app, Some(&job), 101);
    assert!(edited.delete_job && edited.create.is_none());
    write(&mut app, &edited);
    assert_eq!(state(&app), "INVALIDATING");
    let mut going = job.clone();
    going.metadata.deletion_timestamp = Some(time(101));
    let waits = look(&app, Some(&going), 102);
    assert!(!waits.delete_job && waits.create.is_none());
    let second = look(&app, None, 103);
    assert_eq!(second.create.as_ref().unwrap().spec.python.as_ref().unwrap().args, ["other"]);
    // As it was before: also another run, since the first one was taken away.
    lay(&mut app.spec, &application(PYTHON).spec);
    assert!(look(&app, None, 103).create.is_some());
}

#[test]
fn holding_back_and_keeping_longer_are_no_other_run() {
    let mut app = application(PYTHON);
    let first = look(&app, None, 100);
    let job = *first.create.clone().unwrap();
    write(&mut app, &first);
    lay(&mut app.spec, &json!({"suspend": true, "timeToLiveSeconds": 7200}));
    let held = look(&app, Some(&job), 101);
    assert_eq!((held.suspend, held.delete_job), (Some(true), false));
    let mut waits = with(&job, Phase::Suspended);
    waits.spec.suspend = true;
    let next = look(&app, Some(&waits), 102);
    assert_eq!((next.suspend, next.status.unwrap()["applicationState"]["state"].clone()), (None, json!("SUSPENDED")));
}

#[test]
fn a_job_of_somebody_else_is_left_alone() {
    let app = application(PYTHON);
    let mut job = *look(&app, None, 100).create.unwrap();
    job.metadata.owner_references = None;
    let refused = look(&app, Some(&job), 101);
    assert!(refused.create.is_none() && !refused.delete_job);
    assert_eq!(refused.status.unwrap()["applicationState"]["state"], "FAILED");
    // That of a deleted application of the same name is waited for.
    job.metadata.owner_references = Some(vec![OwnerReference { uid: "u-0".into(), ..owner() }]);
    let waits = look(&app, Some(&job), 101);
    assert!(waits.create.is_none() && !waits.delete_job && waits.status.is_none());
    assert_eq!(waits.requeue, SOON);
}

#[test]
fn a_name_that_is_too_long_is_refused() {
    let mut app = application(PYTHON);
    app.metadata.name = Some("a".repeat(53));
    let told = look(&app, None, 100).status.unwrap();
    assert!(told["applicationState"]["errorMessage"].as_str().unwrap().contains("metadata.name: "), "{told}");
}

#[test]
fn what_is_refused_for_how_long_it_is_to_be_kept_is_kept() {
    for ttl in [-1, i64::MIN] {
        let mut app = application(PYTHON);
        lay(&mut app.spec, &json!({"timeToLiveSeconds": ttl}));
        let refused = look(&app, None, 100);
        write(&mut app, &refused);
        assert_eq!((state(&app), refused.delete_application), ("FAILED", false));
        let later = look(&app, None, 200);
        assert!(!later.delete_application && later.create.is_none());
    }
    let mut app = application(PYTHON);
    let job = *look(&app, None, 100).create.unwrap();
    lay(&mut app.spec, &json!({"timeToLiveSeconds": i64::MAX}));
    assert!(!look(&app, Some(&with(&job, Phase::Succeeded)), 200).delete_application);
}
