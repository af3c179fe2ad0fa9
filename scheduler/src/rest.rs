//! The operators' door: health, metrics, executors and jobs as JSON, and a small page for people.
//!
//! It shows names, counts and times only: no plans, no options, no rows, so no secrets.

mod metrics;
mod page;
mod view;

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;

use crate::cluster::Ballista;
use crate::error::ServeError;
pub(crate) use view::{Executor, Job};

/// What the door shows.
#[derive(Clone)]
pub(crate) struct Rest {
    pub(crate) started: Instant,
    pub(crate) memory_limit: u64,
    pub(crate) cores: usize,
    /// The cluster's coordinator; `None` where everything runs in this process.
    pub(crate) ballista: Option<Ballista>,
}

/// Serves until `shutdown` resolves.
pub(crate) async fn serve(
    rest: Rest,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let router = Router::new()
        .route("/", get(page_of))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics_of))
        .route("/api/v1/executors", get(executors))
        .route("/api/v1/jobs", get(jobs))
        .with_state(Arc::new(rest));
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
