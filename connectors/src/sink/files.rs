//! Files in a directory of any object store, committed at the end of the job.
//!
//! Stores with separate multipart uploads get the final keys, left incomplete until commit; all others get
//! files under `_temporary/<job>/`, renamed at commit.

mod avro;
mod commit;
mod csv;
mod encode;
mod json;
mod parquet;
mod pattern;
mod task;
mod text;
mod upload;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::execution::runtime_env::RuntimeEnv;
use object_store::ObjectStore;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::SaveMode;
use crate::error::{ConnectorError, Result};
use crate::store::{directory_path, normalise_path, store_url};

/// How rows become bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum FileFormat {
    /// Apache Parquet as Spark reads it.
    Parquet(ParquetOptions),
    /// Separated values.
    Csv(CsvOptions),
    /// One JSON object a line.
    Json(JsonOptions),
    /// The single string column, one value a line.
    Text(TextOptions),
    /// Apache Avro object container files.
    Avro(AvroOptions),
}

/// Options of Parquet files.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct ParquetOptions {
    /// `snappy` (default), `none`, `gzip`, `zstd`, `lz4`, `lz4_raw`, `brotli`.
    pub compression: String,
    /// Key-value metadata for the footer, e.g. Spark's schema.
    pub metadata: BTreeMap<String, String>,
    /// Rows at which a row group is closed.
    pub row_group_rows: usize,
}

/// Options of Avro files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AvroOptions {
    /// `snappy`, `uncompressed`, `deflate`, `zstandard`, `bzip2`, `xz`.
    pub compression: String,
}

/// Options of CSV files, named and defaulted like Spark's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct CsvOptions {
    /// `none`, `gzip`, `bzip2`, `zstd`, `xz`.
    pub compression: String,
    /// Whether each file begins with the column names.
    pub header: bool,
    /// Between values.
    pub sep: String,
    /// Around values that need it; `None` never quotes.
    pub quote: Option<char>,
    /// Before a quote inside a quoted value.
    pub escape: char,
    /// Whether values that contain quotes are quoted at all.
    pub escape_quotes: bool,
    /// Whether all values are quoted.
    pub quote_all: bool,
    /// What null is written as.
    pub null_value: String,
    /// What the empty string is written as.
    pub empty_value: String,
    /// Whether leading white space of values is dropped.
    pub ignore_leading_white_space: bool,
    /// Whether trailing white space of values is dropped.
    pub ignore_trailing_white_space: bool,
    /// Between rows.
    pub line_sep: String,
    /// How times are written.
    pub times: TimeFormats,
}

/// Options of JSON files, named and defaulted like Spark's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct JsonOptions {
    /// `none`, `gzip`, `bzip2`, `zstd`, `xz`.
    pub compression: String,
    /// Whether fields that are null are left out.
    pub ignore_null_fields: bool,
    /// Between rows.
    pub line_sep: String,
    /// How times are written.
    pub times: TimeFormats,
}

/// Options of text files.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct TextOptions {
    /// `none`, `gzip`, `bzip2`, `zstd`, `xz`.
    pub compression: String,
    /// Between rows.
    pub line_sep: String,
}

/// Java patterns of dates and times.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct TimeFormats {
    /// `dateFormat`.
    pub date: String,
    /// `timestampFormat`.
    pub timestamp: String,
    /// `timestampNTZFormat`.
    pub timestamp_ntz: String,
}

impl Default for ParquetOptions {
    fn default() -> Self {
        Self { compression: "snappy".to_owned(), metadata: BTreeMap::new(), row_group_rows: 1024 * 1024 }
    }
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            compression: "none".to_owned(),
            header: false,
            sep: ",".to_owned(),
            quote: Some('"'),
            escape: '\\',
            escape_quotes: true,
            quote_all: false,
            null_value: String::new(),
            empty_value: "\"\"".to_owned(),
            ignore_leading_white_space: true,
            ignore_trailing_white_space: true,
            line_sep: "\n".to_owned(),
            times: TimeFormats::default(),
        }
    }
}

impl Default for JsonOptions {
    fn default() -> Self {
        Self {
            compression: "none".to_owned(),
            ignore_null_fields: true,
            line_sep: "\n".to_owned(),
            times: TimeFormats::default(),
        }
    }
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { compression: "none".to_owned(), line_sep: "\n".to_owned() }
    }
}

impl Default for TimeFormats {
    fn default() -> Self {
        Self {
            date: "yyyy-MM-dd".to_owned(),
            timestamp: "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]".to_owned(),
            timestamp_ntz: "yyyy-MM-dd'T'HH:mm:ss[.SSS]".to_owned(),
        }
    }
}

/// A write of files, as the planner wants it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileSinkSpec {
    /// The target directory; any form `normalise_path` takes.
    pub url: String,
    /// The format.
    pub format: FileFormat,
    /// The save mode.
    pub mode: SaveMode,
    /// Names of the columns, by position, as they are to be written; empty takes the schema's names.
    pub columns: Vec<String>,
    /// Columns (by written name) that become directories, outermost first.
    pub partition_by: Vec<String>,
    /// Whether overwrite replaces only the partitions written to.
    pub dynamic_overwrite: bool,
    /// Keys of further files that an overwrite replaces, whatever partitions are written to.
    #[serde(default)]
    pub replaced: Vec<String>,
    /// Rows after which a task begins another file; 0 means never.
    pub max_records_per_file: u64,
    /// The session zone, for times in text and in partition directories.
    pub time_zone: String,
}

impl FileSinkSpec {
    /// A write with Spark's defaults.
    pub fn new(url: impl Into<String>, format: FileFormat, mode: SaveMode) -> Self {
        Self {
            url: url.into(),
            format,
            mode,
            columns: Vec::new(),
            partition_by: Vec::new(),
            dynamic_overwrite: false,
            replaced: Vec::new(),
            max_records_per_file: 0,
            time_zone: "UTC".to_owned(),
        }
    }
}

/// A write of files that has begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PreparedFiles {
    /// The request.
    pub spec: FileSinkSpec,
    /// The target directory.
    #[serde(with = "url_text")]
    pub url: Url,
    /// The job, for the staging directory.
    pub job_id: String,
    /// The identifier in every file's name.
    pub write_id: String,
    /// All columns as they will be named, in input order.
    pub columns: Vec<String>,
    /// Positions of the partition columns in the input.
    pub partition_columns: Vec<usize>,
}

/// What one task attempt wrote.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FileMessage {
    /// The files, none of them visible yet.
    pub files: Vec<WrittenFile>,
    /// Rows in them.
    pub rows: u64,
}

/// A file that is complete but not visible.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WrittenFile {
    /// Where it will be.
    pub key: String,
    /// Its partition directory below the target, or empty.
    pub directory: String,
    /// Its size.
    pub bytes: u64,
    /// What commit must do.
    pub pending: Pending,
}

/// How a written file waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Pending {
    /// All parts are uploaded.
    Upload {
        /// The store's upload id.
        id: String,
        /// The parts' tags, in order.
        parts: Vec<String>,
    },
    /// The file lies complete under another key.
    Staged {
        /// That key.
        key: String,
    },
}

impl PreparedFiles {
    fn store(&self, runtime: &RuntimeEnv) -> Result<Arc<dyn ObjectStore>> {
        Ok(runtime.object_store(store_url(&self.url)?)?)
    }

    fn root(&self) -> Result<Path> {
        directory_path(&self.url)
    }

    fn child(&self, relative: &str) -> Result<Path> {
        let root = self.root()?;
        let text = if root.as_ref().is_empty() { relative.to_owned() } else { format!("{root}/{relative}") };
        Path::parse(&text).map_err(|error| ConnectorError::InvalidPath { path: text, reason: error.to_string() })
    }

    fn staging(&self) -> Result<Path> {
        self.child(&format!("_temporary/{}", self.job_id))
    }
}

/// Checks target, mode, columns and options. `None` when the mode is to ignore an existing target.
pub(super) async fn prepare(
    spec: FileSinkSpec,
    schema: SchemaRef,
    job_id: &str,
    runtime: &RuntimeEnv,
) -> Result<Option<PreparedFiles>> {
    let url = normalise_path(&spec.url)?;
    let columns = column_names(&spec, &schema)?;
    let mut partition_columns = Vec::new();
    for name in &spec.partition_by {
        let index = columns.iter().position(|column| column == name).ok_or_else(|| ConnectorError::ColumnNotFound {
            column: name.clone(),
            table: url.to_string(),
            available: columns.join(", "),
        })?;
        partition_columns.push(index);
    }
    if !partition_columns.is_empty() && partition_columns.len() == columns.len() {
        return Err(ConnectorError::Unsupported { feature: "partitioning by all columns".to_owned() });
    }
    // Ids come from elsewhere and become a directory name.
    let job_id: String = job_id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let write_id = Uuid::new_v4().to_string();
    let prepared = PreparedFiles { spec, url, job_id, write_id, columns, partition_columns };
    // An unwritable type or option must be told before any task runs.
    encode::check(&prepared, &schema)?;

    let store = prepared.store(runtime)?;
    let exists = crate::files::exists(&prepared.url, store.as_ref()).await?;
    match prepared.spec.mode {
        SaveMode::ErrorIfExists if exists => Err(ConnectorError::PathAlreadyExists { path: prepared.url.to_string() }),
        SaveMode::Ignore if exists => Ok(None),
        _ => Ok(Some(prepared)),
    }
}

fn column_names(spec: &FileSinkSpec, schema: &Schema) -> Result<Vec<String>> {
    let names = match spec.columns.is_empty() {
        true => schema.fields().iter().map(|field| field.name().clone()).collect(),
        false => spec.columns.clone(),
    };
    if names.len() != schema.fields().len() {
        return Err(ConnectorError::Protocol(format!(
            "{} column names for {} columns",
            names.len(),
            schema.fields().len()
        )));
    }
    Ok(names)
}

/// The input types with the partition columns taken out.
fn data_columns(prepared: &PreparedFiles) -> Vec<usize> {
    (0..prepared.columns.len()).filter(|index| !prepared.partition_columns.contains(index)).collect()
}

fn unsupported_type(column: &str, data_type: &DataType, format: &str) -> ConnectorError {
    ConnectorError::TypeMismatch {
        column: column.to_owned(),
        from: data_type.to_string(),
        to: format!("{format} data source"),
    }
}

/// URLs as text.
mod url_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use url::Url;

    pub(super) fn serialize<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(url.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
        Url::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
