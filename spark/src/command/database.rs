//! Databases: create, drop, alter, use.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};

use super::{Rows, drop_table, table};
use crate::catalog::{
    CATALOG, DEFAULT, Database, GLOBAL_TEMP, TableName, database_name, unknown_catalog, unknown_database,
};
use crate::session::Session;
use crate::spec::Options;

/// `CREATE DATABASE`.
pub(super) async fn create(
    session: &Arc<Session>,
    name: &[String],
    if_not_exists: bool,
    comment: Option<String>,
    location: Option<String>,
    properties: Options,
) -> SparkResult<Rows> {
    let name = database_name(name)?;
    let location = match location {
        Some(path) => table::absolute(&path)?,
        None => session.warehouse().database_location(&name),
    };
    let database = Database { name: name.clone(), comment: comment.unwrap_or_default(), location, properties };
    if name == GLOBAL_TEMP || (!session.warehouse().create_database(&database).await? && !if_not_exists) {
        return Err(SparkError::analysis(
            "SCHEMA_ALREADY_EXISTS",
            &[("schemaName", &quote_identifier(&[name.as_str()]))],
        ));
    }
    Ok(Rows::none())
}

/// `DROP DATABASE`.
pub(super) async fn drop(session: &Arc<Session>, name: &[String], if_exists: bool, cascade: bool) -> SparkResult<Rows> {
    let name = database_name(name)?;
    let warehouse = session.warehouse();
    if !warehouse.has_database(&name).await? {
        return if if_exists { Ok(Rows::none()) } else { Err(unknown_database(&name)) };
    }
    if name == DEFAULT {
        warehouse.drop_database(&name).await?;
    }
    let tables = warehouse.tables(&name).await?;
    let views = warehouse.views(&name).await?;
    let functions = warehouse.functions(&name).await?;
    let empty = tables.is_empty() && views.is_empty() && functions.is_empty();
    if !cascade && !empty {
        return Err(SparkError::analysis("SCHEMA_NOT_EMPTY", &[("schemaName", &quote_identifier(&[name.as_str()]))]));
    }
    for relation in tables.iter().chain(&views) {
        if let Some(relation) = warehouse.relation(&TableName::new(&name, relation)).await? {
            drop_table::remove(session, &relation).await?;
        }
    }
    warehouse.drop_database(&name).await?;
    Ok(Rows::none())
}

/// `ALTER DATABASE`.
pub(super) async fn alter(
    session: &Arc<Session>,
    name: &[String],
    properties: Options,
    location: Option<String>,
) -> SparkResult<Rows> {
    let mut database = session.warehouse().database(&database_name(name)?).await?;
    database.properties.extend(properties);
    if let Some(path) = location {
        database.location = table::absolute(&path)?;
    }
    session.warehouse().put_database(&database).await?;
    Ok(Rows::none())
}

/// `USE`.
pub(super) async fn use_database(session: &Arc<Session>, name: &[String]) -> SparkResult<Rows> {
    // A single name may be the catalog's own.
    if matches!(name, [catalog] if catalog.eq_ignore_ascii_case(CATALOG)) {
        return Ok(Rows::none());
    }
    let Ok(name) = database_name(name) else {
        let parts: Vec<&str> = std::iter::once(CATALOG).chain(name.iter().map(String::as_str)).collect();
        return Err(SparkError::analysis("SCHEMA_NOT_FOUND", &[("schemaName", &quote_identifier(&parts))]));
    };
    if !session.warehouse().has_database(&name).await? {
        return Err(unknown_database(&name));
    }
    session.state().write().database = name;
    Ok(Rows::none())
}

/// `SET CATALOG`.
pub(super) fn use_catalog(name: &str) -> SparkResult<Rows> {
    if name.eq_ignore_ascii_case(CATALOG) { Ok(Rows::none()) } else { Err(unknown_catalog(name)) }
}
