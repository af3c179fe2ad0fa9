//! The end of a write to one table: the winners' rows become the target's, or all that the job made is dropped.

use std::sync::atomic::Ordering;

use super::Wrote;
use super::prepare::{Finish, PreparedTable};
use crate::clickhouse::http::{Client, text};
use crate::clickhouse::table::{Table, count, literal, qualified};
use crate::error::{ConnectorError, Result};

impl PreparedTable {
    /// Brings the winners' rows together in the stage. False when nothing is left to be done: the rows are the target's.
    pub(super) async fn ready(&self, wrote: &[&Wrote]) -> Result<bool> {
        if self.finish == Finish::Direct {
            return Ok(false);
        }
        let rows: u64 = wrote.iter().map(|own| own.rows).sum();
        let client = Client::new(&self.options.target)?;
        let stage = Table::find(&client, &self.database, &self.prefix).await.map_err(|f| client.error(f))?;
        let again = self.committing.swap(true, Ordering::AcqRel);
        let Some(stage) = stage else {
            if !again {
                return Err(ConnectorError::Protocol(format!("somebody dropped staging table {}", self.stage())));
            }
            // An earlier call got through and only its answer was lost.
            self.clean_up(&client).await;
            return Ok(false);
        };
        if stage.uuid != self.stage_uuid {
            // The tables have changed places already: this is the old one.
            self.clean_up(&client).await;
            return Ok(false);
        }
        self.gather(&client, wrote).await?;
        if self.counts {
            let found = count(&client, &format!("SELECT count() FROM {}", self.stage())).await;
            let found = found.map_err(|failure| client.error(failure))?;
            if found != rows {
                return Err(ConnectorError::Protocol(format!("tasks wrote {rows} rows, the stage has {found}")));
            }
        }
        Ok(true)
    }

    /// Makes the stage's rows the target's.
    pub(super) async fn finish(&self) -> Result<()> {
        let client = Client::new(&self.options.target)?;
        self.publish(&client).await?;
        self.clean_up(&client).await;
        Ok(())
    }

    /// Drops all that the job made; the target is as it was.
    pub(super) async fn abort(&self) -> Result<()> {
        if self.finish == Finish::Direct {
            return Ok(());
        }
        let client = Client::new(&self.options.target)?;
        self.drop_all(&client).await
    }

    /// Moves the winners' parts to the stage; what has been moved is not there to be moved again.
    async fn gather(&self, client: &Client, wrote: &[&Wrote]) -> Result<()> {
        let tables: Vec<&String> = wrote.iter().filter_map(|own| own.table.as_ref()).collect();
        for some in tables.chunks(200) {
            let names: Vec<String> = some.iter().map(|name| literal(name)).collect();
            let sql = format!(
                "SELECT DISTINCT table, partition_id FROM system.parts WHERE database = {} AND active AND rows > 0 \
                 AND table IN ({}) ORDER BY 1, 2",
                literal(&self.database),
                names.join(", ")
            );
            for row in client.rows(&sql).await.map_err(|failure| client.error(failure))? {
                let (table, partition) = (text(row.first()), text(row.get(1)));
                let sql = format!(
                    "ALTER TABLE {} MOVE PARTITION ID {} TO TABLE {}",
                    qualified(&self.database, &table),
                    literal(&partition),
                    self.stage()
                );
                client.insist(&sql).await.map_err(|failure| client.error(failure))?;
            }
        }
        Ok(())
    }

    /// The rows are the target's: what is left over must not make the write fail.
    async fn clean_up(&self, client: &Client) {
        if let Err(error) = self.drop_all(client).await {
            tracing::warn!(%error, prefix = self.prefix, "failed to drop staging tables");
        }
    }

    pub(super) async fn drop_stage(&self, client: &Client) -> Result<()> {
        client
            .insist(&format!("DROP TABLE IF EXISTS {} SYNC", self.stage()))
            .await
            .map_err(|failure| client.error(failure))
    }

    /// First the stage, without which no attempt can begin, then what attempts have made. One that cannot be dropped
    /// does not keep the others; the first failure is told.
    async fn drop_all(&self, client: &Client) -> Result<()> {
        self.drop_stage(client).await?;
        let sql = format!(
            "SELECT name FROM system.tables WHERE database = {} AND startsWith(name, {})",
            literal(&self.database),
            literal(&self.prefix)
        );
        let mut dropped = Ok(());
        for row in client.rows(&sql).await.map_err(|failure| client.error(failure))? {
            let sql = format!("DROP TABLE IF EXISTS {} SYNC", qualified(&self.database, &text(row.first())));
            dropped = dropped.and(client.insist(&sql).await.map(drop).map_err(|failure| client.error(failure)));
        }
        dropped
    }
}
