//! The scan of text files: the rows of each, in batches.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use bytes::Bytes;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::PhysicalExpr;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::projection::ProjectionExprs;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;

use super::split::Splitter;
use super::{LinesFormat, range};

/// A batch is given on when it has so many bytes of text.
const BATCH_BYTES: usize = 8 << 20;

/// Bytes of a row at most: what is no UTF-8 may take three times as many, and a column holds two thousand million.
const LONGEST: usize = 700 << 20;

/// Reads rows of text files.
#[derive(Clone)]
pub struct LinesSource {
    format: LinesFormat,
    schema: TableSchema,
    batch_size: usize,
    projection: SplitProjection,
    metrics: ExecutionPlanMetricsSet,
}

impl LinesSource {
    /// A source whose files have one column, of text.
    #[must_use]
    pub fn new(format: LinesFormat, schema: TableSchema) -> Self {
        Self {
            format,
            projection: SplitProjection::unprojected(&schema),
            schema,
            batch_size: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// How files are read.
    #[must_use]
    pub fn format(&self) -> &LinesFormat {
        &self.format
    }
}

impl fmt::Debug for LinesSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinesSource").field("format", &self.format).finish_non_exhaustive()
    }
}

impl FileSource for LinesSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        _: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let columns = Arc::clone(self.schema.file_schema());
        let opener = LinesOpener {
            store,
            format: self.format.clone(),
            wanted: Arc::new(columns.project(&self.projection.file_indices)?),
            batch_size: config.batch_size.unwrap_or(self.batch_size).max(1),
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
        "text"
    }

    fn supports_repartitioning(&self) -> bool {
        self.format.can_be_cut()
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
struct LinesOpener {
    store: Arc<dyn ObjectStore>,
    format: LinesFormat,
    /// The column, or none.
    wanted: SchemaRef,
    batch_size: usize,
}

impl FileOpener for LinesOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let at_start = file.range.as_ref().is_none_or(|part| part.start == 0);
        let (store, meta) = (Arc::clone(&self.store), file.object_meta);
        let bytes = match file.range {
            Some(part) if self.format.can_be_cut() => {
                range::lines(store, meta.location, place(part.start)?..place(part.end)?, meta.size)
            }
            _ => self.format.codec().convert_stream(range::whole(store, meta.location, meta.size))?,
        };
        let rows = Batcher {
            splitter: Splitter::new(self.format.rows.clone(), at_start),
            batch: Batch::new(Arc::clone(&self.wanted), self.batch_size),
        };
        Ok(Box::pin(async move { Ok(batches(bytes, rows)) }))
    }
}

fn place(bytes: i64) -> Result<u64> {
    u64::try_from(bytes).map_err(|error| DataFusionError::External(Box::new(error)))
}

/// The rows of a file's bytes.
fn batches(bytes: BoxStream<'static, Result<Bytes>>, batcher: Batcher) -> BoxStream<'static, Result<RecordBatch>> {
    let state = (Some(bytes), batcher);
    futures::stream::try_unfold(state, |(mut bytes, mut batcher)| async move {
        loop {
            if let Some(batch) = batcher.batch.ready.pop_front() {
                return Ok(Some((batch, (bytes, batcher))));
            }
            let Some(stream) = &mut bytes else { return Ok(None) };
            match stream.try_next().await? {
                Some(block) => batcher.push(&block)?,
                None => {
                    batcher.finish()?;
                    bytes = None;
                }
            }
        }
    })
    .boxed()
}

struct Batcher {
    splitter: Splitter,
    batch: Batch,
}

impl Batcher {
    fn push(&mut self, block: &[u8]) -> Result<()> {
        let mut failed = Ok(());
        self.splitter.push(block, |row| self.batch.add(row, &mut failed));
        failed
    }

    fn finish(&mut self) -> Result<()> {
        let mut failed = Ok(());
        self.splitter.finish(|row| self.batch.add(row, &mut failed));
        failed?;
        self.batch.close()
    }
}

/// Rows that are being put together.
struct Batch {
    schema: SchemaRef,
    size: usize,
    rows: usize,
    texts: StringBuilder,
    ready: VecDeque<RecordBatch>,
}

impl Batch {
    fn new(schema: SchemaRef, size: usize) -> Self {
        Self { schema, size, rows: 0, texts: StringBuilder::new(), ready: VecDeque::new() }
    }

    fn add(&mut self, row: &[u8], failed: &mut Result<()>) {
        if !self.schema.fields().is_empty() {
            if row.len() > LONGEST {
                *failed =
                    Err(DataFusionError::Execution(format!("a text of {} bytes is too long for one row", row.len())));
                return;
            }
            // What is no UTF-8 cannot be held as text.
            self.texts.append_value(String::from_utf8_lossy(row));
        }
        self.rows += 1;
        if self.rows >= self.size || self.texts.values_slice().len() >= BATCH_BYTES {
            let closed = self.close();
            if failed.is_ok() {
                *failed = closed;
            }
        }
    }

    fn close(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let texts = self.texts.finish();
        let columns: Vec<ArrayRef> = if self.schema.fields().is_empty() { Vec::new() } else { vec![Arc::new(texts)] };
        let options = RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.rows)));
        self.ready.push_back(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?);
        Ok(())
    }
}
