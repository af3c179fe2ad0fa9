//! `window(time, duration[, slide[, start]])` in GROUP BY: each row is repeated once for every window it falls into,
//! which a column called `window` names, and the grouping is by that column.
//!
//! It rewrites unresolved blocks; the functions crate computes the windows.

use firesteel_functions::{SparkError, SparkResult};

use crate::spec::{Expr, ExprKind, Function, GroupBy, GroupingElement, Relation, RelationKind, Select};

/// Name of the column and of the function.
const WINDOW: &str = "window";

fn call(expr: &Expr) -> Option<&Function> {
    match &*expr.kind {
        ExprKind::Function(function) => {
            let [name] = function.name.as_slice() else { return None };
            let counted = (2..=4).contains(&function.args.len());
            (counted && name.eq_ignore_ascii_case(WINDOW)).then_some(function)
        }
        ExprKind::Alias { expr, .. } => call(expr),
        _ => None,
    }
}

fn column() -> Expr {
    ExprKind::Attribute { name: vec![WINDOW.to_string()], plan_id: None, is_metadata: false }.into()
}

/// The expression with windows replaced by their column.
fn replaced(expr: &Expr) -> Expr {
    let kind = match &*expr.kind {
        ExprKind::Function(_) if call(expr).is_some() => return column().at(expr.origin.clone()),
        ExprKind::Function(function) => {
            let args = function.args.iter().map(replaced).collect();
            ExprKind::Function(Function { args, ..function.clone() })
        }
        ExprKind::Alias { expr, names, metadata } => {
            ExprKind::Alias { expr: replaced(expr), names: names.clone(), metadata: metadata.clone() }
        }
        ExprKind::ExtractValue { child, key, dotted } => {
            ExprKind::ExtractValue { child: replaced(child), key: key.clone(), dotted: *dotted }
        }
        other => other.clone(),
    };
    Expr::from(kind).at(expr.origin.clone())
}

/// Input and grouping of a block that groups by a window; `None` for any other.
///
/// # Errors
/// When it groups by more than one.
pub(super) fn input_and_grouping(input: &Relation, group_by: &GroupBy) -> SparkResult<Option<(Relation, GroupBy)>> {
    let GroupBy::Elements(elements) = group_by else { return Ok(None) };
    let mut found: Vec<&Function> = Vec::new();
    for element in elements {
        if let GroupingElement::Expr(expr) = element {
            found.extend(call(expr));
        }
    }
    let function = match found.as_slice() {
        [] => return Ok(None),
        [only] => *only,
        _ => return Err(SparkError::analysis("_LEGACY_ERROR_TEMP_1039", &[])),
    };
    let windows = Expr::call("spark_time_windows", function.args.clone());
    let view = RelationKind::LateralView {
        input: input.clone(),
        generator: Expr::call("explode", vec![windows]),
        outer: false,
        alias: None,
        columns: vec![WINDOW.to_string()],
    };
    let view = Relation { kind: Box::new(view), plan_id: None, origin: input.origin.clone() };
    let elements = elements
        .iter()
        .map(|element| match element {
            GroupingElement::Expr(expr) => GroupingElement::Expr(replaced(expr)),
            other => other.clone(),
        })
        .collect();
    Ok(Some((view, GroupBy::Elements(elements))))
}

/// Expressions over such a block.
pub(super) fn all_replaced(exprs: &[Expr]) -> Vec<Expr> {
    exprs.iter().map(replaced).collect()
}

/// A `SELECT` that groups by a window, rewritten; `None` for any other.
///
/// # Errors
/// As [`input_and_grouping`].
pub(super) fn select(select: &Select) -> SparkResult<Option<Select>> {
    let Some(group_by) = &select.group_by else { return Ok(None) };
    let Some((input, group_by)) = input_and_grouping(&select.input, group_by)? else { return Ok(None) };
    Ok(Some(Select {
        input,
        group_by: Some(group_by),
        projection: all_replaced(&select.projection),
        having: select.having.as_ref().map(replaced),
        ..select.clone()
    }))
}
