//! What the operator asks of a cluster's scheduler, over its REST door.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::{Deserialize, Serialize};

use crate::decide::pods::REST_PORT;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Schedulers, by their doors.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    http: Client,
}

/// The REST door of a scheduler.
#[derive(Clone)]
pub(crate) struct Door {
    /// Address of its pod.
    pub(crate) address: String,
    /// A token for it, where it asks for one.
    pub(crate) token: Option<String>,
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
    /// How reviews of tokens go, where it makes them.
    #[serde(default)]
    pub(crate) token_reviews: Option<TokenReviews>,
    pub(crate) executors: Vec<Executor>,
}

/// How reviews of tokens go.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TokenReviews {
    /// Why they cannot be made.
    pub(crate) problem: Option<String>,
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
    pub(crate) async fn load(&self, door: &Door) -> Result<Load, EngineError> {
        let answer = self.call(Method::GET, door, "load").send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Gives an executor no more tasks.
    pub(crate) async fn drain(&self, door: &Door, executor: &str) -> Result<(), EngineError> {
        let answer = self.call(Method::PUT, door, &format!("executors/{executor}/drain")).send().await?;
        // One that is not known any more needs no draining.
        if answer.status() != StatusCode::NOT_FOUND {
            answer.error_for_status()?;
        }
        Ok(())
    }

    /// The job of an id, made if there is none.
    pub(crate) async fn submit(&self, door: &Door, id: &str, job: &Request<'_>) -> Result<Submission, EngineError> {
        let answer = self.call(Method::PUT, door, &format!("submissions/{id}")).json(job).send().await?;
        if answer.status().is_success() {
            return Ok(answer.json().await?);
        }
        let status = answer.status();
        Err(refusal(status, answer.text().await.unwrap_or_default()))
    }

    /// The job of an id.
    pub(crate) async fn submission(&self, door: &Door, id: &str) -> Result<Option<Submission>, EngineError> {
        let answer = self.call(Method::GET, door, &format!("submissions/{id}")).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(answer.error_for_status()?.json().await?))
    }

    /// Asks a job to stop.
    pub(crate) async fn cancel(&self, door: &Door, id: &str) -> Result<(), EngineError> {
        let answer = self.call(Method::DELETE, door, &format!("submissions/{id}")).send().await?;
        if answer.status() != StatusCode::NOT_FOUND {
            answer.error_for_status()?;
        }
        Ok(())
    }

    fn call(&self, method: Method, door: &Door, path: &str) -> RequestBuilder {
        let Door { address, token } = door;
        let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        let call = self.http.request(method, format!("http://{host}:{REST_PORT}/api/v1/{path}"));
        match token {
            Some(token) => call.bearer_auth(token),
            None => call,
        }
    }
}

/// What it means that a job was not taken. A token that is not known yet is the cluster's affair, not the job's.
fn refusal(status: StatusCode, text: String) -> EngineError {
    let message = serde_json::from_str::<Refusal>(&text).map_or(text, |refusal| refusal.message);
    let stranger = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if status.is_client_error() && !stranger { EngineError::Refused(message) } else { EngineError::Unable(message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_given_up_for_what_is_wrong_with_it_and_not_for_a_token() {
        let text = || r#"{"message": "no"}"#.to_owned();
        for status in [StatusCode::BAD_REQUEST, StatusCode::CONFLICT] {
            assert!(matches!(refusal(status, text()), EngineError::Refused(message) if message == "no"));
        }
        for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::SERVICE_UNAVAILABLE] {
            assert!(matches!(refusal(status, "down".into()), EngineError::Unable(message) if message == "down"));
        }
    }
}
