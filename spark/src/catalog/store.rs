//! The catalog's files in an object store (a local folder is one too).
//!
//! It reads and writes whole JSON files; names have been folded and checked by its callers.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::execution::runtime_env::RuntimeEnv;
use firesteel_connectors::store::{directory_path, normalise_path, store_url};
use firesteel_engine::failure::shown_location;
use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::{CATALOG, DEFAULT, Database, Function, Relation, TableName, unknown_database};
use crate::source::failure;

/// The warehouse of a server.
#[derive(Debug, Clone)]
pub struct Warehouse {
    root: Url,
    store: Arc<dyn ObjectStore>,
    catalog: Path,
}

impl Warehouse {
    /// Opens a warehouse; nothing is created before the first object.
    pub fn open(location: &str, runtime: &RuntimeEnv) -> SparkResult<Self> {
        let mut root = normalise_path(location).map_err(wrong)?;
        while root.path().len() > 1 && root.path().ends_with('/') {
            let path = root.path().trim_end_matches('/').to_string();
            root.set_path(&path);
        }
        let store = runtime.object_store(store_url(&root).map_err(wrong)?).map_err(failure)?;
        let catalog = directory_path(&root).map_err(wrong)?.join("_catalog");
        Ok(Self { root, store, catalog })
    }

    /// Where the warehouse is, as Spark shows it.
    #[must_use]
    pub fn location(&self) -> String {
        shown_location(self.root.as_str())
    }

    /// Where a new managed table of this name goes.
    #[must_use]
    pub fn table_location(&self, database: &Database, table: &str) -> String {
        format!("{}/{table}", database.location.trim_end_matches('/'))
    }

    /// Where a new database goes.
    #[must_use]
    pub fn database_location(&self, name: &str) -> String {
        format!("{}/{name}.db", self.location())
    }

    // ---- databases

    /// Names of all databases, sorted.
    pub async fn databases(&self) -> SparkResult<Vec<String>> {
        let listed = self.store.list_with_delimiter(Some(&self.catalog)).await.map_err(failed)?;
        let mut names: BTreeSet<String> = BTreeSet::from([DEFAULT.to_string()]);
        for prefix in listed.common_prefixes {
            let Some(name) = prefix.filename().map(str::to_string) else { continue };
            if self.read::<Database>(&prefix.join("database.json")).await?.is_some() {
                names.insert(name);
            }
        }
        Ok(names.into_iter().collect())
    }

    /// A database.
    pub async fn database(&self, name: &str) -> SparkResult<Database> {
        if let Some(found) = self.read::<Database>(&self.catalog.clone().join(name).join("database.json")).await? {
            return Ok(found);
        }
        if name == DEFAULT {
            return Ok(Database {
                name: DEFAULT.to_string(),
                comment: "default database".to_string(),
                location: self.location(),
                properties: Default::default(),
            });
        }
        Err(unknown_database(name))
    }

    /// Whether a database exists.
    pub async fn has_database(&self, name: &str) -> SparkResult<bool> {
        match self.database(name).await {
            Ok(_) => Ok(true),
            Err(error) if error.condition() == "SCHEMA_NOT_FOUND" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Creates a database; `false` when it was there.
    pub async fn create_database(&self, database: &Database) -> SparkResult<bool> {
        if database.name == DEFAULT {
            return Ok(false);
        }
        self.create(&self.catalog.clone().join(database.name.as_str()).join("database.json"), database).await
    }

    /// Changes a database.
    pub async fn put_database(&self, database: &Database) -> SparkResult<()> {
        self.replace(&self.catalog.clone().join(database.name.as_str()).join("database.json"), database).await
    }

    /// Drops a database's metadata. The caller has looked at its tables.
    pub async fn drop_database(&self, name: &str) -> SparkResult<()> {
        if name == DEFAULT {
            return Err(SparkError::analysis(
                "UNSUPPORTED_FEATURE.DROP_DATABASE",
                &[("database", &quote_identifier(&[CATALOG, DEFAULT]))],
            ));
        }
        self.remove_all(&self.catalog.clone().join(name)).await
    }

    // ---- tables and views

    /// Names of the tables of a database.
    pub async fn tables(&self, database: &str) -> SparkResult<Vec<String>> {
        self.names(database, "tables").await
    }

    /// Names of the views of a database.
    pub async fn views(&self, database: &str) -> SparkResult<Vec<String>> {
        self.names(database, "views").await
    }

    /// A table or view.
    pub async fn relation(&self, name: &TableName) -> SparkResult<Option<Relation>> {
        if let Some(table) = self.read(&self.path(name, "tables")).await? {
            return Ok(Some(table));
        }
        self.read(&self.path(name, "views")).await
    }

    /// Creates a table or view; `false` when the name is taken.
    pub async fn create_relation(&self, relation: &Relation) -> SparkResult<bool> {
        let name = TableName::new(&relation.database, &relation.name);
        if self.relation(&name).await?.is_some() {
            return Ok(false);
        }
        self.create(&self.path(&name, folder(relation)), relation).await
    }

    /// Creates or replaces a table or view.
    pub async fn put_relation(&self, relation: &Relation) -> SparkResult<()> {
        let name = TableName::new(&relation.database, &relation.name);
        self.replace(&self.path(&name, folder(relation)), relation).await
    }

    /// Forgets a table or view.
    pub async fn remove_relation(&self, relation: &Relation) -> SparkResult<()> {
        let name = TableName::new(&relation.database, &relation.name);
        self.remove(&self.path(&name, folder(relation))).await
    }

    // ---- functions

    /// Names of the functions of a database.
    pub async fn functions(&self, database: &str) -> SparkResult<Vec<String>> {
        self.names(database, "functions").await
    }

    /// A function.
    pub async fn function(&self, name: &TableName) -> SparkResult<Option<Function>> {
        self.read(&self.path(name, "functions")).await
    }

    /// Creates a function; `false` when the name is taken.
    pub async fn create_function(&self, function: &Function) -> SparkResult<bool> {
        self.create(&self.path(&TableName::new(&function.database, &function.name), "functions"), function).await
    }

    /// Creates or replaces a function.
    pub async fn put_function(&self, function: &Function) -> SparkResult<()> {
        self.replace(&self.path(&TableName::new(&function.database, &function.name), "functions"), function).await
    }

    /// Forgets a function.
    pub async fn remove_function(&self, name: &TableName) -> SparkResult<()> {
        self.remove(&self.path(name, "functions")).await
    }

    // ---- files

    fn path(&self, name: &TableName, folder: &str) -> Path {
        self.catalog.clone().join(name.database.as_str()).join(folder).join(format!("{}.json", name.name))
    }

    async fn names(&self, database: &str, folder: &str) -> SparkResult<Vec<String>> {
        let prefix = self.catalog.clone().join(database).join(folder);
        let objects: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.map_err(failed)?;
        let mut names: Vec<String> = objects
            .iter()
            .filter_map(|object| object.location.filename()?.strip_suffix(".json").map(str::to_string))
            .collect();
        names.sort();
        Ok(names)
    }

    async fn read<T: DeserializeOwned>(&self, path: &Path) -> SparkResult<Option<T>> {
        match self.store.get(path).await {
            Ok(found) => {
                let bytes = found.bytes().await.map_err(failed)?;
                serde_json::from_slice(&bytes)
                    .map(Some)
                    .map_err(|error| SparkError::internal(format!("catalog file {path} is damaged: {error}")))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    async fn create<T: Serialize>(&self, path: &Path, value: &T) -> SparkResult<bool> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(path, payload(value)?, options).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Ok(false),
            // Stores without conditional puts: the check before it has to do.
            Err(object_store::Error::NotImplemented { .. }) => {
                if self.read::<serde_json::Value>(path).await?.is_some() {
                    return Ok(false);
                }
                self.replace(path, value).await.map(|()| true)
            }
            Err(error) => Err(failed(error)),
        }
    }

    async fn replace<T: Serialize>(&self, path: &Path, value: &T) -> SparkResult<()> {
        self.store.put(path, payload(value)?).await.map(|_| ()).map_err(failed)
    }

    async fn remove(&self, path: &Path) -> SparkResult<()> {
        match self.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    async fn remove_all(&self, prefix: &Path) -> SparkResult<()> {
        let objects: Vec<_> = self.store.list(Some(prefix)).try_collect().await.map_err(failed)?;
        for object in objects {
            self.remove(&object.location).await?;
        }
        Ok(())
    }
}

fn folder(relation: &Relation) -> &'static str {
    if relation.view.is_some() { "views" } else { "tables" }
}

fn payload<T: Serialize>(value: &T) -> SparkResult<PutPayload> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| SparkError::internal(error.to_string()))?;
    Ok(PutPayload::from(bytes))
}

fn failed(error: object_store::Error) -> SparkError {
    failure(error.into())
}

fn wrong(error: firesteel_connectors::ConnectorError) -> SparkError {
    failure(error.into())
}
