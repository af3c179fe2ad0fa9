//! Times, missed times, and jobs that go.

mod clocks;

use super::*;
use serde_json::{Value, json};

const MINUTE: i64 = 60;

fn spec(extra: Value) -> FiresteelScheduleSpec {
    let mut spec = json!({
        "schedule": "*/10 * * * *",
        "template": {"spec": {"clusterRef": {"name": "c"}, "sql": {"text": "SELECT 1"}}},
    });
    spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn at(spec: &FiresteelScheduleSpec, status: &ScheduleStatus, jobs: &[Job], now: Seconds) -> Decision {
    decide(&Seen { now, name: "s", created: 0, generation: Some(1), spec, status, jobs })
}

fn job(minute: i64, finished: Option<Seconds>, succeeded: bool) -> Job {
    Job { name: job_name("s", minute * MINUTE), created: minute * MINUTE, finished, succeeded, going: false }
}

#[test]
fn a_time_makes_one_job_whose_name_is_that_of_the_time() {
    let spec = spec(json!({}));
    let early = at(&spec, &ScheduleStatus::default(), &[], 599);
    assert_eq!((early.create, early.requeue), (None, 1));
    let due = at(&spec, &ScheduleStatus::default(), &[], 600);
    assert_eq!(due.create.as_deref(), Some("s-10"));
    assert_eq!(due.status.active, ["s-10"]);
    assert_eq!(at(&spec, &due.status, &[job(10, None, false)], 700).create, None);
    // The status was never written: the job that exists is recognised.
    let again = at(&spec, &ScheduleStatus::default(), &[job(10, None, false)], 700);
    assert_eq!((again.create, again.status.missed_runs), (None, 0));
    assert_eq!(again.status.last_schedule_time, Some(time(600)));
}

#[test]
fn what_still_runs_is_left_joined_or_replaced() {
    let running = [job(10, None, false)];
    let status = ScheduleStatus { last_schedule_time: Some(time(600)), ..ScheduleStatus::default() };
    let with = |policy: &str| at(&spec(json!({"concurrencyPolicy": policy})), &status, &running, 1200);
    let forbid = with("Forbid");
    assert_eq!((forbid.create, forbid.status.missed_runs, forbid.news[0].reason), (None, 1, "Skipped"));
    assert_eq!(with("Allow").create.as_deref(), Some("s-20"));
    let replace = with("Replace");
    assert_eq!((replace.create.as_deref(), replace.delete), (Some("s-20"), vec!["s-10".to_owned()]));
}

#[test]
fn missed_times_become_one_job_or_none() {
    let status = ScheduleStatus { last_schedule_time: Some(time(600)), ..ScheduleStatus::default() };
    let late = at(&spec(json!({})), &status, &[], 605 * MINUTE);
    assert_eq!((late.create.as_deref(), late.status.missed_runs), (Some("s-600"), 58));
    let none = at(&spec(json!({"catchUp": "None"})), &status, &[], 605 * MINUTE);
    assert_eq!((none.create, none.status.missed_runs), (None, 59));
    let deadline = at(&spec(json!({"startingDeadlineSeconds": 200})), &status, &[], 605 * MINUTE);
    assert_eq!((deadline.create, deadline.news[0].reason), (None, "Missed"));
    let ages = at(&spec(json!({"schedule": "* * * * *"})), &status, &[], 3000 * 365 * MINUTE);
    assert_eq!((ages.create.is_some(), ages.status.missed_runs), (true, 999));
}

#[test]
fn a_suspended_schedule_makes_nothing() {
    let decision = at(&spec(json!({"suspend": true})), &ScheduleStatus::default(), &[], 6000);
    assert_eq!((decision.create, decision.status.next_schedule_time), (None, None));
}

#[test]
fn old_jobs_go_and_failures_are_kept_apart() {
    let spec = spec(json!({"successfulJobsHistoryLimit": 2, "failedJobsHistoryLimit": 0}));
    let jobs: Vec<Job> = (1..=6).map(|minute| job(minute * 10, Some(minute * 601), minute != 4)).collect();
    let status = ScheduleStatus { last_schedule_time: Some(time(3600)), ..ScheduleStatus::default() };
    let decision = at(&spec, &status, &jobs, 3700);
    assert_eq!(decision.delete, ["s-30", "s-20", "s-10", "s-40"]);
    assert_eq!(decision.status.last_successful_time, Some(time(3606)));
}

#[test]
fn what_cannot_be_understood_is_a_condition_and_told_once() {
    let spec = spec(json!({"schedule": "99 * * * *"}));
    let decision = at(&spec, &ScheduleStatus::default(), &[], 600);
    assert_eq!(decision.status.conditions[0].status, "False");
    assert_eq!(decision.news.len(), 1);
    assert!(at(&spec, &decision.status, &[], 700).news.is_empty());
}

/// A year by the minute in a zone with daylight saving, with an operator that is sometimes away: no job twice.
#[test]
fn a_year_of_days_makes_a_job_a_day() {
    let spec = spec(json!({"schedule": "30 2 * * *", "timeZone": "Europe/Berlin", "concurrencyPolicy": "Allow"}));
    let start = 1_767_225_600; // 2026-01-01T00:00:00Z
    let mut status = ScheduleStatus::default();
    let mut names = std::collections::BTreeSet::new();
    let mut now = start;
    while now < start + 365 * 86_400 {
        let decision =
            decide(&Seen { now, name: "s", created: start, generation: None, spec: &spec, status: &status, jobs: &[] });
        if let Some(name) = decision.create {
            assert!(names.insert(name));
        }
        status = decision.status;
        now += 7 * MINUTE;
    }
    assert_eq!((names.len(), status.missed_runs), (365, 0));
}
