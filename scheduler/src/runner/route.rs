//! Where a plan runs: on executors, or in this process because it must or because a job would only cost time.

use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::{MemTable, source_as_provider};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use firesteel_engine::database;

use crate::cluster;

/// Rows held in memory travel inside every task, so more than this stays here.
const MEMORY_BYTES: usize = 4 << 20;

/// Where a plan runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// In this process.
    Local,
    /// On executors.
    Remote,
}

/// Sees at a glance what reads no tables: such plans are not worth planning twice.
pub(super) fn of_logical(plan: &LogicalPlan) -> Route {
    let mut scans = false;
    // The closure never fails.
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let in_memory = source_as_provider(&scan.source).is_ok_and(|provider| provider.is::<MemTable>());
            scans |= !in_memory;
        }
        Ok(if scans { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    if scans { Route::Remote } else { Route::Local }
}

/// Decides by the operators: whether they read what is worth tasks, whether each leaf can be cut into tasks, whether all can be sent.
pub(super) fn of_physical(plan: &Arc<dyn ExecutionPlan>) -> Route {
    let mut leaves = Leaves::default();
    let _ = plan.apply(|node| {
        leaves.worth_tasks |= database::is_worth_tasks(node.as_ref());
        // The tasks of a `NOT IN` do not tell each other what they have seen: rows that match came through (TPC-H q16, SF 10).
        leaves.stuck |= is_null_aware(node);
        if node.children().is_empty() {
            leaves.see(node.as_ref());
        }
        Ok(if leaves.stuck { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    if leaves.stuck || !leaves.worth_tasks || leaves.memory_bytes > MEMORY_BYTES {
        return Route::Local;
    }
    // The one sure test of whether a plan can be sent is to write it down.
    match PhysicalPlanNode::try_from_physical_plan(Arc::clone(plan), &cluster::codec()) {
        Ok(_) => Route::Remote,
        Err(error) => {
            tracing::debug!(%error, "a plan cannot be sent to executors and runs in this process");
            Route::Local
        }
    }
}

/// Whether this is the join of a `NOT IN`, which must see its whole right side in one task.
fn is_null_aware(node: &Arc<dyn ExecutionPlan>) -> bool {
    node.downcast_ref::<HashJoinExec>().is_some_and(|join| join.null_aware)
}

#[derive(Debug, Default)]
struct Leaves {
    /// Files, or a database that is asked for much.
    worth_tasks: bool,
    /// A leaf that every task would read whole, repeating its rows.
    stuck: bool,
    memory_bytes: usize,
}

impl Leaves {
    fn see(&mut self, leaf: &dyn ExecutionPlan) {
        if leaf.is::<EmptyExec>() || leaf.is::<PlaceholderRowExec>() {
            return;
        }
        let Some(source) = leaf.downcast_ref::<DataSourceExec>().map(DataSourceExec::data_source) else {
            self.stuck = true;
            return;
        };
        if let Some(files) = source.downcast_ref::<FileScanConfig>() {
            self.worth_tasks = true;
            // What a plan is sent as does not say that its files are compressed.
            self.stuck |= files.file_compression_type.is_compressed();
        } else if let Some(memory) = source.downcast_ref::<MemorySourceConfig>() {
            let batches = memory.partitions().iter().flatten();
            self.memory_bytes += batches.map(|batch| batch.get_array_memory_size()).sum::<usize>();
        } else {
            self.stuck = true;
        }
    }
}

#[cfg(test)]
mod tests;
