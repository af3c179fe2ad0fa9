//! What a write will do, decided before any row moves: which columns, through which tables, and what the commit does.
//!
//! Changes nothing: a table that is to be created is tried out in a transaction that is rolled back.

use std::sync::Arc;

use arrow::array::{RecordBatch, new_empty_array};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use super::PostgresSinkSpec;
use crate::error::{ConnectorError, Result};
use crate::postgres::connect::{Connection, database_error};
use crate::postgres::ddl;
use crate::postgres::encode::{Encoder, Wire};
use crate::postgres::options::{JdbcOptions, Strategy, UpsertAction};
use crate::postgres::table::{TableColumn, TableName, get, literal, quote};
use crate::sink::SaveMode;

/// Where tasks put rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Load {
    /// Into the target.
    Direct,
    /// Into a staging table of their own, created with this after its name.
    Staged(String),
}

/// What the commit does before and as it moves rows to the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Finish {
    /// Adds rows.
    Append,
    /// Empties the table first.
    Refill,
    /// Creates the table first, with this after its name; drops an old one when `replace`.
    Create { body: String, replace: bool },
    /// Adds rows, or changes those with the same keys.
    Upsert { keys: Vec<String>, action: UpsertAction },
}

pub(super) struct Planned {
    pub(super) columns: Vec<TableColumn>,
    pub(super) load: Load,
    pub(super) finish: Finish,
}

/// Decides; `None` when the mode says to leave the table alone.
pub(super) async fn plan(
    connection: &Connection,
    spec: &PostgresSinkSpec,
    schema: &SchemaRef,
    target: &TableName,
) -> Result<Option<Planned>> {
    let names: Vec<String> = match spec.columns.is_empty() {
        true => schema.fields().iter().map(|field| field.name().clone()).collect(),
        false => spec.columns.clone(),
    };
    if names.len() != schema.fields().len() {
        return Err(ConnectorError::Protocol(format!("{} names for {} columns", names.len(), schema.fields().len())));
    }
    check_distribution(connection, &spec.options).await?;
    let existing = target.columns(connection).await?;
    let matched = |columns: &[TableColumn]| -> Result<Vec<TableColumn>> {
        let matched = match_columns(&names, columns, target, spec.case_sensitive)?;
        check_types(schema, &matched, spec.options.strict_strings)?;
        Ok(matched)
    };
    let options = &spec.options;
    let planned = match (spec.mode, existing) {
        (SaveMode::ErrorIfExists, Some(_)) => return Err(ConnectorError::TableExists { table: target.sql() }),
        (SaveMode::Ignore, Some(_)) => return Ok(None),
        (SaveMode::Append, Some(existing)) => {
            let columns = matched(&existing)?;
            check_left_out(&columns, &existing)?;
            let finish = match &options.upsert {
                None => Finish::Append,
                Some(upsert) => {
                    let keys = key_columns(connection, target, &columns, &upsert.keys).await?;
                    Finish::Upsert { keys, action: upsert.action }
                }
            };
            let direct = finish == Finish::Append && direct(options, &columns)?;
            let load = if direct { Load::Direct } else { Load::Staged(like(target, &columns)?) };
            Planned { columns, load, finish }
        }
        (SaveMode::Overwrite, Some(existing)) => match refill(options, &names, &existing, &matched)? {
            Some(columns) => {
                let load = Load::Staged(like(target, &columns)?);
                Planned { columns, load, finish: Finish::Refill }
            }
            None => create(connection, spec, schema, &names, target, true).await?,
        },
        (_, None) => create(connection, spec, schema, &names, target, false).await?,
    };
    if planned.finish != Finish::Append && options.strategy == Some(Strategy::Direct) {
        let reason = "only for appending to an existing table without upsertKeys";
        return Err(ConnectorError::option("writeStrategy", reason));
    }
    Ok(Some(planned))
}

/// Whether rows go straight into the target: asked for, or safe because one transaction holds them all.
fn direct(options: &JdbcOptions, columns: &[TableColumn]) -> Result<bool> {
    for column in columns {
        if Wire::of(column)? == Wire::ServerText {
            return match options.strategy {
                Some(Strategy::Direct) => Err(ConnectorError::option(
                    "writeStrategy",
                    format!("column {} of type {} needs staged", column.name, column.sql_type),
                )),
                _ => Ok(false),
            };
        }
    }
    Ok(match options.strategy {
        Some(strategy) => strategy == Strategy::Direct,
        None => options.num_partitions == Some(1),
    })
}

/// The columns when overwriting keeps the table: it must fit, and nothing may ask for a new one.
fn refill(
    options: &JdbcOptions,
    names: &[String],
    existing: &[TableColumn],
    matched: &dyn Fn(&[TableColumn]) -> Result<Vec<TableColumn>>,
) -> Result<Option<Vec<TableColumn>>> {
    if options.truncate == Some(true) {
        let columns = matched(existing)?;
        check_left_out(&columns, existing)?;
        return Ok(Some(columns));
    }
    let asks = !options.create_table_options.trim().is_empty()
        || options.create_table_column_types.is_some()
        || options.distribution.is_some()
        || options.truncate == Some(false);
    let written = existing.iter().filter(|column| !column.generated).count();
    if asks || written != names.len() {
        return Ok(None);
    }
    Ok(matched(existing).ok())
}

async fn create(
    connection: &Connection,
    spec: &PostgresSinkSpec,
    schema: &SchemaRef,
    names: &[String],
    target: &TableName,
    replace: bool,
) -> Result<Planned> {
    let body = ddl::body(names, schema, &spec.json, &spec.options)?;
    // What the server makes of it decides how rows are sent.
    connection.execute("BEGIN").await?;
    let probe = target.sibling(format!("_firesteel_probe_{}", uuid::Uuid::new_v4().simple()));
    let made = async {
        connection.execute(&format!("CREATE TABLE {} {body}", probe.sql())).await?;
        probe.columns(connection).await
    };
    let made = made.await;
    connection.execute("ROLLBACK").await?;
    let made = made?.ok_or_else(|| ConnectorError::TableNotFound { table: target.sql() })?;
    let columns = match_columns(names, &made, target, true)?;
    check_types(schema, &columns, spec.options.strict_strings)?;
    let definition: Vec<String> = columns
        .iter()
        .map(|column| {
            let text = Wire::of(column)? == Wire::ServerText;
            Ok(format!("{} {}", quote(&column.name), if text { "text" } else { &column.sql_type }))
        })
        .collect::<Result<_>>()?;
    let load = Load::Staged(format!("({})", definition.join(", ")));
    Ok(Planned { columns, load, finish: Finish::Create { body, replace } })
}

/// A staging table with the target's types and nothing else of it: constraints are the target's to check.
fn like(target: &TableName, columns: &[TableColumn]) -> Result<String> {
    let list: Vec<String> = columns
        .iter()
        .map(|column| {
            let name = quote(&column.name);
            Ok(if Wire::of(column)? == Wire::ServerText { format!("NULL::text AS {name}") } else { name })
        })
        .collect::<Result<_>>()?;
    Ok(format!("AS SELECT {} FROM {} WITH NO DATA", list.join(", "), target.sql()))
}

async fn check_distribution(connection: &Connection, options: &JdbcOptions) -> Result<()> {
    if options.distribution.is_none() {
        return Ok(());
    }
    let row = connection.client().query_one("SELECT version()", &[]).await.map_err(database_error)?;
    let version: String = get(&row, 0)?;
    let spread = ["Greenplum", "Cloudberry", "Greengage", "WarehousePG"].iter().any(|name| version.contains(name));
    if spread { Ok(()) } else { Err(ConnectorError::option("distributedBy", "only for Greenplum and its descendants")) }
}

/// The key columns as the table has them; a unique index must be on exactly these.
async fn key_columns(
    connection: &Connection,
    target: &TableName,
    columns: &[TableColumn],
    keys: &[String],
) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for key in keys {
        let exact = columns.iter().find(|column| column.name == *key);
        let column = exact.or_else(|| columns.iter().find(|column| column.name.eq_ignore_ascii_case(key)));
        let column =
            column.ok_or_else(|| ConnectorError::option("upsertKeys", format!("column {key} is not written")))?;
        if !found.contains(&column.name) {
            found.push(column.name.clone());
        }
    }
    let sql = format!(
        "SELECT (SELECT array_agg(a.attname::text) FROM pg_attribute a \
         WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])), current_setting('server_version_num')::int \
         FROM pg_index i WHERE i.indrelid = to_regclass({}) AND i.indisunique AND i.indisvalid \
         AND i.indpred IS NULL AND i.indexprs IS NULL",
        literal(&target.sql())
    );
    for row in connection.client().query(&sql, &[]).await.map_err(database_error)? {
        if get::<i32>(&row, 1)? < 90_500 {
            return Err(ConnectorError::Unsupported {
                feature: "upsertKeys on a server without ON CONFLICT".to_owned(),
            });
        }
        let mut indexed = get::<Option<Vec<String>>>(&row, 0)?.unwrap_or_default();
        indexed.sort_unstable();
        let mut wanted = found.clone();
        wanted.sort_unstable();
        if indexed == wanted {
            return Ok(found);
        }
    }
    let reason = format!("table {} has no unique index on exactly ({})", target.sql(), found.join(", "));
    Err(ConnectorError::option("upsertKeys", reason))
}

fn match_columns(
    names: &[String],
    existing: &[TableColumn],
    table: &TableName,
    case_sensitive: bool,
) -> Result<Vec<TableColumn>> {
    let mut matched: Vec<TableColumn> = Vec::with_capacity(names.len());
    for name in names {
        let exact = existing.iter().find(|column| column.name == *name);
        let folded = || existing.iter().find(|column| column.name.to_lowercase() == name.to_lowercase());
        let column = exact.or_else(|| if case_sensitive { None } else { folded() });
        let column = column.ok_or_else(|| ConnectorError::ColumnNotFound {
            column: name.clone(),
            table: table.sql(),
            available: existing.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", "),
        })?;
        if column.generated {
            return Err(ConnectorError::Unsupported { feature: format!("writing generated column {}", column.name) });
        }
        if matched.iter().any(|other| other.name == column.name) {
            return Err(ConnectorError::option("dbtable", format!("column {} is written twice", column.name)));
        }
        matched.push(column.clone());
    }
    Ok(matched)
}

/// Columns that are not written must get a value somehow: better said before any row moves.
fn check_left_out(columns: &[TableColumn], existing: &[TableColumn]) -> Result<()> {
    for column in existing.iter().filter(|column| column.not_null && !column.has_default && !column.generated) {
        if !columns.iter().any(|written| written.name == column.name) {
            return Err(ConnectorError::option(
                "dbtable",
                format!("column {} is NOT NULL, has no default and is not written", column.name),
            ));
        }
    }
    Ok(())
}

fn check_types(schema: &Schema, columns: &[TableColumn], strict_strings: bool) -> Result<()> {
    for (field, column) in schema.fields().iter().zip(columns) {
        let text = matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        if strict_strings && text && !Wire::of(column)?.is_text() {
            return Err(ConnectorError::TypeMismatch {
                column: column.name.clone(),
                from: "text under stringtype=varchar".to_owned(),
                to: column.sql_type.clone(),
            });
        }
    }
    let empty = schema.fields().iter().map(|field| new_empty_array(field.data_type())).collect();
    let nullable: Vec<_> = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(nullable)), empty)
        .map_err(|error| ConnectorError::Engine(error.into()))?;
    Encoder::new(columns)?.convert(&batch).map(|_| ())
}
