//! Callers that Kubernetes knows: whose a token is, by a TokenReview, and what they may do, by SubjectAccessReviews.
//!
//! It speaks to the API server as the service account of its pod, which needs no right but to create these two (what the
//! ClusterRole `system:auth-delegator` gives). What is asked and how answers are read is in `answer`.

mod answer;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use firesteel_service::callers::{Review, Reviewer, Unavailable};
use firesteel_service::tokens::{Caller, Role};
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::RwLock;
use reqwest::{Certificate, Client, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::ServeError;
use crate::settings::TokenReviews;
use answer::{Access, TokenReview, User};

/// How long the API server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between looks at what this process may do.
const LOOK: Duration = Duration::from_secs(15);
const TOKEN_REVIEWS: &str = "apis/authentication.k8s.io/v1/tokenreviews";
const ACCESS_REVIEWS: &str = "apis/authorization.k8s.io/v1/subjectaccessreviews";
const OWN_ACCESS_REVIEWS: &str = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// The API server, about one cluster.
pub(crate) struct Kubernetes {
    http: Client,
    settings: TokenReviews,
    /// Whether it can be asked, or why not; `None` before the first look.
    looked: RwLock<Option<Result<(), String>>>,
}

impl fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubernetes").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Kubernetes {
    /// A client. Blocks, once at the start of the process.
    ///
    /// # Errors
    /// When the certificates of the API server cannot be read.
    pub(crate) fn new(settings: TokenReviews) -> Result<Arc<Self>, ServeError> {
        let path = settings.folder.join("ca.crt");
        let failed = |source: std::io::Error| ServeError::Tls { path: path.display().to_string(), source };
        let unusable = |error: reqwest::Error| failed(std::io::Error::other(error));
        let pem = std::fs::read(&path).map_err(failed)?;
        // That of the cluster alone is trusted, and nobody else is to see tokens: no proxy, and nobody the answer points to.
        let mut builder = Client::builder().tls_built_in_root_certs(false).no_proxy().timeout(PATIENCE);
        builder = builder.redirect(reqwest::redirect::Policy::none());
        for certificate in Certificate::from_pem_bundle(&pem).map_err(unusable)? {
            builder = builder.add_root_certificate(certificate);
        }
        let http = builder.build().map_err(unusable)?;
        Ok(Arc::new(Self { http, settings, looked: RwLock::new(None) }))
    }

    /// Whether callers can be told apart, or why not; `None` before that is known.
    pub(crate) fn looked(&self) -> Option<Result<(), String>> {
        self.looked.read().clone()
    }

    async fn whose(&self, token: &str) -> Result<Review, Unavailable> {
        let audiences = &self.settings.audiences;
        let review: TokenReview = self.post(TOKEN_REVIEWS, answer::token_review(token, audiences)).await?;
        let Some(user) = review.user(audiences) else { return Ok(Review::Stranger) };
        let name = format!("kubernetes:{}", user.username);
        let Some(role) = self.role(&user).await? else { return Ok(Review::Powerless { name }) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let good_for = answer::expiry(token).map(|expiry| expiry.saturating_sub(now));
        Ok(Review::Known { caller: Caller { name, role }, good_for })
    }

    /// The highest role whose verb the user has.
    async fn role(&self, user: &User) -> Result<Option<Role>, Unavailable> {
        let TokenReviews { namespace, cluster, .. } = &self.settings;
        for role in [Role::Admin, Role::User, Role::Viewer] {
            let asked = answer::access_review(user, namespace, cluster, role);
            if self.post::<Access>(ACCESS_REVIEWS, asked).await?.allows() {
                return Ok(Some(role));
            }
        }
        Ok(None)
    }

    /// What this process may not do although it has to.
    async fn lacks(&self) -> Result<(), Unavailable> {
        for (group, resource) in
            [("authentication.k8s.io", "tokenreviews"), ("authorization.k8s.io", "subjectaccessreviews")]
        {
            let asked = answer::own_access_review(group, resource);
            if !self.post::<Access>(OWN_ACCESS_REVIEWS, asked).await?.allows() {
                let missing = format!("the ServiceAccount of the scheduler may not create {resource}.{group}");
                return Err(Unavailable(format!("{missing}: bind it to the ClusterRole system:auth-delegator")));
            }
        }
        Ok(())
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: Value) -> Result<T, Unavailable> {
        // Read each time, since it is another one every hour.
        let file = self.settings.folder.join("token");
        let own = tokio::fs::read_to_string(&file).await;
        let own = own.map_err(|error| Unavailable(format!("{}: {error}", file.display())))?;
        let call = self.http.post(format!("{}/{path}", self.settings.server)).bearer_auth(own.trim());
        let call = call.header("content-type", "application/json").body(body.to_string());
        let unreachable =
            |error: reqwest::Error| Unavailable(format!("the API server does not answer: {}", root(&error)));
        let answer = call.send().await.map_err(unreachable)?;
        let (status, bytes) = (answer.status(), answer.bytes().await.map_err(unreachable)?);
        if !status.is_success() {
            return Err(Unavailable(refusal(status, &bytes)));
        }
        serde_json::from_slice(&bytes)
            .map_err(|error| Unavailable(format!("the answer to {path} is not understood: {error}")))
    }
}

impl Reviewer for Kubernetes {
    fn review<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Review, Unavailable>> {
        self.whose(token).boxed()
    }
}

/// Looks for ever whether callers can be told apart, so that what is missing is told before somebody calls.
pub(crate) async fn follow(kubernetes: Arc<Kubernetes>) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let looked = kubernetes.lacks().await.map_err(|Unavailable(problem)| problem);
        if kubernetes.looked().as_ref() == Some(&looked) {
            continue;
        }
        match &looked {
            Ok(()) => tracing::info!("tokens of Kubernetes are reviewed"),
            Err(problem) => tracing::error!(problem, "tokens of Kubernetes cannot be reviewed: they let nobody in"),
        }
        *kubernetes.looked.write() = Some(looked);
    }
}

/// What the API server says when it refuses.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    let message = serde_json::from_slice::<Value>(body).ok();
    let message = message.as_ref().and_then(|body| body.get("message")?.as_str()).unwrap_or_default();
    format!("the API server refuses with {}: {message}", status.as_u16())
}

/// The innermost cause, which says more than "error sending request".
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
