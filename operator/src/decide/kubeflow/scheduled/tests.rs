//! Scheduled applications, kept and refused.

use super::super::tests::{lay, settings};
use super::*;
use crate::api::schedule::ScheduleStatus;
use crate::decide::time;

fn scheduled() -> ScheduledSparkApplication {
    serde_saphyr::from_str(include_str!("../tests/fixtures/scheduled.yaml")).unwrap()
}

fn look(scheduled: &ScheduledSparkApplication, schedule: Option<&FiresteelSchedule>, jobs: &[Job]) -> Decision {
    let owner = OwnerReference { uid: "u-1".into(), ..OwnerReference::default() };
    decide(&Seen { scheduled, owner, schedule, jobs, settings: &settings() })
}

#[test]
fn a_scheduled_application_becomes_a_schedule_of_five_fields_in_utc() {
    let made = *look(&scheduled(), None, &[]).apply.unwrap();
    let spec = &made.spec;
    assert_eq!(
        (made.name_any().as_str(), spec.schedule.as_str(), spec.time_zone.as_str()),
        ("hourly", "0 * * * *", "Etc/UTC")
    );
    assert_eq!((spec.concurrency_policy, spec.catch_up), (Concurrency::Allow, CatchUp::Last));
    assert_eq!((spec.successful_jobs_history_limit, spec.failed_jobs_history_limit), (5, 3));
    let run = &spec.template.spec;
    assert_eq!(run.python.as_ref().unwrap().file.as_deref(), Some("/app/hourly.py"));
    assert!(run.cluster_template.is_some());
}

#[test]
fn it_is_written_when_it_differs_and_runs_are_told_back() {
    let mut it = scheduled();
    let mut made = *look(&it, None, &[]).apply.unwrap();
    made.status = Some(ScheduleStatus {
        last_schedule_time: Some(time(3600)),
        next_schedule_time: Some(time(7200)),
        ..ScheduleStatus::default()
    });
    let job = |name: &str, created, finished, succeeded| Job {
        name: name.into(),
        created,
        finished,
        succeeded,
        going: false,
    };
    let jobs = [
        job("hourly-60", 3600, None, false),
        job("hourly-0", 0, Some(9), true),
        job("hourly--60", -3600, Some(9), false),
    ];
    let same = look(&it, Some(&made), &jobs);
    assert!(same.apply.is_none());
    assert_eq!(
        same.status.as_ref().unwrap(),
        &json!({
            "scheduleState": "Scheduled", "reason": "kept by FiresteelSchedule hourly",
            "lastRun": "1970-01-01T01:00:00Z", "nextRun": "1970-01-01T02:00:00Z", "lastRunName": "hourly-60",
            "pastSuccessfulRunNames": ["hourly-0"], "pastFailedRunNames": ["hourly--60"],
        })
    );
    it.status = same.status;
    assert!(look(&it, Some(&made), &jobs).status.is_none());
    lay(&mut it.spec, &json!({"suspend": true, "timeZone": "Europe/Berlin", "schedule": "*/5 * * * *"}));
    let changed = look(&it, Some(&made), &jobs).apply.unwrap().spec;
    assert_eq!((changed.suspend, changed.time_zone.as_str()), (true, "Europe/Berlin"));
}

#[test]
fn what_is_refused_is_told_once_and_an_older_schedule_is_held() {
    let made = *look(&scheduled(), None, &[]).apply.unwrap();
    for (change, sentence) in [
        (json!({"schedule": "@every 5m"}), "spec.schedule: '@every 5m' is not supported"),
        (json!({"schedule": "CRON_TZ=UTC 0 0 * * *"}), "spec.schedule: 'CRON_TZ=UTC 0 0 * * *' is not supported"),
        (json!({"schedule": "61 * * * *"}), "spec.schedule: bad schedule '61 * * * *'"),
        (json!({"timeZone": "Mars/Base"}), "spec.schedule: unknown time zone 'Mars/Base'"),
        (json!({"concurrencyPolicy": "Sometimes"}), "spec.concurrencyPolicy: 'Sometimes'"),
        (json!({"successfulRunHistoryLimit": 101}), "spec.successfulRunHistoryLimit: must be"),
        (json!({"template": {"batchScheduler": "volcano", "proxyUser": "a"}}), "spec.template.batchScheduler: "),
        (json!({"template": {"timeToLiveSeconds": 5}}), "spec.template.timeToLiveSeconds: runs are kept"),
        (json!({"template": {"driver": {"podName": "mine"}}}), "spec.template.driver.podName: must be left out"),
        (json!({"somethingNew": true}), "spec.somethingNew: not supported"),
    ] {
        let mut it = scheduled();
        lay(&mut it.spec, &change);
        let refused = look(&it, Some(&made), &[]);
        let status = refused.status.unwrap();
        let told = status["reason"].as_str().unwrap();
        assert!(told.starts_with(sentence), "{told}");
        assert_eq!(
            (status["scheduleState"].as_str(), refused.hold, refused.apply.is_none()),
            (Some("FailedValidation"), true, true)
        );
        assert_eq!(refused.news.len(), 1);
        it.status = Some(status);
        let mut held = made.clone();
        held.spec.suspend = true;
        let again = look(&it, Some(&held), &[]);
        assert!(again.news.is_empty() && !again.hold && again.status.is_none());
    }
}

#[test]
fn what_is_another_operators_is_left_alone() {
    let mut it = scheduled();
    it.status = Some(json!({"scheduleState": "Scheduled", "lastRunName": "hourly-1764400000"}));
    let decision = look(&it, None, &[]);
    assert!(decision.apply.is_none() && decision.status.is_none());
    let mut theirs = *look(&scheduled(), None, &[]).apply.unwrap();
    theirs.metadata.owner_references = None;
    let decision = look(&scheduled(), Some(&theirs), &[]);
    assert!(decision.apply.is_none() && !decision.hold);
    assert_eq!(decision.status.unwrap()["scheduleState"], "FailedValidation");
}

#[test]
fn what_the_api_server_refuses_is_told_once_and_an_older_schedule_is_held() {
    let mut it = scheduled();
    let made = *look(&it, None, &[]).apply.unwrap();
    let seen = |it: &ScheduledSparkApplication| {
        let settings = settings();
        let owner = OwnerReference { uid: "u-1".into(), ..OwnerReference::default() };
        not_taken(&Seen { scheduled: it, owner, schedule: Some(&made), jobs: &[], settings: &settings }, "bad label")
    };
    let refused = seen(&it);
    assert_eq!((refused.hold, refused.apply.is_none(), refused.news.len()), (true, true, 1));
    it.status = refused.status;
    let again = seen(&it);
    assert!(again.news.is_empty() && again.status.is_none());
}
