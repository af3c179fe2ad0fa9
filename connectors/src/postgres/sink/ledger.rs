//! The table that says which partitions of which job are in the database.
//!
//! Rows of appends stay for a week: a straggling attempt must find them long after its job was committed.

use tokio_postgres::types::Type;

use crate::error::{ConnectorError, Result};
use crate::postgres::connect::{Connection, database_error};
use crate::postgres::table::{TableName, get};

/// The partition number that closes a job to late attempts.
const CLOSED: i32 = -1;

pub(super) struct Ledger {
    table: String,
    job_id: String,
}

/// What the ledger knows of a partition.
pub(super) enum Entry {
    None,
    Done { rows: u64 },
}

impl Ledger {
    /// The ledger beside a target table.
    pub(super) fn new(target: &TableName, job_id: &str) -> Self {
        Self { table: target.sibling("_firesteel_commits").sql(), job_id: job_id.to_owned() }
    }

    pub(super) async fn create(&self, connection: &Connection) -> Result<()> {
        let table = &self.table;
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {table} (job_id text, part integer, rows bigint NOT NULL, attempt text NOT NULL, \
             ts timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (job_id, part))"
        );
        match connection.execute(&sql).await {
            // Two jobs creating it at once: the loser finds it made.
            Err(ConnectorError::Database { sqlstate, .. }) if sqlstate == "23505" || sqlstate == "42P07" => {}
            result => result?,
        }
        connection.execute(&format!("DELETE FROM {table} WHERE ts < now() - interval '7 days'")).await
    }

    pub(super) async fn find(&self, connection: &Connection, partition: usize) -> Result<Entry> {
        let sql = format!("SELECT rows FROM {} WHERE job_id = $1 AND part = $2", self.table);
        let row =
            connection.client().query_opt(&sql, &[&self.job_id, &part(partition)?]).await.map_err(database_error)?;
        match row {
            None => Ok(Entry::None),
            Some(row) => Ok(Entry::Done { rows: count(get::<i64>(&row, 0)?)? }),
        }
    }

    /// Notes a partition; `false` if another attempt has done so, or the job is closed.
    pub(super) async fn record(
        &self,
        connection: &Connection,
        partition: usize,
        attempt: &str,
        rows: u64,
    ) -> Result<bool> {
        let table = &self.table;
        let sql = format!(
            "INSERT INTO {table} (job_id, part, rows, attempt) SELECT $1, $2, $3, $4 \
             WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE job_id = $1 AND part = {CLOSED}) ON CONFLICT DO NOTHING"
        );
        let types = [Type::TEXT, Type::INT4, Type::INT8, Type::TEXT];
        let statement = connection.client().prepare_typed(&sql, &types).await.map_err(database_error)?;
        let rows = i64::try_from(rows).map_err(|_| ConnectorError::Protocol("row count overflows".to_owned()))?;
        let inserted = connection
            .client()
            .execute(&statement, &[&self.job_id, &part(partition)?, &rows, &attempt])
            .await
            .map_err(database_error)?;
        Ok(inserted == 1)
    }

    /// Partitions and rows of the job.
    pub(super) async fn totals(&self, connection: &Connection) -> Result<(u64, u64)> {
        let sql = format!(
            "SELECT count(*), coalesce(sum(rows), 0)::bigint FROM {} WHERE job_id = $1 AND part <> {CLOSED}",
            self.table
        );
        let row = connection.client().query_one(&sql, &[&self.job_id]).await.map_err(database_error)?;
        Ok((count(get::<i64>(&row, 0)?)?, count(get::<i64>(&row, 1)?)?))
    }

    /// Forgets the job.
    pub(super) async fn clear(&self, connection: &Connection) -> Result<()> {
        let sql = format!("DELETE FROM {} WHERE job_id = $1", self.table);
        connection.client().execute(&sql, &[&self.job_id]).await.map_err(database_error)?;
        Ok(())
    }

    /// Lets no further attempt in.
    pub(super) async fn close(&self, connection: &Connection) -> Result<()> {
        let sql = format!(
            "INSERT INTO {} (job_id, part, rows, attempt) VALUES ($1, {CLOSED}, 0, '') ON CONFLICT DO NOTHING",
            self.table
        );
        connection.client().execute(&sql, &[&self.job_id]).await.map_err(database_error)?;
        Ok(())
    }
}

fn part(partition: usize) -> Result<i32> {
    i32::try_from(partition).map_err(|_| ConnectorError::Protocol("partition number overflows".to_owned()))
}

fn count(value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| ConnectorError::Protocol("negative count in the ledger".to_owned()))
}
