//! Who calls, at any door: by a token of the file, or by one that somebody else vouches for.
//!
//! What a reviewer says holds for a short time, under the hash of the token, and never beyond the token's own end. That it
//! cannot be asked lets nobody in, and is not taken for a refusal. This file knows no door and no protocol.

mod kept;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::tokens::{Caller, Role, Tokens, digest};
use kept::Kept;

/// How long a reviewer may take, waiting for others included.
const PATIENCE: Duration = Duration::from_secs(10);
/// Reviews at once.
const AT_ONCE: usize = 8;
/// Bytes of a token that is reviewed; those of Kubernetes have one or two thousand.
const TOKEN_BYTES: usize = 16 << 10;

/// What a reviewer says of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Review {
    /// Nobody's.
    Stranger,
    /// Somebody's who may do nothing here.
    Powerless {
        /// Who.
        name: String,
    },
    /// Somebody's.
    Known {
        /// Who, and what they may do.
        caller: Caller,
        /// Seconds the token is good for; `None` where it does not say.
        good_for: Option<u64>,
    },
}

/// A reviewer that cannot be asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("tokens cannot be reviewed: {0}")]
pub struct Unavailable(
    /// Why.
    pub String,
);

/// Somebody who knows tokens that the file does not.
pub trait Reviewer: Send + Sync + fmt::Debug {
    /// Whose a token is.
    ///
    /// # Errors
    /// When there is no answer.
    fn review<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Review, Unavailable>>;
}

/// Why a caller does not come in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is no token, or it is nobody's.
    #[error("a valid token is required")]
    Stranger,
    /// The caller may do less.
    #[error("{0}")]
    Role(String),
    /// Nobody could say whose the token is. Why is told to the log, and not to strangers.
    #[error("tokens cannot be reviewed now")]
    Unavailable,
}

/// Those who may come in.
#[derive(Debug)]
pub struct Callers {
    tokens: Arc<Tokens>,
    reviews: Option<Reviews>,
}

#[derive(Debug)]
struct Reviews {
    reviewer: Arc<dyn Reviewer>,
    kept: Mutex<Kept>,
    places: Semaphore,
    patience: Duration,
}

impl Callers {
    /// Those of a file, and those a reviewer knows.
    #[must_use]
    pub fn new(tokens: Arc<Tokens>, reviewer: Option<Arc<dyn Reviewer>>) -> Arc<Self> {
        Arc::new(Self { tokens, reviews: reviewer.map(|reviewer| Reviews::new(reviewer, PATIENCE)) })
    }

    /// The tokens of the file.
    #[must_use]
    pub fn tokens(&self) -> &Arc<Tokens> {
        &self.tokens
    }

    /// Who has a token, if there is one.
    ///
    /// # Errors
    /// Whoever does not come in, with the reason.
    pub async fn caller(&self, token: Option<&str>) -> Result<Caller, Refused> {
        let token = token.ok_or(Refused::Stranger)?;
        let digest = digest(token);
        if let Some(caller) = self.tokens.holder(&digest) {
            return Ok(caller);
        }
        let reviews = self.reviews.as_ref().ok_or(Refused::Stranger)?;
        if token.is_empty() || token.len() > TOKEN_BYTES {
            return Err(Refused::Stranger);
        }
        let kept = reviews.kept.lock().get(&digest, Instant::now());
        let review = match kept {
            Some(review) => review,
            None => {
                // It is good from before it was asked for, whatever the answer took.
                let asked = Instant::now();
                let review = reviews.ask(token).await.map_err(|error| {
                    tracing::warn!(%error, "a caller is sent away");
                    Refused::Unavailable
                })?;
                reviews.kept.lock().put(digest, &review, asked);
                review
            }
        };
        match review {
            Review::Stranger => Err(Refused::Stranger),
            Review::Powerless { name } => Err(Refused::Role(format!("{name} has no role here"))),
            Review::Known { caller, .. } => Ok(caller),
        }
    }

    /// Who has a token that may run queries.
    ///
    /// # Errors
    /// As [`Callers::caller`], and for those who may only look.
    pub async fn user(&self, token: Option<&str>) -> Result<Caller, Refused> {
        let caller = self.caller(token).await?;
        if caller.role < Role::User {
            return Err(Refused::Role(format!("a {} may not run queries; the role user is needed", caller.role)));
        }
        Ok(caller)
    }
}

impl Reviews {
    fn new(reviewer: Arc<dyn Reviewer>, patience: Duration) -> Self {
        Self { reviewer, kept: Mutex::default(), places: Semaphore::new(AT_ONCE), patience }
    }

    async fn ask(&self, token: &str) -> Result<Review, Unavailable> {
        let work = async {
            // Nobody closes the semaphore.
            let _place = self.places.acquire().await.map_err(|closed| Unavailable(closed.to_string()))?;
            self.reviewer.review(token).await
        };
        let late = |_| Unavailable(format!("no answer within {} seconds", self.patience.as_secs()));
        tokio::time::timeout(self.patience, work).await.map_err(late)?
    }
}

#[cfg(test)]
mod tests;
