//! The ClickHouse sink: all or nothing by staging tables, or straight into the table in deduplicated blocks.
//!
//! ```text
//! prepare  CREATE stage                 like the target, or as the new table shall be
//! task     CREATE attempt AS stage      a table of its own for every attempt; INSERT in bounded blocks
//! commit   MOVE PARTITION winners -> stage, then one statement:
//!          append     ATTACH PARTITION ALL FROM stage
//!          overwrite  EXCHANGE TABLES stage AND target         new table  RENAME stage TO target
//!          dynamic    REPLACE PARTITION .. FROM stage          for each partition written to
//!          DROP stage, then all attempts: an attempt that begins later finds no stage and writes nothing
//! ```
//!
//! Of a Distributed table the local tables are written, each in this way; a row goes where the sharding key says.

mod block;
mod commit;
mod inserts;
mod janitor;
mod prepare;
mod publish;
mod shards;
mod task;

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::http::Client;
use super::options::ClickHouseOptions;
use super::table::Table;
use crate::error::{ConnectorError, Result};
use crate::sink::{CommitMessage, SaveMode, WriteReport, Written};
use prepare::PreparedTable;
use shards::Sharding;

/// What every staging table's name begins with; the job's id follows.
const STAGE: &str = "_firesteel_stage_";
/// The engine of a table that has its rows in tables of other servers.
const DISTRIBUTED: &str = "Distributed";

/// A write to a table, as the planner wants it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClickHouseSinkSpec {
    /// Connection, table and options.
    pub options: ClickHouseOptions,
    /// The save mode.
    pub mode: SaveMode,
    /// Names of the columns, by position.
    pub columns: Vec<String>,
}

impl ClickHouseSinkSpec {
    /// From the options of `format("clickhouse")`.
    ///
    /// # Errors
    /// `MissingOption`, `InvalidOption` or `Unsupported`.
    pub fn from_options(options: &BTreeMap<String, String>, mode: SaveMode, columns: Vec<String>) -> Result<Self> {
        let options = ClickHouseOptions::from_options(options)?;
        options.write_table()?;
        Ok(Self { options, mode, columns })
    }
}

/// A write that has begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PreparedClickHouse {
    /// The table, or the local tables of a Distributed one by shard.
    tables: Vec<PreparedTable>,
    /// Which row goes to which of several.
    sharding: Option<Sharding>,
}

/// What one attempt of one task did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClickHouseMessage {
    /// Rows it wrote.
    pub rows: u64,
    /// The same for each table.
    tables: Vec<Wrote>,
}

/// What one attempt of one task did to one table.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Wrote {
    rows: u64,
    /// The attempt's table, when it made one.
    table: Option<String>,
}

/// Checks connection, table, mode and columns, and makes the stages. `None` when there is nothing to do.
pub(crate) async fn prepare(
    spec: ClickHouseSinkSpec,
    schema: SchemaRef,
    job_id: &str,
) -> Result<Option<PreparedClickHouse>> {
    let ClickHouseSinkSpec { options, mode, columns: names } = spec;
    let names =
        if names.is_empty() { schema.fields().iter().map(|field| field.name().clone()).collect() } else { names };
    let client = Client::new(&options.target)?;
    let (database, target) = options.write_table()?;
    let found = Table::find(&client, &database, &target).await.map_err(|failure| client.error(failure))?;
    match (mode, &found) {
        (SaveMode::ErrorIfExists, Some(table)) => return Err(ConnectorError::TableExists { table: table.sql() }),
        (SaveMode::Ignore, Some(_)) => return Ok(None),
        _ => {}
    }
    if let Some(table) = found.as_ref().filter(|table| table.engine == DISTRIBUTED && options.by_shards()) {
        return shards::prepare(&client, &options, mode, &names, &schema, job_id, table).await.map(Some);
    }
    let table = PreparedTable::begin(options, mode, &names, &schema, job_id, found.as_ref()).await?;
    Ok(Some(PreparedClickHouse { tables: vec![table], sharding: None }))
}

impl PreparedClickHouse {
    /// The most tasks to run at once.
    pub(crate) fn max_partitions(&self) -> Option<usize> {
        self.tables.first().and_then(|table| table.options.writers)
    }

    /// Makes the winners' rows the target's. Calling it again finishes what was begun.
    ///
    /// Several tables are made ready before the first is touched, since no statement spans servers.
    pub(crate) async fn commit(&self, messages: &[CommitMessage]) -> Result<WriteReport> {
        let mut wrote: Vec<Vec<&Wrote>> = vec![Vec::new(); self.tables.len()];
        for message in messages {
            match &message.written {
                Written::ClickHouse(own) if own.tables.len() == wrote.len() => {
                    wrote.iter_mut().zip(&own.tables).for_each(|(all, own)| all.push(own));
                }
                _ => return Err(ConnectorError::Protocol("message of another sink".to_owned())),
            }
        }
        let ready = self.tables.iter().zip(&wrote).map(|(table, wrote)| table.ready(wrote));
        let ready = try_join_all(ready).await?;
        for (index, (table, is_ready)) in self.tables.iter().zip(ready).enumerate() {
            if is_ready {
                table.finish().await.map_err(|error| self.partly(index, error))?;
            }
        }
        let rows = messages.iter().map(|message| message.rows).sum();
        Ok(WriteReport { rows, bytes: 0, files: 0 })
    }

    /// Drops all that the job made; the targets are as they were.
    pub(crate) async fn abort(&self) -> Result<()> {
        let mut dropped = Ok(());
        for table in &self.tables {
            dropped = dropped.and(table.abort().await);
        }
        dropped
    }

    /// The failure of one table's end, of its own class, with what is visible already.
    fn partly(&self, done: usize, error: ConnectorError) -> ConnectorError {
        if done == 0 {
            return error;
        }
        let names = |tables: &[PreparedTable]| {
            tables.iter().map(|table| table.options.target.shown()).collect::<Vec<_>>().join(", ")
        };
        let (before, after) = self.tables.split_at(done.min(self.tables.len()));
        let told = format!("the rows are visible on some shards ({}), not on others ({})", names(before), names(after));
        match error {
            ConnectorError::Database { sqlstate, message, transient } => {
                ConnectorError::Database { sqlstate, message: format!("{told}: {message}"), transient }
            }
            ConnectorError::ConnectionFailed { target, reason } => {
                ConnectorError::ConnectionFailed { target, reason: format!("{told}: {reason}") }
            }
            ConnectorError::Transient { target, reason } => {
                ConnectorError::Transient { target, reason: format!("{told}: {reason}") }
            }
            other => ConnectorError::Protocol(format!("{told}: {other}")),
        }
    }
}
