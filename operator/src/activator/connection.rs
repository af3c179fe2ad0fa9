//! One client's connection: its requests wait, go on to the scheduler, or are refused.
//!
//! What is kept of a connection is bounded: HTTP/2 lets neither side send more than its windows before it is read. So a
//! client that does not read its answer has a scheduler wait, and no memory here fill up.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, TRANSFER_ENCODING, UPGRADE};
use axum::http::{HeaderMap, HeaderName, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::refusal::refusal;
use super::upstream::Upstream;
use super::{Lead, Room, Speech};
use crate::decide::activate::wakes;

/// Bytes a side may send before they are read, for a stream and for all of a connection.
pub(super) const WINDOW: u32 = 64 << 10;
/// Bytes of an answer that wait for the client, for each stream.
const ANSWER: usize = 16 << 10;
const STREAMS: u32 = 32;
const HEADERS: u32 = 16 << 10;
/// How long a client may be connected and say nothing, while others wait for the place.
const SILENCE: Duration = Duration::from_secs(30);
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// What the requests of a connection share.
struct Guest {
    port: i32,
    room: Arc<Room>,
    lead: watch::Receiver<Lead>,
    upstream: Upstream,
    requests: AtomicUsize,
    waiting: AtomicUsize,
}

/// Serves a connection until its end.
pub(super) async fn serve(stream: TcpStream, port: i32, room: Arc<Room>, lead: watch::Receiver<Lead>) {
    // Small frames of a dialogue must not wait for each other.
    let _slower = stream.set_nodelay(true);
    let keys = match room.speech(port) {
        Speech::Plain => return converse(stream, Guest::new(port, room, lead, Upstream::new(None))).await,
        Speech::Tls(Some(keys)) => keys,
        Speech::Tls(None) => {
            tracing::debug!(cluster = room.name.cluster, "a connection is refused: there is no certificate");
            return;
        }
    };
    match tokio::time::timeout(SILENCE, keys.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => converse(stream, Guest::new(port, room, lead, Upstream::new(Some(&*keys)))).await,
        Ok(Err(error)) => tracing::debug!(%error, cluster = room.name.cluster, "a handshake failed"),
        Err(_) => tracing::debug!(cluster = room.name.cluster, "a handshake took too long"),
    }
}

/// Answers what is asked over a connection until its end.
async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, guest: Guest) {
    let guest = Arc::new(guest);
    let mut lead = guest.lead.clone();
    let service = Router::new().fallback(answer).with_state(Arc::clone(&guest));
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).max_buf_size(WINDOW as usize);
    server
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS)
        .max_send_buf_size(ANSWER);
    let serving = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(serving);
    let mut asked_to_leave = false;
    let mut answered = 0;
    let mut silence = tokio::time::interval(SILENCE);
    silence.reset();
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "a client's connection ended");
                }
                return;
            }
            // Requests that run come to their end; the next ones are made by another connection. An error means the same.
            _ = lead.wait_for(|lead| matches!(lead, Lead::Shut(_))), if !asked_to_leave => {
                asked_to_leave = true;
                serving.as_mut().graceful_shutdown();
            }
            _ = silence.tick(), if !asked_to_leave => {
                let requests = guest.requests.load(Ordering::Relaxed);
                let waiting = guest.waiting.load(Ordering::Relaxed) > 0;
                if requests == answered && !waiting && matches!(*guest.lead.borrow(), Lead::Hold(_)) {
                    asked_to_leave = true;
                    serving.as_mut().graceful_shutdown();
                }
                answered = requests;
            }
        }
    }
}

async fn answer(State(guest): State<Arc<Guest>>, request: Request) -> Response<Body> {
    guest.requests.fetch_add(1, Ordering::Relaxed);
    let headers = request.headers().clone();
    match guest.pass(request).await {
        Ok(response) => response,
        Err(why) => refusal(&headers, &why),
    }
}

impl Guest {
    fn new(port: i32, room: Arc<Room>, lead: watch::Receiver<Lead>, upstream: Upstream) -> Self {
        let (requests, waiting) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { port, room, lead, upstream, requests, waiting }
    }

    /// The scheduler's answer, or why there is none.
    async fn pass(&self, mut request: Request) -> Result<Response<Body>, String> {
        let address = self.wait(request.uri().path()).await?;
        let to = SocketAddr::new(address, u16::try_from(self.port).unwrap_or(0));
        strip(request.headers_mut());
        match self.upstream.request(request, to).await {
            Ok(mut response) => {
                strip(response.headers_mut());
                Ok(response)
            }
            Err(error) => {
                tracing::debug!(%error, cluster = self.room.name.cluster, "a request could not be passed on");
                Err(format!("the scheduler of cluster '{}' does not answer", self.room.name.cluster))
            }
        }
    }

    /// Waits for the address of a scheduler that is ready; that somebody waits wakes the cluster.
    async fn wait(&self, path: &str) -> Result<IpAddr, String> {
        let mut lead = self.lead.clone();
        let cluster = &self.room.name.cluster;
        if let Lead::Pass(address) = *lead.borrow() {
            return Ok(address);
        }
        if !wakes(self.port, path) {
            return Err(format!("cluster '{cluster}' has no scheduler, and {path} wakes none"));
        }
        let Some(_held) = self.room.hold() else {
            return Err(format!("too many requests wait for cluster '{cluster}'"));
        };
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        let moved = lead.wait_for(|lead| !matches!(lead, Lead::Hold(_)));
        let ended = match tokio::time::timeout(self.room.patience, moved).await {
            Ok(Ok(lead)) => lead.clone(),
            Ok(Err(_)) => return Err("the operator stops".to_owned()),
            Err(_) => self.lead.borrow().clone(),
        };
        match ended {
            Lead::Pass(address) => Ok(address),
            Lead::Shut(why) => Err(format!("cluster '{cluster}' takes no connections: {why}")),
            Lead::Hold(why) => {
                let seconds = self.room.patience.as_secs();
                Err(format!("cluster '{cluster}' is not awake after {seconds} seconds: {why}"))
            }
        }
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes away what is between two neighbours only (RFC 9110, 7.6.1).
fn strip(headers: &mut HeaderMap) {
    for name in [CONNECTION, KEEP_ALIVE, PROXY_CONNECTION, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
}
