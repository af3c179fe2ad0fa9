//! Whether two expressions mean the same whatever the order of their operands: `1 + a` groups what `a + 1` does.
//!
//! It knows DataFusion's expressions and the names of our arithmetic functions, no columns.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

/// Whether two expressions are equal up to the order of operands that may change places.
pub(super) fn same_meaning(a: &Expr, b: &Expr) -> bool {
    a == b || (may_swap(a) && may_swap(b) && canonical(a) == canonical(b))
}

/// Whether the top of an expression, or something below it, has another order it could be written in.
fn may_swap(expr: &Expr) -> bool {
    expr.exists(|e| {
        Ok(match e {
            Expr::BinaryExpr(binary) => commutes(binary.op) || is_ordering(binary.op),
            Expr::ScalarFunction(call) => is_chain(call) || is_choice(call),
            Expr::InList(_) => true,
            _ => false,
        })
    })
    .unwrap_or(false)
}

/// The expression with its operands in one order.
fn canonical(expr: &Expr) -> Expr {
    expr.clone().transform_up(|e| Ok(Transformed::yes(ordered(e)))).map_or_else(|_| expr.clone(), |t| t.data)
}

fn ordered(expr: Expr) -> Expr {
    match expr {
        Expr::BinaryExpr(binary) if commutes(binary.op) => {
            let op = binary.op;
            let mut operands = Vec::new();
            flatten(Expr::BinaryExpr(binary), op, &mut operands);
            sort(&mut operands);
            let joined =
                operands.into_iter().reduce(|l, r| Expr::BinaryExpr(BinaryExpr::new(Box::new(l), op, Box::new(r))));
            joined.unwrap_or(Expr::Literal(datafusion::scalar::ScalarValue::Null, None))
        }
        Expr::BinaryExpr(binary) => match mirrored(binary.op) {
            Some(op) => Expr::BinaryExpr(BinaryExpr::new(binary.right, op, binary.left)),
            None => Expr::BinaryExpr(binary),
        },
        // Comparisons are turned round by now: what is left is `<` and `<=`.
        Expr::Not(inner) => match *inner {
            Expr::BinaryExpr(binary) if binary.op == Operator::Lt => {
                Expr::BinaryExpr(BinaryExpr::new(binary.right, Operator::LtEq, binary.left))
            }
            Expr::BinaryExpr(binary) if binary.op == Operator::LtEq => {
                Expr::BinaryExpr(BinaryExpr::new(binary.right, Operator::Lt, binary.left))
            }
            other => Expr::Not(Box::new(other)),
        },
        Expr::ScalarFunction(call) if is_chain(&call) => chain(call),
        Expr::ScalarFunction(mut call) if is_choice(&call) => {
            sort(&mut call.args);
            Expr::ScalarFunction(call)
        }
        Expr::InList(mut list) => {
            sort(&mut list.list);
            Expr::InList(list)
        }
        other => other,
    }
}

/// Sums and products of any length as one list of operands.
fn chain(call: ScalarFunction) -> Expr {
    let spec = call.args.get(2).cloned();
    let func = call.func.clone();
    let mut operands = Vec::new();
    let mut pending = vec![Expr::ScalarFunction(call)];
    while let Some(next) = pending.pop() {
        match next {
            Expr::ScalarFunction(inner) if inner.func == func && inner.args.get(2) == spec.as_ref() => {
                pending.extend(inner.args.into_iter().take(2));
            }
            other => operands.push(other),
        }
    }
    sort(&mut operands);
    operands.extend(spec);
    Expr::ScalarFunction(ScalarFunction::new_udf(func, operands))
}

fn flatten(expr: Expr, op: Operator, out: &mut Vec<Expr>) {
    let mut pending = vec![expr];
    while let Some(next) = pending.pop() {
        match next {
            Expr::BinaryExpr(binary) if binary.op == op && chains(op) => {
                pending.push(*binary.left);
                pending.push(*binary.right);
            }
            Expr::BinaryExpr(binary) if binary.op == op && out.is_empty() && pending.is_empty() => {
                out.push(*binary.left);
                out.push(*binary.right);
            }
            other => out.push(other),
        }
    }
}

fn sort(operands: &mut [Expr]) {
    operands.sort_by_cached_key(ToString::to_string);
}

fn chains(op: Operator) -> bool {
    !matches!(op, Operator::Eq | Operator::NotEq | Operator::IsNotDistinctFrom | Operator::IsDistinctFrom)
}

fn commutes(op: Operator) -> bool {
    matches!(
        op,
        Operator::And
            | Operator::Or
            | Operator::Plus
            | Operator::Multiply
            | Operator::BitwiseAnd
            | Operator::BitwiseOr
            | Operator::BitwiseXor
            | Operator::Eq
            | Operator::NotEq
            | Operator::IsNotDistinctFrom
            | Operator::IsDistinctFrom
    )
}

/// What `>` and `>=` are with their operands exchanged.
fn mirrored(op: Operator) -> Option<Operator> {
    match op {
        Operator::Gt => Some(Operator::Lt),
        Operator::GtEq => Some(Operator::LtEq),
        _ => None,
    }
}

fn is_ordering(op: Operator) -> bool {
    matches!(op, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq)
}

/// Checked addition or multiplication: two operands and how to compute.
fn is_chain(call: &ScalarFunction) -> bool {
    matches!(call.func.name(), "spark_add" | "spark_multiply") && call.args.len() >= 3
}

fn is_choice(call: &ScalarFunction) -> bool {
    matches!(call.func.name(), "greatest" | "least" | "spark_greatest" | "spark_least")
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::same_meaning;

    #[test]
    fn operands_may_change_places() {
        assert!(same_meaning(&(col("a") + lit(1)), &(lit(1) + col("a"))));
        assert!(same_meaning(&(col("a") + col("b") + lit(1)), &(lit(1) + col("b") + col("a"))));
        assert!(same_meaning(&col("a").gt(lit(1)), &lit(1).lt(col("a"))));
        assert!(same_meaning(&col("a").eq(lit(1)), &lit(1).eq(col("a"))));
        assert!(!same_meaning(&(col("a") - lit(1)), &(lit(1) - col("a"))));
        assert!(!same_meaning(&col("a").gt(lit(1)), &lit(1).gt(col("a"))));
    }
}
