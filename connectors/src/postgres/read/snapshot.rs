//! One state of the database for all partitions of a read: a transaction that exports it and stays open meanwhile.

use std::sync::Arc;

use crate::error::Result;
use crate::postgres::connect::{Connection, connect, database_error};
use crate::postgres::options::JdbcOptions;
use crate::postgres::table::get;

/// Keeps a snapshot alive; dropping it lets it go.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its name, for other transactions.
    pub(super) name: String,
    _transaction: Arc<Connection>,
}

/// Exports the present state.
pub(super) async fn export(options: &JdbcOptions) -> Result<Snapshot> {
    let connection = connect(&options.target, "firesteel snapshot").await?;
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let row = connection.client().query_one("SELECT pg_export_snapshot()", &[]).await.map_err(database_error)?;
    Ok(Snapshot { name: get(&row, 0)?, _transaction: Arc::new(connection) })
}

/// The statements that make a transaction see a snapshot.
pub(super) fn adopt(name: &str) -> String {
    let name = crate::postgres::table::literal(name);
    format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {name}")
}
