//! Gives functions deep inside an expression names of fixed length.
//!
//! DataFusion makes the name of a function from those of its arguments whenever it asks for its type, and asks for the type
//! of all arguments each time: a sum of 400 columns took half a minute to plan. Names inside an expression are seen by
//! nobody; they need only differ where expressions do, so they hold a hash. It knows no function.

mod short;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;

/// Levels from one short name to the next: one, since a name is asked for at every level by every level above.
const STEP: usize = 1;
/// Expressions with no more levels are left alone.
const ORDINARY: usize = 24;

/// The rule.
#[derive(Debug, Default)]
pub(super) struct ShortNames;

impl AnalyzerRule for ShortNames {
    fn name(&self) -> &str {
        "short_names"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let shortened = plan.transform_up_with_subqueries(|node| {
            let names = NamePreserver::new(&node);
            node.map_expressions(|expr| {
                if !deeper(&expr, ORDINARY) {
                    return Ok(Transformed::no(expr));
                }
                // Of the output's columns none changes its name.
                let name = names.save(&expr);
                Ok(shortened(expr)?.update_data(|expr| name.restore(expr)))
            })
        })?;
        Ok(shortened.data)
    }
}

/// The expression with short names where it is deep. Making a plan asks for types, too, so that an expression should come
/// here before it gets into one; the rule is for those that did not.
///
/// # Errors
/// None of its own; those of walking through an expression.
pub fn shortened(expr: Expr) -> Result<Transformed<Expr>> {
    if !deeper(&expr, ORDINARY) {
        return Ok(Transformed::no(expr));
    }
    expr.transform_up(|node| match node {
        Expr::ScalarFunction(mut call) if call.args.iter().any(|arg| deeper(arg, STEP)) => {
            let name = short_name(&call.func, &call.args);
            call.func = Arc::new(ScalarUDF::new_from_impl(short::Short::new(call.func, name)));
            Ok(Transformed::yes(Expr::ScalarFunction(call)))
        }
        other => Ok(Transformed::no(other)),
    })
}

/// Whether more than `levels` levels lie between an expression and short names or leaves.
fn deeper(expr: &Expr, levels: usize) -> bool {
    if matches!(expr, Expr::ScalarFunction(call) if call.func.inner().is::<short::Short>()) {
        return false;
    }
    let Some(left) = levels.checked_sub(1) else { return true };
    let mut found = false;
    let seen = expr.apply_children(|child| {
        found = deeper(child, left);
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found || seen.is_err()
}

/// The function and 128 bits of its arguments.
fn short_name(function: &ScalarUDF, args: &[Expr]) -> String {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        args.hash(&mut hasher);
        hasher.finish()
    };
    format!("{}(#{:016x}{:016x})", function.name(), half(0), half(1))
}

#[cfg(test)]
mod tests;
