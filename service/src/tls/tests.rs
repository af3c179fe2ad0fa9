//! Handshakes over real sockets, with two identities that were made for this and protect nothing.

use super::*;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;

const ONE: (&str, &str) = (include_str!("tests/one.crt"), include_str!("tests/one.key"));
const TWO: (&str, &str) = (include_str!("tests/two.crt"), include_str!("tests/two.key"));

/// Takes every certificate: the tests look at which one it was.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

type Client = tokio_rustls::client::TlsStream<TcpStream>;

struct Door {
    _folder: tempfile::TempDir,
    identity: Identity,
    address: std::net::SocketAddr,
    _serving: crate::tasks::Task<()>,
}

impl Door {
    /// One that says what it hears.
    async fn open(pair: (&str, &str)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificates, private_key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
        std::fs::write(&certificates, pair.0).unwrap();
        std::fs::write(&private_key, pair.1).unwrap();
        let identity = Identity::open(certificates, private_key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = futures::stream::unfold(listener, |listener| async move {
            let connection = listener.accept().await.map(|(connection, _)| connection);
            Some((connection, listener))
        });
        let streams = handshakes(accepted, &identity);
        let serving = crate::tasks::spawn("door", async move {
            let echo = |stream: io::Result<TlsStream<TcpStream>>| async move {
                let (mut read, mut write) = tokio::io::split(stream.unwrap());
                let _gone = tokio::io::copy(&mut read, &mut write).await;
            };
            streams.for_each_concurrent(None, echo).await;
        });
        Self { _folder: folder, identity, address, _serving: serving }
    }

    fn renew(&self, certificates: &str, private_key: &str) {
        std::fs::write(&self.identity.files.certificates, certificates).unwrap();
        std::fs::write(&self.identity.files.private_key, private_key).unwrap();
        self.identity.files.refresh();
    }

    async fn connect(&self) -> Client {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone));
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec(), PROTOCOL.to_vec()];
        let socket = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap()
    }
}

async fn says_back(client: &mut Client) -> bool {
    let mut heard = [0; 5];
    client.write_all(b"words").await.unwrap();
    client.read_exact(&mut heard).await.unwrap();
    &heard == b"words"
}

/// The certificate a client was shown.
fn shown(client: &Client) -> CertificateDer<'static> {
    client.get_ref().1.peer_certificates().unwrap()[0].clone()
}

fn leaf(pair: (&str, &str)) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pair.0.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_new_connections_and_those_there_are_go_on() {
    let door = Door::open(ONE).await;
    let mut before = door.connect().await;
    assert_eq!(shown(&before), leaf(ONE));
    assert_eq!(before.get_ref().1.alpn_protocol(), Some(PROTOCOL));
    door.renew(TWO.0, TWO.1);
    let mut after = door.connect().await;
    assert_eq!(shown(&after), leaf(TWO));
    assert!(says_back(&mut before).await && says_back(&mut after).await);
}

#[tokio::test]
async fn what_cannot_be_used_changes_nothing_until_it_can() {
    let door = Door::open(ONE).await;
    for (certificates, private_key) in [(TWO.0, ONE.1), (ONE.0, TWO.1), ("", ""), (TWO.0, "half a key")] {
        door.renew(certificates, private_key);
        assert_eq!(shown(&door.connect().await), leaf(ONE));
        assert!(door.identity.files.trouble.lock().is_some());
    }
    std::fs::remove_file(&door.identity.files.certificates).unwrap();
    door.identity.files.refresh();
    assert_eq!(shown(&door.connect().await), leaf(ONE));
    door.renew(TWO.0, TWO.1);
    assert_eq!(shown(&door.connect().await), leaf(TWO));
    assert!(door.identity.files.trouble.lock().is_none());
}

#[tokio::test]
async fn who_does_not_speak_tls_or_says_nothing_holds_up_nobody() {
    let door = Door::open(ONE).await;
    let _mute = TcpStream::connect(door.address).await.unwrap();
    let mut plain = TcpStream::connect(door.address).await.unwrap();
    plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    // It is told by an alert that this is TLS, and cut.
    let mut told = Vec::new();
    plain.read_to_end(&mut told).await.unwrap();
    assert_eq!(told.first(), Some(&21));
    assert!(says_back(&mut door.connect().await).await);
}

#[test]
fn files_that_are_no_identity_are_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let (one, key) = (file("one.crt", ONE.0), file("one.key", ONE.1));
    assert!(Identity::open(one.clone(), key.clone()).is_ok());
    let failed =
        |certificates: PathBuf, private_key: PathBuf| reason(&Identity::open(certificates, private_key).unwrap_err());
    let cases = [
        (failed(folder.path().join("none"), key.clone()), "failed to read"),
        (failed(one.clone(), file("no.key", "nothing")), "expected a private key"),
        (failed(one, file("two.key", TWO.1)), "private key for the certificate"),
        (failed(file("empty", ""), key), "private key for the certificate"),
    ];
    for (told, word) in cases {
        assert!(told.contains(word), "{told}");
    }
}
