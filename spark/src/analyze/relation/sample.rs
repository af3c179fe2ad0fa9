//! Random samples.
//!
//! A seeded sample is a function of the rows alone: a row is in it or not by its hash, whatever the order and the
//! partitions in which rows come. So the parts of a random split never overlap. Equal rows are told apart by a number.
//! Where rows cannot but come in one order, the numbers are those of `rand(seed)`, and the sample is Spark's.

use datafusion::datasource::{MemTable, source_as_provider};
use datafusion::functions_table::generate_series::GenerateSeriesTable;
use datafusion::logical_expr::{Case, Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, ScalarUDF};
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult, registry};

use super::{Env, Resolved};
use crate::analyze::expr::Exprs;
use crate::analyze::scope::{Attribute, column};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors, plan};
use crate::spec::{self, Literal, Relation};

impl Analyzer<'_> {
    /// Rows whose random number falls into a range.
    pub(super) fn sample(
        &self,
        input: &Relation,
        lower: f64,
        upper: f64,
        replacement: bool,
        seed: Option<i64>,
        env: &Env,
    ) -> SparkResult<Resolved> {
        if replacement {
            return Err(errors::unsupported("sampling with replacement"));
        }
        if !(-1e-6..=1.0 + 1e-6).contains(&(upper - lower)) {
            let text = format!("Sampling fraction ({}) must be on interval [0, 1] without replacement", upper - lower);
            return Err(errors::requirement(&text));
        }
        let resolved = self.relation(input, env)?;
        if lower <= 0.0 && upper >= 1.0 {
            return Ok(resolved);
        }
        let all: Vec<Attribute> = resolved.scope.attributes.iter().chain(&resolved.scope.hidden).cloned().collect();
        let (drawn, number, from, to) = match seed {
            Some(seed) if !is_steady(&resolved.plan) => {
                let (drawn, id) = self.draw(resolved.plan, &resolved.scope.attributes, &all, seed)?;
                (drawn, Expr::Column(column(id)), bound(lower), bound(upper))
            }
            _ => {
                let (drawn, id) = self.drawn_in_order(resolved.plan, &all, seed, env)?;
                (drawn, Expr::Column(column(id)), Some(double(lower)), Some(double(upper)))
            }
        };
        let from = (lower > 0.0).then(|| from.map_or_else(never, |from| number.clone().gt_eq(from)));
        let to = to.filter(|_| upper < 1.0).map(|to| number.lt(to));
        let predicate = from.into_iter().chain(to).reduce(Expr::and);
        let plan = match predicate {
            Some(predicate) => plan::keep(plan::filter(drawn, predicate)?, &all)?,
            None => plan::keep(drawn, &all)?,
        };
        Ok(Resolved::new(plan, resolved.scope))
    }

    /// Adds a column of random numbers between 0 and 1, `rand(seed)`; returns its id.
    fn drawn_in_order(
        &self,
        input: LogicalPlan,
        all: &[Attribute],
        seed: Option<i64>,
        env: &Env,
    ) -> SparkResult<(LogicalPlan, u64)> {
        let scope = crate::analyze::scope::Scope::default();
        let seed: Option<spec::Expr> = seed.map(|seed| spec::ExprKind::Literal(Literal::Long(seed)).into());
        let call = spec::Expr::call("rand", seed.into_iter().collect());
        let number: Typed = Exprs::new(self, env, &scope).resolve(&call)?;
        let id = self.fresh();
        let mut exprs: Vec<(Expr, u64)> = all.iter().map(|a| (a.expr(), a.id)).collect();
        exprs.push((number.expr, id));
        Ok((plan::project(input, exprs)?, id))
    }

    /// Adds a column of 64 random bits to the columns `all`; returns its id.
    fn draw(
        &self,
        input: LogicalPlan,
        columns: &[Attribute],
        all: &[Attribute],
        seed: i64,
    ) -> SparkResult<(LogicalPlan, u64)> {
        let hash = hash()?;
        let seed = Expr::Literal(ScalarValue::Int64(Some(seed)), None);
        let mut content = vec![seed.clone()];
        for column in columns.iter().filter(|c| hashable(&c.data_type)) {
            content.push(column.expr());
            // The hash passes over NULL, wherever it is.
            if column.nullable {
                content.push(column.expr().is_null());
            }
        }
        let kept = || -> Vec<(Expr, u64)> { all.iter().map(|a| (a.expr(), a.id)).collect() };
        let id = self.fresh();
        let mut exprs = kept();
        exprs.push((hash.call(content), id));
        let plan = plan::project(input, exprs)?;

        let content = Expr::Column(column(id));
        let number = datafusion::functions_window::row_number::row_number()
            .partition_by(vec![content.clone()])
            .build()
            .map_err(errors::planning)?;
        let name = number.schema_name().to_string();
        let plan = LogicalPlanBuilder::window_plan(plan, [number]).map_err(errors::planning)?;
        let number = Expr::Column(datafusion::common::Column::new_unqualified(name));
        let number = datafusion::logical_expr::cast(number, arrow::datatypes::DataType::Int64);
        let drawn = self.fresh();
        let mut exprs = kept();
        exprs.push((hash.call(vec![content, number, seed]), drawn));
        Ok((plan::project(plan, exprs)?, drawn))
    }

    /// `sampleBy`: a fraction for each value of a column.
    pub(super) fn sample_by(
        &self,
        input: &Relation,
        column: &spec::Expr,
        fractions: &[(Literal, f64)],
        seed: i64,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        let stratum = Exprs::new(self, env, &resolved.scope).resolve(column)?;
        let all: Vec<Attribute> = resolved.scope.attributes.iter().chain(&resolved.scope.hidden).cloned().collect();
        let steady = is_steady(&resolved.plan);
        let (drawn, id) = match steady {
            true => self.drawn_in_order(resolved.plan, &all, Some(seed), env)?,
            false => self.draw(resolved.plan, &resolved.scope.attributes, &all, seed)?,
        };
        let number = Expr::Column(crate::analyze::scope::column(id));
        let mut whens = Vec::new();
        for (value, fraction) in fractions {
            let value = self.coerce(self.literal(value)?, &stratum.data_type)?;
            let limit = if steady { Some(double(*fraction)) } else { bound(*fraction) };
            let chosen = match limit {
                Some(limit) => number.clone().lt(limit),
                None => Expr::Literal(ScalarValue::Boolean(Some(true)), None),
            };
            whens.push((Box::new(stratum.expr.clone().eq(value.expr)), Box::new(chosen)));
        }
        let predicate =
            if whens.is_empty() { never() } else { Expr::Case(Case::new(None, whens, Some(Box::new(never())))) };
        let plan = plan::keep(plan::filter(drawn, predicate)?, &all)?;
        Ok(Resolved::new(plan, resolved.scope))
    }
}

/// Whether rows come from this process in one order, and one by one through what stands above.
fn is_steady(plan: &LogicalPlan) -> bool {
    let one_by_one = match plan {
        LogicalPlan::TableScan(scan) => source_as_provider(&scan.source)
            .is_ok_and(|provider| provider.is::<MemTable>() || provider.is::<GenerateSeriesTable>()),
        LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) => true,
        LogicalPlan::Union(_) | LogicalPlan::Values(_) | LogicalPlan::EmptyRelation(_) => true,
        _ => false,
    };
    let subquery = |expr: &Expr| {
        matches!(expr, Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_))
    };
    one_by_one
        && !plan.expressions().iter().any(|expr| plan::contains(expr, subquery))
        && plan.inputs().into_iter().all(is_steady)
}

fn double(value: f64) -> Expr {
    Expr::Literal(ScalarValue::Float64(Some(value)), None)
}

fn never() -> Expr {
    Expr::Literal(ScalarValue::Boolean(Some(false)), None)
}

fn hash() -> SparkResult<std::sync::Arc<ScalarUDF>> {
    registry().scalar("xxhash64").ok_or_else(|| SparkError::internal("xxhash64 is not registered"))
}

/// Where a fraction lies among the 64-bit integers; `None` is beyond all of them.
fn bound(fraction: f64) -> Option<Expr> {
    const ALL: f64 = 18_446_744_073_709_551_616.0;
    let above = (fraction.max(0.0) * ALL) as i128;
    let value = i64::try_from(above + i128::from(i64::MIN)).ok()?;
    Some(Expr::Literal(ScalarValue::Int64(Some(value)), None))
}

/// Whether the hash takes values of a type.
fn hashable(data_type: &DataType) -> bool {
    match data_type {
        DataType::Boolean
        | DataType::Byte
        | DataType::Short
        | DataType::Integer
        | DataType::Long
        | DataType::Float
        | DataType::Double
        | DataType::Decimal(..)
        | DataType::String
        | DataType::Collated(_)
        | DataType::Char(_)
        | DataType::Varchar(_)
        | DataType::Binary
        | DataType::Date
        | DataType::Timestamp
        | DataType::TimestampNtz => true,
        DataType::Array { element, .. } => hashable(element),
        DataType::Struct(fields) => fields.fields.iter().all(|field| hashable(&field.data_type)),
        _ => false,
    }
}
