//! Scans of databases in plans that are sent away: which operators they are, and what must stay behind for them.
//!
//! Opens nothing.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use firesteel_connectors::clickhouse::read::ClickHouseScanExec;
use firesteel_connectors::postgres::PostgresScanExec;
use firesteel_connectors::postgres::read::Snapshot;

/// Whether an operator reads a database, as its input tells each task.
#[must_use]
pub fn is_scan(node: &dyn ExecutionPlan) -> bool {
    node.is::<PostgresScanExec>() || node.is::<ClickHouseScanExec>()
}

/// Whether an operator asks a database for so much that tasks of its own pay: several things, and rows as they are.
#[must_use]
pub fn is_worth_tasks(node: &dyn ExecutionPlan) -> bool {
    let postgres = node.downcast_ref::<PostgresScanExec>().is_some_and(PostgresScanExec::brings_all);
    let clickhouse = node.downcast_ref::<ClickHouseScanExec>().is_some_and(ClickHouseScanExec::brings_all);
    (postgres || clickhouse) && node.properties().output_partitioning().partition_count() > 1
}

/// What keeps the states of databases alive that the tasks of a job see. Dropping it lets them go.
#[derive(Debug, Default)]
pub struct Snapshots(#[expect(dead_code, reason = "kept, not read")] Vec<Snapshot>);

/// The plan without the connections that hold its snapshots, and these by themselves: who runs plans may remember them long
/// after they have ended.
///
/// # Errors
/// When an operator cannot be rebuilt.
pub fn released(plan: Arc<dyn ExecutionPlan>) -> Result<(Arc<dyn ExecutionPlan>, Snapshots)> {
    let mut held = Vec::new();
    let released = plan.transform_up(|node| {
        let scan = node.downcast_ref::<PostgresScanExec>();
        let Some((scan, snapshot)) = scan.and_then(|scan| Some((scan, scan.snapshot()?))) else {
            return Ok(Transformed::no(node));
        };
        held.push(snapshot.clone());
        let scan: Arc<dyn ExecutionPlan> = Arc::new(scan.without_snapshot());
        Ok(Transformed::yes(scan))
    })?;
    Ok((released.data, Snapshots(held)))
}
