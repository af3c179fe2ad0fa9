//! `SELECT` blocks and the DataFrame operations that are the same thing: `select`, `groupBy().agg()`, `filter`.

use std::cell::RefCell;

use datafusion::logical_expr::Expr;
use firesteel_functions::{SparkError, SparkResult};

use super::block::Block;
use super::{Env, Resolved};
use crate::analyze::errors::At;
use crate::analyze::expr::{Exprs, Generator};
use crate::analyze::scope::Scope;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, plan};
use crate::spec::{self, GroupBy, Relation, Select};

impl Analyzer<'_> {
    /// A whole `SELECT` block.
    pub(super) fn select(&self, select: &Select, env: &Env) -> SparkResult<Resolved> {
        let mut input = self.relation(&select.input, env)?;
        let as_where = select.having.as_ref().filter(|_| select.group_by.is_none() && self.context.having_as_where);
        if let Some(condition) = as_where {
            let predicate = Exprs::new(self, env, &input.scope).condition(condition)?;
            refuse(&predicate).at(condition.origin.as_ref())?;
            input.plan = plan::filter(input.plan, predicate)?;
        }
        let having = select.having.as_ref().filter(|_| as_where.is_none());
        let mut block = Block::new(input.plan, input.scope);
        let scope = block.input_scope.clone();
        let generators: RefCell<Vec<Generator>> = RefCell::default();
        let mut exprs = Exprs::new(self, env, &scope);
        exprs.windows = &select.windows;
        exprs.generators = Some(&generators);
        // Keys that `grouping(...)` may name are needed before the select list is.
        let sets = match &select.group_by {
            Some(GroupBy::Elements(elements)) => super::group::key_candidates(elements),
            _ => vec![],
        };
        let keys = if sets.is_empty() { None } else { Some(self.candidate_keys(&exprs, &sets)) };
        exprs.grouping = keys.as_deref();
        let items = select_list(&exprs, &select.projection)?;
        if let Some(group_by) = &select.group_by {
            let star = select.projection.iter().any(|e| matches!(&*e.kind, spec::ExprKind::Star { .. }));
            if star && self.context.ordinals && super::group::has_ordinal(group_by) {
                return Err(SparkError::analysis("STAR_GROUP_BY_POS", &[]));
            }
            block.grouping = Some(self.grouping(&exprs, group_by, &items)?);
        }
        exprs.generators = None;
        block.generators = generators.take();
        block.set_items(self, items);
        if having.is_some() && block.grouping.is_none() {
            // HAVING alone groups all rows into one.
            block.grouping = Some(super::block::Grouping::default());
        }
        let output = Scope::new(block.output());
        let mut above = Exprs::new(self, env, &output);
        above.below = Some(&scope);
        above.windows = &select.windows;
        above.grouping = keys.as_deref();
        let asked = super::OuterAggregates::default();
        above.outer_aggregates = Some(std::sync::Arc::clone(&asked));
        let outcome = having.map(|having| block.add_having(&mut above, having));
        above.outer_aggregates = None;
        for (call, id) in asked.lock().drain(..) {
            block.asked.push((block.inline(call.expr)?, id));
        }
        if let Some(Err(error)) = outcome {
            // What is wrong with the aggregation itself is said first.
            block.build(self, &[])?;
            return Err(error);
        }
        if let Some(qualify) = &select.qualify {
            let condition = block.inline(above.condition(qualify)?)?;
            block.qualify.push(condition);
        }
        block.distinct = select.distinct;
        self.finish(block)
    }

    /// DataFrame `select`.
    pub(super) fn project(&self, input: &Relation, items: &[spec::Expr], env: &Env) -> SparkResult<Resolved> {
        let input = self.relation(input, env)?;
        let mut block = Block::new(input.plan, input.scope);
        let scope = block.input_scope.clone();
        let generators: RefCell<Vec<Generator>> = RefCell::default();
        let mut exprs = Exprs::new(self, env, &scope);
        exprs.generators = Some(&generators);
        let items = select_list(&exprs, items)?;
        block.generators = generators.take();
        block.set_items(self, items);
        self.finish(block)
    }

    /// DataFrame `groupBy(...).agg(...)`, and `|> AGGREGATE`, whose ordinals count the columns that arrive.
    pub(super) fn aggregate(
        &self,
        input: &Relation,
        group_by: &GroupBy,
        aggregates: &[spec::Expr],
        piped: bool,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let input = self.relation(input, env)?;
        let mut block = Block::new(input.plan, input.scope);
        let scope = block.input_scope.clone();
        let mut exprs = Exprs::new(self, env, &scope);
        let sets = match group_by {
            GroupBy::Elements(elements) => super::group::key_candidates(elements),
            GroupBy::All => vec![],
        };
        let candidates = self.candidate_keys(&exprs, &sets);
        if !sets.is_empty() {
            exprs.grouping = Some(&candidates);
        }
        let arriving: Vec<Typed> = if piped { scope.attributes.iter().map(Typed::attribute).collect() } else { vec![] };
        let grouping = self.grouping(&exprs, group_by, &arriving)?;
        exprs.group_items.replace(None);
        let mut items: Vec<Typed> = grouping.keys.iter().map(|(key, _)| key.clone()).collect();
        items.extend(select_list(&exprs, aggregates)?);
        block.grouping = Some(grouping);
        block.set_items(self, items);
        self.finish(block)
    }

    /// Builds a block and keeps it for what stands above.
    pub(super) fn finish(&self, block: Block) -> SparkResult<Resolved> {
        let files = block.passes_files();
        let plan = block.build(self, &files.iter().map(|a| (a.expr(), a.id)).collect::<Vec<_>>())?;
        let mut scope = block.input_scope.clone().with_output(block.output()).hiding(files);
        scope.twins = block.twins();
        Ok(Resolved { plan, scope, block: Some(Box::new(block)) })
    }

    /// `WHERE` and DataFrame `filter`: over the output, or over what the block below it could give.
    pub(super) fn filter(
        &self,
        input: &Relation,
        condition: &spec::Expr,
        reaches_below: bool,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let mut resolved = self.relation(input, env)?;
        if !reaches_below {
            resolved.block = None;
        }
        let exprs = Exprs::new(self, env, &resolved.scope);
        let direct = exprs.resolve(condition).and_then(|typed| {
            refuse_windows(&typed.expr)?;
            self.condition(typed).at(condition.origin.as_ref())
        });
        let needs_block = match &direct {
            Ok(expr) => plan::contains(expr, |e| matches!(e, Expr::AggregateFunction(_))),
            Err(error) => is_missing(error),
        };
        match (&resolved.block, needs_block) {
            (Some(block), true) if !block.distinct => {
                self.filter_block(block, resolved.scope, condition, env).map_err(|inner| direct.err().unwrap_or(inner))
            }
            _ => {
                let predicate = direct?;
                refuse(&predicate).at(condition.origin.as_ref())?;
                // What stands above may still need more of the block below: it would filter inside the block then.
                let block = match resolved.block {
                    Some(mut block) if !block.distinct && !predicate.is_volatile() => {
                        let inner = block.inline(predicate.clone())?;
                        (!inner.is_volatile()).then(|| {
                            block.qualify.push(inner);
                            block
                        })
                    }
                    _ => None,
                };
                let plan = plan::filter(resolved.plan, predicate)?;
                Ok(Resolved { plan, scope: resolved.scope, block })
            }
        }
    }

    fn filter_block(&self, block: &Block, scope: Scope, condition: &spec::Expr, env: &Env) -> SparkResult<Resolved> {
        let mut exprs = Exprs::new(self, env, &scope);
        exprs.below = Some(&block.input_scope);
        let predicate = block.inline(exprs.condition(condition)?)?;
        let id = self.fresh();
        let plan = block.build(self, &[(predicate, id)])?;
        let plan = plan::filter(plan, Expr::Column(crate::analyze::scope::column(id)))?;
        let plan = plan::keep(plan, &scope.attributes)?;
        Ok(Resolved { plan, scope: scope.hiding(Vec::new()), block: None })
    }
}

/// Resolves a select list from left to right, so that items can use the aliases before them.
pub(super) fn select_list(exprs: &Exprs<'_, '_>, items: &[spec::Expr]) -> SparkResult<Vec<Typed>> {
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        exprs.lateral.set(false);
        let columns = exprs.expand(item).at(item.origin.as_ref())?;
        if exprs.lateral.get() {
            exprs.lateral_items.borrow_mut().push(out.len());
        }
        if let (spec::ExprKind::Alias { names, .. }, [only]) = (&*item.kind, columns.as_slice())
            && let [name] = names.as_slice()
        {
            exprs.aliases.borrow_mut().push((name.clone(), only.clone()));
        }
        out.extend(columns.into_iter().map(standing_alone));
    }
    Ok(out)
}

/// A cast of a column keeps the column's name when it stands alone in a select list.
fn standing_alone(mut item: Typed) -> Typed {
    if !item.named
        && let Some(name) = item.field_name.take()
    {
        item.name = name;
        item.named = true;
    }
    item
}

/// Whether an error says that a column is not there.
pub(super) fn is_missing(error: &SparkError) -> bool {
    error.condition().starts_with("UNRESOLVED_COLUMN") || error.condition() == "CANNOT_RESOLVE_DATAFRAME_COLUMN"
}

/// What cannot stand in `WHERE`.
pub(super) fn refuse(predicate: &Expr) -> SparkResult<()> {
    if plan::contains(predicate, |e| matches!(e, Expr::AggregateFunction(_))) {
        return Err(SparkError::analysis(
            "INVALID_WHERE_CONDITION",
            &[("condition", "\"condition\""), ("expressionList", "aggregate function")],
        ));
    }
    refuse_windows(predicate)
}

fn refuse_windows(predicate: &Expr) -> SparkResult<()> {
    if plan::contains(predicate, |e| matches!(e, Expr::WindowFunction(_))) {
        return Err(SparkError::analysis("WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", &[("clauseName", "WHERE")]));
    }
    Ok(())
}
