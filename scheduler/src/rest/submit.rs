//! Submitted jobs over HTTP: `PUT` by an id the client chooses, `GET`, and `DELETE` to cancel.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use firesteel_service::tokens::Role;
use serde::Serialize;

use super::Rest;
use super::guard::{self, By};
use crate::submissions::{Refused, Request, Submission};

/// Characters of an id.
const ID_LENGTH: usize = 128;

/// Why a request is refused.
#[derive(Debug, Serialize)]
pub(super) struct Refusal {
    message: String,
}

type Answer<T> = Result<(StatusCode, Json<T>), (StatusCode, Json<Refusal>)>;

fn refusal(status: StatusCode, message: impl Into<String>) -> (StatusCode, Json<Refusal>) {
    (status, Json(Refusal { message: message.into() }))
}

/// An id is a file name in the journal and a part of URLs.
fn usable(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= ID_LENGTH
        && !id.starts_with('.')
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

pub(super) async fn create(
    State(rest): State<Arc<Rest>>,
    by: By,
    Path(id): Path<String>,
    Json(request): Json<Request>,
) -> Answer<Submission> {
    guard::allow(&by, Role::User).map_err(|needed| refusal(StatusCode::FORBIDDEN, needed))?;
    if !usable(&id) {
        let message = "an id is 1 to 128 letters, digits, hyphens and dots, and does not begin with a dot";
        return Err(refusal(StatusCode::BAD_REQUEST, message));
    }
    if let Some(problem) = request.problem() {
        return Err(refusal(StatusCode::BAD_REQUEST, problem));
    }
    match rest.submissions.get_or_create(&id, request, by.0.map(|caller| caller.name)).await {
        Ok(submission) => Ok((StatusCode::OK, Json(submission))),
        Err(error @ Refused::Conflict) => Err(refusal(StatusCode::CONFLICT, error.to_string())),
        Err(error @ Refused::Journal(_)) => Err(refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string())),
    }
}

pub(super) async fn show(State(rest): State<Arc<Rest>>, Path(id): Path<String>) -> Answer<Submission> {
    found(rest.submissions.get(&id))
}

/// What happened to a job so far, a line each.
pub(super) async fn log(
    State(rest): State<Arc<Rest>>,
    Path(id): Path<String>,
) -> Result<String, (StatusCode, Json<Refusal>)> {
    rest.submissions.log(&id).ok_or_else(|| refusal(StatusCode::NOT_FOUND, "no such job"))
}

pub(super) async fn cancel(State(rest): State<Arc<Rest>>, by: By, Path(id): Path<String>) -> Answer<Submission> {
    guard::allow(&by, Role::User).map_err(|needed| refusal(StatusCode::FORBIDDEN, needed))?;
    if let Some(submission) = rest.submissions.get(&id)
        && !guard::may_stop(&by, submission.owner.as_deref())
    {
        return Err(refusal(StatusCode::FORBIDDEN, "the job is another's; the role admin is needed"));
    }
    found(rest.submissions.cancel(&id))
}

pub(super) async fn list(State(rest): State<Arc<Rest>>) -> Json<Vec<Submission>> {
    Json(rest.submissions.list())
}

fn found(submission: Option<Submission>) -> Answer<Submission> {
    match submission {
        Some(submission) => Ok((StatusCode::OK, Json(submission))),
        None => Err(refusal(StatusCode::NOT_FOUND, "no such job")),
    }
}

#[cfg(test)]
mod tests {
    use super::usable;

    #[test]
    fn ids_cannot_leave_the_journal() {
        assert!(usable("0b5e-1.a"));
        for bad in ["", ".", "..", "../x", "a/b", "a b", &"x".repeat(129)] {
            assert!(!usable(bad), "{bad}");
        }
    }
}
