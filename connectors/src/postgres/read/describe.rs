//! Asking the server what a table or query has: columns, dimensions of arrays, and whether blocks of it can be read apart.
//!
//! Reads no rows.

use std::collections::HashMap;

use arrow::datatypes::DataType;

use super::kind::{Described, ReadKind};
use super::{Compare, ReadColumn};
use crate::error::{ConnectorError, Result};
use crate::postgres::connect::{Connection, database_error};
use crate::postgres::options::JdbcOptions;
use crate::postgres::table::{TableName, get, literal, quote};

/// What stands after FROM.
pub(super) fn source(options: &JdbcOptions) -> Result<String> {
    match (&options.table, &options.query) {
        (Some(table), _) => Ok(table.clone()),
        (None, Some(query)) => Ok(format!("({}) AS spark_gen", query.trim().trim_end_matches(';'))),
        (None, None) => Err(ConnectorError::MissingOption { key: "dbtable".to_owned() }),
    }
}

/// The columns of what stands after FROM; `custom` are types asked for by name.
pub(super) async fn columns(
    connection: &Connection,
    options: &JdbcOptions,
    from: &str,
    custom: &[(String, DataType)],
) -> Result<Vec<ReadColumn>> {
    let prepare = options.prepare_query.as_deref().unwrap_or_default();
    let sql = format!("{prepare} SELECT * FROM {from} LIMIT 0");
    let statement = connection.client().prepare(&sql).await.map_err(database_error).map_err(|error| match error {
        ConnectorError::Database { sqlstate, .. } if sqlstate == "42P01" => {
            ConnectorError::TableNotFound { table: from.to_owned() }
        }
        error => error,
    })?;
    let depths = depths(connection, &statement).await?;
    let by_bytes = orders_by_bytes(connection).await?;
    let mut columns = Vec::with_capacity(statement.columns().len());
    for column in statement.columns() {
        let name = quote(column.name());
        let depth = column.table_oid().zip(column.column_id()).and_then(|key| depths.get(&key).copied()).unwrap_or(0);
        let own = ReadKind::of(&name, column.type_(), column.type_modifier(), depth, options.prefer_timestamp_ntz);
        let asked = custom.iter().find(|(wanted, _)| wanted.eq_ignore_ascii_case(column.name()));
        let Described { kind, expr, compare } = match asked {
            Some((_, wanted)) if *wanted != own.kind.arrow() => ReadKind::custom(&name, wanted).ok_or_else(|| {
                let column = column.name();
                ConnectorError::option("customSchema", format!("column {column} cannot be read as {wanted}"))
            })?,
            _ => own,
        };
        let compare = if compare == Compare::Text && !by_bytes { Compare::Nothing } else { compare };
        columns.push(ReadColumn { name: column.name().to_owned(), expr, kind, compare, nullable: true });
    }
    for (wanted, _) in custom {
        if !columns.iter().any(|column| column.name.eq_ignore_ascii_case(wanted)) {
            return Err(ConnectorError::option("customSchema", format!("column {wanted} not found")));
        }
    }
    Ok(columns)
}

/// Whether the bytes of texts stand in the order of their characters, as they do here.
async fn orders_by_bytes(connection: &Connection) -> Result<bool> {
    let sql = "SELECT current_setting('server_encoding') IN ('UTF8', 'LATIN1')";
    get(&connection.client().query_one(sql, &[]).await.map_err(database_error)?, 0)
}

/// Declared dimensions of array columns that come straight from tables.
async fn depths(connection: &Connection, statement: &tokio_postgres::Statement) -> Result<HashMap<(u32, i16), usize>> {
    let mut tables: Vec<u32> = statement.columns().iter().filter_map(tokio_postgres::Column::table_oid).collect();
    tables.sort_unstable();
    tables.dedup();
    if tables.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT attrelid, attnum, attndims::int4 FROM pg_attribute WHERE attrelid = ANY($1) AND attndims > 1";
    let mut depths = HashMap::new();
    for row in connection.client().query(sql, &[&tables]).await.map_err(database_error)? {
        let depth = usize::try_from(get::<i32>(&row, 2)?).unwrap_or(1);
        depths.insert((get::<u32>(&row, 0)?, get::<i16>(&row, 1)?), depth);
    }
    Ok(depths)
}

/// Blocks of a plain table that can be read by ranges of them; `None` for anything else.
pub(super) async fn blocks(connection: &Connection, options: &JdbcOptions) -> Result<Option<u64>> {
    let Some(table) = options.table.as_deref().and_then(|table| TableName::parse(table).ok()) else {
        return Ok(None);
    };
    // Ranges of row addresses are read alone since version 14; other access methods may give them other meanings.
    let sql = format!(
        "SELECT pg_relation_size(c.oid) / current_setting('block_size')::int8 FROM pg_class c JOIN pg_am a ON a.oid = c.relam \
         WHERE c.oid = to_regclass({}) AND c.relkind IN ('r', 'm') AND a.amname = 'heap' AND NOT c.relhassubclass \
         AND c.relpersistence <> 't' AND current_setting('server_version_num')::int >= 140000",
        literal(&table.sql())
    );
    let row = connection.client().query_opt(&sql, &[]).await.map_err(database_error)?;
    row.map(|row| get::<i64>(&row, 0)).transpose().map(|blocks| blocks.and_then(|blocks| u64::try_from(blocks).ok()))
}

/// Whether a kind of column can be split by bounds.
pub(super) fn find<'a>(columns: &'a [ReadColumn], name: &str) -> Result<&'a ReadColumn> {
    let name = name.trim().trim_matches(['`', '"']);
    let exact = columns.iter().find(|column| column.name == name);
    let found = exact.or_else(|| columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)));
    found.filter(|column| column.compare != Compare::Text).ok_or_else(|| {
        let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let reason = format!("{name} is no numeric, date or timestamp column of ({})", known.join(", "));
        ConnectorError::option("partitionColumn", reason)
    })
}
