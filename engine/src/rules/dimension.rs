//! Joins a table with its small, filtered dimension before it is joined to anything else.
//!
//! DataFusion keeps the order of joins as written. In `supplier, lineitem, orders, nation WHERE ... n_name = 'SAUDI ARABIA'` the
//! nation comes last, after every row of lineitem was joined to its supplier and order. An inner join whose keys on one side
//! come from one table below commutes with the joins in between; it is moved where statistics say that the filtered side is
//! much smaller than that table, which is how dimensions look. (TPC-H 5, 7, 8 and 21.)

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::projection::ProjectionExec;

use super::columns::{index, origin, rows, table};

/// How many times smaller than the table the filtered side has to be.
const TIMES: usize = 4;

/// The most joins that are moved in one plan.
const MOST_MOVES: usize = 64;

/// The most rows of a dimension: joining a large one early could cost more than it saves.
const MOST_ROWS: usize = 100_000;

/// Moves such joins. To be run before join sides are chosen.
#[derive(Debug, Default)]
pub(super) struct PushDownDimension;

impl PhysicalOptimizerRule for PushDownDimension {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let mut moves = 0;
        plan.transform_down(|mut node| {
            let mut changed = false;
            while moves < MOST_MOVES
                && let Some(moved) = moved(&node)?
            {
                node = moved;
                changed = true;
                moves += 1;
            }
            Ok(Transformed::new(node, changed, datafusion::common::tree_node::TreeNodeRecursion::Continue))
        })
        .data()
    }

    fn name(&self) -> &str {
        "push_down_dimension"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The filtered side of a join that is to be moved.
struct Dimension<'a> {
    plan: &'a Arc<dyn ExecutionPlan>,
    rows: usize,
    join: &'a HashJoinExec,
}

/// The plan with the join at its root further down, or `None` if that is not to be done.
fn moved(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(join) = plan.downcast_ref::<HashJoinExec>() else { return Ok(None) };
    if *join.join_type() != JoinType::Inner || join.filter().is_some() || join.projection.is_some() {
        return Ok(None);
    }
    let sides = [(join.left(), join.right()), (join.right(), join.left())];
    for (at, (other, own)) in sides.into_iter().enumerate() {
        if !is_joined(other) || !is_filtered(own) {
            continue;
        }
        let keys: Option<Vec<_>> = join
            .on()
            .iter()
            .map(|(left, right)| {
                let (left, right) = (index(left)?, index(right)?);
                Some(if at == 0 { (left, right) } else { (right, left) })
            })
            .collect();
        let (Some(keys), Some(rows)) = (keys, rows(own.as_ref())?) else { continue };
        let dimension = Dimension { plan: own, rows, join };
        let Some(widened) = placed(other, &keys, &dimension, 0)? else { continue };
        if at == 0 {
            return Ok(Some(widened));
        }
        // The filtered side came first.
        let (width, all) = (other.schema().fields().len(), widened.schema().fields().len());
        return columns(widened, (width..all).chain(0..width)).map(Some);
    }
    Ok(None)
}

/// `plan` with the dimension joined to the table that holds all keys and its columns at the end.
fn placed(
    plan: &Arc<dyn ExecutionPlan>,
    keys: &[(usize, usize)],
    dimension: &Dimension<'_>,
    joins: usize,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if table(plan).is_some() {
        return if joins > 0 { joined(plan, keys, dimension) } else { Ok(None) };
    }
    let below: Option<Vec<_>> = keys.iter().map(|(key, _)| origin(plan.as_ref(), *key)).collect();
    let Some(below) = below else { return Ok(None) };
    let Some((child, _)) = below.first().copied() else { return Ok(None) };
    if below.iter().any(|(other, _)| *other != child) {
        return Ok(None);
    }
    let keys: Vec<_> = below.iter().zip(keys).map(|((_, key), (_, own))| (*key, *own)).collect();
    let Some(input) = plan.children().get(child).map(|input| Arc::clone(input)) else { return Ok(None) };
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        let other = if child == 0 { join.right() } else { join.left() };
        // Passing a dimension as small gains nothing, and the two would pass each other for ever.
        let passed =
            usize::from(!is_filtered(other) || rows(other.as_ref())?.is_some_and(|rows| rows > dimension.rows));
        let Some(widened) = placed(&input, &keys, dimension, joins + passed)? else { return Ok(None) };
        let widths = [join.left().schema().fields().len(), join.right().schema().fields().len()];
        let more = widened.schema().fields().len() - input.schema().fields().len();
        let (left, right) = match child {
            0 => (widened, Arc::clone(join.right())),
            _ => (Arc::clone(join.left()), widened),
        };
        let whole = HashJoinExec::try_new(
            left,
            right,
            join.on().to_vec(),
            join.filter().cloned(),
            join.join_type(),
            None,
            *join.partition_mode(),
            join.null_equality(),
            join.null_aware,
        )?;
        let whole: Arc<dyn ExecutionPlan> = Arc::new(whole);
        if child == 1 || *join.join_type() != JoinType::Inner {
            return Ok(Some(whole));
        }
        let [left, right] = widths;
        let order = (0..left).chain(left + more..left + more + right).chain(left..left + more);
        return columns(whole, order).map(Some);
    }
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let Some(widened) = placed(&input, &keys, dimension, joins)? else { return Ok(None) };
        return Ok(Some(Arc::new(FilterExec::try_new(Arc::clone(filter.predicate()), widened)?)));
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let Some(widened) = placed(&input, &keys, dimension, joins)? else { return Ok(None) };
        let mut exprs: Vec<(Arc<dyn PhysicalExpr>, String)> =
            projection.expr().iter().map(|e| (Arc::clone(&e.expr), e.alias.clone())).collect();
        let schema = widened.schema();
        for at in input.schema().fields().len()..schema.fields().len() {
            let name = schema.field(at).name();
            exprs.push((Arc::new(Column::new(name, at)), name.clone()));
        }
        return Ok(Some(Arc::new(ProjectionExec::try_new(exprs, widened)?)));
    }
    Ok(None)
}

/// The dimension joined to the table.
fn joined(
    table: &Arc<dyn ExecutionPlan>,
    keys: &[(usize, usize)],
    dimension: &Dimension<'_>,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(whole) = rows(table.as_ref())? else { return Ok(None) };
    if dimension.rows > MOST_ROWS || whole / TIMES < dimension.rows {
        return Ok(None);
    }
    let column = |plan: &Arc<dyn ExecutionPlan>, at: usize| -> Arc<dyn PhysicalExpr> {
        Arc::new(Column::new(plan.schema().field(at).name(), at))
    };
    let on = keys.iter().map(|(key, own)| (column(table, *key), column(dimension.plan, *own))).collect();
    Ok(Some(Arc::new(HashJoinExec::try_new(
        Arc::clone(table),
        Arc::clone(dimension.plan),
        on,
        None,
        &JoinType::Inner,
        None,
        PartitionMode::Auto,
        dimension.join.null_equality(),
        false,
    )?)))
}

/// Some columns of a plan.
fn columns(plan: Arc<dyn ExecutionPlan>, order: impl Iterator<Item = usize>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let exprs: Vec<(Arc<dyn PhysicalExpr>, String)> = order
        .map(|at| {
            let name = schema.field(at).name();
            (Arc::new(Column::new(name, at)) as Arc<dyn PhysicalExpr>, name.clone())
        })
        .collect();
    Ok(Arc::new(ProjectionExec::try_new(exprs, plan)?))
}

fn is_joined(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.exists(|node| Ok(node.downcast_ref::<HashJoinExec>().is_some())).unwrap_or(false)
}

/// A table under a filter, or inner joins of tables of which one is.
fn is_filtered(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some((_, filtered)) = table(plan) {
        return filtered;
    }
    let Some(join) = plan.downcast_ref::<HashJoinExec>() else { return false };
    let plain = |side| is_filtered(side) || table(side).is_some();
    *join.join_type() == JoinType::Inner
        && plain(join.left())
        && plain(join.right())
        && (is_filtered(join.left()) || is_filtered(join.right()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::columns::testing::{depth, run};
    use super::PushDownDimension;

    const TABLES: [&str; 4] = [
        "create table lines as select value % 500 as s, value % 3000 as o from generate_series(1, 20000)",
        "create table suppliers as select value as id, value % 25 as n from generate_series(1, 400)",
        "create table orders as select value as oid, value % 3 as status from generate_series(1, 3000)",
        "create table nations as select value as nid, concat('n', value) as name from generate_series(1, 25)",
    ];

    #[tokio::test]
    async fn a_filtered_dimension_is_joined_to_its_table_first() {
        let query = "select name, id, status, count(*) from suppliers, lines, orders, nations
            where id = s and oid = o and n = nid and name = 'n7' group by name, id, status";
        let (before, rows) = run(&TABLES, query, None).await;
        let (plan, same) = run(&TABLES, query, Some(Arc::new(PushDownDimension))).await;
        assert!(depth(&plan, "FilterExec: name") > depth(&before, "FilterExec: name"), "{plan}");
        assert_eq!(rows, same);
        let swapped = "select name, id, status, count(*) from nations
            join (suppliers join lines on id = s join orders on oid = o) on n = nid
            where name = 'n7' group by name, id, status";
        let (plan, same) = run(&TABLES, swapped, Some(Arc::new(PushDownDimension))).await;
        assert!(depth(&plan, "FilterExec: name") > depth(&before, "FilterExec: name"), "{plan}");
        assert_eq!(rows, same);
    }

    #[tokio::test]
    async fn two_dimensions_of_one_table_do_not_pass_each_other_for_ever() {
        let query = "select name, status, count(*) from orders, lines, suppliers, nations
            where oid = o and id = s and n = nid and name = 'n7' and status = 1 and oid < 100 group by name, status";
        let (_, rows) = run(&TABLES, query, None).await;
        let (_, same) = run(&TABLES, query, Some(Arc::new(PushDownDimension))).await;
        assert_eq!(rows, same);
    }

    #[tokio::test]
    async fn filters_of_larger_tables_do_not_hold_a_dimension_up() {
        let query = "select name, id, status, count(*) from suppliers, lines, orders, nations
            where id = s and oid = o and n = nid and name = 'n7' and status = 1 and s > 10 group by name, id, status";
        let (before, rows) = run(&TABLES, query, None).await;
        let (plan, same) = run(&TABLES, query, Some(Arc::new(PushDownDimension))).await;
        assert!(depth(&plan, "FilterExec: name") > depth(&before, "FilterExec: name"), "{plan}");
        assert_eq!(rows, same);
    }

    #[tokio::test]
    async fn outer_joins_and_unfiltered_dimensions_stay() {
        for query in [
            "select name, id, status from suppliers join lines on id = s join orders on oid = o left join nations
                on n = nid and name = 'n7'",
            "select name, id, status from suppliers, lines, orders, nations where id = s and oid = o and n = nid",
        ] {
            let (before, _) = run(&TABLES, query, None).await;
            let (plan, _) = run(&TABLES, query, Some(Arc::new(PushDownDimension))).await;
            assert_eq!(before, plan);
        }
    }
}
