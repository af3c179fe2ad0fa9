//! `DESCRIBE ...` and the text of `SHOW TABLE EXTENDED`.

use std::sync::Arc;

use chrono::{TimeZone, Utc};
use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};
use firesteel_functions::types::{StructField, StructType};

use super::{Cell, Rows, describe_json, function, partition, text};
use crate::catalog::{CATALOG, Column, Relation, database_name, unknown_catalog};
use crate::conf::redact;
use crate::session::{Found, Session};
use crate::spec::{Describe, PartitionSpec, RelationKind};

/// Answers.
pub(super) async fn run(session: &Arc<Session>, what: Describe) -> SparkResult<Rows> {
    match what {
        Describe::Table { name, extended, partition, column, as_json } => {
            if as_json {
                if !extended {
                    let name = name.join(".");
                    return Err(SparkError::analysis("DESCRIBE_JSON_NOT_EXTENDED", &[("tableName", &name)]));
                }
                if column.is_some() {
                    return Err(SparkError::unsupported_feature("DESC_TABLE_COLUMN_JSON", &[]));
                }
                let found = session.require(&name).await?;
                return describe_json::run(session, &found, &partition).await;
            }
            let found = session.require(&name).await?;
            match column {
                Some(column) => of_column(&found, &column),
                None => table(session, &found, extended, &partition).await,
            }
        }
        Describe::Database { name, extended } => database(session, &name, extended).await,
        Describe::Function { name, extended } => describe_function(session, &name, extended).await,
        Describe::Query(relation) => {
            let schema = session.analyze(&relation).await?.schema;
            answer(fields(&schema))
        }
        Describe::Catalog(name) => {
            if !name.eq_ignore_ascii_case(CATALOG) {
                return Err(unknown_catalog(&name));
            }
            let row = vec!["Catalog Name".into(), CATALOG.into()];
            Rows::new(&[text("info_name", false), text("info_value", true)], vec![row])
        }
    }
}

type Line = (String, String, Option<String>);

fn line(name: &str, value: impl Into<String>) -> Line {
    (name.to_string(), value.into(), Some(String::new()))
}

fn answer(lines: Vec<Line>) -> SparkResult<Rows> {
    let columns = [text("col_name", false), text("data_type", false), text("comment", true)];
    let rows = lines.into_iter().map(|(name, value, comment)| vec![name.into(), value.into(), comment.into()]);
    Rows::new(&columns, rows.collect())
}

fn fields(schema: &StructType) -> Vec<Line> {
    schema.fields.iter().map(|f| (f.name.clone(), f.data_type.simple_string(), f.comment())).collect()
}

/// A temporary view has no partitions to describe.
pub(super) fn without_partition(view: &str, spec: &PartitionSpec) -> SparkResult<()> {
    if spec.is_empty() {
        return Ok(());
    }
    Err(SparkError::analysis(
        "FORBIDDEN_OPERATION",
        &[
            ("statement", "DESC PARTITION"),
            ("objectType", "TEMPORARY VIEW"),
            ("objectName", &quote_identifier(&[view])),
        ],
    ))
}

async fn table(session: &Arc<Session>, found: &Found, extended: bool, spec: &PartitionSpec) -> SparkResult<Rows> {
    let relation = match found {
        Found::Temp(view) => {
            without_partition(&view.name, spec)?;
            return answer(fields(&view.schema));
        }
        Found::Stored(relation) => relation,
    };
    if !spec.is_empty() {
        partition::allowed(relation, "DESC PARTITION")?;
    }
    let relation = &evolved(session, relation).await?;
    let schema = relation.schema()?;
    let mut lines = fields(&schema);
    if !relation.partitioned_by.is_empty() {
        lines.push(line("# Partition Information", ""));
        lines.push(("# col_name".into(), "data_type".into(), Some("comment".into())));
        let is_partition = |field: &&StructField| relation.partitioned_by.contains(&field.name);
        let partitions: Vec<StructField> = schema.fields.iter().filter(is_partition).cloned().collect();
        lines.extend(fields(&StructType::new(partitions)));
    }
    if !spec.is_empty() {
        let name = require_partition(session, relation, spec).await?;
        if extended {
            lines.push(line("", ""));
            lines.push(line("# Detailed Partition Information", ""));
            lines.push(line("Database", &relation.database));
            lines.push(line("Table", &relation.name));
            lines.push(line("Partition Values", format!("[{}]", name.replace('/', ", "))));
            lines.push(line("Location", format!("{}/{name}", relation.location)));
            lines.push(line("Created Time", created(relation.created)));
            lines.push(line("Last Access", "UNKNOWN"));
            lines.push(line("", ""));
            lines.push(line("# Storage Information", ""));
            lines.push(line("Location", &relation.location));
            if !relation.options.is_empty() {
                lines.push(line("Storage Properties", pairs(&relation.options)));
            }
        }
    } else if extended {
        lines.push(line("", ""));
        lines.push(line("# Detailed Table Information", ""));
        lines.extend(details(relation).into_iter().map(|(name, value)| line(&name, value)));
    }
    let with_default: Vec<_> = relation.columns.iter().filter(|column| column.default.is_some()).collect();
    if !with_default.is_empty() {
        lines.push(line("", ""));
        lines.push(line("# Column Default Values", ""));
        for column in with_default {
            lines.push((column.name.clone(), column.data_type()?.simple_string(), column.default.clone()));
        }
    }
    answer(lines)
}

/// The names of the columns of a view's query.
pub(super) fn output_columns(relation: &Relation) -> Vec<String> {
    match &relation.view {
        // The columns follow the query: no names are kept.
        Some(view) if view.schema_mode == "EVOLUTION" => Vec::new(),
        Some(view) if !view.query_columns.is_empty() => view.query_columns.clone(),
        _ => relation.columns.iter().map(|column| column.name.clone()).collect(),
    }
}

/// A view whose columns follow its query, with those it has now.
async fn evolved(session: &Arc<Session>, relation: &Relation) -> SparkResult<Relation> {
    let mut relation = relation.clone();
    let follows = relation.view.as_ref().is_some_and(|view| view.schema_mode.ends_with("EVOLUTION"));
    if !follows {
        return Ok(relation);
    }
    let name = vec![CATALOG.to_string(), relation.database.clone(), relation.name.clone()];
    let query = RelationKind::Table { name, options: Default::default(), time_travel: None };
    // A view that cannot be read is described as it was.
    if let Ok(analyzed) = session.analyze(&query.into()).await {
        let columns: Vec<Column> = analyzed.schema.fields.iter().map(Column::of_field).collect();
        let changed = columns.len() != relation.columns.len()
            || columns.iter().zip(&relation.columns).any(|(a, b)| a.name != b.name || a.data_type != b.data_type);
        if changed {
            relation.columns = columns;
            session.warehouse().put_relation(&relation).await?;
        }
    }
    Ok(relation)
}

/// What is known about a table, by Spark's names and in its order.
fn details(relation: &Relation) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> = vec![
        ("Catalog".into(), CATALOG.into()),
        ("Database".into(), relation.database.clone()),
        ("Table".into(), relation.name.clone()),
        ("Created Time".into(), created(relation.created)),
        ("Last Access".into(), "UNKNOWN".into()),
        ("Created By".into(), "Spark 4.3.0".into()),
        ("Type".into(), relation.kind.name().into()),
    ];
    let mut add = |name: &str, value: String| lines.push((name.to_string(), value));
    if relation.view.is_none() {
        add("Provider", relation.provider.clone());
    }
    if let Some((count, columns, sorted)) = &relation.buckets {
        let list = |names: &[String]| names.iter().map(|name| quote_identifier(&[name])).collect::<Vec<_>>().join(", ");
        add("Num Buckets", count.to_string());
        add("Bucket Columns", format!("[{}]", list(columns)));
        add("Sort Columns", format!("[{}]", list(sorted)));
    }
    if let Some(comment) = &relation.comment {
        add("Comment", comment.clone());
    }
    if let Some(view) = &relation.view {
        add("View Text", view.text.clone());
        add("View Original Text", view.text.clone());
        add("View Schema Mode", view.schema_mode.clone());
        add("View Catalog and Namespace", format!("{CATALOG}.{}", view.database));
        let columns: Vec<String> = output_columns(relation).iter().map(|name| quote_identifier(&[name])).collect();
        add("View Query Output Columns", format!("[{}]", columns.join(", ")));
    }
    if !relation.properties.is_empty() {
        add("Table Properties", pairs(&relation.properties));
    }
    if relation.view.is_none() {
        if !relation.location.is_empty() {
            add("Location", relation.location.clone());
        }
        if !relation.options.is_empty() {
            add("Storage Properties", pairs(&relation.options));
        }
        if !relation.partitioned_by.is_empty() {
            add("Partition Provider", "Catalog".into());
        }
    }
    lines
}

fn pairs(options: &crate::spec::Options) -> String {
    let pairs: Vec<String> = options.iter().map(|(key, value)| format!("{key}={}", redact(key, value))).collect();
    format!("[{}]", pairs.join(", "))
}

fn created(millis: i64) -> String {
    match Utc.timestamp_millis_opt(millis).single() {
        Some(time) => time.format("%a %b %d %H:%M:%S UTC %Y").to_string(),
        None => "UNKNOWN".to_string(),
    }
}

/// The text of `SHOW TABLE EXTENDED`.
pub(super) fn information(found: &Found) -> SparkResult<String> {
    let (mut lines, schema) = match found {
        Found::Temp(view) => {
            let mut lines = vec![("Table".to_string(), view.name.clone())];
            if view.global {
                lines.insert(0, ("Database".to_string(), crate::catalog::GLOBAL_TEMP.to_string()));
            }
            lines.push(("Created Time".into(), "UNKNOWN".into()));
            lines.push(("Last Access".into(), "UNKNOWN".into()));
            lines.push(("Created By".into(), "Spark 4.3.0".into()));
            lines.push(("Type".into(), "VIEW".into()));
            (lines, view.schema.clone())
        }
        Found::Stored(relation) => {
            let mut lines = details(relation);
            if !relation.partitioned_by.is_empty() {
                let columns: Vec<String> =
                    relation.partitioned_by.iter().map(|name| quote_identifier(&[name])).collect();
                lines.push(("Partition Columns".into(), format!("[{}]", columns.join(", "))));
            }
            (lines, relation.schema()?)
        }
    };
    lines.push(("Schema".into(), schema.tree_string(None)));
    Ok(lines.into_iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<String>() + "\n")
}

/// The directory of the one partition a full clause names.
pub(super) async fn require_partition(
    session: &Arc<Session>,
    relation: &Relation,
    spec: &PartitionSpec,
) -> SparkResult<String> {
    let names: Vec<String> = spec.iter().map(|(name, _)| name.clone()).collect();
    for name in &names {
        if !relation.partitioned_by.iter().any(|column| column.eq_ignore_ascii_case(name)) {
            let table = quote_identifier(&[CATALOG, &relation.database, &relation.name]);
            return Err(SparkError::analysis(
                "PARTITIONS_NOT_FOUND",
                &[("partitionList", &quote_identifier(&[name])), ("tableName", &table)],
            ));
        }
    }
    if names.len() != relation.partitioned_by.len() {
        return Err(partition::invalid(relation, &names));
    }
    let fixed = partition::fixed(session, relation, spec).await?;
    let found = partition::partitions(session, relation, &fixed).await?;
    match found.into_iter().next() {
        Some(partition) => Ok(partition.name),
        None => {
            let mut shown = Vec::new();
            for (name, value) in spec {
                let value = match value {
                    Some(expr) => session.evaluate_text(expr).await?.unwrap_or_else(|| "null".to_string()),
                    None => String::new(),
                };
                shown.push((name.clone(), value));
            }
            Err(partition::missing(relation, &partition::shown(&shown)))
        }
    }
}

fn of_column(found: &Found, column: &[String]) -> SparkResult<Rows> {
    let schema = match found {
        Found::Temp(view) => view.schema.clone(),
        Found::Stored(relation) => relation.schema()?,
    };
    let [name] = column else {
        return Err(SparkError::unsupported("DESCRIBE of a nested column"));
    };
    let Some(field) = schema.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)) else {
        let known: Vec<String> = schema.fields.iter().map(|field| quote_identifier(&[&field.name])).collect();
        return Err(SparkError::analysis(
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            &[("objectName", &quote_identifier(column)), ("proposal", &known.join(", "))],
        ));
    };
    let mut rows: Vec<Vec<Cell>> = vec![
        vec!["col_name".into(), field.name.clone().into()],
        vec!["data_type".into(), field.data_type.simple_string().into()],
        vec!["comment".into(), field.comment().unwrap_or_else(|| "NULL".to_string()).into()],
    ];
    for name in ["min", "max", "num_nulls", "distinct_count", "avg_col_len", "max_col_len", "histogram"] {
        rows.push(vec![name.into(), "NULL".into()]);
    }
    Rows::new(&[text("info_name", false), text("info_value", false)], rows)
}

async fn database(session: &Arc<Session>, name: &[String], extended: bool) -> SparkResult<Rows> {
    let database = session.warehouse().database(&database_name(name)?).await?;
    let mut rows: Vec<Vec<Cell>> = vec![
        vec!["Catalog Name".into(), CATALOG.into()],
        vec!["Namespace Name".into(), database.name.into()],
        vec!["Comment".into(), database.comment.into()],
        vec!["Location".into(), database.location.into()],
        vec!["Owner".into(), "".into()],
    ];
    if extended {
        let pairs: Vec<String> =
            database.properties.iter().map(|(key, value)| format!("({key},{})", redact(key, value))).collect();
        let shown = if pairs.is_empty() { String::new() } else { format!("({})", pairs.join(", ")) };
        rows.push(vec!["Properties".into(), shown.into()]);
    }
    Rows::new(&[text("info_name", false), text("info_value", false)], rows)
}

async fn describe_function(session: &Arc<Session>, name: &[String], extended: bool) -> SparkResult<Rows> {
    let mut lines = Vec::new();
    match function::find(session, name).await {
        Ok(Some(found)) => {
            let shown = match found.database.is_empty() {
                true => found.name.clone(),
                false => format!("{CATALOG}.{}.{}", found.database, found.name),
            };
            if let Some(class) = &found.class_name {
                let lines = [format!("Function: {shown}"), format!("Class: {class}"), "Usage: N/A.".to_string()];
                let rows = lines.into_iter().map(|line| vec![line.into()]).collect();
                return Rows::new(&[text("function_desc", false)], rows);
            }
            let kind = if found.returns_table.is_some() { "TABLE" } else { "SCALAR" };
            let mut facts = vec![("Function", shown), ("Type", kind.to_string())];
            let params: Vec<String> = found
                .params
                .iter()
                .map(|param| Ok(format!("{} {}", param.name, param.data_type()?.sql())))
                .collect::<SparkResult<_>>()?;
            let params = if params.is_empty() { vec!["()".to_string()] } else { params };
            facts.extend(
                params.into_iter().enumerate().map(|(index, param)| (if index == 0 { "Input" } else { "" }, param)),
            );
            if let Some(returns) = &found.returns {
                let returns = firesteel_functions::types::DataType::from_json(&returns.to_string())?;
                facts.push(("Returns", returns.sql()));
            }
            if extended {
                facts.push(("Deterministic", found.deterministic.unwrap_or(true).to_string()));
                facts.push(("Body", found.body));
            }
            // Values stand in one column, one blank behind the longest name.
            let width = facts.iter().map(|(name, _)| name.len() + 2).max().unwrap_or_default();
            lines.extend(facts.into_iter().map(|(name, value)| {
                let name = if name.is_empty() { String::new() } else { format!("{name}:") };
                format!("{name:width$}{value}")
            }));
        }
        _ if function::is_builtin(name) => {
            let name = name.join(".").to_lowercase();
            lines.push(format!("Function: {name}"));
            lines.push("Class: N/A.".to_string());
            lines.push("Usage: N/A.".to_string());
            if extended {
                lines.push(format!("Extended Usage:\n    No example/argument for {name}.\n"));
            }
        }
        _ => {
            let path =
                format!("[`system`.`builtin`, `system`.`session`, `{CATALOG}`.`{}`]", session.current_database());
            return Err(SparkError::analysis(
                "UNRESOLVED_ROUTINE",
                &[("routineName", &quote_identifier(name)), ("searchPath", &path)],
            ));
        }
    }
    Rows::new(&[text("function_desc", false)], lines.into_iter().map(|line| vec![line.into()]).collect())
}
