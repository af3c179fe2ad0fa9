//! The RPCs of Spark Connect, one file each (small ones share).
//!
//! Every handler runs guarded: a panic in one request is an internal error of that request.

mod analyze;
mod artifact;
mod config;
mod control;
mod execute;
mod session;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use firesteel_functions::error::SparkError;
use firesteel_proto::spark::connect as sc;
use firesteel_service::tasks;
use futures::{FutureExt, Stream, stream};
use sc::spark_connect_service_server::SparkConnectService;
use tonic::{Request, Response, Status, Streaming};
use tracing::error;

use crate::error::status;
use crate::operation::ResponseStream;
use crate::registry::Registry;

/// What is reported as the version of Spark.
const SPARK_VERSION: &str = "4.3.0";

type Responses = Pin<Box<dyn Stream<Item = Result<sc::ExecutePlanResponse, Status>> + Send>>;

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct ConnectService {
    registry: Arc<Registry>,
}

impl ConnectService {
    /// The service over these sessions.
    pub(crate) fn new(registry: Arc<Registry>) -> Self {
        Self { registry }
    }
}

/// Runs a handler; a panic becomes an error.
async fn guarded<T>(handler: impl Future<Output = Result<T, Status>>) -> Result<Response<T>, Status> {
    match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(result) => result.map(Response::new),
        Err(panic) => Err(status(&panicked(panic.as_ref()))),
    }
}

/// The error of a request that panicked.
fn panicked(panic: &(dyn std::any::Any + Send)) -> SparkError {
    let reason = tasks::panic_text(panic);
    error!(reason, "a request panicked");
    SparkError::internal(format!("the request failed unexpectedly: {reason}"))
}

fn responses(from: ResponseStream) -> Responses {
    Box::pin(stream::unfold(from, |mut from| async move { from.next().await.map(|item| (item, from)) }))
}

#[tonic::async_trait]
impl SparkConnectService for ConnectService {
    type ExecutePlanStream = Responses;
    type ReattachExecuteStream = Responses;

    async fn execute_plan(
        &self,
        request: Request<sc::ExecutePlanRequest>,
    ) -> Result<Response<Self::ExecutePlanStream>, Status> {
        guarded(async { execute::execute(&self.registry, request.into_inner()).map(responses) }).await
    }

    async fn analyze_plan(
        &self,
        request: Request<sc::AnalyzePlanRequest>,
    ) -> Result<Response<sc::AnalyzePlanResponse>, Status> {
        guarded(analyze::analyze(&self.registry, request.into_inner())).await
    }

    async fn config(&self, request: Request<sc::ConfigRequest>) -> Result<Response<sc::ConfigResponse>, Status> {
        guarded(async { config::config(&self.registry, request.into_inner()) }).await
    }

    async fn add_artifacts(
        &self,
        request: Request<Streaming<sc::AddArtifactsRequest>>,
    ) -> Result<Response<sc::AddArtifactsResponse>, Status> {
        guarded(artifact::add(&self.registry, request.into_inner())).await
    }

    async fn artifact_status(
        &self,
        request: Request<sc::ArtifactStatusesRequest>,
    ) -> Result<Response<sc::ArtifactStatusesResponse>, Status> {
        guarded(async { artifact::statuses(&self.registry, request.into_inner()) }).await
    }

    async fn interrupt(
        &self,
        request: Request<sc::InterruptRequest>,
    ) -> Result<Response<sc::InterruptResponse>, Status> {
        guarded(async { control::interrupt(&self.registry, request.into_inner()) }).await
    }

    async fn reattach_execute(
        &self,
        request: Request<sc::ReattachExecuteRequest>,
    ) -> Result<Response<Self::ReattachExecuteStream>, Status> {
        guarded(async { control::reattach(&self.registry, request.into_inner()).map(responses) }).await
    }

    async fn release_execute(
        &self,
        request: Request<sc::ReleaseExecuteRequest>,
    ) -> Result<Response<sc::ReleaseExecuteResponse>, Status> {
        guarded(async { control::release(&self.registry, request.into_inner()) }).await
    }

    async fn release_session(
        &self,
        request: Request<sc::ReleaseSessionRequest>,
    ) -> Result<Response<sc::ReleaseSessionResponse>, Status> {
        guarded(async { session::release(&self.registry, request.into_inner()) }).await
    }

    async fn fetch_error_details(
        &self,
        request: Request<sc::FetchErrorDetailsRequest>,
    ) -> Result<Response<sc::FetchErrorDetailsResponse>, Status> {
        guarded(async { session::error_details(&self.registry, request.into_inner()) }).await
    }

    async fn clone_session(
        &self,
        request: Request<sc::CloneSessionRequest>,
    ) -> Result<Response<sc::CloneSessionResponse>, Status> {
        guarded(async { session::clone(&self.registry, request.into_inner()) }).await
    }

    async fn get_status(
        &self,
        request: Request<sc::GetStatusRequest>,
    ) -> Result<Response<sc::GetStatusResponse>, Status> {
        guarded(async { control::status_of(&self.registry, request.into_inner()) }).await
    }
}
