//! Apache ORC as a file format of DataFusion: what columns a file has, and a source that reads them.
//!
//! Types are those of Spark: an ORC `timestamp` holds the clock's hands of its writer and becomes an instant, as in a JVM
//! that runs in UTC. Options and the case of names are not its business; <https://orc.apache.org/specification/ORCv1/>.

mod reader;
mod source;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::ExecutionPlan;
use futures::FutureExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use orc_rust::error::OrcError;
use orc_rust::reader::metadata::read_metadata_async;

use reader::FileReader;
pub use source::OrcSource;

/// Reads ORC files.
#[derive(Debug, Clone, Copy)]
pub struct OrcFormat;

#[async_trait]
impl FileFormat for OrcFormat {
    fn get_ext(&self) -> String {
        "orc".to_owned()
    }

    fn get_ext_with_compression(&self, _: &FileCompressionType) -> Result<String> {
        // Files are compressed inside.
        Ok(self.get_ext())
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        None
    }

    /// The columns of the first file.
    async fn infer_schema(
        &self,
        _: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        objects: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        let Some(file) = objects.first() else { return Ok(Arc::new(Schema::empty())) };
        let mut reader = FileReader::new(Arc::clone(store), file.clone());
        let metadata = AssertUnwindSafe(read_metadata_async(&mut reader)).catch_unwind().await;
        let metadata = metadata.map_err(|_| damaged(&file.location, "its footer cannot be decoded"))?;
        let metadata = metadata.map_err(|error| failed(&file.location, error))?;
        let schema = metadata.root_data_type().create_arrow_schema(&HashMap::default());
        Ok(Arc::new(Schema::new(schema.fields().iter().map(field_of).collect::<Result<Vec<_>>>()?)))
    }

    async fn infer_stats(
        &self,
        _: &dyn Session,
        _: &Arc<dyn ObjectStore>,
        schema: SchemaRef,
        _: &ObjectMeta,
    ) -> Result<Statistics> {
        Ok(Statistics::new_unknown(&schema))
    }

    async fn create_physical_plan(&self, _: &dyn Session, config: FileScanConfig) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(DataSourceExec::from_data_source(config))
    }

    fn file_source(&self, schema: TableSchema) -> Arc<dyn FileSource> {
        Arc::new(OrcSource::new(schema))
    }
}

/// A file's column as it is read, at any depth.
fn field_of(field: &FieldRef) -> Result<FieldRef> {
    let data_type = match field.data_type() {
        DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::List(element) => DataType::List(field_of(element)?),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field_of).collect::<Result<_>>()?),
        DataType::Map(entries, sorted) => DataType::Map(field_of(entries)?, *sorted),
        DataType::Union(..) => {
            let what = format!("column `{}` of an ORC file has a uniontype, which Spark has not", field.name());
            return Err(DataFusionError::NotImplemented(what));
        }
        other => other.clone(),
    };
    Ok(Arc::new(Field::new(field.name(), data_type, field.is_nullable())))
}

/// A failure of the decoder: what the store said stays an error of the store.
fn failed(path: &Path, error: OrcError) -> DataFusionError {
    match error {
        OrcError::IoError { source, .. } => DataFusionError::IoError(source),
        other => damaged(path, &other.to_string()),
    }
}

/// Of Arrow's kinds that of columnar files is the nearest, and what is about data stays so on its way through a cluster.
fn damaged(path: &Path, why: &str) -> DataFusionError {
    ArrowError::ParquetError(format!("ORC file {path}: {why}")).into()
}

#[cfg(test)]
mod tests;
