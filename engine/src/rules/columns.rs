//! Following a column of a physical plan down to where it comes from, for rules that move joins. It changes no plan.

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

/// The index of an expression that is a column.
pub(super) fn index(expr: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    expr.downcast_ref::<Column>().map(Column::index)
}

/// Which child of a node a column comes from, and its index there; `None` where it is computed, and for nodes that rows
/// cannot be filtered below without changing what the others mean.
pub(super) fn origin(node: &dyn ExecutionPlan, column: usize) -> Option<(usize, usize)> {
    if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        return Some((0, index(&projection.expr().get(column)?.expr)?));
    }
    if let Some(filter) = node.downcast_ref::<FilterExec>() {
        return (filter.projection().is_none() && filter.fetch().is_none()).then_some((0, column));
    }
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        let groups = aggregate.group_expr();
        let plain = !groups.has_grouping_set() && aggregate.limit_options().is_none();
        return if plain { Some((0, index(&groups.expr().get(column)?.0)?)) } else { None };
    }
    let join = node.downcast_ref::<HashJoinExec>()?;
    let width = join.left().schema().fields().len();
    match join.join_type() {
        _ if join.projection.is_some() => None,
        JoinType::Inner if column >= width => Some((1, column - width)),
        JoinType::Inner => Some((0, column)),
        JoinType::LeftSemi | JoinType::LeftAnti if !join.null_aware => Some((0, column)),
        _ => None,
    }
}

/// Estimated rows.
pub(super) fn rows(plan: &dyn ExecutionPlan) -> Result<Option<usize>> {
    let statistics = StatisticsContext::new().compute(plan, &StatisticsArgs::new())?;
    Ok(statistics.num_rows.get_value().copied())
}

/// The scan below nothing but filters and projections, and whether there is a filter; `None` for any other plan.
pub(super) fn table(plan: &Arc<dyn ExecutionPlan>) -> Option<(&Arc<dyn ExecutionPlan>, bool)> {
    if plan.children().is_empty() {
        return Some((plan, false));
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        return table(projection.input());
    }
    let filter = plan.downcast_ref::<FilterExec>()?;
    table(filter.input()).map(|(scan, _)| (scan, true))
}

/// Plans and answers of queries with and without a physical rule.
#[cfg(test)]
pub(super) mod testing {
    use std::sync::Arc;

    use datafusion::execution::SessionStateBuilder;
    use datafusion::physical_optimizer::PhysicalOptimizerRule;
    use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
    use datafusion::physical_plan::displayable;
    use datafusion::prelude::{SessionConfig, SessionContext};

    /// The plan and the sorted answer of `query` over tables made by `tables`, with `rule` before all others.
    pub(crate) async fn run(
        tables: &[&str],
        query: &str,
        rule: Option<Arc<dyn PhysicalOptimizerRule + Send + Sync>>,
    ) -> (String, Vec<String>) {
        let mut rules: Vec<_> = rule.into_iter().collect();
        rules.extend(PhysicalOptimizer::default().rules);
        let state = SessionStateBuilder::new()
            .with_default_features()
            .with_config(SessionConfig::new().with_target_partitions(2))
            .with_physical_optimizer_rules(rules)
            .build();
        let context = SessionContext::new_with_state(state);
        for table in tables {
            context.sql(table).await.unwrap().collect().await.unwrap();
        }
        let frame = context.sql(query).await.unwrap();
        let plan = frame.clone().create_physical_plan().await.unwrap();
        let text = displayable(plan.as_ref()).indent(false).to_string();
        let batches = frame.collect().await.unwrap();
        let shown = arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string();
        let mut rows: Vec<String> = shown.lines().map(str::to_owned).collect();
        rows.sort();
        (text, rows)
    }

    /// How deep the first line with `text` stands in a plan.
    pub(crate) fn depth(plan: &str, text: &str) -> usize {
        let line = plan.lines().find(|line| line.contains(text)).unwrap();
        line.len() - line.trim_start().len()
    }
}
