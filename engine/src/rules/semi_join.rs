//! Filters by a small set of groups before joining, not after.
//!
//! `WHERE key IN (SELECT key ... GROUP BY key HAVING ...)` becomes a semi join above all other joins of the query, so
//! that rows are joined only to be dropped. A semi join commutes with an inner join whose side holds its keys. It is moved only where its right side
//! is a filtered aggregate, which leaves few groups as a rule: pushed below a selective join, an unselective one would
//! cost more than it saves. (TPC-H 18 is the well-known case.)

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, JoinType};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, Join, LogicalPlan, Projection};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// Moves such semi and anti joins below inner joins.
#[derive(Debug, Default)]
pub(super) struct PushDownSemiJoin;

impl OptimizerRule for PushDownSemiJoin {
    fn name(&self) -> &str {
        "push_down_semi_join"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Join(semi) = &plan else { return Ok(Transformed::no(plan)) };
        let movable = matches!(semi.join_type, JoinType::LeftSemi | JoinType::LeftAnti)
            && semi.filter.is_none()
            && !semi.null_aware
            && is_filtered_aggregate(&semi.right);
        let keys: Option<Vec<Column>> = semi.on.iter().map(|(key, _)| key.try_as_col().cloned()).collect();
        match keys {
            Some(keys) if movable && !keys.is_empty() => match push(&semi.left, &keys, semi)? {
                Some(moved) => Ok(Transformed::yes(moved)),
                None => Ok(Transformed::no(plan)),
            },
            _ => Ok(Transformed::no(plan)),
        }
    }
}

/// `plan` with `semi` below its inner joins, or `None` when there is none whose one side holds all keys.
fn push(plan: &LogicalPlan, keys: &[Column], semi: &Join) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
            let mut moved = join.clone();
            if keys.iter().all(|key| join.left.schema().has_column(key)) {
                moved.left = Arc::new(placed(&join.left, keys, semi)?);
            } else if keys.iter().all(|key| join.right.schema().has_column(key)) {
                moved.right = Arc::new(placed(&join.right, keys, semi)?);
            } else {
                return Ok(None);
            }
            Ok(Some(LogicalPlan::Join(moved)))
        }
        LogicalPlan::Projection(projection) => {
            let Some(below) = below_projection(projection, keys) else { return Ok(None) };
            let Some(input) = push(&projection.input, &below, semi)? else { return Ok(None) };
            let mut moved = projection.clone();
            moved.input = Arc::new(input);
            Ok(Some(LogicalPlan::Projection(moved)))
        }
        _ => Ok(None),
    }
}

/// `semi` as deep in `plan` as it can go.
fn placed(plan: &Arc<LogicalPlan>, keys: &[Column], semi: &Join) -> Result<LogicalPlan> {
    if let Some(deeper) = push(plan, keys, semi)? {
        return Ok(deeper);
    }
    let on = keys.iter().zip(&semi.on).map(|(key, (_, right))| (Expr::Column(key.clone()), right.clone())).collect();
    Ok(LogicalPlan::Join(Join::try_new(
        Arc::clone(plan),
        Arc::clone(&semi.right),
        on,
        None,
        semi.join_type,
        semi.join_constraint,
        semi.null_equality,
        false,
    )?))
}

/// The keys as they are called below a projection that only renames them.
fn below_projection(projection: &Projection, keys: &[Column]) -> Option<Vec<Column>> {
    keys.iter()
        .map(|key| {
            let index = projection.schema.maybe_index_of_column(key)?;
            projection.expr.get(index)?.clone().unalias().try_as_col().cloned()
        })
        .collect()
}

fn is_filtered_aggregate(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => is_filtered_aggregate(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_filtered_aggregate(&alias.input),
        LogicalPlan::Filter(filter) => aggregates(&filter.input),
        _ => false,
    }
}

fn aggregates(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => aggregates(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => aggregates(&alias.input),
        LogicalPlan::Aggregate(aggregate) => !aggregate.group_expr.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::PushDownSemiJoin;

    #[tokio::test]
    async fn groups_are_filtered_before_the_join() {
        let context = SessionContext::new();
        for table in [
            "create table orders(o int, c int) as values (1, 7), (2, 8), (3, null)",
            "create table lines(l int, q int) as values (1, 100), (1, 250), (2, 10), (null, 500)",
            "create table customers(id int, name text) as values (7, 'a'), (8, 'b')",
        ] {
            context.sql(table).await.unwrap().collect().await.unwrap();
        }
        let query = "select name, o, sum(q) from customers, orders, lines
            where o in (select l from lines group by l having sum(q) > 300) and id = c and o = l group by name, o";
        let before = context.sql(query).await.unwrap().collect().await.unwrap();
        context.add_optimizer_rule(std::sync::Arc::new(PushDownSemiJoin));
        let frame = context.sql(query).await.unwrap();
        let plan = frame.clone().into_optimized_plan().unwrap().display_indent().to_string();
        let inner = plan.find("Inner Join").unwrap();
        assert!(plan.find("LeftSemi Join").unwrap() > inner, "{plan}");
        assert_eq!(frame.collect().await.unwrap(), before);
    }
}
