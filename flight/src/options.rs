//! Settings of the server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use firesteel_service::callers::Callers;

/// Settings of the Flight SQL server.
#[derive(Debug, Clone)]
pub struct FlightOptions {
    /// When they are set, clients must be among them, by a bearer token or a password, and users at least.
    pub callers: Option<Arc<Callers>>,
    /// The server speaks TLS when it is set.
    pub tls: Option<TlsIdentity>,
    /// Largest message either way.
    pub max_message_bytes: usize,
    /// How long a session lives without a call.
    pub session_timeout: Duration,
    /// How long running queries may go on after shutdown was asked for.
    pub drain_timeout: Duration,
}

impl Default for FlightOptions {
    fn default() -> Self {
        Self {
            callers: None,
            tls: None,
            max_message_bytes: 256 * 1024 * 1024,
            session_timeout: Duration::from_secs(60 * 60),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// A certificate chain and its private key.
#[derive(Clone)]
pub struct TlsIdentity {
    /// Certificates, PEM.
    pub certificates: String,
    /// Private key, PEM.
    pub private_key: String,
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").finish_non_exhaustive()
    }
}
