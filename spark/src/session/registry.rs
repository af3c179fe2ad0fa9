//! The engine: all sessions of a process by user and id, and what they share.
//!
//! It decides when a session begins and ends, not what it does.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use firesteel_engine::job::JobRunner;
use firesteel_engine::local::LocalJobRunner;
use firesteel_engine::session::SessionRecipe;
use firesteel_functions::error::{ErrorKind, SparkError, SparkResult};
use parking_lot::{Mutex, RwLock};

use super::{Session, SessionState, TempView};
use crate::catalog::Warehouse;
use crate::conf::RuntimeConf;

/// What an engine is made of.
#[derive(Debug)]
pub struct EngineParts {
    /// Runs queries and writes.
    pub runner: Arc<dyn JobRunner>,
    /// Runs what must run in this process.
    pub local: Arc<LocalJobRunner>,
    /// Makes contexts.
    pub recipe: Arc<SessionRecipe>,
    /// Folder or URL of tables and catalog.
    pub warehouse: String,
}

/// All sessions of a process.
pub struct SparkEngine {
    runner: Arc<dyn JobRunner>,
    local: Arc<LocalJobRunner>,
    recipe: Arc<SessionRecipe>,
    warehouse: Warehouse,
    sessions: RwLock<HashMap<(String, String), Arc<Session>>>,
    global_views: RwLock<BTreeMap<String, Arc<TempView>>>,
}

impl std::fmt::Debug for SparkEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SparkEngine").field("sessions", &self.sessions.read().len()).finish_non_exhaustive()
    }
}

impl SparkEngine {
    /// An engine without sessions.
    pub fn new(parts: EngineParts) -> SparkResult<Arc<Self>> {
        let EngineParts { runner, local, recipe, warehouse } = parts;
        let warehouse = Warehouse::open(&warehouse, recipe.runtime().as_ref())?;
        Ok(Arc::new(Self {
            runner,
            local,
            recipe,
            warehouse,
            sessions: RwLock::default(),
            global_views: RwLock::default(),
        }))
    }

    /// The session of this user and id; it begins with its first use.
    pub fn session(self: &Arc<Self>, user: &str, id: &str) -> Arc<Session> {
        let key = (user.to_string(), id.to_string());
        if let Some(session) = self.sessions.read().get(&key) {
            session.touch();
            return Arc::clone(session);
        }
        let mut sessions = self.sessions.write();
        let session = sessions.entry(key).or_insert_with(|| {
            let fixed = BTreeMap::from([("spark.sql.warehouse.dir".to_string(), self.warehouse.location())]);
            Arc::new(self.make(user, id, RuntimeConf::new(fixed), SessionState::default()))
        });
        Arc::clone(session)
    }

    /// The session of this user and id, if there is one.
    #[must_use]
    pub fn existing(&self, user: &str, id: &str) -> Option<Arc<Session>> {
        self.sessions.read().get(&(user.to_string(), id.to_string())).cloned()
    }

    /// Ends a session; `false` when there was none.
    pub fn release(&self, user: &str, id: &str) -> bool {
        self.sessions.write().remove(&(user.to_string(), id.to_string())).is_some()
    }

    /// Ends the sessions nobody has used for this long; their keys are returned.
    pub fn expire(&self, idle: Duration) -> Vec<(String, String)> {
        let mut expired = Vec::new();
        self.sessions.write().retain(|key, session| {
            // A session that someone else holds is at work.
            let keep = session.idle() < idle || Arc::strong_count(session) > 1;
            if !keep {
                expired.push(key.clone());
            }
            keep
        });
        expired
    }

    /// All sessions.
    #[must_use]
    pub fn sessions(&self) -> Vec<Arc<Session>> {
        self.sessions.read().values().cloned().collect()
    }

    /// Runs queries and writes.
    #[must_use]
    pub fn runner(&self) -> &Arc<dyn JobRunner> {
        &self.runner
    }

    /// Runs what must run in this process.
    #[must_use]
    pub fn local(&self) -> &Arc<LocalJobRunner> {
        &self.local
    }

    /// Makes contexts.
    #[must_use]
    pub fn recipe(&self) -> &Arc<SessionRecipe> {
        &self.recipe
    }

    /// Tables and catalog.
    #[must_use]
    pub fn warehouse(&self) -> &Warehouse {
        &self.warehouse
    }

    pub(crate) fn global_views(&self) -> &RwLock<BTreeMap<String, Arc<TempView>>> {
        &self.global_views
    }

    pub(super) fn adopt(self: &Arc<Self>, from: &Session, new_id: &str) -> SparkResult<Arc<Session>> {
        let key = (from.user.clone(), new_id.to_string());
        let mut sessions = self.sessions.write();
        if sessions.contains_key(&key) {
            return Err(SparkError::new(
                ErrorKind::IllegalArgument,
                "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_EXISTS",
                &[("targetSessionId", new_id)],
            ));
        }
        let session = Arc::new(self.make(&from.user, new_id, from.conf.copy(), from.state.read().clone()));
        sessions.insert(key, Arc::clone(&session));
        Ok(session)
    }

    fn make(self: &Arc<Self>, user: &str, id: &str, conf: RuntimeConf, state: SessionState) -> Session {
        Session {
            engine: Arc::clone(self),
            user: user.to_string(),
            id: id.to_string(),
            server_side_id: uuid::Uuid::new_v4().to_string(),
            conf,
            state: RwLock::new(state),
            last_used: Mutex::new(Instant::now()),
        }
    }
}
