//! What of a select block `HAVING` and `ORDER BY` may use: the rules of Spark's `ResolveAggregateFunctions`.
//!
//! An expression above a grouping may use the select list, the grouping keys and aggregates of the input. Which of them
//! `HAVING` adds to the aggregation decides what a sort above it still sees. It resolves no names.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr;
use firesteel_functions::{SparkError, SparkResult};

use super::block::Block;
use crate::analyze::canonical::same_meaning;
use crate::analyze::errors::{self, At};
use crate::analyze::expr::{Exprs, Reach, mark, unmarked};
use crate::analyze::plan;
use crate::analyze::scope::{Scope, column};
use crate::spec;

/// What a sort stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// A projection: the whole input is visible.
    Projection,
    /// An aggregation: keys and aggregates are visible.
    Aggregation,
    /// A projection above an aggregation: of what is not selected only keys that are columns are visible.
    Above,
    /// `DISTINCT`: the output only.
    Distinct,
}

impl Block {
    /// What a sort above this block stands on.
    pub(super) fn ground(&self) -> Ground {
        let has = |fits: fn(&Expr) -> bool| self.items.iter().any(|(item, _)| plan::contains(&item.expr, fits));
        if self.distinct {
            Ground::Distinct
        } else if self.grouping.is_none() && !has(|e| matches!(e, Expr::AggregateFunction(_))) {
            Ground::Projection
        } else if self.having_adds || has(|e| matches!(e, Expr::WindowFunction(_))) {
            Ground::Above
        } else {
            Ground::Aggregation
        }
    }

    /// Marks of names that grouping hides, and whether the expression needs more than the select list gives.
    fn judge(&self, expr: &Expr, ground: Ground) -> SparkResult<(Vec<usize>, bool)> {
        let keys: Vec<&Expr> = self.grouping.iter().flat_map(|g| g.keys.iter().map(|(key, _)| &key.expr)).collect();
        let mut hidden = Vec::new();
        let mut adds = false;
        expr.apply(|e| {
            if matches!(e, Expr::Literal(..)) {
                return Ok(TreeNodeRecursion::Continue);
            }
            let bare = unmarked(e.clone())?;
            if ground == Ground::Above {
                // What the projection lacks it can only take over as it is.
                if let Expr::Column(found) = e
                    && let Some(mark) = mark(found)
                    && !keys.contains(&&bare)
                {
                    hidden.push(mark);
                }
                return Ok(TreeNodeRecursion::Continue);
            }
            if self.items.iter().any(|(item, _)| same_meaning(&item.expr, &bare)) {
                return Ok(TreeNodeRecursion::Jump);
            }
            if matches!(e, Expr::AggregateFunction(_)) || keys.iter().any(|key| same_meaning(key, &bare)) {
                adds = true;
                return Ok(TreeNodeRecursion::Jump);
            }
            if let Expr::Column(found) = e {
                hidden.extend(mark(found));
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(errors::planning)?;
        Ok((hidden, adds))
    }

    /// An aggregate of the select list's own columns has no input to read them from.
    fn check_aggregates(&self, expr: &Expr) -> SparkResult<()> {
        let mut missing = None;
        expr.apply(|e| {
            if let Expr::AggregateFunction(_) = e {
                e.apply(|part| {
                    if let Expr::Column(found) = part
                        && mark(found).is_none()
                    {
                        let selected = self.items.iter().find(|(_, id)| column(*id) == *found);
                        let own = |id: &u64| self.input_scope.by_id(*id).is_some();
                        if let Some((item, id)) = selected
                            && !own(id)
                        {
                            missing.get_or_insert_with(|| item.name.clone());
                        }
                    }
                    Ok(TreeNodeRecursion::Continue)
                })?;
                return Ok(TreeNodeRecursion::Jump);
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(errors::planning)?;
        let Some(name) = missing else { return Ok(()) };
        let inputs = &self.input_scope.attributes;
        let list = inputs.iter().map(|a| errors::expression(&a.name)).collect::<Vec<_>>().join(", ");
        let operator = "!Aggregate";
        if inputs.iter().any(|a| a.name == name) {
            return Err(SparkError::analysis(
                "MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_APPEAR_IN_OPERATION",
                &[
                    ("missingAttributes", &errors::expression(&name)),
                    ("input", &list),
                    ("operator", operator),
                    ("operation", &errors::expression(&name)),
                ],
            ));
        }
        Err(SparkError::analysis(
            "MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_MISSING_FROM_INPUT",
            &[("missingAttributes", &errors::expression(&name)), ("input", &list), ("operator", operator)],
        ))
    }

    /// Resolves `HAVING` and keeps it. `exprs` is over the output with the input below it.
    ///
    /// A name means a column of the input first; when grouping hides that one, a column of the output.
    pub(super) fn add_having(&mut self, exprs: &mut Exprs<'_, '_>, having: &spec::Expr) -> SparkResult<()> {
        let mut refused = Vec::new();
        loop {
            exprs.reach = Some(Reach { input_first: true, refused: refused.clone(), ..Reach::default() });
            let outcome = exprs.having(having);
            let found = exprs.reach.take().map(|reach| reach.found.into_inner()).unwrap_or_default();
            let condition = outcome?;
            if plan::contains(&condition, |e| matches!(e, Expr::WindowFunction(_))) {
                return Err(SparkError::analysis("WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", &[("clauseName", "HAVING")]));
            }
            let (hidden, adds) = self.judge(&condition, Ground::Aggregation)?;
            let Some(first) = hidden.first().and_then(|mark| found.get(*mark)) else {
                self.check_aggregates(&condition)?;
                let condition = self.inline(unmarked(condition)?)?;
                self.having.push(condition);
                self.having_adds |= adds;
                return Ok(());
            };
            let before = refused.len();
            for origin in hidden.iter().filter_map(|mark| found.get(*mark)).filter_map(|name| name.origin.clone()) {
                if !refused.contains(&origin) {
                    refused.push(origin);
                }
            }
            if refused.len() == before {
                return Err(errors::unresolved_column(&first.name, exprs.scope)).at(first.origin.as_ref());
            }
        }
    }

    /// Resolves a sort key over the inside of this block. `exprs` is over the output with the input below it.
    pub(super) fn sort_key(
        &self,
        exprs: &mut Exprs<'_, '_>,
        key: &spec::Expr,
    ) -> SparkResult<crate::analyze::typed::Typed> {
        let ground = self.ground();
        let resolve = |exprs: &mut Exprs<'_, '_>, again: bool| {
            exprs.reach = Some(Reach { input_first: again, lenient: again, ..Reach::default() });
            let outcome = exprs.resolve(key);
            let found = exprs.reach.take().map(|reach| reach.found.into_inner()).unwrap_or_default();
            outcome.map(|typed| (typed, found))
        };
        let (mut typed, found) = match resolve(exprs, false) {
            // What the output answers wrongly it does not answer at all.
            Err(error) if ground != Ground::Distinct && is_no_answer(&error) => match resolve(exprs, true) {
                Err(error) if is_no_answer(&error) => return Err(unanswered(key, exprs.scope)),
                outcome => outcome?,
            },
            Err(error) if is_no_answer(&error) => return Err(unanswered(key, exprs.scope)),
            outcome => outcome?,
        };
        let hidden = match ground {
            Ground::Projection => vec![],
            Ground::Distinct => {
                let mut marks = Vec::new();
                let visited = typed.expr.apply(|e| {
                    if let Expr::Column(found) = e {
                        marks.extend(mark(found));
                    }
                    Ok(TreeNodeRecursion::Continue)
                });
                visited.map_err(errors::planning)?;
                marks
            }
            _ => self.judge(&typed.expr, ground)?.0,
        };
        if let Some(name) = hidden.first().and_then(|mark| found.get(*mark)) {
            return Err(errors::unresolved_column(&name.name, exprs.scope)).at(name.origin.as_ref());
        }
        let refused = |e: &Expr| match e {
            Expr::WindowFunction(_) => true,
            Expr::AggregateFunction(_) => ground != Ground::Aggregation,
            _ => false,
        };
        if plan::contains(&typed.expr, refused) {
            return Err(unsupported_in_sort(&typed.name));
        }
        self.check_aggregates(&typed.expr)?;
        typed.expr = unmarked(typed.expr)?;
        Ok(typed)
    }
}

/// An aggregate or window function that a sort cannot compute.
pub(super) fn unsupported_in_sort(text: &str) -> SparkError {
    SparkError::analysis(
        "UNSUPPORTED_EXPR_FOR_OPERATOR",
        &[("operator", "Sort"), ("invalidExprSqls", &errors::expression(text))],
    )
}

/// Whether an error says that a column has no answer for a name, which a sort then looks for below.
pub(super) fn is_no_answer(error: &SparkError) -> bool {
    matches!(
        error.condition(),
        "AMBIGUOUS_REFERENCE"
            | "AMBIGUOUS_REFERENCE_TO_FIELDS"
            | "FIELD_NOT_FOUND"
            | "INVALID_EXTRACT_BASE_FIELD_TYPE"
            | "INVALID_EXTRACT_FIELD_TYPE"
    )
}

/// The first name of a key, unresolved.
pub(super) fn unanswered(key: &spec::Expr, scope: &Scope) -> SparkError {
    let mut pending = vec![key];
    while let Some(next) = pending.pop() {
        match &*next.kind {
            spec::ExprKind::Attribute { name, .. } => {
                let error: SparkResult<()> = Err(errors::unresolved_column(name, scope));
                return match error.at(next.origin.as_ref()) {
                    Err(error) => error,
                    Ok(()) => SparkError::internal("an error stays one"),
                };
            }
            spec::ExprKind::Function(function) => pending.extend(function.args.iter().rev()),
            spec::ExprKind::ExtractValue { child, key, .. } => pending.extend([key, child]),
            spec::ExprKind::Cast { expr, .. }
            | spec::ExprKind::Alias { expr, .. }
            | spec::ExprKind::NamedArgument { value: expr, .. }
            | spec::ExprKind::UpdateFields { expr, .. } => pending.push(expr),
            spec::ExprKind::SortOrder(order) => pending.push(&order.expr),
            _ => {}
        }
    }
    errors::unresolved_column(&[], scope)
}
