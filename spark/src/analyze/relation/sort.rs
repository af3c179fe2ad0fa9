//! `ORDER BY` and `SORT BY`: ordinals, `ALL`, select aliases, then columns and aggregates the select list does not show.

use datafusion::logical_expr::{Expr, LogicalPlan, SortExpr};
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::{Env, Resolved, layout, visible};
use crate::analyze::canonical::same_meaning;
use crate::analyze::errors::At;
use crate::analyze::expr::Exprs;
use crate::analyze::scope::{Scope, column};
use crate::analyze::{Analyzer, collation, errors, plan};
use crate::spec::{ExprKind, Literal, Relation, SortOrder};

/// What is sorted by, whether it must be added below the sort, and its type.
type SortKey = (Expr, Option<()>, DataType);

impl Analyzer<'_> {
    /// A sort of all rows, or of each partition's.
    pub(super) fn sort(
        &self,
        input: &Relation,
        order: &[SortOrder],
        (global, all): (bool, Option<(bool, bool)>),
        env: &Env,
    ) -> SparkResult<Resolved> {
        let ordered = |input: LogicalPlan, keys: Vec<SortExpr>| match global {
            true => plan::sort(input, keys),
            false => Ok(layout::sorted_within(input, keys)),
        };
        let resolved = self.relation(input, env)?;
        if let Some((ascending, nulls_first)) = all {
            let keys = resolved
                .scope
                .attributes
                .iter()
                .map(|a| Ok(SortExpr::new(collation::keyed(a.expr(), &a.data_type)?, ascending, nulls_first)))
                .collect::<SparkResult<_>>()?;
            return Ok(Resolved::new(ordered(resolved.plan, keys)?, resolved.scope));
        }
        let mut keys = Vec::with_capacity(order.len());
        let mut extra: Vec<(Expr, u64)> = Vec::new();
        let mut refused = None;
        for key in order {
            let (expr, hidden, data_type) = match self.sort_key(&resolved, key, env) {
                // A name that is not there is said before a function that may not be.
                Err(error) if error.condition() == "UNSUPPORTED_EXPR_FOR_OPERATOR" => {
                    refused.get_or_insert(error);
                    continue;
                }
                found => found?,
            };
            match hidden {
                None => {
                    let expr = collation::keyed(expr, &data_type)?;
                    keys.push(SortExpr::new(expr, key.ascending, key.nulls_first));
                }
                Some(()) => {
                    let id = match extra.iter().find(|(known, _)| *known == expr) {
                        Some((_, id)) => *id,
                        None => {
                            let id = self.fresh();
                            extra.push((expr, id));
                            id
                        }
                    };
                    let expr = collation::keyed(Expr::Column(column(id)), &data_type)?;
                    keys.push(SortExpr::new(expr, key.ascending, key.nulls_first));
                }
            }
        }
        if let Some(error) = refused {
            return Err(error);
        }
        let Resolved { plan, scope, block } = resolved;
        match block {
            Some(block) if !extra.is_empty() => {
                let plan = block.build(self, &extra).map_err(|error| hidden_key(error, &scope))?;
                let plan = ordered(plan, keys)?;
                Ok(Resolved::new(plan::keep(plan, &scope.attributes)?, scope.hiding(Vec::new())))
            }
            _ if !extra.is_empty() => {
                let all: Vec<_> = scope.attributes.iter().chain(&scope.hidden).cloned().collect();
                let exprs = all.iter().map(|a| (a.expr(), a.id)).chain(extra).collect();
                let plan = ordered(plan::project(plan, exprs)?, keys)?;
                Ok(Resolved::new(plan::keep(plan, &all)?, scope))
            }
            _ => Ok(Resolved::new(ordered(plan, keys)?, scope)),
        }
    }

    /// A key over the output, or (`Some(())`) over the inside of the block below.
    pub(super) fn sort_key(&self, resolved: &Resolved, key: &SortOrder, env: &Env) -> SparkResult<SortKey> {
        let origin = key.expr.origin.as_ref();
        let output = &resolved.scope.attributes;
        if self.context.ordinals
            && let ExprKind::Literal(Literal::Integer(ordinal)) = &*key.expr.kind
        {
            let index = usize::try_from(*ordinal).ok().and_then(|o| o.checked_sub(1));
            return match index.and_then(|i| output.get(i)) {
                Some(attribute) => {
                    errors::check_orderable(&attribute.name, &attribute.data_type).at(origin)?;
                    Ok((attribute.expr(), None, attribute.data_type.clone()))
                }
                None => Err(SparkError::analysis(
                    "ORDER_BY_POS_OUT_OF_RANGE",
                    &[("index", &ordinal.to_string()), ("size", &output.len().to_string())],
                ))
                .at(origin),
            };
        }
        let (typed, block) = match &resolved.block {
            Some(block) => {
                let keys: Vec<_> = block.grouping.iter().flat_map(|g| g.keys.iter().map(|(k, _)| k.clone())).collect();
                let mut exprs = Exprs::new(self, env, &resolved.scope);
                exprs.below = Some(&block.input_scope);
                if block.grouping.as_ref().is_some_and(|g| g.sets.is_some()) {
                    exprs.grouping = Some(&keys);
                }
                (block.sort_key(&mut exprs, &key.expr)?, Some(block).filter(|b| !b.distinct))
            }
            None => {
                let typed = Exprs::new(self, env, &resolved.scope).resolve(&key.expr).map_err(|error| {
                    if visible::is_no_answer(&error) { visible::unanswered(&key.expr, &resolved.scope) } else { error }
                })?;
                let fits = |e: &Expr| matches!(e, Expr::AggregateFunction(_) | Expr::WindowFunction(_));
                if plan::contains(&typed.expr, fits) {
                    return Err(visible::unsupported_in_sort(&typed.name)).at(origin);
                }
                (typed, None)
            }
        };
        errors::check_orderable(&typed.name, &typed.data_type).at(origin)?;
        let correlated =
            |e: &Expr| matches!(e, Expr::ScalarSubquery(inner) if !inner.subquery.all_out_ref_exprs().is_empty());
        if plan::contains(&typed.expr, correlated) {
            return Err(SparkError::analysis(
                "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY",
                &[("treeNode", "the sort")],
            ))
            .at(origin);
        }
        let shown = |e: &Expr| match e {
            Expr::Column(found) => output.iter().chain(&resolved.scope.hidden).any(|a| a.column() == *found),
            Expr::AggregateFunction(_) => false,
            _ => true,
        };
        let is_subquery = |e: &Expr| matches!(e, Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_));
        if !plan::contains(&typed.expr, |e| !shown(e) || is_subquery(e)) {
            return Ok((typed.expr, None, typed.data_type));
        }
        // A subquery is computed below the sort.
        let Some(block) = block else {
            let subquery = plan::contains(&typed.expr, is_subquery);
            return Ok((typed.expr, subquery.then_some(()), typed.data_type));
        };
        let expr = block.inline(typed.expr)?;
        match block.items.iter().find(|(item, _)| same_meaning(&item.expr, &expr)) {
            Some((_, id)) => Ok((Expr::Column(column(*id)), None, typed.data_type)),
            None => Ok((expr, Some(()), typed.data_type)),
        }
    }
}

/// A column that grouping hides is one that ORDER BY cannot see.
fn hidden_key(error: SparkError, scope: &Scope) -> SparkError {
    let name = error
        .parameters()
        .iter()
        .find(|(key, _)| key == "expression")
        .map(|(_, value)| value.trim_matches('"').to_string());
    match name {
        Some(name) if error.condition() == "MISSING_AGGREGATION" => errors::unresolved_column(&[name], scope),
        _ => error,
    }
}
