//! A write to a Distributed table: where its local tables are, and the write to each that begins.
//!
//! Source: <https://clickhouse.com/docs/engines/table-engines/special/distributed>. Which row goes where is [`key`]'s to say.

mod key;

use arrow::datatypes::Schema;

use super::prepare::{PreparedTable, match_columns};
use super::{DISTRIBUTED, PreparedClickHouse};
use crate::clickhouse::http::{Client, number, text};
use crate::clickhouse::kind::{split, unquote};
use crate::clickhouse::options::ClickHouseOptions;
use crate::clickhouse::table::{Table, closing, literal};
use crate::error::{ConnectorError, Result};
use crate::sink::SaveMode;
pub(super) use key::{Router, Sharding};

/// The arguments of a Distributed table.
#[derive(Debug, PartialEq, Eq)]
struct Distributed {
    cluster: String,
    /// Empty for the default one.
    database: String,
    table: String,
    key: Option<String>,
}

/// A place where a shard has its rows.
#[derive(Debug)]
struct Replica {
    host: String,
    /// The server that was asked.
    is_local: bool,
}

/// A part of a cluster.
#[derive(Debug)]
struct Shard {
    number: u64,
    weight: u64,
    /// The best first.
    replicas: Vec<Replica>,
}

/// Begins a write to every local table of `table`.
pub(super) async fn prepare(
    client: &Client,
    options: &ClickHouseOptions,
    mode: SaveMode,
    names: &[String],
    schema: &Schema,
    job_id: &str,
    table: &Table,
) -> Result<PreparedClickHouse> {
    let distributed = Distributed::parse(&table.engine_full)
        .ok_or_else(|| ConnectorError::Protocol(format!("{} has engine {}", table.sql(), table.engine_full)))?;
    let shards = find(client, &distributed.cluster).await?;
    let columns = match_columns(names, table)?;
    let weights: Vec<u64> = shards.iter().map(|shard| shard.weight).collect();
    let sharding = Sharding::new(distributed.key.as_deref(), table, &columns, &weights, &options.target)?;
    let mut locals: Vec<(ClickHouseOptions, Table)> = Vec::with_capacity(shards.len());
    for shard in &shards {
        let found = local(client, options, &distributed, shard).await?;
        let is_same = |(other, _): &(ClickHouseOptions, Table)| {
            (&other.target.host, &other.table) == (&found.0.target.host, &found.0.table)
        };
        if locals.iter().any(is_same) {
            let feature = format!("cluster {}, where two shards are one table", distributed.cluster);
            return Err(ConnectorError::Unsupported { feature });
        }
        for (own, column) in match_columns(names, &found.1)?.iter().zip(&columns) {
            if own.sql_type != column.sql_type {
                return Err(ConnectorError::TypeMismatch {
                    column: format!("{} of {} on {}", column.name, found.1.sql(), found.0.target.shown()),
                    from: column.sql_type.clone(),
                    to: own.sql_type.clone(),
                });
            }
        }
        locals.push(found);
    }
    let mut tables = Vec::with_capacity(locals.len());
    for (options, table) in locals {
        match PreparedTable::begin(options, mode, names, schema, job_id, Some(&table)).await {
            Ok(begun) => tables.push(begun),
            Err(error) => {
                let begun = PreparedClickHouse { tables, sharding: None };
                if let Err(error) = begun.abort().await {
                    tracing::warn!(%error, "failed to drop staging tables");
                }
                return Err(error);
            }
        }
    }
    let sharding = (tables.len() > 1).then_some(sharding);
    Ok(PreparedClickHouse { tables, sharding })
}

/// The local table of a shard, on the first of its replicas that answers.
async fn local(
    client: &Client,
    options: &ClickHouseOptions,
    distributed: &Distributed,
    shard: &Shard,
) -> Result<(ClickHouseOptions, Table)> {
    let mut options = options.clone();
    let given = options.target.host.clone();
    let database = if distributed.database.is_empty() { &options.target.database } else { &distributed.database };
    options.table = Some((database.clone(), distributed.table.clone()));
    let (database, name) = options.write_table()?;
    let mut reason = ConnectorError::Protocol(format!("shard {} has no replica", shard.number));
    for replica in &shard.replicas {
        options.target.host = if replica.is_local { given.clone() } else { replica.host.clone() };
        let server = Client::new(&options.target)?;
        let table = match Table::find(&server, &database, &name).await {
            Ok(Some(table)) => table,
            Ok(None) => {
                let table = format!("{database}.{name} on {}", options.target.shown());
                return Err(ConnectorError::TableNotFound { table });
            }
            Err(failure) if failure.is_passing(&[]) => {
                reason = server.error(failure);
                continue;
            }
            Err(failure) => return Err(server.error(failure)),
        };
        if table.engine == DISTRIBUTED {
            let feature = format!("{}, a Distributed table over a Distributed table", table.sql());
            return Err(ConnectorError::Unsupported { feature });
        }
        let replicates = table.engine.starts_with("Replicated") || table.engine.starts_with("Shared");
        if shard.replicas.len() > 1 && !replicates && !is_replicated(client, &distributed.cluster).await? {
            let feature = format!(
                "{}, whose replicas are written one by one: cluster {} has no internal_replication",
                table.sql(),
                distributed.cluster
            );
            return Err(ConnectorError::Unsupported { feature });
        }
        // Tables change places on one server only; partitions are replaced on every replica.
        options.truncate |= replicates;
        return Ok((options, table));
    }
    Err(reason)
}

async fn is_replicated(client: &Client, cluster: &str) -> Result<bool> {
    let sql = format!("SELECT min(internal_replication) FROM system.clusters WHERE cluster = {}", literal(cluster));
    let rows = client.rows(&sql).await.map_err(|failure| client.error(failure))?;
    Ok(number(rows.first().and_then(|row| row.first())) == Some(1))
}

/// The shards of a cluster, as the server that was asked knows them.
async fn find(client: &Client, cluster: &str) -> Result<Vec<Shard>> {
    let sql = format!(
        "SELECT shard_num, shard_weight, host_name, is_local FROM system.clusters WHERE cluster = {} \
         ORDER BY shard_num, errors_count, replica_num",
        literal(cluster)
    );
    let mut shards: Vec<Shard> = Vec::new();
    for row in client.rows(&sql).await.map_err(|failure| client.error(failure))? {
        let found = number(row.first()).unwrap_or_default();
        if shards.last().is_none_or(|shard| shard.number != found) {
            let weight = number(row.get(1)).unwrap_or_default();
            shards.push(Shard { number: found, weight, replicas: Vec::new() });
        }
        let replica = Replica { host: text(row.get(2)), is_local: number(row.get(3)) == Some(1) };
        if let Some(shard) = shards.last_mut() {
            shard.replicas.push(replica);
        }
    }
    if shards.is_empty() {
        return Err(ConnectorError::Protocol(format!("the server knows no cluster {cluster}")));
    }
    Ok(shards)
}

impl Distributed {
    /// From `Distributed('cluster', 'database', 'table', key, 'policy') SETTINGS ...`.
    fn parse(engine_full: &str) -> Option<Self> {
        let open = engine_full.find('(')?;
        let arguments = engine_full.get(open + 1..closing(engine_full, open).checked_sub(1)?)?;
        let mut arguments = split(arguments).into_iter();
        let (cluster, database, table) = (arguments.next()?, arguments.next()?, arguments.next()?);
        let key = arguments.next().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Some(Self { cluster: unquote(cluster), database: unquote(database), table: unquote(table), key })
    }
}

#[cfg(test)]
mod tests;
