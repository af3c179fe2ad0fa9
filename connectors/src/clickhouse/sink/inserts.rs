//! One task's INSERTs into one table: bounded blocks, each sent until the server has it or refuses it.
//!
//! A block sent again is the same bytes under the same token, so that one whose answer was lost is not there twice. One block is on
//! its way while the next is gathered, never more: a task is one writer.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use datafusion::common::runtime::SpawnedTask;
use twox_hash::XxHash3_64;

use super::Wrote;
use super::block::{Block, Gather};
use super::prepare::{Finish, PreparedTable};
use crate::clickhouse::http::{Client, Failure};
use crate::clickhouse::table::{count, qualified, quote};
use crate::error::{ConnectorError, Result};

/// Bytes of the blocks that a task gathers at once: one for each table it writes.
const BLOCK_BYTES: usize = 64 * 1024 * 1024;
const LEAST_BLOCK_BYTES: usize = 4 * 1024 * 1024;
/// Blocks of an attempt from which on the server merges its parts: a table that gets thousands at once would be slowed down.
const MERGED_FROM: usize = 16;

/// What one attempt of one task sends to one table.
pub(super) struct Inserts<'a> {
    table: &'a PreparedTable,
    client: Client,
    partition: usize,
    /// The attempt's own table.
    own: String,
    schema: SchemaRef,
    /// Bytes at which a block ends, whatever its rows.
    most_bytes: usize,
    gather: Gather,
    block: Block,
    /// Blocks and rows that were sent.
    number: usize,
    rows: u64,
    made: bool,
    sending: Option<SpawnedTask<Result<()>>>,
}

impl<'a> Inserts<'a> {
    /// For rows of a schema, one of so many tables at once.
    pub(super) fn new(
        table: &'a PreparedTable,
        partition: usize,
        attempt: &str,
        schema: SchemaRef,
        tables: usize,
    ) -> Result<Self> {
        let name: String = attempt.chars().filter(char::is_ascii_alphanumeric).collect();
        Ok(Self {
            client: Client::new(&table.options.target)?,
            own: format!("{}_{partition}_{name}", table.prefix),
            most_bytes: (BLOCK_BYTES / tables.max(1)).max(LEAST_BLOCK_BYTES),
            gather: Gather::default(),
            block: Block::new(&schema, table.options.write_codec, 0)?,
            number: 0,
            rows: 0,
            made: false,
            sending: None,
            table,
            partition,
            schema,
        })
    }

    /// Takes rows as the table takes them.
    pub(super) async fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut at = 0;
        while at < batch.num_rows() {
            at += self.gather.take(batch, at);
            if self.gather.is_full() {
                self.settle().await?;
            }
        }
        Ok(())
    }

    /// Sends what is left and looks that all is there.
    pub(super) async fn finish(mut self) -> Result<Wrote> {
        self.settle().await?;
        if self.block.rows() > 0 {
            self.send(0).await?;
        }
        sent(self.sending.take()).await?;
        if self.made {
            // The last chance to notice that rows were lost on the way.
            let sql = format!("SELECT count() FROM {}", qualified(&self.table.database, &self.own));
            let found = count(&self.client, &sql).await.map_err(|failure| self.client.error(failure))?;
            if found != self.rows {
                return Err(ConnectorError::Protocol(format!("sent {} rows, the server has {found}", self.rows)));
            }
        }
        Ok(Wrote { rows: self.rows, table: self.made.then_some(self.own) })
    }

    async fn settle(&mut self) -> Result<()> {
        let Some(batch) = self.gather.settle()? else { return Ok(()) };
        let most = self.table.options.batch_rows;
        let mut at = 0;
        while at < batch.num_rows() {
            let length = (batch.num_rows() - at).min(most.saturating_sub(self.block.rows()));
            self.block.write(&batch.slice(at, length))?;
            at += length;
            if self.block.rows() >= most || self.block.size() >= self.most_bytes {
                let next = self.block.size() + self.block.size() / 16;
                self.send(next).await?;
            }
        }
        Ok(())
    }

    /// Sends the block once the one before is there, and begins another of about so many bytes.
    async fn send(&mut self, next: usize) -> Result<()> {
        let staged = self.table.finish != Finish::Direct;
        if staged && !self.made {
            self.create_attempt().await?;
            self.made = true;
        }
        let full = std::mem::replace(&mut self.block, Block::new(&self.schema, self.table.options.write_codec, next)?);
        let length = full.rows();
        let body = full.finish()?;
        sent(self.sending.take()).await?;
        if staged && self.number == MERGED_FROM {
            self.merge_from_now_on().await?;
        }
        let into = if staged { qualified(&self.table.database, &self.own) } else { self.table.target() };
        let (table, client, token) =
            (self.table.clone(), self.client.clone(), format!("{}-{}", self.partition, self.number));
        self.sending =
            Some(SpawnedTask::spawn(async move { insert(&table, &client, &into, &token, body, length).await }));
        self.rows += length as u64;
        self.number += 1;
        Ok(())
    }

    async fn create_attempt(&self) -> Result<()> {
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {} AS {} ENGINE = {}",
            qualified(&self.table.database, &self.own),
            self.table.stage(),
            self.table.attempt_engine
        );
        self.client.insist(&sql).await.map_err(|failure| match failure {
            Failure::Refused { code: 60, .. } => {
                ConnectorError::Protocol(format!("job {} is over, its stage is gone", self.table.job_id))
            }
            failure => self.client.error(failure),
        })
    }

    async fn merge_from_now_on(&self) -> Result<()> {
        let Some(setting) = &self.table.unmerged else { return Ok(()) };
        let sql = format!("ALTER TABLE {} RESET SETTING {setting}", qualified(&self.table.database, &self.own));
        self.client.insist(&sql).await.map_err(|failure| self.client.error(failure))
    }
}

async fn insert(
    table: &PreparedTable,
    client: &Client,
    into: &str,
    token: &str,
    body: Bytes,
    rows: usize,
) -> Result<()> {
    let columns: Vec<String> = table.columns.iter().map(|column| quote(&column.name)).collect();
    let sql = format!("INSERT INTO {into} ({}) FORMAT ArrowStream", columns.join(", "));
    // A task that is run again may see its rows in another order: then its blocks are others, and none is taken for
    // one that is there.
    let token = format!("{}-{token}-{:016x}", table.job_id, XxHash3_64::oneshot(&body));
    let one_block = (rows.saturating_add(1)).max(1_048_449).to_string();
    let mut settings = vec![
        ("async_insert", "0".to_owned()),
        ("wait_end_of_query", "1".to_owned()),
        ("insert_deduplicate", "1".to_owned()),
        ("insert_deduplication_token", token),
        ("input_format_null_as_default", "0".to_owned()),
        ("input_format_parallel_parsing", "0".to_owned()),
        ("max_insert_threads", "1".to_owned()),
        ("max_insert_block_size", one_block.clone()),
        ("min_insert_block_size_rows", one_block),
        ("min_insert_block_size_bytes", (BLOCK_BYTES * 8).to_string()),
    ];
    if table.finish == Finish::Direct {
        settings.push(("distributed_foreground_insert", "1".to_owned()));
    } else {
        // A staging table bears any number of partitions.
        settings.push(("max_partitions_per_insert_block", "0".to_owned()));
    }
    settings.retain(|(name, _)| !table.options.target.settings.contains_key(*name));
    let mut tries = 0;
    loop {
        let failure = match client.insert(&sql, &settings, body.clone()).await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        if tries >= table.options.max_retry || !failure.is_passing(&table.options.retryable) {
            return Err(client.error(failure));
        }
        tries += 1;
        tracing::debug!(?failure, tries, "sending a block again");
        tokio::time::sleep(Duration::from_millis(table.options.retry_interval)).await;
    }
}

/// Waits for the block that is on its way.
async fn sent(block: Option<SpawnedTask<Result<()>>>) -> Result<()> {
    match block {
        Some(block) => {
            block.join().await.map_err(|error| ConnectorError::Protocol(format!("sending a block: {error}")))?
        }
        None => Ok(()),
    }
}
