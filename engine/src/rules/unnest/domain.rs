//! Computes a subquery of any shape for each distinct set of outer values at once.
//!
//! The outer values are joined in below, and every operator above them carries them along: as columns, keys, partitions.

use std::sync::Arc;

use super::{keep, named, project, refs, source};
use datafusion::common::{Column, HashMap, JoinType, NullEquality, not_impl_err};
use datafusion::error::Result;
use datafusion::functions_window::row_number::row_number;
use datafusion::logical_expr::expr::GroupingSet;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, ExprFunctionExt, FetchType, Filter, Join, JoinConstraint, Limit, LogicalPlan,
    LogicalPlanBuilder, Operator, SkipType, SortExpr, Subquery, Union, binary_expr, lit,
};

/// The distinct outer values.
pub(super) struct Domain {
    plan: LogicalPlan,
    outer: Vec<Column>,
    own: Vec<Column>,
}

/// A plan that carries outer values: which of its columns they are, in the domain's order.
pub(super) struct Carried {
    /// Plan.
    pub plan: LogicalPlan,
    /// Outer values.
    pub values: Vec<Column>,
}

impl Domain {
    /// The values of `outer` in `input`.
    ///
    /// # Errors
    /// `UNSUPPORTED_FEATURE` when too many lateral joins build on each other.
    pub(super) fn new(input: &LogicalPlan, outer: Vec<Column>) -> Result<Self> {
        let input = source::of(input, &outer)?;
        let own: Vec<Column> = outer.iter().map(|_| refs::fresh_column()).collect();
        let exprs =
            outer.iter().zip(&own).map(|(from, to)| Expr::Column(from.clone()).alias(to.name.clone())).collect();
        let plan = LogicalPlan::Distinct(Distinct::All(Arc::new(project(input.clone(), exprs)?)));
        Ok(Self { plan, outer, own })
    }

    /// The values under names of their own.
    fn copy(&self) -> Result<Carried> {
        let values: Vec<Column> = self.own.iter().map(|_| refs::fresh_column()).collect();
        let exprs =
            self.own.iter().zip(&values).map(|(from, to)| Expr::Column(from.clone()).alias(to.name.clone())).collect();
        Ok(Carried { plan: project(self.plan.clone(), exprs)?, values })
    }

    fn names(&self, values: &[Column]) -> HashMap<Column, Column> {
        self.outer.iter().cloned().zip(values.iter().cloned()).collect()
    }

    /// `plan` for each set of values: its own columns and the values.
    pub(super) fn push(&self, plan: &LogicalPlan) -> Result<Carried> {
        if !refs::plan_uses(plan, &self.outer) {
            let Carried { plan: domain, values } = self.copy()?;
            if matches!(plan, LogicalPlan::EmptyRelation(empty) if empty.produce_one_row && empty.schema.fields().is_empty())
            {
                return Ok(Carried { plan: domain, values });
            }
            let plan = LogicalPlanBuilder::from(domain).cross_join(plan.clone())?.build()?;
            return Ok(Carried { plan, values });
        }
        match plan {
            LogicalPlan::Projection(projection) => {
                let Carried { plan: input, values } = self.push(&projection.input)?;
                let names = self.names(&values);
                let mut exprs = Vec::with_capacity(projection.expr.len() + values.len());
                for (expr, name) in projection.expr.iter().zip(projection.schema.columns()) {
                    exprs.push(named(refs::bind(expr.clone(), &names)?, &name));
                }
                exprs.extend(values.iter().cloned().map(Expr::Column));
                Ok(Carried { plan: project(input, exprs)?, values })
            }
            LogicalPlan::Filter(filter) => {
                let Carried { plan: input, values } = self.push(&filter.input)?;
                let predicate = refs::bind(filter.predicate.clone(), &self.names(&values))?;
                Ok(Carried { plan: LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input))?), values })
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let Carried { plan: input, values } = self.push(input)?;
                Ok(Carried { plan: LogicalPlan::Distinct(Distinct::All(Arc::new(input))), values })
            }
            LogicalPlan::Sort(sort) if sort.fetch.is_none() => self.push(&sort.input),
            LogicalPlan::Limit(limit) => self.limit(limit),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Unnest(unnest) => {
                let Carried { plan: input, values } = self.push(&unnest.input)?;
                let plan = LogicalPlanBuilder::from(input)
                    .unnest_columns_with_options(unnest.exec_columns.clone(), unnest.options.clone())?
                    .build()?;
                Ok(Carried { plan, values })
            }
            LogicalPlan::Repartition(repartition) => self.push(&repartition.input),
            other => not_impl_err!("outer columns in {}", other.display()),
        }
    }

    /// The first rows for each set of values.
    fn limit(&self, limit: &Limit) -> Result<Carried> {
        let (SkipType::Literal(skip), FetchType::Literal(fetch)) = (limit.get_skip_type()?, limit.get_fetch_type()?)
        else {
            return not_impl_err!("LIMIT of an expression over outer columns");
        };
        let columns = limit.input.schema().columns();
        let (keys, input): (&[SortExpr], &LogicalPlan) = match limit.input.as_ref() {
            LogicalPlan::Sort(sort) if sort.fetch.is_none() => (&sort.expr, &sort.input),
            LogicalPlan::Projection(projection) => match projection.input.as_ref() {
                // A projection that only drops sort keys stands between the sort and the limit.
                LogicalPlan::Sort(sort)
                    if sort.fetch.is_none() && projection.expr.iter().all(|e| matches!(e, Expr::Column(_))) =>
                {
                    (&sort.expr, &sort.input)
                }
                _ => (&[], limit.input.as_ref()),
            },
            input => (&[], input),
        };
        let Carried { plan: input, values } = self.push(input)?;
        let names = self.names(&values);
        let partition: Vec<Expr> = values.iter().cloned().map(Expr::Column).collect();
        let mut order = Vec::with_capacity(keys.len());
        for key in keys {
            order.push(SortExpr::new(refs::bind(key.expr.clone(), &names)?, key.asc, key.nulls_first));
        }
        let number = row_number().partition_by(partition);
        let number = if order.is_empty() { number.build()? } else { number.order_by(order).build()? };
        let column = Expr::Column(Column::new_unqualified(number.schema_name().to_string()));
        let plan = LogicalPlanBuilder::window_plan(input, [number])?;
        let skip = u64::try_from(skip).unwrap_or(u64::MAX);
        let mut wanted = column.clone().gt(lit(skip));
        if let Some(fetch) = fetch {
            let last = skip.saturating_add(u64::try_from(fetch).unwrap_or(u64::MAX));
            wanted = wanted.and(column.lt_eq(lit(last)));
        }
        let plan = LogicalPlan::Filter(Filter::try_new(wanted, Arc::new(plan))?);
        let kept: Vec<Column> = columns.into_iter().chain(values.iter().cloned()).collect();
        Ok(Carried { plan: keep(plan, &kept)?, values })
    }

    fn aggregate(&self, aggregate: &Aggregate) -> Result<Carried> {
        let Carried { plan: mut input, mut values } = self.push(&aggregate.input)?;
        let names = self.names(&values);
        let bound = |exprs: &[Expr]| -> Result<Vec<Expr>> {
            exprs.iter().map(|e| named_as_before(refs::bind(e.clone(), &names)?, e)).collect()
        };
        let (mut group, mut calls) = (bound(&aggregate.group_expr)?, bound(&aggregate.aggr_expr)?);
        if group.is_empty() {
            // There is a row for each set of values, also for those that meet no rows: their aggregates are over nothing.
            let marker = refs::fresh_column();
            let kept = input.schema().columns().into_iter().map(Expr::Column);
            let right = project(input.clone(), kept.chain([lit(true).alias(marker.name.clone())]).collect())?;
            let all = self.copy()?;
            input = left_join(all.plan, right, same(&all.values, &values))?;
            values = all.values;
            let present = Expr::Column(marker).is_not_null();
            calls = calls.into_iter().map(|call| only_where(call, &present)).collect::<Result<_>>()?;
        }
        let carried: Vec<Expr> = values.iter().cloned().map(Expr::Column).collect();
        match group.as_mut_slice() {
            [Expr::GroupingSet(GroupingSet::GroupingSets(sets))] => {
                if sets.iter().any(Vec::is_empty) {
                    return not_impl_err!("a grand total over outer columns");
                }
                for set in sets {
                    set.extend(carried.iter().cloned());
                }
            }
            _ => group.extend(carried),
        }
        Ok(Carried { plan: LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), group, calls)?), values })
    }

    fn window(&self, window: &datafusion::logical_expr::Window) -> Result<Carried> {
        let Carried { plan: input, values } = self.push(&window.input)?;
        let names = self.names(&values);
        let before = window.schema.columns();
        let first = before.len().saturating_sub(window.window_expr.len());
        let mut exprs: Vec<Expr> = before.iter().take(first).cloned().map(Expr::Column).collect();
        let mut calls = Vec::with_capacity(window.window_expr.len());
        for (expr, name) in window.window_expr.iter().zip(before.iter().skip(first)) {
            let Expr::WindowFunction(mut function) = refs::bind(expr.clone().unalias(), &names)? else {
                return not_impl_err!("a window without a function");
            };
            function.params.partition_by.extend(values.iter().cloned().map(Expr::Column));
            let call = Expr::WindowFunction(function);
            let column = Expr::Column(Column::new_unqualified(call.schema_name().to_string()));
            exprs.push(column.alias_qualified(name.relation.clone(), name.name.clone()));
            calls.push(call);
        }
        let plan = LogicalPlanBuilder::window_plan(input, calls)?;
        exprs.extend(values.iter().cloned().map(Expr::Column));
        Ok(Carried { plan: project(plan, exprs)?, values })
    }

    fn union(&self, union: &Union) -> Result<Carried> {
        let names = union.schema.columns();
        let values: Vec<Column> = self.own.iter().map(|_| refs::fresh_column()).collect();
        let mut inputs = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            let columns = input.schema().columns();
            let carried = self.push(input)?;
            let own = columns.into_iter().zip(&names);
            let outer = carried.values.into_iter().zip(&values);
            let exprs = own.chain(outer).map(|(from, to)| named(Expr::Column(from), to)).collect();
            inputs.push(Arc::new(project(carried.plan, exprs)?));
        }
        Ok(Carried { plan: LogicalPlan::Union(Union::try_new(inputs)?), values })
    }

    fn join(&self, join: &Join) -> Result<Carried> {
        if let LogicalPlan::Subquery(lateral) = join.right.as_ref() {
            let Carried { plan: left, values } = self.push(&join.left)?;
            let names = self.names(&values);
            let inner = refs::rename(lateral.subquery.as_ref().clone(), &names)?;
            let right = LogicalPlan::Subquery(Subquery { subquery: Arc::new(inner), ..lateral.clone() });
            let filter = join.filter.clone().map(|f| refs::bind(f, &names)).transpose()?;
            return Ok(Carried { plan: again(join, left, right, filter, vec![], join.null_equality)?, values });
        }
        let right_open = refs::plan_uses(&join.right, &self.outer);
        let in_condition = join.filter.iter().any(|f| refs::expr_uses(f, &self.outer))
            || join.on.iter().any(|(l, r)| refs::expr_uses(l, &self.outer) || refs::expr_uses(r, &self.outer));
        let left_open = refs::plan_uses(&join.left, &self.outer) || (in_condition && !right_open);
        let (need_left, need_right) = match join.join_type {
            JoinType::Inner => (left_open, right_open),
            JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => (true, right_open),
            JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
                (refs::plan_uses(&join.left, &self.outer), true)
            }
            JoinType::Full => (true, true),
        };
        let left = if need_left { Some(self.push(&join.left)?) } else { None };
        let right = if need_right { Some(self.push(&join.right)?) } else { None };
        let from_right =
            matches!(join.join_type, JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark);
        let carrier = if from_right { right.as_ref().or(left.as_ref()) } else { left.as_ref().or(right.as_ref()) };
        let Some(values) = carrier.map(|c| c.values.clone()) else { return not_impl_err!("a join without values") };
        let names = self.names(&values);
        let mut filter: Vec<Expr> = Vec::new();
        let other_values = match (&left, &right) {
            (Some(l), Some(r)) => {
                filter.extend(same(&l.values, &r.values));
                Some((l.values.clone(), r.values.clone()))
            }
            _ => None,
        };
        if let Some(own) = &join.filter {
            filter.push(refs::bind(own.clone(), &names)?);
        }
        let mut on = Vec::new();
        for (l, r) in &join.on {
            let (l, r) = (refs::bind(l.clone(), &names)?, refs::bind(r.clone(), &names)?);
            on.push((l, r));
        }
        let left = left.map_or_else(|| join.left.as_ref().clone(), |c| c.plan);
        let right = right.map_or_else(|| join.right.as_ref().clone(), |c| c.plan);
        let plan = if join.join_type == JoinType::Inner && filter.is_empty() && on.is_empty() {
            LogicalPlanBuilder::from(left).cross_join(right)?.build()?
        } else if join.null_aware {
            return not_impl_err!("NOT IN over outer columns");
        } else {
            again(join, left, right, conjunction(filter), on, join.null_equality)?
        };
        match (join.join_type, other_values) {
            (JoinType::Full, Some((l, r))) => {
                let both: Vec<Column> = l.iter().map(|_| refs::fresh_column()).collect();
                let mut exprs: Vec<Expr> = join.schema.columns().into_iter().map(Expr::Column).collect();
                for ((l, r), to) in l.into_iter().zip(r).zip(&both) {
                    let value = datafusion::functions::core::expr_fn::coalesce(vec![Expr::Column(l), Expr::Column(r)]);
                    exprs.push(value.alias(to.name.clone()));
                }
                Ok(Carried { plan: project(plan, exprs)?, values: both })
            }
            _ => Ok(Carried { plan, values }),
        }
    }
}

fn again(
    join: &Join,
    left: LogicalPlan,
    right: LogicalPlan,
    filter: Option<Expr>,
    on: Vec<(Expr, Expr)>,
    nulls: NullEquality,
) -> Result<LogicalPlan> {
    let (left, right) = (Arc::new(left), Arc::new(right));
    Ok(LogicalPlan::Join(Join::try_new(
        left,
        right,
        on,
        filter,
        join.join_type,
        JoinConstraint::On,
        nulls,
        join.null_aware,
    )?))
}

fn left_join(left: LogicalPlan, right: LogicalPlan, on: Vec<Expr>) -> Result<LogicalPlan> {
    Ok(LogicalPlan::Join(Join::try_new(
        Arc::new(left),
        Arc::new(right),
        vec![],
        conjunction(on),
        JoinType::Left,
        JoinConstraint::On,
        NullEquality::NullEqualsNothing,
        false,
    )?))
}

/// Values that are the same on both sides, nulls included.
pub(super) fn same(left: &[Column], right: &[Column]) -> Vec<Expr> {
    left.iter()
        .zip(right)
        .map(|(l, r)| {
            let (l, r) = (Expr::Column(l.clone()), Expr::Column(r.clone()));
            binary_expr(l, Operator::IsNotDistinctFrom, r)
        })
        .collect()
}

/// An expression under the name it had.
fn named_as_before(expr: Expr, before: &Expr) -> Result<Expr> {
    if matches!(before, Expr::GroupingSet(_)) {
        return Ok(expr);
    }
    let (relation, name) = before.qualified_name();
    Ok(named(expr, &Column::new(relation, name)))
}

/// An aggregate that only sees the rows where `present` holds.
fn only_where(call: Expr, present: &Expr) -> Result<Expr> {
    Ok(match call {
        Expr::Alias(mut alias) => {
            alias.expr = Box::new(only_where(*alias.expr, present)?);
            Expr::Alias(alias)
        }
        Expr::AggregateFunction(mut function) => {
            function.params.filter = Some(Box::new(match function.params.filter {
                Some(filter) => present.clone().and(*filter),
                None => present.clone(),
            }));
            Expr::AggregateFunction(function)
        }
        other => return not_impl_err!("the aggregate {other}"),
    })
}
