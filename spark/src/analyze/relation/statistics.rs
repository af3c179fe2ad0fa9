//! `describe`, `summary`, `corr`, `cov`, `approxQuantile`, `observe` and other statistics, rewritten to plain queries.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, LogicalPlan, SortExpr, Union};
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::block::{Block, Grouping};
use super::{Env, Resolved};
use crate::analyze::expr::Exprs;
use crate::analyze::scope::{Attribute, Scope, column};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, Observation, errors, plan};
use crate::spec::{self, CastMode, ExprKind, Literal, Relation};

impl Analyzer<'_> {
    /// `describe(columns)`.
    pub(super) fn describe(&self, input: &Relation, columns: &[String], env: &Env) -> SparkResult<Resolved> {
        let input = self.relation(input, env)?;
        let chosen = if columns.is_empty() { None } else { Some(self.named_columns(&input.scope, columns)?) };
        let statistics = ["count", "mean", "stddev", "min", "max"].map(str::to_string);
        self.statistics(input, chosen, &statistics, env)
    }

    /// `summary(statistics)`.
    pub(super) fn summary(&self, input: &Relation, statistics: &[String], env: &Env) -> SparkResult<Resolved> {
        let input = self.relation(input, env)?;
        let all = ["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"].map(str::to_string);
        let statistics = if statistics.is_empty() { &all } else { statistics };
        self.statistics(input, None, statistics, env)
    }

    fn statistics(
        &self,
        input: Resolved,
        chosen: Option<Vec<u64>>,
        statistics: &[String],
        env: &Env,
    ) -> SparkResult<Resolved> {
        let columns: Vec<Attribute> = match chosen {
            Some(ids) => ids.iter().filter_map(|id| input.scope.by_id(*id).cloned()).collect(),
            None => input
                .scope
                .attributes
                .iter()
                .filter(|a| a.data_type.is_numeric() || a.data_type.is_string())
                .cloned()
                .collect(),
        };
        let output: Vec<Attribute> = std::iter::once("summary")
            .chain(columns.iter().map(|c| c.name.as_str()))
            .map(|name| Attribute {
                id: self.fresh(),
                name: name.to_string(),
                qualifier: Arc::new([]),
                data_type: DataType::String,
                nullable: true,
                metadata: None,
            })
            .collect();
        let mut branches = Vec::new();
        let place = self.fresh();
        for statistic in statistics {
            let label = Typed::literal(ScalarValue::Utf8(Some(statistic.clone())), DataType::String, statistic.clone());
            let mut items = vec![label.alias("summary")];
            for column in &columns {
                items.push(self.statistic(&input.scope, column, statistic, env)?);
            }
            let mut block = Block::new(input.plan.clone(), input.scope.clone());
            block.grouping = Some(Grouping { said: true, ..Grouping::default() });
            block.items = items.into_iter().zip(&output).map(|(item, a)| (item, a.id)).collect();
            // Branches arrive in any order: each says its place.
            let rank = Expr::Literal(ScalarValue::UInt64(u64::try_from(branches.len()).ok()), None);
            branches.push(Arc::new(if columns.is_empty() {
                let items = block.items.iter().map(|(i, id)| (i.expr.clone(), *id));
                plan::project(super::leaf::one_row()?, items.chain([(rank, place)]).collect())?
            } else {
                block.build(self, &[(rank, place)])?
            }));
        }
        let plan = match branches.len() {
            1 => branches.pop().map_or_else(|| input.plan.clone(), Arc::unwrap_or_clone),
            _ => LogicalPlan::Union(Union::try_new(branches).map_err(errors::planning)?),
        };
        let plan = plan::sort(plan, vec![SortExpr::new(Expr::Column(column(place)), true, true)])?;
        let plan = plan::keep(plan, &output)?;
        Ok(Resolved::new(plan, input.scope.with_output(output)))
    }

    /// One statistic of one column, as text.
    fn statistic(&self, scope: &Scope, column: &Attribute, statistic: &str, env: &Env) -> SparkResult<Typed> {
        let numeric = column.data_type.is_numeric();
        let bound = [(column.name.clone(), Typed::attribute(column))];
        let mut exprs = Exprs::new(self, env, scope);
        exprs.lambdas = std::cell::RefCell::new(bound.to_vec());
        let value = || -> spec::Expr { ExprKind::LambdaVariable(column.name.clone()).into() };
        let number = || -> spec::Expr {
            if numeric {
                return value();
            }
            ExprKind::Cast { expr: value(), to: DataType::Double, mode: CastMode::Try }.into()
        };
        let call = match statistic.to_lowercase().as_str() {
            "count" => spec::Expr::call("count", vec![value()]),
            "count_distinct" => {
                let mut function = spec::Function::new(vec!["count".into()], vec![value()]);
                function.distinct = true;
                ExprKind::Function(function).into()
            }
            "approx_count_distinct" => spec::Expr::call("approx_count_distinct", vec![value()]),
            "mean" => spec::Expr::call("avg", vec![number()]),
            "stddev" => spec::Expr::call("stddev_samp", vec![number()]),
            "min" => spec::Expr::call("min", vec![value()]),
            "max" => spec::Expr::call("max", vec![value()]),
            percent => {
                let Some(fraction) =
                    percent.strip_suffix('%').and_then(|p| p.trim().parse::<f64>().ok()).map(|p| p / 100.0)
                else {
                    return Err(SparkError::analysis("UNRECOGNIZED_STATISTIC", &[("stats", &format!("`{percent}`"))]));
                };
                spec::Expr::call(
                    "percentile_approx",
                    vec![number(), ExprKind::Literal(Literal::Double(fraction)).into()],
                )
            }
        };
        let typed = exprs.resolve(&call)?;
        Ok(self.cast(typed, &DataType::String, CastMode::Session)?.alias(column.name.clone()))
    }

    /// One row of aggregates over the input.
    fn one_row_of(&self, input: Resolved, items: Vec<Typed>) -> SparkResult<Resolved> {
        let mut block = Block::new(input.plan, input.scope);
        block.grouping = Some(Grouping { said: true, ..Grouping::default() });
        block.set_items(self, items);
        self.finish(block)
    }

    /// `stat.cov`.
    pub(super) fn covariance(&self, input: &Relation, left: &str, right: &str, env: &Env) -> SparkResult<Resolved> {
        self.two_columns(input, "covar_samp", "cov", left, right, env)
    }

    /// `stat.corr`.
    pub(super) fn correlation(
        &self,
        input: &Relation,
        left: &str,
        right: &str,
        method: Option<&str>,
        env: &Env,
    ) -> SparkResult<Resolved> {
        if method.is_some_and(|m| !m.eq_ignore_ascii_case("pearson")) {
            return Err(errors::unsupported("correlation other than Pearson's"));
        }
        self.two_columns(input, "corr", "corr", left, right, env)
    }

    fn two_columns(
        &self,
        input: &Relation,
        function: &str,
        name: &str,
        left: &str,
        right: &str,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let input = self.relation(input, env)?;
        let column = |name: &str| -> spec::Expr {
            let expr = ExprKind::Attribute { name: vec![name.to_string()], plan_id: None, is_metadata: false }.into();
            ExprKind::Cast { expr, to: DataType::Double, mode: CastMode::Session }.into()
        };
        let scope = input.scope.clone();
        for id in self.named_columns(&scope, &[left.to_string(), right.to_string()])? {
            let found = scope.by_id(id).filter(|attribute| !attribute.data_type.is_numeric());
            if let Some(found) = found {
                let what = if name == "cov" { "covariance" } else { "correlation" };
                let text = found.data_type.simple_string();
                let text = format!("Currently {what} calculation for columns with dataType {text} not supported.");
                return Err(errors::requirement(&text));
            }
        }
        let call = spec::Expr::call(function, vec![column(left), column(right)]);
        let typed = Exprs::new(self, env, &scope).resolve(&call)?;
        self.one_row_of(input, vec![typed.alias(name)])
    }

    /// `approxQuantile`: one row, one array of arrays.
    pub(super) fn approx_quantile(
        &self,
        input: &Relation,
        columns: &[String],
        probabilities: &[f64],
        relative_error: f64,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let input = self.relation(input, env)?;
        let scope = input.scope.clone();
        let exprs = Exprs::new(self, env, &scope);
        let accuracy = if relative_error <= 0.0 {
            i32::MAX
        } else {
            (1.0 / relative_error).clamp(1.0, f64::from(i32::MAX)) as i32
        };
        let literal = |l: Literal| -> spec::Expr { ExprKind::Literal(l).into() };
        let mut arrays = Vec::new();
        for (name, id) in columns.iter().zip(self.named_columns(&scope, columns)?) {
            if let Some(found) = scope.by_id(id).filter(|attribute| !attribute.data_type.is_numeric()) {
                let found = super::transpose::class_name(&found.data_type);
                let text = format!("Quantile calculation for column {name} with data type {found} is not supported.");
                return Err(errors::requirement(&text));
            }
            let column = ExprKind::Attribute { name: vec![name.clone()], plan_id: None, is_metadata: false }.into();
            let column = ExprKind::Cast { expr: column, to: DataType::Double, mode: CastMode::Session }.into();
            let list = spec::Expr::call("array", probabilities.iter().map(|p| literal(Literal::Double(*p))).collect());
            arrays.push(spec::Expr::call("percentile_approx", vec![column, list, literal(Literal::Integer(accuracy))]));
        }
        let typed = exprs.resolve(&spec::Expr::call("array", arrays))?;
        self.one_row_of(input, vec![typed.alias("approx_quantile")])
    }

    /// `stat.crosstab`: how often each pair occurs; back quotes are left out of names.
    pub(super) fn crosstab(&self, input: &Relation, left: &str, right: &str, env: &Env) -> SparkResult<Resolved> {
        let text = |text: &str| -> spec::Expr { ExprKind::Literal(Literal::String(text.to_string())).into() };
        let shown = |name: &str, of: &dyn Fn(spec::Expr) -> spec::Expr| -> spec::Expr {
            let column: spec::Expr =
                ExprKind::Attribute { name: vec![name.to_string()], plan_id: None, is_metadata: false }.into();
            let cast = ExprKind::Cast { expr: column, to: DataType::String, mode: CastMode::Session }.into();
            spec::Expr::call("coalesce", vec![of(cast), text("null")])
        };
        let key = shown(left, &|column| column);
        let key = ExprKind::Alias { expr: key, names: vec![format!("{left}_{right}")], metadata: None }.into();
        let column = shown(right, &|column| spec::Expr::call("replace", vec![column, text("`")]));
        let pivot = spec::DataFramePivot { column, values: vec![] };
        let count = spec::Expr::call("count", vec![ExprKind::Literal(Literal::Integer(1)).into()]);
        let group = spec::GroupBy::Elements(vec![spec::GroupingElement::Expr(key)]);
        let counted = spec::RelationKind::Aggregate {
            input: input.clone(),
            group_by: group,
            aggregates: vec![count],
            pivot: Some(pivot),
        };
        self.fill_na(&counted.into(), &[], &[Literal::Long(0)], env)
    }

    /// `df.observe`: the rows pass, the metrics are a query beside.
    pub(super) fn collect_metrics(
        &self,
        input: &Relation,
        name: &str,
        metrics: &[spec::Expr],
        env: &Env,
    ) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        let scope = resolved.scope.clone();
        let items = super::select::select_list(&Exprs::new(self, env, &scope), metrics)?;
        let observed = self.one_row_of(Resolved::new(resolved.plan.clone(), scope), items)?;
        let schema = observed.scope.schema();
        self.observations.borrow_mut().push(Observation { name: name.to_string(), plan: observed.plan, schema });
        Ok(resolved)
    }
}
