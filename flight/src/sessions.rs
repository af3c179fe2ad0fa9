//! Who a call comes from, and the Spark session it belongs to.
//!
//! A handshake makes a session and gives its token. Without a handshake, a bearer token names the session itself on an
//! open server; on one with a token it must be the server's, and the session is named by the header below.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use firesteel_functions::types::StructType;
use firesteel_service::callers::{Callers, Refused};
use firesteel_service::tokens::credentials;
use firesteel_spark::session::{Session, SparkEngine};
use parking_lot::Mutex;
use tonic::Status;
use tonic::metadata::MetadataMap;
use uuid::Uuid;

/// Names a session where the bearer token does not.
const SESSION_HEADER: &str = "x-firesteel-session";
const ANONYMOUS: &str = "flight";
/// Results of commands that wait for their client.
const KEPT_RESULTS: usize = 64;
const MAX_SESSIONS: usize = 10_000;

/// The result of a command.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// Names and types.
    pub(crate) schema: StructType,
    /// Rows.
    pub(crate) batches: Vec<RecordBatch>,
}

/// Sessions of this door.
#[derive(Debug)]
pub(crate) struct Sessions {
    engine: Arc<SparkEngine>,
    callers: Option<Arc<Callers>>,
    known: Mutex<Vec<Known>>,
    results: Mutex<VecDeque<(Uuid, Kept)>>,
}

#[derive(Debug, Clone)]
struct Known {
    user: String,
    id: String,
    /// What was sent in the handshake that gave this id; the id is worth nothing once that token is not.
    proof: Option<Proof>,
    used: Instant,
}

/// A token, kept to be looked at again with each call. It is told to nobody.
#[derive(Clone)]
struct Proof(Arc<str>);

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").finish_non_exhaustive()
    }
}

impl Sessions {
    /// No sessions yet.
    pub(crate) fn new(engine: Arc<SparkEngine>, callers: Option<Arc<Callers>>) -> Self {
        Self { engine, callers, known: Mutex::default(), results: Mutex::default() }
    }

    /// The session of a call.
    ///
    /// # Errors
    ///
    /// `UNAUTHENTICATED` when the server wants a token that the call does not have, `PERMISSION_DENIED` when the role of the
    /// token may not run queries, `UNAVAILABLE` when nobody can say whose it is.
    pub(crate) async fn of(&self, metadata: &MetadataMap) -> Result<Arc<Session>, Status> {
        let header = |name: &str| metadata.get(name).and_then(|value| value.to_str().ok());
        let sent = header("authorization").and_then(credentials);
        let named = header(SESSION_HEADER).filter(|id| !id.is_empty());
        if let Some(known) = sent.as_ref().and_then(|(_, token)| self.handshaken(token)) {
            self.allow(known.proof.as_ref().map(|proof| &*proof.0)).await?;
            return Ok(self.session(&known.user, named.unwrap_or(&known.id), known.proof));
        }
        self.allow(sent.as_ref().map(|(_, token)| token.as_str())).await?;
        let (user, bearer) = match sent {
            Some((Some(user), _)) => (user, None),
            Some((None, token)) => (ANONYMOUS.to_owned(), Some(token)),
            None => (ANONYMOUS.to_owned(), None),
        };
        // A server's token is a secret and no name.
        let bearer = bearer.filter(|_| self.callers.is_none());
        Ok(self.session(&user, named.or(bearer.as_deref()).unwrap_or(ANONYMOUS), None))
    }

    /// Makes a session for the credentials of a handshake and gives its token, which is good for as long as they are.
    ///
    /// # Errors
    ///
    /// As [`Sessions::of`].
    pub(crate) async fn handshake(&self, metadata: &MetadataMap, payload: &[u8]) -> Result<String, Status> {
        let header = metadata.get("authorization").and_then(|value| value.to_str().ok());
        let sent = header.and_then(credentials);
        let secret = match &sent {
            Some((_, secret)) => secret.as_str(),
            None => std::str::from_utf8(payload).unwrap_or_default(),
        };
        self.allow(Some(secret)).await?;
        let proof = Proof(secret.into());
        let user = sent.and_then(|(user, _)| user).unwrap_or_else(|| ANONYMOUS.to_owned());
        let id = Uuid::new_v4().to_string();
        self.session(&user, &id, Some(proof));
        Ok(id)
    }

    /// Whether who has a token may run queries; on an open server everybody may.
    async fn allow(&self, sent: Option<&str>) -> Result<(), Status> {
        let Some(callers) = &self.callers else { return Ok(()) };
        match callers.user(sent).await {
            Ok(_) => Ok(()),
            Err(Refused::Role(why)) => Err(Status::permission_denied(why)),
            Err(refused @ Refused::Unavailable) => Err(Status::unavailable(refused.to_string())),
            Err(other) => Err(Status::unauthenticated(other.to_string())),
        }
    }

    /// Keeps the result of a command until its client fetches it, and gives its ticket.
    pub(crate) fn keep(&self, result: Kept) -> Uuid {
        let id = Uuid::new_v4();
        let mut results = self.results.lock();
        if results.len() >= KEPT_RESULTS {
            results.pop_front();
        }
        results.push_back((id, result));
        id
    }

    /// A kept result; it stays, since a client may fetch again.
    pub(crate) fn kept(&self, id: Uuid) -> Option<Kept> {
        self.results.lock().iter().find(|(kept, _)| *kept == id).map(|(_, result)| result.clone())
    }

    /// Ends sessions nobody has used for this long.
    pub(crate) fn sweep(&self, idle: Duration) {
        let mut expired = vec![];
        self.known.lock().retain(|known| {
            let keep = known.used.elapsed() < idle;
            if !keep {
                expired.push(known.clone());
            }
            keep
        });
        for known in expired {
            self.engine.release(&known.user, &known.id);
        }
    }

    fn handshaken(&self, token: &str) -> Option<Known> {
        self.known.lock().iter().find(|known| known.proof.is_some() && same(&known.id, token)).cloned()
    }

    fn session(&self, user: &str, id: &str, proof: Option<Proof>) -> Arc<Session> {
        let mut known = self.known.lock();
        match known.iter_mut().find(|known| known.user == user && known.id == id) {
            Some(known) => known.used = Instant::now(),
            None => {
                if known.len() >= MAX_SESSIONS {
                    let oldest = known.remove(0);
                    self.engine.release(&oldest.user, &oldest.id);
                }
                let entry = Known { user: user.to_string(), id: id.to_string(), proof, used: Instant::now() };
                known.push(entry);
            }
        }
        drop(known);
        self.engine.session(user, id)
    }
}

/// Compares in a time that does not tell where the texts differ.
fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    left.len() == right.len() && left.iter().zip(right).fold(0, |sum, (l, r)| sum | (l ^ r)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_sessions_are_compared_whole() {
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "abcd"));
    }
}
