//! What protects the doors, read from its files: tokens and the identity TLS shows.

use std::path::Path;
use std::sync::Arc;

use firesteel_connect::ConnectOptions;
use firesteel_flight::FlightOptions;
use firesteel_service::callers::{Callers, Reviewer};
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
    /// Certificates and private key, PEM.
    tls: Option<(String, String)>,
}

impl Guard {
    /// Reads the files of the settings. Blocks, once at the start of the process.
    ///
    /// # Errors
    /// When one cannot be read or a token is not understood.
    pub(crate) fn read(access: &Access) -> Result<Self, ServeError> {
        let tokens = access.tokens.clone().map(Tokens::open).transpose()?;
        let tls = match &access.tls {
            Some(files) => Some((text(&files.certificates)?, text(&files.private_key)?)),
            None => None,
        };
        if tokens.is_some() && tls.is_none() {
            tracing::warn!("tokens travel in the clear without TLS");
        }
        let kubernetes = access.reviews.clone().map(Kubernetes::new).transpose()?;
        let reviewer = kubernetes.clone().map(|kubernetes| kubernetes as Arc<dyn Reviewer>);
        let callers = tokens.map(|tokens| Callers::new(tokens, reviewer));
        Ok(Self { callers, kubernetes, tls })
    }

    /// What it keeps out where no executors come in.
    pub(crate) fn protection(&self) -> Protection {
        if self.callers.is_some() { Protection::Tokens } else { Protection::None }
    }

    /// Spark Connect's part.
    pub(crate) fn connect(&self) -> ConnectOptions {
        let identity = |(certificates, private_key): (String, String)| firesteel_connect::TlsIdentity {
            certificates,
            private_key,
        };
        ConnectOptions {
            callers: self.callers.clone(),
            tls: self.tls.clone().map(identity),
            ..ConnectOptions::default()
        }
    }

    /// Flight SQL's part.
    pub(crate) fn flight(&self) -> FlightOptions {
        let identity =
            |(certificates, private_key): (String, String)| firesteel_flight::TlsIdentity { certificates, private_key };
        FlightOptions { callers: self.callers.clone(), tls: self.tls.clone().map(identity), ..FlightOptions::default() }
    }
}

fn text(path: &Path) -> Result<String, ServeError> {
    std::fs::read_to_string(path).map_err(|source| ServeError::Tls { path: path.display().to_string(), source })
}
