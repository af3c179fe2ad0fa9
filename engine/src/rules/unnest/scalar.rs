//! Scalar subqueries: one value for each outer row, null without rows, an error with more than one.

use std::sync::Arc;

use datafusion::common::{Column, JoinType, Spans, internal_err};
use datafusion::error::Result;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Expr, FetchType, LogicalPlan, Operator, SkipType, Subquery, lit, when,
};

use super::flat::{Flat, join};
use super::pull::Rows;
use super::{Scalars, project, refs};

/// A scalar subquery as an expression over `input` and what is added to it.
pub(super) fn value(sub: &LogicalPlan, input: &mut LogicalPlan, scalars: Scalars) -> Result<Expr> {
    let outer = refs::of(sub, input.schema());
    if outer.is_empty() {
        let one = one_row(sub.clone())?;
        if scalars == Scalars::Stay {
            return Ok(expression(one));
        }
        let [column] = <[Column; 1]>::try_from(one.schema().columns()).map_err(|_| width())?;
        let name = refs::fresh_column();
        let right = project(one, vec![Expr::Column(column).alias(name.name.clone())])?;
        *input = join(std::mem::take(input), right, vec![], JoinType::Left)?;
        return Ok(Expr::Column(name));
    }
    let mut flat = Flat::new(sub, input, Rows::Counted)?;
    if flat.always {
        let [value] = <[Expr; 1]>::try_from(flat.outputs.clone()).map_err(|_| width())?;
        let stays = flat.stays();
        *input = join(std::mem::take(input), flat.right, flat.conditions, JoinType::Left)?;
        return Ok(match stays {
            Some(stays) => when(stays, value).end()?,
            None => value,
        });
    }
    if is_single(sub) {
        let [value] = <[Expr; 1]>::try_from(flat.outputs.clone()).map_err(|_| width())?;
        let own = flat.is_own(&value);
        *input = join(std::mem::take(input), flat.right, flat.conditions, JoinType::Left)?;
        return if own { Ok(value) } else { when(Expr::Column(flat.marker).is_not_null(), value).end() };
    }
    // Rows are counted for each outer row, which takes keys on the inner side.
    let mut keys = keys(&flat);
    if keys.is_none() || !flat.outputs.iter().all(|e| flat.is_own(e)) {
        flat = Flat::by_values(sub, input, outer)?;
        keys = Some(flat.values.iter().cloned().map(Expr::Column).collect());
    }
    let [value] = <[Expr; 1]>::try_from(flat.outputs.clone()).map_err(|_| width())?;
    let keys = keys.unwrap_or_default();
    let mut names = datafusion::common::HashMap::new();
    let mut group = Vec::new();
    for key in keys {
        let name = refs::fresh_column();
        group.push(key.clone().alias(name.name.clone()));
        names.insert(key, name);
    }
    let (plan, value) = counted(flat.right, group, value)?;
    let on = flat.conditions.into_iter().map(|c| renamed(c, &names)).collect::<Result<Vec<_>>>()?;
    *input = join(std::mem::take(input), plan, on, JoinType::Left)?;
    Ok(value)
}

/// A plan as a scalar subquery that refers to nothing outside.
pub(super) fn expression(plan: LogicalPlan) -> Expr {
    Expr::ScalarSubquery(Subquery { subquery: Arc::new(plan), outer_ref_columns: vec![], spans: Spans::new() })
}

/// The inner sides of the conditions, when each compares an inner value with an outer one for equality.
fn keys(flat: &Flat) -> Option<Vec<Expr>> {
    flat.conditions
        .iter()
        .map(|condition| match condition {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq | Operator::IsNotDistinctFrom, right }) => {
                let mixed = |e: &Expr| !e.column_refs().is_empty() && flat.is_own(e);
                match (mixed(left), mixed(right)) {
                    (true, false) if outside(flat, right) => Some(left.as_ref().clone()),
                    (false, true) if outside(flat, left) => Some(right.as_ref().clone()),
                    _ => None,
                }
            }
            _ => None,
        })
        .collect()
}

fn outside(flat: &Flat, expr: &Expr) -> bool {
    expr.column_refs().into_iter().all(|c| !flat.right.schema().has_column(c))
}

/// A condition over groups in place of rows.
fn renamed(condition: Expr, names: &datafusion::common::HashMap<Expr, Column>) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
    condition
        .transform_down(|e| {
            Ok(match names.get(&e) {
                Some(name) => Transformed::new(Expr::Column(name.clone()), true, TreeNodeRecursion::Jump),
                None => Transformed::no(e),
            })
        })
        .map(|t| t.data)
}

/// At most one row, or an error when its value is read.
fn one_row(sub: LogicalPlan) -> Result<LogicalPlan> {
    if is_single(&sub) {
        return Ok(sub);
    }
    let [column] = <[Column; 1]>::try_from(sub.schema().columns()).map_err(|_| width())?;
    let (plan, value) = counted(sub, vec![], Expr::Column(column))?;
    project(plan, vec![value.alias(refs::fresh())])
}

/// The first value and the number of rows of each group; the value, checked.
fn counted(input: LogicalPlan, group: Vec<Expr>, value: Expr) -> Result<(LogicalPlan, Expr)> {
    let (rows, first) = (refs::fresh_column(), refs::fresh_column());
    let count = AggregateFunction::new_udf(count_udaf(), vec![lit(1_i64)], false, None, vec![], None);
    let any = AggregateFunction::new_udf(first_value_udaf(), vec![value], false, None, vec![], None);
    let calls = vec![
        Expr::AggregateFunction(count).alias(rows.name.clone()),
        Expr::AggregateFunction(any).alias(first.name.clone()),
    ];
    let plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), group, calls)?);
    let Some(check) = firesteel_functions::registry().scalar(firesteel_functions::SINGLE_ROW) else {
        return internal_err!("there is no check of scalar subqueries");
    };
    let value = when(check.call(vec![Expr::Column(rows)]), Expr::Column(first)).end()?;
    Ok((plan, value))
}

/// Whether a plan has at most one row for each outer row.
fn is_single(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => is_single(&projection.input),
        LogicalPlan::Filter(filter) => is_single(&filter.input),
        LogicalPlan::Sort(sort) => is_single(&sort.input),
        LogicalPlan::SubqueryAlias(alias) => is_single(&alias.input),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(_) => true,
        LogicalPlan::Values(values) => values.values.len() <= 1,
        LogicalPlan::Limit(limit) => {
            matches!(
                (limit.get_skip_type(), limit.get_fetch_type()),
                (Ok(SkipType::Literal(_)), Ok(FetchType::Literal(Some(0 | 1))))
            ) || is_single(&limit.input)
        }
        _ => false,
    }
}

fn width() -> datafusion::error::DataFusionError {
    datafusion::error::DataFusionError::Plan("a scalar subquery has one column".into())
}
