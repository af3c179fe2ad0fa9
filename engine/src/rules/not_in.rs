//! `NOT IN` without a join that must know about nulls.
//!
//! `x NOT IN (SELECT y ...)` keeps a row that meets no `y`; but where there is a `y`, it keeps none whose `x` is null, and where
//! a `y` is null, none at all (SQL's three-valued logic). DataFusion has one join for it, whose tasks must tell each other
//! what they saw; tasks on executors cannot. So it becomes a plain anti join, and a filter by what one row says of the `y`s:
//!
//! ```text
//! LeftAnti Join (null aware): x = y     Projection: columns of left
//!   left                                  Filter: rows = 0 OR nulls = 0 AND x IS NOT NULL
//!   right                                   Cross Join:
//!                                             Aggregate: count(*) AS rows, count(y IS NULL) AS nulls
//!                                               right
//!                                             LeftAnti Join: x = y
//!                                               left
//!                                               right
//! ```
//!
//! `right` is read twice, so it must say the same twice: [`says_the_same`].

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{JoinType, ScalarValue};
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Distinct, Expr, Join, LogicalPlan, LogicalPlanBuilder, col, lit, when};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

const ROWS: &str = "__not_in_rows";
const NULLS: &str = "__not_in_nulls";

/// Answers such joins with plain ones.
#[derive(Debug, Default)]
pub(super) struct PlainNotIn;

impl OptimizerRule for PlainNotIn {
    fn name(&self) -> &str {
        "plain_not_in"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Join(join) = &plan else { return Ok(Transformed::no(plan)) };
        let fits = join.null_aware && join.join_type == JoinType::LeftAnti && join.filter.is_none();
        match join.on.as_slice() {
            [(x, y)] if fits && says_the_same(&join.right)? => Ok(Transformed::yes(plain(join, x, y)?)),
            _ => Ok(Transformed::no(plan)),
        }
    }
}

fn plain(join: &Join, x: &Expr, y: &Expr) -> Result<LogicalPlan> {
    let mut anti = join.clone();
    anti.null_aware = false;
    let one = lit(1_i64);
    let is_null = when(y.clone().is_null(), one.clone()).end()?;
    let seen = LogicalPlanBuilder::from(Arc::clone(&join.right))
        .aggregate(Vec::<Expr>::new(), [count(one).alias(ROWS), count(is_null).alias(NULLS)])?
        .build()?;
    let none = || lit(ScalarValue::Int64(Some(0)));
    let kept = col(ROWS).eq(none()).or(col(NULLS).eq(none()).and(x.clone().is_not_null()));
    let columns = join.left.schema().columns().into_iter().map(Expr::Column);
    LogicalPlanBuilder::from(seen).cross_join(LogicalPlan::Join(anti))?.filter(kept)?.project(columns)?.build()
}

/// Whether a plan has the same rows each time it runs: nothing in it takes some of many, or draws by chance.
fn says_the_same(plan: &LogicalPlan) -> Result<bool> {
    let mut same = true;
    plan.apply_with_subqueries(|node| {
        same &= match node {
            LogicalPlan::TableScan(scan) => scan.fetch.is_none(),
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Join(_)
            | LogicalPlan::Union(_)
            | LogicalPlan::Values(_)
            | LogicalPlan::EmptyRelation(_)
            | LogicalPlan::Distinct(Distinct::All(_)) => true,
            LogicalPlan::Aggregate(aggregate) => aggregate.aggr_expr.is_empty(),
            _ => false,
        } && !node.expressions().iter().any(Expr::is_volatile);
        Ok(if same { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(same)
}

#[cfg(test)]
mod tests;
