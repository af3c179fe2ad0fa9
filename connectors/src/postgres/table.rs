//! Table names, and what the server's catalogue says about a table's columns.
//!
//! Changes nothing.

use serde::{Deserialize, Serialize};
use tokio_postgres::Row;

use super::connect::{Connection, database_error};
use crate::error::{ConnectorError, Result};

/// A table, perhaps with its schema, case folded as the server does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableName {
    /// The schema, if given.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
}

/// A column of an existing table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type's name without modifiers, as in `pg_type`; `_int4` for arrays.
    pub type_name: String,
    /// Its type as SQL writes it, for messages.
    pub sql_type: String,
    /// `pg_type.typtype`: `e` for enums, `d` for domains.
    pub kind: String,
    /// Whether values are computed by the server and may not be sent.
    pub generated: bool,
    /// Whether the server fills it in when it is left out.
    pub has_default: bool,
    /// Whether null is refused.
    pub not_null: bool,
    /// Length or precision and scale as the catalogue packs them; -1 without.
    pub modifier: i32,
    /// Of an array: its elements' type, OID and `typtype`.
    pub element: Option<(String, u32, String)>,
}

impl TableName {
    /// Parses `table`, `schema.table` or `"Quoted"."Names"`.
    ///
    /// # Errors
    /// `InvalidOption` for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = || ConnectorError::option("dbtable", format!("'{text}' is not a table name"));
        let mut parts = Vec::new();
        let mut chars = text.trim().chars().peekable();
        loop {
            let mut part = String::new();
            if chars.next_if_eq(&'"').is_some() {
                loop {
                    match chars.next().ok_or_else(invalid)? {
                        '"' if chars.next_if_eq(&'"').is_some() => part.push('"'),
                        '"' => break,
                        c => part.push(c),
                    }
                }
            } else {
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) {
                    part.extend(c.to_lowercase());
                }
            }
            if part.is_empty() {
                return Err(invalid());
            }
            parts.push(part);
            match chars.next() {
                Some('.') => {}
                None => break,
                Some(_) => return Err(invalid()),
            }
        }
        let table = parts.pop().ok_or_else(invalid)?;
        let schema = parts.pop();
        // A database before the schema can only be the one we are connected to.
        if parts.len() > 1 {
            return Err(invalid());
        }
        Ok(Self { schema, table })
    }

    /// Another table in the same schema.
    pub fn sibling(&self, table: impl Into<String>) -> Self {
        Self { schema: self.schema.clone(), table: table.into() }
    }

    /// The name for use in SQL.
    pub fn sql(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quote(schema), quote(&self.table)),
            None => quote(&self.table),
        }
    }

    /// The same table with its schema filled in, so that staging tables land beside it.
    ///
    /// # Errors
    /// `Database`.
    pub async fn resolve(&self, connection: &Connection) -> Result<Self> {
        if self.schema.is_some() {
            return Ok(self.clone());
        }
        let sql = format!(
            "SELECT coalesce((SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.oid = to_regclass({})), current_schema()::text)",
            literal(&self.sql())
        );
        let row = connection.client().query_one(&sql, &[]).await.map_err(database_error)?;
        Ok(Self { schema: get(&row, 0)?, table: self.table.clone() })
    }

    /// The columns, or `None` if there is no such table.
    ///
    /// # Errors
    /// `Database`.
    pub async fn columns(&self, connection: &Connection) -> Result<Option<Vec<TableColumn>>> {
        let client = connection.client();
        let name = literal(&self.sql());
        let sql = format!("SELECT to_regclass({name}) IS NOT NULL, current_setting('server_version_num')::int");
        let row = client.query_one(&sql, &[]).await.map_err(database_error)?;
        if !get::<bool>(&row, 0)? {
            return Ok(None);
        }
        // Greenplum's servers are of versions without these columns.
        let version: i32 = get(&row, 1)?;
        let identity = if version >= 100_000 { "a.attidentity::text" } else { "''::text" };
        let generated = if version >= 120_000 { "a.attgenerated::text" } else { "''::text" };
        // A domain is written as the type it stands for.
        let sql = format!(
            "SELECT a.attname::text, b.typname::text, format_type(a.atttypid, a.atttypmod), b.typtype::text, \
             a.attnotnull OR t.typnotnull, \
             a.atthasdef OR t.typdefault IS NOT NULL OR {identity} <> '', {generated} <> '' OR {identity} = 'a', \
             CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, \
             e.typname::text, e.oid, e.typtype::text \
             FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
             JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END \
             LEFT JOIN pg_type e ON e.oid = b.typelem AND b.typlen = -1 \
             WHERE a.attrelid = to_regclass({name}) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        );
        let rows = client.query(&sql, &[]).await.map_err(database_error)?;
        let column = |row: &Row| {
            let element: Option<String> = get(row, 8)?;
            let element = match element {
                Some(name) => Some((name, get::<u32>(row, 9)?, get::<String>(row, 10)?)),
                None => None,
            };
            Ok(TableColumn {
                name: get(row, 0)?,
                type_name: get(row, 1)?,
                sql_type: get(row, 2)?,
                kind: get(row, 3)?,
                not_null: get(row, 4)?,
                has_default: get(row, 5)?,
                generated: get(row, 6)?,
                modifier: get(row, 7)?,
                element,
            })
        };
        rows.iter().map(column).collect::<Result<_>>().map(Some)
    }
}

/// Quotes a text.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    // A backslash means itself only where standard_conforming_strings is on, but always does so after E when doubled.
    if text.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// Quotes an identifier.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// One column of a row.
pub(crate) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, index: usize) -> Result<T> {
    row.try_get(index).map_err(|error| ConnectorError::Protocol(format!("unexpected catalogue row: {error}")))
}
