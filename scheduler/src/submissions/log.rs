//! The log of a job, for people: when it started, when each statement ended, and how it ended. No SQL, which may hold secrets.

use std::fmt::Write;

use chrono::DateTime;

use super::{Standing, Submission};

/// Statements of a job whose end is kept.
pub(super) const STEPS: usize = 1000;

/// The end of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Milliseconds since the epoch.
    pub(super) at: u64,
    /// Statements that had ended by then.
    pub(super) completed: usize,
    /// Rows that had been returned by then.
    pub(super) rows: u64,
}

/// The lines.
pub(super) fn render(job: &Submission, steps: &[Step]) -> String {
    let mut text = String::new();
    let mut line = |at: u64, what: &str| {
        let at = i64::try_from(at).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {what}", at.format("%Y-%m-%dT%H:%M:%S%.3fZ"));
    };
    line(job.started, &format!("submitted as {}", job.id));
    let (mut before, mut rows) = (job.started, 0);
    for step in steps {
        let took = step.at.saturating_sub(before) as f64 / 1000.0;
        let returned = step.rows.saturating_sub(rows);
        line(
            step.at,
            &format!("statement {} of {} done in {took:.3} s, {returned} rows", step.completed, job.statements),
        );
        (before, rows) = (step.at, step.rows);
    }
    let ending = match job.state {
        Standing::Queued => return text,
        Standing::Running => return text,
        Standing::Succeeded => "succeeded".to_owned(),
        Standing::Cancelled => "cancelled".into(),
        Standing::TimedOut => "timed out".into(),
        Standing::Lost => "lost: the process ended while it ran".into(),
        Standing::Failed => match &job.error {
            Some(error) => format!("failed in statement {}: {}", job.completed_statements + 1, error.message),
            None => "failed".into(),
        },
    };
    line(job.ended, &ending);
    text
}

#[cfg(test)]
mod tests {
    use super::super::Failure;
    use super::*;

    #[test]
    fn a_log_tells_each_statement_and_the_end() {
        let error = Failure {
            condition: "DIVIDE_BY_ZERO".into(),
            sqlstate: None,
            message: "[DIVIDE_BY_ZERO] Division by zero".into(),
        };
        let job = Submission {
            id: "j".into(),
            state: Standing::Failed,
            fingerprint: String::new(),
            owner: None,
            statements: 3,
            completed_statements: 2,
            rows: 7,
            error: Some(error),
            started: 1_000,
            ended: 4_000,
        };
        let steps = [Step { at: 1_500, completed: 1, rows: 0 }, Step { at: 3_500, completed: 2, rows: 7 }];
        assert_eq!(
            render(&job, &steps),
            "1970-01-01T00:00:01.000Z submitted as j\n\
             1970-01-01T00:00:01.500Z statement 1 of 3 done in 0.500 s, 0 rows\n\
             1970-01-01T00:00:03.500Z statement 2 of 3 done in 2.000 s, 7 rows\n\
             1970-01-01T00:00:04.000Z failed in statement 3: [DIVIDE_BY_ZERO] Division by zero\n"
        );
        let running = Submission { state: Standing::Running, ended: 0, error: None, ..job };
        assert_eq!(render(&running, &[]).lines().count(), 1);
    }
}
