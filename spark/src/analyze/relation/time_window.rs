//! `window(time, duration[, slide[, start]])` and `session_window(time, gap)`: the input gets a column of the function's
//! name, which takes the place of the call. A row is repeated once for every window it falls into; sessions are merged
//! where they are grouped by.
//!
//! It rewrites unresolved blocks; the functions crate computes the windows.

mod session;

use firesteel_functions::{SparkError, SparkResult};

use crate::spec::{Expr, ExprKind, Function, GroupBy, GroupingElement, Literal, Relation, RelationKind, Select};

/// The column and function of fixed windows.
const WINDOW: &str = "window";
/// The column and function of sessions.
const SESSION: &str = "session_window";

/// A call of one of the functions.
#[derive(Clone, Copy)]
struct Call<'a> {
    name: &'static str,
    function: &'a Function,
}

fn call(expr: &Expr) -> Option<Call<'_>> {
    match &*expr.kind {
        ExprKind::Function(function) => {
            let [name] = function.name.as_slice() else { return None };
            let known = [(WINDOW, 2..=4), (SESSION, 2..=2)];
            let (name, counts) = known.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
            counts.contains(&function.args.len()).then_some(Call { name, function })
        }
        ExprKind::Alias { expr, .. } => call(expr),
        _ => None,
    }
}

/// Adds the calls inside an expression to `found`.
fn calls<'a>(expr: &'a Expr, found: &mut Vec<Call<'a>>) {
    if let Some(call) = call(expr) {
        return found.push(call);
    }
    match &*expr.kind {
        ExprKind::Function(function) => function.args.iter().for_each(|arg| calls(arg, found)),
        ExprKind::Alias { expr, .. } | ExprKind::Cast { expr, .. } => calls(expr, found),
        ExprKind::ExtractValue { child, .. } => calls(child, found),
        _ => {}
    }
}

fn column(name: &str) -> Expr {
    ExprKind::Attribute { name: vec![name.to_string()], plan_id: None, is_metadata: false }.into()
}

/// The expression with windows replaced by their column.
fn replaced(expr: &Expr) -> Expr {
    let kind = match &*expr.kind {
        ExprKind::Function(function) => match call(expr) {
            Some(call) => return column(call.name).at(expr.origin.clone()),
            None => {
                let args = function.args.iter().map(replaced).collect();
                ExprKind::Function(Function { args, ..function.clone() })
            }
        },
        ExprKind::Alias { expr, names, metadata } => {
            ExprKind::Alias { expr: replaced(expr), names: names.clone(), metadata: metadata.clone() }
        }
        ExprKind::Cast { expr, to, mode } => ExprKind::Cast { expr: replaced(expr), to: to.clone(), mode: *mode },
        ExprKind::ExtractValue { child, key, dotted } => {
            ExprKind::ExtractValue { child: replaced(child), key: key.clone(), dotted: *dotted }
        }
        other => other.clone(),
    };
    Expr::from(kind).at(expr.origin.clone())
}

/// The input with the column of fixed windows.
fn fixed(input: &Relation, function: &Function) -> Relation {
    let windows = Expr::call("spark_time_windows", function.args.clone());
    let view = RelationKind::LateralView {
        input: input.clone(),
        generator: Expr::call("explode", vec![windows]),
        outer: false,
        alias: None,
        columns: vec![WINDOW.to_string()],
    };
    Relation { kind: Box::new(view), plan_id: None, origin: input.origin.clone() }
}

/// The one call among several that are the same.
fn only(found: &[Call<'_>]) -> SparkResult<()> {
    let [first, rest @ ..] = found else { return Ok(()) };
    let text = |call: &Call<'_>| {
        // Where a call stands makes no difference.
        let args: Vec<String> = call.function.args.iter().map(|arg| format!("{:?}", arg.kind)).collect();
        (call.name, args)
    };
    if rest.iter().all(|other| text(other) == text(first)) {
        return Ok(());
    }
    Err(SparkError::analysis("_LEGACY_ERROR_TEMP_1039", &[]))
}

/// Input and grouping of a block that groups by a window; `None` for any other.
///
/// # Errors
/// When it groups by more than one.
pub(super) fn input_and_grouping(input: &Relation, group_by: &GroupBy) -> SparkResult<Option<(Relation, GroupBy)>> {
    let GroupBy::Elements(elements) = group_by else { return Ok(None) };
    let mut found: Vec<Call<'_>> = Vec::new();
    let mut keys: Vec<Expr> = Vec::new();
    let mut plain = true;
    for element in elements {
        match element {
            GroupingElement::Expr(expr) => match call(expr) {
                Some(call) => found.push(call),
                None => keys.push(unnamed(expr).clone()),
            },
            _ => plain = false,
        }
    }
    let made = match found.as_slice() {
        [] => return Ok(None),
        [Call { name: SESSION, .. }] if !plain => {
            return Err(SparkError::unsupported("session_window beside ROLLUP, CUBE or GROUPING SETS"));
        }
        [Call { name: SESSION, function }] => session::merged(input, function, &keys),
        [only] => fixed(input, only.function),
        _ => return Err(SparkError::analysis("_LEGACY_ERROR_TEMP_1039", &[])),
    };
    let elements = elements
        .iter()
        .map(|element| match element {
            GroupingElement::Expr(expr) => GroupingElement::Expr(replaced(expr)),
            other => other.clone(),
        })
        .collect();
    Ok(Some((made, GroupBy::Elements(elements))))
}

fn unnamed(expr: &Expr) -> &Expr {
    match &*expr.kind {
        ExprKind::Alias { expr, .. } => unnamed(expr),
        _ => expr,
    }
}

/// Expressions over such a block.
pub(super) fn all_replaced(exprs: &[Expr]) -> Vec<Expr> {
    exprs.iter().map(replaced).collect()
}

/// Positions of the select list in a grouping, as what stands there.
fn with_positions(group_by: &GroupBy, projection: &[Expr]) -> GroupBy {
    let GroupBy::Elements(elements) = group_by else { return group_by.clone() };
    let at = |expr: &Expr| match &*expr.kind {
        ExprKind::Literal(Literal::Integer(position)) => {
            usize::try_from(*position).ok().and_then(|position| projection.get(position.checked_sub(1)?)).map(unnamed)
        }
        _ => None,
    };
    let element = |element: &GroupingElement| match element {
        GroupingElement::Expr(expr) => GroupingElement::Expr(at(expr).unwrap_or(expr).clone()),
        other => other.clone(),
    };
    GroupBy::Elements(elements.iter().map(element).collect())
}

/// A `SELECT` of windows, rewritten; `None` for any other.
///
/// # Errors
/// As [`input_and_grouping`].
pub(super) fn select(select: &Select) -> SparkResult<Option<Select>> {
    let mut found = Vec::new();
    select.projection.iter().for_each(|expr| calls(expr, &mut found));
    let (input, group_by) = match &select.group_by {
        Some(group_by) => {
            let wanted = if found.is_empty() { group_by.clone() } else { with_positions(group_by, &select.projection) };
            let Some((input, group_by)) = input_and_grouping(&select.input, &wanted)? else {
                let mut keys = Vec::new();
                if let GroupBy::Elements(elements) = &wanted {
                    for element in elements {
                        if let GroupingElement::Expr(expr) = element {
                            calls(expr, &mut keys);
                        }
                    }
                }
                if keys.is_empty() {
                    return Ok(None);
                }
                return Err(SparkError::unsupported("grouping by an expression over a window"));
            };
            (input, Some(group_by))
        }
        None => {
            let Some(call) = found.first() else { return Ok(None) };
            only(&found)?;
            let input = match call.name {
                SESSION => session::single(&select.input, call.function),
                _ => fixed(&select.input, call.function),
            };
            (input, None)
        }
    };
    Ok(Some(Select {
        input,
        group_by,
        projection: all_replaced(&select.projection),
        having: select.having.as_ref().map(replaced),
        ..select.clone()
    }))
}
