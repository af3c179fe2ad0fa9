//! The identity a door shows to those who speak TLS: a certificate chain and its private key, read again when their files
//! change, and the handshakes in which it is shown.
//!
//! A renewed certificate is shown from the next handshake on, and connections there are go on with what they began with. This
//! file knows no door.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use parking_lot::{Mutex, RwLock};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Handshakes at once; others wait to be accepted.
const AT_ONCE: usize = 1024;
/// After a connection that could not be accepted, such as for too many files. Some end meanwhile.
const PAUSE: Duration = Duration::from_millis(50);
/// HTTP/2, which is what gRPC speaks (RFC 9113, 3.1).
const PROTOCOL: &[u8] = b"h2";

/// Files that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// One cannot be read.
    #[error("failed to read {path} for TLS")]
    Read {
        /// File.
        path: String,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// One is not PEM of what it should be.
    #[error("failed to understand {path}: expected {expected} in PEM")]
    Pem {
        /// File.
        path: String,
        /// What it should hold.
        expected: &'static str,
        /// Cause.
        #[source]
        source: pem::Error,
    },
    /// The key is not that of the certificate, or of an unknown sort.
    #[error("failed to use the private key for the certificate")]
    Unusable(#[from] rustls::Error),
}

/// A certificate chain and its private key, in files that may change.
#[derive(Debug, Clone)]
pub struct Identity {
    files: Arc<Files>,
    config: Arc<ServerConfig>,
}

struct Files {
    certificates: PathBuf,
    private_key: PathBuf,
    shown: RwLock<Shown>,
    /// Why the files as they are now are not shown, so that it is told once.
    trouble: Mutex<Option<String>>,
}

/// What clients are shown, and the hash of what it was read from.
#[derive(Clone)]
struct Shown {
    key: Arc<CertifiedKey>,
    read: [u8; 32],
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("certificates", &self.certificates).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Files {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.shown.read().key))
    }
}

impl Identity {
    /// The identity in two files, PEM. Blocks.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together.
    pub fn open(certificates: PathBuf, private_key: PathBuf) -> Result<Self, TlsError> {
        let shown = RwLock::new(read(&certificates, &private_key)?);
        let files = Arc::new(Files { certificates, private_key, shown, trouble: Mutex::new(None) });
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
        let mut config = builder.with_cert_resolver(Arc::clone(&files) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Self { files, config: Arc::new(config) })
    }
}

impl Files {
    /// Reads the files again. What cannot be used leaves what there is, and is told. Blocks.
    fn refresh(&self) {
        let trouble = match read(&self.certificates, &self.private_key) {
            Ok(shown) => {
                if shown.read != self.shown.read().read {
                    *self.shown.write() = shown;
                    tracing::info!(path = %self.certificates.display(), "a renewed certificate is shown");
                }
                None
            }
            Err(error) => Some(reason(&error)),
        };
        let mut known = self.trouble.lock();
        if let Some(problem) = trouble.as_ref().filter(|_| *known != trouble) {
            tracing::error!(path = %self.certificates.display(), problem, "the certificate before is still shown");
        }
        *known = trouble;
    }
}

/// Follows changes of the files for ever.
pub async fn follow(identity: Identity) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let files = Arc::clone(&identity.files);
        if let Err(error) = tokio::task::spawn_blocking(move || files.refresh()).await {
            tracing::error!(%error, "reading the certificate broke");
        }
    }
}

/// Connections after their handshakes, in the order in which these end. One that does not come to its end is dropped, and
/// holds up nobody else.
pub fn handshakes<S>(
    connections: S,
    identity: &Identity,
) -> impl Stream<Item = io::Result<TlsStream<TcpStream>>> + use<S>
where
    S: Stream<Item = io::Result<TcpStream>>,
{
    let acceptor = TlsAcceptor::from(Arc::clone(&identity.config));
    let handshakes = connections.map(move |connection| {
        let acceptor = acceptor.clone();
        async move {
            let connection = match connection {
                Ok(connection) => connection,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                    return None;
                }
            };
            match tokio::time::timeout(PATIENCE, acceptor.accept(connection)).await {
                Ok(Ok(stream)) => Some(Ok(stream)),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "a handshake failed");
                    None
                }
                Err(_) => {
                    tracing::debug!("a handshake took too long");
                    None
                }
            }
        }
    });
    handshakes.buffer_unordered(AT_ONCE).filter_map(std::future::ready)
}

fn read(certificates: &Path, private_key: &Path) -> Result<Shown, TlsError> {
    let bytes =
        |path: &Path| std::fs::read(path).map_err(|source| TlsError::Read { path: path.display().to_string(), source });
    let misread = |path: &Path, expected| {
        let path = path.display().to_string();
        move |source| TlsError::Pem { path, expected, source }
    };
    let (chain, key) = (bytes(certificates)?, bytes(private_key)?);
    let hash = Sha256::new().chain_update(Sha256::digest(&chain)).chain_update(Sha256::digest(&key)).finalize();
    let chain = CertificateDer::pem_slice_iter(&chain).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(misread(certificates, "certificates"))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(misread(private_key, "a private key"))?;
    Ok(Shown { key: Arc::new(CertifiedKey::from_der(chain, key, &default_provider())?), read: hash.into() })
}

/// An error with its cause.
fn reason(error: &TlsError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
