//! The life of a job.
//!
//! ```text
//! Queued -> Starting -> Running -> Succeeded | Failed
//!   ^          |           |
//!   +- Backoff <-----------+          any of them -> Suspending -> Suspended -> Queued
//! ```
//!
//! The id of a submission is in the status before the submission is made, and making it again is no second run. So an
//! operator that dies anywhere finds its place again. A run whose fate is unknown is waited for, never replaced.

mod concern;
mod end;

use super::{News, Seconds, seconds, time};
use crate::api::job::{FiresteelJobSpec, JobStatus, Phase};
use crate::api::set_condition;
pub(crate) use concern::{calls, heeds};

/// Seconds between looks at what is watched anyway.
const WATCHED: i64 = 30;
/// Seconds between looks at what has to be asked for, at least and at most.
const ASKED: i64 = 2;
const ASKED_AT_MOST: i64 = 15;

/// The cluster as a job sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cluster {
    Missing,
    /// It hibernates or is about to.
    Asleep,
    /// Its scheduler does not take jobs yet.
    NotReady,
    Ready,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    /// By itself.
    Failed {
        reason: String,
        message: String,
    },
    /// For reasons outside of it.
    Infrastructure {
        reason: String,
        message: String,
    },
    TimedOut,
    /// Somebody stopped it.
    Cancelled,
}

/// How far SQL has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) statements: i64,
    pub(crate) completed: i64,
    pub(crate) rows: i64,
}

/// The run of the current submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Run {
    /// Nobody could be asked.
    Unknown,
    Missing,
    /// The scheduler has it and runs others first.
    Queued,
    /// It has not begun.
    Waiting {
        reason: String,
        message: String,
    },
    Running {
        instance: Option<String>,
        progress: Option<Progress>,
    },
    Ended(Outcome),
}

/// What the decision rests on.
#[derive(Debug, Clone)]
pub(crate) struct Seen<'a> {
    pub(crate) now: Seconds,
    pub(crate) uid: &'a str,
    pub(crate) generation: Option<i64>,
    pub(crate) spec: &'a FiresteelJobSpec,
    pub(crate) status: &'a JobStatus,
    pub(crate) cluster: Cluster,
    /// The cluster is the job's own.
    pub(crate) private: bool,
    /// What the cluster says is wrong with it.
    pub(crate) trouble: Option<&'a str>,
    pub(crate) run: Run,
    /// What SQL came to so far, if it is known at its end.
    pub(crate) progress: Option<Progress>,
}

/// What to do, after the status is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Get or create the submission of the status.
    Submit,
    /// Stop it.
    Stop,
    /// Make the job's own cluster.
    MakeCluster,
    /// Delete the job's own cluster.
    DropCluster,
    /// Delete the job.
    Delete,
}

/// The decision.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) status: JobStatus,
    pub(crate) act: Option<Act>,
    /// Seconds until the next look.
    pub(crate) requeue: i64,
    pub(crate) news: Vec<News>,
}

/// The id of an attempt's submission.
pub(crate) fn submission_id(uid: &str, attempt: i32) -> String {
    format!("{uid}-{attempt}")
}

/// Seconds until a run is asked for again: what takes long is asked for seldom, so that many long jobs cost little.
fn patience(taken: i64) -> i64 {
    (taken / 8).clamp(ASKED, ASKED_AT_MOST)
}

/// Decides.
pub(crate) fn decide(seen: &Seen<'_>) -> Decision {
    let mut step = Step {
        seen,
        decision: Decision { status: seen.status.clone(), act: None, requeue: WATCHED, news: Vec::new() },
    };
    step.decision.status.observed_generation = seen.generation;
    step.run();
    step.conditions();
    step.decision
}

struct Step<'a> {
    seen: &'a Seen<'a>,
    decision: Decision,
}

impl Step<'_> {
    fn run(&mut self) {
        let phase = self.decision.status.phase;
        if phase.is_final() {
            return self.finished();
        }
        if self.seen.spec.suspend {
            match phase {
                Phase::Queued | Phase::Backoff => {
                    return self.enter(Phase::Suspended, "Suspended", "the job waits for spec.suspend to be false");
                }
                Phase::Starting | Phase::Running => {
                    self.enter(Phase::Suspending, "Suspending", "the job is being stopped")
                }
                _ => {}
            }
        }
        match self.decision.status.phase {
            Phase::Queued => self.queued(),
            Phase::Starting => self.starting(),
            Phase::Running => self.running(),
            Phase::Backoff => self.backing_off(),
            Phase::Suspending => self.suspending(),
            Phase::Suspended if self.seen.spec.suspend => self.drop_cluster(),
            Phase::Suspended => {
                self.enter(Phase::Queued, "Queued", "");
                self.decision.status.queued_at = Some(time(self.seen.now));
                self.decision.requeue = 0;
            }
            Phase::Succeeded | Phase::Failed => {}
        }
    }

    /// Nothing needs the job's own cluster any more.
    fn drop_cluster(&mut self) {
        if self.seen.private && self.seen.cluster != Cluster::Missing {
            self.decision.act = Some(Act::DropCluster);
        }
    }

    fn finished(&mut self) {
        self.drop_cluster();
        let ended = self.decision.status.finished_at.as_ref().map_or(self.seen.now, seconds);
        if let Some(ttl) = self.seen.spec.ttl_seconds_after_finished {
            let left = ended + ttl - self.seen.now;
            if left <= 0 {
                self.decision.act = Some(Act::Delete);
            }
            self.decision.requeue = left.max(1);
        } else {
            self.decision.requeue = 3600;
        }
    }

    fn queued(&mut self) {
        let now = self.seen.now;
        let since = seconds(self.decision.status.queued_at.get_or_insert_with(|| time(now)));
        match self.seen.cluster {
            Cluster::Ready => {
                let attempt = self.decision.status.attempt + 1;
                self.enter(Phase::Starting, "Submitting", "");
                let status = &mut self.decision.status;
                status.attempt = attempt;
                status.submission_id = Some(submission_id(self.seen.uid, attempt));
                status.submitted_at = Some(time(now));
                (status.started_at, status.instance, status.retry_at, status.driver_pod) = (None, None, None, None);
                self.decision.requeue = 0;
                return;
            }
            Cluster::Missing if self.seen.private => {
                self.explain("ClusterMissing", self.seen.trouble.unwrap_or("the cluster of the job is being made"));
                self.decision.act = Some(Act::MakeCluster);
                self.decision.requeue = ASKED;
            }
            Cluster::Missing => self.explain("ClusterMissing", "the cluster does not exist"),
            Cluster::Asleep => self.explain("ClusterAsleep", "the cluster hibernates"),
            Cluster::NotReady => {
                self.explain("ClusterNotReady", self.seen.trouble.unwrap_or("the cluster is starting"));
                // The look that a change brings may come before what is known of the cluster has changed.
                self.decision.requeue = ASKED;
            }
        }
        if let Some(limit) = self.seen.spec.timeouts.queue_seconds {
            let left = since + limit - now;
            if left <= 0 {
                let last = self.decision.status.message.as_deref().unwrap_or_default();
                let message = format!("the cluster was not ready within {limit} seconds: {last}");
                self.decision.act = None;
                self.fail("QueueTimeout", &message);
            } else {
                self.decision.requeue = left.min(self.decision.requeue);
            }
        }
    }

    fn starting(&mut self) {
        let since = self.decision.status.submitted_at.as_ref().map_or(self.seen.now, seconds);
        let waited = self.seen.now - since;
        self.decision.requeue = patience(waited);
        match self.seen.run.clone() {
            Run::Missing if self.seen.cluster == Cluster::Ready => {
                self.decision.act = Some(Act::Submit);
                self.decision.requeue = 0;
            }
            Run::Missing | Run::Unknown => self.out_of_reach(),
            // Most get their turn before it is worth a word.
            Run::Queued if waited < ASKED => {}
            Run::Queued => self.explain("SchedulerBusy", "the scheduler runs other jobs first"),
            Run::Waiting { reason, message } => {
                let limit = self.seen.spec.timeouts.start_seconds;
                if waited >= limit {
                    let message = format!("it did not start within {limit} seconds: {reason}: {message}");
                    self.decision.act = Some(Act::Stop);
                    self.ended(Outcome::Infrastructure { reason: "StartTimeout".into(), message });
                } else {
                    self.explain(&reason, &message);
                    self.decision.requeue = self.decision.requeue.min(limit - waited);
                }
            }
            Run::Running { instance, progress } => {
                self.enter(Phase::Running, "Running", "");
                self.decision.status.started_at = Some(time(self.seen.now));
                self.decision.status.instance = instance;
                self.progress(progress);
                self.decision.requeue = ASKED;
            }
            Run::Ended(outcome) => self.ended(outcome),
        }
    }

    fn running(&mut self) {
        let started = self.decision.status.started_at.as_ref().map_or(self.seen.now, seconds);
        let left = self.seen.spec.timeouts.active_seconds.map(|limit| started + limit - self.seen.now);
        let late = left.is_some_and(|left| left <= 0);
        let soon = patience(self.seen.now - started);
        self.decision.requeue = left.filter(|_| !late).map_or(soon, |left| left.min(soon));
        match self.seen.run.clone() {
            Run::Missing if late => self.ended(Outcome::TimedOut),
            Run::Missing => self.ended(Outcome::Infrastructure {
                reason: "RunLost".into(),
                message: "the run is gone: its pod was deleted, or the scheduler that ran it was replaced".into(),
            }),
            Run::Unknown => self.out_of_reach(),
            Run::Queued | Run::Waiting { .. } => {}
            Run::Running { progress, .. } => {
                self.progress(progress);
                if late {
                    self.decision.act = Some(Act::Stop);
                    self.explain("Timeout", "the job has run for too long and is being stopped");
                }
            }
            Run::Ended(outcome) => self.ended(outcome),
        }
    }

    fn backing_off(&mut self) {
        let at = self.decision.status.retry_at.as_ref().map_or(self.seen.now, seconds);
        let left = at - self.seen.now;
        if left <= 0 {
            self.enter(Phase::Queued, "Queued", "");
            self.decision.status.queued_at = Some(time(self.seen.now));
        }
        self.decision.requeue = left.max(0);
    }

    fn suspending(&mut self) {
        self.decision.requeue = ASKED;
        match self.seen.run.clone() {
            Run::Ended(Outcome::Succeeded) => self.ended(Outcome::Succeeded),
            Run::Ended(_) | Run::Missing => {
                self.remember("Suspended", "Suspended", "the job was suspended");
                self.decision.status.submission_id = None;
                self.enter(Phase::Suspended, "Suspended", "the job waits for spec.suspend to be false");
            }
            // Without a cluster nothing of it can run.
            Run::Unknown if matches!(self.seen.cluster, Cluster::Missing | Cluster::Asleep) => {
                self.remember("Suspended", "Suspended", "the job was suspended");
                self.decision.status.submission_id = None;
                self.enter(Phase::Suspended, "Suspended", "the job waits for spec.suspend to be false");
            }
            Run::Unknown => {}
            Run::Queued | Run::Waiting { .. } | Run::Running { .. } => self.decision.act = Some(Act::Stop),
        }
    }

    /// The run cannot be asked for. Only where the cluster is gone is it certain that nothing runs any more.
    fn out_of_reach(&mut self) {
        match self.seen.cluster {
            Cluster::Missing | Cluster::Asleep => self.ended(Outcome::Infrastructure {
                reason: "ClusterGone".into(),
                message: "the cluster went away while the job ran".into(),
            }),
            Cluster::NotReady | Cluster::Ready => {
                self.explain("SchedulerUnreachable", "the scheduler does not answer; the job goes on when it does");
                self.decision.requeue = ASKED;
            }
        }
    }

    fn progress(&mut self, progress: Option<Progress>) {
        if let Some(progress) = progress {
            let status = &mut self.decision.status;
            (status.statements, status.completed_statements, status.rows) =
                (progress.statements, progress.completed, progress.rows);
        }
    }

    fn enter(&mut self, phase: Phase, reason: &str, message: &str) {
        self.decision.status.phase = phase;
        self.explain(reason, message);
    }

    fn explain(&mut self, reason: &str, message: &str) {
        let some = |text: &str| Some(text.chars().take(4096).collect::<String>()).filter(|text| !text.is_empty());
        self.decision.status.reason = some(reason);
        self.decision.status.message = some(message);
    }

    fn conditions(&mut self) {
        let (now, generation) = (time(self.seen.now), self.seen.generation);
        let status = &mut self.decision.status;
        let phase = status.phase;
        let reason = status.reason.clone().unwrap_or_else(|| format!("{phase:?}"));
        let message = status.message.clone().unwrap_or_default();
        let mut set = |kind: &str, holds: bool, why: &str| {
            set_condition(&mut status.conditions, kind, Some(holds), why, &message, generation, now.clone());
        };
        if !phase.is_final() {
            let ready = self.seen.cluster == Cluster::Ready;
            set("ClusterReady", ready, if ready { "Ready" } else { "NotReady" });
        }
        set("Complete", phase == Phase::Succeeded, &reason);
        set("Failed", phase == Phase::Failed, &reason);
        set("Suspended", phase == Phase::Suspended, &reason);
    }
}

#[cfg(test)]
mod tests;
