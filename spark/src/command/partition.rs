//! Partitions of a table of files: what a `PARTITION (...)` clause means and which files it covers.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::ScalarValue;
use firesteel_connectors::files::escape::escape;
use firesteel_connectors::files::{ListOptions, ListedFile, PartitionOptions, discover, list};
use firesteel_connectors::store::{normalise_path, store_url};
use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};
use firesteel_functions::types::{DataType, StructField};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::catalog::{CATALOG, Relation, TableName, text_type};
use crate::session::Session;
use crate::source::failure;
use crate::spec::{CastMode, ExprKind, PartitionSpec};

/// A partition and its files.
#[derive(Debug, Clone)]
pub(super) struct Partition {
    /// Values as directory text, `a=1/b=x`.
    pub(super) name: String,
    pub(super) files: Vec<Path>,
}

/// The fixed values of a clause, by lower-case name, as the columns' types.
pub(super) async fn fixed(
    session: &Arc<Session>,
    table: &Relation,
    spec: &PartitionSpec,
) -> SparkResult<BTreeMap<String, ScalarValue>> {
    let mut values = BTreeMap::new();
    for (name, value) in spec {
        let known = table.partitioned_by.iter().any(|column| column.eq_ignore_ascii_case(name));
        let column = table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        let (true, Some(column)) = (known, column) else {
            return Err(SparkError::analysis("NON_PARTITION_COLUMN", &[("columnName", &quote_identifier(&[name]))]));
        };
        if let Some(expr) = value {
            let declared = column.data_type()?;
            // As a directory has it: the text of the constant is what counts.
            let text = ExprKind::Cast { expr: expr.clone(), to: DataType::String, mode: CastMode::Session };
            let (_, value) = session.evaluate(&text.into(), Some(&text_type::plain(&declared))).await?;
            values.insert(name.to_lowercase(), text_type::padded(value, &declared));
        }
    }
    Ok(values)
}

/// All partitions of a table that match fixed values, in order of their names.
pub(super) async fn partitions(
    session: &Arc<Session>,
    table: &Relation,
    fixed: &BTreeMap<String, ScalarValue>,
) -> SparkResult<Vec<Partition>> {
    let files = listed(session, table).await?;
    let schema = table.schema()?;
    let options = PartitionOptions {
        infer_types: true,
        case_sensitive: false,
        time_zone: session.time_zone(),
        base: None,
        fixed: schema.fields.iter().map(StructField::to_arrow).collect(),
    };
    let found = discover(&files, &options).map_err(|error| failure(error.into()))?;
    let mut partitions: BTreeMap<String, Partition> = BTreeMap::new();
    for (file, values) in files.iter().zip(found.values) {
        let matches = found
            .fields
            .iter()
            .zip(&values)
            .all(|(field, value)| fixed.get(&field.name().to_lowercase()).is_none_or(|wanted| wanted == value));
        if !matches {
            continue;
        }
        let name = directory(file);
        partitions
            .entry(name.clone())
            .or_insert_with(|| Partition { name, files: Vec::new() })
            .files
            .push(file.meta.location.clone());
    }
    for added in &table.partitions {
        let matches = table.partitioned_by.iter().zip(&added.values).all(|(column, value)| {
            fixed.get(&column.to_lowercase()).is_none_or(|wanted| text_of(wanted).as_deref() == value.as_deref())
        });
        if matches {
            let name = folder_name(table, &added.values);
            partitions.entry(name.clone()).or_insert_with(|| Partition { name, files: Vec::new() });
        }
    }
    Ok(partitions.into_values().collect())
}

/// A partition value as its text.
pub(super) fn text_of(value: &ScalarValue) -> Option<String> {
    if value.is_null() { None } else { Some(value.to_string()) }
}

/// The folder of a partition below its table's, `a=1/b=x`.
pub(super) fn folder_name(table: &Relation, values: &[Option<String>]) -> String {
    let part = |(column, value): (&String, &Option<String>)| {
        let value = value.as_deref().filter(|value| !value.is_empty()).unwrap_or("__HIVE_DEFAULT_PARTITION__");
        format!("{}={}", escape(column), escape(value))
    };
    table.partitioned_by.iter().zip(values).map(part).collect::<Vec<_>>().join("/")
}

fn directory(file: &ListedFile) -> String {
    let parts: Vec<String> = match file.meta.location.prefix_match(&file.root) {
        Some(parts) => parts.map(|part| part.as_ref().to_string()).collect(),
        None => Vec::new(),
    };
    parts.iter().filter(|part| part.contains('=')).cloned().collect::<Vec<_>>().join("/")
}

/// Whether a partition has files.
pub(super) async fn exists(
    session: &Arc<Session>,
    table: &Relation,
    fixed: &BTreeMap<String, ScalarValue>,
) -> SparkResult<bool> {
    Ok(!fixed.is_empty() && !partitions(session, table, fixed).await?.is_empty())
}

/// The files of the partitions with these values.
pub(super) async fn files(
    session: &Arc<Session>,
    table: &Relation,
    fixed: &BTreeMap<String, ScalarValue>,
) -> SparkResult<Vec<Path>> {
    Ok(partitions(session, table, fixed).await?.into_iter().flat_map(|partition| partition.files).collect())
}

/// All data files of a table; none when its folder is not there yet.
pub(super) async fn listed(session: &Arc<Session>, table: &Relation) -> SparkResult<Vec<ListedFile>> {
    let url = normalise_path(&table.location).map_err(|error| failure(error.into()))?;
    let store = store(session, table)?;
    let options = ListOptions { ignore_missing: true, ..ListOptions::default() };
    list(&url, store.as_ref(), &options).await.map_err(|error| failure(error.into()))
}

/// The store a table's files are in.
pub(super) fn store(session: &Session, table: &Relation) -> SparkResult<Arc<dyn object_store::ObjectStore>> {
    let url = normalise_path(&table.location).map_err(|error| failure(error.into()))?;
    let url = store_url(&url).map_err(|error| failure(error.into()))?;
    session.context()?.runtime_env().object_store(url).map_err(failure)
}

/// Deletes files; those that are gone already do not matter.
pub(super) async fn delete(session: &Arc<Session>, table: &Relation, files: Vec<Path>) -> SparkResult<()> {
    if files.is_empty() {
        return Ok(());
    }
    let store = store(session, table)?;
    for file in files {
        match store.delete(&file).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(failure(error.into())),
        }
    }
    Ok(())
}

/// `` PARTITION (`c` = Us, `d` = 1) `` as Spark's messages show it.
pub(super) fn shown(fixed: &[(String, String)]) -> String {
    let parts: Vec<String> =
        fixed.iter().map(|(name, value)| format!("{} = {value}", quote_identifier(&[name]))).collect();
    format!("PARTITION ({})", parts.join(", "))
}

/// No such partition.
pub(super) fn missing(table: &Relation, list: &str) -> SparkError {
    let name = quote_identifier(&[table.database.as_str(), table.name.as_str()]);
    SparkError::analysis("PARTITIONS_NOT_FOUND", &[("partitionList", list), ("tableName", &name)])
}

/// The clause names other columns than the table is partitioned by.
pub(super) fn invalid(table: &Relation, given: &[String]) -> SparkError {
    let name = TableName::new(&table.database, &table.name);
    SparkError::analysis(
        "_LEGACY_ERROR_TEMP_1232",
        &[
            ("specKeys", &given.join(", ")),
            ("partitionColumnNames", &table.partitioned_by.join(", ")),
            ("tableName", &quote_identifier(&[CATALOG, &name.database, &name.name])),
        ],
    )
}

/// Refuses statements about partitions of what has none.
pub(super) fn allowed(relation: &Relation, action: &str) -> SparkResult<()> {
    if relation.view.is_some() {
        let name = quote_identifier(&[relation.name.as_str()]);
        return Err(SparkError::analysis(
            "FORBIDDEN_OPERATION",
            &[("statement", action), ("objectType", "VIEW"), ("objectName", &name)],
        ));
    }
    if !relation.partitioned_by.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{action} is not allowed on {name} since its partition metadata is not stored in the Hive metastore. To import this \
         information into the metastore, run `msck repair table {name}`.",
        name = relation.name
    );
    Err(SparkError::analysis("_LEGACY_ERROR_TEMP_1251", &[]).with_message(message))
}
