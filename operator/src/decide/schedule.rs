//! When a schedule makes a job, and which of its jobs go.

use super::calendar::Calendar;
use super::{News, Seconds, seconds, time};
use crate::api::schedule::{CatchUp, Concurrency, FiresteelScheduleSpec, ScheduleStatus};
use crate::api::set_condition;

/// Missed times that are counted one by one.
const COUNTED: usize = 1000;
/// Seconds that nobody calls late.
const PUNCTUAL: i64 = 60;

/// A job of the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) created: Seconds,
    /// When it ended.
    pub(crate) finished: Option<Seconds>,
    pub(crate) succeeded: bool,
    /// Its deletion has been asked for.
    pub(crate) going: bool,
}

/// What the decision rests on.
#[derive(Debug, Clone)]
pub(crate) struct Seen<'a> {
    pub(crate) now: Seconds,
    pub(crate) name: &'a str,
    pub(crate) created: Seconds,
    pub(crate) generation: Option<i64>,
    pub(crate) spec: &'a FiresteelScheduleSpec,
    pub(crate) status: &'a ScheduleStatus,
    pub(crate) jobs: &'a [Job],
}

/// The decision: the job is made before the status is written, since its name makes a second creation harmless.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) create: Option<String>,
    pub(crate) delete: Vec<String>,
    pub(crate) status: ScheduleStatus,
    /// Seconds until the next look.
    pub(crate) requeue: i64,
    pub(crate) news: Vec<News>,
}

/// The name of the job of a time.
pub(crate) fn job_name(schedule: &str, at: Seconds) -> String {
    format!("{schedule}-{}", at.div_euclid(60))
}

/// Decides.
pub(crate) fn decide(seen: &Seen<'_>) -> Decision {
    let mut decision = Decision {
        create: None,
        delete: Vec::new(),
        status: ScheduleStatus { observed_generation: seen.generation, ..seen.status.clone() },
        requeue: 3600,
        news: Vec::new(),
    };
    match Calendar::parse(&seen.spec.schedule, &seen.spec.time_zone) {
        Ok(calendar) => {
            valid(seen, &mut decision, None);
            due(seen, &calendar, &mut decision);
        }
        Err(problem) => {
            if !seen.status.conditions.iter().any(|condition| condition.message == problem) {
                decision.news.push(News::warning("ScheduleInvalid", problem.clone()));
            }
            decision.status.next_schedule_time = None;
            valid(seen, &mut decision, Some(&problem));
        }
    }
    history(seen, &mut decision);
    decision
}

fn valid(seen: &Seen<'_>, decision: &mut Decision, problem: Option<&str>) {
    let (reason, message) = match problem {
        Some(problem) => ("ScheduleInvalid", problem),
        None => ("ScheduleValid", ""),
    };
    let conditions = &mut decision.status.conditions;
    set_condition(
        conditions,
        "ScheduleValid",
        Some(problem.is_none()),
        reason,
        message,
        seen.generation,
        time(seen.now),
    );
}

fn due(seen: &Seen<'_>, calendar: &Calendar, decision: &mut Decision) {
    let Seen { now, spec, .. } = *seen;
    let last = seen.status.last_schedule_time.as_ref().map_or(seen.created, seconds);
    let next = calendar.next(now);
    decision.status.next_schedule_time = next.filter(|_| !spec.suspend).map(time);
    decision.requeue = next.map_or(3600, |next| (next - now).clamp(1, 3600));
    if spec.suspend {
        return;
    }
    let Some(at) = calendar.previous(now, last) else { return };
    let counted = calendar.count(last, at, COUNTED);
    let mut missed = i64::try_from(counted.saturating_sub(1)).unwrap_or(i64::MAX);
    let late = now - at;
    let active: Vec<&Job> = seen.jobs.iter().filter(|job| job.finished.is_none() && !job.going).collect();
    let name = job_name(seen.name, at);
    let made = seen.jobs.iter().any(|job| job.name == name);
    let too_late = spec.starting_deadline_seconds.is_some_and(|limit| late > limit)
        || spec.catch_up == CatchUp::None && late > PUNCTUAL;
    if made {
        // The operator ended between making it and writing so.
    } else if too_late {
        missed += 1;
        decision
            .news
            .push(News::warning("Missed", format!("a job was due {late} seconds ago, which is too late to start it")));
    } else if !active.is_empty() && spec.concurrency_policy == Concurrency::Forbid {
        missed += 1;
        let names = active.iter().map(|job| job.name.as_str()).collect::<Vec<_>>().join(", ");
        decision.news.push(News::normal("Skipped", format!("{names} still runs")));
    } else {
        if spec.concurrency_policy == Concurrency::Replace {
            decision.delete.extend(active.iter().map(|job| job.name.clone()));
        }
        decision.create = Some(name);
    }
    decision.status.last_schedule_time = Some(time(at));
    decision.status.missed_runs = decision.status.missed_runs.saturating_add(missed);
}

fn history(seen: &Seen<'_>, decision: &mut Decision) {
    let mut active: Vec<String> = seen
        .jobs
        .iter()
        .filter(|job| job.finished.is_none() && !job.going && !decision.delete.contains(&job.name))
        .map(|job| job.name.clone())
        .collect();
    active.extend(decision.create.iter().filter(|name| !seen.jobs.iter().any(|job| &job.name == *name)).cloned());
    active.sort();
    decision.status.active_count = i32::try_from(active.len()).unwrap_or(i32::MAX);
    decision.status.active = active;
    let successes = seen.jobs.iter().filter(|job| job.succeeded).filter_map(|job| job.finished).max();
    if let Some(last) = successes {
        let before = decision.status.last_successful_time.as_ref().map_or(i64::MIN, seconds);
        decision.status.last_successful_time = Some(time(last.max(before)));
    }
    for (succeeded, limit) in
        [(true, seen.spec.successful_jobs_history_limit), (false, seen.spec.failed_jobs_history_limit)]
    {
        let mut ended: Vec<&Job> =
            seen.jobs.iter().filter(|job| job.finished.is_some() && job.succeeded == succeeded && !job.going).collect();
        ended.sort_by_key(|job| std::cmp::Reverse((job.finished, job.created, job.name.clone())));
        let old = ended.into_iter().skip(usize::try_from(limit).unwrap_or(0));
        decision.delete.extend(old.map(|job| job.name.clone()));
    }
}

#[cfg(test)]
mod tests;
