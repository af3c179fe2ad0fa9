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
        let sql = "SELECT coalesce((SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                   WHERE c.oid = to_regclass($1)), current_schema()::text)";
        let row = connection.client().query_one(sql, &[&self.sql()]).await.map_err(database_error)?;
        Ok(Self { schema: get(&row, 0)?, table: self.table.clone() })
    }

    /// The columns, or `None` if there is no such table.
    ///
    /// # Errors
    /// `Database`.
    pub async fn columns(&self, connection: &Connection) -> Result<Option<Vec<TableColumn>>> {
        let exists = "SELECT to_regclass($1) IS NOT NULL";
        let row = connection.client().query_one(exists, &[&self.sql()]).await.map_err(database_error)?;
        if !get::<bool>(&row, 0)? {
            return Ok(None);
        }
        // A domain is written as the type it stands for.
        let sql = "SELECT a.attname::text, b.typname::text, format_type(a.atttypid, a.atttypmod), b.typtype::text, \
                   a.attnotnull, a.atthasdef OR a.attidentity <> '', a.attgenerated <> '' OR a.attidentity = 'a' \
                   FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
                   JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END \
                   WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
        let rows = connection.client().query(sql, &[&self.sql()]).await.map_err(database_error)?;
        let column = |row: &Row| {
            Ok(TableColumn {
                name: get(row, 0)?,
                type_name: get(row, 1)?,
                sql_type: get(row, 2)?,
                kind: get(row, 3)?,
                not_null: get(row, 4)?,
                has_default: get(row, 5)?,
                generated: get(row, 6)?,
            })
        };
        rows.iter().map(column).collect::<Result<_>>().map(Some)
    }
}

/// Quotes an identifier.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// One column of a row.
pub(crate) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, index: usize) -> Result<T> {
    row.try_get(index).map_err(|error| ConnectorError::Protocol(format!("unexpected catalogue row: {error}")))
}
