//! The exactly-once PostgreSQL sink.
//!
//! ```text
//! task:   BEGIN; COPY rows; INSERT INTO ledger (job, partition) ON CONFLICT DO NOTHING; COMMIT, or ROLLBACK if it was there
//! commit: append to a table       nothing left to do
//!         new or replaced table   BEGIN; DROP old; RENAME staging; COMMIT
//!         emptied table           BEGIN; TRUNCATE; INSERT .. SELECT FROM staging; COMMIT
//! ```
//! The ledger row and the rows it speaks for stand or fall together, so a second attempt of a task adds nothing.

mod ledger;

use std::collections::BTreeMap;

use arrow::array::new_empty_array;
use arrow::datatypes::{Schema, SchemaRef};
use bytes::{Bytes, BytesMut};
use datafusion::execution::SendableRecordBatchStream;
use futures::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};

use super::connect::{Connection, connect, database_error};
use super::ddl::create_table;
use super::encode::Encoder;
use super::options::JdbcOptions;
use super::table::{TableColumn, TableName, quote};
use crate::error::{ConnectorError, Result};
use crate::sink::{CommitMessage, SaveMode, WriteReport};
use ledger::{Entry, Ledger};

const CHUNK: usize = 1024 * 1024;

/// A write to a table, as the planner wants it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PostgresSinkSpec {
    /// Connection, table and Spark's `jdbc` options.
    pub options: JdbcOptions,
    /// The save mode.
    pub mode: SaveMode,
    /// Names of the columns, by position; empty takes the schema's names.
    pub columns: Vec<String>,
    /// Whether column names match only when their case does.
    pub case_sensitive: bool,
}

impl PostgresSinkSpec {
    /// From the options of `format("jdbc")`.
    ///
    /// # Errors
    /// `MissingOption` or `InvalidOption`.
    pub fn from_options(options: &BTreeMap<String, String>, mode: SaveMode, columns: Vec<String>) -> Result<Self> {
        let options = JdbcOptions::from_options(options)?;
        options.write_table()?;
        Ok(Self { options, mode, columns, case_sensitive: false })
    }
}

/// A write to a table that has begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PreparedPostgres {
    options: JdbcOptions,
    job_id: String,
    target: TableName,
    /// Where tasks put rows.
    load: TableName,
    /// The columns they put, in input order.
    columns: Vec<TableColumn>,
    finish: Finish,
}

/// What commit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Finish {
    /// Rows are in the target already.
    Nothing,
    /// The staging table becomes the target, which does not exist.
    Rename,
    /// The staging table replaces the target.
    Replace,
    /// The target is emptied and filled from the staging table.
    Refill,
}

/// What one attempt of one task did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PostgresMessage {
    /// Rows that are in the table for this partition.
    pub rows: u64,
}

/// Checks connection, table, mode and columns, and creates what tasks need. `None` when there is nothing to do.
pub(crate) async fn prepare(
    spec: PostgresSinkSpec,
    schema: SchemaRef,
    job_id: &str,
) -> Result<Option<PreparedPostgres>> {
    let options = spec.options;
    let names = match spec.columns.is_empty() {
        true => schema.fields().iter().map(|field| field.name().clone()).collect(),
        false => spec.columns,
    };
    if names.len() != schema.fields().len() {
        return Err(ConnectorError::Protocol(format!("{} names for {} columns", names.len(), schema.fields().len())));
    }
    let connection = open(&options, job_id).await?;
    let target = options.write_table()?.resolve(&connection).await?;
    let existing = target.columns(&connection).await?;
    let finish = match (spec.mode, &existing) {
        (SaveMode::ErrorIfExists, Some(_)) => return Err(ConnectorError::TableExists { table: target.sql() }),
        (SaveMode::Ignore, Some(_)) => return Ok(None),
        (SaveMode::Append, Some(_)) => Finish::Nothing,
        (SaveMode::Overwrite, Some(_)) if options.truncate => Finish::Refill,
        (SaveMode::Overwrite, Some(_)) => Finish::Replace,
        (_, None) => Finish::Rename,
    };
    let staging = target.sibling(format!("_firesteel_stage_{}", uuid::Uuid::new_v4().simple()));
    let (load, columns) = match (finish, existing) {
        (Finish::Nothing, Some(existing)) => {
            let columns = match_columns(&names, &existing, &target, spec.case_sensitive)?;
            check_types(&schema, &columns)?;
            (target.clone(), columns)
        }
        (Finish::Refill, Some(existing)) => {
            let columns = match_columns(&names, &existing, &target, spec.case_sensitive)?;
            check_types(&schema, &columns)?;
            let list = column_list(&columns);
            // Types with their modifiers and nothing else: constraints are the target's to check.
            let sql =
                format!("CREATE UNLOGGED TABLE {} AS SELECT {list} FROM {} WITH NO DATA", staging.sql(), target.sql());
            connection.execute(&sql).await?;
            (staging, columns)
        }
        _ => {
            connection.execute(&create_table(&staging, &names, &schema, &options)?).await?;
            let created = staging.columns(&connection).await?;
            let created = created.ok_or_else(|| ConnectorError::TableNotFound { table: staging.sql() })?;
            let columns = match_columns(&names, &created, &staging, true)?;
            if let Err(error) = check_types(&schema, &columns) {
                connection.execute(&format!("DROP TABLE {}", staging.sql())).await?;
                return Err(error);
            }
            (staging, columns)
        }
    };
    let prepared = PreparedPostgres { options, job_id: job_id.to_owned(), target, load, columns, finish };
    prepared.ledger().create(&connection).await?;
    Ok(Some(prepared))
}

impl PreparedPostgres {
    /// The most tasks to run at once.
    pub(crate) fn max_partitions(&self) -> Option<usize> {
        self.options.num_partitions
    }

    /// Puts one partition's rows and its ledger row into one transaction.
    pub(crate) async fn write(
        &self,
        partition: usize,
        attempt: &str,
        mut input: SendableRecordBatchStream,
    ) -> Result<PostgresMessage> {
        let connection = open(&self.options, &self.job_id).await?;
        let ledger = self.ledger();
        if let Entry::Done { rows } = ledger.find(&connection, partition).await? {
            return Ok(PostgresMessage { rows });
        }
        connection.execute("BEGIN").await?;
        if self.finish != Finish::Nothing {
            connection.execute("SET LOCAL synchronous_commit = off").await?;
        }
        let rows = self.copy(&connection, &mut input).await?;
        if ledger.record(&connection, partition, attempt, rows).await? {
            connection.execute("COMMIT").await?;
            return Ok(PostgresMessage { rows });
        }
        connection.execute("ROLLBACK").await?;
        match ledger.find(&connection, partition).await? {
            Entry::Done { rows } => Ok(PostgresMessage { rows }),
            Entry::None => Err(ConnectorError::Protocol(format!("job {} was aborted", self.job_id))),
        }
    }

    async fn copy(&self, connection: &Connection, input: &mut SendableRecordBatchStream) -> Result<u64> {
        let sql = format!("COPY {} ({}) FROM STDIN (FORMAT BINARY)", self.load.sql(), column_list(&self.columns));
        let sink = connection.client().copy_in::<_, Bytes>(sql.as_str()).await.map_err(database_error)?;
        let mut sink = std::pin::pin!(sink);
        let mut encoder = Encoder::new(&self.columns)?;
        let mut buffer = BytesMut::with_capacity(CHUNK + CHUNK / 4);
        encoder.header(&mut buffer);
        while let Some(batch) = input.next().await {
            let batch = batch?;
            let mut at = 0;
            while at < batch.num_rows() {
                // Small slices keep the buffer near its size whatever the batch's.
                let count = (batch.num_rows() - at).min(1024);
                encoder.batch(&batch.slice(at, count), &mut buffer)?;
                at += count;
                if buffer.len() >= CHUNK {
                    sink.send(buffer.split().freeze()).await.map_err(database_error)?;
                    buffer.reserve(CHUNK + CHUNK / 4);
                }
            }
        }
        encoder.trailer(&mut buffer);
        sink.send(buffer.freeze()).await.map_err(database_error)?;
        let rows = sink.finish().await.map_err(database_error)?;
        if rows != encoder.rows() {
            return Err(ConnectorError::Protocol(format!("sent {} rows, the server took {rows}", encoder.rows())));
        }
        Ok(rows)
    }

    /// Checks that every partition is in, then makes the target hold exactly the rows written.
    pub(crate) async fn commit(&self, messages: &[CommitMessage]) -> Result<WriteReport> {
        let rows = messages.iter().map(|message| message.rows).sum();
        let report = WriteReport { rows, bytes: 0, files: 0 };
        let connection = open(&self.options, &self.job_id).await?;
        let staged = self.finish != Finish::Nothing;
        if staged && self.load.columns(&connection).await?.is_none() {
            // An earlier call got through and only its answer was lost.
            return Ok(report);
        }
        connection.execute("BEGIN").await?;
        let ledger = self.ledger();
        let (partitions, recorded) = ledger.totals(&connection).await?;
        if partitions != messages.len() as u64 || recorded != rows {
            return Err(ConnectorError::Protocol(format!(
                "ledger has {partitions} partitions and {recorded} rows, the job has {} and {rows}",
                messages.len()
            )));
        }
        let (target, staging) = (self.target.sql(), self.load.sql());
        match self.finish {
            Finish::Nothing => {}
            Finish::Rename => self.rename(&connection).await?,
            Finish::Replace => {
                connection.execute(&format!("DROP TABLE IF EXISTS {target}")).await?;
                self.rename(&connection).await?;
            }
            Finish::Refill => {
                let cascade = if self.options.cascade_truncate { " CASCADE" } else { "" };
                let list = column_list(&self.columns);
                connection.execute(&format!("TRUNCATE TABLE ONLY {target}{cascade}")).await?;
                connection.execute(&format!("INSERT INTO {target} ({list}) SELECT {list} FROM {staging}")).await?;
                connection.execute(&format!("DROP TABLE {staging}")).await?;
            }
        }
        if staged {
            ledger.clear(&connection).await?;
        }
        connection.execute("COMMIT").await?;
        Ok(report)
    }

    async fn rename(&self, connection: &Connection) -> Result<()> {
        let sql = format!("ALTER TABLE {} RENAME TO {}", self.load.sql(), quote(&self.target.table));
        connection.execute(&sql).await.map_err(|error| match error {
            ConnectorError::Database { sqlstate, .. } if sqlstate == "42P07" => {
                ConnectorError::TableExists { table: self.target.sql() }
            }
            error => error,
        })?;
        if let Some(comment) = &self.options.table_comment {
            let literal = comment.replace('\'', "''");
            connection.execute(&format!("COMMENT ON TABLE {} IS '{literal}'", self.target.sql())).await?;
        }
        Ok(())
    }

    /// Drops the staging table, or bars late attempts from adding rows. Rows appended already stay, as in Spark.
    pub(crate) async fn abort(&self) -> Result<()> {
        let connection = open(&self.options, &self.job_id).await?;
        if self.finish == Finish::Nothing {
            return self.ledger().close(&connection).await;
        }
        connection.execute(&format!("DROP TABLE IF EXISTS {}", self.load.sql())).await?;
        self.ledger().clear(&connection).await
    }

    fn ledger(&self) -> Ledger {
        Ledger::new(&self.target, &self.job_id)
    }
}

async fn open(options: &JdbcOptions, job_id: &str) -> Result<Connection> {
    let connection = connect(&options.target, &format!("firesteel {job_id}")).await?;
    if options.query_timeout > 0 {
        connection.execute(&format!("SET statement_timeout = '{}s'", options.query_timeout)).await?;
    }
    if let Some(statement) = &options.session_init {
        connection.execute(statement).await?;
    }
    Ok(connection)
}

fn match_columns(
    names: &[String],
    existing: &[TableColumn],
    table: &TableName,
    case_sensitive: bool,
) -> Result<Vec<TableColumn>> {
    let mut matched: Vec<TableColumn> = Vec::with_capacity(names.len());
    for name in names {
        let exact = existing.iter().find(|column| column.name == *name);
        let folded = || existing.iter().find(|column| column.name.to_lowercase() == name.to_lowercase());
        let column = exact.or_else(|| if case_sensitive { None } else { folded() });
        let column = column.ok_or_else(|| ConnectorError::ColumnNotFound {
            column: name.clone(),
            table: table.sql(),
            available: existing.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", "),
        })?;
        if column.generated {
            return Err(ConnectorError::Unsupported { feature: format!("writing generated column {}", column.name) });
        }
        if matched.iter().any(|other| other.name == column.name) {
            return Err(ConnectorError::option("dbtable", format!("column {} is written twice", column.name)));
        }
        matched.push(column.clone());
    }
    Ok(matched)
}

fn check_types(schema: &Schema, columns: &[TableColumn]) -> Result<()> {
    let empty = schema.fields().iter().map(|field| new_empty_array(field.data_type())).collect();
    let nullable: Vec<_> = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let batch = arrow::array::RecordBatch::try_new(std::sync::Arc::new(Schema::new(nullable)), empty)
        .map_err(|error| ConnectorError::Engine(error.into()))?;
    Encoder::new(columns)?.batch(&batch, &mut BytesMut::new())
}

fn column_list(columns: &[TableColumn]) -> String {
    columns.iter().map(|column| quote(&column.name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
