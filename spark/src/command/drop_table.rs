//! `DROP TABLE`, `TRUNCATE TABLE` and `MSCK REPAIR TABLE`.

use std::collections::BTreeMap;
use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult};

use super::{Rows, partition};
use crate::catalog::{Kind, Relation, TableName};
use crate::session::{Found, Session};
use crate::source::failure;
use crate::spec::PartitionSpec;

/// `DROP TABLE`.
pub(super) async fn drop(session: &Arc<Session>, name: &[String], if_exists: bool) -> SparkResult<Rows> {
    match session.find(name, None).await? {
        None if if_exists => Ok(Rows::none()),
        None => Err(session.unknown(name)),
        Some(Found::Temp(view)) => {
            super::view::forget(session, &view);
            Ok(Rows::none())
        }
        Some(Found::Stored(relation)) if relation.view.is_some() => {
            let name = TableName::new(&relation.database, &relation.name).quoted();
            Err(SparkError::analysis(
                "WRONG_COMMAND_FOR_OBJECT_TYPE",
                &[
                    ("operation", "DROP TABLE"),
                    ("requiredType", "EXTERNAL or MANAGED"),
                    ("objectName", &name.replace('`', "")),
                    ("foundType", "VIEW"),
                    ("alternative", "DROP VIEW"),
                ],
            ))
        }
        Some(Found::Stored(relation)) => {
            remove(session, &relation).await?;
            Ok(Rows::none())
        }
    }
}

/// Forgets a table; a managed one loses its files.
pub(super) async fn remove(session: &Arc<Session>, relation: &Relation) -> SparkResult<()> {
    session.warehouse().remove_relation(relation).await?;
    let name = TableName::new(&relation.database, &relation.name).plain();
    session.state().write().cached.remove(&name);
    if relation.kind == Kind::Managed && !relation.location.is_empty() {
        delete_folder(session, relation).await?;
    }
    Ok(())
}

/// Deletes everything in a table's folder, and the folder when it is a local one.
pub(super) async fn delete_folder(session: &Arc<Session>, relation: &Relation) -> SparkResult<()> {
    use futures::TryStreamExt;
    let failed = |error: object_store::Error| failure(error.into());
    let url = firesteel_connectors::store::normalise_path(&relation.location).map_err(|error| failure(error.into()))?;
    let prefix = firesteel_connectors::store::directory_path(&url).map_err(|error| failure(error.into()))?;
    let store = partition::store(session, relation)?;
    let files: Vec<_> = store.list(Some(&prefix)).try_collect().await.map_err(failed)?;
    partition::delete(session, relation, files.into_iter().map(|file| file.location).collect()).await?;
    if let Ok(folder) = url.to_file_path() {
        // Empty folders are left by object stores' local form only; failing to remove one harms nobody.
        if let Err(error) = tokio::fs::remove_dir_all(&folder).await {
            tracing::debug!(%error, "folder of a dropped table");
        }
    }
    Ok(())
}

/// `TRUNCATE TABLE`.
pub(super) async fn truncate(session: &Arc<Session>, name: &[String], spec: &PartitionSpec) -> SparkResult<Rows> {
    let relation = session.require_table(name, "TRUNCATE TABLE").await?;
    if relation.kind == Kind::External {
        return Err(SparkError::analysis(
            "FORBIDDEN_OPERATION",
            &[
                ("statement", "TRUNCATE TABLE"),
                ("objectType", "EXTERNAL TABLE"),
                ("objectName", &TableName::new(&relation.database, &relation.name).quoted()),
            ],
        ));
    }
    let files = if spec.is_empty() {
        partition::listed(session, &relation).await?.into_iter().map(|file| file.meta.location).collect()
    } else {
        let fixed: BTreeMap<_, _> = partition::fixed(session, &relation, spec).await?;
        partition::files(session, &relation, &fixed).await?
    };
    partition::delete(session, &relation, files).await?;
    Ok(Rows::none())
}

/// `MSCK REPAIR TABLE`: partitions are always found in the folders.
pub(super) async fn repair(session: &Arc<Session>, name: &[String]) -> SparkResult<Rows> {
    let relation = session.require_table(name, "MSCK REPAIR TABLE").await?;
    if relation.partitioned_by.is_empty() {
        return Err(SparkError::analysis(
            "NOT_A_PARTITIONED_TABLE",
            &[
                ("operation", "MSCK REPAIR TABLE"),
                ("tableIdentWithDB", &TableName::new(&relation.database, &relation.name).quoted()),
            ],
        ));
    }
    Ok(Rows::none())
}
