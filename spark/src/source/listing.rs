//! The files of a read and what their folders say about partitions.
//!
//! It opens no file.

use arrow::datatypes::FieldRef;
use chrono::{DateTime, Utc};
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::execution::object_store::ObjectStoreUrl;
use firesteel_connectors::ConnectorError;
use firesteel_connectors::files::{ListOptions, ListedFile, PartitionOptions, discover, list as list_path};
use firesteel_connectors::store::{directory_path, normalise_path, store_url};
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::time::zone::Zone;
use firesteel_functions::types::{DataType, StructField, StructType};

use super::{Environment, ReadOptions};
use crate::source::failure;

/// Files with their partition values.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    /// Files, grouped by the store they are in later.
    pub(super) files: Vec<SourceFile>,
    /// Partition columns.
    pub(super) partitions: Vec<FieldRef>,
}

/// A file and its store.
#[derive(Debug, Clone)]
pub(super) struct SourceFile {
    pub(super) store: ObjectStoreUrl,
    pub(super) file: PartitionedFile,
}

impl Listing {
    /// Partition columns as Spark's fields.
    pub(super) fn partition_fields(&self) -> SparkResult<Vec<StructField>> {
        self.partitions
            .iter()
            .map(|field| Ok(StructField::new(field.name(), DataType::from_arrow(field)?, true)))
            .collect()
    }

    /// Names of the partition columns.
    pub(super) fn partition_names(&self) -> Vec<String> {
        self.partitions.iter().map(|field| field.name().clone()).collect()
    }

    /// Columns of `schema` that are in the files.
    pub(super) fn data_fields(&self, schema: &StructType) -> Vec<StructField> {
        let is_partition = |name: &str| self.partitions.iter().any(|field| field.name().eq_ignore_ascii_case(name));
        schema.fields.iter().filter(|field| !is_partition(&field.name)).cloned().collect()
    }
}

/// Lists all paths.
pub(super) async fn list(
    paths: &[String],
    schema: Option<&StructType>,
    partitioned_by: Option<&[String]>,
    options: &ReadOptions,
    env: &Environment<'_>,
) -> SparkResult<Listing> {
    let recursive = options.flag("recursiveFileLookup", false)?;
    let wanted = ListOptions {
        extension: None,
        name_glob: options.get("pathGlobFilter").map(str::to_string),
        modified_after: instant(options, "modifiedAfter", env)?,
        modified_before: instant(options, "modifiedBefore", env)?,
        // A new table has no folder before its first row.
        ignore_missing: partitioned_by.is_some(),
    };
    let runtime = env.ctx.runtime_env();
    let mut found: Vec<(ObjectStoreUrl, ListedFile)> = Vec::new();
    for path in paths {
        let url = normalise_path(path).map_err(failed)?;
        let store_url = store_url(&url).map_err(failed)?;
        let store = runtime.object_store(&store_url).map_err(failure)?;
        let files = list_path(&url, store.as_ref(), &wanted).await.map_err(failed)?;
        found.extend(files.into_iter().map(|file| (store_url.clone(), file)));
    }
    let base = match options.get("basePath") {
        Some(path) => Some(directory_path(&normalise_path(path).map_err(failed)?).map_err(failed)?),
        None => None,
    };
    if recursive || partitioned_by.is_some_and(<[String]>::is_empty) {
        return Ok(plain(found));
    }
    let fixed = match schema {
        Some(schema) => schema.fields.iter().map(StructField::to_arrow).collect(),
        None => Vec::new(),
    };
    let partition_options = PartitionOptions {
        infer_types: env.conf.is_true("spark.sql.sources.partitionColumnTypeInference.enabled"),
        case_sensitive: env.conf.is_true("spark.sql.caseSensitive"),
        time_zone: env.conf.effects().time_zone(),
        base,
        fixed,
    };
    let files: Vec<ListedFile> = found.iter().map(|(_, file)| file.clone()).collect();
    let partitions = discover(&files, &partition_options).map_err(failed)?;
    if let Some(names) = partitioned_by {
        if files.is_empty() {
            return declared(names, schema);
        }
        let same = partitions.fields.len() == names.len()
            && partitions.fields.iter().zip(names).all(|(field, name)| field.name().eq_ignore_ascii_case(name));
        if !same {
            return Err(SparkError::internal(format!("the files of a table partitioned by {names:?} are not")));
        }
    }
    if partitions.fields.is_empty() {
        // Without partitions only the files right below a path count.
        found.retain(|(_, file)| is_child(file));
        return Ok(plain(found));
    }
    let files = found
        .into_iter()
        .zip(partitions.values)
        .map(|((store, listed), values)| SourceFile { store, file: file(listed, values) })
        .collect();
    Ok(Listing { files, partitions: partitions.fields })
}

/// No files yet: the partition columns of the declaration.
fn declared(names: &[String], schema: Option<&StructType>) -> SparkResult<Listing> {
    let mut partitions: Vec<FieldRef> = Vec::new();
    for name in names {
        let field = schema.and_then(|schema| schema.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)));
        let Some(field) = field else {
            return Err(SparkError::internal(format!("partition column {name} is not in the schema")));
        };
        partitions.push(std::sync::Arc::new(field.to_arrow()));
    }
    Ok(Listing { files: Vec::new(), partitions })
}

fn is_child(file: &ListedFile) -> bool {
    match file.meta.location.prefix_match(&file.root) {
        Some(parts) => parts.count() <= 1,
        None => true,
    }
}

fn plain(found: Vec<(ObjectStoreUrl, ListedFile)>) -> Listing {
    let files = found.into_iter().map(|(store, listed)| SourceFile { store, file: file(listed, Vec::new()) }).collect();
    Listing { files, partitions: Vec::new() }
}

fn file(listed: ListedFile, values: Vec<ScalarValue>) -> PartitionedFile {
    PartitionedFile::new_from_meta(listed.meta).with_partition_values(values)
}

/// A time on the clocks of the option `timeZone` or of the session.
fn instant(options: &ReadOptions, name: &str, env: &Environment<'_>) -> SparkResult<Option<DateTime<Utc>>> {
    let Some(text) = options.get(name) else { return Ok(None) };
    let text = text.trim();
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let parsed = forms.iter().find_map(|form| chrono::NaiveDateTime::parse_from_str(text, form).ok());
    let day = || chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    let local = parsed.or_else(day).ok_or_else(|| super::options::bad(name, text))?.and_utc().timestamp_micros();
    let zone = options.get("timeZone").map_or_else(|| env.conf.effects().time_zone(), str::to_string);
    Ok(DateTime::from_timestamp_micros(Zone::parse(&zone)?.to_utc(local)))
}

pub(super) fn failed(error: ConnectorError) -> SparkError {
    super::connector(error)
}
