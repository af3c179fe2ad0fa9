//! What a query reads: the files of it, and what tells two plans of the same text apart.
//!
//! A plan's text has names of columns and operators but not the rows and files below them.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::Arc;

use arrow::ipc::writer::StreamWriter;
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::{MemTable, source_as_provider};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use firesteel_functions::error::SparkResult;

use super::Session;
use crate::source::{self, failure};
use crate::spec::Relation;

impl Session {
    /// The text of a query's plan and a number for each of its leaves; equal for queries that mean the same.
    /// Ids of columns in it are those of this analysis.
    pub async fn meaning(self: &Arc<Self>, relation: &Relation) -> SparkResult<String> {
        let plan = self.analyze(relation).await?.plan;
        let mut text = plan.display_indent().to_string();
        for leaf in leaves(&plan)? {
            let number = match leaf.downcast_ref::<MemTable>() {
                Some(rows) => content(rows).await?,
                None => {
                    let mut hasher = DefaultHasher::new();
                    format!("{leaf:?}").hash(&mut hasher);
                    hasher.finish()
                }
            };
            text.push_str(&format!("\n{number:016x}"));
        }
        Ok(text)
    }

    /// The files a query reads, each once.
    pub async fn input_files(self: &Arc<Self>, relation: &Relation) -> SparkResult<Vec<String>> {
        let plan = self.analyze(relation).await?.plan;
        let mut files: Vec<String> = leaves(&plan)?.iter().flat_map(|leaf| source::files_of(leaf.as_ref())).collect();
        files.sort();
        files.dedup();
        Ok(files)
    }
}

/// What the plan scans, in order, views taken apart.
fn leaves(plan: &LogicalPlan) -> SparkResult<Vec<Arc<dyn TableProvider>>> {
    let mut found = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let provider = source_as_provider(&scan.source)?;
            let inner = provider.get_logical_plan().map(Cow::into_owned);
            match inner {
                Some(inner) => found.extend(leaves(&inner).map_err(DataFusionError::from)?),
                None => found.push(provider),
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(failure)?;
    Ok(found)
}

/// A number for the rows of a table in memory.
async fn content(rows: &MemTable) -> SparkResult<u64> {
    let mut hasher = Hashing(DefaultHasher::new());
    let bad = |error: arrow::error::ArrowError| failure(error.into());
    let mut writer = StreamWriter::try_new(&mut hasher, &rows.schema()).map_err(bad)?;
    for partition in &rows.batches {
        for batch in partition.read().await.iter() {
            writer.write(batch).map_err(bad)?;
        }
    }
    writer.finish().map_err(bad)?;
    drop(writer);
    Ok(hasher.0.finish())
}

/// Takes bytes in and keeps a number for them.
struct Hashing(DefaultHasher);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
