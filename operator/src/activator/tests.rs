//! Requests over real sockets. A scheduler stands on a loopback address of the test's own, at a port of a cluster.

mod sealed;

use super::*;
use crate::decide::pods::{CONNECT_PORT, REST_PORT};
use axum::http::{HeaderMap, Method, Uri};
use futures::StreamExt;
use futures::channel::mpsc::{self, UnboundedReceiver};
use reqwest::{Client, Response};

const HELD_FOR: Duration = Duration::from_secs(20);

fn activator(patience: Duration) -> (Arc<Activator>, UnboundedReceiver<Name>) {
    let (woken, wakes) = mpsc::unbounded();
    (Arc::new(Activator::new(Ipv4Addr::LOCALHOST.into(), patience, woken, Arc::default())), wakes)
}

fn open(activator: &Activator, lead: Lead) -> (u16, u16) {
    let name = Name { namespace: "n".into(), cluster: "c".into() };
    let ports = activator.open("u", name, Speech::Plain, lead).unwrap();
    let of = |wanted| ports[PORTS.iter().position(|(_, port)| *port == wanted).unwrap()];
    (of(CONNECT_PORT), of(REST_PORT))
}

fn asleep() -> Lead {
    Lead::Hold("the cluster hibernates".into())
}

/// What a scheduler says that repeats what it was asked.
async fn scheduler(address: IpAddr, port: i32) -> JoinSet<()> {
    let listener = TcpListener::bind((address, u16::try_from(port).unwrap())).await.unwrap();
    let echo = |method: Method, uri: Uri, headers: HeaderMap, body: String| async move {
        let host = headers.get("x-mine").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        format!("{method} {} {host} {body}", uri.path_and_query().unwrap())
    };
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, axum::Router::new().fallback(echo)).await.unwrap() });
    serving
}

async fn post(client: &Client, port: u16, path: &str) -> Response {
    let call = client.post(format!("http://127.0.0.1:{port}{path}")).header("x-mine", "yes").body("words");
    call.header("content-type", "application/grpc").send().await.unwrap()
}

fn http1() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

fn http2() -> Client {
    Client::builder().no_proxy().http2_prior_knowledge().build().unwrap()
}

async fn until_held(activator: &Activator, count: usize) {
    while activator.held("u") != count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn requests_wake_their_cluster_once_wait_and_go_on_as_they_are() {
    let to: IpAddr = "127.81.0.1".parse().unwrap();
    let (activator, mut wakes) = activator(HELD_FOR);
    let (connect, rest) = open(&activator, asleep());
    let _schedulers = (scheduler(to, CONNECT_PORT).await, scheduler(to, REST_PORT).await);
    let mut calls = JoinSet::new();
    calls.spawn(async move { post(&http2(), connect, "/spark.connect/Execute").await });
    until_held(&activator, 1).await;
    calls.spawn(async move { post(&http1(), rest, "/api/v1/a?b=c").await });
    until_held(&activator, 2).await;
    assert_eq!(wakes.next().await.unwrap().cluster, "c");
    assert!(wakes.try_recv().is_err(), "it was woken twice");
    activator.direct("u", Lead::Pass(to));
    let mut said = Vec::new();
    while let Some(answer) = calls.join_next().await {
        said.push(answer.unwrap().text().await.unwrap());
    }
    said.sort();
    assert_eq!(said, ["POST /api/v1/a?b=c yes words", "POST /spark.connect/Execute yes words"]);
    assert_eq!(activator.held("u"), 0);
}

#[tokio::test]
async fn probes_and_mere_connections_wake_nobody() {
    let (activator, mut wakes) = activator(HELD_FOR);
    let (connect, rest) = open(&activator, asleep());
    let _mute = TcpStream::connect(("127.0.0.1", connect)).await.unwrap();
    let answer = http1().get(format!("http://127.0.0.1:{rest}/metrics")).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.unwrap().contains("/metrics wakes none"));
    assert_eq!((activator.held("u"), wakes.try_recv().is_err()), (0, true));
}

#[tokio::test]
async fn who_waits_too_long_or_in_vain_is_told_why() {
    let (activator, _wakes) = activator(Duration::from_millis(100));
    let (connect, rest) = open(&activator, Lead::Hold("no node has room".into()));
    let late = post(&http2(), connect, "/a").await;
    assert_eq!(late.status(), reqwest::StatusCode::OK);
    assert_eq!(late.headers()["grpc-status"], "14");
    let message = late.headers()["grpc-message"].to_str().unwrap();
    assert!(message.contains("'c' is not awake") && message.contains("no node has room"), "{message}");
    let late = http1().get(format!("http://127.0.0.1:{rest}/")).send().await.unwrap();
    assert_eq!(late.status(), reqwest::StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(late.headers()["retry-after"], "5");

    let (activator, _wakes) = self::activator(HELD_FOR);
    let (_, rest) = open(&activator, asleep());
    let mut call = JoinSet::new();
    call.spawn(async move { http1().get(format!("http://127.0.0.1:{rest}/")).send().await.unwrap() });
    until_held(&activator, 1).await;
    activator.shut("u", "Suspended".into());
    let told = call.join_next().await.unwrap().unwrap().text().await.unwrap();
    assert!(told.contains("takes no connections: Suspended"), "{told}");
    assert!(http1().get(format!("http://127.0.0.1:{rest}/")).send().await.is_err(), "it still listens");
}

#[tokio::test]
async fn nobody_listens_for_clusters_that_are_gone() {
    let (activator, _wakes) = activator(HELD_FOR);
    let (_, rest) = open(&activator, asleep());
    activator.keep(&HashSet::from(["u".to_owned()]));
    let mut call = JoinSet::new();
    call.spawn(async move { http1().get(format!("http://127.0.0.1:{rest}/")).send().await.unwrap() });
    until_held(&activator, 1).await;
    activator.keep(&HashSet::new());
    let told = call.join_next().await.unwrap().unwrap().text().await.unwrap();
    assert!(told.contains("takes no connections: it is deleted"), "{told}");
    assert!(http1().get(format!("http://127.0.0.1:{rest}/")).send().await.is_err(), "it still listens");
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_count_and_a_crowd_is_refused() {
    let (activator, _wakes) = activator(HELD_FOR);
    let (connect, _) = open(&activator, asleep());
    let mut calls = JoinSet::new();
    calls.spawn(async move { post(&http2(), connect, "/a").await });
    until_held(&activator, 1).await;
    calls.shutdown().await;
    until_held(&activator, 0).await;
    let clients: Vec<Client> = (0..16).map(|_| http2()).collect();
    for client in clients.iter().cycle().take(HELD) {
        let client = client.clone();
        calls.spawn(async move { post(&client, connect, "/a").await });
    }
    until_held(&activator, HELD).await;
    let refused = post(&http2(), connect, "/a").await;
    assert!(refused.headers()["grpc-message"].to_str().unwrap().contains("too many requests"));
}

#[tokio::test]
async fn when_it_is_shut_clients_are_asked_to_connect_again_and_what_runs_ends_well() {
    let to: IpAddr = "127.81.0.2".parse().unwrap();
    let (activator, _wakes) = activator(HELD_FOR);
    let (connect, _) = open(&activator, Lead::Pass(to));
    let listener = TcpListener::bind((to, u16::try_from(CONNECT_PORT).unwrap())).await.unwrap();
    let slow = || async {
        let words = futures::stream::unfold(0, |count| async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            (count < 5).then(|| (Ok::<_, io::Error>(format!("{count} ")), count + 1))
        });
        axum::body::Body::from_stream(words)
    };
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, axum::Router::new().fallback(slow)).await.unwrap() });
    let client = http2();
    let begun = post(&client, connect, "/slow").await;
    activator.shut("u", "Awake".into());
    assert_eq!(begun.text().await.unwrap(), "0 1 2 3 4 ");
    // The client has no connection left, and nobody listens where it had one.
    let again = client.post(format!("http://127.0.0.1:{connect}/slow")).send().await;
    assert!(again.is_err_and(|error| error.is_connect()), "the connection is still in use");
}
