//! Parquet, Avro and ORC: files that know their own schema.
//!
//! Spark's schema in the footer wins over the Arrow one; columns are found whatever the case of their names.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use datafusion::common::config::TableParquetOptions;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::avro::AvroFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::execution::SessionState;
use firesteel_connectors::files::orc::OrcFormat;
use firesteel_engine::failure::shown_location;
use firesteel_engine::footers;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::{DataType, StructField, StructType};
use futures::{StreamExt, TryStreamExt};

use super::listing::{Listing, SourceFile};
use super::scan::{FileSet, FilesTable, by_store};
use super::{Environment, Loaded, ReadOptions, as_nullable};
use crate::source::failure;

/// Where Spark leaves its own schema in a footer.
const ROW_METADATA: &str = "org.apache.spark.sql.parquet.row.metadata";
/// Files whose footers are read to learn how each spells its columns.
const MOST_FOOTERS: usize = 4096;

/// Opens Parquet files.
pub(super) async fn load(
    listing: Listing,
    schema: Option<StructType>,
    options: &ReadOptions,
    env: &Environment<'_>,
) -> SparkResult<Loaded> {
    let format: Arc<dyn FileFormat> = Arc::new(parquet_format(env));
    let footers = schemas(&format, &listing, env).await?;
    let merge = options.flag("mergeSchema", env.conf.is_true("spark.sql.parquet.mergeSchema"))?;
    let declared = match schema {
        Some(schema) => schema,
        None if merge => merged(&footers)?,
        None => match footers.first() {
            Some(footer) => spark_schema(footer)?,
            None => StructType::default(),
        },
    };
    finish(format, listing, footers, &declared, env, true)
}

/// Opens Avro files.
pub(super) async fn load_avro(
    listing: Listing,
    schema: Option<StructType>,
    env: &Environment<'_>,
) -> SparkResult<Loaded> {
    let format: Arc<dyn FileFormat> = Arc::new(AvroFormat);
    let footers = schemas(&format, &listing, env).await?;
    let declared = match (schema, footers.first()) {
        (Some(schema), _) => schema,
        (None, Some(footer)) => as_nullable(&StructType::from_arrow(footer)?),
        (None, None) => StructType::default(),
    };
    finish(format, listing, footers, &declared, env, false)
}

/// Opens ORC files.
pub(super) async fn load_orc(
    listing: Listing,
    schema: Option<StructType>,
    options: &ReadOptions,
    env: &Environment<'_>,
) -> SparkResult<Loaded> {
    let format: Arc<dyn FileFormat> = Arc::new(OrcFormat);
    let footers = schemas(&format, &listing, env).await?;
    let merge = options.flag("mergeSchema", env.conf.is_true("spark.sql.orc.mergeSchema"))?;
    let declared = match (schema, footers.first()) {
        (Some(schema), _) => schema,
        (None, Some(_)) if merge => merged(&footers)?,
        (None, Some(footer)) => spark_schema(footer)?,
        (None, None) => StructType::default(),
    };
    finish(format, listing, footers, &declared, env, false)
}

fn parquet_format(env: &Environment<'_>) -> ParquetFormat {
    let global = env.ctx.state().config_options().execution.parquet.clone();
    let mut options = TableParquetOptions { global, ..TableParquetOptions::default() };
    options.global.skip_metadata = false;
    options.global.schema_force_view_types = false;
    options.global.binary_as_string = env.conf.is_true("spark.sql.parquet.binaryAsString");
    // INT96 is Spark's old instant type.
    options.global.coerce_int96 = Some("us".to_string());
    options.global.coerce_int96_tz = Some("UTC".to_string());
    ParquetFormat::default().with_options(options)
}

/// The schema of each file, in order.
async fn schemas(
    format: &Arc<dyn FileFormat>,
    listing: &Listing,
    env: &Environment<'_>,
) -> SparkResult<Vec<SchemaRef>> {
    let state = env.ctx.state();
    let files = || listing.files.iter().take(MOST_FOOTERS);
    let mut stores: BTreeMap<&str, Vec<&SourceFile>> = BTreeMap::new();
    files().for_each(|file| stores.entry(file.store.as_str()).or_default().push(file));
    let mut sessions: BTreeMap<&str, SessionState> = BTreeMap::new();
    for (store, files) in stores {
        if let Some(first) = files.first() {
            let metas = files.iter().map(|file| &file.file.object_meta);
            sessions.insert(store, footers::session(&state, &first.store, metas).map_err(failure)?);
        }
    }
    if listing.files.len() > MOST_FOOTERS {
        tracing::warn!(files = listing.files.len(), "reading the schema of the first files only");
    }
    futures::stream::iter(files().cloned().collect::<Vec<_>>())
        .map(|file| {
            let (format, state) = (Arc::clone(format), sessions.get(file.store.as_str()).unwrap_or(&state));
            async move {
                let store = state.runtime_env().object_store(&file.store).map_err(failure)?;
                let read = format.infer_schema(state, &store, std::slice::from_ref(&file.file.object_meta)).await;
                read.map_err(|error| broken(error, &file))
            }
        })
        .buffered(32)
        .try_collect()
        .await
}

/// A file that cannot be opened, with its name.
fn broken(error: datafusion::error::DataFusionError, file: &SourceFile) -> SparkError {
    let mapped = failure(error);
    // Lost access, lost files and cancellation stay what they are; what is left is a damaged footer.
    let damaged = mapped.condition() == "INTERNAL_ERROR"
        || mapped.condition().starts_with("FAILED_READ_FILE")
            && ["Parquet", "parquet", "ORC file"].iter().any(|format| mapped.message().contains(format));
    if !damaged {
        return mapped;
    }
    let path = shown_location(&format!("{}{}", file.store.as_str(), file.file.object_meta.location));
    SparkError::runtime("FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER", &[("path", &path)])
}

/// Spark's schema of a footer.
fn spark_schema(footer: &Schema) -> SparkResult<StructType> {
    let own = footer.metadata().get(ROW_METADATA).and_then(|json| StructType::from_json(json).ok());
    let schema = match own {
        Some(schema) => schema,
        None => StructType::from_arrow(footer)?,
    };
    Ok(as_nullable(&schema))
}

fn merged(footers: &[SchemaRef]) -> SparkResult<StructType> {
    let mut fields: Vec<StructField> = Vec::new();
    for footer in footers {
        for field in spark_schema(footer)?.fields {
            match fields.iter().find(|known| known.name == field.name) {
                None => fields.push(field),
                Some(known) if known.data_type == field.data_type => {}
                Some(known) => {
                    return Err(SparkError::analysis(
                        "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE",
                        &[("left", &sql(&known.data_type)), ("right", &sql(&field.data_type))],
                    ));
                }
            }
        }
    }
    Ok(StructType::new(fields))
}

fn sql(data_type: &DataType) -> String {
    format!("\"{}\"", data_type.sql())
}

fn finish(
    format: Arc<dyn FileFormat>,
    listing: Listing,
    footers: Vec<SchemaRef>,
    declared: &StructType,
    env: &Environment<'_>,
    with_statistics: bool,
) -> SparkResult<Loaded> {
    let case_sensitive = env.conf.is_true("spark.sql.caseSensitive");
    let data = StructType::new(listing.data_fields(declared));
    let columns = Arc::new(match footers.first() {
        Some(footer) => physical(&data, footer, case_sensitive)?,
        None => data.to_arrow_schema(),
    });
    let partition_fields = listing.partition_fields()?;
    let partition_columns = listing.partition_names();
    let mut schema = data;
    schema.fields.extend(partition_fields);

    let mut by_names: BTreeMap<Vec<String>, (SchemaRef, Vec<SourceFile>)> = BTreeMap::new();
    for (index, file) in listing.files.into_iter().enumerate() {
        let spelled = match footers.get(index) {
            Some(footer) => Arc::new(respell(&columns, footer, case_sensitive)?),
            None => Arc::clone(&columns),
        };
        let names = spelled.fields().iter().map(|field| field.name().clone()).collect();
        by_names.entry(names).or_insert_with(|| (spelled, Vec::new())).1.push(file);
    }
    let sets: Vec<FileSet> = by_names.into_values().flat_map(|(spelled, files)| by_store(files, &spelled)).collect();
    let table = FilesTable::new(format, &columns, listing.partitions, sets, with_statistics);
    Ok(Loaded { provider: Arc::new(table), schema, partition_columns })
}

/// The declared columns as they are read: named as in the file, nested types laid out as in the file.
fn physical(declared: &StructType, footer: &Schema, case_sensitive: bool) -> SparkResult<Schema> {
    let mut fields = Vec::with_capacity(declared.fields.len());
    for column in &declared.fields {
        let own = column.to_arrow().with_nullable(true);
        fields.push(match find(footer, &column.name, case_sensitive)? {
            Some(found) if keeps_layout(&column.data_type, found) => {
                Field::new(found.name(), found.data_type().clone(), true)
            }
            Some(found) => own.with_name(found.name()),
            None => own,
        });
    }
    Ok(Schema::new(fields))
}

/// Nested columns of the same Spark type are read as they are; the analyzer relabels them.
fn keeps_layout(data_type: &DataType, found: &Field) -> bool {
    let nested = matches!(found.data_type(), ArrowType::List(_) | ArrowType::Struct(_) | ArrowType::Map(_, _));
    let same = |read: DataType| {
        let one = StructType::new(vec![StructField::new("x", read, true)]);
        let other = StructType::new(vec![StructField::new("x", data_type.clone(), true)]);
        as_nullable(&one) == as_nullable(&other)
    };
    nested && DataType::from_arrow(found).is_ok_and(same)
}

/// The same columns, named as another file names them.
fn respell(columns: &Schema, footer: &Schema, case_sensitive: bool) -> SparkResult<Schema> {
    let mut fields = Vec::with_capacity(columns.fields().len());
    for column in columns.fields() {
        let name = find(footer, column.name(), case_sensitive)?.map_or(column.name(), Field::name);
        fields.push(Field::clone(column).with_name(name));
    }
    Ok(Schema::new(fields))
}

fn find<'a>(footer: &'a Schema, name: &str, case_sensitive: bool) -> SparkResult<Option<&'a Field>> {
    if let Ok(found) = footer.field_with_name(name) {
        return Ok(Some(found));
    }
    if case_sensitive {
        return Ok(None);
    }
    let mut found = footer.fields().iter().filter(|field| field.name().eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(SparkError::runtime(
            "_LEGACY_ERROR_TEMP_2093",
            &[("requiredFieldName", name), ("matchedOrcFields", name)],
        )),
        (first, _) => Ok(first.map(AsRef::as_ref)),
    }
}
