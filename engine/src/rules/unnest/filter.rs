//! Subqueries in filters: `EXISTS` and `IN` that stand below nothing but `AND` become semi and anti joins.

use std::sync::Arc;

use datafusion::common::{JoinType, NullEquality};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, Join, JoinConstraint, LogicalPlan};

use super::flat::{Flat, join};
use super::probe::Test;
use super::pull::Rows;
use super::{Scalars, has_subquery, hoist, keep, refs};

/// Rewrites a filter with subqueries.
pub(super) fn rewrite(filter: Filter) -> Result<LogicalPlan> {
    let columns = filter.input.schema().columns();
    let mut plan = Arc::unwrap_or_clone(filter.input);
    let (mut plain, mut others) = (Vec::new(), Vec::new());
    for part in split_conjunction_owned(filter.predicate) {
        if has_subquery(&part)? { others.push(part) } else { plain.push(part) }
    }
    if let Some(plain) = conjunction(plain) {
        plan = LogicalPlan::Filter(Filter::try_new(plain, Arc::new(plan))?);
    }
    let mut rest = Vec::new();
    for part in others {
        if let Some(part) = conjunct(part, &mut plan)? {
            rest.push(hoist(part, &mut plan, Scalars::Stay)?);
        }
    }
    if let Some(rest) = conjunction(rest) {
        plan = LogicalPlan::Filter(Filter::try_new(rest, Arc::new(plan))?);
    }
    keep(plan, &columns)
}

/// Joins what stands alone; gives back what does not.
fn conjunct(part: Expr, plan: &mut LogicalPlan) -> Result<Option<Expr>> {
    match part {
        Expr::Not(inner) => match *inner {
            Expr::Exists(Exists { subquery, negated }) => {
                conjunct(Expr::Exists(Exists { subquery, negated: !negated }), plan)
            }
            Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                conjunct(Expr::InSubquery(InSubquery { expr, subquery, negated: !negated }), plan)
            }
            other => Ok(Some(Expr::Not(Box::new(other)))),
        },
        Expr::Exists(exists) => {
            let sub = exists.subquery.subquery.as_ref();
            if refs::of(sub, plan.schema()).is_empty() {
                return Ok(Some(Expr::Exists(exists)));
            }
            let flat = Flat::new(sub, plan, Rows::Any)?;
            if flat.always {
                return Ok(Some(Expr::Exists(exists)));
            }
            let kind = if exists.negated { JoinType::LeftAnti } else { JoinType::LeftSemi };
            *plan = join(std::mem::take(plan), flat.right, flat.conditions, kind)?;
            Ok(None)
        }
        Expr::InSubquery(mut inner) => {
            inner.expr = Box::new(hoist(*inner.expr, plan, Scalars::Join)?);
            let flat = Flat::new(&inner.subquery.subquery, plan, Rows::Any)?;
            if flat.always {
                return Ok(Some(Expr::InSubquery(inner)));
            }
            let test = Test::new(*inner.expr, &flat, plan)?;
            let on = |last: Expr| [flat.conditions.clone(), vec![last]].concat();
            if !inner.negated {
                let on = on(test.equal);
                *plan = join(std::mem::take(plan), flat.right, on, JoinType::LeftSemi)?;
            } else if !test.nullable {
                let on = on(test.equal);
                *plan = join(std::mem::take(plan), flat.right, on, JoinType::LeftAnti)?;
            } else if !flat.correlated
                && let [probe] = test.probes.as_slice()
                && !probe.column_refs().is_empty()
            {
                *plan = null_aware(std::mem::take(plan), flat.right, test.equal)?;
            } else {
                let on = on(test.open);
                *plan = join(std::mem::take(plan), flat.right, on, JoinType::LeftAnti)?;
            }
            Ok(None)
        }
        other => Ok(Some(other)),
    }
}

/// The anti join of `NOT IN` over one column, which knows of nulls.
fn null_aware(left: LogicalPlan, right: LogicalPlan, equal: Expr) -> Result<LogicalPlan> {
    Ok(LogicalPlan::Join(Join::try_new(
        Arc::new(left),
        Arc::new(right),
        vec![],
        Some(equal),
        JoinType::LeftAnti,
        JoinConstraint::On,
        NullEquality::NullEqualsNothing,
        true,
    )?))
}
