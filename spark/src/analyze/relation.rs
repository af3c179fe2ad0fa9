//! Relations: the unresolved relation to a plan and its scope. The dispatch is here, each kind in its own file below.

mod block;
mod collations;
mod columns;
mod cte;
mod files;
mod frequent;
mod generate;
mod group;
mod join;
mod keywords;
mod layout;
mod leaf;
mod nearest;
mod parse;
mod pivot;
mod range;
mod reconcile;
mod root;
mod sample;
mod select;
mod setop;
mod sort;
mod statistics;
mod table_function;
mod time_window;
mod transpose;
mod unpivot;
mod view;
mod visible;
mod watermark;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;
use firesteel_functions::SparkResult;

use super::errors::{self, At};
use super::scope::Scope;
use super::tables::Namespace;
use super::typed::Typed;
use super::{Analyzer, plan};
use crate::spec::{self, Relation, RelationKind};
pub(super) use block::Block;
pub(super) use generate::{generator, is_generator};

/// A parameter of a SQL function with its value.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    /// Parameter.
    pub name: String,
    /// Function.
    pub function: String,
    /// Value.
    pub value: Typed,
    /// How many outer scopes there were.
    pub depth: usize,
}

/// Values of `:name` and `?`.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// By name.
    pub named: BTreeMap<String, spec::Expr>,
    /// By position.
    pub positional: Vec<spec::Expr>,
}

/// Aggregates of a query that its subqueries ask for: the call over the query's columns, the id of its value, its text.
pub(super) type OuterAggregates = Arc<parking_lot::Mutex<Vec<(Typed, u64)>>>;

/// What surrounds a relation.
#[derive(Debug, Clone)]
pub(super) struct Env {
    /// Named subqueries, innermost last.
    pub ctes: Vec<Arc<cte::Definition>>,
    /// How many of them stand around the definition or subquery this is in.
    pub far: usize,
    /// Scopes of the queries around, innermost last.
    pub outer: Vec<Arc<Scope>>,
    /// Namespace of the view or function whose body this is.
    pub namespace: Option<Namespace>,
    /// Values of parameters.
    pub parameters: Arc<Parameters>,
    /// Parameters of SQL functions.
    pub bindings: Vec<Binding>,
    /// In a subquery of `HAVING`: aggregates of the query around that it asks for.
    pub outer_aggregates: Option<OuterAggregates>,
    /// Below `LIMIT ALL`: recursions may have any number of rows.
    pub unlimited: bool,
}

impl Env {
    /// Around the whole query.
    pub(super) fn root(analyzer: &Analyzer<'_>) -> Self {
        let parameters = Parameters {
            named: analyzer.context.named_parameters.clone(),
            positional: analyzer.context.positional_parameters.clone(),
        };
        Self {
            ctes: vec![],
            far: 0,
            outer: vec![],
            namespace: None,
            parameters: Arc::new(parameters),
            bindings: vec![],
            outer_aggregates: None,
            unlimited: false,
        }
    }
    /// Inside a subquery.
    pub(super) fn with_outer(&self, scope: Arc<Scope>) -> Self {
        let mut env = self.clone();
        env.outer.push(scope);
        env.outer_aggregates = None;
        env
    }
    /// Inside a view or SQL function: nothing around is visible but outer scopes of its arguments.
    pub(super) fn for_function(&self, namespace: Option<Namespace>) -> Self {
        Self {
            ctes: vec![],
            far: 0,
            outer: self.outer.clone(),
            namespace,
            parameters: Arc::default(),
            bindings: vec![],
            outer_aggregates: None,
            unlimited: self.unlimited,
        }
    }
}

/// A resolved relation.
#[derive(Debug)]
pub(super) struct Resolved {
    /// Plan.
    pub plan: LogicalPlan,
    /// Output.
    pub scope: Scope,
    /// The select block at the top, which can still give more columns to what stands above.
    pub block: Option<Box<Block>>,
}

impl Resolved {
    /// A relation.
    pub(super) fn new(plan: LogicalPlan, scope: Scope) -> Self {
        Self { plan, scope, block: None }
    }
    /// The same output over another plan.
    fn with_plan(self, plan: LogicalPlan) -> Self {
        Self { plan, scope: self.scope, block: None }
    }
}

impl Analyzer<'_> {
    /// Resolves a relation.
    pub(super) fn relation(&self, relation: &Relation, env: &Env) -> SparkResult<Resolved> {
        let mut resolved = stacker::maybe_grow(256 * 1024, 8 * 1024 * 1024, || self.relation_kind(relation, env))
            .at(relation.origin.as_ref())?;
        resolved.scope.mark(relation.plan_id);
        Ok(resolved)
    }

    fn relation_kind(&self, relation: &Relation, env: &Env) -> SparkResult<Resolved> {
        match &*relation.kind {
            RelationKind::Table { name, options, time_travel } => self.table(name, options, time_travel.as_ref(), env),
            RelationKind::DataSource(source) => self.source(source),
            RelationKind::Values(rows) => self.values(rows, env),
            RelationKind::Local { batches, arrow_schema, schema } => {
                self.local(batches, arrow_schema.as_ref(), schema.as_ref())
            }
            RelationKind::Range { start, end, step, partitions } => self.range(*start, *end, *step, *partitions),
            RelationKind::OneRow => Ok(Resolved::new(leaf::one_row()?, Scope::default())),
            RelationKind::TableFunction { name, args } => self.table_function(name, args, env),
            RelationKind::Sql { text, named, positional } => self.sql(text, named, positional, env),
            RelationKind::CachedRemote { id } => self.fetched(super::NameRef::CachedRemote(id.clone()), id),
            RelationKind::Catalog(query) => self.fetched(super::NameRef::Catalog(Box::new(query.clone())), "catalog"),
            RelationKind::Command(command) => self.fetched(super::NameRef::Command(command.clone()), "command"),
            RelationKind::Select(select) => match time_window::select(select)? {
                Some(rewritten) => self.select(&rewritten, env),
                None => self.select(select, env),
            },
            RelationKind::Project { input, exprs } => self.project(input, exprs, env),
            // SQL's WHERE sees its FROM only; a DataFrame's filter may reach below the projection it stands on.
            RelationKind::Filter { input, condition } => self.filter(input, condition, relation.plan_id.is_some(), env),
            RelationKind::Aggregate { input, group_by, aggregates, pivot } => match pivot {
                None => match time_window::input_and_grouping(input, group_by)? {
                    Some((input, group_by)) => {
                        let aggregates = time_window::all_replaced(aggregates);
                        self.aggregate(&input, &group_by, &aggregates, relation.plan_id.is_none(), env)
                    }
                    None => self.aggregate(input, group_by, aggregates, relation.plan_id.is_none(), env),
                },
                Some(pivot) => self.pivot_frame(input, group_by, aggregates, pivot, env),
            },
            RelationKind::Sort { input, order, global, all } => self.sort(input, order, (*global, *all), env),
            RelationKind::Limit { input, limit } => self.limit(input, limit, env),
            RelationKind::Offset { input, offset } => {
                let skip = self.constant_integer("offset", offset, env).at(offset.origin.as_ref())?;
                let resolved = self.relation(input, env)?;
                let plan = plan::limit(resolved.plan.clone(), to_usize(skip), None)?;
                Ok(resolved.with_plan(plan))
            }
            RelationKind::Tail { .. } => Err(errors::unsupported("tail below another operation")),
            RelationKind::Deduplicate { input, columns } => self.deduplicate(input, columns, env),
            RelationKind::SubqueryAlias { input, alias, columns } => self.subquery_alias(input, alias, columns, env),
            RelationKind::With { ctes, recursive, input } => self.with(ctes, *recursive, input, env),
            RelationKind::LateralView { input, generator, outer, alias, columns } => {
                self.lateral_view(input, generator, *outer, alias.as_deref(), columns, env)
            }
            RelationKind::Pivot { input, aggregates, columns, values } => {
                self.pivot(input, aggregates, columns, values, env)
            }
            RelationKind::Unpivot(unpivot) => self.unpivot(unpivot, env),
            RelationKind::Sample { input, lower, upper, replacement, seed } => {
                self.sample(input, *lower, *upper, *replacement, *seed, env)
            }
            RelationKind::SampleBucket { .. } => Err(errors::unsupported("TABLESAMPLE BUCKET")),
            RelationKind::Rename { input, names } => self.rename(input, names, env),
            RelationKind::WithColumns { input, columns } => self.with_columns(input, columns, env),
            RelationKind::WithColumnsRenamed { input, renames } => self.with_columns_renamed(input, renames, env),
            RelationKind::Drop { input, columns, names } => self.drop_columns(input, columns, names, env),
            RelationKind::ToSchema { input, schema } => self.to_schema(input, schema, env),
            RelationKind::Hint { input, name, .. } if name == spec::LIMIT_ALL => {
                self.relation(input, &Env { unlimited: true, ..env.clone() })
            }
            RelationKind::Hint { input, name, .. } if name == spec::BARRIER => {
                Ok(Resolved { block: None, ..self.relation(input, env)? })
            }
            RelationKind::Hint { input, name, args } => match self.layout_hint(input, name, args, env)? {
                Some(laid_out) => Ok(laid_out),
                None => self.relation(input, env),
            },
            RelationKind::Repartition { input, partitions, shuffle } => {
                let partitions = i64::try_from(*partitions).unwrap_or(i64::MAX);
                self.repartition(self.relation(input, env)?, partitions, *shuffle, env)
            }
            RelationKind::RepartitionBy { input, exprs, partitions } => {
                self.repartition_by(self.relation(input, env)?, exprs, *partitions, env)
            }
            RelationKind::RepartitionById { input, id, partitions } => {
                self.repartition_by_id(self.relation(input, env)?, id, *partitions, env)
            }
            RelationKind::ShowString { .. } | RelationKind::HtmlString { .. } => {
                Err(errors::unsupported("show below another operation"))
            }
            RelationKind::FillNa { input, columns, values } => self.fill_na(input, columns, values, env),
            RelationKind::DropNa { input, columns, min_non_nulls } => self.drop_na(input, columns, *min_non_nulls, env),
            RelationKind::ReplaceNa { input, columns, replacements } => {
                self.replace_na(input, columns, replacements, env)
            }
            RelationKind::Summary { input, statistics } => self.summary(input, statistics, env),
            RelationKind::Describe { input, columns } => self.describe(input, columns, env),
            RelationKind::Crosstab { input, left, right } => self.crosstab(input, left, right, env),
            RelationKind::Covariance { input, left, right } => self.covariance(input, left, right, env),
            RelationKind::Correlation { input, left, right, method } => {
                self.correlation(input, left, right, method.as_deref(), env)
            }
            RelationKind::ApproxQuantile { input, columns, probabilities, relative_error } => {
                self.approx_quantile(input, columns, probabilities, *relative_error, env)
            }
            RelationKind::FrequentItems { input, columns, support } => {
                self.frequent_items(input, columns, *support, env)
            }
            RelationKind::SampleBy { input, column, fractions, seed } => {
                self.sample_by(input, column, fractions, *seed, env)
            }
            RelationKind::Watermark { input, column, delay } => self.watermark(input, column, delay, env),
            RelationKind::CollectMetrics { input, name, metrics } => self.collect_metrics(input, name, metrics, env),
            RelationKind::Parse { input, format, schema, options } => {
                self.parse(input, format, schema.as_ref(), options, env)
            }
            RelationKind::Transpose { input, index } => self.transpose(input, index, env),
            RelationKind::Join(join) => self.join(join, env),
            RelationKind::NearestJoin(join) => self.nearest_join(join, env),
            RelationKind::SetOperation { left, right, op, all, by_name, allow_missing } => self.set_operation(
                left,
                right,
                setop::Kind { op: *op, all: *all, by_name: *by_name, allow_missing: *allow_missing },
                env,
            ),
            RelationKind::WithRelations { root, references } => self.with_relations(root, references, env),
            RelationKind::Unsupported(feature) => Err(errors::unsupported(feature)),
        }
    }

    fn limit(&self, input: &Relation, limit: &spec::Expr, env: &Env) -> SparkResult<Resolved> {
        let fetch = self.constant_integer("limit", limit, env).at(limit.origin.as_ref())?;
        let resolved = self.relation(input, env)?;
        let plan = plan::limit(resolved.plan.clone(), 0, Some(to_usize(fetch)))?;
        Ok(resolved.with_plan(plan))
    }

    fn sql(
        &self,
        text: &str,
        named: &[(String, spec::Expr)],
        positional: &[spec::Expr],
        env: &Env,
    ) -> SparkResult<Resolved> {
        let mut inner = env.clone();
        if !named.is_empty() || !positional.is_empty() {
            inner.parameters =
                Arc::new(Parameters { named: named.iter().cloned().collect(), positional: positional.to_vec() });
        }
        match self.context.parse.statement(text)? {
            spec::Plan::Query(query) => self.relation(&query, &inner),
            spec::Plan::Command(command) => self.fetched(super::NameRef::Command(command), "command"),
        }
    }

    /// Relations that the root names: by alias, or by the plan id of a subquery.
    fn with_relations(&self, root: &Relation, references: &[Relation], env: &Env) -> SparkResult<Resolved> {
        let mut inner = env.clone();
        for reference in references {
            if let RelationKind::SubqueryAlias { alias, .. } = &*reference.kind {
                inner.ctes.push(Arc::new(cte::Definition::new(alias.clone(), vec![], reference.clone(), env.clone())));
            }
        }
        self.relation(root, &inner)
    }
}

/// A count that fits.
fn to_usize(value: i64) -> usize {
    usize::try_from(value).unwrap_or(0)
}
