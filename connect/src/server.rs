//! The gRPC server: listening, limits, authentication, housekeeping, shutdown.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use firesteel_proto::spark::connect::spark_connect_service_server::SparkConnectServiceServer;
use firesteel_service::{tasks, tls};
use firesteel_spark::session::SparkEngine;
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tracing::info;

use crate::guard::Guarded;
use crate::options::ConnectOptions;
use crate::registry::Registry;
use crate::service::ConnectService;

const HOUSEKEEPING: Duration = Duration::from_secs(15);
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// The server could not start or broke.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The transport failed.
    #[error("failed to serve Spark Connect")]
    Transport(#[from] tonic::transport::Error),
    /// The listener is unusable.
    #[error("failed to listen for Spark Connect")]
    Listen(#[from] std::io::Error),
}

/// Serves Spark Connect on a listener until `shutdown` is ready, then lets running operations end within
/// `options.drain_timeout`, and cancels what is left.
///
/// # Errors
///
/// [`ServeError`] when the server cannot start or the transport fails.
///
/// # Cancellation
///
/// Dropping the future closes all connections and stops all operations.
pub async fn serve(
    engine: Arc<SparkEngine>,
    listener: TcpListener,
    options: ConnectOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    let registry = Arc::new(Registry::new(engine));
    let service = SparkConnectServiceServer::new(ConnectService::new(Arc::clone(&registry)))
        .max_decoding_message_size(options.max_message_bytes)
        .max_encoding_message_size(options.max_message_bytes);
    let service = Guarded::new(service, options.callers.clone());

    let mut server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keepalive_interval(Some(Duration::from_secs(60)))
        .http2_keepalive_timeout(Some(Duration::from_secs(60)));

    let stopping = CancellationToken::new();
    let housekeeping = tasks::spawn("connect-housekeeping", housekeeping(Arc::clone(&registry), options.clone()));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    info!(%address, tls = options.tls.is_some(), tokens = options.callers.is_some(), "serving Spark Connect");

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
            info!("draining Spark Connect");
            match tokio::time::timeout(options.drain_timeout, &mut serving).await {
                Ok(result) => result,
                Err(_) => {
                    registry.cancel_all();
                    // The last words of cancelled operations get a moment to reach their clients.
                    tokio::time::timeout(Duration::from_secs(2), &mut serving).await.unwrap_or(Ok(()))
                }
            }
        }
    };
    registry.cancel_all();
    drop(housekeeping);
    Ok(result?)
}

async fn housekeeping(registry: Arc<Registry>, options: ConnectOptions) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        registry.sweep(&options);
    }
}
