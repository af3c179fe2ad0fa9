//! Parquet from stores: footers are read once in a process, and the next row group is fetched while this one is decoded.
//!
//! DataFusion fetches a row group when it wants to decode it, so that a core waits for the store once for every row group.
//! Here a reader that was asked for all of some columns of a row group asks for the same of the next one at once:
//!
//! ```text
//! fetch 1 | decode 1 | fetch 2 | decode 2       =>     fetch 1 | decode 1 | decode 2
//!                                                              | fetch 2  | fetch 3
//! ```
//! What is fetched is what would have been: a reader that skips the next row group, or wants other columns or single pages, gets
//! its bytes as before. Bounded: one row group of a file that is read, and none larger than [`LARGEST`].

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::listing::{FileRange, PartitionedFile};
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{
    FileScanConfig, FileScanConfigBuilder, ParquetFileReaderFactory, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder};
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use crate::footers;

/// Bytes that a reader has fetched ahead at most.
const LARGEST: u64 = 48 * 1024 * 1024;

/// The process's stores and caches, which a plan that was sent learns when it runs.
pub type Stores = Arc<OnceLock<Arc<RuntimeEnv>>>;

/// `plan` with scans of Parquet that read ahead.
///
/// # Errors
/// When a plan cannot be rebuilt over such a scan.
pub fn read_ahead(plan: Arc<dyn ExecutionPlan>, stores: &Stores) -> Result<Arc<dyn ExecutionPlan>> {
    let ready = plan.transform(|node| {
        let source = node.downcast_ref::<DataSourceExec>().map(DataSourceExec::data_source);
        let Some(config) = source.and_then(|source| source.downcast_ref::<FileScanConfig>()) else {
            return Ok(Transformed::no(node));
        };
        let Some(parquet) = config.file_source().downcast_ref::<ParquetSource>() else {
            return Ok(Transformed::no(node));
        };
        let url = config.object_store_url.clone();
        let waits = !url.as_str().starts_with("file:") && config.limit.is_none();
        let readers = Readers { stores: Arc::clone(stores), url, waits, all: config.file_source().filter().is_none() };
        let parquet = parquet.clone().with_parquet_file_reader_factory(Arc::new(readers));
        let config = FileScanConfigBuilder::from(config.clone()).with_source(Arc::new(parquet)).build();
        Ok(Transformed::yes(DataSourceExec::from_data_source(config) as Arc<dyn ExecutionPlan>))
    })?;
    Ok(ready.data)
}

/// Makes readers of one scan.
struct Readers {
    stores: Stores,
    url: ObjectStoreUrl,
    /// Whether reading takes waiting, and all that is asked for is likely to be read.
    waits: bool,
    /// Whether no row group can be skipped.
    all: bool,
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("url", &self.url).finish_non_exhaustive()
    }
}

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let not_yet = || DataFusionError::Internal("a scan runs before it knows its stores".into());
        let runtime = self.stores.get().ok_or_else(not_yet)?;
        let store = runtime.object_store(&self.url)?;
        let (path, range) = (file.object_meta.location.clone(), file.range.clone());
        let footers = footers::of(&self.url, [&file.object_meta]);
        let readers = CachedParquetFileReaderFactory::new(Arc::clone(&store), footers);
        let inner = readers.create_reader(partition_index, file, metadata_size_hint, metrics)?;
        if !self.waits {
            return Ok(inner);
        }
        let scanned = MetricBuilder::new(metrics).counter("bytes_scanned", partition_index);
        let (metadata, last, ahead) = (None, None, None);
        Ok(Box::new(Reader { inner, store, path, range, all: self.all, scanned, metadata, last, ahead }))
    }
}

/// A reader of one file, or of a range of it.
struct Reader {
    inner: Box<dyn AsyncFileReader + Send>,
    store: Arc<dyn ObjectStore>,
    path: Path,
    range: Option<FileRange>,
    all: bool,
    scanned: Count,
    metadata: Option<Arc<ParquetMetaData>>,
    /// The row group that was asked for last.
    last: Option<usize>,
    ahead: Option<Ahead>,
}

/// Bytes on their way that nobody has asked for yet.
struct Ahead {
    ranges: Vec<Range<u64>>,
    bytes: SpawnedTask<object_store::Result<Vec<Bytes>>>,
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.inner.get_bytes(range)
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move {
            let there = match self.ahead.take().filter(|ahead| ahead.ranges == ranges) {
                // What went wrong is asked for once more, and then told by who is asked.
                Some(ahead) => ahead.bytes.join().await.ok().and_then(std::result::Result::ok),
                None => None,
            };
            let bytes = match there {
                Some(bytes) => {
                    self.scanned.add(bytes.iter().map(Bytes::len).sum());
                    bytes
                }
                None => self.inner.get_byte_ranges(ranges.clone()).await?,
            };
            self.fetch_after(&ranges);
            Ok(bytes)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            let metadata = self.inner.get_metadata(options).await?;
            self.metadata = Some(Arc::clone(&metadata));
            Ok(metadata)
        }
        .boxed()
    }
}

impl Reader {
    /// Begins to fetch what is likely to be asked for after `ranges`.
    fn fetch_after(&mut self, ranges: &[Range<u64>]) {
        let Some(metadata) = &self.metadata else { return };
        let groups = metadata.row_groups();
        let Some((index, columns)) = columns_of(groups, ranges) else { return };
        // Where row groups can be skipped, two in a row say that the next is read, too.
        let likely = self.all || index.checked_sub(1).is_some_and(|before| self.last == Some(before));
        self.last = Some(index);
        let Some(next) = groups.get(index + 1).filter(|next| likely && is_within(next, self.range.as_ref())) else {
            return;
        };
        let ranges: Vec<Range<u64>> = columns.iter().map(|column| chunk(next, *column)).collect();
        if ranges.iter().map(|range| range.end - range.start).sum::<u64>() > LARGEST {
            return;
        }
        let (store, path, wanted) = (Arc::clone(&self.store), self.path.clone(), ranges.clone());
        let bytes = SpawnedTask::spawn(async move { store.get_ranges(&path, &wanted).await });
        self.ahead = Some(Ahead { ranges, bytes });
    }
}

/// The row group of which `ranges` are whole columns, and which.
fn columns_of(groups: &[RowGroupMetaData], ranges: &[Range<u64>]) -> Option<(usize, Vec<usize>)> {
    let first = ranges.first()?;
    groups.iter().enumerate().find_map(|(index, group)| {
        let all = 0..group.num_columns();
        let place = |wanted: &Range<u64>| all.clone().find(|column| chunk(group, *column) == *wanted);
        place(first)?;
        Some((index, ranges.iter().map(place).collect::<Option<Vec<_>>>()?))
    })
}

fn chunk(group: &RowGroupMetaData, column: usize) -> Range<u64> {
    let (start, length) = group.column(column).byte_range();
    start..start + length
}

/// Whether a row group belongs to a range of its file: DataFusion goes by where its first page begins.
fn is_within(group: &RowGroupMetaData, range: Option<&FileRange>) -> bool {
    let Some(first) = group.columns().first() else { return false };
    let begins = first.dictionary_page_offset().unwrap_or_else(|| first.data_page_offset());
    range.is_none_or(|range| (range.start..range.end).contains(&begins))
}

#[cfg(test)]
mod tests;
