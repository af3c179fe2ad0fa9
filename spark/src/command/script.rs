//! `BEGIN ... END` scripts.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult};

use super::Rows;
use crate::session::Session;
use crate::spec::Script;

/// Runs a script.
pub(super) async fn run(_session: &Arc<Session>, _script: &Script) -> SparkResult<Rows> {
    Err(SparkError::unsupported("SQL scripts (BEGIN ... END)"))
}
