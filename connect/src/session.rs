//! A client's session at this door: the Spark session and what only the protocol needs.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use firesteel_functions::error::SparkError;
use firesteel_proto::spark::connect as sc;
use firesteel_spark::session::Session;
use parking_lot::Mutex;
use tonic::Status;
use uuid::Uuid;

use crate::artifacts::Artifacts;
use crate::error::{ErrorLog, invalid_handle};
use crate::language::Language;
use crate::operation::{Operation, Outcome};

/// Finished operations whose outcome is remembered.
const REMEMBERED: usize = 1000;

/// Who a session belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey {
    /// The user, possibly empty.
    pub(crate) user: String,
    /// The client's id, a UUID.
    pub(crate) id: String,
}

/// A session of a client.
#[derive(Debug)]
pub(crate) struct ClientSession {
    /// Whose it is.
    pub(crate) key: SessionKey,
    /// What the language knows of it.
    pub(crate) spark: Arc<Session>,
    /// Uploads.
    pub(crate) artifacts: Artifacts,
    /// Errors whose details may be asked for.
    pub(crate) errors: ErrorLog,
    /// Storage levels of persisted relations, by their meaning.
    pub(crate) persisted: Mutex<HashMap<String, sc::StorageLevel>>,
    operations: Mutex<BTreeMap<Uuid, Arc<Operation>>>,
    finished: Mutex<VecDeque<(Uuid, Outcome)>>,
    used: Mutex<Instant>,
}

impl ClientSession {
    /// A session around a Spark session.
    pub(crate) fn new(key: SessionKey, spark: Arc<Session>, artifacts: Artifacts) -> Self {
        Self {
            key,
            spark,
            artifacts,
            errors: ErrorLog::default(),
            persisted: Mutex::default(),
            operations: Mutex::default(),
            finished: Mutex::default(),
            used: Mutex::new(Instant::now()),
        }
    }

    /// The id that tells clients whether the server still is the one they know.
    pub(crate) fn server_side_id(&self) -> String {
        self.spark.server_side_id().to_string()
    }

    /// The parser with this session's options.
    pub(crate) fn language(&self) -> Language {
        Language::new(self.spark.parse_options())
    }

    /// The status of an error, whose details are kept.
    pub(crate) fn status(&self, error: &SparkError) -> Status {
        self.errors.status(error)
    }

    /// Notes that a client used the session.
    pub(crate) fn touch(&self) {
        *self.used.lock() = Instant::now();
    }

    /// How long the session has been without calls and operations.
    pub(crate) fn idle_for(&self) -> Duration {
        if !self.operations.lock().is_empty() {
            return Duration::ZERO;
        }
        self.used.lock().elapsed()
    }

    /// Adds an operation; its id must be new.
    pub(crate) fn start(&self, operation: &Arc<Operation>) -> Result<(), SparkError> {
        let id = operation.identity.operation_id;
        let known = self.finished.lock().iter().any(|(finished, _)| *finished == id);
        let mut operations = self.operations.lock();
        if known || operations.contains_key(&id) {
            return Err(invalid_handle("OPERATION_ALREADY_EXISTS", &id.to_string()));
        }
        operations.insert(id, Arc::clone(operation));
        Ok(())
    }

    /// An operation by the client's id for it.
    pub(crate) fn operation(&self, id: &str) -> Result<Arc<Operation>, SparkError> {
        let parsed = Uuid::parse_str(id).map_err(|_| invalid_handle("FORMAT", id))?;
        self.operations.lock().get(&parsed).cloned().ok_or_else(|| invalid_handle("OPERATION_NOT_FOUND", id))
    }

    /// All operations that are not released.
    pub(crate) fn operations(&self) -> Vec<Arc<Operation>> {
        self.operations.lock().values().cloned().collect()
    }

    /// Forgets an operation, stopping it if it runs.
    pub(crate) fn remove(&self, operation: &Operation) {
        let id = operation.identity.operation_id;
        let outcome = match operation.outcome() {
            Outcome::Running => Outcome::Cancelled,
            outcome => outcome,
        };
        operation.cancel.cancel();
        if self.operations.lock().remove(&id).is_some() {
            self.remember(id, outcome);
        }
    }

    /// Remembers how a non-reattachable operation ended; its stream holds what is left to be read.
    pub(crate) fn finished(&self, operation: &Operation) {
        let id = operation.identity.operation_id;
        if self.operations.lock().remove(&id).is_some() {
            self.remember(id, operation.outcome());
        }
    }

    fn remember(&self, id: Uuid, outcome: Outcome) {
        let mut finished = self.finished.lock();
        if finished.len() >= REMEMBERED {
            finished.pop_front();
        }
        finished.push_back((id, outcome));
    }

    /// How an operation stands or ended.
    pub(crate) fn outcome(&self, id: &str) -> Option<Outcome> {
        let parsed = Uuid::parse_str(id).ok()?;
        if let Some(operation) = self.operations.lock().get(&parsed) {
            return Some(operation.outcome());
        }
        self.finished.lock().iter().rev().find(|(finished, _)| *finished == parsed).map(|(_, outcome)| *outcome)
    }

    /// Stops everything.
    pub(crate) fn close(&self) {
        for operation in self.operations() {
            self.remove(&operation);
        }
    }
}
