//! What protects the doors, read from its files: tokens and the identity TLS shows.

use std::sync::Arc;

use firesteel_connect::ConnectOptions;
use firesteel_flight::FlightOptions;
use firesteel_service::callers::{Callers, Reviewer};
use firesteel_service::tls::Identity;
use firesteel_service::tokens::Tokens;

use crate::doors::Protection;
use crate::error::ServeError;
use crate::kubernetes::Kubernetes;
use crate::settings::Access;

/// What was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard {
    pub(crate) callers: Option<Arc<Callers>>,
    pub(crate) kubernetes: Option<Arc<Kubernetes>>,
    /// What is shown to those who speak TLS.
    pub(crate) identity: Option<Identity>,
}

impl Guard {
    /// Reads the files of the settings. Blocks, once at the start of the process.
    ///
    /// # Errors
    /// When one cannot be read or a token is not understood.
    pub(crate) fn read(access: &Access) -> Result<Self, ServeError> {
        let tokens = access.tokens.clone().map(Tokens::open).transpose()?;
        let files = access.tls.clone();
        let identity = files.map(|files| Identity::open(files.certificates, files.private_key)).transpose()?;
        if tokens.is_some() && identity.is_none() {
            tracing::warn!("tokens travel in the clear without TLS");
        }
        let kubernetes = access.reviews.clone().map(Kubernetes::new).transpose()?;
        let reviewer = kubernetes.clone().map(|kubernetes| kubernetes as Arc<dyn Reviewer>);
        let callers = tokens.map(|tokens| Callers::new(tokens, reviewer));
        Ok(Self { callers, kubernetes, identity })
    }

    /// What it keeps out where no executors come in.
    pub(crate) fn protection(&self) -> Protection {
        if self.callers.is_some() { Protection::Tokens } else { Protection::None }
    }

    /// Spark Connect's part.
    pub(crate) fn connect(&self) -> ConnectOptions {
        let (callers, tls) = (self.callers.clone(), self.identity.clone());
        ConnectOptions { callers, tls, ..ConnectOptions::default() }
    }

    /// Flight SQL's part.
    pub(crate) fn flight(&self) -> FlightOptions {
        let (callers, tls) = (self.callers.clone(), self.identity.clone());
        FlightOptions { callers, tls, ..FlightOptions::default() }
    }
}
