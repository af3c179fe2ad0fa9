//! Random samples.

use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use firesteel_functions::SparkResult;
use firesteel_functions::types::DataType;

use super::{Env, Resolved};
use crate::analyze::expr::Exprs;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors, plan};
use crate::spec::{self, Literal, Relation};

impl Analyzer<'_> {
    /// Rows whose random number falls into a range.
    pub(super) fn sample(&self, input: &Relation, lower: f64, upper: f64, replacement: bool, seed: Option<i64>, env: &Env) -> SparkResult<Resolved> {
        if replacement {
            return Err(errors::unsupported("sampling with replacement"));
        }
        let resolved = self.relation(input, env)?;
        if lower <= 0.0 && upper >= 1.0 {
            return Ok(resolved);
        }
        let random = self.random(seed, env)?;
        let id = self.fresh();
        let mut exprs: Vec<(Expr, u64)> = resolved.scope.attributes.iter().chain(&resolved.scope.hidden).map(|a| (a.expr(), a.id)).collect();
        exprs.push((random, id));
        let with = plan::project(resolved.plan, exprs)?;
        let number = || Expr::Column(crate::analyze::scope::column(id));
        let bound = |v: f64| Expr::Literal(ScalarValue::Float64(Some(v)), None);
        let predicate = datafusion::logical_expr::and(number().gt_eq(bound(lower)), number().lt(bound(upper)));
        let plan = plan::filter(with, predicate)?;
        let all: Vec<_> = resolved.scope.attributes.iter().chain(&resolved.scope.hidden).cloned().collect();
        let plan = plan::keep(plan, &all)?;
        Ok(Resolved::new(plan, resolved.scope))
    }

    /// `rand(seed)`.
    fn random(&self, seed: Option<i64>, env: &Env) -> SparkResult<Expr> {
        let args = seed.map(|s| spec::ExprKind::Literal(Literal::Long(s)).into()).into_iter().collect();
        let scope = crate::analyze::scope::Scope::default();
        let typed: Typed = Exprs::new(self, env, &scope).resolve(&spec::Expr::call("rand", args))?;
        Ok(typed.expr)
    }

    /// `sampleBy`: a fraction for each value of a column.
    pub(super) fn sample_by(&self, input: &Relation, column: &spec::Expr, fractions: &[(Literal, f64)], seed: i64, env: &Env) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        let column = Exprs::new(self, env, &resolved.scope).resolve(column)?;
        let mut whens = Vec::new();
        for (value, fraction) in fractions {
            let value = self.coerce(self.literal(value)?, &column.data_type)?;
            let fraction = Expr::Literal(ScalarValue::Float64(Some(*fraction)), None);
            whens.push((Box::new(column.expr.clone().eq(value.expr)), Box::new(fraction)));
        }
        let otherwise = Box::new(Expr::Literal(ScalarValue::Float64(Some(0.0)), None));
        let limit = if whens.is_empty() {
            *otherwise
        } else {
            Expr::Case(datafusion::logical_expr::expr::Case::new(None, whens, Some(otherwise)))
        };
        let random = self.random(Some(seed), env)?;
        let _ = DataType::Double;
        let plan = plan::filter(resolved.plan, random.lt(limit))?;
        Ok(Resolved::new(plan, resolved.scope))
    }
}
