//! Submitted SQL jobs, by an id the submitter chooses: the same id is the same job, however often it is submitted.
//!
//! A job is noted in the journal before it starts. After a restart, one that had not ended is `lost`: what it did until
//! then is unknown, so it is never started again under its id. Rows are counted and dropped; a job writes what it wants kept.

mod journal;
mod log;
mod statements;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use firesteel_functions::SparkError;
use firesteel_service::tasks;
use firesteel_spark::session::SparkEngine;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::activity::Activity;
use crate::error::ServeError;
use journal::Journal;
use log::Step;

/// How long a job that has ended is remembered.
const REMEMBERED: Duration = Duration::from_hours(24);
/// Jobs that run at once; the others wait in the order they came.
const PLACES: usize = 32;
/// Bytes of a SQL text.
pub(crate) const TEXT_BYTES: usize = 4 << 20;

/// What is submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Statements, separated by semicolons.
    pub(crate) sql: Option<String>,
    /// Where the statements are read from instead: a file or an object in S3.
    pub(crate) uri: Option<String>,
    /// Values of `:name` in the statements, as strings.
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, String>,
    /// Session configuration.
    #[serde(default)]
    pub(crate) conf: BTreeMap<String, String>,
    /// Seconds after which it is cancelled.
    pub(crate) timeout_seconds: Option<u64>,
}

impl Request {
    /// What is wrong with it.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        match (&self.sql, &self.uri) {
            (Some(_), Some(_)) => Some("give either sql or uri, not both"),
            (None, None) => Some("give sql or uri"),
            (Some(text), None) if text.len() > TEXT_BYTES => Some("sql is larger than 4 MiB"),
            (Some(text), None) if text.trim().is_empty() => Some("sql is empty"),
            _ => None,
        }
    }

    /// Tells requests apart without keeping them, since parameters and configuration may hold secrets.
    fn fingerprint(&self) -> String {
        // Serialising plain maps and strings cannot fail.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &bytes).to_string()
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// It waits until others have ended.
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
    /// The process ended while it ran.
    Lost,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) condition: String,
    pub(crate) sqlstate: Option<String>,
    pub(crate) message: String,
}

impl From<&SparkError> for Failure {
    fn from(error: &SparkError) -> Self {
        Self {
            condition: error.condition().to_owned(),
            sqlstate: error.sqlstate().map(str::to_owned),
            message: error.full_message(),
        }
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Submission {
    pub(crate) id: String,
    pub(crate) state: Standing,
    fingerprint: String,
    /// The token it came with; nobody's where everybody may come in.
    #[serde(default)]
    pub(crate) owner: Option<String>,
    pub(crate) statements: usize,
    pub(crate) completed_statements: usize,
    /// Rows that statements returned.
    pub(crate) rows: u64,
    pub(crate) error: Option<Failure>,
    /// Milliseconds since the epoch.
    pub(crate) started: u64,
    /// Milliseconds since the epoch; 0 while it runs.
    pub(crate) ended: u64,
}

/// Why a submission is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("another job was submitted with this id")]
    Conflict,
    #[error("the job cannot be noted in the state folder: {0}")]
    Journal(#[from] std::io::Error),
}

struct Known {
    submission: Submission,
    cancel: CancellationToken,
    /// When each statement ended; not noted in the journal.
    steps: Vec<Step>,
}

/// All jobs of a process.
pub(crate) struct Submissions {
    engine: Arc<SparkEngine>,
    activity: Arc<Activity>,
    journal: Option<Journal>,
    known: Mutex<HashMap<String, Known>>,
    places: tokio::sync::Semaphore,
    /// One creation at a time, so that an id is noted before anyone is told that it is.
    creating: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Submissions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submissions").field("known", &self.known.lock().len()).finish_non_exhaustive()
    }
}

impl Submissions {
    /// The jobs noted in a folder, if there is one. Those that had not ended are lost.
    pub(crate) fn open(
        engine: Arc<SparkEngine>,
        activity: Arc<Activity>,
        folder: Option<PathBuf>,
    ) -> Result<Arc<Self>, ServeError> {
        let mut known = HashMap::new();
        let journal = match folder {
            None => None,
            Some(folder) => {
                let failed = |source| ServeError::State { path: folder.display().to_string(), source };
                let journal = Journal::open(&folder).map_err(failed)?;
                for mut submission in journal.read().map_err(failed)? {
                    if matches!(submission.state, Standing::Queued | Standing::Running) {
                        submission.state = Standing::Lost;
                        submission.ended = now();
                        journal.write(&submission).map_err(failed)?;
                    }
                    let id = submission.id.clone();
                    known.insert(id, Known { submission, cancel: CancellationToken::new(), steps: Vec::new() });
                }
                Some(journal)
            }
        };
        let creating = tokio::sync::Mutex::default();
        let places = tokio::sync::Semaphore::new(PLACES);
        Ok(Arc::new(Self { engine, activity, journal, known: Mutex::new(known), places, creating }))
    }

    /// The job of this id; it starts when there is none.
    pub(crate) async fn get_or_create(
        self: &Arc<Self>,
        id: &str,
        request: Request,
        owner: Option<String>,
    ) -> Result<Submission, Refused> {
        let creating = self.creating.lock().await;
        let fingerprint = request.fingerprint();
        if let Some(submission) = self.get(id) {
            let same = submission.fingerprint == fingerprint && submission.owner == owner;
            return if same { Ok(submission) } else { Err(Refused::Conflict) };
        }
        let submission = Submission {
            id: id.to_owned(),
            state: Standing::Queued,
            fingerprint,
            owner,
            statements: 0,
            completed_statements: 0,
            rows: 0,
            error: None,
            started: now(),
            ended: 0,
        };
        self.note(&submission).await?;
        let cancel = CancellationToken::new();
        let entry = Known { submission: submission.clone(), cancel: cancel.clone(), steps: Vec::new() };
        self.known.lock().insert(id.to_owned(), entry);
        drop(creating);
        self.forget_old().await;
        let jobs = Arc::clone(self);
        let id = id.to_owned();
        tasks::spawn_detached("submission", async move { jobs.run(&id, request, cancel).await });
        Ok(submission)
    }

    pub(crate) fn get(&self, id: &str) -> Option<Submission> {
        self.known.lock().get(id).map(|known| known.submission.clone())
    }

    /// What happened to a job, a line each; without the steps between start and end when that was before a restart.
    pub(crate) fn log(&self, id: &str) -> Option<String> {
        self.known.lock().get(id).map(|known| log::render(&known.submission, &known.steps))
    }

    /// All that are remembered, the newest first.
    pub(crate) fn list(&self) -> Vec<Submission> {
        let mut all: Vec<Submission> = self.known.lock().values().map(|known| known.submission.clone()).collect();
        all.sort_by_key(|submission| std::cmp::Reverse(submission.started));
        all
    }

    /// Asks a job to stop; the job as it is now.
    pub(crate) fn cancel(&self, id: &str) -> Option<Submission> {
        let known = self.known.lock();
        let known = known.get(id)?;
        known.cancel.cancel();
        Some(known.submission.clone())
    }

    async fn run(&self, id: &str, request: Request, cancel: CancellationToken) {
        let busy = self.activity.begin();
        // Nobody closes the semaphore; a job that is cancelled while it waits ends at its first step.
        let _place = tokio::select! {
            place = self.places.acquire() => place.ok(),
            () = cancel.cancelled() => None,
        };
        self.change(id, |submission| submission.state = Standing::Running);
        tracing::info!(submission = id, "starting a submitted job");
        let timeout = request.timeout_seconds;
        let work = statements::run(&self.engine, id, request, cancel.clone(), |progress| {
            self.advance(id, progress);
        });
        let late = async {
            match timeout {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(work);
        let mut timed_out = false;
        let outcome = tokio::select! {
            outcome = &mut work => outcome,
            () = late => {
                timed_out = true;
                cancel.cancel();
                work.await
            }
        };
        let ended = self.change(id, |submission| {
            submission.ended = now();
            submission.state = match &outcome {
                Ok(()) => Standing::Succeeded,
                Err(_) if timed_out => Standing::TimedOut,
                Err(_) if cancel.is_cancelled() => Standing::Cancelled,
                Err(_) => Standing::Failed,
            };
            submission.error = outcome.as_ref().err().map(Failure::from);
        });
        drop(busy);
        if let Some(submission) = ended {
            tracing::info!(submission = id, state = ?submission.state, "a submitted job ended");
            if let Err(error) = self.note(&submission).await {
                tracing::error!(submission = id, %error, "failed to note the end of a job");
            }
        }
    }

    fn advance(&self, id: &str, progress: statements::Progress) {
        let mut known = self.known.lock();
        let Some(known) = known.get_mut(id) else { return };
        let submission = &mut known.submission;
        if progress.completed > submission.completed_statements && known.steps.len() < log::STEPS {
            known.steps.push(Step { at: now(), completed: progress.completed, rows: progress.rows });
        }
        submission.statements = progress.statements;
        submission.completed_statements = progress.completed;
        submission.rows = progress.rows;
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Submission)) -> Option<Submission> {
        let mut known = self.known.lock();
        let submission = &mut known.get_mut(id)?.submission;
        change(submission);
        Some(submission.clone())
    }

    async fn note(&self, submission: &Submission) -> std::io::Result<()> {
        let Some(journal) = self.journal.clone() else { return Ok(()) };
        let submission = submission.clone();
        tokio::task::spawn_blocking(move || journal.write(&submission)).await.map_err(std::io::Error::other)?
    }

    async fn forget_old(&self) {
        let before = now().saturating_sub(u64::try_from(REMEMBERED.as_millis()).unwrap_or(u64::MAX));
        let mut old = Vec::new();
        self.known.lock().retain(|id, known| {
            let keep = known.submission.ended == 0 || known.submission.ended >= before;
            if !keep {
                old.push(id.clone());
            }
            keep
        });
        let (Some(journal), false) = (self.journal.clone(), old.is_empty()) else { return };
        let removed = tokio::task::spawn_blocking(move || old.iter().try_for_each(|id| journal.remove(id))).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "failed to forget old jobs");
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
