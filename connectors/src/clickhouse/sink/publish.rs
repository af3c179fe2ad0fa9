//! The one statement that makes a write visible, and what to do when its answer is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use super::prepare::{Finish, PreparedTable};
use crate::clickhouse::http::{Client, Failure, text};
use crate::clickhouse::table::literal;
use crate::error::{ConnectorError, Result};

/// How often and how far apart the server is asked whether a statement took effect.
const ASKED: u32 = 10;
const APART: Duration = Duration::from_secs(1);

impl PreparedTable {
    pub(super) async fn publish(&self, client: &Client) -> Result<()> {
        match self.finish {
            Finish::Direct => Ok(()),
            Finish::Rename => self.rename(client).await,
            Finish::Exchange => self.exchange(client).await,
            Finish::Partitions => self.replace(client).await,
            Finish::Attach => self.attach(client).await,
        }
    }

    async fn rename(&self, client: &Client) -> Result<()> {
        let sql = format!("RENAME TABLE {} TO {}", self.stage(), self.target());
        client.execute(&sql).await.map_err(|failure| match failure {
            Failure::Refused { code: 57, .. } => ConnectorError::TableExists { table: self.target() },
            failure => client.error(failure),
        })
    }

    async fn exchange(&self, client: &Client) -> Result<()> {
        // A second exchange would bring the old rows back; a call after a lost answer sees that the tables have moved.
        client
            .execute(&format!("EXCHANGE TABLES {} AND {}", self.stage(), self.target()))
            .await
            .map_err(|failure| client.error(failure))
    }

    /// Partition by partition; doing one again changes nothing.
    async fn replace(&self, client: &Client) -> Result<()> {
        let fresh = self.partitions(client, &self.prefix).await?;
        for partition in &fresh {
            let id = literal(partition);
            let sql = format!("ALTER TABLE {} REPLACE PARTITION ID {id} FROM {}", self.target(), self.stage());
            client.insist(&sql).await.map_err(|failure| client.error(failure))?;
        }
        if self.options.dynamic {
            return Ok(());
        }
        for partition in self.partitions(client, &self.target).await?.difference(&fresh) {
            let sql = format!("ALTER TABLE {} DROP PARTITION ID {}", self.target(), literal(partition));
            client.insist(&sql).await.map_err(|failure| client.error(failure))?;
        }
        Ok(())
    }

    async fn partitions(&self, client: &Client, table: &str) -> Result<BTreeSet<String>> {
        let rows = client.rows(&self.parts("DISTINCT partition_id", table, "active AND rows > 0")).await;
        Ok(rows.map_err(|failure| client.error(failure))?.iter().map(|row| text(row.first())).collect())
    }

    /// All parts of the stage become parts of the target, in one statement, which done twice would add them twice.
    async fn attach(&self, client: &Client) -> Result<()> {
        let names = self.parts("name", &self.target, "1");
        let hashes = self.parts("hash_of_all_files", &self.prefix, "active AND rows > 0");
        let before = set(client, &names).await.map_err(|failure| client.error(failure))?;
        let staged = set(client, &hashes).await.map_err(|failure| client.error(failure))?;
        if staged.is_empty() {
            return Ok(());
        }
        let sql = format!("ALTER TABLE {} ATTACH PARTITION ALL FROM {}", self.target(), self.stage());
        let failure = match client.execute(&sql).await {
            Ok(()) => return Ok(()),
            Err(Failure::Lost(reason)) => Failure::Lost(reason),
            // Refused, or never sent: nothing has happened.
            Err(failure) => return Err(client.error(failure)),
        };
        // Parts keep the hash of their files when they are attached, and names are never used again. The server may have
        // merged parts of the stage just before, so all it ever had count, active or not.
        let pairs = self.parts("name, hash_of_all_files", &self.target, "rows > 0");
        let hashes = self.parts("hash_of_all_files", &self.prefix, "rows > 0");
        for _ in 0..ASKED {
            tokio::time::sleep(APART).await;
            let (Ok(rows), Ok(ever)) = (client.rows(&pairs).await, set(client, &hashes).await) else { continue };
            let fresh = rows.iter().filter(|row| !before.contains(&text(row.first())));
            let found: BTreeSet<String> = fresh.map(|row| text(row.get(1))).collect();
            if staged.is_subset(&found) {
                return Ok(());
            }
            // The statement may still be on its way; while it runs the server says so.
            let running = format!(
                "SELECT 1 FROM system.processes WHERE position(query, {}) > 0 AND query LIKE 'ALTER%'",
                literal(&self.prefix)
            );
            if client.rows(&running).await.is_ok_and(|rows| rows.is_empty()) {
                if !found.is_disjoint(&ever) {
                    return Ok(());
                }
                let reason = "the answer to the commit was lost, and the rows are not there".to_owned();
                return Err(ConnectorError::Protocol(reason));
            }
        }
        let Failure::Lost(reason) = failure else { return Err(client.error(failure)) };
        Err(ConnectorError::Protocol(format!(
            "the answer to the commit was lost and the server cannot be asked: whether {} has the rows is unknown: {reason}",
            self.target()
        )))
    }

    fn parts(&self, what: &str, table: &str, which: &str) -> String {
        let (database, table) = (literal(&self.database), literal(table));
        format!("SELECT {what} FROM system.parts WHERE database = {database} AND table = {table} AND {which}")
    }
}

async fn set(client: &Client, sql: &str) -> Result<BTreeSet<String>, Failure> {
    Ok(client.rows(sql).await?.iter().map(|row| text(row.first())).collect())
}
