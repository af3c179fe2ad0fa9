//! CREATE TABLE for Arrow columns.
//!
//! Only text; runs nothing. Types follow the official Spark connector, except that instants keep their microseconds and
//! dates their whole range.

use arrow::datatypes::{DataType, Field, Schema};

use super::options::Create;
use super::table::quote;
use crate::error::{ConnectorError, Result};

/// Columns in brackets, the engine and its clauses.
///
/// # Errors
/// `TypeMismatch` for a type without a counterpart, `InvalidOption` for an option that names no column.
pub(super) fn body(names: &[String], schema: &Schema, create: &Create) -> Result<String> {
    let known = |name: &str| names.iter().any(|column| column.eq_ignore_ascii_case(name));
    for (option, name) in create
        .column_types
        .iter()
        .map(|(name, _)| ("createTableColumnTypes", name))
        .chain(create.low_cardinality.iter().map(|name| ("low_cardinality", name)))
    {
        if !known(name) {
            return Err(ConnectorError::option(option, format!("column {name} not found")));
        }
    }
    let keys = key_words(create);
    let mut columns = Vec::with_capacity(names.len());
    for (name, field) in names.iter().zip(schema.fields()) {
        let own = create.column_types.iter().find(|(column, _)| column.eq_ignore_ascii_case(name));
        let sql_type = match own {
            Some((_, sql_type)) => sql_type.clone(),
            None => {
                // A key takes no nulls unless the table says so; rows that have some are refused by name.
                let plain = column_type(name, field, field.is_nullable() && !keys.contains(&name.as_str()))?;
                let low = create.low_cardinality.iter().any(|column| column.eq_ignore_ascii_case(name));
                if low { format!("LowCardinality({plain})") } else { plain }
            }
        };
        columns.push(format!("{} {sql_type}", quote(name)));
    }
    Ok(format!("({}) {}", columns.join(", "), clauses(create)?))
}

fn clauses(create: &Create) -> Result<String> {
    if let Some(clauses) = &create.clauses {
        let further = create.engine.is_some() || create.order_by.is_some() || create.partition_by.is_some();
        if further || !create.settings.is_empty() {
            return Err(ConnectorError::option(
                "createTableOptions",
                "not together with engine, order_by and the like",
            ));
        }
        return Ok(clauses.clone());
    }
    let engine = create.engine.clone().unwrap_or_else(|| "MergeTree()".to_owned());
    let mut text = format!("ENGINE = {engine}");
    for (clause, value) in [
        ("PARTITION BY", &create.partition_by),
        ("PRIMARY KEY", &create.primary_key),
        ("ORDER BY", &create.order_by),
        ("SAMPLE BY", &create.sample_by),
        ("TTL", &create.ttl),
    ] {
        match value {
            Some(value) if clause != "TTL" => text.push_str(&format!(" {clause} ({value})")),
            Some(value) => text.push_str(&format!(" {clause} {value}")),
            None if clause == "ORDER BY" && engine.contains("MergeTree") && create.primary_key.is_none() => {
                text.push_str(" ORDER BY tuple()");
            }
            None => {}
        }
    }
    if !create.settings.is_empty() {
        let settings: Vec<String> = create.settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        text.push_str(&format!(" SETTINGS {}", settings.join(", ")));
    }
    if let Some(comment) = &create.comment {
        text.push_str(&format!(" COMMENT {}", super::table::literal(comment)));
    }
    Ok(text)
}

/// The words of the key expressions, among them the columns they are made of.
fn key_words(create: &Create) -> Vec<&str> {
    let nullable = create.settings.get("allow_nullable_key").is_some_and(|value| value != "0");
    let clauses = [&create.order_by, &create.primary_key, &create.partition_by, &create.sample_by, &create.clauses];
    let text = clauses.into_iter().flatten().filter(|_| !nullable);
    text.flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| !word.is_empty())
        .collect()
}

fn column_type(name: &str, field: &Field, nullable: bool) -> Result<String> {
    sql_type(field.data_type(), nullable).ok_or_else(|| ConnectorError::TypeMismatch {
        column: name.to_owned(),
        from: field.data_type().to_string(),
        to: "any ClickHouse type".to_owned(),
    })
}

fn sql_type(data_type: &DataType, nullable: bool) -> Option<String> {
    let plain = match data_type {
        DataType::Boolean => "Bool".to_owned(),
        DataType::Int8 => "Int8".to_owned(),
        DataType::Int16 => "Int16".to_owned(),
        DataType::Int32 => "Int32".to_owned(),
        DataType::Int64 => "Int64".to_owned(),
        DataType::Float32 => "Float32".to_owned(),
        DataType::Float64 => "Float64".to_owned(),
        DataType::Decimal128(precision, scale) => format!("Decimal({precision}, {scale})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "String".to_owned(),
        // ClickHouse's texts are bytes.
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "String".to_owned(),
        DataType::Date32 => "Date32".to_owned(),
        DataType::Timestamp(_, Some(_)) => "DateTime64(6)".to_owned(),
        // A clock on the wall shows the same everywhere.
        DataType::Timestamp(_, None) => "DateTime64(6, 'UTC')".to_owned(),
        DataType::List(item) | DataType::LargeList(item) => {
            return Some(format!("Array({})", sql_type(item.data_type(), item.is_nullable())?));
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else { return None };
            let [key, value] = fields.as_ref() else { return None };
            let (key, value) = (sql_type(key.data_type(), false)?, sql_type(value.data_type(), value.is_nullable())?);
            return Some(format!("Map({key}, {value})"));
        }
        DataType::Struct(fields) => {
            // A variant or a shape is no tuple to anyone.
            if fields.iter().any(|field| !field.metadata().is_empty() && field.metadata().contains_key("variant")) {
                return None;
            }
            let mut elements = Vec::with_capacity(fields.len());
            for field in fields {
                elements.push(format!("{} {}", quote(field.name()), sql_type(field.data_type(), field.is_nullable())?));
            }
            return Some(format!("Tuple({})", elements.join(", ")));
        }
        _ => return None,
    };
    Some(if nullable { format!("Nullable({plain})") } else { plain })
}
