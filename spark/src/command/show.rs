//! `SHOW ...`.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};

use super::rows::flag;
use super::{Cell, Rows, create_text, describe, partition, show_collations, show_functions, text};
use crate::catalog::{CATALOG, GLOBAL_TEMP, TableName, database_name, matches};
use crate::conf::redact;
use crate::session::{Found, Session};
use crate::spec::{ObjectName, PartitionSpec, Show};

/// Answers.
pub(super) async fn run(session: &Arc<Session>, show: Show) -> SparkResult<Rows> {
    match show {
        Show::Databases { pattern } => {
            let names = session.warehouse().databases().await?;
            one("namespace", names.into_iter().filter(|name| matches(pattern.as_deref(), name)))
        }
        Show::Tables { database, pattern } => {
            let rows = tables(session, database.as_ref(), pattern.as_deref(), true).await?;
            let rows = rows.into_iter().map(|row| vec![row.namespace.into(), row.name.into(), row.temporary.into()]);
            Rows::new(&[text("namespace", false), text("tableName", false), flag("isTemporary")], rows.collect())
        }
        Show::Views { database, pattern } => {
            let rows = tables(session, database.as_ref(), pattern.as_deref(), false).await?;
            let rows = rows.into_iter().map(|row| vec![row.namespace.into(), row.name.into(), row.temporary.into()]);
            Rows::new(&[text("namespace", false), text("viewName", false), flag("isTemporary")], rows.collect())
        }
        Show::TableExtended { database, pattern, partition } => {
            table_extended(session, database.as_ref(), &pattern, &partition).await
        }
        Show::Columns { table, database } => columns(session, table, database).await,
        Show::Functions { kind, database, pattern } => {
            show_functions::run(session, kind, database, pattern.as_deref()).await
        }
        Show::Partitions { table, partition } => partitions(session, &table, &partition).await,
        Show::TableProperties { table, key } => properties(session, &table, key).await,
        Show::CreateTable { table, as_serde } => {
            one("createtab_stmt", [create_text::of(session, &table, as_serde).await?])
        }
        Show::Catalogs { pattern } => {
            one("catalog", Some(CATALOG.to_string()).filter(|name| matches(pattern.as_deref(), name)))
        }
        Show::CurrentNamespace => Rows::new(
            &[text("catalog", false), text("namespace", false)],
            vec![vec![CATALOG.into(), session.current_database().into()]],
        ),
        Show::Other { name, pattern } if name == "COLLATIONS" => show_collations::run(pattern.as_deref()),
        Show::Other { name, .. } => Err(SparkError::unsupported(format!("SHOW {name}"))),
    }
}

fn one(column: &str, values: impl IntoIterator<Item = String>) -> SparkResult<Rows> {
    Rows::new(&[text(column, false)], values.into_iter().map(|value| vec![Cell::Text(value)]).collect())
}

/// A listed table or view.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) temporary: bool,
}

/// Tables and views of a database (or its views alone), and the session's temporary views, by name.
pub(super) async fn tables(
    session: &Arc<Session>,
    database: Option<&ObjectName>,
    pattern: Option<&str>,
    with_tables: bool,
) -> SparkResult<Vec<Listed>> {
    let database = match database {
        Some(parts) => database_name(parts)?,
        None => session.current_database(),
    };
    let mut names = Vec::new();
    let mut temporary: Vec<Listed> = Vec::new();
    if database == GLOBAL_TEMP {
        let views = session.engine().global_views().read();
        temporary.extend(views.keys().map(|name| Listed {
            namespace: GLOBAL_TEMP.to_string(),
            name: name.clone(),
            temporary: true,
        }));
    } else {
        session.warehouse().database(&database).await?;
        if with_tables {
            names.extend(session.warehouse().tables(&database).await?);
        }
        names.extend(session.warehouse().views(&database).await?);
    }
    names.sort();
    let mut rows: Vec<Listed> =
        names.into_iter().map(|name| Listed { namespace: database.clone(), name, temporary: false }).collect();
    let views = session.state().read();
    temporary.extend(views.views.keys().map(|name| Listed {
        namespace: String::new(),
        name: name.clone(),
        temporary: true,
    }));
    rows.extend(temporary);
    rows.retain(|row| matches(pattern, &row.name));
    Ok(rows)
}

async fn table_extended(
    session: &Arc<Session>,
    database: Option<&ObjectName>,
    pattern: &str,
    partition: &PartitionSpec,
) -> SparkResult<Rows> {
    let columns = [text("namespace", false), text("tableName", false), flag("isTemporary"), text("information", false)];
    if !partition.is_empty() {
        let mut parts = database.cloned().unwrap_or_default();
        parts.push(pattern.to_string());
        let relation = session.require_table(&parts, "SHOW TABLE EXTENDED").await?;
        let name = describe::require_partition(session, &relation, partition).await?;
        let values = name.replace('/', ", ");
        let information = format!("Partition Values: [{values}]\nLocation: {}/{name}\n\n", relation.location);
        let row = vec![relation.database.into(), relation.name.into(), false.into(), information.into()];
        return Rows::new(&columns, vec![row]);
    }
    let mut rows = Vec::new();
    for listed in tables(session, database, Some(pattern), true).await? {
        let mut parts = vec![listed.name.clone()];
        if !listed.namespace.is_empty() {
            parts.insert(0, listed.namespace.clone());
        }
        let Some(found) = session.find(&parts, None).await? else { continue };
        let information = describe::information(&found)?;
        rows.push(vec![listed.namespace.into(), listed.name.into(), listed.temporary.into(), information.into()]);
    }
    Rows::new(&columns, rows)
}

async fn columns(session: &Arc<Session>, table: ObjectName, database: Option<ObjectName>) -> SparkResult<Rows> {
    let parts = match (&database, table.as_slice()) {
        (None, _) => table.clone(),
        (Some(database), [name]) => database.iter().chain([name]).cloned().collect(),
        (Some(database), [.., qualifier, _]) => {
            let other = database.last().cloned().unwrap_or_default();
            if !other.eq_ignore_ascii_case(qualifier) {
                return Err(SparkError::analysis(
                    "SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE",
                    &[("namespaceA", &quote_identifier(database)), ("namespaceB", &quote_identifier(&[qualifier]))],
                ));
            }
            table.clone()
        }
        (Some(_), []) => table.clone(),
    };
    let schema = match session.require(&parts).await? {
        Found::Temp(view) => view.schema.clone(),
        Found::Stored(relation) => relation.schema()?,
    };
    one("col_name", schema.fields.into_iter().map(|field| field.name))
}

async fn partitions(session: &Arc<Session>, table: &[String], spec: &PartitionSpec) -> SparkResult<Rows> {
    let relation = session.require_table(table, "SHOW PARTITIONS").await?;
    if relation.partitioned_by.is_empty() {
        return Err(SparkError::analysis(
            "INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY",
            &[("name", &TableName::new(&relation.database, &relation.name).quoted())],
        ));
    }
    let fixed = partition::fixed(session, &relation, spec).await?;
    let found = partition::partitions(session, &relation, &fixed).await?;
    one("partition", found.into_iter().map(|partition| partition.name))
}

async fn properties(session: &Arc<Session>, table: &[String], key: Option<String>) -> SparkResult<Rows> {
    let columns = [text("key", false), text("value", false)];
    let (name, properties) = match session.require(table).await? {
        Found::Temp(_) => return Rows::new(&columns, Vec::new()),
        Found::Stored(relation) => (TableName::new(&relation.database, &relation.name).plain(), relation.properties),
    };
    let rows = match key {
        Some(key) => {
            let value = match properties.get(&key) {
                Some(value) => redact(&key, value),
                None => format!("Table {name} does not have property: {key}"),
            };
            vec![vec![key.into(), value.into()]]
        }
        None => {
            properties.into_iter().map(|(key, value)| vec![key.clone().into(), redact(&key, &value).into()]).collect()
        }
    };
    Rows::new(&columns, rows)
}
