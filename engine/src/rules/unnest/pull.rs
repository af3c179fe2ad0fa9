//! Pulls correlated conditions out of a subquery of simple shape: filters, projections, inner joins, and aggregates whose
//! conditions compare a column of the subquery with an outer value for equality.

use std::sync::Arc;

use datafusion::common::{Column, HashMap, JoinType, NullEquality};
use datafusion::error::Result;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Distinct, Expr, Filter, Join, JoinConstraint, LogicalPlan, LogicalPlanBuilder, Operator,
    lit, when,
};
use datafusion::scalar::ScalarValue;

use super::{has_subquery, project, refs};

/// A subquery taken apart. Its expressions are over columns of `plan` and outer columns.
pub(super) struct Pulled {
    /// What refers to nothing outside.
    pub plan: LogicalPlan,
    /// The subquery's columns.
    pub outputs: Vec<(Column, Expr)>,
    /// Which rows of `plan` belong to an outer row.
    pub conditions: Vec<Expr>,
    /// The subquery has a row for each outer row, also for those without rows in `plan`.
    pub always: bool,
    /// With `always`: which of these rows stay.
    pub after: Vec<Expr>,
}

impl Pulled {
    fn whole(plan: LogicalPlan) -> Self {
        let outputs = plan.schema().columns().into_iter().map(|c| (c.clone(), Expr::Column(c))).collect();
        Self { plan, outputs, conditions: vec![], always: false, after: vec![] }
    }

    fn map(&self) -> HashMap<Column, Expr> {
        self.outputs.iter().cloned().collect()
    }
}

/// Whether equal rows count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// They do.
    Counted,
    /// One is as good as many.
    Any,
}

/// Takes a subquery apart; `None` when its shape is not simple.
pub(super) fn pull(plan: &LogicalPlan, outer: &[Column], rows: Rows) -> Result<Option<Pulled>> {
    if !refs::plan_uses(plan, outer) {
        return Ok(Some(Pulled::whole(plan.clone())));
    }
    match plan {
        LogicalPlan::Projection(projection) => {
            let Some(input) = pull(&projection.input, outer, rows)? else { return Ok(None) };
            let names = projection.schema.columns();
            projected(input, projection.expr.iter().cloned().zip(names), outer)
        }
        LogicalPlan::Filter(filter) => {
            let Some(input) = pull(&filter.input, outer, rows)? else { return Ok(None) };
            filtered(input, filter.predicate.clone(), outer)
        }
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => pull(&sort.input, outer, rows),
        LogicalPlan::Distinct(Distinct::All(input)) if rows == Rows::Any => pull(input, outer, rows),
        LogicalPlan::Join(join) => joined(join, outer, rows),
        LogicalPlan::Aggregate(aggregate) => grouped(aggregate, outer),
        _ => Ok(None),
    }
}

fn projected(
    mut input: Pulled,
    exprs: impl Iterator<Item = (Expr, Column)>,
    outer: &[Column],
) -> Result<Option<Pulled>> {
    let map = input.map();
    let mut computed: Vec<Expr> = Vec::new();
    let mut outputs = Vec::new();
    for (expr, name) in exprs {
        let expr = refs::substitute(expr.unalias(), &map)?;
        let open = refs::expr_uses(&expr, outer);
        if has_subquery(&expr)? && (open || input.always) {
            return Ok(None);
        }
        if open || input.always || matches!(expr, Expr::Column(_)) {
            outputs.push((name, expr));
            continue;
        }
        if matches!(expr, Expr::Unnest(_)) {
            return Ok(None);
        }
        let column = refs::fresh_column();
        computed.push(expr.alias(column.name.clone()));
        outputs.push((name, Expr::Column(column)));
    }
    if !computed.is_empty() {
        let kept = input.plan.schema().columns().into_iter().map(Expr::Column);
        input.plan = project(input.plan.clone(), kept.chain(computed).collect())?;
    }
    Ok(Some(Pulled { outputs, ..input }))
}

fn filtered(mut input: Pulled, predicate: Expr, outer: &[Column]) -> Result<Option<Pulled>> {
    let map = input.map();
    let mut own = Vec::new();
    for part in split_conjunction_owned(predicate) {
        let part = refs::substitute(part, &map)?;
        let open = refs::expr_uses(&part, outer);
        if has_subquery(&part)? && (open || input.always) {
            return Ok(None);
        }
        match (input.always, open) {
            (true, _) => input.after.push(part),
            (false, true) => input.conditions.push(part),
            (false, false) => own.push(part),
        }
    }
    if let Some(own) = conjunction(own) {
        input.plan = LogicalPlan::Filter(Filter::try_new(own, Arc::new(input.plan))?);
    }
    Ok(Some(input))
}

fn joined(join: &Join, outer: &[Column], rows: Rows) -> Result<Option<Pulled>> {
    let inner = join.join_type == JoinType::Inner;
    let left_only = matches!(join.join_type, JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti);
    let plain = !join.null_aware && join.null_equality == NullEquality::NullEqualsNothing;
    if !(inner && plain || left_only && !refs::plan_uses(&join.right, outer))
        || matches!(join.right.as_ref(), LogicalPlan::Subquery(_))
    {
        return Ok(None);
    }
    let (Some(left), Some(right)) = (pull(&join.left, outer, rows)?, pull(&join.right, outer, rows)?) else {
        return Ok(None);
    };
    if left.always || right.always {
        return Ok(None);
    }
    let mut map = left.map();
    map.extend(right.map());
    let mut conditions: Vec<Expr> = left.conditions.into_iter().chain(right.conditions).collect();
    let mut outputs = left.outputs;
    if matches!(join.join_type, JoinType::Inner | JoinType::Left) {
        outputs.extend(right.outputs);
    }
    let mut on = Vec::new();
    for (l, r) in &join.on {
        on.push((refs::substitute(l.clone(), &map)?, refs::substitute(r.clone(), &map)?));
    }
    let mut own = Vec::new();
    for part in join.filter.clone().map(split_conjunction_owned).unwrap_or_default() {
        let part = refs::substitute(part, &map)?;
        if !refs::expr_uses(&part, outer) {
            own.push(part);
        } else if inner && !has_subquery(&part)? {
            conditions.push(part);
        } else {
            return Ok(None);
        }
    }
    if on.iter().any(|(l, r)| refs::expr_uses(l, outer) || refs::expr_uses(r, outer)) {
        return Ok(None);
    }
    let plan = if on.is_empty() && own.is_empty() && inner {
        LogicalPlanBuilder::from(left.plan).cross_join(right.plan)?.build()?
    } else {
        let filter = conjunction(own);
        let (l, r) = (Arc::new(left.plan), Arc::new(right.plan));
        let kind = join.join_type;
        let null_aware = join.null_aware;
        LogicalPlan::Join(Join::try_new(l, r, on, filter, kind, JoinConstraint::On, join.null_equality, null_aware)?)
    };
    Ok(Some(Pulled { plan, outputs, conditions, always: false, after: vec![] }))
}

/// Groups also by the values the conditions compare, so that each outer row meets its own groups.
fn grouped(aggregate: &Aggregate, outer: &[Column]) -> Result<Option<Pulled>> {
    if aggregate.group_expr.iter().any(|e| matches!(e, Expr::GroupingSet(_))) {
        return Ok(None);
    }
    let Some(input) = pull(&aggregate.input, outer, Rows::Counted)? else { return Ok(None) };
    if input.always {
        return Ok(None);
    }
    let map = input.map();
    let names = aggregate.schema.columns();
    let mut group = Vec::new();
    let mut calls = Vec::new();
    for (index, expr) in aggregate.group_expr.iter().chain(&aggregate.aggr_expr).enumerate() {
        let expr = refs::substitute(expr.clone().unalias(), &map)?;
        let Some(name) = names.get(index) else { return Ok(None) };
        if refs::expr_uses(&expr, outer) {
            return Ok(None);
        }
        let expr = expr.alias_qualified(name.relation.clone(), name.name.clone());
        if index < aggregate.group_expr.len() { group.push(expr) } else { calls.push(expr) }
    }
    let global = group.is_empty();
    let mut conditions = Vec::new();
    for condition in &input.conditions {
        let Some((own, value)) = equality(condition, outer) else { return Ok(None) };
        let key = refs::fresh_column();
        group.push(own.alias(key.name.clone()));
        conditions.push(Expr::Column(key).eq(value));
    }
    let always = global && !conditions.is_empty();
    let marker = refs::fresh_column();
    let mut outputs = Vec::new();
    for name in &names {
        let column = Expr::Column(name.clone());
        let call = calls.iter().find(|call| matches!(call, Expr::Alias(a) if a.name == name.name));
        let value = match call {
            Some(call) if always => when(Expr::Column(marker.clone()).is_not_null(), column)
                .otherwise(of_nothing(call.clone().unalias(), &input.plan)?)?,
            _ => column,
        };
        outputs.push((name.clone(), value));
    }
    let mut plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input.plan), group, calls)?);
    if always {
        let kept = plan.schema().columns().into_iter().map(Expr::Column);
        let exprs = kept.chain([lit(true).alias(marker.name)]).collect();
        plan = project(plan, exprs)?;
    }
    Ok(Some(Pulled { plan, outputs, conditions, always, after: vec![] }))
}

/// The sides of a comparison of an own value with an outer one.
fn equality(condition: &Expr, outer: &[Column]) -> Option<(Expr, Expr)> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { return None };
    let is_outer = |e: &Expr| refs::expr_uses(e, outer) && !e.any_column_refs();
    match (is_outer(left), is_outer(right)) {
        (true, false) if !refs::expr_uses(right, outer) => Some((right.as_ref().clone(), left.as_ref().clone())),
        (false, true) if !refs::expr_uses(left, outer) => Some((left.as_ref().clone(), right.as_ref().clone())),
        _ => None,
    }
}

/// What an aggregate says of no rows.
fn of_nothing(call: Expr, input: &LogicalPlan) -> Result<Expr> {
    let Expr::AggregateFunction(function) = &call else { return Ok(Expr::Literal(ScalarValue::Null, None)) };
    if function.func.name() == "count" {
        return Ok(lit(0_i64));
    }
    let (_, field) = datafusion::logical_expr::ExprSchemable::to_field(&call, input.schema())?;
    if matches!(function.func.name(), "sum" | "avg" | "min" | "max") {
        return Ok(Expr::Literal(ScalarValue::try_from(field.data_type())?, None));
    }
    let nothing = LogicalPlan::Filter(Filter::try_new(lit(false), Arc::new(input.clone()))?);
    let name = refs::fresh();
    let plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(nothing), vec![], vec![call.alias(name)])?);
    Ok(super::scalar::expression(plan))
}
