//! Options of `format("clickhouse")` and of `format("jdbc")` with a `jdbc:clickhouse:` URL, each used or refused.
//!
//! Names are the official Spark connector's, with or without `spark.clickhouse.`; case does not matter. Opens nothing.

mod given;
mod target;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{ConnectorError, Result};
use given::Given;
pub use target::Target;

/// How bodies of inserts and answers are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Codec {
    /// Not at all.
    None,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// What a read or write asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClickHouseOptions {
    /// Where and as whom.
    pub target: Target,
    /// Database and table.
    pub table: Option<(String, String)>,
    /// `query` instead of a table, or a `dbtable` that is a subquery.
    pub query: Option<String>,
    /// How a read is split.
    pub split: Split,
    /// Whether FixedString is read as text rather than bytes.
    pub fixed_string_as_text: bool,
    /// Whether filters are sent to the server.
    pub push_down: bool,
    /// Compression of answers.
    pub read_codec: Codec,
    /// Compression of inserts.
    pub write_codec: Codec,
    /// Rows of an insert at most.
    pub batch_rows: usize,
    /// Further attempts of a request that failed for a passing reason.
    pub max_retry: u32,
    /// Milliseconds between attempts.
    pub retry_interval: u64,
    /// Codes of the server that are worth another attempt, beside our own.
    pub retryable: Vec<i32>,
    /// At most so many writers at once.
    pub writers: Option<usize>,
    /// Whether a write is all or nothing.
    pub atomic: bool,
    /// Milliseconds without a sign of life after which staging tables of other writes are dropped.
    pub staging_max_age: u64,
    /// Whether an overwrite empties the table rather than replacing it.
    pub truncate: bool,
    /// Whether an overwrite replaces only the partitions written to.
    pub dynamic: bool,
    /// Whether to write a Distributed table through itself.
    pub distributed: bool,
    /// Whether to write the local tables of a Distributed one, where that is said.
    pub convert_local: Option<bool>,
    /// The form of a table that a write makes.
    pub create: Create,
}

/// The form of a table that a write makes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Create {
    /// `engine`, with its arguments.
    pub engine: Option<String>,
    /// `order_by`.
    pub order_by: Option<String>,
    /// `partition_by`.
    pub partition_by: Option<String>,
    /// `primary_key`.
    pub primary_key: Option<String>,
    /// `sample_by`.
    pub sample_by: Option<String>,
    /// `ttl`.
    pub ttl: Option<String>,
    /// Settings of the table.
    pub settings: BTreeMap<String, String>,
    /// All after the columns, instead of the above (`createTableOptions`).
    pub clauses: Option<String>,
    /// Types of columns that replace the default ones.
    pub column_types: Vec<(String, String)>,
    /// Text columns of low cardinality.
    pub low_cardinality: Vec<String>,
    /// The comment.
    pub comment: Option<String>,
}

/// How a read is split into partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Split {
    /// Not at all.
    One,
    /// By the table's own partitions.
    Partitions,
    /// By strides of a whole-number column: column, lower and upper bound, partitions.
    Bounds(String, i64, i64, usize),
    /// By conditions.
    Predicates(Vec<String>),
}

/// Whether the options of `format("jdbc")` mean ClickHouse.
pub fn is_clickhouse_url(url: &str) -> bool {
    let lower = url.trim().to_ascii_lowercase();
    lower.starts_with("jdbc:clickhouse:") || lower.starts_with("jdbc:ch:")
}

/// Milliseconds.
const THREE_DAYS: u64 = 3 * 24 * 3600 * 1000;

/// Options whose effect has no counterpart here and changes nothing a user can see.
const HARMLESS: [&str; 22] = [
    // A Distributed table is read through itself, and every sharding key is understood when it is written.
    "read.distributed.convertlocal",
    "write.distributed.convertlocal.allowunsupportedsharding",
    "write.distributed.useclusternodes",
    "write.repartitionstrictly",
    "driver",
    "tcp_port",
    "path",
    "client_name",
    "fetchsize",
    "pushdownaggregate",
    "pushdownlimit",
    "pushdownoffset",
    "pushdowntablesample",
    "isolationlevel",
    "serialization.format",
    "read.pushdown.topn",
    "read.runtimefilter.enabled",
    "write.localsortbykey",
    "write.localsortbypartition",
    "write.repartitionbypartition",
    "usenullablequeryschema",
    "ignoreunsupportedtransform",
];

impl ClickHouseOptions {
    /// Reads the options.
    ///
    /// # Errors
    /// `MissingOption`, `InvalidOption`, or `Unsupported` for what is known and not done.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self> {
        let lower = |key: &str| {
            let key = key.to_ascii_lowercase();
            key.strip_prefix("spark.clickhouse.").map_or(key.clone(), str::to_owned)
        };
        let mut given = Given(options.iter().map(|(key, value)| (lower(key), value.clone())).collect());
        let target = target::read(&mut given)?;
        let dbtable = given.take(&["dbtable"]);
        let table = given.take(&["table"]);
        let query = given.take(&["query"]);
        let (table, query) = match (dbtable, table, query) {
            (None, None, Some(query)) => (None, Some(query)),
            (Some(text), None, None) if text.trim_start().starts_with('(') => (None, Some(subquery(&text)?)),
            (Some(text), None, None) | (None, Some(text), None) => (Some(table_name(&text, &target)?), None),
            (None, None, None) => return Err(ConnectorError::MissingOption { key: "table".to_owned() }),
            _ => return Err(ConnectorError::option("table", "only one of table, dbtable and query")),
        };
        let split = split(&mut given)?;
        for (key, text) in [("read.format", ["arrow", "binary", "json"].as_slice()), ("write.format", &["arrow"])] {
            let value = given.take(&[key]).map(|value| value.to_ascii_lowercase());
            if value.as_deref().is_some_and(|value| !text.contains(&value)) {
                return Err(ConnectorError::Unsupported { feature: format!("option {key} other than arrow") });
            }
        }
        let fixed_string_as_text = match given.take(&["read.fixedstringas"]).as_deref() {
            None | Some("binary") => false,
            Some("string") => true,
            Some(_) => return Err(ConnectorError::option("read.fixedStringAs", "expected binary or string")),
        };
        if given.take(&["read.jsonas"]).is_some_and(|value| !value.eq_ignore_ascii_case("string")) {
            return Err(ConnectorError::Unsupported { feature: "option read.jsonAs other than string".to_owned() });
        }
        if given.take(&["cluster"]).is_some() {
            return Err(ConnectorError::Unsupported { feature: "option cluster".to_owned() });
        }
        let key = "write.distributed.convertlocal";
        let convert_local = given.0.contains_key(key).then(|| given.flag(key, false)).transpose()?;
        let dynamic = match given.take(&["partitionoverwritemode"]).map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("static") => false,
            Some("dynamic") => true,
            Some(_) => return Err(ConnectorError::option("partitionOverwriteMode", "expected static or dynamic")),
        };
        let retryable = given.take(&["write.retryableerrorcodes"]).unwrap_or_default();
        let code = |text: &str| {
            text.trim().parse().map_err(|_| ConnectorError::option("write.retryableErrorCodes", "expected numbers"))
        };
        let retryable = retryable.split(',').filter(|text| !text.trim().is_empty()).map(code).collect::<Result<_>>()?;
        let batch_rows = given.number(&["write.batchsize", "batchsize"])?.unwrap_or(500_000);
        if batch_rows == 0 {
            return Err(ConnectorError::option("write.batchSize", "must be at least 1"));
        }
        let read = Self {
            fixed_string_as_text,
            split,
            push_down: given.flag("pushdownpredicate", true)?,
            read_codec: given.codec("read.compression.codec")?,
            write_codec: given.codec("write.compression.codec")?,
            batch_rows,
            max_retry: given.number(&["write.maxretry"])?.unwrap_or(3),
            retry_interval: given.millis("write.retryinterval", 1000)?,
            retryable,
            writers: given.number(&["write.repartitionnum", "numpartitions"])?.filter(|count| *count > 0),
            atomic: given.flag("write.atomic", true)?,
            staging_max_age: given.millis("write.stagingmaxage", THREE_DAYS)?,
            truncate: given.flag("truncate", false)?,
            dynamic,
            distributed: given.flag("write.distributed.foreground", false)?,
            convert_local,
            create: create(&mut given)?,
            target,
            table,
            query,
        };
        for key in HARMLESS {
            given.take(&[key]);
        }
        match given.0.into_keys().next() {
            None => Ok(read),
            Some(key) => Err(ConnectorError::option(&key, "no option of a ClickHouse source")),
        }
    }

    /// Whether a Distributed table is written by its local tables: what is to be all or nothing can be so nowhere else.
    pub fn by_shards(&self) -> bool {
        self.convert_local.unwrap_or(self.atomic)
    }

    /// The table a write goes to.
    ///
    /// # Errors
    /// `MissingOption` when the options name none.
    pub fn write_table(&self) -> Result<(String, String)> {
        self.table.clone().ok_or_else(|| ConnectorError::MissingOption { key: "table".to_owned() })
    }
}

/// `db.table`, either of them perhaps quoted.
fn table_name(text: &str, target: &Target) -> Result<(String, String)> {
    let invalid = || ConnectorError::option("table", format!("'{text}' is no table name"));
    let mut parts = vec![String::new()];
    let mut quote = None;
    for c in text.trim().chars() {
        match (quote, c) {
            (None, '`' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '.') => parts.push(String::new()),
            (None, c) if c.is_whitespace() || matches!(c, '(' | ')' | ';' | '\'') => return Err(invalid()),
            (_, c) => parts.last_mut().ok_or_else(invalid)?.push(c),
        }
    }
    match parts.as_slice() {
        [table] if !table.is_empty() => Ok((target.database.clone(), table.clone())),
        [database, table] if !database.is_empty() && !table.is_empty() => Ok((database.clone(), table.clone())),
        _ => Err(invalid()),
    }
}

/// The query in `(query) alias`.
fn subquery(text: &str) -> Result<String> {
    let text = text.trim();
    let end = text.rfind(')').ok_or_else(|| ConnectorError::option("dbtable", "a bracket is not closed"))?;
    Ok(text.get(1..end).unwrap_or_default().to_owned())
}

fn split(given: &mut Given) -> Result<Split> {
    let by_partition = given.flag("read.splitbypartitionid", true)?;
    let column = given.take(&["partitioncolumn"]);
    let bounds = (given.take(&["lowerbound"]), given.take(&["upperbound"]));
    match (column, bounds) {
        (None, (None, None)) if by_partition => Ok(Split::Partitions),
        (None, (None, None)) => Ok(Split::One),
        (Some(column), (Some(lower), Some(upper))) => {
            let bound = |text: &str, key: &str| {
                let what = "only whole numbers are supported as bounds of a ClickHouse read";
                text.trim().parse::<i64>().map_err(|_| ConnectorError::option(key, what))
            };
            let count = given.number(&["numpartitions"])?.unwrap_or(1);
            let (lower, upper) = (bound(&lower, "lowerBound")?, bound(&upper, "upperBound")?);
            if count == 0 || lower > upper {
                return Err(ConnectorError::option("numPartitions", "bounds or count of partitions make no sense"));
            }
            Ok(Split::Bounds(column, lower, upper, count))
        }
        _ => Err(ConnectorError::option("partitionColumn", "partitionColumn, lowerBound and upperBound go together")),
    }
}

fn create(given: &mut Given) -> Result<Create> {
    let types = given.take(&["createtablecolumntypes"]).map(|text| column_types(&text)).transpose()?;
    let names = given.take(&["low_cardinality"]).unwrap_or_default();
    Ok(Create {
        engine: given.take(&["engine"]),
        order_by: given.take(&["order_by"]),
        partition_by: given.take(&["partition_by"]),
        primary_key: given.take(&["primary_key"]),
        sample_by: given.take(&["sample_by"]),
        ttl: given.take(&["ttl"]),
        settings: given.prefixed(&["settings."]),
        clauses: given.take(&["createtableoptions"]),
        column_types: types.unwrap_or_default(),
        low_cardinality: names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        comment: given.take(&["tablecomment", "comment"]),
    })
}

/// `name Type, other Type(..)`.
fn column_types(text: &str) -> Result<Vec<(String, String)>> {
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    for c in text.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        match (c, depth, parts.last_mut()) {
            (',', 0, _) => parts.push(String::new()),
            (c, _, Some(last)) => last.push(c),
            _ => {}
        }
    }
    let pair = |part: &String| match part.trim().split_once(char::is_whitespace) {
        Some((name, kind)) => Ok((name.trim_matches('`').trim_matches('"').to_owned(), kind.trim().to_owned())),
        None => Err(ConnectorError::option("createTableColumnTypes", format!("cannot read '{part}'"))),
    };
    parts.iter().map(pair).collect()
}

#[cfg(test)]
mod tests;
