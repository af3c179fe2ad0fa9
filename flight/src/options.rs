//! Settings of the server.

use std::sync::Arc;
use std::time::Duration;

use firesteel_service::callers::Callers;
use firesteel_service::tls::Identity;

/// Settings of the Flight SQL server.
#[derive(Debug, Clone)]
pub struct FlightOptions {
    /// When they are set, clients must be among them, by a bearer token or a password, and users at least.
    pub callers: Option<Arc<Callers>>,
    /// The server speaks TLS when it is set.
    pub tls: Option<Identity>,
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
