//! `ORDER BY` and `SORT BY`: ordinals, `ALL`, select aliases, then columns and aggregates the select list does not show.

use datafusion::logical_expr::{Expr, SortExpr};
use firesteel_functions::{SparkError, SparkResult};

use super::block::Block;
use super::{Env, Resolved};
use crate::analyze::errors::At;
use crate::analyze::expr::Exprs;
use crate::analyze::scope::{Scope, column};
use crate::analyze::{Analyzer, errors, plan};
use crate::spec::{ExprKind, Literal, Relation, SortOrder};

impl Analyzer<'_> {
    /// A sort.
    pub(super) fn sort(
        &self,
        input: &Relation,
        order: &[SortOrder],
        all: Option<(bool, bool)>,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        if let Some((ascending, nulls_first)) = all {
            let keys =
                resolved.scope.attributes.iter().map(|a| SortExpr::new(a.expr(), ascending, nulls_first)).collect();
            return Ok(Resolved::new(plan::sort(resolved.plan, keys)?, resolved.scope));
        }
        let mut keys = Vec::with_capacity(order.len());
        let mut extra: Vec<(Expr, u64)> = Vec::new();
        for key in order {
            let (expr, hidden) = self.sort_key(&resolved, key, env)?;
            match hidden {
                None => keys.push(SortExpr::new(expr, key.ascending, key.nulls_first)),
                Some(()) => {
                    let id = match extra.iter().find(|(known, _)| *known == expr) {
                        Some((_, id)) => *id,
                        None => {
                            let id = self.fresh();
                            extra.push((expr, id));
                            id
                        }
                    };
                    keys.push(SortExpr::new(Expr::Column(column(id)), key.ascending, key.nulls_first));
                }
            }
        }
        let Resolved { plan, scope, block } = resolved;
        match block {
            Some(block) if !extra.is_empty() => {
                let plan = block.build(self, &extra).map_err(|error| hidden_key(error, &scope))?;
                let plan = plan::sort(plan, keys)?;
                Ok(Resolved::new(plan::keep(plan, &scope.attributes)?, scope))
            }
            _ if !extra.is_empty() => {
                let all: Vec<_> = scope.attributes.iter().chain(&scope.hidden).cloned().collect();
                let exprs = all.iter().map(|a| (a.expr(), a.id)).chain(extra).collect();
                let plan = plan::sort(plan::project(plan, exprs)?, keys)?;
                Ok(Resolved::new(plan::keep(plan, &all)?, scope))
            }
            _ => Ok(Resolved::new(plan::sort(plan, keys)?, scope)),
        }
    }

    /// A key over the output, or (`Some(())`) over the inside of the block below.
    fn sort_key(&self, resolved: &Resolved, key: &SortOrder, env: &Env) -> SparkResult<(Expr, Option<()>)> {
        let origin = key.expr.origin.as_ref();
        let output = &resolved.scope.attributes;
        if self.context.ordinals
            && let ExprKind::Literal(Literal::Integer(ordinal)) = &*key.expr.kind
        {
            let index = usize::try_from(*ordinal).ok().and_then(|o| o.checked_sub(1));
            return match index.and_then(|i| output.get(i)) {
                Some(attribute) => {
                    errors::check_orderable(&attribute.name, &attribute.data_type).at(origin)?;
                    Ok((attribute.expr(), None))
                }
                None => Err(SparkError::analysis(
                    "ORDER_BY_POS_OUT_OF_RANGE",
                    &[("index", &ordinal.to_string()), ("size", &output.len().to_string())],
                ))
                .at(origin),
            };
        }
        let direct = Exprs::new(self, env, &resolved.scope).resolve(&key.expr);
        let fits = |e: &Expr| matches!(e, Expr::AggregateFunction(_) | Expr::WindowFunction(_));
        let needs_block = match &direct {
            Ok(typed) => plan::contains(&typed.expr, fits),
            Err(error) => super::select::is_missing(error) || error.condition() == "UNSUPPORTED_GROUPING_EXPRESSION",
        };
        if let (Some(block), true) = (&resolved.block, needs_block) {
            return match self.block_key(block, &resolved.scope, key, env) {
                Ok(found) => Ok(found),
                Err(inner) => Err(match direct {
                    Err(first) if super::select::is_missing(&inner) => first,
                    _ => inner,
                }),
            };
        }
        let typed = direct?;
        errors::check_orderable(&typed.name, &typed.data_type).at(origin)?;
        if plan::contains(&typed.expr, fits) {
            return Err(errors::unsupported("an aggregate or window function in this ORDER BY"));
        }
        // A subquery is computed below the sort.
        let subquery = plan::contains(&typed.expr, |e| {
            matches!(e, Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_))
        });
        match &resolved.block {
            Some(block) if subquery && !block.distinct => Ok((block.inline(typed.expr)?, Some(()))),
            _ => Ok((typed.expr, subquery.then_some(()))),
        }
    }

    fn block_key(&self, block: &Block, scope: &Scope, key: &SortOrder, env: &Env) -> SparkResult<(Expr, Option<()>)> {
        let mut exprs = Exprs::new(self, env, scope);
        exprs.below = Some(&block.input_scope);
        let keys: Vec<_> = block.grouping.iter().flat_map(|g| g.keys.iter().map(|(k, _)| k.clone())).collect();
        if block.grouping.as_ref().is_some_and(|g| g.sets.is_some()) {
            exprs.grouping = Some(&keys);
        }
        let typed = exprs.resolve(&key.expr)?;
        errors::check_orderable(&typed.name, &typed.data_type).at(key.expr.origin.as_ref())?;
        let expr = block.inline(typed.expr)?;
        if let Some((_, id)) = block.items.iter().find(|(item, _)| item.expr == expr) {
            return Ok((Expr::Column(column(*id)), None));
        }
        if block.distinct {
            return Err(errors::unresolved_column(std::slice::from_ref(&typed.name), scope));
        }
        Ok((expr, Some(())))
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
