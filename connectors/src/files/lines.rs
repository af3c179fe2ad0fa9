//! Text files as rows of one column: a row a line, or a row a file. A file is cut by byte ranges between tasks, and memory
//! holds a few blocks of it, however large it is.
//!
//! What a line ends with is Hadoop's `LineRecordReader`'s: a line feed, a carriage return, or both, unless a separator is
//! given. What the lines mean is not its business.

mod range;
mod source;
mod split;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use object_store::{ObjectMeta, ObjectStore};
use serde::{Deserialize, Serialize};

pub use source::LinesSource;

/// Where a row ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rows {
    /// At each line feed, carriage return, or both.
    Lines,
    /// At each of these texts, which is not empty.
    Separated(String),
    /// At the end of the file.
    Files,
}

/// How a text file is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinesFormat {
    /// Where a row ends.
    pub rows: Rows,
    /// Whether files are compressed with gzip.
    pub gzip: bool,
}

impl LinesFormat {
    /// Whether a part of a file can be read without what is before it.
    fn can_be_cut(&self) -> bool {
        self.rows == Rows::Lines && !self.gzip
    }

    fn codec(&self) -> FileCompressionType {
        if self.gzip { FileCompressionType::GZIP } else { FileCompressionType::UNCOMPRESSED }
    }
}

#[async_trait]
impl FileFormat for LinesFormat {
    fn get_ext(&self) -> String {
        "txt".to_owned()
    }

    fn get_ext_with_compression(&self, _: &FileCompressionType) -> Result<String> {
        Ok(self.get_ext())
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        Some(self.codec())
    }

    async fn infer_schema(&self, _: &dyn Session, _: &Arc<dyn ObjectStore>, _: &[ObjectMeta]) -> Result<SchemaRef> {
        Ok(Arc::new(Schema::new(vec![Field::new("value", DataType::Utf8, true)])))
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
        Arc::new(LinesSource::new(self.clone(), schema))
    }
}

#[cfg(test)]
mod tests;
