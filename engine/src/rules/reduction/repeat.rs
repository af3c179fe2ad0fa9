//! Whether a plan makes the same rows each time it runs. It changes no plan.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::ExecutionPlan;

use crate::key_filter::KeyFilterExec;

/// Whether all parts of a plan make the same rows each time: files read whole, nothing drawn by chance, no limits. The keys of
/// a filter were seen to be so when it was made.
#[must_use]
pub fn is_repeatable(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let mut open = vec![plan];
    while let Some(node) = open.pop() {
        let leaf = node.children().is_empty();
        if node.fetch().is_some() || leaf && !is_stable_scan(node.as_ref()) || !has_stable_expressions(node.as_ref()) {
            return false;
        }
        match node.downcast_ref::<KeyFilterExec>() {
            Some(filter) => open.push(filter.input()),
            None => open.extend(node.children()),
        }
    }
    true
}

/// Whether a leaf reads files that say the same the next time. A limit may take other rows then, a database may have others.
pub(super) fn is_stable_scan(leaf: &dyn ExecutionPlan) -> bool {
    let source = leaf.downcast_ref::<DataSourceExec>().map(DataSourceExec::data_source);
    source.and_then(|source| source.downcast_ref::<FileScanConfig>()).is_some_and(|scan| {
        let source = scan.file_source();
        let stable = source.projection().is_none_or(|list| list.iter().all(|e| is_stable(&e.expr)));
        scan.limit.is_none() && source.file_type() == "parquet" && stable
    })
}

pub(super) fn is_stable(expr: &Arc<dyn PhysicalExpr>) -> bool {
    !is_volatile(expr)
}

fn has_stable_expressions(node: &dyn ExecutionPlan) -> bool {
    let mut stable = true;
    let seen = node.apply_expressions(&mut |expr| {
        stable &= is_stable(expr);
        Ok(TreeNodeRecursion::Continue)
    });
    stable && seen.is_ok()
}
