//! What the operator asks of a cluster's scheduler, over its REST door.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};

use crate::decide::pods::REST_PORT;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Schedulers, by the address of their pod.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    http: Client,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// Nobody answered.
    #[error("the scheduler does not answer")]
    Unreachable(#[from] reqwest::Error),
    /// It said no, for good.
    #[error("the scheduler refuses: {0}")]
    Refused(String),
    /// It said no, for now.
    #[error("the scheduler cannot answer now: {0}")]
    Unable(String),
}

/// The load of a cluster.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Load {
    pub(crate) version: String,
    pub(crate) queries: i64,
    pub(crate) pending_tasks: i64,
    pub(crate) running_tasks: i64,
    pub(crate) idle_seconds: i64,
    pub(crate) executors: Vec<Executor>,
}

/// An executor.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Executor {
    pub(crate) id: String,
    pub(crate) host: String,
    pub(crate) running_tasks: i64,
    pub(crate) holds_data: bool,
    pub(crate) draining: bool,
    pub(crate) idle_seconds: i64,
}

/// A job to submit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sql: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uri: Option<&'a str>,
    pub(crate) parameters: &'a BTreeMap<String, String>,
    pub(crate) conf: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_seconds: Option<i64>,
}

/// A submitted job.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Submission {
    pub(crate) state: String,
    pub(crate) statements: i64,
    pub(crate) completed_statements: i64,
    pub(crate) rows: i64,
    pub(crate) error: Option<Failure>,
}

/// Why it failed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Failure {
    pub(crate) condition: String,
    pub(crate) message: String,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Engine {
    /// A client.
    ///
    /// # Errors
    /// When no client can be made.
    pub(crate) fn new() -> Result<Self, EngineError> {
        // Pods are reached directly, whatever proxy the environment names.
        let http = Client::builder().timeout(PATIENCE).connect_timeout(Duration::from_secs(3)).no_proxy().build()?;
        Ok(Self { http })
    }

    /// The load.
    pub(crate) async fn load(&self, address: &str) -> Result<Load, EngineError> {
        let answer = self.http.get(url(address, "load")).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Gives an executor no more tasks.
    pub(crate) async fn drain(&self, address: &str, executor: &str) -> Result<(), EngineError> {
        let answer = self.http.put(url(address, &format!("executors/{executor}/drain"))).send().await?;
        // One that is not known any more needs no draining.
        if answer.status() != StatusCode::NOT_FOUND {
            answer.error_for_status()?;
        }
        Ok(())
    }

    /// The job of an id, made if there is none.
    pub(crate) async fn submit(&self, address: &str, id: &str, job: &Request<'_>) -> Result<Submission, EngineError> {
        let answer = self.http.put(url(address, &format!("submissions/{id}"))).json(job).send().await?;
        if answer.status().is_success() {
            return Ok(answer.json().await?);
        }
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        let message = serde_json::from_str::<Refusal>(&text).map_or(text, |refusal| refusal.message);
        if status.is_client_error() { Err(EngineError::Refused(message)) } else { Err(EngineError::Unable(message)) }
    }

    /// The job of an id.
    pub(crate) async fn submission(&self, address: &str, id: &str) -> Result<Option<Submission>, EngineError> {
        let answer = self.http.get(url(address, &format!("submissions/{id}"))).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(answer.error_for_status()?.json().await?))
    }

    /// Asks a job to stop.
    pub(crate) async fn cancel(&self, address: &str, id: &str) -> Result<(), EngineError> {
        let answer = self.http.delete(url(address, &format!("submissions/{id}"))).send().await?;
        if answer.status() != StatusCode::NOT_FOUND {
            answer.error_for_status()?;
        }
        Ok(())
    }
}

fn url(address: &str, path: &str) -> String {
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    format!("http://{host}:{REST_PORT}/api/v1/{path}")
}
