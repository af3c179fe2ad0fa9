//! DataFusion plans over `#id` columns. It knows no Spark rule.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, HashMap};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, LogicalPlanBuilder, Projection, SortExpr};
use firesteel_engine::rules::names;
use firesteel_functions::{SparkResult, arithmetic, registry, task, under};

use super::errors;
use super::scope::{Attribute, column_name};

/// A projection; a column that keeps its id stays a bare column.
pub(super) fn project(input: LogicalPlan, exprs: Vec<(Expr, u64)>) -> SparkResult<LogicalPlan> {
    let exprs = exprs.into_iter().map(|(expr, id)| Ok(named(shortened(expr)?, id))).collect::<SparkResult<_>>()?;
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input)).map_err(errors::planning)?))
}

fn shortened(expr: Expr) -> SparkResult<Expr> {
    names::shortened(expr).map(|t| t.data).map_err(errors::planning)
}

/// An expression under the name of an id.
pub(super) fn named(expr: Expr, id: u64) -> Expr {
    let name = column_name(id);
    match &expr {
        Expr::Column(column) if column.relation.is_none() && column.name == name => expr,
        _ => expr.alias(name),
    }
}

/// A projection to columns as they are.
pub(super) fn keep(input: LogicalPlan, attributes: &[Attribute]) -> SparkResult<LogicalPlan> {
    let same = input.schema().fields().len() == attributes.len()
        && input.schema().fields().iter().zip(attributes).all(|(f, a)| *f.name() == column_name(a.id));
    if same {
        return Ok(input);
    }
    project(input, attributes.iter().map(|a| (a.expr(), a.id)).collect())
}

/// A filter.
pub(super) fn filter(input: LogicalPlan, predicate: Expr) -> SparkResult<LogicalPlan> {
    let predicate = shortened(predicate)?;
    Ok(LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input)).map_err(errors::planning)?))
}

/// A sort.
pub(super) fn sort(input: LogicalPlan, keys: Vec<SortExpr>) -> SparkResult<LogicalPlan> {
    if keys.is_empty() {
        return Ok(input);
    }
    Ok(LogicalPlan::Sort(datafusion::logical_expr::Sort { expr: keys, input: Arc::new(input), fetch: None }))
}

/// Skip and limit.
pub(super) fn limit(input: LogicalPlan, skip: usize, fetch: Option<usize>) -> SparkResult<LogicalPlan> {
    LogicalPlanBuilder::from(input).limit(skip, fetch).and_then(LogicalPlanBuilder::build).map_err(errors::planning)
}

/// `DISTINCT` over all columns; equal floats may differ in bits.
pub(super) fn distinct(input: LogicalPlan) -> SparkResult<LogicalPlan> {
    let float = |field: &Field| arithmetic::holds_float(field.data_type());
    if input.schema().fields().iter().all(|field| !float(field)) {
        return LogicalPlanBuilder::from(input)
            .distinct()
            .and_then(LogicalPlanBuilder::build)
            .map_err(errors::planning);
    }
    let exprs = input
        .schema()
        .iter()
        .map(|(qualifier, field)| {
            let column = Expr::Column(Column::new(qualifier.cloned(), field.name().clone()));
            if float(field) {
                arithmetic::normalize_float(column).alias_qualified(qualifier.cloned(), field.name().clone())
            } else {
                column
            }
        })
        .collect();
    let input = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input)).map_err(errors::planning)?);
    LogicalPlanBuilder::from(input).distinct().and_then(LogicalPlanBuilder::build).map_err(errors::planning)
}

/// Replaces columns by expressions.
pub(super) fn substitute(expr: Expr, by: &HashMap<Column, Expr>) -> SparkResult<Expr> {
    expr.transform_up(|e| {
        Ok(match &e {
            Expr::Column(column) => match by.get(column) {
                Some(with) => Transformed::yes(with.clone()),
                None => Transformed::no(e),
            },
            _ => Transformed::no(e),
        })
    })
    .map(|t| t.data)
    .map_err(errors::planning)
}

/// A plan whose functions run under an ANSI mode and a time zone whatever the query's are. Casts have their mode as an
/// argument, but not their zone.
pub(super) fn bound(plan: LogicalPlan, ansi: bool, time_zone: &str) -> SparkResult<LogicalPlan> {
    let ours = |name: &str| registry().scalar(name).is_some() && !task::FUNCTIONS.contains(&name);
    plan.transform_up_with_subqueries(|node| {
        node.map_expressions(|expr| {
            expr.transform_up(|e| {
                Ok(match e {
                    Expr::ScalarFunction(mut call) if ours(call.func.name()) => {
                        call.func = under(&call.func, ansi, time_zone);
                        Transformed::yes(Expr::ScalarFunction(call))
                    }
                    other => Transformed::no(other),
                })
            })
        })
    })
    .map(|t| t.data)
    .map_err(errors::planning)
}

/// Whether an expression has a part that fits.
pub(super) fn contains(expr: &Expr, fits: impl Fn(&Expr) -> bool) -> bool {
    expr.exists(|e| Ok(fits(e))).unwrap_or(false)
}
