//! The way from one client's connection to the scheduler, in the clear or by TLS, as the client's own is.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{Response, Version};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Builder, Client, Error};
use hyper_util::rt::TokioExecutor;

use super::connection::WINDOW;
use super::tls::Keys;

const CONNECT: Duration = Duration::from_secs(5);

/// Of one connection only, so that a client that reads slowly holds up nobody else.
pub(super) enum Upstream {
    Open(Box<Open>),
    /// What speaks TLS here is gRPC.
    Sealed(Box<Client<HttpsConnector<HttpConnector>, Body>>),
}

pub(super) struct Open {
    plain: Client<HttpConnector, Body>,
    multiplexed: Client<HttpConnector, Body>,
}

impl Upstream {
    pub(super) fn new(keys: Option<&Keys>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        match keys {
            None => {
                let plain = builder(false).build(connector.clone());
                Self::Open(Box::new(Open { plain, multiplexed: builder(true).build(connector) }))
            }
            Some(keys) => {
                connector.enforce_http(false);
                let sealed = HttpsConnectorBuilder::new().with_tls_config(keys.client()).https_only();
                Self::Sealed(Box::new(builder(true).build(sealed.enable_http2().wrap_connector(connector))))
            }
        }
    }

    /// The answer of the scheduler at an address.
    ///
    /// # Errors
    /// When the request cannot be addressed, or there is no answer.
    pub(super) async fn request(&self, request: Request, to: SocketAddr) -> Result<Response<Body>, Lost> {
        let version = match request.version() {
            Version::HTTP_2 => Version::HTTP_2,
            _ => Version::HTTP_11,
        };
        let answer = match self {
            Self::Open(open) => {
                let client = if version == Version::HTTP_2 { &open.multiplexed } else { &open.plain };
                client.request(addressed(request, "http", to, version)?).await
            }
            Self::Sealed(client) => client.request(addressed(request, "https", to, Version::HTTP_2)?).await,
        };
        Ok(answer.map_err(Lost::Way)?.map(Body::new))
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("the request has no address")]
    Address(#[from] axum::http::Error),
    #[error("the way to the scheduler broke: {}", root(.0))]
    Way(#[source] Error),
}

/// The innermost cause, which says more than "client error".
fn root(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn builder(multiplexed: bool) -> Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .http2_only(multiplexed)
        .http2_initial_stream_window_size(WINDOW)
        .http2_initial_connection_window_size(WINDOW);
    builder
}

/// The request as the scheduler gets it.
fn addressed(request: Request, scheme: &str, to: SocketAddr, version: Version) -> Result<Request, axum::http::Error> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let uri = Uri::builder().scheme(scheme).authority(to.to_string()).path_and_query(path).build();
    parts.uri = uri?;
    parts.version = version;
    Ok(Request::from_parts(parts, body))
}
