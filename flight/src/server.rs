//! The gRPC server: listening, limits, housekeeping, shutdown.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use firesteel_service::{tasks, tls};
use firesteel_spark::session::SparkEngine;
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tracing::info;

use crate::options::FlightOptions;
use crate::service::SqlService;
use crate::sessions::Sessions;

const HOUSEKEEPING: Duration = Duration::from_secs(60);
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// The server could not start or broke.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The transport failed.
    #[error("failed to serve Flight SQL")]
    Transport(#[from] tonic::transport::Error),
    /// The listener is unusable.
    #[error("failed to listen for Flight SQL")]
    Listen(#[from] std::io::Error),
    /// The facts about the server could not be made.
    #[error("failed to describe the Flight SQL server")]
    Describe(#[from] Box<tonic::Status>),
}

/// Serves Flight SQL on a listener until `shutdown` is ready, then lets running queries end within
/// `options.drain_timeout`.
///
/// # Errors
///
/// [`ServeError`] when the server cannot start or the transport fails.
///
/// # Cancellation
///
/// Dropping the future closes all connections and stops their queries.
pub async fn serve(
    engine: Arc<SparkEngine>,
    listener: TcpListener,
    options: FlightOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    let sessions = Arc::new(Sessions::new(engine, options.callers.clone()));
    let service = SqlService::new(Arc::clone(&sessions)).map_err(Box::new)?;
    let service = FlightServiceServer::new(service)
        .max_decoding_message_size(options.max_message_bytes)
        .max_encoding_message_size(options.max_message_bytes);
    let mut server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keepalive_interval(Some(Duration::from_secs(60)))
        .http2_keepalive_timeout(Some(Duration::from_secs(60)));

    let stopping = CancellationToken::new();
    let housekeeping = tasks::spawn("flight-housekeeping", housekeeping(sessions, options.session_timeout));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    info!(%address, tls = options.tls.is_some(), tokens = options.callers.is_some(), "serving Flight SQL");

    let (router, asked) = (server.add_service(service), stopping.clone().cancelled_owned());
    let mut serving = match &options.tls {
        Some(identity) => router.serve_with_incoming_shutdown(tls::handshakes(incoming, identity), asked).boxed(),
        None => router.serve_with_incoming_shutdown(incoming, asked).boxed(),
    };
    tokio::pin!(shutdown);
    let result = tokio::select! {
        result = &mut serving => result,
        () = &mut shutdown => {
            stopping.cancel();
            tokio::time::timeout(options.drain_timeout, &mut serving).await.unwrap_or(Ok(()))
        }
    };
    drop(housekeeping);
    Ok(result?)
}

async fn housekeeping(sessions: Arc<Sessions>, idle: Duration) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        sessions.sweep(idle);
    }
}
