//! A table over a fixed list of files: prunes partitions, reads statistics, and becomes file scans of DataFusion.
//!
//! Which files and columns there are was decided before; it knows no option and no format by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, ScalarValue, Statistics};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::{ListingTableUrl, PartitionedFile};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::source_as_provider;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, LogicalPlan, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use firesteel_engine::footers;
use futures::{StreamExt, TryStreamExt};

/// Files that one scan can read: one store, one spelling of the column names.
#[derive(Debug, Clone)]
pub(super) struct FileSet {
    pub(super) store: ObjectStoreUrl,
    /// The wanted columns, in order, named as in these files.
    pub(super) file_schema: SchemaRef,
    pub(super) files: Vec<PartitionedFile>,
}

/// A table over files.
#[derive(Debug)]
pub(super) struct FilesTable {
    format: Arc<dyn FileFormat>,
    schema: SchemaRef,
    partitions: Vec<FieldRef>,
    sets: Vec<FileSet>,
    with_statistics: bool,
    statistics: tokio::sync::OnceCell<Vec<Vec<PartitionedFile>>>,
}

/// Whether a plan reads files below a folder.
pub(crate) fn reads(plan: &LogicalPlan, location: &str) -> bool {
    let Ok(folder) = ListingTableUrl::parse(location) else { return false };
    let mut found = false;
    // The closure never fails.
    let _ = plan.apply_with_subqueries(|node| {
        let LogicalPlan::TableScan(scan) = node else { return Ok(TreeNodeRecursion::Continue) };
        let Ok(provider) = source_as_provider(&scan.source) else { return Ok(TreeNodeRecursion::Continue) };
        found |= provider.get_logical_plan().is_some_and(|inner| reads(&inner, location));
        if let Some(table) = provider.downcast_ref::<FilesTable>() {
            let files = table.sets.iter().flat_map(|set| &set.files);
            found |= files.into_iter().any(|file| file.object_meta.location.prefix_matches(folder.prefix()));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

/// With more files than this, their footers are not worth reading before the scan.
const MOST_FILES_WITH_STATISTICS: usize = 4096;
/// Footers read at the same time.
const FOOTERS_AT_ONCE: usize = 32;

impl FilesTable {
    /// A table of these columns, then the partition columns.
    pub(super) fn new(
        format: Arc<dyn FileFormat>,
        columns: &Schema,
        partitions: Vec<FieldRef>,
        sets: Vec<FileSet>,
        with_statistics: bool,
    ) -> Self {
        let fields: Vec<FieldRef> = columns.fields().iter().chain(&partitions).cloned().collect();
        let schema = Arc::new(Schema::new(fields));
        Self { format, schema, partitions, sets, with_statistics, statistics: tokio::sync::OnceCell::new() }
    }

    /// The same table with more partition columns, and their values for each file.
    pub(super) fn with_partitions(
        &self,
        more: Vec<FieldRef>,
        values: impl Fn(&ObjectStoreUrl, &PartitionedFile) -> Vec<ScalarValue>,
    ) -> Self {
        let extended = |set: &FileSet| {
            let mut set = set.clone();
            for file in &mut set.files {
                let more = values(&set.store, file);
                file.partition_values.extend(more);
            }
            set
        };
        let fields: Vec<FieldRef> = self.schema.fields().iter().chain(&more).cloned().collect();
        Self {
            format: Arc::clone(&self.format),
            schema: Arc::new(Schema::new(fields)),
            partitions: self.partitions.iter().cloned().chain(more).collect(),
            sets: self.sets.iter().map(extended).collect(),
            with_statistics: self.with_statistics,
            statistics: tokio::sync::OnceCell::new(),
        }
    }

    /// Where the files are.
    pub(super) fn urls(&self) -> Vec<String> {
        let of_set = |set: &FileSet| -> Vec<String> {
            let store = set.store.as_str().trim_end_matches('/');
            set.files.iter().map(|file| format!("{store}/{}", file.object_meta.location)).collect()
        };
        self.sets.iter().flat_map(of_set).collect()
    }

    /// The files with what their footers say about sizes and values.
    async fn files(&self, state: &dyn Session) -> Result<&Vec<Vec<PartitionedFile>>> {
        self.statistics.get_or_try_init(|| self.read_statistics(state)).await
    }

    async fn read_statistics(&self, state: &dyn Session) -> Result<Vec<Vec<PartitionedFile>>> {
        let count: usize = self.sets.iter().map(|set| set.files.len()).sum();
        let wanted = self.with_statistics
            && state.config_options().execution.collect_statistics
            && count <= MOST_FILES_WITH_STATISTICS;
        let mut sets = Vec::with_capacity(self.sets.len());
        for set in &self.sets {
            if !wanted {
                sets.push(set.files.clone());
                continue;
            }
            let store = state.runtime_env().object_store(&set.store)?;
            let state = &footers::session(state, &set.store, set.files.iter().map(|file| &file.object_meta))?;
            let read = futures::stream::iter(set.files.clone()).map(|file| {
                let store = Arc::clone(&store);
                async move {
                    let schema = Arc::clone(&set.file_schema);
                    let statistics = self.format.infer_stats(state, &store, schema, &file.object_meta).await?;
                    Ok::<_, DataFusionError>(file.with_statistics(Arc::new(statistics)))
                }
            });
            sets.push(read.buffered(FOOTERS_AT_ONCE).try_collect().await?);
        }
        Ok(sets)
    }

    /// Files whose partition values pass all filters on partition columns alone.
    fn prune(
        &self,
        state: &dyn Session,
        files: Vec<PartitionedFile>,
        filters: &[Expr],
    ) -> Result<Vec<PartitionedFile>> {
        if self.partitions.is_empty() || files.is_empty() {
            return Ok(files);
        }
        let names: Vec<&str> = self.partitions.iter().map(|field| field.name().as_str()).collect();
        let filters: Vec<&Expr> = filters
            .iter()
            .filter(|filter| {
                let columns = filter.column_refs();
                !columns.is_empty()
                    && columns.iter().all(|column| names.contains(&column.name.as_str()))
                    && !filter.is_volatile()
            })
            .collect();
        if filters.is_empty() {
            return Ok(files);
        }
        let schema = Arc::new(Schema::new(self.partitions.clone()));
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(names.len());
        for index in 0..names.len() {
            let values: Vec<ScalarValue> =
                files.iter().filter_map(|file| file.partition_values.get(index).cloned()).collect();
            columns.push(ScalarValue::iter_to_array(values)?);
        }
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        let df_schema = DFSchema::try_from(Arc::clone(&schema))?;
        let mut keep = vec![true; files.len()];
        for filter in filters {
            let unqualified = unqualify(filter.clone())?;
            let expr = state.create_physical_expr(unqualified, &df_schema)?;
            let passed = expr.evaluate(&batch)?.into_array(files.len())?;
            let Some(passed) = passed.as_boolean_opt() else { continue };
            for (keep, passed) in keep.iter_mut().zip(passed) {
                *keep &= passed.unwrap_or(false);
            }
        }
        Ok(files.into_iter().zip(keep).filter_map(|(file, keep)| keep.then_some(file)).collect())
    }

    async fn scan_set(
        &self,
        state: &dyn Session,
        set: &FileSet,
        files: Vec<PartitionedFile>,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let table_schema = TableSchema::builder(Arc::clone(&set.file_schema))
            .with_table_partition_cols(self.partitions.clone())
            .build();
        let statistics = total(&files, table_schema.table_schema());
        let groups = FileGroup::new(files).split_files(state.config().target_partitions().max(1));
        let config = FileScanConfigBuilder::new(set.store.clone(), self.format.file_source(table_schema))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        self.format.create_physical_plan(state, config).await
    }
}

#[async_trait]
impl TableProvider for FilesTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut plans = Vec::new();
        for (set, files) in self.sets.iter().zip(self.files(state).await?) {
            let files = self.prune(state, files.clone(), filters)?;
            if !files.is_empty() {
                plans.push(self.scan_set(state, set, files, projection, limit).await?);
            }
        }
        match plans.len() {
            0 => {
                let schema = match projection {
                    Some(indices) => Arc::new(self.schema.project(indices)?),
                    None => Arc::clone(&self.schema),
                };
                Ok(Arc::new(EmptyExec::new(schema)))
            }
            1 => plans.pop().ok_or_else(|| DataFusionError::Internal("no scan".into())),
            _ => UnionExec::try_new(plans),
        }
    }
}

/// A filter without table qualifiers, for the schema of partition columns.
fn unqualify(expr: Expr) -> Result<Expr> {
    use datafusion::common::Column;
    use datafusion::common::tree_node::{Transformed, TreeNode};
    expr.transform(|expr| {
        Ok(match expr {
            Expr::Column(column) => Transformed::yes(Expr::Column(Column::from_name(column.name))),
            other => Transformed::no(other),
        })
    })
    .map(|transformed| transformed.data)
}

/// The files' statistics together; unknown when those of one file are.
fn total(files: &[PartitionedFile], schema: &SchemaRef) -> Statistics {
    let known: Option<Vec<Statistics>> =
        files.iter().map(|file| file.statistics.as_ref().map(|s| Statistics::clone(s))).collect();
    let merged = known.and_then(|known| Statistics::try_merge_iter(known.iter(), schema).ok());
    merged.unwrap_or_else(|| {
        let mut unknown = Statistics::new_unknown(schema);
        let bytes: u64 = files.iter().map(|file| file.object_meta.size).sum();
        unknown.total_byte_size = Precision::Inexact(usize::try_from(bytes).unwrap_or(usize::MAX));
        unknown
    })
}

/// Groups files by store, all with one file schema.
pub(super) fn by_store(files: Vec<super::listing::SourceFile>, file_schema: &SchemaRef) -> Vec<FileSet> {
    let mut sets: BTreeMap<String, FileSet> = BTreeMap::new();
    for file in files {
        sets.entry(file.store.as_str().to_string())
            .or_insert_with(|| FileSet {
                store: file.store.clone(),
                file_schema: Arc::clone(file_schema),
                files: Vec::new(),
            })
            .files
            .push(file.file);
    }
    sets.into_values().collect()
}
