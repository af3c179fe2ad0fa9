//! How an attempt ends, and whether there is another.

use super::{Outcome, Step};
use crate::api::job::{Attempt, FiresteelJobSpec, Growth, Phase, Restart};
use crate::decide::{News, time};

/// Attempts that are remembered.
const REMEMBERED: usize = 10;

/// Seconds before another try after so many failures.
pub(super) fn backoff(spec: &FiresteelJobSpec, failures: i32) -> i64 {
    let policy = &spec.restart_policy;
    let times = match policy.backoff_growth {
        Growth::Doubling => 1_i64 << failures.saturating_sub(1).clamp(0, 40),
        Growth::Linear => failures.max(1).into(),
    };
    policy.backoff_seconds.saturating_mul(times).min(policy.backoff_max_seconds)
}

impl Step<'_> {
    pub(super) fn ended(&mut self, outcome: Outcome) {
        self.progress(self.seen.progress);
        let now = self.seen.now;
        let policy = &self.seen.spec.restart_policy;
        match outcome {
            Outcome::Succeeded => {
                self.remember("Succeeded", "Completed", "");
                self.enter(Phase::Succeeded, "Completed", "");
                self.decision.status.finished_at = Some(time(now));
                self.decision.news.push(News::normal("Succeeded", "the job is done"));
                self.decision.requeue = 0;
            }
            Outcome::TimedOut => {
                let limit = self.seen.spec.timeouts.active_seconds.unwrap_or(0);
                let message = format!("the job ran for longer than {limit} seconds");
                self.remember("Timeout", "Timeout", &message);
                self.fail("Timeout", &message);
            }
            Outcome::Cancelled => {
                let message = "the run was cancelled in the cluster";
                self.remember("Failed", "Cancelled", message);
                self.fail("Cancelled", message);
            }
            Outcome::Failed { reason, message } => {
                self.remember("Failed", &reason, &message);
                self.decision.status.failures += 1;
                let failures = self.decision.status.failures;
                if policy.restart == Restart::OnFailure && failures < policy.max_attempts {
                    self.again(&reason, &message, failures);
                } else {
                    self.fail(&reason, &message);
                }
            }
            Outcome::Infrastructure { reason, message } => {
                self.remember("Infrastructure", &reason, &message);
                self.decision.status.infrastructure_failures += 1;
                let failures = self.decision.status.infrastructure_failures;
                if policy.restart != Restart::Never && failures <= policy.max_infrastructure_failures {
                    self.again(&reason, &message, failures);
                } else {
                    self.fail(&reason, &message);
                }
            }
        }
    }

    fn again(&mut self, reason: &str, message: &str, failures: i32) {
        let wait = backoff(self.seen.spec, failures);
        self.enter(Phase::Backoff, reason, message);
        self.decision.status.retry_at = Some(time(self.seen.now + wait));
        self.decision.status.submission_id = None;
        self.decision.requeue = wait;
        self.decision
            .news
            .push(News::warning("Retrying", format!("{reason}: {message}; trying again in {wait} seconds")));
    }

    pub(super) fn fail(&mut self, reason: &str, message: &str) {
        self.enter(Phase::Failed, reason, message);
        self.decision.status.finished_at = Some(time(self.seen.now));
        self.decision.news.push(News::warning("Failed", format!("{reason}: {message}")));
        self.decision.requeue = 0;
    }

    pub(super) fn remember(&mut self, outcome: &str, reason: &str, message: &str) {
        let status = &mut self.decision.status;
        let Some(submission_id) = status.submission_id.clone() else { return };
        status.attempts.push(Attempt {
            number: status.attempt,
            submission_id,
            outcome: outcome.to_owned(),
            reason: reason.to_owned(),
            message: message.chars().take(1024).collect(),
            started_at: status.started_at.clone(),
            finished_at: Some(time(self.seen.now)),
        });
        let extra = status.attempts.len().saturating_sub(REMEMBERED);
        status.attempts.drain(..extra);
    }
}
