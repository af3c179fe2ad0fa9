//! Outer columns: which a plan uses, and giving them other names. Names are unique in a query, so no levels are counted.

use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, HashMap};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A name no other column has.
pub(super) fn fresh() -> String {
    format!("#u{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A column no other plan has.
pub(super) fn fresh_column() -> Column {
    Column::new_unqualified(fresh())
}

/// Columns of `schema` that a plan refers to from inside, at any depth, in order of appearance.
pub(super) fn of(plan: &LogicalPlan, schema: &DFSchema) -> Vec<Column> {
    let mut found: Vec<Column> = Vec::new();
    visit(plan, &mut |column| {
        if schema.has_column(column) && !found.contains(column) {
            found.push(column.clone());
        }
        false
    });
    found
}

/// Whether a plan refers to any outer column that is not bound inside it.
pub(super) fn any(plan: &LogicalPlan) -> bool {
    let mut inner: Vec<Column> = Vec::new();
    // The closure never fails.
    let _ = plan.apply_with_subqueries(|node| {
        inner.extend(node.schema().columns());
        Ok(TreeNodeRecursion::Continue)
    });
    visit(plan, &mut |column| !inner.contains(column))
}

/// Whether a plan refers to one of these outer columns.
pub(super) fn plan_uses(plan: &LogicalPlan, outer: &[Column]) -> bool {
    visit(plan, &mut |column| outer.contains(column))
}

/// Whether an expression refers to one of these outer columns, itself or in its subqueries.
pub(super) fn expr_uses(expr: &Expr, outer: &[Column]) -> bool {
    let mut found = false;
    let _ = expr.apply(|e| {
        found |= match e {
            Expr::OuterReferenceColumn(_, column) => outer.contains(column),
            Expr::Exists(inner) => plan_uses(&inner.subquery.subquery, outer),
            Expr::InSubquery(inner) => plan_uses(&inner.subquery.subquery, outer),
            Expr::ScalarSubquery(inner) => plan_uses(&inner.subquery, outer),
            _ => false,
        };
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}

/// Looks at outer columns until `stop` says so; whether it did.
fn visit(plan: &LogicalPlan, stop: &mut dyn FnMut(&Column) -> bool) -> bool {
    let mut stopped = false;
    let _ = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|e| {
                if let Expr::OuterReferenceColumn(_, column) = e {
                    stopped |= stop(column);
                }
                Ok(if stopped { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })
        })?;
        Ok(if stopped { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    stopped
}

/// An expression with outer columns made columns of this plan; subqueries inside refer to the new names.
pub(super) fn bind(expr: Expr, names: &HashMap<Column, Column>) -> Result<Expr> {
    expr.transform_down(|e| {
        Ok(match e {
            Expr::OuterReferenceColumn(field, column) => match names.get(&column) {
                Some(name) => Transformed::yes(Expr::Column(name.clone())),
                None => Transformed::no(Expr::OuterReferenceColumn(field, column)),
            },
            Expr::Exists(mut exists) => {
                exists.subquery.subquery = rename(exists.subquery.subquery.as_ref().clone(), names)?.into();
                Transformed::yes(Expr::Exists(exists))
            }
            Expr::InSubquery(mut inner) => {
                inner.subquery.subquery = rename(inner.subquery.subquery.as_ref().clone(), names)?.into();
                Transformed::yes(Expr::InSubquery(inner))
            }
            Expr::ScalarSubquery(mut inner) => {
                inner.subquery = rename(inner.subquery.as_ref().clone(), names)?.into();
                Transformed::yes(Expr::ScalarSubquery(inner))
            }
            other => Transformed::no(other),
        })
    })
    .map(|t| t.data)
}

/// A plan that refers to outer columns by other names.
pub(super) fn rename(plan: LogicalPlan, names: &HashMap<Column, Column>) -> Result<LogicalPlan> {
    plan.transform_down_with_subqueries(|node| {
        let saver = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = saver.save(&expr);
            let renamed = expr.transform(|e| {
                Ok(match e {
                    Expr::OuterReferenceColumn(field, column) => match names.get(&column) {
                        Some(to) => Transformed::yes(Expr::OuterReferenceColumn(field, to.clone())),
                        None => Transformed::no(Expr::OuterReferenceColumn(field, column)),
                    },
                    other => Transformed::no(other),
                })
            })?;
            Ok(renamed.update_data(|expr| name.restore(expr)))
        })
    })
    .map(|t| t.data)
}

/// Replaces columns by expressions.
pub(super) fn substitute(expr: Expr, by: &HashMap<Column, Expr>) -> Result<Expr> {
    expr.transform_down(|e| {
        Ok(match e {
            Expr::Column(column) => match by.get(&column) {
                Some(with) => Transformed::new(with.clone(), true, TreeNodeRecursion::Jump),
                None => Transformed::no(Expr::Column(column)),
            },
            other => Transformed::no(other),
        })
    })
    .map(|t| t.data)
}

/// Outer columns as columns.
pub(super) fn inner(expr: Expr) -> Result<Expr> {
    expr.transform(|e| {
        Ok(match e {
            Expr::OuterReferenceColumn(_, column) => Transformed::yes(Expr::Column(column)),
            other => Transformed::no(other),
        })
    })
    .map(|t| t.data)
}
