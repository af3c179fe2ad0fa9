//! Renaming a table or view. A managed table's files go with its name, so that a later table of the old name does not
//! find them.
//!
//! The order survives a crash at any point: copies first, then the new entry, then the old entry and the old files. What
//! may be left over is a second copy, never a table without its rows.

use std::sync::Arc;

use firesteel_connectors::store::{directory_path, normalise_path};
use firesteel_functions::error::{SparkError, SparkResult};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{Rows, drop_table, partition};
use crate::catalog::{self, Kind, Relation, TableName};
use crate::session::Session;
use crate::source::failure;

const PARALLEL: usize = 16;

/// Gives a table or view another name in its database.
pub(super) async fn run(session: &Arc<Session>, relation: &Relation, target: &TableName) -> SparkResult<Rows> {
    let warehouse = session.warehouse();
    if warehouse.relation(target).await?.is_some() {
        return Err(catalog::table_exists(target));
    }
    let mut renamed = relation.clone();
    renamed.name.clone_from(&target.name);
    let moves = relation.kind == Kind::Managed && relation.view.is_none() && !relation.location.is_empty();
    if moves {
        let database = warehouse.database(&relation.database).await?;
        renamed.location = warehouse.table_location(&database, &target.name);
        unused_location(session, &renamed).await?;
        copy(session, relation, &renamed).await?;
    }
    if !warehouse.create_relation(&renamed).await? {
        return Err(catalog::table_exists(target));
    }
    warehouse.remove_relation(relation).await?;
    if moves {
        drop_table::delete_folder(session, relation).await?;
    }
    Ok(Rows::none())
}

/// A managed table must not find files in its folder: they are another table's, or left over from one.
pub(super) async fn unused_location(session: &Arc<Session>, table: &Relation) -> SparkResult<()> {
    if partition::listed(session, table).await?.is_empty() {
        return Ok(());
    }
    let name = TableName::new(&table.database, &table.name).quoted();
    Err(SparkError::runtime(
        "LOCATION_ALREADY_EXISTS",
        &[("location", &format!("'{}'", table.location)), ("identifier", &name)],
    ))
}

/// Copies all files of a table below another folder. In a local folder a copy is a link.
async fn copy(session: &Arc<Session>, from: &Relation, to: &Relation) -> SparkResult<()> {
    let store = partition::store(session, from)?;
    let (source, target) = (folder(from)?, folder(to)?);
    let files: Vec<_> =
        store.list(Some(&source)).try_collect().await.map_err(|error: object_store::Error| failure(error.into()))?;
    let mut copies = Vec::with_capacity(files.len());
    for file in files {
        let mut key = target.clone();
        for part in file.location.prefix_match(&source).into_iter().flatten() {
            key = key.join(part);
        }
        copies.push(one(Arc::clone(&store), file.location, key));
    }
    stream::iter(copies).buffer_unordered(PARALLEL).try_collect().await
}

async fn one(store: Arc<dyn ObjectStore>, from: Path, to: Path) -> SparkResult<()> {
    store.copy(&from, &to).await.map_err(|error| failure(error.into()))
}

fn folder(table: &Relation) -> SparkResult<Path> {
    let url = normalise_path(&table.location).map_err(|error| failure(error.into()))?;
    directory_path(&url).map_err(|error| failure(error.into()))
}
