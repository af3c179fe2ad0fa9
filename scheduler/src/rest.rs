//! The operators' door: health, metrics, executors, jobs and load as JSON, submissions, and a small page for people.
//!
//! It shows names, counts and times only: no plans, no options, no rows, so no secrets.

mod guard;
mod load;
mod metrics;
mod page;
mod submit;
mod view;

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, put};
use axum::{Json, Router, middleware};
use tokio::net::TcpListener;

use firesteel_service::callers::Callers;
use firesteel_service::tokens::Role;
use firesteel_spark::session::SparkEngine;

use crate::activity::Activity;
use crate::cluster::Coordinator;
use crate::error::ServeError;
use crate::kubernetes::Kubernetes;
use crate::submissions::Submissions;
use guard::By;
pub(crate) use view::{Executor, Job};

/// What the door shows.
#[derive(Clone)]
pub(crate) struct Rest {
    pub(crate) started: Instant,
    pub(crate) memory_limit: u64,
    pub(crate) cores: usize,
    /// The cluster's coordinator; `None` where everything runs in this process.
    pub(crate) coordinator: Option<Coordinator>,
    pub(crate) activity: Arc<Activity>,
    /// Who reviews tokens, if somebody does.
    pub(crate) kubernetes: Option<Arc<Kubernetes>>,
    pub(crate) engine: Arc<SparkEngine>,
    pub(crate) submissions: Arc<Submissions>,
    /// Of this process, unlike that of any other.
    pub(crate) instance: String,
}

/// Serves until `shutdown` resolves.
pub(crate) async fn serve(
    rest: Rest,
    callers: Option<Arc<Callers>>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let router = Router::new()
        .route("/", get(page_of))
        .route("/metrics", get(metrics_of))
        .route("/api/v1/executors", get(executors))
        .route("/api/v1/jobs", get(jobs))
        .route("/api/v1/load", get(load_of))
        .route("/api/v1/executors/{id}/drain", put(drain))
        .route("/api/v1/submissions", get(submit::list))
        .route("/api/v1/submissions/{id}", put(submit::create).get(submit::show).delete(submit::cancel))
        .route("/api/v1/submissions/{id}/log", get(submit::log))
        .with_state(Arc::new(rest))
        .layer(middleware::from_fn_with_state(callers, guard::check))
        // Kubernetes asks these two without a token.
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready));
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
        .map_err(|error| ServeError::Door { door: "REST", reason: error.to_string() })
}

type Shown = State<Arc<Rest>>;

async fn page_of(State(rest): Shown) -> Html<String> {
    Html(page::render(&rest, &view::executors(&rest).await, &view::jobs(&rest).await))
}

/// Ready to take queries. A cluster without executors is: jobs wait for them, and local work needs none.
async fn ready() -> impl IntoResponse {
    (StatusCode::OK, "ok")
}

async fn metrics_of(State(rest): Shown) -> impl IntoResponse {
    let text = metrics::render(&rest, &view::executors(&rest).await, &view::jobs(&rest).await);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

async fn executors(State(rest): Shown) -> Json<Vec<Executor>> {
    Json(view::executors(&rest).await)
}

async fn jobs(State(rest): Shown) -> Json<Vec<Job>> {
    Json(view::jobs(&rest).await)
}

async fn load_of(State(rest): Shown) -> Json<load::Load> {
    Json(load::load(&rest).await)
}

/// Gives an executor no more tasks. PUT, so that no page of another origin can ask for it.
async fn drain(State(rest): Shown, by: By, Path(id): Path<String>) -> impl IntoResponse {
    if let Err(role) = guard::allow(&by, Role::Admin) {
        return (StatusCode::FORBIDDEN, role);
    }
    let known = match &rest.coordinator {
        Some(coordinator) => coordinator.members.drain(&id).await,
        None => false,
    };
    if known { (StatusCode::OK, "draining") } else { (StatusCode::NOT_FOUND, "no such executor") }
}
