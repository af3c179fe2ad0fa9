//! The exactly-once PostgreSQL sink.
//!
//! ```text
//! prepare: take the job's lock; note the job as open in the ledger
//! task:    BEGIN; CREATE staging table of this attempt; COPY rows; look that the job is open; COMMIT
//! commit:  BEGIN; close the job; [empty, create or replace the target;] INSERT .. SELECT from the winners; COMMIT
//!          drop the staging tables
//! ```
//! Every attempt has a staging table of its own and only those the caller names count, so that a second attempt with
//! other rows, or one that comes late, changes nothing. One writer that appends needs no staging: its COPY and its row
//! in the ledger are one transaction on the target itself.

mod finish;
mod janitor;
mod ledger;
mod load;
mod plan;
mod preflight;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

use super::connect::{Connection, connect};
use super::options::JdbcOptions;
use super::table::{TableColumn, TableName};
use crate::error::{ConnectorError, Result};
use crate::sink::SaveMode;
use ledger::Ledger;
use plan::{Finish, Load};

/// A write to a table, as the planner wants it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PostgresSinkSpec {
    /// Connection, table and options.
    pub options: Box<JdbcOptions>,
    /// The save mode.
    pub mode: SaveMode,
    /// Names of the columns, by position; empty takes the schema's names.
    pub columns: Vec<String>,
    /// Those of them that hold JSON as text.
    pub json: Vec<String>,
    /// Whether column names match only when their case does.
    pub case_sensitive: bool,
}

impl PostgresSinkSpec {
    /// From the options of `format("jdbc")` or `format("postgres")`.
    ///
    /// # Errors
    /// `MissingOption` or `InvalidOption`.
    pub fn from_options(options: &BTreeMap<String, String>, mode: SaveMode, columns: Vec<String>) -> Result<Self> {
        let options = Box::new(JdbcOptions::from_options(options)?);
        options.write_table()?;
        for (given, key) in [
            (options.partition.is_some(), "partitionColumn"),
            (options.prepare_query.is_some(), "prepareQuery"),
            (options.custom_schema.is_some(), "customSchema"),
        ] {
            if given {
                return Err(ConnectorError::option(key, "only for reading"));
            }
        }
        if options.upsert.is_some() && mode == SaveMode::Overwrite {
            return Err(ConnectorError::option("upsertKeys", "not together with mode overwrite"));
        }
        Ok(Self { options, mode, columns, json: Vec::new(), case_sensitive: false })
    }
}

/// A write to a table that has begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PreparedPostgres {
    options: Box<JdbcOptions>,
    job_id: String,
    target: TableName,
    /// The schema of staging tables and the ledger.
    staging: Option<String>,
    /// The columns tasks send, in input order.
    columns: Vec<TableColumn>,
    load: Load,
    finish: Finish,
    /// The most tasks to run at once.
    writers: usize,
    /// Holds the job's lock for as long as the process that prepared it cares; tasks have none.
    #[serde(skip)]
    _lease: Option<Arc<Connection>>,
}

/// What one attempt of one task did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PostgresMessage {
    /// Rows of this partition.
    pub rows: u64,
    /// The table that holds them until the commit; none when they are in the target.
    pub staged: Option<TableName>,
}

/// Checks connection, table, mode and columns, and opens the job. `None` when there is nothing to do.
pub(crate) async fn prepare(
    spec: PostgresSinkSpec,
    schema: SchemaRef,
    job_id: &str,
) -> Result<Option<PreparedPostgres>> {
    let connection = open(&spec.options, job_id).await?;
    let target = spec.options.write_table()?.resolve(&connection).await?;
    let Some(planned) = plan::plan(&connection, &spec, &schema, &target).await? else { return Ok(None) };
    let plan::Planned { columns, load, finish } = planned;
    let options = spec.options;
    let writers = preflight::writers(&connection, &options).await?;
    let staging = options.staging_schema.clone().or_else(|| target.schema.clone());
    let prepared = PreparedPostgres {
        options,
        job_id: job_id.to_owned(),
        target,
        staging,
        columns,
        load,
        finish,
        writers,
        _lease: None,
    };
    let ledger = prepared.ledger();
    ledger.create(&connection).await.map_err(|error| prepared.explained(error))?;
    janitor::sweep(&connection, &prepared).await;
    ledger.open(&connection).await?;
    Ok(Some(PreparedPostgres { _lease: Some(Arc::new(connection)), ..prepared }))
}

impl PreparedPostgres {
    /// The most tasks to run at once.
    pub(crate) fn max_partitions(&self) -> Option<usize> {
        Some(self.writers)
    }

    fn ledger(&self) -> Ledger {
        Ledger::new(self.staging.as_deref(), &self.job_id)
    }

    /// What an attempt's staging table is called; the job's part is the same for all.
    fn stage(&self, partition: usize, attempt: &str) -> TableName {
        let attempt: String = attempt.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        TableName {
            schema: self.staging.clone(),
            table: format!("{}{partition}_{attempt}", stage_prefix(&self.job_id)),
        }
    }

    fn explained(&self, error: ConnectorError) -> ConnectorError {
        match error {
            ConnectorError::Database { sqlstate, message, transient } if sqlstate == "42501" => {
                let hint = "; hint: a write needs a schema to put its ledger and staging tables in: see stagingSchema";
                ConnectorError::Database { sqlstate, message: message + hint, transient }
            }
            error => error,
        }
    }
}

/// What the names of a job's staging tables begin with.
fn stage_prefix(job_id: &str) -> String {
    let job: String = job_id.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    format!("_firesteel_stage_{job}_")
}

/// Pauses before asking a full server again.
const ROOM_WAITS: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_secs(1), Duration::from_secs(3)];

/// A connection set up as the options say. A server without room, or one that is starting, is asked again.
async fn open(options: &JdbcOptions, job_id: &str) -> Result<Connection> {
    let mut waits = ROOM_WAITS.iter();
    let connection = loop {
        match connect(&options.target, &format!("firesteel {job_id}")).await {
            Err(ConnectorError::Database { sqlstate, message, transient }) => match waits.next() {
                Some(wait) if matches!(sqlstate.as_str(), "53300" | "57P03") => tokio::time::sleep(*wait).await,
                _ => return Err(ConnectorError::Database { sqlstate, message, transient }),
            },
            connected => break connected?,
        }
    };
    connection.prepare_session(options).await?;
    Ok(connection)
}

#[cfg(test)]
mod tests;
