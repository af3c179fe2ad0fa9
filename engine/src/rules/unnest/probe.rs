//! `EXISTS` and `IN` as values.

use std::sync::Arc;

use datafusion::common::{Column, JoinType, plan_err};
use datafusion::error::Result;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, Exists, InSubquery};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, Filter, LogicalPlan, LogicalPlanBuilder, lit};

use super::flat::{Flat, join, mark};
use super::pull::Rows;
use super::{Scalars, refs, scalar};

/// `EXISTS` as an expression over `input` and what is added to it.
pub(super) fn exists(exists: Exists, input: &mut LogicalPlan, scalars: Scalars) -> Result<Expr> {
    let Exists { subquery, negated } = exists;
    let sub = subquery.subquery.as_ref();
    let value = if refs::of(sub, input.schema()).is_empty() {
        any(sub, input, scalars)?
    } else {
        let flat = Flat::new(sub, input, Rows::Any)?;
        if flat.always {
            let stays = flat.stays().unwrap_or_else(|| lit(true));
            *input = join(std::mem::take(input), flat.right, flat.conditions, JoinType::Left)?;
            stays
        } else {
            mark(input, &flat.right, flat.conditions)?
        }
    };
    Ok(negate(value, negated))
}

/// `IN` as an expression over `input` and what is added to it.
///
/// Spark computes it as an existence join, so that it has two values: what is unknown is false, for `IN` as for `NOT IN`.
pub(super) fn contains(subquery: InSubquery, input: &mut LogicalPlan, scalars: Scalars) -> Result<Expr> {
    let InSubquery { expr, subquery, negated } = subquery;
    let sub = subquery.subquery.as_ref();
    let flat = Flat::new(sub, input, Rows::Any)?;
    let test = Test::new(*expr, &flat, input)?;
    if flat.always {
        let stays = flat.stays().unwrap_or_else(|| lit(true));
        *input = join(std::mem::take(input), flat.right, flat.conditions, JoinType::Left)?;
        let meets = if negated { Expr::IsNotFalse(Box::new(test.equal)) } else { Expr::IsTrue(Box::new(test.equal)) };
        return Ok(negate(stays.and(meets), negated));
    }
    let on = |last: Expr| [flat.conditions.clone(), vec![last]].concat();
    if !negated || !test.nullable {
        let hit = mark(input, &flat.right, on(test.equal))?;
        return Ok(negate(hit, negated));
    }
    let columns = sub.schema().columns();
    let (false, [probe], [column]) = (flat.correlated, test.probes.as_slice(), columns.as_slice()) else {
        let meets = mark(input, &flat.right, on(test.open))?;
        return Ok(negate(meets, true));
    };
    // Without outer columns the nulls of the subquery are the same for all rows, and the join can be on equality.
    let hit = mark(input, &flat.right, on(test.equal))?;
    let null = Expr::Column(column.clone()).is_null();
    let nulls = LogicalPlan::Filter(Filter::try_new(null, Arc::new(sub.clone()))?);
    let nulls = any(&nulls, input, scalars)?;
    let unknown = probe.clone().is_null().and(any(sub, input, scalars)?).or(nulls);
    Ok(negate(hit.or(unknown), true))
}

/// A comparison of a row value with the columns of a subquery.
pub(super) struct Test {
    /// All parts are equal.
    pub equal: Expr,
    /// All parts are equal or unknown.
    pub open: Expr,
    /// It may be unknown.
    pub nullable: bool,
    /// The parts.
    pub probes: Vec<Expr>,
}

impl Test {
    /// `probe` against the columns of `flat`, to be joined to `left`.
    pub(super) fn new(probe: Expr, flat: &Flat, left: &LogicalPlan) -> Result<Self> {
        let probes = match (probe, flat.outputs.len()) {
            (probe, 1) => vec![probe],
            // A row value is a struct of names and values.
            (Expr::ScalarFunction(row), count) if row.args.len() == count * 2 => {
                row.args.into_iter().skip(1).step_by(2).collect()
            }
            _ => return plan_err!("IN compares as many values as its subquery has columns"),
        };
        let schema = left.schema().join(flat.right.schema())?;
        let (mut equal, mut open) = (Vec::new(), Vec::new());
        let mut nullable = false;
        for (probe, column) in probes.iter().zip(&flat.outputs) {
            let same = column.clone().eq(probe.clone());
            equal.push(same.clone());
            let mut parts = vec![same];
            for side in [column, probe] {
                if side.nullable(&schema).unwrap_or(true) {
                    nullable = true;
                    parts.push(side.clone().is_null());
                }
            }
            open.push(parts.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(true)));
        }
        let all = |parts| conjunction(parts).unwrap_or_else(|| lit(true));
        Ok(Self { equal: all(equal), open: all(open), nullable, probes })
    }
}

/// Whether a plan that refers to nothing outside has rows.
fn any(plan: &LogicalPlan, input: &mut LogicalPlan, scalars: Scalars) -> Result<Expr> {
    let first = LogicalPlanBuilder::from(plan.clone()).limit(0, Some(1))?.build()?;
    let call = AggregateFunction::new_udf(count_udaf(), vec![lit(1_i64)], false, None, vec![], None);
    let name = refs::fresh();
    let call = Expr::AggregateFunction(call).alias(name.clone());
    let plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(first), vec![], vec![call])?);
    let plan = super::project(plan, vec![Expr::Column(Column::new_unqualified(name))])?;
    Ok(scalar::value(&plan, input, scalars)?.gt(lit(0_i64)))
}

fn negate(expr: Expr, negated: bool) -> Expr {
    if negated { Expr::Not(Box::new(expr)) } else { expr }
}
