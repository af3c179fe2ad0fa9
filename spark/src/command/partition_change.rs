//! `ALTER TABLE ... ADD`, `DROP`, `RENAME PARTITION` and the location of one.
//!
//! Partitions with files are the folders; those without are remembered by name. Files of a partition in a folder of its
//! own are not read, so such a folder must be empty.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use super::partition;
use crate::catalog::{AddedPartition, CATALOG, Relation};
use crate::session::Session;
use crate::source::failure;
use crate::spec::PartitionSpec;

/// `ADD PARTITION`.
pub(super) async fn add(
    session: &Arc<Session>,
    relation: &mut Relation,
    partitions: Vec<(PartitionSpec, Option<String>)>,
    if_not_exists: bool,
) -> SparkResult<()> {
    partition::allowed(relation, "ALTER TABLE ADD PARTITION")?;
    for (spec, location) in partitions {
        let values = full(session, relation, &spec).await?;
        if is_there(session, relation, &spec).await? {
            if if_not_exists {
                continue;
            }
            let name = quote_identifier(&[relation.database.as_str(), relation.name.as_str()]);
            let list = shown(relation, &values);
            return Err(SparkError::analysis(
                "PARTITIONS_ALREADY_EXIST",
                &[("partitionList", &list), ("tableName", &name)],
            ));
        }
        relation.partitions.push(AddedPartition { values, location: location.map(|path| own(relation, &path)) });
    }
    Ok(())
}

/// `DROP PARTITION`.
pub(super) async fn drop(
    session: &Arc<Session>,
    relation: &mut Relation,
    partitions: Vec<PartitionSpec>,
    if_exists: bool,
) -> SparkResult<()> {
    partition::allowed(relation, "ALTER TABLE DROP PARTITION")?;
    for spec in partitions {
        columns(relation, &spec)?;
        let fixed = partition::fixed(session, relation, &spec).await?;
        let found = partition::partitions(session, relation, &fixed).await?;
        if found.is_empty() && !if_exists {
            let mut texts = Vec::new();
            for (name, value) in &spec {
                let value = match value {
                    Some(expr) => session.evaluate_text(expr).await?.unwrap_or_default(),
                    None => String::new(),
                };
                texts.push((name.clone(), value));
            }
            return Err(partition::missing(relation, &partition::shown(&texts)));
        }
        let names: Vec<String> = found.iter().map(|partition| partition.name.clone()).collect();
        let table = relation.clone();
        relation.partitions.retain(|added| !names.contains(&partition::folder_name(&table, &added.values)));
        // The entry goes first: a crash leaves folders, which are partitions still, and the statement can be repeated.
        session.warehouse().put_relation(relation).await?;
        let files = found.into_iter().flat_map(|partition| partition.files).collect();
        partition::delete(session, relation, files).await?;
    }
    Ok(())
}

/// `PARTITION ... RENAME TO PARTITION ...`.
pub(super) async fn rename(
    session: &Arc<Session>,
    relation: &mut Relation,
    from: &PartitionSpec,
    to: &PartitionSpec,
) -> SparkResult<()> {
    partition::allowed(relation, "ALTER TABLE RENAME PARTITION")?;
    let (old, new) = (full(session, relation, from).await?, full(session, relation, to).await?);
    if !is_there(session, relation, from).await? {
        return Err(partition::missing(relation, &shown(relation, &old)));
    }
    if is_there(session, relation, to).await? {
        let name = quote_identifier(&[relation.database.as_str(), relation.name.as_str()]);
        return Err(SparkError::analysis(
            "PARTITIONS_ALREADY_EXIST",
            &[("partitionList", &shown(relation, &new)), ("tableName", &name)],
        ));
    }
    let fixed = partition::fixed(session, relation, from).await?;
    let files = partition::files(session, relation, &fixed).await?;
    move_files(session, relation, files, &partition::folder_name(relation, &new)).await?;
    if let Some(added) = relation.partitions.iter_mut().find(|added| added.values == old) {
        added.values = new;
    }
    Ok(())
}

/// Files of one partition under the folder of another, which has none. Object stores cannot rename folders: all are copied before
/// the first is deleted, and what was copied is deleted when one cannot be.
async fn move_files(session: &Arc<Session>, relation: &Relation, files: Vec<Path>, folder: &str) -> SparkResult<()> {
    if files.is_empty() {
        return Ok(());
    }
    let store = partition::store(session, relation)?;
    let mut copies = Vec::with_capacity(files.len());
    for file in &files {
        let parts: Vec<String> = file.parts().map(|part| part.as_ref().to_string()).collect();
        let above = parts.len().checked_sub(relation.partitioned_by.len() + 1);
        let (Some(above), Some(name)) = (above.and_then(|above| parts.get(..above)), parts.last()) else {
            return Err(SparkError::internal("a file of a partition is not in its folder"));
        };
        let key = above.iter().map(String::as_str).chain([folder, name]).collect::<Vec<_>>().join("/");
        let copy = Path::parse(key).map_err(|error| SparkError::internal(error.to_string()))?;
        let copied = store.copy(file, &copy).await;
        copies.push(copy);
        if let Err(error) = copied {
            partition::delete(session, relation, copies).await?;
            return Err(failure(error.into()));
        }
    }
    partition::delete(session, relation, files).await
}

/// `PARTITION ... SET LOCATION`.
pub(super) async fn locate(
    session: &Arc<Session>,
    relation: &mut Relation,
    spec: &PartitionSpec,
    path: &str,
) -> SparkResult<()> {
    let values = full(session, relation, spec).await?;
    if !is_there(session, relation, spec).await? {
        return Err(partition::missing(relation, &shown(relation, &values)));
    }
    let fixed = partition::fixed(session, relation, spec).await?;
    if !partition::files(session, relation, &fixed).await?.is_empty() {
        return Err(SparkError::unsupported("another location for a partition with files"));
    }
    let location = own(relation, path);
    if let Some(added) = relation.partitions.iter_mut().find(|added| added.values == values) {
        added.location = Some(location);
    }
    Ok(())
}

/// Refuses to read a table one of whose partitions has files in a folder of its own.
pub(crate) async fn check_readable(session: &Arc<Session>, relation: &Relation) -> SparkResult<()> {
    for added in &relation.partitions {
        let Some(location) = &added.location else { continue };
        let elsewhere = Relation { location: location.clone(), ..relation.clone() };
        if !partition::listed(session, &elsewhere).await?.is_empty() {
            return Err(SparkError::unsupported("reading a partition from a location of its own"));
        }
    }
    Ok(())
}

/// A relative location is below the table's.
fn own(relation: &Relation, path: &str) -> String {
    if path.starts_with('/') || path.contains(':') {
        super::table::absolute(path).unwrap_or_else(|_| path.to_string())
    } else {
        format!("{}/{path}", relation.location.trim_end_matches('/'))
    }
}

fn columns(relation: &Relation, spec: &PartitionSpec) -> SparkResult<()> {
    for (name, _) in spec {
        if !relation.partitioned_by.iter().any(|column| column.eq_ignore_ascii_case(name)) {
            let table = quote_identifier(&[CATALOG, &relation.database, &relation.name]);
            return Err(SparkError::analysis(
                "PARTITIONS_NOT_FOUND",
                &[("partitionList", &quote_identifier(&[name])), ("tableName", &table)],
            ));
        }
    }
    Ok(())
}

/// The values of a clause that names all partition columns, in their order.
async fn full(session: &Arc<Session>, relation: &Relation, spec: &PartitionSpec) -> SparkResult<Vec<Option<String>>> {
    columns(relation, spec)?;
    if spec.len() != relation.partitioned_by.len() {
        let names: Vec<String> = spec.iter().map(|(name, _)| name.clone()).collect();
        return Err(partition::invalid(relation, &names));
    }
    let fixed = partition::fixed(session, relation, spec).await?;
    let value = |column: &String| fixed.get(&column.to_lowercase()).and_then(partition::text_of);
    Ok(relation.partitioned_by.iter().map(value).collect())
}

async fn is_there(session: &Arc<Session>, relation: &Relation, spec: &PartitionSpec) -> SparkResult<bool> {
    let fixed = partition::fixed(session, relation, spec).await?;
    partition::exists(session, relation, &fixed).await
}

fn shown(relation: &Relation, values: &[Option<String>]) -> String {
    let pair = |(name, value): (&String, &Option<String>)| (name.clone(), value.clone().unwrap_or_default());
    partition::shown(&relation.partitioned_by.iter().zip(values).map(pair).collect::<Vec<_>>())
}
