//! Lives of clusters, told step by step.

mod nights;

use super::*;
use crate::decide::scale::Member;
use serde_json::{Value, json};

fn spec(extra: Value) -> FiresteelClusterSpec {
    let mut spec = json!({
        "image": "i", "warehouse": "s3a://b/w", "allowUnauthenticated": true,
        "executorGroups": [{"name": "a", "min": 0, "max": 4, "taskSlots": 2}],
    });
    spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn seen<'a>(spec: &'a FiresteelClusterSpec, status: &'a ClusterStatus, now: Seconds) -> Seen<'a> {
    Seen {
        now,
        created: 0,
        generation: Some(1),
        spec,
        status,
        wake: None,
        scheduler: None,
        executors: &[],
        load: None,
        certificate: None,
        refused: None,
        jobs: 0,
        held: 0,
        poll: 5,
    }
}

fn up() -> Option<SchedulerPod> {
    Some(SchedulerPod { name: "c-scheduler".into(), ready: true, ..SchedulerPod::default() })
}

fn idle(seconds: i64) -> Option<Load> {
    Some(Load { version: "1".into(), idle_seconds: seconds, ..Load::default() })
}

fn executor(name: &str) -> ExecutorPod {
    ExecutorPod {
        name: name.into(),
        group: "a".into(),
        ready: true,
        gone: false,
        outdated: false,
        draining_since: None,
        member: Some(Member::default()),
    }
}

fn once(seen: &Seen<'_>) -> Decision {
    decide(seen, &mut History::default())
}

#[test]
fn a_new_cluster_gets_a_scheduler_and_then_executors_by_load() {
    let spec = spec(json!({}));
    let first = once(&seen(&spec, &ClusterStatus::default(), 10));
    assert!(first.make_scheduler);
    assert_eq!((first.status.phase.as_str(), first.create), ("Provisioning", vec![0]));
    let load = Some(Load { pending: 5, queries: 1, ..Load::default() });
    let second = once(&Seen { scheduler: up(), load, ..seen(&spec, &first.status, 20) });
    assert_eq!((second.status.phase.as_str(), second.create, second.make_scheduler), ("Ready", vec![3], false));
    assert_eq!(second.status.desired_replicas, 3);
    assert!(second.status.last_scale_reason.unwrap().contains("5 tasks wait"));
}

#[test]
fn a_scheduler_that_waits_for_its_certificate_says_so_and_one_that_has_it_goes_on_without() {
    let spec = spec(json!({"tls": {"secretName": "cert"}}));
    let missing = Certificate::Unusable("there is no Secret 'cert' for spec.tls".into());
    let waits = Some(SchedulerPod { name: "c-scheduler".into(), ..SchedulerPod::default() });
    let status = ClusterStatus::default();
    let told = once(&Seen { scheduler: waits, certificate: Some(&missing), ..seen(&spec, &status, 10) });
    let condition = |kind: &str| {
        let condition = told.status.conditions.iter().find(|condition| condition.type_ == kind).unwrap();
        (condition.status.clone(), condition.reason.clone(), condition.message.clone())
    };
    let why = "there is no Secret 'cert' for spec.tls".to_owned();
    assert_eq!(condition("Ready"), ("False".into(), "SchedulerFailing".into(), why.clone()));
    assert_eq!(condition("CertificateFound"), ("False".into(), "CertificateUnusable".into(), why));
    assert_eq!(told.news.iter().filter(|news| news.reason == "CertificateUnusable").count(), 1);
    let serves = Seen { scheduler: up(), load: idle(0), certificate: Some(&missing), ..seen(&spec, &status, 20) };
    assert_eq!(once(&serves).status.phase, "Ready");
}

#[test]
fn idleness_leads_to_no_pods_at_all_and_a_job_back() {
    let spec = spec(json!({"hibernation": {"idleAfterSeconds": 60}}));
    let ready = once(&Seen { scheduler: up(), load: idle(0), ..seen(&spec, &ClusterStatus::default(), 100) }).status;
    let executors = [executor("c-a-0")];
    let awake = once(&Seen { scheduler: up(), load: idle(59), executors: &executors, ..seen(&spec, &ready, 159) });
    assert_eq!(awake.status.phase, "Ready");
    let going =
        once(&Seen { scheduler: up(), load: idle(60), executors: &executors, ..seen(&spec, &awake.status, 160) });
    assert_eq!((going.status.phase.as_str(), going.delete.len()), ("Hibernating", 2));
    let gone = once(&seen(&spec, &going.status, 165));
    assert_eq!((gone.status.phase.as_str(), gone.status.hibernated_at.clone()), ("Hibernated", Some(time(165))));
    assert!(!gone.make_scheduler);
    let woken = once(&Seen { jobs: 1, ..seen(&spec, &gone.status, 1000) });
    assert!(woken.make_scheduler);
    assert_eq!((woken.status.phase.as_str(), woken.status.hibernated_at), ("Waking", None));
}

#[test]
fn a_client_that_waits_brings_it_back_and_finds_somebody_all_the_time() {
    let spec = spec(json!({"hibernation": {"idleAfterSeconds": 60, "wakeOnConnection": true}}));
    let ready = once(&Seen { scheduler: up(), load: idle(0), ..seen(&spec, &ClusterStatus::default(), 100) }).status;
    let awake = once(&Seen { scheduler: up(), load: idle(59), ..seen(&spec, &ready, 159) });
    assert_eq!(awake.gate, Gate::Shut("Awake"));
    let going = once(&Seen { scheduler: up(), load: idle(60), ..seen(&spec, &awake.status, 160) });
    // The scheduler goes with the look in which connections begin to come here.
    assert_eq!((going.delete.len(), going.gate), (1, Gate::Hold));
    let gone = once(&seen(&spec, &going.status, 165));
    assert_eq!((gone.make_scheduler, gone.gate), (false, Gate::Hold));
    let woken = once(&Seen { held: 1, ..seen(&spec, &gone.status, 1000) });
    assert_eq!((woken.make_scheduler, woken.gate), (true, Gate::Hold));
    assert!(woken.news.iter().any(|news| news.reason == "Waking" && news.note.contains("a client")));
    // The client may have gone away meanwhile: what was begun goes on.
    let starts = once(&Seen { scheduler: Some(SchedulerPod::default()), ..seen(&spec, &woken.status, 1005) });
    assert_eq!((starts.status.phase.as_str(), starts.gate), ("Waking", Gate::Hold));
    let back = once(&Seen { scheduler: up(), load: idle(0), ..seen(&spec, &starts.status, 1010) });
    assert_eq!((back.status.phase.as_str(), back.gate), ("Ready", Gate::Pass));
    let later = |now| once(&Seen { scheduler: up(), load: idle(0), ..seen(&spec, &back.status, now) }).gate;
    assert_eq!((later(1015), later(1025)), (Gate::Leave, Gate::Shut("Awake")));
}

#[test]
fn running_queries_are_waited_for_but_not_for_ever() {
    let spec = spec(json!({"hibernation": {"suspend": true, "graceSeconds": 30}}));
    let busy = || Some(Load { queries: 1, ..Load::default() });
    let first = once(&Seen { scheduler: up(), load: busy(), ..seen(&spec, &ClusterStatus::default(), 100) });
    assert_eq!((first.status.phase.as_str(), first.delete.len()), ("Hibernating", 0));
    let late = once(&Seen { scheduler: up(), load: busy(), ..seen(&spec, &first.status, 130) });
    assert_eq!(late.delete, ["c-scheduler"]);
    // Jobs do not wake what was put to sleep by hand.
    let asleep = once(&Seen { jobs: 2, ..seen(&spec, &late.status, 140) });
    assert!(!asleep.make_scheduler);
}

#[test]
fn an_upgrade_waits_for_queries_and_then_replaces_all() {
    let spec = spec(json!({}));
    let old = || Some(SchedulerPod { outdated: true, ..up().unwrap() });
    let executors = [ExecutorPod { outdated: true, ..executor("c-a-0") }];
    let busy = Some(Load { queries: 1, pending: 9, ..Load::default() });
    let waits = once(&Seen {
        scheduler: old(),
        load: busy,
        executors: &executors,
        ..seen(&spec, &ClusterStatus::default(), 9)
    });
    assert_eq!((waits.status.phase.as_str(), waits.delete.len(), waits.create.len()), ("Upgrading", 0, 0));
    let goes = once(&Seen { scheduler: old(), load: idle(1), executors: &executors, ..seen(&spec, &waits.status, 20) });
    assert_eq!(goes.delete, ["c-scheduler", "c-a-0"]);
}

#[test]
fn a_cluster_deletes_itself_only_when_nothing_runs() {
    let spec = spec(json!({"autoDelete": {"idleAfterSeconds": 100, "maxAgeSeconds": 5000}}));
    let ask =
        |load, jobs, now| once(&Seen { scheduler: up(), load, jobs, ..seen(&spec, &ClusterStatus::default(), now) });
    assert!(!ask(idle(99), 0, 999).delete_cluster);
    assert!(ask(idle(100), 0, 1000).delete_cluster);
    assert!(!ask(idle(100), 1, 1000).delete_cluster);
    assert!(!ask(Some(Load { queries: 1, ..Load::default() }), 0, 6000).delete_cluster);
    assert!(ask(idle(0), 0, 6000).delete_cluster);
    assert!(!ask(None, 0, 6000).delete_cluster);
}

#[test]
fn a_bad_schedule_is_a_condition_that_names_it() {
    let spec = spec(json!({"hibernation": {"schedules": [{"start": "0 25 * * *", "end": "0 7 * * *"}]}}));
    let decision = once(&seen(&spec, &ClusterStatus::default(), 10));
    let invalid = decision.status.conditions.iter().find(|condition| condition.type_ == "SpecInvalid").unwrap();
    assert!(invalid.status == "True" && invalid.message.contains("0 25 * * *"));
    assert!(decision.make_scheduler);
}

#[test]
fn pods_that_the_api_server_does_not_take_are_told_and_tried_again() {
    let spec = spec(json!({}));
    let message = "serviceaccount \"spark\" not found";
    let refused = Some(message);
    let condition = |decision: &Decision, kind: &str| {
        let of = decision.status.conditions.iter().find(|condition| condition.type_ == kind).unwrap().clone();
        (of.status, of.reason, of.message)
    };
    let first = once(&Seen { refused, ..seen(&spec, &ClusterStatus::default(), 10) });
    let told = (first.make_scheduler, first.status.phase.as_str(), condition(&first, "Ready"));
    let why = message.to_owned();
    assert_eq!(told, (true, "Degraded", ("False".into(), "SchedulerFailing".into(), why.clone())));
    let load = Some(Load { pending: 1, queries: 1, ..Load::default() });
    let second = once(&Seen { scheduler: up(), load, refused, ..seen(&spec, &first.status, 20) });
    assert_eq!((second.status.phase.as_str(), second.create.clone()), ("Ready", vec![1]));
    assert_eq!(condition(&second, "ScalingPaused"), ("True".into(), "PodRefused".into(), why));
}
