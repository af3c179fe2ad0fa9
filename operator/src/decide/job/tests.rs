//! Lives of jobs, told step by step.

mod crashes;
mod private;

use super::end::backoff;
use super::*;
use serde_json::{Value, json};

fn spec(extra: Value) -> FiresteelJobSpec {
    let mut spec = json!({"clusterRef": {"name": "c"}, "sql": {"text": "SELECT 1"}});
    spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn step(spec: &FiresteelJobSpec, status: &JobStatus, now: Seconds, cluster: Cluster, run: Run) -> Decision {
    decide(&Seen {
        now,
        uid: "u",
        generation: Some(1),
        spec,
        status,
        cluster,
        private: false,
        trouble: None,
        run,
        progress: None,
    })
}

fn failed() -> Run {
    Run::Ended(Outcome::Failed { reason: "PARSE_SYNTAX_ERROR".into(), message: "no".into() })
}

fn lost() -> Run {
    Run::Ended(Outcome::Infrastructure { reason: "Evicted".into(), message: "gone".into() })
}

fn running() -> Run {
    Run::Running { instance: Some("i".into()), progress: None }
}

/// A job that has been submitted at 100.
fn submitted(spec: &FiresteelJobSpec) -> JobStatus {
    step(spec, &JobStatus::default(), 100, Cluster::Ready, Run::Missing).status
}

#[test]
fn the_id_is_written_before_anything_is_submitted() {
    let spec = spec(json!({}));
    let first = step(&spec, &JobStatus::default(), 100, Cluster::Ready, Run::Missing);
    assert_eq!((first.status.phase, first.act), (Phase::Starting, None));
    assert_eq!(first.status.submission_id.as_deref(), Some("u-1"));
    let second = step(&spec, &first.status, 100, Cluster::Ready, Run::Missing);
    assert_eq!((second.act, second.status.submission_id.as_deref()), (Some(Act::Submit), Some("u-1")));
    let third = step(&spec, &second.status, 101, Cluster::Ready, running());
    assert_eq!((third.status.phase, third.act), (Phase::Running, None));
    let done = step(&spec, &third.status, 109, Cluster::Ready, Run::Ended(Outcome::Succeeded));
    assert_eq!(done.status.phase, Phase::Succeeded);
    assert_eq!(done.status.attempts.len(), 1);
    let holds = |kind: &str| {
        done.status.conditions.iter().any(|condition| condition.type_ == kind && condition.status == "True")
    };
    assert!(holds("Complete") && !holds("Failed"));
}

#[test]
fn a_run_out_of_reach_is_waited_for_and_never_replaced() {
    let spec = spec(json!({}));
    let status = submitted(&spec);
    for cluster in [Cluster::Ready, Cluster::NotReady] {
        let later = step(&spec, &status, 100_000, cluster, Run::Unknown);
        assert_eq!((later.status.phase, later.act), (Phase::Starting, None));
        assert_eq!(later.status.submission_id.as_deref(), Some("u-1"));
    }
    let gone = step(&spec, &status, 101, Cluster::Missing, Run::Unknown);
    assert_eq!((gone.status.phase, gone.status.infrastructure_failures), (Phase::Backoff, 1));
}

#[test]
fn failures_of_the_job_and_of_the_infrastructure_are_counted_apart() {
    let spec = spec(
        json!({"restartPolicy": {"type": "OnFailure", "maxAttempts": 2, "maxInfrastructureFailures": 1, "backoffSeconds": 5}}),
    );
    let first = step(&spec, &submitted(&spec), 110, Cluster::Ready, lost());
    assert_eq!((first.status.phase, first.requeue), (Phase::Backoff, 5));
    assert_eq!(step(&spec, &first.status, 114, Cluster::Ready, Run::Missing).status.phase, Phase::Backoff);
    let queued = step(&spec, &first.status, 115, Cluster::Ready, Run::Missing);
    assert_eq!(queued.status.phase, Phase::Queued);
    let second = step(&spec, &queued.status, 115, Cluster::Ready, Run::Missing).status;
    assert_eq!(second.submission_id.as_deref(), Some("u-2"));
    let retried = step(&spec, &second, 120, Cluster::Ready, failed()).status;
    assert_eq!((retried.phase, retried.failures, retried.infrastructure_failures), (Phase::Backoff, 1, 1));
    let third = step(
        &spec,
        &step(&spec, &retried, 200, Cluster::Ready, Run::Missing).status,
        200,
        Cluster::Ready,
        Run::Missing,
    )
    .status;
    assert_eq!(step(&spec, &third, 201, Cluster::Ready, failed()).status.phase, Phase::Failed);
    assert_eq!(step(&spec, &third, 201, Cluster::Ready, lost()).status.phase, Phase::Failed);
}

#[test]
fn the_policy_says_what_is_tried_again() {
    let at_end = |policy: &str, run: Run| {
        let spec = spec(json!({"restartPolicy": {"type": policy}}));
        step(&spec, &submitted(&spec), 110, Cluster::Ready, run).status.phase
    };
    assert_eq!(at_end("Never", lost()), Phase::Failed);
    assert_eq!(at_end("Never", failed()), Phase::Failed);
    assert_eq!(at_end("OnInfrastructureFailure", failed()), Phase::Failed);
    assert_eq!(at_end("OnInfrastructureFailure", lost()), Phase::Backoff);
    assert_eq!(at_end("OnFailure", failed()), Phase::Backoff);
    assert_eq!(at_end("OnFailure", Run::Ended(Outcome::TimedOut)), Phase::Failed);
}

#[test]
fn waits_are_doubled_or_grow_evenly_up_to_their_limit() {
    let waits = |growth: &str| {
        let policy = json!({"backoffGrowth": growth, "backoffSeconds": 3, "backoffMaxSeconds": 20});
        let spec = spec(json!({"restartPolicy": policy}));
        [1, 2, 3, 4, 90].map(|failures| backoff(&spec, failures))
    };
    assert_eq!(waits("Doubling"), [3, 6, 12, 20, 20]);
    assert_eq!(waits("Linear"), [3, 6, 9, 12, 20]);
}

#[test]
fn times_run_out() {
    let limits = spec(json!({"timeouts": {"queueSeconds": 10, "startSeconds": 20, "activeSeconds": 30}}));
    let waiting = step(&limits, &JobStatus::default(), 100, Cluster::NotReady, Run::Missing);
    assert_eq!((waiting.status.phase, waiting.status.reason.as_deref()), (Phase::Queued, Some("ClusterNotReady")));
    let late = step(&limits, &waiting.status, 110, Cluster::NotReady, Run::Missing);
    assert_eq!((late.status.phase, late.status.reason.as_deref()), (Phase::Failed, Some("QueueTimeout")));
    let pending = || Run::Waiting { reason: "ImagePullBackOff".into(), message: "no image".into() };
    let status = submitted(&limits);
    assert_eq!(
        step(&limits, &status, 119, Cluster::Ready, pending()).status.reason.as_deref(),
        Some("ImagePullBackOff")
    );
    let stuck = step(&limits, &status, 120, Cluster::Ready, pending());
    assert_eq!((stuck.status.phase, stuck.act), (Phase::Backoff, Some(Act::Stop)));
    let queued = step(&limits, &status, 10_000, Cluster::Ready, Run::Queued).status;
    assert_eq!((queued.phase, queued.reason.as_deref()), (Phase::Starting, Some("SchedulerBusy")));
    let runs = step(&limits, &status, 120, Cluster::Ready, running()).status;
    assert_eq!(step(&limits, &runs, 149, Cluster::Ready, running()).act, None);
    let stopping = step(&limits, &runs, 150, Cluster::Ready, running());
    assert_eq!((stopping.status.phase, stopping.act), (Phase::Running, Some(Act::Stop)));
    let stopped = step(&limits, &stopping.status, 152, Cluster::Ready, Run::Missing).status;
    assert_eq!((stopped.phase, stopped.reason.as_deref()), (Phase::Failed, Some("Timeout")));
}

#[test]
fn what_takes_long_is_asked_for_seldom_but_in_time_for_its_limit() {
    let limited = spec(json!({"timeouts": {"activeSeconds": 1000}}));
    let runs = step(&limited, &submitted(&limited), 100, Cluster::Ready, running()).status;
    for (taken, wait) in [(0, ASKED), (15, ASKED), (80, 10), (900, 15), (990, 10), (999, 1)] {
        assert_eq!(step(&limited, &runs, 100 + taken, Cluster::Ready, running()).requeue, wait, "{taken}");
    }
    let waits = submitted(&limited);
    let soon = step(&limited, &waits, 101, Cluster::Ready, Run::Queued);
    assert_eq!((soon.requeue, soon.status.reason.as_deref()), (ASKED, Some("Submitting")));
    let later = step(&limited, &waits, 180, Cluster::Ready, Run::Queued);
    assert_eq!((later.requeue, later.status.reason.as_deref()), (10, Some("SchedulerBusy")));
}

#[test]
fn suspension_stops_the_run_first_and_begins_anew_after() {
    let (on, off) = (spec(json!({"suspend": true})), spec(json!({})));
    assert_eq!(step(&on, &JobStatus::default(), 1, Cluster::Ready, Run::Missing).status.phase, Phase::Suspended);
    let runs = step(&off, &submitted(&off), 101, Cluster::Ready, running()).status;
    let stopping = step(&on, &runs, 102, Cluster::Ready, running());
    assert_eq!((stopping.status.phase, stopping.act), (Phase::Suspending, Some(Act::Stop)));
    let stopped = step(&on, &stopping.status, 103, Cluster::Ready, Run::Ended(Outcome::Cancelled)).status;
    assert_eq!(stopped.phase, Phase::Suspended);
    let again = step(&off, &stopped, 200, Cluster::Ready, Run::Missing).status;
    assert_eq!(again.phase, Phase::Queued);
    assert_eq!(step(&off, &again, 200, Cluster::Ready, Run::Missing).status.submission_id.as_deref(), Some("u-2"));
    let won = step(&on, &stopping.status, 103, Cluster::Ready, Run::Ended(Outcome::Succeeded)).status;
    assert_eq!(won.phase, Phase::Succeeded);
}

#[test]
fn a_finished_job_is_deleted_when_its_time_has_come() {
    let spec = spec(json!({"ttlSecondsAfterFinished": 60}));
    let done = step(&spec, &submitted(&spec), 110, Cluster::Ready, Run::Ended(Outcome::Succeeded)).status;
    let early = step(&spec, &done, 169, Cluster::Missing, Run::Unknown);
    assert_eq!((early.act, early.requeue), (None, 1));
    assert_eq!(step(&spec, &done, 170, Cluster::Missing, Run::Unknown).act, Some(Act::Delete));
}

/// Whatever is seen in whatever order: a submission follows a written id, ids never come back, and ends are final.
#[test]
fn no_history_submits_twice() {
    let mut seed: u64 = 7;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..2000 {
        let policy = ["Never", "OnInfrastructureFailure", "OnFailure"][random(3) as usize];
        let mut status = JobStatus::default();
        let mut given_up: Vec<String> = Vec::new();
        let mut now = 0;
        for _ in 0..60 {
            now += random(20) as i64;
            let spec = spec(
                json!({"suspend": random(9) == 0, "restartPolicy": {"type": policy}, "timeouts": {"activeSeconds": 50}}),
            );
            let cluster =
                [Cluster::Missing, Cluster::Asleep, Cluster::NotReady, Cluster::Ready][random(4) as usize].clone();
            let run = match random(8) {
                7 => Run::Queued,
                0 => Run::Unknown,
                1 => Run::Missing,
                2 => failed(),
                3 => lost(),
                4 => Run::Ended(Outcome::Succeeded),
                _ => running(),
            };
            let decision = step(&spec, &status, now, cluster, run);
            let id = decision.status.submission_id.clone();
            if decision.act == Some(Act::Submit) {
                assert_eq!(id, status.submission_id, "an id that was not written before");
            }
            if let Some(before) = &status.submission_id
                && Some(before) != id.as_ref()
            {
                given_up.push(before.clone());
            }
            assert!(id.is_none_or(|id| !given_up.contains(&id)), "an id came back");
            if status.phase.is_final() {
                assert_eq!(decision.status.phase, status.phase);
                assert!(decision.act.is_none());
            }
            status = decision.status;
        }
    }
}
