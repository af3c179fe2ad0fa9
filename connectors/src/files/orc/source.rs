//! The scan of ORC files: whole columns of the stripes that begin in a task's byte range.
//!
//! Columns are found by name; a file of old Hive's, whose names are all `_col0`, `_col1`, .., by position.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr_adapter::BatchAdapterFactory;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::projection::ProjectionExprs;
use futures::StreamExt;
use object_store::ObjectStore;
use orc_rust::error::OrcError;
use orc_rust::projection::ProjectionMask;
use orc_rust::schema::{RootDataType, TimestampPrecision};
use orc_rust::{ArrowReaderBuilder, ArrowStreamReader};

use super::reader::FileReader;
use super::{damaged, failed};

/// Reads columns of ORC files.
#[derive(Clone)]
pub struct OrcSource {
    schema: TableSchema,
    batch_size: usize,
    projection: SplitProjection,
    metrics: ExecutionPlanMetricsSet,
}

impl OrcSource {
    /// A source of all columns.
    #[must_use]
    pub fn new(schema: TableSchema) -> Self {
        Self {
            projection: SplitProjection::unprojected(&schema),
            schema,
            batch_size: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl fmt::Debug for OrcSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrcSource").finish_non_exhaustive()
    }
}

impl FileSource for OrcSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        _: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let columns = Arc::clone(self.schema.file_schema());
        let opener = OrcOpener {
            store,
            wanted: Arc::new(columns.project(&self.projection.file_indices)?),
            positions: self.projection.file_indices.clone(),
            batch_size: config.batch_size.unwrap_or(self.batch_size),
        };
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), &columns)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_size, ..self.clone() })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &'static str {
        "orc"
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.schema.file_schema(), &merged);
        Ok(Some(Arc::new(Self { projection, ..self.clone() })))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.projection.source.iter(), f)
    }
}

/// Opens one file after the other.
struct OrcOpener {
    store: Arc<dyn ObjectStore>,
    /// The columns to read, in the order they are given on.
    wanted: SchemaRef,
    /// Where each is in the table.
    positions: Vec<usize>,
    batch_size: usize,
}

impl FileOpener for OrcOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let reader = FileReader::new(Arc::clone(&self.store), file.object_meta.clone());
        let path = file.object_meta.location.clone();
        let (wanted, positions, batch_size) = (Arc::clone(&self.wanted), self.positions.clone(), self.batch_size);
        Ok(Box::pin(async move {
            let builder = ArrowReaderBuilder::try_new_async(reader).await;
            let mut builder = builder.map_err(|error| failed(&path, error))?;
            let root = builder.file_metadata().root_data_type();
            let found = found(root, &wanted, &positions);
            // The decoder gives columns in the file's order.
            let indices: Vec<usize> = found.iter().map(|(column, _)| *column).collect();
            let mask = ProjectionMask::roots(root, indices);
            if let Some(range) = &file.range {
                builder = builder.with_file_byte_range(place(range.start)?..place(range.end)?);
            }
            let reader = builder
                .with_batch_size(batch_size)
                .with_timestamp_precision(TimestampPrecision::Microsecond)
                .with_projection(mask)
                .build_async();
            let read = renamed(&reader, &found)?;
            let adapter = BatchAdapterFactory::new(wanted).make_adapter(&read)?;
            // The decoder trusts the bytes it is given, and panics on some that are damaged.
            let batches = AssertUnwindSafe(reader).catch_unwind().map(move |batch| {
                let batch = batch.map_err(|_| damaged(&path, "its rows cannot be decoded"))?;
                let batch = batch.map_err(|error| match error {
                    ArrowError::ExternalError(cause) => match cause.downcast::<OrcError>() {
                        Ok(cause) => failed(&path, *cause),
                        Err(other) => DataFusionError::External(other),
                    },
                    other => other.into(),
                })?;
                let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                let batch = RecordBatch::try_new_with_options(Arc::clone(&read), batch.columns().to_vec(), &options)?;
                adapter.adapt_batch(&batch)
            });
            Ok(batches.boxed())
        }))
    }
}

/// Of the wanted columns those the file has, in its order: the column's index there, and the name it is wanted by.
fn found(root: &RootDataType, wanted: &Schema, positions: &[usize]) -> Vec<(usize, String)> {
    let by_position = root.children().iter().all(|column| column.name().starts_with("_col"));
    let asked_by_name = |name: &str| wanted.field_with_name(name).is_ok();
    let mut found = Vec::new();
    for (place, column) in root.children().iter().enumerate() {
        let index = column.data_type().column_index();
        if asked_by_name(column.name()) {
            found.push((index, column.name().to_owned()));
        } else if by_position && let Some(at) = positions.iter().position(|position| *position == place) {
            found.push((index, wanted.field(at).name().clone()));
        }
    }
    found
}

/// The schema of what the reader gives, by the names that are wanted.
fn renamed(reader: &ArrowStreamReader<FileReader>, found: &[(usize, String)]) -> Result<SchemaRef> {
    let schema = reader.schema();
    if schema.fields().len() != found.len() {
        let what = format!("an ORC reader gives {} columns of {}", schema.fields().len(), found.len());
        return Err(DataFusionError::Internal(what));
    }
    let fields = schema.fields().iter().zip(found);
    let fields: Vec<Field> =
        fields.map(|(field, (_, name))| Field::clone(field).with_name(name).with_nullable(true)).collect();
    Ok(Arc::new(Schema::new(fields)))
}

fn place(bytes: i64) -> Result<usize> {
    usize::try_from(bytes).map_err(|error| DataFusionError::External(Box::new(error)))
}
