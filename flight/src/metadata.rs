//! Catalogs, schemas, tables and facts about the server.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables, SqlInfo, SqlSupportedTransaction,
};
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_spark::output;
use firesteel_spark::session::Session;
use firesteel_spark::spec::{CatalogQuery, Options, RelationKind};
use tonic::Status;

use crate::statement::collect;
use crate::status::{arrow_status, status};

const TABLE_TYPES: [&str; 4] = ["TABLE", "VIEW", "TEMPORARY", "EXTERNAL"];
const DEFAULT_CATALOG: &str = "spark_catalog";

/// The catalogs.
pub(crate) async fn catalogs(session: &Arc<Session>, query: CommandGetCatalogs) -> Result<RecordBatch, Status> {
    let mut builder = query.into_builder();
    for name in ask(session, CatalogQuery::ListCatalogs(None)).await?.texts(0)? {
        builder.append(name);
    }
    builder.build().map_err(arrow_status)
}

/// The databases.
pub(crate) async fn schemas(session: &Arc<Session>, query: CommandGetDbSchemas) -> Result<RecordBatch, Status> {
    let mut builder = query.into_builder();
    let databases = ask(session, CatalogQuery::ListDatabases(None)).await?;
    for (name, catalog) in databases.texts(0)?.into_iter().zip(databases.texts(1)?) {
        builder.append(catalog_or_default(&catalog), name);
    }
    builder.build().map_err(arrow_status)
}

/// The tables and views, with their schemas if asked for.
pub(crate) async fn tables(session: &Arc<Session>, query: CommandGetTables) -> Result<RecordBatch, Status> {
    let with_schema = query.include_schema;
    let mut builder = query.into_builder();
    let databases = ask(session, CatalogQuery::ListDatabases(None)).await?.texts(0)?;
    let mut temporary_seen = false;
    for database in databases {
        let tables = ask(session, CatalogQuery::ListTables { database: Some(database.clone()), pattern: None }).await?;
        let (names, catalogs, kinds) = (tables.texts(0)?, tables.texts(1)?, tables.texts(4)?);
        for ((name, catalog), kind) in names.into_iter().zip(catalogs).zip(kinds) {
            let temporary = kind.eq_ignore_ascii_case("TEMPORARY");
            // Temporary views belong to no database and are listed with each.
            if temporary && temporary_seen {
                continue;
            }
            let schema =
                if with_schema { table_schema(session, temporary, &database, &name).await? } else { no_schema() };
            let (catalog, database) =
                if temporary { ("", "") } else { (catalog_or_default(&catalog), database.as_str()) };
            builder.append(catalog, database, name, table_type(&kind), &schema).map_err(arrow_status)?;
        }
        temporary_seen = true;
    }
    builder.build().map_err(arrow_status)
}

/// The kinds of tables.
pub(crate) fn table_types(query: CommandGetTableTypes) -> Result<RecordBatch, Status> {
    let mut builder = query.into_builder();
    for table_type in TABLE_TYPES {
        builder.append(table_type);
    }
    builder.build().map_err(arrow_status)
}

/// Facts about the server.
pub(crate) fn sql_info() -> Result<SqlInfoData, Status> {
    let mut builder = SqlInfoDataBuilder::new();
    builder.append(SqlInfo::FlightSqlServerName, "Firesteel");
    builder.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    builder.append(SqlInfo::FlightSqlServerArrowVersion, arrow::ARROW_VERSION);
    builder.append(SqlInfo::FlightSqlServerReadOnly, false);
    builder.append(SqlInfo::FlightSqlServerSql, true);
    builder.append(SqlInfo::FlightSqlServerSubstrait, false);
    builder.append(SqlInfo::FlightSqlServerTransaction, SqlSupportedTransaction::None as i32);
    builder.append(SqlInfo::FlightSqlServerCancel, false);
    builder.append(SqlInfo::SqlDdlCatalog, false);
    builder.append(SqlInfo::SqlDdlSchema, true);
    builder.append(SqlInfo::SqlDdlTable, true);
    builder.append(SqlInfo::SqlIdentifierQuoteChar, "`");
    builder.build().map_err(arrow_status)
}

struct Answer(Vec<RecordBatch>);

impl Answer {
    /// A column of text; NULL is empty.
    fn texts(&self, index: usize) -> Result<Vec<String>, Status> {
        let mut texts = vec![];
        for batch in &self.0 {
            let column = batch.columns().get(index).and_then(|column| column.as_string_opt::<i32>());
            let column = column.ok_or_else(|| status(&SparkError::internal("a catalog listing lacks a column")))?;
            texts.extend((0..column.len()).map(|row| match column.is_null(row) {
                true => String::new(),
                false => column.value(row).to_string(),
            }));
        }
        Ok(texts)
    }
}

async fn ask(session: &Arc<Session>, query: CatalogQuery) -> Result<Answer, Status> {
    collect(session, RelationKind::Catalog(query).into()).await.map(Answer).map_err(|error| status(&error))
}

/// The schema of a table; a table that cannot be read has none.
async fn table_schema(
    session: &Arc<Session>,
    temporary: bool,
    database: &str,
    name: &str,
) -> Result<SchemaRef, Status> {
    let name = if temporary { vec![name.to_string()] } else { vec![database.to_string(), name.to_string()] };
    let table = RelationKind::Table { name, options: Options::new(), time_travel: None };
    let analyzed: SparkResult<_> = session.analyze(&table.into()).await;
    Ok(analyzed.map_or_else(|_| no_schema(), |analyzed| output::wire_schema(&analyzed.schema, &session.time_zone())))
}

fn no_schema() -> SchemaRef {
    Arc::new(Schema::empty())
}

fn catalog_or_default(catalog: &str) -> &str {
    if catalog.is_empty() { DEFAULT_CATALOG } else { catalog }
}

/// Spark's kinds of tables in the words of Flight SQL.
fn table_type(kind: &str) -> &'static str {
    match kind.to_ascii_uppercase().as_str() {
        "VIEW" => "VIEW",
        "TEMPORARY" => "TEMPORARY",
        "EXTERNAL" => "EXTERNAL",
        _ => "TABLE",
    }
}
