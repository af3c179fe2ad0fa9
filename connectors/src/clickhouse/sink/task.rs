//! One task's share of a write: bounded blocks, each sent until the server has it or refuses it.
//!
//! A block sent again is the same bytes under the same token, so that one whose answer was lost is not there twice. One block is on
//! its way while the next is gathered, never more: a task is one writer.

use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use arrow::array::RecordBatch;
use bytes::Bytes;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use super::block::{BLOCK_BYTES, Block};
use super::{ClickHouseMessage, Finish, PreparedClickHouse};
use crate::clickhouse::encode::Encoder;
use crate::clickhouse::http::{Client, Failure};
use crate::clickhouse::table::{count, qualified, quote};
use crate::error::{ConnectorError, Result};

impl PreparedClickHouse {
    /// Writes one partition.
    pub(crate) async fn write(
        &self,
        partition: usize,
        attempt: &str,
        mut input: SendableRecordBatchStream,
    ) -> Result<ClickHouseMessage> {
        let client = Client::new(&self.options.target)?;
        let name: String = attempt.chars().filter(char::is_ascii_alphanumeric).collect();
        let own = format!("{}_{partition}_{name}", self.prefix);
        let staged = self.finish != Finish::Direct;
        let into = if staged { qualified(&self.database, &own) } else { self.target() };
        let mut encoder = Encoder::new(&self.columns, &self.zone);
        let schema = encoder.schema(&input.schema())?;
        let mut block = Block::new(&schema, self.options.write_codec)?;
        let (mut rows, mut number, mut made) = (0_u64, 0_usize, false);
        let mut sending: Option<SpawnedTask<Result<()>>> = None;
        loop {
            let next = input.next().await.transpose()?;
            let last = next.is_none();
            let batch = next.unwrap_or_else(|| RecordBatch::new_empty(input.schema()));
            let mut at = 0;
            while at < batch.num_rows() || (last && block.rows() > 0) {
                at += block.take(&batch, at, self.options.batch_rows, &mut encoder)?;
                if !block.is_full(self.options.batch_rows) && !last {
                    continue;
                }
                if staged && !made {
                    self.create_attempt(&client, &own).await?;
                    made = true;
                }
                let fresh = Block::new(&schema, self.options.write_codec)?;
                let full = std::mem::replace(&mut block, fresh);
                let length = full.rows();
                rows += length as u64;
                let body = full.finish(&mut encoder)?;
                sent(sending.take()).await?;
                let (write, client, into) = (self.clone(), client.clone(), into.clone());
                let token = format!("{partition}-{number}");
                sending =
                    Some(SpawnedTask::spawn(async move { write.send(&client, &into, &token, body, length).await }));
                number += 1;
            }
            if last {
                break;
            }
        }
        sent(sending).await?;
        if made {
            // The last chance to notice that rows were lost on the way.
            let found = count(&client, &format!("SELECT count() FROM {into}")).await.map_err(|f| client.error(f))?;
            if found != rows {
                return Err(ConnectorError::Protocol(format!("sent {rows} rows, the server has {found}")));
            }
        }
        Ok(ClickHouseMessage { rows, table: made.then_some(own) })
    }

    async fn create_attempt(&self, client: &Client, own: &str) -> Result<()> {
        let engine = &self.attempt_engine;
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {} AS {} ENGINE = {engine}",
            qualified(&self.database, own),
            self.stage()
        );
        client.insist(&sql).await.map_err(|failure| match failure {
            Failure::Refused { code: 60, .. } => {
                ConnectorError::Protocol(format!("job {} is over, its stage is gone", self.job_id))
            }
            failure => client.error(failure),
        })
    }

    async fn send(&self, client: &Client, into: &str, token: &str, body: Bytes, rows: usize) -> Result<()> {
        let columns: Vec<String> = self.columns.iter().map(|column| quote(&column.name)).collect();
        let sql = format!("INSERT INTO {into} ({}) FORMAT ArrowStream", columns.join(", "));
        // A task that is run again may see its rows in another order: then its blocks are others, and none is taken for
        // one that is there.
        let mut hasher = DefaultHasher::new();
        hasher.write(&body);
        let token = format!("{}-{token}-{:016x}", self.job_id, hasher.finish());
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
        if self.finish == Finish::Direct {
            settings.push(("distributed_foreground_insert", "1".to_owned()));
        } else {
            // A staging table bears any number of partitions.
            settings.push(("max_partitions_per_insert_block", "0".to_owned()));
        }
        settings.retain(|(name, _)| !self.options.target.settings.contains_key(*name));
        let mut tries = 0;
        loop {
            let failure = match client.insert(&sql, &settings, body.clone()).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            if tries >= self.options.max_retry || !failure.is_passing(&self.options.retryable) {
                return Err(client.error(failure));
            }
            tries += 1;
            tracing::debug!(?failure, tries, "sending a block again");
            tokio::time::sleep(Duration::from_millis(self.options.retry_interval)).await;
        }
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
