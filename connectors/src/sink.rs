//! Writing exactly once: `prepare` here, `write` wherever a task runs, then one `commit` or `abort`.
//!
//! A task may run twice and may die at any point; only what `commit` is told about becomes visible.
//! Knows nothing of who schedules tasks.

pub mod files;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use futures::StreamExt;
use serde::{Deserialize, Serialize};

use crate::clickhouse::sink::{ClickHouseMessage, ClickHouseSinkSpec, PreparedClickHouse};
use crate::error::{ConnectorError, Result};
use crate::postgres::sink::{PostgresMessage, PostgresSinkSpec, PreparedPostgres};
pub use files::{FileFormat, FileMessage, FileSinkSpec, PreparedFiles};

/// What to do when the target exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SaveMode {
    /// Add to what is there.
    Append,
    /// Replace what is there.
    Overwrite,
    /// Fail.
    ErrorIfExists,
    /// Write nothing and succeed.
    Ignore,
}

/// Where and how to write; made by the planner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum SinkSpec {
    /// Files in a directory.
    Files(Box<FileSinkSpec>),
    /// A PostgreSQL table.
    Postgres(PostgresSinkSpec),
    /// A ClickHouse table.
    ClickHouse(Box<ClickHouseSinkSpec>),
    /// Nowhere: rows are made and dropped.
    Noop,
}

/// A write that has begun: all that a task or the committer needs, in any process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum PreparedSink {
    /// The target exists and the mode says to leave it alone; no task need run.
    Nothing,
    /// Files in a directory.
    Files(Box<PreparedFiles>),
    /// A PostgreSQL table.
    Postgres(PreparedPostgres),
    /// A ClickHouse table.
    ClickHouse(Box<PreparedClickHouse>),
    /// Nowhere: tasks run and keep nothing.
    Noop,
}

/// What one attempt of one task wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommitMessage {
    /// The task's partition.
    pub partition: usize,
    /// Which attempt wrote this.
    pub attempt: String,
    /// Rows written.
    pub rows: u64,
    /// The sink's own part.
    pub written: Written,
}

/// The sink's own part of a commit message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Written {
    /// Nothing was to be written.
    Nothing,
    /// Uploads or staged files.
    Files(FileMessage),
    /// Rows in the database.
    Postgres(PostgresMessage),
    /// Rows in a table of the attempt's own.
    ClickHouse(ClickHouseMessage),
}

/// The outcome of a committed write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteReport {
    /// Rows written.
    pub rows: u64,
    /// Bytes written, where the sink knows.
    pub bytes: u64,
    /// Files written.
    pub files: u64,
}

impl CommitMessage {
    /// The message as one line of text, to travel as a row.
    ///
    /// # Errors
    /// `Protocol` if it cannot be encoded.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| ConnectorError::Protocol(error.to_string()))
    }

    /// Undoes [`Self::to_json`].
    ///
    /// # Errors
    /// `Protocol` if the text is no message.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| ConnectorError::Protocol(format!("bad commit message: {error}")))
    }
}

/// Checks the target, applies the save mode, and makes room for the tasks' work. Nothing of the old data is touched.
///
/// # Errors
/// Whatever makes the write impossible: an existing target, a missing bucket, a refused login, an unsupported type.
pub async fn prepare(
    spec: SinkSpec,
    schema: SchemaRef,
    job_id: &str,
    runtime: Arc<RuntimeEnv>,
) -> Result<PreparedSink> {
    match spec {
        SinkSpec::Files(spec) => {
            let prepared = files::prepare(*spec, schema, job_id, &runtime).await?;
            Ok(prepared.map_or(PreparedSink::Nothing, |files| PreparedSink::Files(Box::new(files))))
        }
        SinkSpec::Postgres(spec) => Ok(crate::postgres::sink::prepare(spec, schema, job_id)
            .await?
            .map_or(PreparedSink::Nothing, PreparedSink::Postgres)),
        SinkSpec::ClickHouse(spec) => Ok(crate::clickhouse::sink::prepare(*spec, schema, job_id)
            .await?
            .map_or(PreparedSink::Nothing, |prepared| PreparedSink::ClickHouse(Box::new(prepared)))),
        SinkSpec::Noop => Ok(PreparedSink::Noop),
    }
}

impl PreparedSink {
    /// The most tasks that should write at the same time, if the target sets a limit.
    pub fn max_partitions(&self) -> Option<usize> {
        match self {
            Self::Postgres(postgres) => postgres.max_partitions(),
            Self::ClickHouse(clickhouse) => clickhouse.max_partitions(),
            Self::Nothing | Self::Files(_) | Self::Noop => None,
        }
    }

    /// Writes one partition; invisible until [`Self::commit`], except for rows appended to an existing table.
    ///
    /// # Errors
    /// The input's error unchanged, or what the store or database refused.
    ///
    /// # Cancellation
    /// Dropping the future leaves unfinished uploads behind, which no reader sees; database work is rolled back.
    pub async fn write(
        &self,
        partition: usize,
        attempt: &str,
        input: SendableRecordBatchStream,
        ctx: &TaskContext,
    ) -> Result<CommitMessage> {
        let (rows, written) = match self {
            Self::Nothing => (0, Written::Nothing),
            Self::Noop => (counted(input).await?, Written::Nothing),
            Self::Files(prepared) => {
                let message = prepared.write(partition, attempt, input, ctx.runtime_env().as_ref()).await?;
                (message.rows, Written::Files(message))
            }
            Self::Postgres(prepared) => {
                let message = prepared.write(partition, attempt, input).await?;
                (message.rows, Written::Postgres(message))
            }
            Self::ClickHouse(prepared) => {
                let message = prepared.write(partition, attempt, input).await?;
                (message.rows, Written::ClickHouse(message))
            }
        };
        Ok(CommitMessage { partition, attempt: attempt.to_owned(), rows, written })
    }

    /// Makes the winners' work visible. `messages` holds exactly one message per partition.
    /// Calling it again after a failure half way finishes the work.
    ///
    /// # Errors
    /// `Protocol` when messages contradict each other; otherwise what the store or database refused.
    pub async fn commit(&self, messages: Vec<CommitMessage>, runtime: Arc<RuntimeEnv>) -> Result<WriteReport> {
        let mut partitions: Vec<usize> = messages.iter().map(|message| message.partition).collect();
        partitions.sort_unstable();
        partitions.dedup();
        if partitions.len() != messages.len() {
            return Err(ConnectorError::Protocol("two commit messages for one partition".to_owned()));
        }
        match self {
            Self::Nothing => Ok(WriteReport::default()),
            Self::Noop => {
                Ok(WriteReport { rows: messages.iter().map(|message| message.rows).sum(), ..WriteReport::default() })
            }
            Self::Files(prepared) => prepared.commit(file_messages(messages)?, &runtime).await,
            Self::Postgres(prepared) => prepared.commit(&messages).await,
            Self::ClickHouse(prepared) => prepared.commit(&messages).await,
        }
    }

    /// Undoes what tasks left; `messages` may be any that are known, also those of losers. Old data stays as it was.
    ///
    /// # Errors
    /// What the store or database refused; the caller may ignore it, nothing became visible.
    pub async fn abort(&self, messages: Vec<CommitMessage>, runtime: Arc<RuntimeEnv>) -> Result<()> {
        match self {
            Self::Nothing | Self::Noop => Ok(()),
            Self::Files(prepared) => prepared.abort(file_messages(messages)?, &runtime).await,
            Self::Postgres(prepared) => prepared.abort().await,
            Self::ClickHouse(prepared) => prepared.abort().await,
        }
    }
}

/// The rows of an input, of which none is kept.
async fn counted(mut input: SendableRecordBatchStream) -> Result<u64> {
    let mut rows = 0;
    while let Some(batch) = input.next().await.transpose()? {
        rows += batch.num_rows() as u64;
    }
    Ok(rows)
}

fn file_messages(messages: Vec<CommitMessage>) -> Result<Vec<FileMessage>> {
    messages
        .into_iter()
        .map(|message| match message.written {
            Written::Files(files) => Ok(files),
            _ => Err(ConnectorError::Protocol("message of another sink".to_owned())),
        })
        .collect()
}
