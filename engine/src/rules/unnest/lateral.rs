//! Lateral joins: the right side is a subquery of the left one's columns, with all of its rows and columns.

use std::sync::Arc;

use datafusion::common::{Column, HashMap, JoinType, not_impl_err};
use datafusion::error::Result;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, Join, LogicalPlan, lit, when};

use super::flat::{Flat, join as joined};
use super::pull::Rows;
use super::{keep, named, project, refs};

/// A join whose right side is a `Subquery` node.
pub(super) fn join(join: Join) -> Result<LogicalPlan> {
    let LogicalPlan::Subquery(subquery) = join.right.as_ref() else { return Ok(LogicalPlan::Join(join)) };
    let outer_join = match join.join_type {
        JoinType::Inner => false,
        JoinType::Left => true,
        other => return not_impl_err!("{other} JOIN LATERAL"),
    };
    let columns = join.schema.columns();
    let left = join.left.as_ref().clone();
    let sub = subquery.subquery.as_ref();
    let names = sub.schema().columns();
    let filter: Vec<Expr> = join.filter.clone().map(split_conjunction_owned).unwrap_or_default();
    let filter: Vec<Expr> = filter.into_iter().filter(|e| *e != lit(true)).collect();
    let flat = Flat::new(sub, &left, Rows::Counted)?;
    let outputs: HashMap<Column, Expr> = names.iter().cloned().zip(flat.outputs.iter().cloned()).collect();
    let filter = filter.into_iter().map(|e| refs::substitute(e, &outputs)).collect::<Result<Vec<_>>>()?;
    let mut exprs: Vec<Expr> = left.schema().columns().into_iter().map(Expr::Column).collect();
    if flat.always {
        // Each left row has a row on the right, unless a condition takes it away.
        let stays: Vec<Expr> = flat.after.iter().cloned().chain(filter).collect();
        let plan = joined(left, flat.right, flat.conditions, JoinType::Left)?;
        let stays = conjunction(stays);
        let plan = match (&stays, outer_join) {
            (Some(stays), false) => LogicalPlan::Filter(Filter::try_new(stays.clone(), Arc::new(plan))?),
            _ => plan,
        };
        for (output, name) in flat.outputs.into_iter().zip(&names) {
            let output = match (&stays, outer_join) {
                (Some(stays), true) => when(stays.clone(), output).end()?,
                _ => output,
            };
            exprs.push(named(output, name));
        }
        return keep(project(plan, exprs)?, &columns);
    }
    for (output, name) in flat.outputs.iter().zip(&names) {
        let output = if outer_join && !flat.is_own(output) {
            when(Expr::Column(flat.marker.clone()).is_not_null(), output.clone()).end()?
        } else {
            output.clone()
        };
        exprs.push(named(output, name));
    }
    let on = flat.conditions.into_iter().chain(filter).collect();
    keep(project(joined(left, flat.right, on, join.join_type)?, exprs)?, &columns)
}
