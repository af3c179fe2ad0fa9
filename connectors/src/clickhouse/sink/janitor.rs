//! Clears away staging tables of writes whose process died before it could.
//!
//! ClickHouse has no locks that would tell whether a write still lives, so the sign is time: a job that has made no table
//! and written no rows for `write.stagingMaxAge` is taken for dead. Its commit, should it ever come, finds its stage gone
//! and fails.

use super::STAGE;
use super::prepare::PreparedTable;
use crate::clickhouse::http::{Client, text};
use crate::clickhouse::table::{literal, qualified};
use crate::error::Result;

/// Letters of a job's id in the names of its tables.
const ID: usize = 32;

/// Drops what dead jobs left in the database. What fails here fails no write: the next one tries again.
pub(super) async fn sweep(client: &Client, job: &PreparedTable) {
    if let Err(error) = try_sweep(client, job).await {
        tracing::warn!(%error, "failed to drop staging tables of dead writes");
    }
}

async fn try_sweep(client: &Client, job: &PreparedTable) -> Result<()> {
    let sql = dead(&job.database, job.options.staging_max_age);
    for row in client.rows(&sql).await.map_err(|failure| client.error(failure))? {
        let name = text(row.first());
        let sql = format!("DROP TABLE IF EXISTS {} SYNC", qualified(&job.database, &name));
        client.insist(&sql).await.map_err(|failure| client.error(failure))?;
        tracing::info!(table = name, "dropped a staging table of a dead write");
    }
    Ok(())
}

/// The query for the tables of dead jobs, each job's stage first.
fn dead(database: &str, max_age: u64) -> String {
    let (database, stage) = (literal(database), literal(STAGE));
    let job = |column: &str| format!("substring({column}, 1, {})", STAGE.len() + ID);
    let (by_name, by_table) = (job("name"), job("table"));
    format!(
        "SELECT name FROM system.tables WHERE database = {database} AND startsWith(name, {stage}) AND {by_name} NOT IN (\
         SELECT {by_name} FROM system.tables WHERE database = {database} AND startsWith(name, {stage}) \
         AND metadata_modification_time > now() - toIntervalSecond({seconds}) \
         UNION ALL \
         SELECT {by_table} FROM system.parts WHERE database = {database} AND startsWith(table, {stage}) \
         AND modification_time > now() - toIntervalSecond({seconds})) ORDER BY length(name), name",
        seconds = max_age.div_ceil(1000),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_known_by_the_beginning_of_its_tables() {
        let sql = dead("o'db", 1500);
        assert!(sql.contains("database = 'o\\'db'") && sql.contains("toIntervalSecond(2)"), "{sql}");
        assert!(
            sql.contains(&format!("substring(name, 1, {})", "_firesteel_stage_0123456789abcdef0123456789abcdef".len()))
        );
    }
}
