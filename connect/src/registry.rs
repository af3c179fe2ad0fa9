//! The sessions of all clients, and those that are closed.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use dashmap::DashMap;
use firesteel_functions::error::SparkError;
use firesteel_proto::spark::connect as sc;
use firesteel_spark::session::SparkEngine;
use parking_lot::Mutex;
use tracing::info;
use uuid::Uuid;

use crate::artifacts::Artifacts;
use crate::error::invalid_handle;
use crate::options::ConnectOptions;
use crate::session::{ClientSession, SessionKey};

/// Closed sessions that are remembered, so that their clients hear that they are closed.
const REMEMBERED: usize = 10_000;

/// All sessions.
#[derive(Debug)]
pub(crate) struct Registry {
    engine: Arc<SparkEngine>,
    sessions: DashMap<SessionKey, Arc<ClientSession>>,
    closed: Mutex<Closed>,
}

/// Sessions that were closed lately.
#[derive(Debug, Default)]
struct Closed {
    keys: HashSet<SessionKey>,
    order: VecDeque<SessionKey>,
}

impl Closed {
    fn add(&mut self, key: &SessionKey) {
        if !self.keys.insert(key.clone()) {
            return;
        }
        self.order.push_back(key.clone());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
    }
}

impl Registry {
    /// No sessions yet.
    pub(crate) fn new(engine: Arc<SparkEngine>) -> Self {
        Self { engine, sessions: DashMap::new(), closed: Mutex::default() }
    }

    /// The session of a request, made if it is new.
    ///
    /// # Errors
    ///
    /// `INVALID_HANDLE.*` when the id is no UUID, the session was closed, or the client knows another server.
    pub(crate) fn open(
        &self,
        user: Option<&sc::UserContext>,
        id: &str,
        observed: Option<&str>,
    ) -> Result<Arc<ClientSession>, SparkError> {
        let key = key(user, id)?;
        if let Some(found) = self.find(&key, observed)? {
            return Ok(found);
        }
        if observed.is_some_and(|observed| !observed.is_empty()) {
            return Err(invalid_handle("SESSION_CHANGED", id));
        }
        let session = self.sessions.entry(key.clone()).or_insert_with(|| {
            info!(session_id = %key.id, user = %key.user, "opened session");
            let spark = self.engine.session(&key.user, &key.id);
            Arc::new(ClientSession::new(key.clone(), spark, Artifacts::default()))
        });
        Ok(Arc::clone(&session))
    }

    /// The session of a request that cannot be the first one.
    ///
    /// # Errors
    ///
    /// `INVALID_HANDLE.*`, also when there is no such session.
    pub(crate) fn existing(
        &self,
        user: Option<&sc::UserContext>,
        id: &str,
        observed: Option<&str>,
    ) -> Result<Arc<ClientSession>, SparkError> {
        let key = key(user, id)?;
        self.find(&key, observed)?.ok_or_else(|| invalid_handle("SESSION_NOT_FOUND", id))
    }

    /// Makes a copy of a session.
    ///
    /// # Errors
    ///
    /// `INVALID_HANDLE.*` when the new id is no UUID or in use.
    pub(crate) fn clone_session(
        &self,
        from: &ClientSession,
        new_id: Option<&str>,
    ) -> Result<Arc<ClientSession>, SparkError> {
        let id = new_id.filter(|id| !id.is_empty()).map_or_else(|| Uuid::new_v4().to_string(), str::to_string);
        Uuid::parse_str(&id).map_err(|_| invalid_handle("FORMAT", &id))?;
        let key = SessionKey { user: from.key.user.clone(), id };
        if self.is_closed(&key) || self.sessions.contains_key(&key) {
            return Err(invalid_handle("SESSION_ALREADY_EXISTS", &key.id));
        }
        let spark = from.spark.clone_as(&key.id)?;
        let session = Arc::new(ClientSession::new(key.clone(), spark, from.artifacts.copy()));
        self.sessions.insert(key, Arc::clone(&session));
        Ok(session)
    }

    /// Closes a session; what it runs is stopped.
    ///
    /// # Errors
    ///
    /// `INVALID_HANDLE.FORMAT` when the id is no UUID.
    pub(crate) fn close(
        &self,
        user: Option<&sc::UserContext>,
        id: &str,
        remember: bool,
    ) -> Result<Option<String>, SparkError> {
        let key = key(user, id)?;
        Ok(self.close_key(&key, remember))
    }

    /// Drops operations without clients and sessions without calls.
    pub(crate) fn sweep(&self, options: &ConnectOptions) {
        let sessions: Vec<_> = self.sessions.iter().map(|entry| Arc::clone(entry.value())).collect();
        for session in sessions {
            for operation in session.operations() {
                if operation.detached_for().is_some_and(|time| time > options.detached_timeout) {
                    info!(operation_id = %operation.identity.operation_id, "dropped operation without client");
                    session.remove(&operation);
                }
            }
            if session.idle_for() > options.session_timeout {
                info!(session_id = %session.key.id, "closed idle session");
                self.close_key(&session.key, true);
            }
        }
    }

    /// Stops every operation.
    pub(crate) fn cancel_all(&self) {
        for session in self.sessions.iter() {
            for operation in session.operations() {
                operation.cancel.cancel();
            }
        }
    }

    fn find(&self, key: &SessionKey, observed: Option<&str>) -> Result<Option<Arc<ClientSession>>, SparkError> {
        if self.is_closed(key) {
            return Err(invalid_handle("SESSION_CLOSED", &key.id));
        }
        let Some(session) = self.sessions.get(key).map(|entry| Arc::clone(entry.value())) else { return Ok(None) };
        if observed.is_some_and(|observed| !observed.is_empty() && observed != session.server_side_id()) {
            return Err(invalid_handle("SESSION_CHANGED", &key.id));
        }
        session.touch();
        Ok(Some(session))
    }

    fn close_key(&self, key: &SessionKey, remember: bool) -> Option<String> {
        let (_, session) = self.sessions.remove(key)?;
        if remember {
            self.closed.lock().add(key);
        }
        session.close();
        self.engine.release(&key.user, &key.id);
        Some(session.server_side_id())
    }

    fn is_closed(&self, key: &SessionKey) -> bool {
        self.closed.lock().keys.contains(key)
    }
}

fn key(user: Option<&sc::UserContext>, id: &str) -> Result<SessionKey, SparkError> {
    Uuid::parse_str(id).map_err(|_| invalid_handle("FORMAT", id))?;
    let user = user.map(|user| user.user_id.clone()).unwrap_or_default();
    Ok(SessionKey { user, id: id.to_string() })
}
