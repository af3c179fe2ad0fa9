//! CREATE TABLE for Arrow columns, with Spark's type map and its options.
//!
//! Only text; runs nothing.

use arrow::datatypes::{DataType, Field, Schema};

use super::options::JdbcOptions;
use super::table::quote;
use crate::error::{ConnectorError, Result};

/// Field metadata in which Spark keeps `char(n)` and `varchar(n)`.
const CHAR_TYPE: &str = "__CHAR_VARCHAR_TYPE_STRING";

/// The columns and clauses of CREATE TABLE, from the opening parenthesis on; `json` names the columns that hold JSON.
///
/// # Errors
/// `TypeMismatch` for a type without a counterpart, `InvalidOption` for unusable column types.
pub(crate) fn body(names: &[String], schema: &Schema, json: &[String], options: &JdbcOptions) -> Result<String> {
    let given = options.create_table_column_types.as_deref().map(column_types).transpose()?.unwrap_or_default();
    for (name, _) in &given {
        if !names.iter().any(|column| column.eq_ignore_ascii_case(name)) {
            return Err(ConnectorError::option("createTableColumnTypes", format!("column {name} not found")));
        }
    }
    let keys = options.upsert.as_ref().map(|upsert| upsert.keys.as_slice()).unwrap_or_default();
    let mut columns = Vec::new();
    for (name, field) in names.iter().zip(schema.fields()) {
        let own = given.iter().find(|(column, _)| column.eq_ignore_ascii_case(name));
        let sql_type = match own {
            Some((_, sql_type)) => sql_type.clone(),
            None if json.contains(name) => "jsonb".to_owned(),
            None => sql_type(name, field)?,
        };
        let null = if field.is_nullable() { "" } else { " NOT NULL" };
        columns.push(format!("{} {sql_type}{null}", quote(name)));
    }
    if !keys.is_empty() {
        let mut key = Vec::new();
        for column in keys {
            let name = names.iter().find(|name| name.eq_ignore_ascii_case(column));
            let name =
                name.ok_or_else(|| ConnectorError::option("upsertKeys", format!("column {column} not found")))?;
            key.push(quote(name));
        }
        columns.push(format!("PRIMARY KEY ({})", key.join(", ")));
    }
    let distribution = options.distribution.as_ref().map(super::options::Distribution::sql).unwrap_or_default();
    Ok(format!("({}) {} {distribution}", columns.join(", "), options.create_table_options))
}

fn sql_type(name: &str, field: &Field) -> Result<String> {
    if let Some(text) = field.metadata().get(CHAR_TYPE)
        && (text.starts_with("char(") || text.starts_with("varchar("))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '(' | ')'))
    {
        return Ok(text.clone());
    }
    scalar_type(field.data_type()).ok_or_else(|| ConnectorError::TypeMismatch {
        column: name.to_owned(),
        from: field.data_type().to_string(),
        to: "any PostgreSQL type".to_owned(),
    })
}

fn scalar_type(data_type: &DataType) -> Option<String> {
    Some(match data_type {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "smallint".to_owned(),
        DataType::Int32 | DataType::UInt16 => "integer".to_owned(),
        DataType::Int64 | DataType::UInt32 => "bigint".to_owned(),
        DataType::UInt64 => "numeric(20,0)".to_owned(),
        DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double precision".to_owned(),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("numeric({precision},{scale})")
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "bytea".to_owned()
        }
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone".to_owned(),
        DataType::Timestamp(_, None) => "timestamp".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        DataType::Duration(_) | DataType::Interval(_) => "interval".to_owned(),
        DataType::List(field) | DataType::LargeList(field) => format!("{}[]", scalar_type(field.data_type())?),
        _ => return None,
    })
}

/// Splits `name TYPE, other TYPE(p, s)`; Spark's type names become the server's.
fn column_types(text: &str) -> Result<Vec<(String, String)>> {
    let invalid = |part: &str| ConnectorError::option("createTableColumnTypes", format!("cannot read '{part}'"));
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    for c in text.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        match (c, depth) {
            (',', 0) => parts.push(String::new()),
            _ => parts.last_mut().ok_or_else(|| invalid(text))?.push(c),
        }
    }
    let mut columns = Vec::new();
    for part in &parts {
        let part = part.trim();
        let (name, sql_type) = part.split_once(char::is_whitespace).ok_or_else(|| invalid(part))?;
        let sql_type = sql_type.trim();
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '(' | ')' | ',' | ' ' | '_' | '[' | ']');
        if sql_type.is_empty() || !sql_type.chars().all(safe) {
            return Err(invalid(part));
        }
        let sql_type = match sql_type.to_ascii_uppercase().as_str() {
            "STRING" => "text",
            "BYTE" | "TINYINT" | "SHORT" => "smallint",
            "INT" => "integer",
            "LONG" => "bigint",
            "FLOAT" => "real",
            "DOUBLE" => "double precision",
            "BINARY" => "bytea",
            "TIMESTAMP_NTZ" => "timestamp",
            "TIMESTAMP" => "timestamp with time zone",
            _ => sql_type,
        };
        columns.push((name.trim_matches('`').trim_matches('"').to_owned(), sql_type.to_owned()));
    }
    Ok(columns)
}
