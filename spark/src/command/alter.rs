//! `ALTER TABLE`, `ALTER VIEW` and `COMMENT ON`.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier, sql_type};
use firesteel_functions::types::DataType;

use super::{Rows, drop_table, partition_change, reserved, sink, table, view, view_cycle};
use crate::catalog::{Column, GLOBAL_TEMP, Kind, Relation, TableName, database_name};
use crate::session::{Found, Session};
use crate::spec::{AlterTable, ColumnDefinition, ColumnPosition, ObjectName};

/// Changes a table or view.
pub(super) async fn run(
    session: &Arc<Session>,
    name: &[String],
    of_view: bool,
    action: AlterTable,
) -> SparkResult<Rows> {
    if let AlterTable::Rename(to) = &action {
        return rename(session, name, to, of_view).await;
    }
    let mut relation = match session.require(name).await? {
        Found::Stored(relation) => *relation,
        Found::Temp(temp) if of_view => return temporary(session, &temp, action).await,
        Found::Temp(_) => session.require_table(name, "ALTER TABLE").await?,
    };
    if !of_view && relation.view.is_some() {
        session.require_table(name, statement(&action)).await?;
    }
    if of_view && relation.view.is_none() {
        return Err(SparkError::analysis(
            "EXPECT_VIEW_NOT_TABLE.USE_ALTER_TABLE",
            &[("tableName", &full(&relation)), ("operation", statement(&action))],
        ));
    }
    match action {
        AlterTable::SetProperties(properties) => {
            reserved::tables(session, &properties)?;
            relation.properties.extend(properties);
        }
        AlterTable::UnsetProperties { keys, if_exists: _ } => {
            relation.properties.retain(|key, _| !keys.contains(key));
        }
        AlterTable::AddColumns(columns) => add_columns(&mut relation, columns)?,
        AlterTable::AlterColumn { column, new_name, data_type, comment, nullable, position, default } => {
            if nullable.is_some() || position.is_some() {
                return Err(refused(&relation, "ALTER COLUMN ... FIRST | AFTER"));
            }
            alter_column(session, &mut relation, &column, new_name, data_type, comment, default).await?;
        }
        AlterTable::ReplaceColumns(_) => return Err(refused(&relation, "REPLACE COLUMNS")),
        AlterTable::DropColumns { .. } => return Err(refused(&relation, "DROP COLUMN")),
        AlterTable::RenameColumn { .. } => return Err(refused(&relation, "RENAME COLUMN")),
        AlterTable::SetLocation { location, partition } => {
            if partition.is_empty() {
                relation.location = table::absolute(&location)?;
                relation.kind = Kind::External;
            } else {
                partition_change::locate(session, &mut relation, &partition, &location).await?;
            }
        }
        AlterTable::SetQuery { query, text } => {
            let analyzed = session.analyze(&query).await?;
            view_cycle::refuse(session, &query, &session.current_database(), &full(&relation)).await?;
            let schema = view::columns(&relation.name, &analyzed.schema, &[])?;
            sink::unique(&schema)?;
            relation.columns = schema.fields.iter().map(Column::of_field).collect();
            if let Some(view) = &mut relation.view {
                view.text = text;
                view.database = session.current_database();
                view.named_columns = false;
                view.query_columns = view::names(&analyzed.schema);
            }
        }
        AlterTable::DropPartitions { partitions, if_exists, purge: _ } => {
            partition_change::drop(session, &mut relation, partitions, if_exists).await?;
            return Ok(Rows::none());
        }
        AlterTable::AddPartitions { partitions, if_not_exists } => {
            partition_change::add(session, &mut relation, partitions, if_not_exists).await?;
        }
        AlterTable::RenamePartition { from, to } => {
            partition_change::rename(session, &mut relation, &from, &to).await?;
        }
        AlterTable::RecoverPartitions => return drop_table::repair(session, name).await,
        AlterTable::ClusterBy(columns) => relation.cluster_by = columns,
        AlterTable::SetSerdeProperties(properties) => relation.options.extend(properties),
        AlterTable::SetSerde => {
            return Err(SparkError::unsupported_feature(
                "ALTER_TABLE_SERDE_FOR_DATASOURCE_TABLE",
                &[("tableName", &full(&relation))],
            ));
        }
        AlterTable::SchemaMode(mode) => {
            if let Some(view) = &mut relation.view {
                view.schema_mode = mode;
            }
        }
        AlterTable::Other(what) => return Err(SparkError::unsupported(format!("ALTER TABLE {what}"))),
        AlterTable::Rename(_) => return Err(SparkError::internal("a rename was taken care of")),
    }
    session.warehouse().put_relation(&relation).await?;
    Ok(Rows::none())
}

fn statement(action: &AlterTable) -> &'static str {
    match action {
        AlterTable::SetProperties(_) => "ALTER TABLE ... SET TBLPROPERTIES",
        AlterTable::UnsetProperties { .. } => "ALTER TABLE ... UNSET TBLPROPERTIES",
        AlterTable::AddColumns(_) => "ALTER TABLE ... ADD COLUMNS",
        AlterTable::AlterColumn { .. } => "ALTER TABLE ... ALTER COLUMN",
        AlterTable::SetLocation { .. } => "ALTER TABLE ... SET LOCATION ...",
        AlterTable::DropPartitions { .. } => "ALTER TABLE ... DROP PARTITION ...",
        AlterTable::AddPartitions { .. } => "ALTER TABLE ... ADD PARTITION ...",
        AlterTable::SetQuery { .. } => "ALTER VIEW ... AS",
        _ => "ALTER TABLE",
    }
}

fn full(relation: &Relation) -> String {
    TableName::new(&relation.database, &relation.name).quoted()
}

fn refused(relation: &Relation, operation: &str) -> SparkError {
    SparkError::unsupported_feature("TABLE_OPERATION", &[("tableName", &full(relation)), ("operation", operation)])
}

async fn temporary(session: &Arc<Session>, old: &crate::session::TempView, action: AlterTable) -> SparkResult<Rows> {
    let mut changed = old.clone();
    match action {
        AlterTable::SetQuery { query, text } => {
            let schema = session.analyze(&query).await?.schema;
            let (columns, options) = (view::names(&schema), view::options(session));
            changed.schema = view::columns(&changed.name, &schema, &[])?;
            changed.text = Some(text);
            let database = session.current_database();
            changed.body = crate::session::TempBody::Query { query, database, columns, options };
        }
        other => {
            let operation = match &other {
                AlterTable::SetProperties(_) => "ALTER VIEW ... SET TBLPROPERTIES",
                AlterTable::UnsetProperties { .. } => "ALTER VIEW ... UNSET TBLPROPERTIES",
                AlterTable::SchemaMode(_) => "ALTER VIEW ... WITH SCHEMA",
                _ => "ALTER VIEW",
            };
            let name = if old.global { vec![GLOBAL_TEMP, old.name.as_str()] } else { vec![old.name.as_str()] };
            return Err(SparkError::analysis(
                "EXPECT_PERMANENT_VIEW_NOT_TEMP",
                &[("viewName", &quote_identifier(&name)), ("operation", operation)],
            ));
        }
    }
    let name = changed.name.clone();
    if changed.global {
        session.engine().global_views().write().insert(name, Arc::new(changed));
    } else {
        session.state().write().views.insert(name, Arc::new(changed));
    }
    Ok(Rows::none())
}

async fn rename(session: &Arc<Session>, name: &[String], to: &ObjectName, of_view: bool) -> SparkResult<Rows> {
    match session.require(name).await? {
        Found::Temp(view) => {
            let new = to.last().map(|name| name.to_lowercase()).unwrap_or_default();
            if session.temp_view(std::slice::from_ref(&new)).is_some() {
                return Err(SparkError::analysis(
                    "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
                    &[("relationName", &quote_identifier(&[new.as_str()]))],
                ));
            }
            view::forget(session, &view);
            let renamed = crate::session::TempView { name: new.clone(), ..view.as_ref().clone() };
            if renamed.global {
                session.engine().global_views().write().insert(new, Arc::new(renamed));
            } else {
                session.state().write().views.insert(new, Arc::new(renamed));
            }
            Ok(Rows::none())
        }
        Found::Stored(relation) => {
            if !of_view && relation.view.is_some() {
                session.require_table(name, "ALTER TABLE ... RENAME TO").await?;
            }
            let target = TableName::resolve(to, &relation.database)?;
            if target.database != relation.database {
                return Err(SparkError::analysis(
                    "RENAME_TABLE_SOURCE_DESTINATION_DATABASE_MISMATCH",
                    &[("db", &relation.database), ("newDb", &target.database)],
                ));
            }
            super::rename_table::run(session, &relation, &target).await
        }
    }
}

fn add_columns(relation: &mut Relation, columns: Vec<(ColumnDefinition, Option<ColumnPosition>)>) -> SparkResult<()> {
    let at = relation.columns.len() - relation.partitioned_by.len().min(relation.columns.len());
    for (offset, (definition, position)) in columns.into_iter().enumerate() {
        if position.is_some() {
            return Err(refused(relation, "ADD COLUMN ... FIRST | AFTER"));
        }
        if relation.columns.iter().any(|column| column.name.eq_ignore_ascii_case(&definition.name)) {
            let name = quote_identifier(&[definition.name.to_lowercase()]);
            return Err(SparkError::analysis("COLUMN_ALREADY_EXISTS", &[("columnName", &name)]));
        }
        relation.columns.insert(at + offset, Column { nullable: true, ..Column::of_definition(&definition) });
    }
    Ok(())
}

async fn alter_column(
    session: &Arc<Session>,
    relation: &mut Relation,
    path: &[String],
    new_name: Option<String>,
    data_type: Option<DataType>,
    comment: Option<String>,
    default: Option<Option<String>>,
) -> SparkResult<()> {
    let table = full(relation);
    let known: Vec<String> = relation.columns.iter().map(|column| quote_identifier(&[&column.name])).collect();
    let column = match path {
        [name] => relation.columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(name)),
        _ => return Err(refused(relation, "ALTER COLUMN with qualified column")),
    };
    let Some(column) = column else {
        return Err(SparkError::analysis(
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            &[("objectName", &quote_identifier(path)), ("proposal", &known.join(", "))],
        ));
    };
    let old_type = column.data_type()?;
    let renamed = new_name.as_ref().is_some_and(|name| !name.eq_ignore_ascii_case(&column.name));
    let retyped = data_type.as_ref().is_some_and(|new| *new != old_type);
    if renamed || retyped {
        let new_type = data_type.unwrap_or_else(|| old_type.clone());
        return Err(SparkError::analysis(
            "NOT_SUPPORTED_CHANGE_COLUMN",
            &[
                ("table", &table),
                ("originName", &quote_identifier(&[&column.name])),
                ("originType", &sql_type(&old_type)),
                ("newName", &quote_identifier(&[new_name.as_ref().unwrap_or(&column.name)])),
                ("newType", &sql_type(&new_type)),
            ],
        ));
    }
    if let Some(comment) = comment {
        column.comment = Some(comment);
    }
    if let Some(default) = default {
        if let Some(text) = &default {
            session.evaluate(&session.parse_expression(text)?, Some(&old_type)).await?;
        }
        column.default = default;
    }
    Ok(())
}

/// `COMMENT ON`.
pub(super) async fn comment(
    session: &Arc<Session>,
    of_table: bool,
    name: &[String],
    comment: Option<String>,
) -> SparkResult<Rows> {
    if of_table {
        let mut relation = session.require_table(name, "COMMENT ON TABLE").await?;
        relation.comment = comment;
        session.warehouse().put_relation(&relation).await?;
    } else {
        let mut database = session.warehouse().database(&database_name(name)?).await?;
        database.comment = comment.unwrap_or_default();
        session.warehouse().put_database(&database).await?;
    }
    Ok(Rows::none())
}
