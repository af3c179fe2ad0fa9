//! What a cluster needs next: pods to make, to drain and to delete, and what its status says.

use super::access::reviews::{self, Reviews};
use super::activate::{self, Gate};
use super::hibernate::{self, Wanted, Window};
use super::pods::slots;
use super::scale::{self, ExecutorPod, History, Scaling, Tasks};
use super::tls::{self, Certificate};
use super::{News, Seconds, seconds, time};
use crate::api::cluster::{ClusterStatus, FiresteelClusterSpec, GroupStatus};
use crate::api::set_condition;

/// The scheduler's pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SchedulerPod {
    pub(crate) name: String,
    pub(crate) ready: bool,
    /// It has ended for good.
    pub(crate) ended: bool,
    /// Its deletion has been asked for.
    pub(crate) going: bool,
    /// It was made from another spec than the present one.
    pub(crate) outdated: bool,
    /// Why it does not start.
    pub(crate) problem: Option<String>,
}

/// What the scheduler says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) version: String,
    pub(crate) queries: i64,
    pub(crate) pending: i64,
    pub(crate) running: i64,
    pub(crate) idle_seconds: i64,
    /// How reviews of tokens go, where it makes them.
    pub(crate) reviews: Option<Reviews>,
}

/// What the decision rests on.
#[derive(Debug, Clone)]
pub(crate) struct Seen<'a> {
    pub(crate) now: Seconds,
    pub(crate) created: Seconds,
    pub(crate) generation: Option<i64>,
    pub(crate) spec: &'a FiresteelClusterSpec,
    pub(crate) status: &'a ClusterStatus,
    pub(crate) wake: Option<&'a str>,
    pub(crate) scheduler: Option<SchedulerPod>,
    pub(crate) executors: &'a [ExecutorPod],
    /// `None` while the scheduler does not answer.
    pub(crate) load: Option<Load>,
    /// The certificate of its ports, where they have one.
    pub(crate) certificate: Option<&'a Certificate>,
    /// Why the API server took no pod the last time.
    pub(crate) refused: Option<&'a str>,
    /// Jobs that wait for the cluster or run on it.
    pub(crate) jobs: usize,
    /// Requests of clients that wait for it.
    pub(crate) held: usize,
    /// Seconds between looks at the load.
    pub(crate) poll: i64,
}

/// The decision.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decision {
    pub(crate) make_scheduler: bool,
    /// Pods to make by group, in the order of the spec.
    pub(crate) create: Vec<i32>,
    pub(crate) drain: Vec<String>,
    pub(crate) delete: Vec<String>,
    pub(crate) delete_cluster: bool,
    pub(crate) gate: Gate,
    pub(crate) status: ClusterStatus,
    pub(crate) requeue: i64,
    pub(crate) news: Vec<News>,
}

/// Decides.
pub(crate) fn decide(seen: &Seen<'_>, history: &mut History) -> Decision {
    let mut decision = Decision { status: seen.status.clone(), requeue: 60, ..Decision::default() };
    decision.status.observed_generation = seen.generation;
    let now = time(seen.now);
    let windows = match Window::parse_all(&seen.spec.hibernation) {
        Ok(windows) => {
            set(&mut decision, seen, "SpecInvalid", Some(false), "Valid", "");
            windows
        }
        Err(problem) => {
            if !seen.status.conditions.iter().any(|condition| condition.message == problem) {
                decision.news.push(News::warning("SpecInvalid", problem.clone()));
            }
            set(&mut decision, seen, "SpecInvalid", Some(true), "BadSchedule", &problem);
            Vec::new()
        }
    };
    load(seen, &mut decision);
    let told = seen.load.as_ref().and_then(|load| load.reviews.as_ref());
    decision.news.extend(reviews::tell(seen.spec, told, seen.now, &mut decision.status));
    decision.news.extend(tls::tell(seen.spec.tls.as_ref(), seen.certificate, seen.now, &mut decision.status));
    let wanted = hibernate::wanted(
        &seen.spec.hibernation,
        &windows,
        &hibernate::Seen {
            now: seen.now,
            asleep: seen.status.hibernated_at.is_some() || seen.status.hibernating_since.is_some(),
            jobs: seen.jobs,
            held: seen.held,
            idle: seen.load.as_ref().map(|load| if load.queries > 0 { 0 } else { load.idle_seconds }),
            awake_for: ready_since(seen.status).map_or(0, |since| seen.now - since),
            wake: seen.wake,
            wake_seen: seen.status.wake_seen.as_deref(),
        },
    );
    if wanted == Wanted::Awake {
        if let Some(since) = decision.status.hibernated_at.take() {
            let slept = seen.now - seconds(&since);
            let whom = if seen.held > 0 { ", for a client that connected" } else { "" };
            decision.news.push(News::normal("Waking", format!("after {slept} seconds of hibernation{whom}")));
        }
        (decision.status.hibernating_since, decision.status.wake_seen) = (None, None);
        awake(seen, history, &mut decision);
    } else {
        *history = History::default();
        asleep(seen, wanted, &mut decision);
    }
    decision.gate = activate::gate(&seen.spec.hibernation, wanted, ready_since(&decision.status), seen.now);
    if let Some(change) = hibernate::next_change(&windows, seen.now) {
        decision.requeue = decision.requeue.min((change - seen.now).max(1));
    }
    expiry(seen, &mut decision);
    if decision.status.conditions != seen.status.conditions || decision.status.phase != seen.status.phase {
        tracing::debug!(phase = decision.status.phase, at = %now.0, "the cluster changes");
    }
    decision
}

fn set(decision: &mut Decision, seen: &Seen<'_>, kind: &str, holds: Option<bool>, reason: &str, message: &str) {
    let conditions = &mut decision.status.conditions;
    set_condition(conditions, kind, holds, reason, message, seen.generation, time(seen.now));
}

fn ready_since(status: &ClusterStatus) -> Option<Seconds> {
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready" && condition.status == "True")?;
    Some(seconds(&ready.last_transition_time))
}

/// What the load says goes into the status; small movements of the idle time do not, so that the status rests.
fn load(seen: &Seen<'_>, decision: &mut Decision) {
    let status = &mut decision.status;
    let Some(load) = &seen.load else { return };
    (status.pending_tasks, status.running_tasks) = (load.pending, load.running);
    status.version = Some(load.version.clone());
    if load.queries > 0 {
        status.idle_since = None;
    } else {
        let since = seen.now - load.idle_seconds;
        let known = status.idle_since.as_ref().map(seconds);
        if known.is_none_or(|known| (known - since).abs() > 2 * seen.poll.max(2)) {
            status.idle_since = Some(time(since));
        }
    }
}

fn awake(seen: &Seen<'_>, history: &mut History, decision: &mut Decision) {
    decision.requeue = seen.poll;
    set(decision, seen, "Hibernated", Some(false), "Awake", "");
    let ready = seen.scheduler.as_ref().is_some_and(|pod| pod.ready && !pod.going) && seen.load.is_some();
    let mut upgrading = false;
    match &seen.scheduler {
        None => decision.make_scheduler = true,
        Some(pod) if pod.ended && !pod.going => {
            decision.delete.push(pod.name.clone());
            decision.news.push(News::warning("SchedulerEnded", "the scheduler's pod ended and is replaced"));
        }
        Some(pod) if pod.outdated && !pod.going => {
            // What cannot start has nothing to lose.
            let idle = seen.load.as_ref().is_some_and(|load| load.queries == 0);
            if idle || !pod.ready {
                decision.delete.push(pod.name.clone());
                let old = seen.executors.iter().filter(|executor| executor.outdated && !executor.gone);
                decision.delete.extend(old.map(|executor| executor.name.clone()));
                decision.news.push(News::normal("Upgrading", "the scheduler is replaced by one of the present spec"));
            }
            upgrading = true;
        }
        Some(_) => {}
    }
    let groups = &seen.spec.executor_groups;
    let count = |group: &str, pick: fn(&ExecutorPod) -> bool| {
        let of_group = seen.executors.iter().filter(|pod| pod.group == group && !pod.gone && pick(pod));
        i32::try_from(of_group.count()).unwrap_or(i32::MAX)
    };
    let scaling = if upgrading {
        // Executors of another version than their scheduler's are not to be trusted.
        Scaling { desired: groups.iter().map(|group| count(&group.name, |_| true)).collect(), ..Scaling::default() }
    } else {
        let slots: Vec<i32> = groups.iter().map(slots).collect();
        let tasks = seen.load.as_ref().map(|load| Tasks { pending: load.pending, running: load.running });
        let asked = scale::Asked {
            groups,
            slots: &slots,
            policy: &seen.spec.autoscaling,
            replicas: seen.spec.replicas,
            pods: seen.executors,
            demand: tasks,
            now: seen.now,
        };
        scale::decide(&asked, history)
    };
    told(seen, &scaling, decision);
    decision.status.groups = groups
        .iter()
        .enumerate()
        .map(|(index, group)| GroupStatus {
            name: group.name.clone(),
            desired: scaling.desired.get(index).copied().unwrap_or(0),
            ready: count(&group.name, |pod| pod.ready && pod.member.is_some()),
            draining: count(&group.name, |pod| pod.draining_since.is_some()),
        })
        .collect();
    decision.create = scaling.create;
    decision.drain = scaling.drain;
    for pod in scaling.delete {
        if !decision.delete.contains(&pod) {
            decision.delete.push(pod);
        }
    }
    // Ended pods make room for new ones of the same name.
    totals(seen, decision);
    let problem = match &seen.scheduler {
        Some(pod) => pod.problem.clone(),
        None => seen.refused.map(str::to_owned),
    };
    // A pod that waits for a Secret says only that it is being made.
    let problem = problem.or_else(|| match seen.certificate {
        Some(Certificate::Unusable(why)) => Some(why.clone()),
        _ => None,
    });
    let (reason, message) = match (&problem, &seen.scheduler) {
        _ if ready => ("Ready", String::new()),
        (Some(problem), _) => ("SchedulerFailing", problem.clone()),
        (None, Some(pod)) if pod.ready => ("SchedulerUnreachable", "the scheduler does not answer".to_owned()),
        (None, _) => ("SchedulerStarting", "the scheduler is starting".to_owned()),
    };
    set(decision, seen, "Ready", Some(ready), reason, &message);
    let paused = if upgrading {
        Some(("Upgrading", "running queries are waited for before the scheduler is replaced"))
    } else if seen.load.is_none() {
        Some(("LoadUnknown", "the scheduler does not say what it needs; no executor is removed"))
    } else {
        seen.refused.map(|why| ("PodRefused", why))
    };
    let (reason, message) = paused.unwrap_or(("Scaling", ""));
    set(decision, seen, "ScalingPaused", Some(paused.is_some()), reason, message);
    let before = seen.status.phase.as_str();
    decision.status.phase = if ready {
        if upgrading { "Upgrading" } else { "Ready" }
    } else if problem.is_some() {
        "Degraded"
    } else {
        match before {
            "Hibernated" | "Hibernating" | "Waking" => "Waking",
            "Ready" | "Degraded" | "Upgrading" => "Degraded",
            _ => "Provisioning",
        }
    }
    .to_owned();
    if ready && before != "Ready" && !upgrading {
        decision.news.push(News::normal("Ready", "the cluster takes queries"));
    }
}

/// Changes of size are told with their reason.
fn told(seen: &Seen<'_>, scaling: &Scaling, decision: &mut Decision) {
    let (pending, running) = seen.load.as_ref().map_or((0, 0), |load| (load.pending, load.running));
    let made: i32 = scaling.create.iter().sum();
    let note = if made > 0 {
        Some(format!("adding {made} executors: {pending} tasks wait and {running} run"))
    } else if !scaling.drain.is_empty() {
        Some(format!("removing {}: idle, {pending} tasks wait and {running} run", scaling.drain.join(", ")))
    } else {
        None
    };
    if let Some(note) = note {
        decision.status.last_scale_time = Some(time(seen.now));
        decision.status.last_scale_reason = Some(note.clone());
        decision.news.push(News::normal("Scaling", note));
    }
}

fn totals(seen: &Seen<'_>, decision: &mut Decision) {
    let status = &mut decision.status;
    let present = seen.executors.iter().filter(|pod| !pod.gone).count();
    status.replicas = i32::try_from(present).unwrap_or(i32::MAX);
    status.desired_replicas = status.groups.iter().map(|group| group.desired).sum();
    status.ready_replicas = status.groups.iter().map(|group| group.ready).sum();
}

fn asleep(seen: &Seen<'_>, wanted: Wanted, decision: &mut Decision) {
    let since = seconds(decision.status.hibernating_since.get_or_insert_with(|| time(seen.now)));
    if seen.status.hibernating_since.is_none() {
        decision.status.wake_seen = seen.wake.map(str::to_owned);
        decision.news.push(News::normal("Hibernating", format!("reason: {}", wanted.reason())));
    }
    let quiet = match &seen.load {
        Some(load) => load.queries == 0,
        None => seen.scheduler.as_ref().is_none_or(|pod| !pod.ready),
    };
    let left = since + seen.spec.hibernation.grace_seconds - seen.now;
    if quiet || left <= 0 {
        let executors = seen.executors.iter().filter(|pod| !pod.gone).map(|pod| pod.name.clone());
        decision.delete.extend(executors);
        let scheduler = seen.scheduler.iter().filter(|pod| !pod.going).map(|pod| pod.name.clone());
        decision.delete.extend(scheduler);
    }
    decision.status.groups = seen
        .spec
        .executor_groups
        .iter()
        .map(|group| GroupStatus { name: group.name.clone(), ..GroupStatus::default() })
        .collect();
    totals(seen, decision);
    set(decision, seen, "Ready", Some(false), wanted.reason(), "the cluster hibernates");
    let gone = seen.scheduler.is_none() && seen.executors.iter().all(|pod| pod.gone);
    let message = if gone { "" } else { "running queries are waited for" };
    set(decision, seen, "Hibernated", Some(gone), wanted.reason(), message);
    if gone {
        if decision.status.hibernated_at.is_none() {
            decision.status.hibernated_at = Some(time(seen.now));
            decision.news.push(News::normal("Hibernated", "the cluster has no pods"));
        }
        decision.status.phase = "Hibernated".into();
        (decision.status.pending_tasks, decision.status.running_tasks) = (0, 0);
    } else {
        decision.status.phase = "Hibernating".into();
        decision.requeue = seen.poll;
    }
}

/// The end of a cluster that deletes itself. It is never deleted while something runs or waits.
fn expiry(seen: &Seen<'_>, decision: &mut Decision) {
    let Some(policy) = &seen.spec.auto_delete else {
        decision.status.delete_at = None;
        return;
    };
    let idle_since = decision.status.idle_since.as_ref().map(seconds);
    let by_idle = policy.idle_after_seconds.zip(idle_since).map(|(after, since)| since + after);
    let by_age = policy.max_age_seconds.map(|age| seen.created + age);
    let at = [by_idle, by_age].into_iter().flatten().min();
    decision.status.delete_at = at.map(time);
    let Some(at) = at else { return };
    let busy = seen.jobs > 0 || seen.held > 0 || seen.load.as_ref().is_some_and(|load| load.queries > 0);
    let known = seen.load.is_some() || seen.scheduler.is_none();
    if seen.now >= at && !busy && known {
        decision.delete_cluster = true;
        decision.news.push(News::normal("Deleting", "by spec.autoDelete"));
    } else {
        decision.requeue = decision.requeue.min((at - seen.now).max(seen.poll));
    }
}

#[cfg(test)]
mod tests;
