//! A subquery as something to join: a plan that refers to nothing outside, and the conditions under which rows meet.

use std::sync::Arc;

use datafusion::common::{Column, ExprSchema, HashMap, JoinType, NullEquality};
use datafusion::error::Result;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, Join, JoinConstraint, LogicalPlan, LogicalPlanBuilder, SubqueryAlias, lit};

use super::domain::{Domain, same};
use super::pull::{Pulled, Rows, pull};
use super::{project, refs};

/// A subquery to be joined to an outer plan. Its expressions are over the columns of both.
pub(super) struct Flat {
    /// The inner side, with names no other plan has.
    pub right: LogicalPlan,
    /// Which rows meet.
    pub conditions: Vec<Expr>,
    /// The subquery's columns.
    pub outputs: Vec<Expr>,
    /// A column of the inner side that is true: null after an outer join where nothing met.
    pub marker: Column,
    /// There is a row for each outer row, also where nothing meets; at most one meets.
    pub always: bool,
    /// With `always`: which of these rows stay.
    pub after: Vec<Expr>,
    /// The subquery uses outer columns.
    pub correlated: bool,
    /// Columns of the inner side that hold the outer values it belongs to.
    pub values: Vec<Column>,
}

impl Flat {
    /// `sub` for joining to `left`.
    pub(super) fn new(sub: &LogicalPlan, left: &LogicalPlan, rows: Rows) -> Result<Self> {
        let outer = refs::of(sub, left.schema());
        match pull(sub, &outer, rows)? {
            Some(pulled) => Self::from_pulled(pulled, !outer.is_empty()),
            None => Self::by_values(sub, left, outer),
        }
    }

    /// `sub` computed for each set of outer values.
    pub(super) fn by_values(sub: &LogicalPlan, left: &LogicalPlan, outer: Vec<Column>) -> Result<Self> {
        let names = sub.schema().columns();
        let nullable = outer.iter().any(|c| left.schema().field_from_column(c).map_or(true, |f| f.is_nullable()));
        let carried = Domain::new(left, outer.clone())?.push(sub)?;
        let mut exprs = Vec::new();
        let mut fresh = |column: Column| {
            let name = refs::fresh_column();
            exprs.push(Expr::Column(column).alias(name.name.clone()));
            name
        };
        let outputs: Vec<Expr> = names.into_iter().map(|c| Expr::Column(fresh(c))).collect();
        let values: Vec<Column> = carried.values.into_iter().map(&mut fresh).collect();
        let marker = refs::fresh_column();
        exprs.push(lit(true).alias(marker.name.clone()));
        let conditions = if nullable {
            same(&outer, &values)
        } else {
            outer.into_iter().zip(&values).map(|(l, r)| Expr::Column(l).eq(Expr::Column(r.clone()))).collect()
        };
        let right = project(carried.plan, exprs)?;
        Ok(Self { right, conditions, outputs, marker, always: false, after: vec![], correlated: true, values })
    }

    fn from_pulled(pulled: Pulled, correlated: bool) -> Result<Self> {
        let Pulled { plan, outputs, conditions, always, after } = pulled;
        let mut names: HashMap<Column, Expr> = HashMap::new();
        let mut exprs = Vec::new();
        for expr in outputs.iter().map(|(_, e)| e).chain(&conditions).chain(&after) {
            for column in expr.column_refs() {
                if !names.contains_key(column) {
                    let name = refs::fresh_column();
                    exprs.push(Expr::Column(column.clone()).alias(name.name.clone()));
                    names.insert(column.clone(), Expr::Column(name));
                }
            }
        }
        let marker = refs::fresh_column();
        exprs.push(lit(true).alias(marker.name.clone()));
        let here = |expr: Expr| refs::inner(refs::substitute(expr, &names)?);
        Ok(Self {
            right: project(plan, exprs)?,
            conditions: conditions.into_iter().map(here).collect::<Result<_>>()?,
            outputs: outputs.into_iter().map(|(_, e)| here(e)).collect::<Result<_>>()?,
            marker,
            always,
            after: after.into_iter().map(here).collect::<Result<_>>()?,
            correlated,
            values: vec![],
        })
    }

    /// Whether a row stays, with `always`.
    pub(super) fn stays(&self) -> Option<Expr> {
        conjunction(self.after.clone()).map(|all| Expr::IsTrue(Box::new(all)))
    }

    /// Whether an expression is over the inner side alone.
    pub(super) fn is_own(&self, expr: &Expr) -> bool {
        expr.column_refs().into_iter().all(|c| self.right.schema().has_column(c))
    }
}

/// A join under conditions.
pub(super) fn join(left: LogicalPlan, right: LogicalPlan, on: Vec<Expr>, kind: JoinType) -> Result<LogicalPlan> {
    if on.is_empty() && kind == JoinType::Inner {
        return LogicalPlanBuilder::from(left).cross_join(right)?.build();
    }
    let filter = conjunction(on).unwrap_or_else(|| lit(true));
    Ok(LogicalPlan::Join(Join::try_new(
        Arc::new(left),
        Arc::new(right),
        vec![],
        Some(filter),
        kind,
        JoinConstraint::On,
        NullEquality::NullEqualsNothing,
        false,
    )?))
}

/// Adds a column to `left`: whether any row of `right` meets the conditions.
pub(super) fn mark(left: &mut LogicalPlan, right: &LogicalPlan, on: Vec<Expr>) -> Result<Expr> {
    let alias = refs::fresh();
    let mut qualified: HashMap<Column, Expr> = HashMap::new();
    for column in right.schema().columns() {
        qualified.insert(column.clone(), Expr::Column(Column::new(Some(alias.clone()), column.name)));
    }
    let on = on.into_iter().map(|e| refs::substitute(e, &qualified)).collect::<Result<Vec<_>>>()?;
    let right = LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(right.clone()), alias.clone())?);
    let columns = left.schema().columns();
    let joined = join(std::mem::take(left), right, on, JoinType::LeftMark)?;
    let name = refs::fresh_column();
    let mark = Expr::Column(Column::new(Some(alias), "mark")).alias(name.name.clone());
    *left = project(joined, columns.into_iter().map(Expr::Column).chain([mark]).collect())?;
    Ok(Expr::Column(name))
}
