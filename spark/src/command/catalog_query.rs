//! The questions of `spark.catalog`. Their result columns are fixed, and clients read them by position.

use std::sync::Arc;

use firesteel_functions::error::SparkResult;
use firesteel_functions::types::{DataType, StructField};

use super::rows::flag;
use super::{Cell, Rows, cache, create_text, database, drop_table, function, show, show_functions, table, text, view};
use crate::catalog::{CATALOG, Database, GLOBAL_TEMP, database_name, matches};
use crate::conf::redact;
use crate::session::{Found, Session};
use crate::spec::{CatalogQuery, ColumnDefinition, CreateTable, ObjectName, Show};

/// Answers a question or does what it asks.
pub(crate) async fn run(session: &Arc<Session>, query: CatalogQuery) -> SparkResult<Rows> {
    match query {
        CatalogQuery::CurrentCatalog => Rows::one("value", CATALOG),
        CatalogQuery::SetCurrentCatalog(name) => done(database::use_catalog(&name)),
        CatalogQuery::ListCatalogs(pattern) => {
            let columns = [text("name", false), text("description", true)];
            let row = matches(pattern.as_deref(), CATALOG).then(|| vec![CATALOG.into(), Cell::Null]);
            Rows::new(&columns, row.into_iter().collect())
        }
        CatalogQuery::CurrentDatabase => Rows::one("value", session.current_database()),
        CatalogQuery::SetCurrentDatabase(name) => done(database::use_database(session, &parts(&name)?).await),
        CatalogQuery::ListDatabases(pattern) => {
            let mut rows = Vec::new();
            for name in session.warehouse().databases().await? {
                if matches(pattern.as_deref(), &name) {
                    rows.push(database_row(session.warehouse().database(&name).await?));
                }
            }
            Rows::new(&database_columns(), rows)
        }
        CatalogQuery::GetDatabase(name) => {
            let database = session.warehouse().database(&database_name(&parts(&name)?)?).await?;
            Rows::new(&database_columns(), vec![database_row(database)])
        }
        CatalogQuery::DatabaseExists(name) => {
            Rows::one("value", session.warehouse().has_database(&database_name(&parts(&name)?)?).await?)
        }
        CatalogQuery::ListTables { database, pattern } => tables(session, database, pattern, true).await,
        CatalogQuery::ListViews { database, pattern } => tables(session, database, pattern, false).await,
        CatalogQuery::GetTable { table, database } => {
            let name = qualified(&table, database.as_deref())?;
            let row = table_row(&session.require(&name).await?);
            Rows::new(&table_columns(), vec![row])
        }
        CatalogQuery::TableExists { table, database } => {
            let name = qualified(&table, database.as_deref())?;
            Rows::one("value", session.find(&name, None).await?.is_some())
        }
        CatalogQuery::ListFunctions { database, pattern } => functions(session, database, pattern).await,
        CatalogQuery::GetFunction { function, database } => {
            let name = qualified(&function, database.as_deref())?;
            match function::find(session, &name).await? {
                Some(found) => {
                    Rows::new(&function_columns(), vec![function_row(&found.name, Some(found.database.as_str()))])
                }
                None if function::is_builtin(&name) => {
                    Rows::new(&function_columns(), vec![function_row(&name.concat().to_lowercase(), None)])
                }
                None => Err(function::missing_full(&session.table_name(&name)?)),
            }
        }
        CatalogQuery::FunctionExists { function, database } => {
            let name = qualified(&function, database.as_deref())?;
            let found = function::is_builtin(&name) || function::find(session, &name).await?.is_some();
            Rows::one("value", found)
        }
        CatalogQuery::ListColumns { table, database } => {
            columns(session, &qualified(&table, database.as_deref())?).await
        }
        CatalogQuery::ListPartitions(name) => {
            show::run(session, Show::Partitions { table: parts(&name)?, partition: Vec::new() }).await
        }
        CatalogQuery::GetTableProperties(name) => {
            let properties = match session.require(&parts(&name)?).await? {
                Found::Temp(view) => view.properties.clone(),
                Found::Stored(relation) => relation.properties,
            };
            let rows = properties.into_iter().map(|(key, value)| vec![key.clone().into(), redact(&key, &value).into()]);
            Rows::new(&[text("key", false), text("value", false)], rows.collect())
        }
        CatalogQuery::GetCreateTableString { table, as_serde } => {
            Rows::one("value", create_text::of(session, &parts(&table)?, as_serde).await?)
        }
        CatalogQuery::CreateTable { table: name, path, source, description, schema, mut options } => {
            if let Some(path) = path {
                options.insert("path".to_string(), path);
            }
            let columns = schema.unwrap_or_default().fields.into_iter().map(definition).collect();
            let create = CreateTable {
                name: parts(&name)?,
                columns,
                format: source.filter(|source| !source.is_empty()),
                options,
                partitioned_by: Vec::new(),
                bucket_by: None,
                cluster_by: Vec::new(),
                location: None,
                comment: description.filter(|text| !text.is_empty()),
                properties: Default::default(),
                query: None,
                if_not_exists: false,
                or_replace: false,
                replace_only: false,
                external: false,
                temporary: false,
                hive_format: None,
            };
            table::create(session, create).await?;
            void()
        }
        CatalogQuery::DropTempView(name) => {
            let found = session.temp_view(&[name]).filter(|view| !view.global);
            found.iter().for_each(|view| view::forget(session, view));
            Rows::one("value", found.is_some())
        }
        CatalogQuery::DropGlobalTempView(name) => {
            let found = session.temp_view(&[GLOBAL_TEMP.to_string(), name]);
            found.iter().for_each(|view| view::forget(session, view));
            Rows::one("value", found.is_some())
        }
        CatalogQuery::DropTable { table: name, if_exists, purge: _ } => {
            done(drop_table::drop(session, &parts(&name)?, if_exists).await)
        }
        CatalogQuery::DropView { view: name, if_exists } => done(view::drop(session, &parts(&name)?, if_exists).await),
        CatalogQuery::CreateDatabase { name, if_not_exists, mut options } => {
            let comment = options.remove("comment");
            let location = options.remove("location");
            done(database::create(session, &parts(&name)?, if_not_exists, comment, location, options).await)
        }
        CatalogQuery::DropDatabase { name, if_exists, cascade } => {
            done(database::drop(session, &parts(&name)?, if_exists, cascade).await)
        }
        CatalogQuery::RecoverPartitions(name) => done(drop_table::repair(session, &parts(&name)?).await),
        CatalogQuery::IsCached(name) => Rows::one("value", cache::is_cached(session, &parts(&name)?).await?),
        CatalogQuery::CacheTable(name) => done(cache::table(session, &parts(&name)?, None).await),
        CatalogQuery::UncacheTable(name) => done(cache::uncache(session, &parts(&name)?, false).await),
        CatalogQuery::ClearCache => done(Ok(cache::clear(session))),
        CatalogQuery::RefreshTable(name) => done(cache::refresh(session, Some(parts(&name)?), None).await),
        CatalogQuery::RefreshByPath(_) => void(),
        CatalogQuery::TruncateTable(name) => done(drop_table::truncate(session, &parts(&name)?, &Vec::new()).await),
        CatalogQuery::AnalyzeTable { table, no_scan: _ } => {
            done(cache::analyze(session, Some(parts(&table)?), None, None).await)
        }
    }
}

/// What questions without an answer give.
fn void() -> SparkResult<Rows> {
    Rows::new(&[text("value", true)], Vec::new())
}

fn done(result: SparkResult<Rows>) -> SparkResult<Rows> {
    result.and_then(|_| void())
}

fn parts(name: &str) -> SparkResult<ObjectName> {
    crate::sql::parse_multipart_identifier(name)
}

fn qualified(name: &str, database: Option<&str>) -> SparkResult<ObjectName> {
    match database {
        // With a database of its own, the name is one part, whatever it looks like.
        Some(database) => Ok(vec![database.to_string(), name.to_string()]),
        None => parts(name),
    }
}

fn definition(field: StructField) -> ColumnDefinition {
    ColumnDefinition {
        comment: field.comment(),
        name: field.name,
        data_type: field.data_type,
        nullable: field.nullable,
        default: None,
        generated: None,
    }
}

fn database_columns() -> [StructField; 4] {
    [text("name", false), text("catalog", true), text("description", true), text("locationUri", false)]
}

fn database_row(database: Database) -> Vec<Cell> {
    vec![database.name.into(), CATALOG.into(), database.comment.into(), database.location.into()]
}

fn names(name: &str) -> StructField {
    StructField::new(name, DataType::array(DataType::String, true), true)
}

fn table_columns() -> [StructField; 6] {
    [
        text("name", false),
        text("catalog", true),
        names("namespace"),
        text("description", true),
        text("tableType", false),
        flag("isTemporary"),
    ]
}

fn table_row(found: &Found) -> Vec<Cell> {
    match found {
        Found::Temp(view) => {
            let namespace = if view.global { vec![GLOBAL_TEMP.to_string()] } else { Vec::new() };
            let comment = view.comment.clone();
            vec![
                view.name.clone().into(),
                Cell::Null,
                Cell::Texts(namespace),
                comment.into(),
                "TEMPORARY".into(),
                true.into(),
            ]
        }
        Found::Stored(relation) => vec![
            relation.name.clone().into(),
            CATALOG.into(),
            Cell::Texts(vec![relation.database.clone()]),
            relation.comment.clone().into(),
            relation.kind.name().into(),
            false.into(),
        ],
    }
}

async fn tables(
    session: &Arc<Session>,
    database: Option<String>,
    pattern: Option<String>,
    with_tables: bool,
) -> SparkResult<Rows> {
    let database = database.map(|name| parts(&name)).transpose()?;
    let mut rows = Vec::new();
    for listed in show::tables(session, database.as_ref(), pattern.as_deref(), with_tables).await? {
        let mut name = vec![listed.name];
        if !listed.namespace.is_empty() {
            name.insert(0, listed.namespace);
        }
        if let Some(found) = session.find(&name, None).await? {
            rows.push(table_row(&found));
        }
    }
    Rows::new(&table_columns(), rows)
}

fn function_columns() -> [StructField; 6] {
    [
        text("name", false),
        text("catalog", true),
        names("namespace"),
        text("description", true),
        text("className", false),
        flag("isTemporary"),
    ]
}

/// A function of a database, or a built-in or temporary one.
fn function_row(name: &str, database: Option<&str>) -> Vec<Cell> {
    let database = database.filter(|database| !database.is_empty());
    vec![
        name.into(),
        database.map_or(Cell::Null, |_| CATALOG.into()),
        database.map_or(Cell::Null, |database| Cell::Texts(vec![database.to_string()])),
        "N/A.".into(),
        "".into(),
        database.is_none().into(),
    ]
}

async fn functions(session: &Arc<Session>, database: Option<String>, pattern: Option<String>) -> SparkResult<Rows> {
    let database = match database {
        Some(name) => database_name(&parts(&name)?)?,
        None => session.current_database(),
    };
    session.warehouse().database(&database).await?;
    let mut rows: Vec<(String, Option<String>)> =
        show_functions::builtin().into_iter().map(|name| (name, None)).collect();
    rows.extend(session.state().read().functions.keys().map(|name| (name.clone(), None)));
    rows.extend(session.warehouse().functions(&database).await?.into_iter().map(|name| (name, Some(database.clone()))));
    rows.sort();
    rows.retain(|(name, _)| matches(pattern.as_deref(), name));
    Rows::new(
        &function_columns(),
        rows.iter().map(|(name, database)| function_row(name, database.as_deref())).collect(),
    )
}

async fn columns(session: &Arc<Session>, name: &[String]) -> SparkResult<Rows> {
    let (schema, partitions, buckets, clusters) = match session.require(name).await? {
        Found::Temp(view) => (view.schema.clone(), Vec::new(), Vec::new(), Vec::new()),
        Found::Stored(relation) => {
            let buckets = relation.buckets.clone().map(|(_, columns, _)| columns).unwrap_or_default();
            (relation.schema()?, relation.partitioned_by, buckets, relation.cluster_by)
        }
    };
    let rows = schema.fields.iter().map(|field| {
        let within = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case(&field.name));
        vec![
            field.name.clone().into(),
            field.comment().into(),
            field.data_type.simple_string().into(),
            field.nullable.into(),
            within(&partitions).into(),
            within(&buckets).into(),
            within(&clusters).into(),
        ]
    });
    let columns = [
        text("name", false),
        text("description", true),
        text("dataType", false),
        flag("nullable"),
        flag("isPartition"),
        flag("isBucket"),
        flag("isCluster"),
    ];
    Rows::new(&columns, rows.collect())
}
