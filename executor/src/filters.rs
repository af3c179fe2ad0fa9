//! Filters that a task makes while it runs: what the built side of a join, or the best rows of a sort, say about the rows
//! that a scan of the same task need not read.
//!
//! Plans come without them, since a filter made in one stage would never reach a scan in another. Here a plan is one stage,
//! so all that a filter can reach runs in this task.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_plan::ExecutionPlan;

/// The plan with such filters handed to its scans.
///
/// # Errors
/// When an operator cannot be rebuilt.
pub(crate) fn push_down(plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
    FilterPushdown::new_post_optimization().optimize(plan, &with_filters(options))
}

/// The context with what operators look at before they fill the filters they were given.
pub(crate) fn filled(context: &TaskContext) -> TaskContext {
    let mut config = context.session_config().clone();
    *config.options_mut() = with_filters(config.options());
    TaskContext::new(
        context.task_id(),
        context.session_id(),
        config,
        context.scalar_functions().clone(),
        context.higher_order_functions().clone(),
        context.aggregate_functions().clone(),
        context.window_functions().clone(),
        context.runtime_env(),
    )
}

fn with_filters(options: &ConfigOptions) -> ConfigOptions {
    let mut options = options.clone();
    options.optimizer.enable_dynamic_filter_pushdown = true;
    options.optimizer.enable_topk_dynamic_filter_pushdown = true;
    options.optimizer.enable_join_dynamic_filter_pushdown = true;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = true;
    options
}

#[cfg(test)]
mod tests {
    use datafusion::physical_plan::displayable;
    use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};

    use super::*;

    #[tokio::test]
    async fn a_scan_beside_a_built_side_is_filtered_by_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet").to_string_lossy().into_owned();
        let mut config = SessionConfig::new().with_target_partitions(1);
        let optimizer = &mut config.options_mut().optimizer;
        optimizer.enable_topk_dynamic_filter_pushdown = false;
        optimizer.enable_join_dynamic_filter_pushdown = false;
        optimizer.enable_aggregate_dynamic_filter_pushdown = false;
        let ctx = SessionContext::new_with_config(config);
        let rows = "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t(id, name)";
        ctx.sql(&format!("COPY ({rows}) TO '{path}'")).await.unwrap().collect().await.unwrap();
        ctx.register_parquet("t", &path, ParquetReadOptions::default()).await.unwrap();
        let sql = "SELECT b.name FROM (VALUES (1)) AS a(id) JOIN t b ON a.id = b.id";
        let plan = ctx.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        let shown = |plan: &Arc<dyn ExecutionPlan>| displayable(plan.as_ref()).indent(false).to_string();
        assert!(!shown(&plan).contains("DynamicFilter"), "{}", shown(&plan));

        let filtered = push_down(plan, ctx.copied_config().options()).unwrap();
        assert!(shown(&filtered).contains("DynamicFilter"), "{}", shown(&filtered));
        let context = Arc::new(filled(&ctx.task_ctx()));
        let batches = datafusion::physical_plan::collect(filtered, context).await.unwrap();
        assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 1);
    }
}
