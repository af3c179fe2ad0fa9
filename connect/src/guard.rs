//! Refuses calls of those who may not run queries, before anything of a call is read.
//!
//! A service around the service, and no interceptor of tonic's, since who calls may have to be asked for.

use std::sync::Arc;
use std::task::{Context, Poll};

use firesteel_service::callers::{Callers, Refused};
use firesteel_service::tokens::credentials;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::NamedService;

/// A service that asks who calls; nobody is asked where there are no callers.
#[derive(Debug, Clone)]
pub(crate) struct Guarded<S> {
    inner: S,
    callers: Option<Arc<Callers>>,
}

impl<S> Guarded<S> {
    pub(crate) fn new(inner: S, callers: Option<Arc<Callers>>) -> Self {
        Self { inner, callers }
    }
}

impl<S: NamedService> NamedService for Guarded<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Guarded<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        // The one that is ready is this one, and not its copy.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        let Some(callers) = self.callers.clone() else { return Box::pin(inner.call(request)) };
        Box::pin(async move {
            let header = request.headers().get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let token = header.and_then(credentials).map(|(_, token)| token);
            match callers.user(token.as_deref()).await {
                Ok(_) => inner.call(request).await,
                Err(refused) => Ok(status(&refused).into_http()),
            }
        })
    }
}

fn status(refused: &Refused) -> Status {
    match refused {
        Refused::Role(why) => Status::permission_denied(why.as_str()),
        Refused::Unavailable => Status::unavailable(refused.to_string()),
        other => Status::unauthenticated(other.to_string()),
    }
}
