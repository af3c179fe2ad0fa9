//! `spark.read`: files and external systems as tables, with Spark's options, schemas and partition discovery.
//!
//! Everything becomes a DataFusion scan that can be cut into tasks. It knows no session and no catalog.

mod clickhouse;
mod compression;
mod csv;
pub(crate) mod file_columns;
mod infer;
mod jdbc;
mod json;
mod listing;
mod options;
mod parquet;
mod records;
mod scan;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::empty::EmptyTable;
use datafusion::prelude::SessionContext;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::{DataType, StructField, StructType};

use crate::conf::RuntimeConf;
use crate::spec::{DataSource, Options};

pub(crate) use clickhouse::options as clickhouse_options;
pub(crate) use firesteel_engine::failure::{connector, envelope, failure};
pub(crate) use options::ReadOptions;
pub(crate) use scan::reads;

/// Where the files of a table are; none for other tables.
pub(crate) fn files_of(table: &dyn TableProvider) -> Vec<String> {
    table.downcast_ref::<scan::FilesTable>().map(scan::FilesTable::urls).unwrap_or_default()
}

/// What reading needs of the session.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    /// Its context: stores, options, functions.
    pub(crate) ctx: &'a Arc<SessionContext>,
    /// Its settings.
    pub(crate) conf: &'a RuntimeConf,
}

/// A source that was opened.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// Rows; its columns are those of `schema` by position.
    pub(crate) provider: Arc<dyn TableProvider>,
    /// Spark's schema, partition columns last.
    pub(crate) schema: StructType,
    /// Names of the partition columns.
    pub(crate) partition_columns: Vec<String>,
}

/// Sources this engine reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Parquet,
    Csv,
    Json,
    Text,
    Avro,
    Orc,
    Jdbc,
    ClickHouse,
}

impl Format {
    /// The format of this name; one that Spark has and this engine has not is its own error.
    pub(crate) fn parse(name: &str) -> SparkResult<Self> {
        let lower = name.to_ascii_lowercase();
        let short = match lower.strip_prefix("org.apache.spark.sql.") {
            Some(rest) => rest.trim_start_matches("execution.datasources."),
            None => lower.as_str(),
        };
        match short.split('.').next().unwrap_or_default() {
            "parquet" => Ok(Self::Parquet),
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            "avro" => Ok(Self::Avro),
            "orc" => Ok(Self::Orc),
            "jdbc" => Ok(Self::Jdbc),
            "postgres" | "postgresql" | "greenplum" => Ok(Self::Jdbc),
            "clickhouse" => Ok(Self::ClickHouse),
            "binaryfile" | "xml" | "delta" | "iceberg" | "hudi" | "kafka" | "hive" | "rate" | "socket" | "noop"
            | "console" | "libsvm" | "image" | "protobuf" => {
                Err(SparkError::unsupported(format!("data source `{name}`")))
            }
            _ => Err(SparkError::analysis("DATA_SOURCE_NOT_FOUND", &[("provider", name)])),
        }
    }

    /// Whether a name is that of a file format, so that ``name.`path` `` reads a path.
    pub(crate) fn is_file_format(name: &str) -> bool {
        Self::parse(name).is_ok_and(|format| !format.is_database())
    }

    /// Whether tables of this format live in a database, which has no paths.
    pub(crate) fn is_database(self) -> bool {
        matches!(self, Self::Jdbc | Self::ClickHouse)
    }

    /// Name in error messages about schemas.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Text => "Text",
            Self::Avro => "Avro",
            Self::Orc => "ORC",
            Self::Jdbc => "JDBC",
            Self::ClickHouse => "ClickHouse",
        }
    }
}

/// Opens a source.
pub(crate) async fn load(source: &DataSource, env: &Environment<'_>) -> SparkResult<Loaded> {
    let name =
        source.format.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| env.conf.effects().default_source());
    let format = Format::parse(&name)?;
    let options = ReadOptions::new(&source.options);
    if let Some(options) = clickhouse::options(format, &source.options, env.conf) {
        return clickhouse::load(source, options).await;
    }
    if format == Format::Jdbc {
        return jdbc::load(source, &options, env).await;
    }
    let mut paths = source.paths.clone();
    if let Some(path) = options.get("path")
        && paths.is_empty()
    {
        paths.push(path.to_string());
    }
    if let (true, Some(schema)) = (paths.is_empty(), &source.schema) {
        // A source without a path but with columns has no rows.
        let schema = as_nullable(schema);
        let provider = Arc::new(EmptyTable::new(Arc::new(schema.to_arrow_schema())));
        return Ok(Loaded { provider, schema, partition_columns: Vec::new() });
    }
    if paths.is_empty() {
        return Err(SparkError::analysis("UNABLE_TO_INFER_SCHEMA", &[("format", format.title())]));
    }
    load_files(format, &paths, source.schema.clone(), None, &options, env).await
}

/// Opens files. `partitioned_by` fixes the partition columns (of a catalog table); else they are discovered.
pub(crate) async fn load_files(
    format: Format,
    paths: &[String],
    schema: Option<StructType>,
    partitioned_by: Option<&[String]>,
    options: &ReadOptions,
    env: &Environment<'_>,
) -> SparkResult<Loaded> {
    options.check_read(format, &env.conf.effects().time_zone())?;
    for key in ["spark.sql.files.ignoreCorruptFiles", "spark.sql.files.ignoreMissingFiles"] {
        if env.conf.is_true(key) {
            return Err(SparkError::unsupported(format!("the setting `{key}`")));
        }
    }
    if paths.iter().any(|path| path.is_empty()) {
        return Err(SparkError::analysis("INVALID_EMPTY_LOCATION", &[("location", "")]));
    }
    let schema = schema.map(|schema| as_nullable(&schema));
    let listing = listing::list(paths, schema.as_ref(), partitioned_by, options, env).await?;
    if listing.files.is_empty() && schema.is_none() && format != Format::Text {
        return Err(SparkError::analysis("UNABLE_TO_INFER_SCHEMA", &[("format", format.title())]));
    }
    match format {
        Format::Parquet => parquet::load(listing, schema, options, env).await,
        Format::Avro => parquet::load_avro(listing, schema, env).await,
        Format::Orc => parquet::load_orc(listing, schema, options, env).await,
        Format::Csv => csv::load(listing, schema, options, env).await,
        Format::Json => json::load(listing, schema, options, env).await,
        Format::Text => text::load(listing, schema.as_ref(), options),
        Format::Jdbc | Format::ClickHouse => Err(SparkError::internal("a database has no files")),
    }
}

/// The options of a catalog table as reading options.
pub(crate) fn table_options(options: &Options) -> ReadOptions {
    let mut options = options.clone();
    options.retain(|key, _| !key.eq_ignore_ascii_case("path"));
    ReadOptions::new(&options)
}

/// A schema read from files: anything may be null.
pub(crate) fn as_nullable(schema: &StructType) -> StructType {
    StructType::new(
        schema
            .fields
            .iter()
            .map(|field| StructField {
                name: field.name.clone(),
                data_type: nullable_type(&field.data_type),
                nullable: true,
                metadata: field.metadata.clone(),
            })
            .collect(),
    )
}

fn nullable_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Array { element, .. } => DataType::array(nullable_type(element), true),
        DataType::Map { key, value, .. } => DataType::map(nullable_type(key), nullable_type(value), true),
        DataType::Struct(fields) => DataType::Struct(as_nullable(fields)),
        other => other.clone(),
    }
}
