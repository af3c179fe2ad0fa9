//! The table that says which jobs are open, which are committed, and which partitions of direct writes are in.
//!
//! A job's row is its gate: tasks share it as they commit, whoever ends the job takes it away, so that no attempt can
//! commit after the end. Rows of what is done stay for a week: a straggler must find them long after.

use tokio_postgres::types::Type;

use crate::error::{ConnectorError, Result};
use crate::postgres::connect::{Connection, database_error};
use crate::postgres::table::{TableName, get};

/// The partition number of an open job's row.
const OPEN: i32 = -1;
/// The partition number of a committed job's row.
const COMMITTED: i32 = -2;

pub(super) struct Ledger {
    table: String,
    job_id: String,
}

/// What the ledger knows of a partition.
pub(super) enum Entry {
    None,
    Done { rows: u64 },
}

/// What came of closing a job.
pub(super) enum Closing {
    /// It was open and is closed by this transaction.
    Now,
    /// It was committed before.
    Committed,
    /// It is not there: aborted, or swept away.
    Gone,
}

impl Ledger {
    /// The ledger in a schema.
    pub(super) fn new(schema: Option<&str>, job_id: &str) -> Self {
        let table = TableName { schema: schema.map(str::to_owned), table: "_firesteel_commits".to_owned() };
        Self { table: table.sql(), job_id: job_id.to_owned() }
    }

    pub(super) async fn create(&self, connection: &Connection) -> Result<()> {
        let table = &self.table;
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {table} (job_id text, part integer, rows bigint NOT NULL, attempt text NOT NULL, \
             ts timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (job_id, part))"
        );
        // Whoever may use a ledger need not be allowed to make one.
        let there = connection.client().query_opt(&format!("SELECT 1 FROM {table} LIMIT 1"), &[]).await;
        if there.is_err() {
            match connection.execute(&sql).await {
                // Two jobs creating it at once: the loser finds it made.
                Err(ConnectorError::Database { sqlstate, .. }) if sqlstate == "23505" || sqlstate == "42P07" => {}
                result => result?,
            }
        }
        let old = format!("DELETE FROM {table} WHERE part <> {OPEN} AND ts < now() - interval '7 days'");
        connection.execute(&old).await
    }

    /// Takes the job's lock on this connection, then notes the job as open.
    pub(super) async fn open(&self, connection: &Connection) -> Result<()> {
        connection.execute(&format!("SELECT pg_advisory_lock({})", lock_key(&self.job_id))).await?;
        let sql = format!("INSERT INTO {} (job_id, part, rows, attempt) VALUES ($1, {OPEN}, 0, '')", self.table);
        connection.client().execute(&sql, &[&self.job_id]).await.map_err(database_error)?;
        Ok(())
    }

    /// Keeps the job open until the transaction's end; false if it is closed.
    pub(super) async fn hold(&self, connection: &Connection) -> Result<bool> {
        let sql = format!("SELECT 1 FROM {} WHERE job_id = $1 AND part = {OPEN} FOR SHARE", self.table);
        let row = connection.client().query_opt(&sql, &[&self.job_id]).await.map_err(database_error)?;
        Ok(row.is_some())
    }

    /// Takes the job's row away, after all who hold it.
    pub(super) async fn close(&self, connection: &Connection) -> Result<Closing> {
        let sql = format!("DELETE FROM {} WHERE job_id = $1 AND part = {OPEN}", self.table);
        if connection.client().execute(&sql, &[&self.job_id]).await.map_err(database_error)? > 0 {
            return Ok(Closing::Now);
        }
        let sql = format!("SELECT 1 FROM {} WHERE job_id = $1 AND part = {COMMITTED}", self.table);
        let row = connection.client().query_opt(&sql, &[&self.job_id]).await.map_err(database_error)?;
        Ok(if row.is_some() { Closing::Committed } else { Closing::Gone })
    }

    /// Notes the job as committed, in the commit's own transaction.
    pub(super) async fn committed(&self, connection: &Connection, rows: u64) -> Result<()> {
        if !self.insert(connection, COMMITTED, "", rows).await? {
            return Err(ConnectorError::Protocol(format!("job {} was committed twice", self.job_id)));
        }
        Ok(())
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

    /// Notes a partition; `false` if another attempt has done so, and the transaction is then to be rolled back.
    pub(super) async fn record(
        &self,
        connection: &Connection,
        partition: usize,
        attempt: &str,
        rows: u64,
    ) -> Result<bool> {
        self.insert(connection, part(partition)?, attempt, rows).await
    }

    async fn insert(&self, connection: &Connection, part: i32, attempt: &str, rows: u64) -> Result<bool> {
        let sql = format!("INSERT INTO {} (job_id, part, rows, attempt) VALUES ($1, $2, $3, $4)", self.table);
        let types = [Type::TEXT, Type::INT4, Type::INT8, Type::TEXT];
        let statement = connection.client().prepare_typed(&sql, &types).await.map_err(database_error)?;
        let rows = i64::try_from(rows).map_err(|_| ConnectorError::Protocol("row count overflows".to_owned()))?;
        let inserted = connection.client().execute(&statement, &[&self.job_id, &part, &rows, &attempt]).await;
        match inserted.map_err(database_error) {
            Ok(_) => Ok(true),
            Err(ConnectorError::Database { sqlstate, .. }) if sqlstate == "23505" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Partitions and rows of the job.
    pub(super) async fn totals(&self, connection: &Connection) -> Result<(u64, u64)> {
        let sql = format!(
            "SELECT count(*), coalesce(sum(rows), 0)::bigint FROM {} WHERE job_id = $1 AND part >= 0",
            self.table
        );
        let row = connection.client().query_one(&sql, &[&self.job_id]).await.map_err(database_error)?;
        Ok((count(get::<i64>(&row, 0)?)?, count(get::<i64>(&row, 1)?)?))
    }

    /// Open jobs other than this one.
    pub(super) async fn others(&self, connection: &Connection) -> Result<Vec<String>> {
        let sql = format!("SELECT job_id FROM {} WHERE part = {OPEN} AND job_id <> $1", self.table);
        let rows = connection.client().query(&sql, &[&self.job_id]).await.map_err(database_error)?;
        rows.iter().map(|row| get(row, 0)).collect()
    }
}

/// The number of a job's lock: FNV-1a of its name.
pub(super) fn lock_key(job_id: &str) -> i64 {
    let hash = job_id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash.cast_signed()
}

fn part(partition: usize) -> Result<i32> {
    i32::try_from(partition).map_err(|_| ConnectorError::Protocol("partition number overflows".to_owned()))
}

fn count(value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| ConnectorError::Protocol("negative count in the ledger".to_owned()))
}
