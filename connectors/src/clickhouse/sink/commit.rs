//! The end of a write: the winners' rows become the target's, or all that the job made is dropped.

use std::sync::atomic::Ordering;

use super::{Finish, PreparedClickHouse};
use crate::clickhouse::http::{Client, text};
use crate::clickhouse::table::{Table, count, literal, qualified};
use crate::error::{ConnectorError, Result};
use crate::sink::{CommitMessage, WriteReport, Written};

impl PreparedClickHouse {
    /// Makes the winners' rows the target's. Calling it again finishes what was begun.
    pub(crate) async fn commit(&self, messages: &[CommitMessage]) -> Result<WriteReport> {
        let rows = messages.iter().map(|message| message.rows).sum();
        let report = WriteReport { rows, bytes: 0, files: 0 };
        if self.finish == Finish::Direct {
            return Ok(report);
        }
        let client = Client::new(&self.options.target)?;
        let stage = Table::find(&client, &self.database, &self.prefix).await.map_err(|f| client.error(f))?;
        let again = self.committing.swap(true, Ordering::AcqRel);
        let Some(stage) = stage else {
            if !again {
                return Err(ConnectorError::Protocol(format!("somebody dropped staging table {}", self.stage())));
            }
            // An earlier call got through and only its answer was lost.
            self.clean_up(&client).await;
            return Ok(report);
        };
        if stage.uuid != self.stage_uuid {
            // The tables have changed places already: this is the old one.
            self.clean_up(&client).await;
            return Ok(report);
        }
        self.gather(&client, messages).await?;
        if self.counts {
            let found = count(&client, &format!("SELECT count() FROM {}", self.stage())).await;
            let found = found.map_err(|failure| client.error(failure))?;
            if found != rows {
                return Err(ConnectorError::Protocol(format!("tasks wrote {rows} rows, the stage has {found}")));
            }
        }
        self.publish(&client).await?;
        self.clean_up(&client).await;
        Ok(report)
    }

    /// Drops all that the job made; the target is as it was.
    pub(crate) async fn abort(&self) -> Result<()> {
        if self.finish == Finish::Direct {
            return Ok(());
        }
        let client = Client::new(&self.options.target)?;
        self.drop_all(&client).await
    }

    /// Moves the winners' parts to the stage; what has been moved is not there to be moved again.
    async fn gather(&self, client: &Client, messages: &[CommitMessage]) -> Result<()> {
        let mut tables = Vec::new();
        for message in messages {
            match &message.written {
                Written::ClickHouse(own) => tables.extend(own.table.clone()),
                _ => return Err(ConnectorError::Protocol("message of another sink".to_owned())),
            }
        }
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
