//! A task's part: its rows into a staging table or the target, in one transaction, or not at all.
//!
//! Knows nothing of other tasks.

use bytes::{Bytes, BytesMut};
use datafusion::execution::SendableRecordBatchStream;
use futures::{SinkExt, StreamExt};

use super::ledger::Entry;
use super::plan::Load;
use super::{PostgresMessage, PreparedPostgres, open};
use crate::error::{ConnectorError, Result};
use crate::postgres::connect::{Connection, database_error};
use crate::postgres::encode::Encoder;
use crate::postgres::table::{TableName, quote};

/// Bytes in one message to the server.
const CHUNK: usize = 512 * 1024;

impl PreparedPostgres {
    /// Writes one partition.
    pub(crate) async fn write(
        &self,
        partition: usize,
        attempt: &str,
        mut input: SendableRecordBatchStream,
    ) -> Result<PostgresMessage> {
        let connection = open(&self.options, &self.job_id).await?;
        match &self.load {
            Load::Direct => self.write_direct(&connection, partition, attempt, &mut input).await,
            Load::Staged(body) => {
                let stage = self.stage(partition, attempt);
                connection.execute("BEGIN; SET LOCAL synchronous_commit = off").await?;
                let create = format!("CREATE UNLOGGED TABLE {} {body}", stage.sql());
                connection.execute(&create).await.map_err(|error| self.explained(error))?;
                let rows = self.copy(&connection, &stage, &mut input).await?;
                self.still_open(&connection).await?;
                connection.execute("COMMIT").await?;
                Ok(PostgresMessage { rows, staged: Some(stage) })
            }
        }
    }

    async fn write_direct(
        &self,
        connection: &Connection,
        partition: usize,
        attempt: &str,
        input: &mut SendableRecordBatchStream,
    ) -> Result<PostgresMessage> {
        if partition > 0 && self.options.strategy.is_none() {
            return Err(ConnectorError::Protocol("a write of one partition was given several".to_owned()));
        }
        let ledger = self.ledger();
        if let Entry::Done { rows } = ledger.find(connection, partition).await? {
            return Ok(PostgresMessage { rows, staged: None });
        }
        connection.execute(self.options.isolation.begin()).await?;
        let rows = self.copy(connection, &self.target, input).await?;
        self.still_open(connection).await?;
        if ledger.record(connection, partition, attempt, rows).await? {
            connection.execute("COMMIT").await?;
            return Ok(PostgresMessage { rows, staged: None });
        }
        connection.execute("ROLLBACK").await?;
        match ledger.find(connection, partition).await? {
            Entry::Done { rows } => Ok(PostgresMessage { rows, staged: None }),
            Entry::None => Err(ConnectorError::Protocol(format!("job {} was aborted", self.job_id))),
        }
    }

    /// Late attempts of a job that was committed or aborted find it closed.
    async fn still_open(&self, connection: &Connection) -> Result<()> {
        if self.ledger().hold(connection).await? {
            return Ok(());
        }
        connection.execute("ROLLBACK").await?;
        Err(ConnectorError::Protocol(format!("job {} is over, a late attempt was turned away", self.job_id)))
    }

    async fn copy(
        &self,
        connection: &Connection,
        table: &TableName,
        input: &mut SendableRecordBatchStream,
    ) -> Result<u64> {
        let sql = format!("COPY {} ({}) FROM STDIN (FORMAT BINARY)", table.sql(), self.column_list());
        let sink = connection.client().copy_in::<_, Bytes>(sql.as_str()).await.map_err(database_error)?;
        let mut sink = std::pin::pin!(sink);
        let mut encoder = Encoder::new(&self.columns)?;
        let most = self.options.batch_size.unwrap_or(usize::MAX);
        let mut buffer = BytesMut::with_capacity(CHUNK + CHUNK / 4);
        encoder.header(&mut buffer);
        while let Some(batch) = input.next().await {
            let mut converted = encoder.convert(&batch?)?;
            loop {
                let more = encoder.put(&mut converted, &mut buffer, CHUNK, most)?;
                if buffer.len() >= CHUNK || self.options.batch_size.is_some() {
                    sink.send(buffer.split().freeze()).await.map_err(database_error)?;
                    buffer.reserve(CHUNK + CHUNK / 4);
                }
                if !more {
                    break;
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

    pub(super) fn column_list(&self) -> String {
        self.columns.iter().map(|column| quote(&column.name)).collect::<Vec<_>>().join(", ")
    }
}
