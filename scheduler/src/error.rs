//! Why a process could not be started or kept running.

use datafusion::error::DataFusionError;

/// A scheduler or server that cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is reachable by others and nothing protects it.
    #[error(
        "refusing to listen on {address} without TLS or tokens; bind to 127.0.0.1, or pass --insecure where the network is trusted"
    )]
    Unprotected {
        /// The address.
        address: String,
    },
    /// The address cannot be understood.
    #[error("'{address}' is no address to listen on")]
    Address {
        /// The address.
        address: String,
    },
    /// The port cannot be had.
    #[error("failed to listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The engine cannot be made.
    #[error("failed to start the engine")]
    Engine(#[from] DataFusionError),
    /// The part that coordinates executors cannot be made or has failed.
    #[error("failed to coordinate executors: {0}")]
    Cluster(String),
    /// Submissions cannot be noted.
    #[error("failed to use the state folder {path}")]
    State {
        /// Folder.
        path: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A door has failed.
    #[error("{door} has failed: {reason}")]
    Door {
        /// Which.
        door: &'static str,
        /// Why.
        reason: String,
    },
}
