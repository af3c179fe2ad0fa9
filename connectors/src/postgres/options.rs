//! Spark's `jdbc` options, read case-insensitively, each used, known to be harmless, or refused.
//!
//! Opens nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table::TableName;
use super::url::Target;
use crate::error::{ConnectorError, Result};

/// What a `jdbc` read or write asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JdbcOptions {
    /// Where and as whom.
    pub target: Target,
    /// `dbtable` as given.
    pub table: Option<String>,
    /// `query` as given.
    pub query: Option<String>,
    /// At most so many tasks at once.
    pub num_partitions: Option<usize>,
    /// `queryTimeout` in seconds; 0 means none.
    pub query_timeout: u64,
    /// Whether overwrite empties the table instead of replacing it.
    pub truncate: bool,
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
    /// `customSchema` of a read.
    pub custom_schema: Option<String>,
}

impl JdbcOptions {
    /// Reads the options of `format("jdbc")`.
    ///
    /// # Errors
    /// `MissingOption` or `InvalidOption`.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self> {
        let mut given: BTreeMap<String, &str> =
            options.iter().map(|(key, value)| (key.to_ascii_lowercase(), value.as_str())).collect();
        let mut take = |key: &str| given.remove(&key.to_ascii_lowercase()).map(str::to_owned);
        let required = |key: &str| ConnectorError::MissingOption { key: key.to_owned() };

        let mut target = Target::parse(&take("url").ok_or_else(|| required("url"))?)?;
        let (table, query) = (take("dbtable"), take("query"));
        match (&table, &query) {
            (None, None) => return Err(required("dbtable")),
            (Some(_), Some(_)) => return Err(ConnectorError::option("query", "not together with dbtable")),
            _ => {}
        }
        let partition = match (take("partitionColumn"), take("lowerBound"), take("upperBound")) {
            (None, None, None) => None,
            (Some(column), Some(lower), Some(upper)) => Some((column, lower, upper)),
            _ => {
                let reason = "partitionColumn, lowerBound and upperBound go together";
                return Err(ConnectorError::option("partitionColumn", reason));
            }
        };
        let read = Self {
            table,
            query,
            num_partitions: number(take("numPartitions"), "numPartitions")?,
            query_timeout: number(take("queryTimeout"), "queryTimeout")?.unwrap_or(0),
            truncate: boolean(take("truncate"), "truncate")?.unwrap_or(false),
            cascade_truncate: boolean(take("cascadeTruncate"), "cascadeTruncate")?.unwrap_or(false),
            create_table_options: take("createTableOptions").unwrap_or_default(),
            create_table_column_types: take("createTableColumnTypes"),
            table_comment: take("tableComment"),
            session_init: take("sessionInitStatement"),
            prefer_timestamp_ntz: boolean(take("preferTimestampNTZ"), "preferTimestampNTZ")?.unwrap_or(false),
            partition,
            custom_schema: take("customSchema"),
            target: target.clone(),
        };
        if read.num_partitions == Some(0) {
            return Err(ConnectorError::option("numPartitions", "must be at least 1"));
        }
        // Rows travel by COPY in one transaction a task: batch and fetch sizes and isolation change nothing visible.
        for key in ["batchsize", "fetchsize"] {
            if number::<i64>(take(key), key)?.is_some_and(|size| size < 0) {
                return Err(ConnectorError::option(key, "must not be negative"));
            }
        }
        take("isolationLevel");
        for key in ["driver", "refreshKrb5Config", "pushDownPredicate", "pushDownAggregate", "pushDownLimit"] {
            take(key);
        }
        for key in ["pushDownOffset", "pushDownTableSample", "connectionProvider", "path"] {
            take(key);
        }
        for key in ["keytab", "principal", "prepareQuery", "hint"] {
            if take(key).is_some_and(|value| !value.is_empty()) {
                return Err(ConnectorError::Unsupported { feature: format!("jdbc option {key}") });
            }
        }
        for (key, value) in given {
            target.set(&key, value)?;
        }
        Ok(Self { target, ..read })
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

fn number<T: std::str::FromStr>(value: Option<String>, key: &str) -> Result<Option<T>> {
    let parse = |text: String| text.trim().parse().map_err(|_| ConnectorError::option(key, "expected a number"));
    value.map(parse).transpose()
}

fn boolean(value: Option<String>, key: &str) -> Result<Option<bool>> {
    let parse = |text: String| match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ConnectorError::option(key, "expected true or false")),
    };
    value.map(parse).transpose()
}
