//! Sizes by load, and who may go.

use super::*;
use crate::api::Placement;
use crate::api::cluster::{ScaleDown, ScaleUp};

fn group(name: &str, min: i32, max: i32) -> ExecutorGroup {
    ExecutorGroup { name: name.into(), min, max, task_slots: None, placement: Placement::default() }
}

fn policy(mode: ScalingMode) -> Autoscaling {
    Autoscaling { mode, scale_up: ScaleUp::default(), scale_down: ScaleDown::default() }
}

fn pod(name: &str, group: &str, busy: bool, idle_seconds: i64) -> ExecutorPod {
    ExecutorPod {
        name: name.into(),
        group: group.into(),
        ready: true,
        gone: false,
        outdated: false,
        draining_since: None,
        member: Some(Member { id: format!("id-{name}"), busy, idle_seconds }),
    }
}

/// Decides with arguments in a row.
#[expect(clippy::too_many_arguments, reason = "each test is a table of them")]
fn decide(
    groups: &[ExecutorGroup],
    slots: &[i32],
    policy: &Autoscaling,
    replicas: Option<i32>,
    pods: &[ExecutorPod],
    demand: Demand,
    history: &mut History,
    now: Seconds,
) -> Scaling {
    super::decide(&Asked { groups, slots, policy, replicas, pods, demand, now }, history)
}

fn demand(pending: i64, running: i64) -> Demand {
    Some(Tasks { pending, running })
}

#[test]
fn groups_are_filled_in_order_between_their_limits() {
    let groups = [(1, 3, 2), (0, 10, 4)];
    assert_eq!(fit(&groups, 0), [1, 0]);
    assert_eq!(fit(&groups, 2), [1, 0]);
    assert_eq!(fit(&groups, 3), [2, 0]);
    assert_eq!(fit(&groups, 6), [3, 0]);
    assert_eq!(fit(&groups, 7), [3, 1]);
    assert_eq!(fit(&groups, 1000), [3, 10]);
    assert_eq!(spread(&[group("a", 1, 3), group("b", 0, 2)], 4), [3, 1]);
    assert_eq!(spread(&[group("a", 1, 3), group("b", 0, 2)], 0), [1, 0]);
}

#[test]
fn from_nothing_to_what_waits_at_once_but_in_steps() {
    let mut steps = policy(ScalingMode::Operator);
    steps.scale_up.max_pods_per_step = 4;
    let scaling = decide(&[group("a", 0, 10)], &[2], &steps, None, &[], demand(20, 0), &mut History::default(), 0);
    assert_eq!((scaling.create, scaling.desired), (vec![4], vec![4]));
}

#[test]
fn nothing_is_removed_blindly_or_before_the_window_is_known() {
    let pods = [pod("a-0", "a", false, 1000)];
    let groups = [group("a", 0, 10)];
    let mut history = History::default();
    let blind = decide(&groups, &[1], &policy(ScalingMode::Operator), None, &pods, None, &mut history, 1000);
    assert_eq!((blind.drain.len(), blind.delete.len(), blind.desired), (0, 0, vec![1]));
    let mut at =
        |now| decide(&groups, &[1], &policy(ScalingMode::Operator), None, &pods, demand(0, 0), &mut history, now);
    assert!(at(1000).drain.is_empty());
    assert!(at(1119).drain.is_empty());
    assert_eq!(at(1120).drain, ["a-0"]);
}

#[test]
fn a_lull_within_the_window_costs_nothing() {
    let pods = [pod("a-0", "a", false, 100), pod("a-1", "a", false, 100)];
    let groups = [group("a", 0, 10)];
    let mut history = History::default();
    let mut at = |now, tasks| {
        decide(&groups, &[1], &policy(ScalingMode::Operator), None, &pods, demand(0, tasks), &mut history, now).drain
    };
    assert!(at(0, 2).is_empty());
    assert!(at(60, 0).is_empty());
    assert!(at(119, 0).is_empty());
    assert!(at(120, 0).is_empty());
    assert_eq!(at(181, 0).len(), 2);
}

#[test]
fn the_busy_and_those_that_hold_data_stay() {
    let mut quick = policy(ScalingMode::Operator);
    quick.scale_down.stabilization_seconds = 0;
    let pods =
        [pod("a-0", "a", true, 0), pod("a-1", "a", false, 59), pod("a-2", "a", false, 60), pod("a-3", "a", false, 600)];
    let scaling = decide(&[group("a", 0, 10)], &[1], &quick, None, &pods, demand(0, 1), &mut History::default(), 0);
    assert_eq!(scaling.drain, ["a-3", "a-2"]);
    assert!(scaling.delete.is_empty());
}

#[test]
fn a_drained_executor_goes_when_it_is_free_or_out_of_time() {
    let mut busy = pod("a-0", "a", true, 0);
    busy.draining_since = Some(0);
    let groups = [group("a", 0, 10)];
    let at = |pods: &[ExecutorPod], demand, now| {
        decide(&groups, &[1], &policy(ScalingMode::Operator), None, pods, demand, &mut History::default(), now).delete
    };
    assert!(at(std::slice::from_ref(&busy), demand(0, 1), 599).is_empty());
    assert_eq!(at(std::slice::from_ref(&busy), demand(0, 1), 600), ["a-0"]);
    busy.member = Some(Member::default());
    assert_eq!(at(std::slice::from_ref(&busy), demand(0, 1), 1), ["a-0"]);
    busy.member = None;
    assert!(at(std::slice::from_ref(&busy), None, 1).is_empty());
}

#[test]
fn external_goes_by_replicas_and_none_by_min() {
    let pods = [pod("a-0", "a", false, 0), pod("a-1", "a", true, 0), pod("a-2", "a", false, 5)];
    let groups = [group("a", 0, 10)];
    let external = |replicas| {
        decide(
            &groups,
            &[1],
            &policy(ScalingMode::External),
            Some(replicas),
            &pods,
            demand(9, 9),
            &mut History::default(),
            0,
        )
    };
    assert_eq!(external(5).create, [2]);
    assert_eq!(external(1).drain, ["a-2", "a-0"]);
    let none = decide(
        &[group("a", 4, 10)],
        &[1],
        &policy(ScalingMode::None),
        None,
        &pods,
        demand(0, 0),
        &mut History::default(),
        0,
    );
    assert_eq!((none.create, none.drain.len()), (vec![1], 0));
}

#[test]
fn executors_of_a_group_that_is_gone_drain() {
    let pods = [pod("old-0", "old", false, 0)];
    let scaling = decide(
        &[group("a", 0, 1)],
        &[1],
        &policy(ScalingMode::Operator),
        None,
        &pods,
        demand(0, 0),
        &mut History::default(),
        0,
    );
    assert_eq!(scaling.drain, ["old-0"]);
}

#[test]
fn executors_of_an_old_spec_are_replaced_as_they_become_free() {
    let mut old = pod("a-0", "a", true, 0);
    old.outdated = true;
    let scaling = decide(
        &[group("a", 1, 1)],
        &[1],
        &policy(ScalingMode::Operator),
        None,
        &[old],
        demand(0, 1),
        &mut History::default(),
        0,
    );
    assert_eq!(
        (scaling.create, scaling.drain.as_slice(), scaling.delete.len()),
        (vec![1], ["a-0".to_owned()].as_slice(), 0)
    );
}

/// A small pseudo-random walk over loads: the laws hold at every step.
#[test]
fn limits_hold_and_no_busy_executor_is_ever_removed() {
    let groups = [group("a", 1, 4), group("b", 0, 6)];
    let slots = [2, 3];
    let mut seed: u64 = 42;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut history = History::default();
    let mut pods: Vec<ExecutorPod> = Vec::new();
    let mut made = 0;
    for step in 0..5000_i64 {
        let now = step * 7;
        let tasks = if step / 60 % 2 == 0 { random(40) as i64 } else { 0 };
        for pod in &mut pods {
            if let Some(member) = &mut pod.member {
                member.busy = tasks > 0 && random(2) == 0;
                member.idle_seconds = if member.busy { 0 } else { member.idle_seconds + 7 };
            } else if random(2) == 0 {
                pod.ready = true;
                pod.member = Some(Member { id: pod.name.clone(), ..Member::default() });
            }
        }
        let seen = if random(10) == 0 { None } else { demand(tasks, 0) };
        let scaling = decide(&groups, &slots, &policy(ScalingMode::Operator), None, &pods, seen, &mut history, now);
        for name in &scaling.drain {
            let pod = pods.iter().find(|pod| &pod.name == name).unwrap();
            assert!(!pod.member.as_ref().unwrap().busy);
        }
        if seen.is_none() {
            assert!(scaling.drain.is_empty());
        }
        for pod in &mut pods {
            if scaling.drain.contains(&pod.name) {
                pod.draining_since = Some(now);
            }
        }
        pods.retain(|pod| !scaling.delete.contains(&pod.name));
        for (index, count) in scaling.create.iter().enumerate() {
            for _ in 0..*count {
                made += 1;
                let mut fresh = pod(&format!("p-{made}"), &groups[index].name, false, 0);
                (fresh.ready, fresh.member) = (false, None);
                pods.push(fresh);
            }
        }
        for group in &groups {
            let count =
                pods.iter().filter(|pod| pod.group == group.name && pod.draining_since.is_none()).count() as i32;
            assert!(count >= group.min.min(1) && count <= group.max, "{} has {count} at {step}", group.name);
        }
    }
    assert!(made > 20);
}
