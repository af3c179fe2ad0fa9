//! How many executors a cluster should have, and which may go.

use std::collections::VecDeque;

use super::Seconds;
use crate::api::cluster::{Autoscaling, ExecutorGroup, ScalingMode};

/// An executor pod, with what the scheduler says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExecutorPod {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) ready: bool,
    /// It has ended, or its deletion has been asked for.
    pub(crate) gone: bool,
    /// It was made from another spec than the present one, and is to be replaced.
    pub(crate) outdated: bool,
    /// Since when it drains.
    pub(crate) draining_since: Option<Seconds>,
    /// What the scheduler says; `None` when it does not know the pod (yet).
    pub(crate) member: Option<Member>,
}

/// What the scheduler says of an executor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) busy: bool,
    pub(crate) idle_seconds: i64,
}

/// What the whole cluster has to do. `None` is not known, and then nothing is removed.
pub(crate) type Demand = Option<Tasks>;

/// Tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tasks {
    pub(crate) pending: i64,
    pub(crate) running: i64,
}

/// What to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scaling {
    /// Executors wanted, by group in the order of the spec.
    pub(crate) desired: Vec<i32>,
    /// How many pods to make, by group.
    pub(crate) create: Vec<i32>,
    /// Pods that are to be given no more tasks.
    pub(crate) drain: Vec<String>,
    /// Pods to delete.
    pub(crate) delete: Vec<String>,
}

/// Demand of the last seconds, since a short lull must not cost executors.
#[derive(Debug, Clone, Default)]
pub(crate) struct History(VecDeque<(Seconds, i64)>);

impl History {
    /// Notes a demand and returns the highest of the last `window` seconds. Until that much is known, `None`.
    pub(crate) fn highest(&mut self, now: Seconds, demand: i64, window: i64) -> Option<i64> {
        self.0.push_back((now, demand));
        // One entry older than the window says that the whole window is known.
        while self.0.get(1).is_some_and(|(at, _)| *at <= now - window) {
            self.0.pop_front();
        }
        let known = window == 0 || self.0.front().is_some_and(|(at, _)| *at <= now - window);
        let highest = self.0.iter().filter(|(at, _)| *at >= now - window).map(|(_, demand)| *demand).max();
        if known { highest } else { None }
    }
}

/// Executors by group for a number of tasks at once: groups are filled in order.
pub(crate) fn fit(groups: &[(i32, i32, i32)], tasks: i64) -> Vec<i32> {
    let mut left = tasks - groups.iter().map(|(min, _, slots)| i64::from(*min) * i64::from(*slots)).sum::<i64>();
    groups
        .iter()
        .map(|(min, max, slots)| {
            let slots = i64::from((*slots).max(1));
            let more = if left > 0 { (left + slots - 1) / slots } else { 0 };
            let more = more.min(i64::from(max - min));
            left -= more * slots;
            min + i32::try_from(more).unwrap_or(0)
        })
        .collect()
}

/// `total` executors over groups in order, each between its limits.
fn spread(groups: &[ExecutorGroup], total: i32) -> Vec<i32> {
    let mut left = total - groups.iter().map(|group| group.min).sum::<i32>();
    groups
        .iter()
        .map(|group| {
            let more = left.clamp(0, group.max - group.min);
            left -= more;
            group.min + more
        })
        .collect()
}

/// Pods of a group that count.
fn alive<'a>(pods: &'a [ExecutorPod], group: &'a str) -> impl Iterator<Item = &'a ExecutorPod> {
    pods.iter().filter(move |pod| pod.group == group && !pod.gone && !pod.outdated && pod.draining_since.is_none())
}

/// What the decision rests on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) groups: &'a [ExecutorGroup],
    /// Tasks at once of an executor, by group.
    pub(crate) slots: &'a [i32],
    pub(crate) policy: &'a Autoscaling,
    /// What mode External goes by.
    pub(crate) replicas: Option<i32>,
    pub(crate) pods: &'a [ExecutorPod],
    pub(crate) demand: Demand,
    pub(crate) now: Seconds,
}

/// Decides.
pub(crate) fn decide(asked: &Asked<'_>, history: &mut History) -> Scaling {
    let Asked { groups, slots, policy, replicas, pods, demand, now } = *asked;
    let limits: Vec<(i32, i32, i32)> =
        groups.iter().zip(slots).map(|(group, slots)| (group.min, group.max, *slots)).collect();
    let current: Vec<i32> =
        groups.iter().map(|group| i32::try_from(alive(pods, &group.name).count()).unwrap_or(i32::MAX)).collect();
    // Executors wanted, and how few there may be before any is removed.
    let (wanted, floor): (Vec<i32>, Option<Vec<i32>>) = match (policy.mode, demand) {
        (ScalingMode::None, _) => {
            let wanted: Vec<i32> = groups.iter().map(|group| group.min).collect();
            (wanted.clone(), demand.map(|_| wanted))
        }
        (ScalingMode::External, _) => {
            let wanted = spread(groups, replicas.unwrap_or(0));
            (wanted.clone(), demand.map(|_| wanted))
        }
        (ScalingMode::Operator, None) => (groups.iter().map(|group| group.min).collect(), None),
        (ScalingMode::Operator, Some(tasks)) => {
            let total = tasks.pending + tasks.running;
            let window = i64::from(policy.scale_down.stabilization_seconds);
            let highest = history.highest(now, total, window);
            (fit(&limits, total), highest.map(|highest| fit(&limits, highest)))
        }
    };
    let mut scaling = Scaling::default();
    for (index, group) in groups.iter().enumerate() {
        let have = current.get(index).copied().unwrap_or(0);
        let want = wanted.get(index).copied().unwrap_or(0);
        let missing = (want - have).clamp(0, policy.scale_up.max_pods_per_step);
        scaling.create.push(missing);
        let keep = floor.as_ref().and_then(|floor| floor.get(index)).map_or(have, |floor| (*floor).max(want));
        let excess = (have - keep).clamp(0, policy.scale_down.max_pods_per_step);
        // External and None say how many there are; only the operator's own choice waits for idleness first.
        let patient = policy.mode == ScalingMode::Operator;
        let mut victims: Vec<&ExecutorPod> = alive(pods, &group.name)
            .filter(|pod| match &pod.member {
                Some(member) => {
                    !patient || !member.busy && member.idle_seconds >= i64::from(policy.scale_down.idle_seconds)
                }
                // A pod that has not come up is cheap to lose, but it may come up any moment for tasks that wait.
                None => !pod.ready,
            })
            .collect();
        victims.sort_by_key(|pod| {
            let member = pod.member.as_ref();
            (
                member.is_some_and(|member| member.busy),
                std::cmp::Reverse(member.map_or(i64::MAX, |member| member.idle_seconds)),
                pod.name.clone(),
            )
        });
        let victims: Vec<&ExecutorPod> = victims.into_iter().take(usize::try_from(excess).unwrap_or(0)).collect();
        scaling.desired.push(if missing > 0 {
            have + missing
        } else {
            have - i32::try_from(victims.len()).unwrap_or(0)
        });
        for pod in victims {
            if pod.member.is_some() {
                scaling.drain.push(pod.name.clone())
            } else {
                scaling.delete.push(pod.name.clone())
            }
        }
    }
    let timeout = i64::from(policy.scale_down.drain_timeout_seconds);
    for pod in pods.iter().filter(|pod| !pod.gone) {
        let known = !pod.outdated && groups.iter().any(|group| group.name == pod.group);
        match (pod.draining_since, &pod.member) {
            // A scheduler that is not reached says nothing of its members.
            (Some(since), Some(member)) if !member.busy || now - since >= timeout => {
                scaling.delete.push(pod.name.clone())
            }
            (Some(_), None) if demand.is_some() => scaling.delete.push(pod.name.clone()),
            (None, Some(_)) if !known => scaling.drain.push(pod.name.clone()),
            (None, None) if !known && demand.is_some() => scaling.delete.push(pod.name.clone()),
            _ => {}
        }
    }
    scaling
}

#[cfg(test)]
mod tests;
