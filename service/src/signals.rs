//! When to stop: one future that resolves on SIGTERM, SIGINT or SIGHUP.

/// Resolves when the process is asked to stop.
pub async fn shutdown() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
    let mut waits = Vec::new();
    for kind in kinds {
        match signal(kind) {
            Ok(mut stream) => waits.push(Box::pin(async move {
                stream.recv().await;
            })),
            Err(error) => tracing::warn!(%error, "cannot listen for a signal"),
        }
    }
    if waits.is_empty() {
        return std::future::pending().await;
    }
    futures::future::select_all(waits).await;
    tracing::info!("asked to stop");
}
