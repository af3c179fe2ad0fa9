//! Clears away what jobs left: the staging tables of one that is over, and of those whose process died.
//!
//! An open job's process holds a lock for as long as it lives, so a lock that is free means that nobody will commit.

use super::ledger::{Ledger, lock_key};
use super::{PreparedPostgres, stage_prefix};
use crate::error::Result;
use crate::postgres::connect::{Connection, database_error};
use crate::postgres::table::{TableName, get};

/// Tables dropped in one transaction, which locks each of them.
const AT_ONCE: usize = 100;

/// Drops all staging tables of a job.
pub(super) async fn drop_stages(connection: &Connection, schema: Option<&str>, job_id: &str) -> Result<()> {
    let sql = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname = coalesce($1, current_schema()) AND c.relkind = 'r' AND left(c.relname, $3) = $2";
    let prefix = stage_prefix(job_id);
    let length = i32::try_from(prefix.len()).unwrap_or_default();
    let rows = connection.client().query(sql, &[&schema, &prefix, &length]).await.map_err(database_error)?;
    let mut names = Vec::with_capacity(rows.len());
    for row in &rows {
        names.push(TableName { schema: schema.map(str::to_owned), table: get(row, 0)? }.sql());
    }
    for names in names.chunks(AT_ONCE) {
        connection.execute(&format!("DROP TABLE IF EXISTS {}", names.join(", "))).await?;
    }
    Ok(())
}

/// Ends open jobs whose process is gone. What fails here fails no write: the next one tries again.
pub(super) async fn sweep(connection: &Connection, job: &PreparedPostgres) {
    if let Err(error) = try_sweep(connection, job).await {
        tracing::warn!(%error, "failed to clear away what dead jobs left");
    }
}

async fn try_sweep(connection: &Connection, job: &PreparedPostgres) -> Result<()> {
    for other in job.ledger().others(connection).await? {
        let key = lock_key(&other);
        let sql = format!("SELECT pg_try_advisory_lock({key})");
        let row = connection.client().query_one(&sql, &[]).await.map_err(database_error)?;
        if !get::<bool>(&row, 0)? {
            continue;
        }
        let swept = async {
            Ledger::new(job.staging.as_deref(), &other).close(connection).await?;
            drop_stages(connection, job.staging.as_deref(), &other).await
        };
        let swept = swept.await;
        connection.execute(&format!("SELECT pg_advisory_unlock({key})")).await?;
        swept?;
        tracing::info!(job = other, "cleared away what a dead job left");
    }
    Ok(())
}
