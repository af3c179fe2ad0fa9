//! Who a call comes from, and the Spark session it belongs to.
//!
//! A handshake makes a session and gives its token. Without a handshake, a bearer token names the session itself on an
//! open server; on one with a token it must be the server's, and the session is named by the header below.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use firesteel_functions::types::StructType;
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
    token: Option<String>,
    known: Mutex<Vec<Known>>,
    results: Mutex<VecDeque<(Uuid, Kept)>>,
}

#[derive(Debug, Clone)]
struct Known {
    user: String,
    id: String,
    /// Whether the id was given by a handshake, and so is proof of it.
    authenticated: bool,
    used: Instant,
}

impl Sessions {
    /// No sessions yet.
    pub(crate) fn new(engine: Arc<SparkEngine>, token: Option<String>) -> Self {
        Self { engine, token, known: Mutex::default(), results: Mutex::default() }
    }

    /// The session of a call.
    ///
    /// # Errors
    ///
    /// `UNAUTHENTICATED` when the server wants a token that the call does not have.
    pub(crate) fn of(&self, metadata: &MetadataMap) -> Result<Arc<Session>, Status> {
        let header = |name: &str| metadata.get(name).and_then(|value| value.to_str().ok()).map(str::to_string);
        let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer ").map(str::to_string));
        let named = header(SESSION_HEADER).filter(|id| !id.is_empty());
        if let Some(known) = bearer.as_deref().and_then(|token| self.handshaken(token)) {
            return Ok(self.session(&known.user, named.as_deref().unwrap_or(&known.id), known.authenticated));
        }
        let basic = header("authorization").and_then(|value| basic_credentials(&value));
        match (&self.token, bearer, basic) {
            (Some(expected), Some(sent), _) if same(expected, &sent) => {
                Ok(self.session(ANONYMOUS, named.as_deref().unwrap_or(ANONYMOUS), false))
            }
            (Some(expected), None, Some((user, password))) if same(expected, &password) => {
                Ok(self.session(&user, named.as_deref().unwrap_or(ANONYMOUS), false))
            }
            (Some(_), ..) => Err(Status::unauthenticated("a valid token is required")),
            (None, Some(sent), _) => Ok(self.session(ANONYMOUS, named.as_deref().unwrap_or(&sent), false)),
            (None, None, basic) => {
                let user = basic.map_or_else(|| ANONYMOUS.to_string(), |(user, _)| user);
                Ok(self.session(&user, named.as_deref().unwrap_or(ANONYMOUS), false))
            }
        }
    }

    /// Makes a session for the credentials of a handshake and gives its token.
    ///
    /// # Errors
    ///
    /// `UNAUTHENTICATED` when the server wants a token that is not the password.
    pub(crate) fn handshake(&self, metadata: &MetadataMap, payload: &[u8]) -> Result<String, Status> {
        let header = metadata.get("authorization").and_then(|value| value.to_str().ok());
        let credentials = header.and_then(basic_credentials);
        let bearer = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_string);
        let sent = credentials.as_ref().map(|(_, password)| password.clone()).or(bearer);
        let sent = sent.or_else(|| std::str::from_utf8(payload).ok().map(str::to_string)).unwrap_or_default();
        if self.token.as_ref().is_some_and(|expected| !same(expected, &sent)) {
            return Err(Status::unauthenticated("a valid token is required"));
        }
        let user = credentials.map_or_else(|| ANONYMOUS.to_string(), |(user, _)| user);
        let id = Uuid::new_v4().to_string();
        self.session(&user, &id, true);
        Ok(id)
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
        self.known.lock().iter().find(|known| known.authenticated && same(&known.id, token)).cloned()
    }

    fn session(&self, user: &str, id: &str, authenticated: bool) -> Arc<Session> {
        let mut known = self.known.lock();
        match known.iter_mut().find(|known| known.user == user && known.id == id) {
            Some(known) => known.used = Instant::now(),
            None => {
                if known.len() >= MAX_SESSIONS {
                    let oldest = known.remove(0);
                    self.engine.release(&oldest.user, &oldest.id);
                }
                let entry = Known { user: user.to_string(), id: id.to_string(), authenticated, used: Instant::now() };
                known.push(entry);
            }
        }
        drop(known);
        self.engine.session(user, id)
    }
}

fn basic_credentials(header: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_string(), password.to_string()))
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
    fn basic_credentials_are_read_and_tokens_compared_whole() {
        let header = format!("Basic {}", STANDARD.encode("ann:s:cret"));
        assert_eq!(basic_credentials(&header), Some(("ann".to_string(), "s:cret".to_string())));
        assert_eq!(basic_credentials("Basic ???"), None);
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "abcd"));
    }
}
