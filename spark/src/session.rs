//! Sessions: who they belong to, their settings and temporary objects, and the door through which plans are executed.
//!
//! A session runs nothing itself: it analyzes, gives the plan to a `JobRunner`, and hands the rows back. It knows no wire
//! protocol.

mod execution;
mod finish;
mod lookup;
mod meaning;
mod names;
mod parse;
mod query;
mod registry;
mod state;
mod substitute;
#[cfg(test)]
mod tests;
mod user;

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::prelude::SessionContext;
use firesteel_engine::job::JobRunner;
use firesteel_functions::error::SparkResult;
use parking_lot::{Mutex, RwLock};

use crate::catalog::Warehouse;
use crate::conf::RuntimeConf;
use crate::source::failure;

pub use execution::{Execution, ObservedMetrics};
pub(crate) use names::Found;
pub(crate) use query::Parameters;
pub use registry::{EngineParts, SparkEngine};
pub(crate) use state::{Kept, SessionState, TempBody, TempFunction, TempView};

/// One user's session.
pub struct Session {
    engine: Arc<SparkEngine>,
    user: String,
    id: String,
    server_side_id: String,
    conf: RuntimeConf,
    state: RwLock<SessionState>,
    last_used: Mutex<Instant>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("user", &self.user).field("id", &self.id).finish_non_exhaustive()
    }
}

impl Session {
    /// Who it belongs to.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The client's id of it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The server's id of it, which never changes while it lives.
    #[must_use]
    pub fn server_side_id(&self) -> &str {
        &self.server_side_id
    }

    /// Its settings.
    #[must_use]
    pub fn conf(&self) -> &RuntimeConf {
        &self.conf
    }

    /// The engine it is part of.
    #[must_use]
    pub fn engine(&self) -> &Arc<SparkEngine> {
        &self.engine
    }

    /// Its time zone.
    #[must_use]
    pub fn time_zone(&self) -> String {
        self.conf.effects().time_zone()
    }

    /// Its current database.
    #[must_use]
    pub fn current_database(&self) -> String {
        self.state.read().database.clone()
    }

    /// Notes that it is being used, so that it does not expire.
    pub fn touch(&self) {
        *self.last_used.lock() = Instant::now();
    }

    /// How long nobody has used it.
    #[must_use]
    pub fn idle(&self) -> Duration {
        self.last_used.lock().elapsed()
    }

    /// A copy with another id: settings, views, functions, variables and the current database.
    pub fn clone_as(&self, new_id: &str) -> SparkResult<Arc<Self>> {
        self.engine.adopt(self, new_id)
    }

    /// A context for one query, made of the settings as they are now.
    pub fn context(&self) -> SparkResult<Arc<SessionContext>> {
        let overrides = self.conf.effects().overrides(&self.user, &self.current_database());
        self.engine.recipe().context(overrides).map_err(failure)
    }

    pub(crate) fn runner(&self) -> &Arc<dyn JobRunner> {
        self.engine.runner()
    }

    pub(crate) fn warehouse(&self) -> &Warehouse {
        self.engine.warehouse()
    }

    pub(crate) fn state(&self) -> &RwLock<SessionState> {
        &self.state
    }
}
