//! `spark.catalog` calls.

use firesteel_functions::error::SparkResult;
use firesteel_functions::types::StructType;
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::{CatalogQuery, Relation, RelationKind};
use sc::catalog::CatType;

use super::{Decoder, options, unset};

impl Decoder<'_> {
    pub(super) fn catalog(&self, catalog: sc::Catalog) -> SparkResult<Relation> {
        let cat_type = catalog.cat_type.ok_or_else(|| unset("Catalog", "cat_type"))?;
        Ok(RelationKind::Catalog(self.catalog_query(cat_type)?).into())
    }

    fn catalog_query(&self, from: CatType) -> SparkResult<CatalogQuery> {
        Ok(match from {
            CatType::CurrentDatabase(_) => CatalogQuery::CurrentDatabase,
            CatType::SetCurrentDatabase(set) => CatalogQuery::SetCurrentDatabase(set.db_name),
            CatType::ListDatabases(list) => CatalogQuery::ListDatabases(list.pattern),
            CatType::ListTables(list) => CatalogQuery::ListTables { database: list.db_name, pattern: list.pattern },
            CatType::ListViews(list) => CatalogQuery::ListViews { database: list.db_name, pattern: list.pattern },
            CatType::ListFunctions(list) => {
                CatalogQuery::ListFunctions { database: list.db_name, pattern: list.pattern }
            }
            CatType::ListColumns(list) => CatalogQuery::ListColumns { table: list.table_name, database: list.db_name },
            CatType::ListPartitions(list) => CatalogQuery::ListPartitions(list.table_name),
            CatType::GetDatabase(get) => CatalogQuery::GetDatabase(get.db_name),
            CatType::GetTable(get) => CatalogQuery::GetTable { table: get.table_name, database: get.db_name },
            CatType::GetFunction(get) => {
                CatalogQuery::GetFunction { function: get.function_name, database: get.db_name }
            }
            CatType::DatabaseExists(exists) => CatalogQuery::DatabaseExists(exists.db_name),
            CatType::TableExists(exists) => {
                CatalogQuery::TableExists { table: exists.table_name, database: exists.db_name }
            }
            CatType::FunctionExists(exists) => {
                CatalogQuery::FunctionExists { function: exists.function_name, database: exists.db_name }
            }
            CatType::CreateExternalTable(create) => CatalogQuery::CreateTable {
                table: create.table_name,
                path: create.path,
                source: create.source,
                description: None,
                schema: self.table_schema(create.schema)?,
                options: options(create.options),
            },
            CatType::CreateTable(create) => CatalogQuery::CreateTable {
                table: create.table_name,
                path: create.path,
                source: create.source,
                description: create.description,
                schema: self.table_schema(create.schema)?,
                options: options(create.options),
            },
            CatType::DropTempView(drop) => CatalogQuery::DropTempView(drop.view_name),
            CatType::DropGlobalTempView(drop) => CatalogQuery::DropGlobalTempView(drop.view_name),
            CatType::DropTable(drop) => {
                CatalogQuery::DropTable { table: drop.table_name, if_exists: drop.if_exists, purge: drop.purge }
            }
            CatType::DropView(drop) => CatalogQuery::DropView { view: drop.view_name, if_exists: drop.if_exists },
            CatType::CreateDatabase(create) => CatalogQuery::CreateDatabase {
                name: create.db_name,
                if_not_exists: create.if_not_exists,
                options: options(create.properties),
            },
            CatType::DropDatabase(drop) => {
                CatalogQuery::DropDatabase { name: drop.db_name, if_exists: drop.if_exists, cascade: drop.cascade }
            }
            CatType::RecoverPartitions(recover) => CatalogQuery::RecoverPartitions(recover.table_name),
            CatType::IsCached(cached) => CatalogQuery::IsCached(cached.table_name),
            CatType::CacheTable(cache) => CatalogQuery::CacheTable(cache.table_name),
            CatType::UncacheTable(uncache) => CatalogQuery::UncacheTable(uncache.table_name),
            CatType::ClearCache(_) => CatalogQuery::ClearCache,
            CatType::RefreshTable(refresh) => CatalogQuery::RefreshTable(refresh.table_name),
            CatType::RefreshByPath(refresh) => CatalogQuery::RefreshByPath(refresh.path),
            CatType::CurrentCatalog(_) => CatalogQuery::CurrentCatalog,
            CatType::SetCurrentCatalog(set) => CatalogQuery::SetCurrentCatalog(set.catalog_name),
            CatType::ListCatalogs(list) => CatalogQuery::ListCatalogs(list.pattern),
            CatType::GetTableProperties(get) => CatalogQuery::GetTableProperties(get.table_name),
            CatType::GetCreateTableString(get) => {
                CatalogQuery::GetCreateTableString { table: get.table_name, as_serde: get.as_serde }
            }
            CatType::TruncateTable(truncate) => CatalogQuery::TruncateTable(truncate.table_name),
            CatType::AnalyzeTable(analyze) => {
                CatalogQuery::AnalyzeTable { table: analyze.table_name, no_scan: analyze.no_scan }
            }
        })
    }

    /// Clients send an empty struct, or nothing, for a table whose columns are to be inferred.
    fn table_schema(&self, schema: Option<sc::DataType>) -> SparkResult<Option<StructType>> {
        self.optional_schema(schema)
    }
}
