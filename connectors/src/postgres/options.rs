//! Spark's `jdbc` options and those of `format("postgres")`, read case-insensitively: each used, or refused by its name.
//!
//! Opens nothing.

mod own;
mod parse;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table::TableName;
use super::url::Target;
use crate::error::{ConnectorError, Result};
pub use own::{Distribution, Strategy, Upsert, UpsertAction};
use parse::{Taken, boolean, list, number};

/// What a `jdbc` read or write asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JdbcOptions {
    /// Where and as whom.
    pub target: Target,
    /// `dbtable` as given.
    pub table: Option<String>,
    /// `query` as given.
    pub query: Option<String>,
    /// `prepareQuery`: what stands before the SELECT of a read, such as a WITH clause.
    pub prepare_query: Option<String>,
    /// At most so many connections at once.
    pub num_partitions: Option<usize>,
    /// `queryTimeout` in seconds; 0 means none.
    pub query_timeout: u64,
    /// `batchsize`: rows sent at once.
    pub batch_size: Option<usize>,
    /// `fetchsize`: rows in a batch that is read.
    pub fetch_size: Option<usize>,
    /// `isolationLevel` of transactions that write.
    pub isolation: Isolation,
    /// Whether overwrite must empty the table (`true`), must make it anew (`false`), or may choose.
    pub truncate: Option<bool>,
    /// Whether emptying also empties referencing tables.
    pub cascade_truncate: bool,
    /// Appended to CREATE TABLE.
    pub create_table_options: String,
    /// Column types that replace the default ones in CREATE TABLE.
    pub create_table_column_types: Option<String>,
    /// `tableComment`.
    pub table_comment: Option<String>,
    /// `sessionInitStatement`.
    pub session_init: Option<String>,
    /// Whether timestamps without zone are read as TIMESTAMP_NTZ.
    pub prefer_timestamp_ntz: bool,
    /// Split column and bounds of a read.
    pub partition: Option<(String, String, String)>,
    /// `customSchema` of a read, as given.
    pub custom_schema: Option<String>,
    /// What the server may do of a query.
    pub push_down: PushDown,
    /// `stringtype=varchar`: text goes into text columns only.
    pub strict_strings: bool,
    /// `upsertKeys` and `upsertAction`.
    pub upsert: Option<Upsert>,
    /// `writeStrategy`.
    pub strategy: Option<Strategy>,
    /// `stagingSchema`: where staging tables and the ledger go.
    pub staging_schema: Option<String>,
    /// Greenplum's `distributedBy`.
    pub distribution: Option<Distribution>,
    /// `snapshot`: whether all partitions of a read see the same state.
    pub snapshot: bool,
}

/// What the server may do of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own in Spark")]
pub struct PushDown {
    /// `pushDownPredicate`
    pub predicate: bool,
    /// `pushDownAggregate`
    pub aggregate: bool,
    /// `pushDownLimit`: limits and top-N
    pub limit: bool,
    /// `pushDownOffset`
    pub offset: bool,
}

/// `isolationLevel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Isolation {
    /// The server's weakest, which also stands for `NONE` and `READ_UNCOMMITTED`.
    ReadCommitted,
    /// `REPEATABLE_READ`
    RepeatableRead,
    /// `SERIALIZABLE`
    Serializable,
}

impl Isolation {
    /// The statement that begins a transaction.
    pub fn begin(self) -> &'static str {
        match self {
            Self::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::RepeatableRead => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Self::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        }
    }
}

impl JdbcOptions {
    /// Reads the options of `format("jdbc")` or `format("postgres")`.
    ///
    /// # Errors
    /// `MissingOption`, `InvalidOption`, or `Unsupported` for an option of Spark's that has no effect here.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self> {
        let mut taken = Taken::new(options);
        let target = parse::target(&mut taken)?;
        let (table, query) = (taken.first(&["dbtable", "table"]), taken.text("query"));
        match (&table, &query) {
            (None, None) => return Err(ConnectorError::MissingOption { key: "dbtable".to_owned() }),
            (Some(_), Some(_)) => return Err(ConnectorError::option("query", "not together with dbtable")),
            _ => {}
        }
        let num_partitions = number(taken.text("numPartitions"), "numPartitions")?;
        let partition = parse::bounds(&mut taken, query.is_some(), num_partitions)?;
        let mut read = Self {
            table,
            query,
            prepare_query: taken.text("prepareQuery").filter(|text| !text.trim().is_empty()),
            num_partitions,
            query_timeout: number(taken.text("queryTimeout"), "queryTimeout")?.unwrap_or(0),
            batch_size: number(taken.text("batchsize"), "batchsize")?,
            fetch_size: number(taken.text("fetchsize"), "fetchsize")?.filter(|size| *size > 0),
            isolation: parse::isolation(taken.text("isolationLevel"))?,
            truncate: boolean(taken.text("truncate"), "truncate")?,
            cascade_truncate: boolean(taken.text("cascadeTruncate"), "cascadeTruncate")?.unwrap_or(false),
            create_table_options: taken.text("createTableOptions").unwrap_or_default(),
            create_table_column_types: taken.text("createTableColumnTypes"),
            table_comment: taken.text("tableComment").filter(|text| !text.is_empty()),
            session_init: taken.text("sessionInitStatement"),
            prefer_timestamp_ntz: boolean(taken.text("preferTimestampNTZ"), "preferTimestampNTZ")?.unwrap_or(false),
            partition,
            custom_schema: taken.text("customSchema").filter(|text| !text.trim().is_empty()),
            push_down: PushDown {
                predicate: boolean(taken.text("pushDownPredicate"), "pushDownPredicate")?.unwrap_or(true),
                aggregate: boolean(taken.text("pushDownAggregate"), "pushDownAggregate")?.unwrap_or(true),
                limit: boolean(taken.text("pushDownLimit"), "pushDownLimit")?.unwrap_or(true),
                offset: boolean(taken.text("pushDownOffset"), "pushDownOffset")?.unwrap_or(true),
            },
            strict_strings: parse::string_type(taken.text("stringtype"), &target)?,
            upsert: Upsert::from_options(
                list(taken.first(&["upsertKeys", "upsertKeyColumns"])),
                boolean(taken.text("upsert"), "upsert")?,
                taken.text("upsertAction"),
            )?,
            strategy: taken.text("writeStrategy").map(|text| Strategy::parse(&text)).transpose()?,
            staging_schema: taken.text("stagingSchema"),
            distribution: taken.text("distributedBy").map(|text| Distribution::parse(&text)).transpose()?,
            snapshot: boolean(taken.text("snapshot"), "snapshot")?.unwrap_or(true),
            target,
        };
        if read.num_partitions == Some(0) {
            return Err(ConnectorError::option("numPartitions", "must be at least 1"));
        }
        if read.batch_size == Some(0) {
            return Err(ConnectorError::option("batchsize", "must be at least 1"));
        }
        // Rows sampled by the server would be others than those Spark's own sampling takes: it stays with the engine.
        boolean(taken.text("pushDownTableSample"), "pushDownTableSample")?;
        parse::refuse(&mut taken)?;
        for (key, value) in taken.rest() {
            read.target.set(&key, &value)?;
        }
        Ok(read)
    }

    /// The table a write goes to.
    ///
    /// # Errors
    /// `MissingOption` without `dbtable`, `InvalidOption` if it is no table name.
    pub fn write_table(&self) -> Result<TableName> {
        let table = self.table.as_deref().ok_or_else(|| ConnectorError::MissingOption { key: "dbtable".to_owned() })?;
        TableName::parse(table)
    }
}
