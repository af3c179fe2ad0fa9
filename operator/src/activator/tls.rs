//! TLS of a cluster's ports while connections come here: clients are shown the certificate of its Secret, and only a scheduler
//! that shows the same one is spoken to.
//!
//! A scheduler may be given a renewed Secret a minute later than the operator, so the certificate before counts, too. One that
//! was given it sooner is spoken to once the operator has looked again.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use tokio_rustls::TlsAcceptor;

/// HTTP/2, which is what gRPC speaks (RFC 9113, 3.1).
const PROTOCOL: &[u8] = b"h2";
/// Certificates a scheduler may show: that of the Secret as it is, and as it was before.
const COUNT: usize = 2;

/// The identity of a cluster.
#[derive(Clone)]
pub(crate) struct Keys {
    acceptor: TlsAcceptor,
    client: ClientConfig,
    /// The newest one first.
    leaves: Vec<CertificateDer<'static>>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys {
    /// From PEM; `before` is what the same cluster had until now.
    ///
    /// # Errors
    /// When they do not belong together, with the reason.
    pub(crate) fn new(certificates: &[u8], private_key: &[u8], before: Option<&Self>) -> Result<Self, String> {
        let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| format!("the certificates are not understood: {error}"))?;
        let leaf = chain.first().cloned().ok_or("there is no certificate")?;
        let key = PrivateKeyDer::from_pem_slice(private_key);
        let key = key.map_err(|error| format!("the private key is not understood: {error}"))?;
        let known = before.iter().flat_map(|before| &before.leaves).filter(|known| **known != leaf).cloned();
        let leaves: Vec<_> = std::iter::once(leaf.clone()).chain(known).take(COUNT).collect();

        let provider = Arc::new(default_provider());
        let unusable = |error: rustls::Error| format!("the private key is not that of the certificate: {error}");
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?.with_no_client_auth();
        let mut server = builder.with_single_cert(chain, key).map_err(unusable)?;
        server.alpn_protocols = vec![PROTOCOL.to_vec()];
        let pinned = Pinned { leaves: leaves.clone(), algorithms: provider.signature_verification_algorithms };
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(pinned));
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(server)), client: builder.with_no_client_auth(), leaves })
    }

    /// What takes clients' handshakes.
    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// How a scheduler is spoken to.
    pub(super) fn client(&self) -> ClientConfig {
        self.client.clone()
    }
}

/// Knows whom it speaks to by the certificate itself, whoever signed it and for whatever name: pods are reached by their
/// addresses, which no certificate has.
#[derive(Debug)]
struct Pinned {
    leaves: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.leaves.iter().any(|leaf| leaf == shown) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, shown, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, shown, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
