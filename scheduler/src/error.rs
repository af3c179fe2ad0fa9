//! Why a process could not be started or kept running.

use datafusion::error::DataFusionError;

/// A scheduler or server that cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is reachable by others and nothing protects it.
    #[error(
        "refusing to listen on {address} without tokens; give --tokens, bind to 127.0.0.1, or pass --insecure where the network is trusted"
    )]
    Unprotected {
        /// The address.
        address: String,
    },
    /// The address is reachable by others, and so is the port of executors, which takes no tokens.
    #[error(
        "refusing to listen on {address}: executors reach the scheduler without tokens; bind to 127.0.0.1, or pass --insecure where only executors and trusted clients reach the cluster port"
    )]
    UnprotectedExecutors {
        /// The address.
        address: String,
    },
    /// The tokens cannot be used.
    #[error("failed to read who may come in")]
    Tokens(#[from] firesteel_service::tokens::TokensError),
    /// Tokens are to be reviewed, and nothing says by whom.
    #[error("failed to find the API server: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set")]
    NoApiServer,
    /// The certificate or its key cannot be used.
    #[error("failed to have an identity for TLS")]
    Identity(#[from] firesteel_service::tls::TlsError),
    /// The certificates of the API server cannot be used.
    #[error("failed to read {path} for TLS")]
    Tls {
        /// File.
        path: String,
        /// Cause.
        #[source]
        source: std::io::Error,
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
