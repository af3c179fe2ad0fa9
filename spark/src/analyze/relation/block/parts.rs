//! The expressions of a select block while aggregates, windows and generators are taken out of them.

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use firesteel_functions::SparkResult;

use crate::analyze::errors;
use crate::analyze::expr::Generator;

/// The expressions of a block while they are taken apart.
pub(super) struct Parts {
    /// `HAVING`.
    pub having: Vec<Expr>,
    /// `QUALIFY`.
    pub qualify: Vec<Expr>,
    /// Generators.
    pub generators: Vec<Generator>,
    /// The select list.
    pub items: Vec<(Expr, u64)>,
}

impl Parts {
    /// Whether some expression fits.
    pub(super) fn any(&self, fits: impl Fn(&Expr) -> bool) -> bool {
        let mut found = false;
        self.visit(|e| found |= fits(e));
        found
    }

    /// Shows every expression outside aggregates.
    pub(super) fn visit(&self, mut visit: impl FnMut(&Expr)) {
        let args = self.generators.iter().flat_map(|g| g.args.iter().map(|a| &a.expr));
        let all = self.having.iter().chain(&self.qualify).chain(args).chain(self.items.iter().map(|(e, _)| e));
        for expr in all {
            let visited = expr.apply(|e| {
                visit(e);
                // What stands inside an aggregate is over the input.
                Ok(if matches!(e, Expr::AggregateFunction(_)) {
                    TreeNodeRecursion::Jump
                } else {
                    TreeNodeRecursion::Continue
                })
            });
            debug_assert!(visited.is_ok());
        }
    }

    /// Replaces parts from the top down; what was replaced is not looked into.
    pub(super) fn rewrite(&mut self, replace: impl Fn(&Expr) -> Option<Expr>) -> SparkResult<()> {
        let args = self.generators.iter_mut().flat_map(|g| g.args.iter_mut().map(|a| &mut a.expr));
        let all =
            self.having.iter_mut().chain(&mut self.qualify).chain(args).chain(self.items.iter_mut().map(|(e, _)| e));
        for slot in all {
            let expr = std::mem::replace(slot, Expr::Literal(datafusion::scalar::ScalarValue::Null, None));
            let rewritten = expr.transform_down(|e| {
                Ok(match replace(&e) {
                    Some(with) => Transformed::new(with, true, TreeNodeRecursion::Jump),
                    None => Transformed::no(e),
                })
            });
            *slot = rewritten.map_err(errors::planning)?.data;
        }
        Ok(())
    }
}

/// Computes the window functions of a block below its projection: those over others after them.
pub(super) fn windows(mut plan: LogicalPlan, parts: &mut Parts) -> SparkResult<LogicalPlan> {
    loop {
        let mut found: Vec<Expr> = Vec::new();
        parts.visit(|e| {
            if is_window(e) && !has_window(e) && !found.contains(e) {
                found.push(e.clone());
            }
        });
        if found.is_empty() {
            return Ok(plan);
        }
        let columns: Vec<(Expr, Column)> =
            found.iter().map(|e| (e.clone(), Column::new_unqualified(e.schema_name().to_string()))).collect();
        plan = LogicalPlanBuilder::window_plan(plan, found).map_err(errors::planning)?;
        parts.rewrite(|e| columns.iter().find(|(known, _)| known == e).map(|(_, c)| Expr::Column(c.clone())))?;
    }
}

fn is_window(expr: &Expr) -> bool {
    matches!(expr, Expr::WindowFunction(_))
}

/// Whether there is a window function below an expression.
fn has_window(expr: &Expr) -> bool {
    let mut found = false;
    let visited = expr.apply_children(|child| {
        found |= child.exists(|e| Ok(is_window(e)))?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    debug_assert!(visited.is_ok());
    found
}
