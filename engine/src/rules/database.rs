//! Lets a database do what it does just as Spark would: count rows, find extremes, and take the first rows of an order.
//!
//! ```text
//! AggregateExec(Partial)      PostgresScanExec: the same partial rows, computed by the server
//!   PostgresScanExec     =>
//! SortExec(fetch = 10)        SortExec(fetch = 10)
//!   PostgresScanExec            PostgresScanExec: ORDER BY .. LIMIT 10
//! ```
//! The final step stays here, so that it does not matter how many partitions a scan has.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::{Partitioning, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};
use firesteel_connectors::postgres::PostgresScanExec;
use firesteel_connectors::postgres::read::{Compare, ReadColumn, ReadKind, ReadSpec};

/// The rule.
#[derive(Debug, Default)]
pub(super) struct AskDatabase;

impl PhysicalOptimizerRule for AskDatabase {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let asked = plan.transform_up(|node| {
            let replaced = match (node.downcast_ref::<AggregateExec>(), node.downcast_ref::<SortExec>()) {
                (Some(aggregate), _) => aggregated(aggregate)?,
                (_, Some(sort)) => first_rows(&node, sort)?,
                _ => None,
            };
            Ok(replaced.map_or_else(|| Transformed::no(node), Transformed::yes))
        })?;
        Ok(asked.data)
    }

    fn name(&self) -> &str {
        "ask_database"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A scan below operators that only rename columns or spread rows.
struct Below<'a> {
    scan: &'a PostgresScanExec,
    /// For each column of the top operator, that of the scan.
    columns: Vec<usize>,
}

fn below(plan: &Arc<dyn ExecutionPlan>) -> Option<Below<'_>> {
    if let Some(scan) = plan.downcast_ref::<PostgresScanExec>() {
        let spec = scan.spec();
        let plain = spec.groups.is_none() && spec.limit.is_none() && spec.order.is_empty();
        return plain.then(|| Below { scan, columns: (0..spec.columns.len()).collect() });
    }
    if let Some(spread) = plan.downcast_ref::<RepartitionExec>() {
        return match spread.partitioning() {
            Partitioning::RoundRobinBatch(_) => below(spread.input()),
            _ => None,
        };
    }
    let projection = plan.downcast_ref::<ProjectionExec>()?;
    let inner = below(projection.input())?;
    let mut columns = Vec::with_capacity(projection.expr().len());
    for projected in projection.expr() {
        let column = projected.expr.downcast_ref::<Column>()?;
        columns.push(*inner.columns.get(column.index())?);
    }
    Some(Below { scan: inner.scan, columns })
}

impl Below<'_> {
    fn column(&self, expr: &Arc<dyn PhysicalExpr>) -> Option<&ReadColumn> {
        let column = expr.downcast_ref::<Column>()?;
        self.scan.spec().columns.get(*self.columns.get(column.index())?)
    }
}

/// The aggregate with its first step done by the server.
fn aggregated(aggregate: &AggregateExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let single = match aggregate.mode() {
        AggregateMode::Partial => false,
        AggregateMode::Single | AggregateMode::SinglePartitioned => true,
        _ => return Ok(None),
    };
    let plain = aggregate.group_expr().is_single()
        && aggregate.limit_options().is_none()
        && aggregate.filter_expr().iter().all(Option::is_none);
    let Some(below) = below(aggregate.input()).filter(|below| plain && below.scan.spec().options.push_down.aggregate)
    else {
        return Ok(None);
    };
    let partial = AggregateExec::try_new(
        AggregateMode::Partial,
        aggregate.group_expr().clone(),
        aggregate.aggr_expr().to_vec(),
        aggregate.filter_expr().to_vec(),
        Arc::clone(aggregate.input()),
        aggregate.input_schema(),
    )?;
    let Some(spec) = partial_spec(aggregate, &below, &partial.schema()) else { return Ok(None) };
    let scan: Arc<dyn ExecutionPlan> = Arc::new(below.scan.reading(spec));
    if !single {
        return Ok(Some(scan));
    }
    let last = AggregateExec::try_new(
        AggregateMode::Final,
        aggregate.group_expr().as_final(),
        aggregate.aggr_expr().to_vec(),
        aggregate.filter_expr().to_vec(),
        scan,
        aggregate.input_schema(),
    )?;
    let same = last.schema() == aggregate.schema();
    Ok(same.then(|| Arc::new(last) as Arc<dyn ExecutionPlan>))
}

/// A scan that yields the rows of a partial aggregate with this schema; `None` if the server's would differ.
fn partial_spec(aggregate: &AggregateExec, below: &Below<'_>, schema: &SchemaRef) -> Option<ReadSpec> {
    let mut columns = Vec::new();
    let mut groups = Vec::new();
    for (group, _) in aggregate.group_expr().expr() {
        let column = below.column(group)?;
        let sql = comparable(column)?;
        groups.push(sql.clone());
        columns.push(ReadColumn { expr: Some(sql), ..column.clone() });
    }
    for function in aggregate.aggr_expr() {
        columns.push(partial_column(function, below)?);
    }
    if columns.len() != schema.fields().len() || columns.is_empty() {
        return None;
    }
    for (column, field) in columns.iter_mut().zip(schema.fields()) {
        if column.kind.arrow() != *field.data_type() {
            return None;
        }
        column.name.clone_from(field.name());
        column.nullable = field.is_nullable();
    }
    let spec = below.scan.spec();
    let spec = ReadSpec { columns, groups: Some(groups), ..spec.clone() };
    (spec.schema() == *schema).then_some(spec)
}

fn partial_column(function: &AggregateFunctionExpr, below: &Below<'_>) -> Option<ReadColumn> {
    let plain = !function.is_distinct() && function.order_bys().is_empty();
    let [argument] = <[Arc<dyn PhysicalExpr>; 1]>::try_from(function.expressions()).ok()?;
    if !plain || function.state_fields().ok()?.len() != 1 {
        return None;
    }
    let made = |expr: String, kind: ReadKind| ReadColumn {
        name: String::new(),
        expr: Some(expr),
        kind,
        compare: Compare::Nothing,
        nullable: true,
    };
    match function.fun().name() {
        "count" => match argument.downcast_ref::<Literal>() {
            Some(literal) => (!literal.value().is_null()).then(|| made("count(*)".to_owned(), ReadKind::Int8)),
            None => Some(made(format!("count({})", below.column(&argument)?.sql()), ReadKind::Int8)),
        },
        name @ ("min" | "max") => {
            let column = below.column(&argument)?;
            let ordered = column.compare == Compare::Everything && column.kind != ReadKind::Bool;
            ordered.then(|| made(format!("{name}({})", column.sql()), column.kind.clone()))
        }
        _ => None,
    }
}

/// A column such that the server's equality and order are those of the values here.
fn comparable(column: &ReadColumn) -> Option<String> {
    match column.compare {
        Compare::Nothing => None,
        Compare::Everything => Some(column.sql()),
        Compare::Text => Some(format!("{} COLLATE \"C\"", column.sql())),
    }
}

/// The sort over no more rows of each partition than it takes.
fn first_rows(node: &Arc<dyn ExecutionPlan>, sort: &SortExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let (Some(fetch), Some(below)) = (sort.fetch(), below(sort.input())) else { return Ok(None) };
    let spec = below.scan.spec();
    if !spec.options.push_down.limit {
        return Ok(None);
    }
    let mut order = Vec::new();
    for key in sort.expr().iter() {
        let Some(sql) = below.column(&key.expr).and_then(comparable) else { return Ok(None) };
        let direction = if key.options.descending { "DESC" } else { "ASC" };
        let nulls = if key.options.nulls_first { "FIRST" } else { "LAST" };
        order.push(format!("{sql} {direction} NULLS {nulls}"));
    }
    let scan = below.scan.reading(ReadSpec { order, limit: Some(fetch), ..spec.clone() });
    let input = over(sort.input(), Arc::new(scan))?;
    replace_children_if_necessary(Arc::clone(node), vec![input]).map(Some)
}

/// The operators above a scan over another one.
fn over(plan: &Arc<dyn ExecutionPlan>, scan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    if plan.is::<PostgresScanExec>() {
        return Ok(scan);
    }
    let mut children = Vec::new();
    for child in plan.children() {
        children.push(over(child, Arc::clone(&scan))?);
    }
    replace_children_if_necessary(Arc::clone(plan), children)
}
