//! Turns every subquery expression and lateral join into joins, whatever its shape, so that the optimizer only sees plain plans.
//!
//! Simple shapes are pulled apart: correlated conditions become join conditions ([`pull`]). All others are computed for each
//! distinct set of outer values at once, as in Neumann and Kemper, "Unnesting Arbitrary Queries", BTW 2015 ([`domain`]).
//! From the top down: when a node is done, nothing below it refers to anything above. It relies on column names that are unique
//! in the whole query, and knows nothing of Spark's names.

mod condition;
mod domain;
mod filter;
mod flat;
mod lateral;
mod probe;
mod pull;
mod refs;
mod scalar;
mod source;

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, not_impl_err};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, Projection, binary_expr};
use datafusion::optimizer::AnalyzerRule;

/// The rule.
#[derive(Debug, Default)]
pub(super) struct Unnest;

impl AnalyzerRule for Unnest {
    fn name(&self) -> &str {
        "unnest_subqueries"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        closed(plan)
    }
}

/// Rewrites a plan that refers to nothing outside.
fn closed(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_down(|plan| {
        let plan = node(plan)?;
        // What is left are scalar subqueries that refer to nothing outside.
        plan.map_data(|plan| plan.map_subqueries(|inner| closed(inner).map(Transformed::yes)).map(|t| t.data))
    })
    .map(|t| t.data)
}

fn node(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if let LogicalPlan::Join(join) = &plan
        && let LogicalPlan::Subquery(_) = join.right.as_ref()
    {
        let LogicalPlan::Join(join) = plan else { return Ok(Transformed::no(plan)) };
        return lateral::join(join).map(Transformed::yes);
    }
    if !has_subqueries(&plan)? {
        return Ok(Transformed::no(plan));
    }
    let rewritten = match plan {
        LogicalPlan::Filter(filter) => filter::rewrite(filter)?,
        LogicalPlan::Join(join) => condition::rewrite(join)?,
        LogicalPlan::Projection(projection) => {
            let mut input = Arc::unwrap_or_clone(projection.input);
            let names = projection.schema.columns();
            let exprs = projection
                .expr
                .into_iter()
                .zip(names)
                .map(|(expr, name)| {
                    let rewritten = hoist(expr.clone(), &mut input, Scalars::Stay)?;
                    Ok(if rewritten == expr { expr } else { named(rewritten, &name) })
                })
                .collect::<Result<Vec<_>>>()?;
            LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?)
        }
        LogicalPlan::Aggregate(_) | LogicalPlan::Sort(_) | LogicalPlan::Window(_) => below(plan)?,
        other => {
            let mut wrong = false;
            other.apply_subqueries(|inner| {
                wrong |= refs::any(inner);
                Ok(TreeNodeRecursion::Jump)
            })?;
            if wrong {
                return not_impl_err!("a correlated subquery in {}", other.display());
            }
            return Ok(Transformed::no(other));
        }
    };
    Ok(Transformed::yes(rewritten))
}

/// Computes subqueries below a node that only keeps its own columns' names.
fn below(plan: LogicalPlan) -> Result<LogicalPlan> {
    let columns = plan.schema().columns();
    let inputs = plan.inputs();
    let [input] = inputs.as_slice() else { return not_impl_err!("a subquery in {}", plan.display()) };
    let mut input = (*input).clone();
    let saver = datafusion::logical_expr::expr_rewriter::NamePreserver::new(&plan);
    let exprs = plan
        .expressions()
        .into_iter()
        .map(|expr| {
            let name = saver.save(&expr);
            Ok(name.restore(hoist(expr, &mut input, Scalars::Join)?))
        })
        .collect::<Result<Vec<_>>>()?;
    keep(plan.with_new_exprs(exprs, vec![input])?, &columns)
}

/// What becomes of a scalar subquery without outer columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scalars {
    /// It stays an expression.
    Stay,
    /// It becomes a column.
    Join,
}

/// Replaces the subqueries of an expression by columns that are added to `input`.
fn hoist(expr: Expr, input: &mut LogicalPlan, scalars: Scalars) -> Result<Expr> {
    if !has_subquery(&expr)? {
        return Ok(expr);
    }
    expr.transform_down(|e| {
        let value = match e {
            Expr::Not(inner) => match *inner {
                Expr::Not(twice) => hoist(*twice, input, scalars)?,
                Expr::Exists(Exists { subquery, negated }) => {
                    probe::exists(Exists { subquery, negated: !negated }, input, scalars)?
                }
                Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                    let expr = Box::new(hoist(*expr, input, scalars)?);
                    probe::contains(InSubquery { expr, subquery, negated: !negated }, input, scalars)?
                }
                // Unknown is false for NOT IN as for IN, so that NOT has to reach it.
                Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
                    let op = if op == Operator::And { Operator::Or } else { Operator::And };
                    let left = hoist(Expr::Not(left), input, scalars)?;
                    let right = hoist(Expr::Not(right), input, scalars)?;
                    binary_expr(left, op, right)
                }
                other => return Ok(Transformed::no(Expr::Not(Box::new(other)))),
            },
            Expr::Exists(exists) => probe::exists(exists, input, scalars)?,
            Expr::InSubquery(mut subquery) => {
                subquery.expr = Box::new(hoist(*subquery.expr, input, scalars)?);
                probe::contains(subquery, input, scalars)?
            }
            Expr::ScalarSubquery(subquery) => scalar::value(&subquery.subquery, input, scalars)?,
            other => return Ok(Transformed::no(other)),
        };
        Ok(Transformed::new(value, true, TreeNodeRecursion::Jump))
    })
    .map(|t| t.data)
}

fn has_subquery(expr: &Expr) -> Result<bool> {
    expr.exists(|e| Ok(matches!(e, Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_))))
}

fn has_subqueries(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_expressions(|expr| {
        found |= has_subquery(expr)?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// An expression under a column's name.
fn named(expr: Expr, name: &Column) -> Expr {
    match expr {
        Expr::Column(column) if column == *name => Expr::Column(column),
        Expr::Alias(alias) => named(*alias.expr, name),
        expr => expr.alias_qualified(name.relation.clone(), name.name.clone()),
    }
}

/// A plan with just these columns.
fn keep(plan: LogicalPlan, columns: &[Column]) -> Result<LogicalPlan> {
    if plan.schema().columns() == columns {
        return Ok(plan);
    }
    project(plan, columns.iter().cloned().map(Expr::Column).collect())
}

/// A projection.
fn project(plan: LogicalPlan, exprs: Vec<Expr>) -> Result<LogicalPlan> {
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?))
}
