//! `DESCRIBE ... AS JSON`. Format: <https://spark.apache.org/docs/latest/sql-ref-syntax-aux-describe-table.html>.

use std::sync::Arc;

use chrono::{SecondsFormat, TimeZone, Utc};
use firesteel_functions::error::SparkResult;
use firesteel_functions::types::{DataType, StructType};
use serde_json::{Map, Value, json};

use super::{Rows, describe, partition, text};
use crate::catalog::{CATALOG, Column, GLOBAL_TEMP, Relation};
use crate::conf::redact;
use crate::session::{Found, Session, TempBody, TempView};
use crate::spec::{Options, PartitionSpec};

/// The description as one text.
pub(super) async fn run(session: &Arc<Session>, found: &Found, spec: &PartitionSpec) -> SparkResult<Rows> {
    let described = match found {
        Found::Temp(view) => {
            describe::without_partition(&view.name, spec)?;
            temporary(view)
        }
        Found::Stored(relation) => {
            let values = if spec.is_empty() {
                None
            } else {
                partition::allowed(relation, "DESC PARTITION")?;
                Some(describe::require_partition(session, relation, spec).await?)
            };
            stored(relation, values.as_deref())?
        }
    };
    Rows::new(&[text("json_metadata", false)], vec![vec![Value::Object(described).to_string().into()]])
}

fn temporary(view: &TempView) -> Map<String, Value> {
    let (catalog, schema) = if view.global { (CATALOG, GLOBAL_TEMP) } else { ("system", "session") };
    let mut out = Map::new();
    head(&mut out, &view.name, catalog, schema);
    out.insert("columns".into(), Value::Array(fields(&view.schema)));
    out.insert("last_access".into(), "UNKNOWN".into());
    out.insert("created_by".into(), "Spark 4.3.0".into());
    out.insert("type".into(), "VIEW".into());
    if let (Some(text), TempBody::Query { database, columns, .. }) = (&view.text, &view.body) {
        out.insert("view_text".into(), text.clone().into());
        out.insert("view_schema_mode".into(), "BINDING".into());
        out.insert("view_catalog_and_namespace".into(), format!("{CATALOG}.{database}").into());
        out.insert("view_query_output_columns".into(), json!(columns));
    }
    out.insert("collation".into(), "UTF8_BINARY".into());
    out
}

fn head(out: &mut Map<String, Value>, name: &str, catalog: &str, schema: &str) {
    out.insert("table_name".into(), name.into());
    out.insert("catalog_name".into(), catalog.into());
    out.insert("namespace".into(), json!([schema]));
    out.insert("schema_name".into(), schema.into());
}

fn stored(relation: &Relation, partition: Option<&str>) -> SparkResult<Map<String, Value>> {
    let mut out = Map::new();
    head(&mut out, &relation.name, CATALOG, &relation.database);
    let columns = relation.columns.iter().map(column).collect::<SparkResult<Vec<_>>>()?;
    out.insert("columns".into(), Value::Array(columns));
    let mut location = relation.location.clone();
    if let Some(folder) = partition {
        let pairs = folder.split('/').filter_map(|part| part.split_once('='));
        let values: Map<String, Value> = pairs.map(|(name, value)| (name.to_string(), value.into())).collect();
        out.insert("partition_values".into(), Value::Object(values));
        location = format!("{location}/{folder}");
    }
    if !location.is_empty() {
        out.insert("location".into(), location.into());
    }
    if let Some(time) = Utc.timestamp_millis_opt(relation.created).single() {
        out.insert("created_time".into(), time.to_rfc3339_opts(SecondsFormat::Secs, true).into());
    }
    out.insert("last_access".into(), "UNKNOWN".into());
    out.insert("created_by".into(), "Spark 4.3.0".into());
    out.insert("type".into(), relation.kind.name().into());
    if relation.view.is_none() {
        out.insert("provider".into(), relation.provider.clone().into());
    }
    if let Some((count, columns, sorted)) = &relation.buckets {
        out.insert("num_buckets".into(), json!(count));
        out.insert("bucket_columns".into(), json!(columns));
        out.insert("sort_columns".into(), json!(sorted));
    }
    if let Some(comment) = &relation.comment {
        out.insert("comment".into(), comment.clone().into());
    }
    if let Some(view) = &relation.view {
        out.insert("view_text".into(), view.text.clone().into());
        out.insert("view_original_text".into(), view.text.clone().into());
        out.insert("view_schema_mode".into(), view.schema_mode.clone().into());
        out.insert("view_catalog_and_namespace".into(), format!("{CATALOG}.{}", view.database).into());
        out.insert("view_query_output_columns".into(), json!(describe::output_columns(relation)));
    }
    insert_pairs(&mut out, "table_properties", &relation.properties);
    if let Some(view) = &relation.view {
        insert_pairs(&mut out, "view_creation_spark_configuration", &view.conf);
    } else {
        insert_pairs(&mut out, "storage_properties", &relation.options);
        if !relation.partitioned_by.is_empty() {
            out.insert("partition_provider".into(), "Catalog".into());
            out.insert("partition_columns".into(), json!(relation.partitioned_by));
        }
    }
    out.insert("collation".into(), "UTF8_BINARY".into());
    Ok(out)
}

fn insert_pairs(out: &mut Map<String, Value>, key: &str, pairs: &Options) {
    if !pairs.is_empty() {
        let pairs = pairs.iter().map(|(key, value)| (key.clone(), redact(key, value).into()));
        out.insert(key.into(), Value::Object(pairs.collect()));
    }
}

fn column(column: &Column) -> SparkResult<Value> {
    let mut out = Map::new();
    out.insert("name".into(), column.name.clone().into());
    out.insert("type".into(), type_of(&column.data_type()?));
    out.insert("nullable".into(), column.nullable.into());
    if let Some(comment) = &column.comment {
        out.insert("comment".into(), comment.clone().into());
    }
    if let Some(default) = &column.default {
        out.insert("default".into(), default.clone().into());
    }
    Ok(Value::Object(out))
}

fn fields(schema: &StructType) -> Vec<Value> {
    let field = |field: &firesteel_functions::types::StructField| {
        let mut out = Map::new();
        out.insert("name".into(), field.name.clone().into());
        out.insert("type".into(), type_of(&field.data_type));
        out.insert("nullable".into(), field.nullable.into());
        if let Some(comment) = field.comment() {
            out.insert("comment".into(), comment.into());
        }
        Value::Object(out)
    };
    schema.fields.iter().map(field).collect()
}

fn type_of(data_type: &DataType) -> Value {
    match data_type {
        DataType::String | DataType::Char(_) | DataType::Varchar(_) => {
            json!({ "name": "string", "collation": "UTF8_BINARY" })
        }
        DataType::Decimal(precision, scale) => json!({ "name": "decimal", "precision": precision, "scale": scale }),
        DataType::Array { element, contains_null } => {
            json!({ "name": "array", "element_type": type_of(element), "element_nullable": contains_null })
        }
        DataType::Map { key, value, value_contains_null } => {
            let (key, value) = (type_of(key), type_of(value));
            json!({ "name": "map", "key_type": key, "value_type": value, "value_nullable": value_contains_null })
        }
        DataType::Struct(inner) => json!({ "name": "struct", "fields": fields(inner) }),
        DataType::Timestamp => json!({ "name": "timestamp_ltz" }),
        other => json!({ "name": other.simple_string() }),
    }
}
