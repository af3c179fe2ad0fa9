//! Ports that speak TLS. The identities are those of the tests of `service`, and protect nothing.

use super::*;
use axum::extract::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;

const ONE: (&str, &str) = (
    include_str!("../../../../service/src/tls/tests/one.crt"),
    include_str!("../../../../service/src/tls/tests/one.key"),
);
const TWO: (&str, &str) = (
    include_str!("../../../../service/src/tls/tests/two.crt"),
    include_str!("../../../../service/src/tls/tests/two.key"),
);

fn keys(pair: (&str, &str), before: Option<&Keys>) -> Keys {
    Keys::new(pair.0.as_bytes(), pair.1.as_bytes(), before).unwrap()
}

fn open(activator: &Activator, keys: Option<Keys>, lead: Lead) -> u16 {
    let name = Name { namespace: "n".into(), cluster: "c".into() };
    let ports = activator.open("u", name, Speech::Tls(keys.map(Arc::new)), lead).unwrap();
    ports[PORTS.iter().position(|(_, port)| *port == CONNECT_PORT).unwrap()]
}

/// A scheduler that shows a certificate, and repeats what it was asked.
async fn scheduler(address: IpAddr, pair: (&str, &str)) -> JoinSet<()> {
    let listener = TcpListener::bind((address, u16::try_from(CONNECT_PORT).unwrap())).await.unwrap();
    let acceptor = keys(pair, None).acceptor().clone();
    let echo = axum::Router::new().fallback(|request: Request| async move { request.uri().path().to_owned() });
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, echo) = (acceptor.clone(), echo.clone());
            connections.spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = TowerToHyperService::new(echo);
                let server = auto::Builder::new(TokioExecutor::new());
                let _gone = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    serving
}

fn client() -> Client {
    Client::builder().no_proxy().danger_accept_invalid_certs(true).tls_info(true).build().unwrap()
}

async fn ask(client: &Client, port: u16) -> reqwest::Result<Response> {
    let call = client.post(format!("https://127.0.0.1:{port}/a")).header("content-type", "application/grpc");
    call.body("words").send().await
}

#[tokio::test]
async fn who_speaks_tls_is_shown_the_certificate_waits_and_goes_on_by_tls() {
    let to: IpAddr = "127.81.0.3".parse().unwrap();
    let (activator, mut wakes) = activator(HELD_FOR);
    let connect = open(&activator, Some(keys(ONE, None)), asleep());
    let _scheduler = scheduler(to, ONE).await;
    // What is no TLS, or only a connection, wakes nobody.
    let _mute = TcpStream::connect(("127.0.0.1", connect)).await.unwrap();
    assert!(http2().get(format!("http://127.0.0.1:{connect}/a")).send().await.is_err());
    assert!(wakes.try_recv().is_err());
    let mut call = JoinSet::new();
    call.spawn(async move { ask(&client(), connect).await.unwrap() });
    until_held(&activator, 1).await;
    assert_eq!(wakes.next().await.unwrap().cluster, "c");
    activator.direct("u", Lead::Pass(to));
    let answer = call.join_next().await.unwrap().unwrap();
    let shown = answer.extensions().get::<reqwest::tls::TlsInfo>().unwrap().peer_certificate().unwrap();
    let pem: String = ONE.0.lines().filter(|line| !line.starts_with("---")).collect();
    assert_eq!(k8s_openapi::ByteString(shown.to_vec()), serde_json::from_value(serde_json::json!(pem)).unwrap());
    assert_eq!(answer.text().await.unwrap(), "/a");
}

#[tokio::test]
async fn only_a_scheduler_that_shows_this_certificate_or_the_one_before_is_spoken_to() {
    let to: IpAddr = "127.81.0.4".parse().unwrap();
    let (activator, _wakes) = activator(HELD_FOR);
    let _scheduler = scheduler(to, ONE).await;
    let told = |answer: Response| answer.headers().get("grpc-message").map(|value| value.to_str().unwrap().to_owned());
    let foreign = open(&activator, Some(keys(TWO, None)), Lead::Pass(to));
    let message = told(ask(&client(), foreign).await.unwrap()).unwrap();
    assert!(message.contains("does not answer"), "{message}");
    // A scheduler that has not seen the renewed one yet.
    let one = keys(ONE, None);
    let same = open(&activator, Some(keys(TWO, Some(&one))), Lead::Pass(to));
    assert_eq!(same, foreign);
    assert_eq!(told(ask(&client(), same).await.unwrap()), None);
}

#[tokio::test]
async fn without_a_certificate_nobody_is_spoken_to() {
    let (activator, mut wakes) = activator(HELD_FOR);
    let connect = open(&activator, None, asleep());
    assert!(ask(&client(), connect).await.is_err());
    assert!(http2().get(format!("http://127.0.0.1:{connect}/a")).send().await.is_err());
    assert!(wakes.try_recv().is_err());
}

#[test]
fn keys_that_do_not_belong_together_are_refused_with_the_reason() {
    for (certificates, private_key, word) in [
        (ONE.0, TWO.1, "not that of the certificate"),
        ("", ONE.1, "no certificate"),
        (ONE.0, "nothing", "private key is not understood"),
    ] {
        let why = Keys::new(certificates.as_bytes(), private_key.as_bytes(), None).unwrap_err();
        assert!(why.contains(word), "{why}");
    }
}
