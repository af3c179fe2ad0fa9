//! `SHOW CREATE TABLE`.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier, quote_if_needed};
use firesteel_functions::types::DataType;

use crate::catalog::{CATALOG, Kind, Relation, TableName};
use crate::conf::redact;
use crate::session::{Found, Session};
use crate::spec::Options;

/// The statement that makes a table or view.
pub(super) async fn of(session: &Arc<Session>, name: &[String], as_serde: bool) -> SparkResult<String> {
    match session.require(name).await? {
        Found::Temp(view) => Err(SparkError::analysis(
            "EXPECT_PERMANENT_VIEW_NOT_TEMP",
            &[("viewName", &quote_identifier(&[view.name.as_str()])), ("operation", "SHOW CREATE TABLE")],
        )),
        Found::Stored(relation) if relation.view.is_some() => view(&relation),
        Found::Stored(relation) if as_serde => Err(SparkError::analysis(
            "UNSUPPORTED_SHOW_CREATE_TABLE.ON_DATA_SOURCE_TABLE_WITH_AS_SERDE",
            &[("tableName", &TableName::new(&relation.database, &relation.name).quoted())],
        )),
        Found::Stored(relation) => table(&relation),
    }
}

fn table(table: &Relation) -> SparkResult<String> {
    let name = [CATALOG, &table.database, &table.name].map(quote_if_needed).join(".");
    let mut columns = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let mut text = format!("{} {}", quote_if_needed(&column.name), collated(&column.data_type()?));
        if let Some(default) = &column.default {
            text.push_str(&format!(" DEFAULT {default}"));
        }
        if let Some(comment) = &column.comment {
            text.push_str(&format!(" COMMENT '{}'", escape(comment)));
        }
        columns.push(text);
    }
    let mut out = format!("CREATE TABLE {name} (\n  {})\nUSING {}\n", columns.join(",\n  "), table.provider);
    out.push_str(&pairs("OPTIONS", &table.options));
    let list = |names: &[String]| names.iter().map(|name| quote_if_needed(name)).collect::<Vec<_>>().join(", ");
    if !table.partitioned_by.is_empty() {
        out.push_str(&format!("PARTITIONED BY ({})\n", list(&table.partitioned_by)));
    }
    if let Some((count, columns, sorted)) = &table.buckets {
        out.push_str(&format!("CLUSTERED BY ({})\n", list(columns)));
        if !sorted.is_empty() {
            out.push_str(&format!("SORTED BY ({})\n", list(sorted)));
        }
        out.push_str(&format!("INTO {count} BUCKETS\n"));
    }
    if !table.cluster_by.is_empty() {
        out.push_str(&format!("CLUSTER BY ({})\n", list(&table.cluster_by)));
    }
    if let Some(comment) = &table.comment {
        out.push_str(&format!("COMMENT '{}'\n", escape(comment)));
    }
    if table.kind == Kind::External && !table.location.is_empty() {
        out.push_str(&format!("LOCATION '{}'\n", escape(&table.location)));
    }
    out.push_str(&pairs("TBLPROPERTIES", &table.properties));
    Ok(out)
}

fn view(table: &Relation) -> SparkResult<String> {
    let name = [&table.database, &table.name].map(|part| quote_if_needed(part)).join(".");
    let mut columns = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let comment = column.comment.as_ref().map(|comment| format!(" COMMENT '{}'", escape(comment)));
        columns.push(format!("{}{}", quote_if_needed(&column.name), comment.unwrap_or_default()));
    }
    let mut out = format!("CREATE VIEW {name} (\n  {})\n", columns.join(",\n  "));
    if let Some(comment) = &table.comment {
        out.push_str(&format!("COMMENT '{}'\n", escape(comment)));
    }
    out.push_str(&pairs("TBLPROPERTIES", &table.properties));
    if let Some(view) = &table.view {
        out.push_str(&format!("WITH SCHEMA {}\nAS {}\n", view.schema_mode, view.text));
    }
    Ok(out)
}

fn pairs(keyword: &str, options: &Options) -> String {
    if options.is_empty() {
        return String::new();
    }
    let pairs: Vec<String> =
        options.iter().map(|(key, value)| format!("'{}' = '{}'", escape(key), escape(&redact(key, value)))).collect();
    format!("{keyword} (\n  {})\n", pairs.join(",\n  "))
}

/// Spark names the collation of every string type here.
fn collated(data_type: &DataType) -> String {
    match data_type {
        DataType::String | DataType::Char(_) | DataType::Varchar(_) => {
            format!("{} COLLATE UTF8_BINARY", data_type.sql())
        }
        DataType::Collated(collation) => format!("STRING COLLATE {}", collation.name()),
        DataType::Array { element, .. } => format!("ARRAY<{}>", collated(element)),
        DataType::Map { key, value, .. } => format!("MAP<{}, {}>", collated(key), collated(value)),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .fields
                .iter()
                .map(|field| format!("{}: {}", quote_if_needed(&field.name), collated(&field.data_type)))
                .collect();
            format!("STRUCT<{}>", fields.join(", "))
        }
        other => other.sql(),
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}
