//! Joins of each left row with its best right rows: as-of joins and nearest-by joins.
//!
//! ```text
//! Filter      number <= limit
//!   Window    number: row_number() over the pairs of one left row, in the order of the ranking
//!     Join    on the condition, where the ranking is not null
//! ```

use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder};
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::join::{join_plan, joined};
use super::{Env, Resolved};
use crate::analyze::expr::Exprs;
use crate::analyze::scope::{Attribute, Scope, column};
use crate::analyze::{Analyzer, errors, fold, plan};
use crate::spec::{self, NearestJoin};

impl Analyzer<'_> {
    /// An as-of or nearest-by join.
    pub(super) fn nearest_join(&self, join: &NearestJoin, env: &Env) -> SparkResult<Resolved> {
        let left = self.relation(&join.left, env)?;
        let right = self.relation(&join.right, env)?;
        // Equal left rows are told apart by a number.
        let none = Scope::default();
        let number = Exprs::new(self, env, &none).resolve(&spec::Expr::call("monotonically_increasing_id", vec![]))?;
        let row = self.fresh();
        let mut numbered: Vec<(Expr, u64)> = columns(&left.scope).iter().map(|a| (a.expr(), a.id)).collect();
        numbered.push((number.expr, row));
        let numbered = plan::project(left.plan, numbered)?;

        let both = left.scope.clone().join(right.scope.clone());
        let exprs = Exprs::new(self, env, &both);
        if let Some(tolerance) = &join.tolerance {
            self.check_tolerance(&exprs, tolerance)?;
        }
        let ranking = exprs.resolve(&join.ranking)?;
        if !errors::is_orderable(&ranking.data_type) {
            return Err(SparkError::analysis(
                "NEAREST_BY_JOIN.NON_ORDERABLE_RANKING_EXPRESSION",
                &[("expression", &errors::expression(&ranking.name)), ("type", &errors::sql_type(&ranking.data_type))],
            ));
        }
        let mut on = ranking.expr.is_not_null();
        for condition in &join.conditions {
            on = exprs.condition(condition)?.and(on);
        }
        let order = spec::SortOrder { expr: join.ranking.clone(), ascending: join.ascending, nulls_first: false };
        let mut keys = exprs.sort_keys(&[order])?;

        let scope = joined(left.scope, right.scope, join.join_type);
        let pairs = join_plan(numbered, right.plan, join.join_type, Some(on))?;
        // The window sorts by plain columns.
        let mut compared: Vec<(Expr, u64)> = columns(&scope).iter().map(|a| (a.expr(), a.id)).collect();
        compared.push((Expr::Column(column(row)), row));
        let mut order = Vec::with_capacity(keys.len());
        for (key, ..) in &mut keys {
            let id = self.fresh();
            let value = std::mem::replace(&mut key.expr, Expr::Column(column(id)));
            compared.push((value, id));
            order.push(key.clone());
        }
        let pairs = plan::project(pairs, compared)?;
        let place = datafusion::functions_window::row_number::row_number()
            .partition_by(vec![Expr::Column(column(row))])
            .order_by(order)
            .build()
            .map_err(errors::planning)?;
        let name = place.schema_name().to_string();
        let ranked = LogicalPlanBuilder::window_plan(pairs, [place]).map_err(errors::planning)?;
        let place = Expr::Column(datafusion::common::Column::new_unqualified(name));
        let limit = Expr::Literal(ScalarValue::UInt64(Some(join.limit)), None);
        let best = plan::filter(ranked, place.lt_eq(limit))?;
        Ok(Resolved::new(plan::keep(best, &columns(&scope))?, scope))
    }

    /// A tolerance is a constant and not negative.
    fn check_tolerance(&self, exprs: &Exprs<'_, '_>, tolerance: &spec::Expr) -> SparkResult<()> {
        let zero = spec::Expr::call("-", vec![tolerance.clone(), tolerance.clone()]);
        let enough = exprs.resolve(&spec::Expr::call(">=", vec![tolerance.clone(), zero]))?;
        if !fold::is_constant(&enough.expr) {
            return Err(SparkError::analysis("AS_OF_JOIN.TOLERANCE_IS_UNFOLDABLE", &[]));
        }
        let enough = self.coerce(enough, &DataType::Boolean)?;
        match self.fold(&enough.expr)? {
            ScalarValue::Boolean(Some(true)) => Ok(()),
            _ => Err(SparkError::analysis("AS_OF_JOIN.TOLERANCE_IS_NON_NEGATIVE", &[])),
        }
    }
}

/// All columns of a plan, hidden ones too.
fn columns(scope: &Scope) -> Vec<Attribute> {
    scope.attributes.iter().chain(&scope.hidden).cloned().collect()
}
