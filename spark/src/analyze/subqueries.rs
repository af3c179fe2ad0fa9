//! `IN` and `EXISTS` where the optimizer has no join for them: in projections and below anything but `AND` and `OR`.
//!
//! There they become counts, which keep the three values of `IN`. It knows plans only.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, Spans};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, Exists, InSubquery};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Expr, Filter, LogicalPlan, Operator, Projection, Subquery, and, lit, or, when,
};
use datafusion::scalar::ScalarValue;
use firesteel_functions::SparkResult;

use super::errors;

/// Rewrites what a filter cannot join.
pub(super) fn in_filter(predicate: Expr, schema: &DFSchema) -> SparkResult<Expr> {
    conjunct(predicate, schema, true).map_err(errors::planning)
}

/// Rewrites all of a projection's.
pub(super) fn in_projection(expr: Expr, schema: &DFSchema) -> SparkResult<Expr> {
    counted(expr, schema).map_err(errors::planning)
}

/// `only_and`: nothing but `AND` stands above, so that NULL and false are the same.
fn conjunct(expr: Expr, schema: &DFSchema, only_and: bool) -> Result<Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            let only_and = only_and && op == Operator::And;
            let left = stacker::maybe_grow(64 * 1024, 1024 * 1024, || conjunct(*left, schema, only_and))?;
            let right = stacker::maybe_grow(64 * 1024, 1024 * 1024, || conjunct(*right, schema, only_and))?;
            Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
        }
        Expr::InSubquery(subquery)
            if subquery.subquery.subquery.schema().fields().len() > 1 && (!subquery.negated || only_and) =>
        {
            exists_row(subquery, schema)
        }
        Expr::InSubquery(ref subquery) if one_row(subquery).is_none() && (!subquery.negated || only_and) => Ok(expr),
        Expr::Exists(_) => Ok(expr),
        other => counted(other, schema),
    }
}

fn counted(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let concerns = |e: &Expr| matches!(e, Expr::InSubquery(_) | Expr::Exists(_));
    if !expr.exists(|e| Ok(concerns(e)))? {
        return Ok(expr);
    }
    expr.transform_down(|e| {
        Ok(match e {
            Expr::Exists(exists) => {
                let any = count(exists.subquery.subquery.as_ref().clone())?.gt(lit(0_i64));
                Transformed::new(if exists.negated { negate(any) } else { any }, true, TreeNodeRecursion::Jump)
            }
            Expr::InSubquery(subquery) if subquery.subquery.subquery.schema().fields().len() > 1 => {
                Transformed::new(counted_row(subquery, schema)?, true, TreeNodeRecursion::Jump)
            }
            Expr::InSubquery(subquery) if one_row(&subquery).is_some() => {
                Transformed::new(compared(subquery)?, true, TreeNodeRecursion::Jump)
            }
            Expr::InSubquery(subquery) => {
                let value = *subquery.expr;
                let plan = subquery.subquery.subquery;
                let column = Expr::Column(plan.schema().columns().into_iter().next().unwrap_or_else(|| "?".into()));
                let probe = outer(value.clone(), schema)?;
                let matching = Filter::try_new(column.clone().eq(probe), Arc::clone(&plan))?;
                let unknown = Filter::try_new(column.is_null(), Arc::clone(&plan))?;
                let hits = count(LogicalPlan::Filter(matching))?.gt(lit(0_i64));
                let nulls = count(LogicalPlan::Filter(unknown))?.gt(lit(0_i64));
                let any = count(plan.as_ref().clone())?.gt(lit(0_i64));
                let open = or(and(value.is_null(), any), nulls);
                let three = when(hits, lit(true))
                    .when(open, Expr::Literal(ScalarValue::Boolean(None), None))
                    .otherwise(lit(false))?;
                Transformed::new(if subquery.negated { negate(three) } else { three }, true, TreeNodeRecursion::Jump)
            }
            other => Transformed::no(other),
        })
    })
    .map(|t| t.data)
}

/// A correlated `IN` over an aggregate without groups, which has one row for every outer row, also where nothing matches:
/// `Some(true)` when a condition may take that row away.
fn one_row(subquery: &InSubquery) -> Option<bool> {
    fn walk(plan: &LogicalPlan, filtered: bool) -> Option<bool> {
        match plan {
            LogicalPlan::Projection(projection) => walk(&projection.input, filtered),
            LogicalPlan::Filter(filter) => walk(&filter.input, true),
            LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => Some(filtered),
            _ => None,
        }
    }
    let correlated = !subquery.subquery.outer_ref_columns.is_empty();
    if correlated { walk(&subquery.subquery.subquery, false) } else { None }
}

/// The same as a comparison with a scalar subquery.
fn compared(subquery: InSubquery) -> Result<Expr> {
    let filtered = one_row(&subquery).unwrap_or_default();
    let InSubquery { expr, subquery, negated } = subquery;
    if filtered {
        return datafusion::common::not_impl_err!("IN over a correlated aggregate with HAVING");
    }
    let equal = (*expr).eq(Expr::ScalarSubquery(subquery));
    Ok(if negated { negate(equal) } else { equal })
}

/// The parts of a row value, each against a column of the subquery: equal, and equal or unknown.
fn row_tests(probe: Expr, plan: &LogicalPlan, schema: &DFSchema) -> Result<(Expr, Expr)> {
    let Expr::ScalarFunction(row) = probe else {
        return datafusion::common::internal_err!("a row value is a struct");
    };
    let values = row.args.into_iter().skip(1).step_by(2);
    let (mut equal, mut open) = (lit(true), lit(true));
    for (value, column) in values.zip(plan.schema().columns()) {
        let value = outer(value, schema)?;
        let column = Expr::Column(column);
        let same = column.clone().eq(value.clone());
        equal = and(equal, same.clone());
        open = and(open, or(same, or(column.is_null(), value.is_null())));
    }
    Ok((equal, open))
}

/// `(a, b) IN (...)` where NULL and false are the same, as `EXISTS`.
fn exists_row(subquery: InSubquery, schema: &DFSchema) -> Result<Expr> {
    let plan = subquery.subquery.subquery;
    let (equal, open) = row_tests(*subquery.expr, &plan, schema)?;
    let filter = LogicalPlan::Filter(Filter::try_new(if subquery.negated { open } else { equal }, plan)?);
    let outer_ref_columns = filter.all_out_ref_exprs();
    let inner = Subquery { subquery: Arc::new(filter), outer_ref_columns, spans: Spans::new() };
    Ok(Expr::Exists(Exists { subquery: inner, negated: subquery.negated }))
}

/// `(a, b) IN (...)` with its three values.
fn counted_row(subquery: InSubquery, schema: &DFSchema) -> Result<Expr> {
    let plan = subquery.subquery.subquery;
    let (equal, open) = row_tests(*subquery.expr, &plan, schema)?;
    let hits = count(LogicalPlan::Filter(Filter::try_new(equal, Arc::clone(&plan))?))?.gt(lit(0_i64));
    let open = count(LogicalPlan::Filter(Filter::try_new(open, plan)?))?.gt(lit(0_i64));
    let three =
        when(hits, lit(true)).when(open, Expr::Literal(ScalarValue::Boolean(None), None)).otherwise(lit(false))?;
    Ok(if subquery.negated { negate(three) } else { three })
}

fn negate(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

/// Rows of a plan as a scalar subquery.
fn count(plan: LogicalPlan) -> Result<Expr> {
    let call = AggregateFunction::new_udf(count_udaf(), vec![lit(1_i64)], false, None, vec![], None);
    let aggregate = Aggregate::try_new(Arc::new(plan), vec![], vec![Expr::AggregateFunction(call).alias("#count")])?;
    let column = Expr::Column(datafusion::common::Column::new_unqualified("#count"));
    let plan = LogicalPlan::Projection(Projection::try_new(vec![column], Arc::new(LogicalPlan::Aggregate(aggregate)))?);
    let outer_ref_columns = plan.all_out_ref_exprs();
    Ok(Expr::ScalarSubquery(Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() }))
}

/// An expression over the outer plan, seen from inside.
fn outer(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    expr.transform(|e| {
        Ok(match e {
            Expr::Column(column) => {
                let (_, field) = schema.qualified_field_from_column(&column)?;
                Transformed::yes(Expr::OuterReferenceColumn(Arc::clone(field), column))
            }
            other => Transformed::no(other),
        })
    })
    .map(|t| t.data)
}

/// A plan without the sort at its top, which no `IN` can see.
pub(super) fn unordered(plan: LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => unordered(Arc::unwrap_or_clone(sort.input)),
        LogicalPlan::Projection(projection) => {
            let Projection { expr, input, schema, .. } = projection;
            let input = unordered(Arc::unwrap_or_clone(input));
            match Projection::try_new_with_schema(expr, Arc::new(input), schema) {
                Ok(made) => LogicalPlan::Projection(made),
                Err(_) => LogicalPlan::default(),
            }
        }
        other => other,
    }
}

/// A plan that has rows exactly when the given one has: without sorts, projections, groups and limits at its top.
pub(super) fn any_row(plan: LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => any_row(Arc::unwrap_or_clone(sort.input)),
        LogicalPlan::Projection(projection) if !unnests(&projection.expr) => {
            any_row(Arc::unwrap_or_clone(projection.input))
        }
        LogicalPlan::Distinct(datafusion::logical_expr::Distinct::All(input)) => any_row(Arc::unwrap_or_clone(input)),
        LogicalPlan::Aggregate(aggregate) if grouped(&aggregate) => any_row(Arc::unwrap_or_clone(aggregate.input)),
        LogicalPlan::Limit(limit) if at_least_one(&limit) => any_row(Arc::unwrap_or_clone(limit.input)),
        other => other,
    }
}

fn unnests(exprs: &[Expr]) -> bool {
    exprs.iter().any(|e| e.exists(|e| Ok(matches!(e, Expr::Unnest(_)))).unwrap_or(true))
}

/// Plain groups: every input row is in one.
fn grouped(aggregate: &Aggregate) -> bool {
    !aggregate.group_expr.is_empty() && !aggregate.group_expr.iter().any(|e| matches!(e, Expr::GroupingSet(_)))
}

fn at_least_one(limit: &datafusion::logical_expr::Limit) -> bool {
    let literal = |e: &Option<Box<Expr>>| match e.as_deref() {
        Some(Expr::Literal(ScalarValue::Int64(Some(n)), _)) => Some(*n),
        _ => None,
    };
    literal(&limit.skip).unwrap_or(0) == 0 && limit.fetch.is_some() && literal(&limit.fetch).is_some_and(|n| n >= 1)
}
