//! Store assignment: the columns of a query as those of a table, by position or name, with defaults.
//!
//! Rules: <https://spark.apache.org/docs/latest/sql-ref-ansi-compliance.html#store-assignment>.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::{Column as PlanColumn, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};
use firesteel_functions::types::{DataType, StructType};

use super::store::Store;
use crate::analyze::Analyzed;
use crate::catalog::{Column, Relation, TableName, text_type};
use crate::session::Session;
use crate::source::failure;

/// How columns find each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Position,
    Name,
}

/// What is to be stored where.
#[derive(Debug)]
pub(super) struct Assignment<'a> {
    pub(super) table: &'a Relation,
    /// Columns the query gives, in its order; all that are not fixed when empty.
    pub(super) columns: &'a [String],
    /// Partition columns with a fixed value.
    pub(super) fixed: &'a BTreeMap<String, ScalarValue>,
    pub(super) by: By,
}

/// The query with exactly the table's columns, in order.
pub(super) async fn assign(
    session: &Arc<Session>,
    input: Analyzed,
    assignment: &Assignment<'_>,
) -> SparkResult<(LogicalPlan, StructType)> {
    let table = assignment.table;
    let schema = table.schema()?;
    let name = TableName::new(&table.database, &table.name).quoted();
    let sources = sources(&input, assignment, &name)?;
    let names: Vec<String> = input.plan.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut exprs = Vec::with_capacity(schema.fields.len());
    for (column, field) in table.columns.iter().zip(&schema.fields) {
        let expr = match sources.get(&column.name.to_lowercase()) {
            Some(Source::Column(index)) => {
                let (Some(from), Some(id)) = (input.schema.fields.get(*index), names.get(*index)) else {
                    return Err(SparkError::internal("a query lost a column"));
                };
                let value = Expr::Column(PlanColumn::from_name(id));
                Store::new(session, &name, assignment.by).value(
                    value,
                    &from.data_type,
                    &field.data_type,
                    &column.name,
                )?
            }
            Some(Source::Fixed(value)) => text_type::on_write(Expr::Literal(value.clone(), None), &field.data_type),
            None => text_type::on_write(default(session, column, &field.data_type).await?, &field.data_type),
        };
        exprs.push(expr.alias(&column.name));
    }
    let plan =
        LogicalPlanBuilder::from(input.plan).project(exprs).and_then(LogicalPlanBuilder::build).map_err(failure)?;
    Ok((plan, schema))
}

#[derive(Debug)]
enum Source {
    Column(usize),
    Fixed(ScalarValue),
}

/// Where each column of the table comes from, by lower-case name; missing ones take their default.
fn sources(input: &Analyzed, assignment: &Assignment<'_>, table: &str) -> SparkResult<BTreeMap<String, Source>> {
    let Assignment { table: relation, columns, fixed, by } = assignment;
    let mut sources: BTreeMap<String, Source> =
        fixed.iter().map(|(name, value)| (name.to_lowercase(), Source::Fixed(value.clone()))).collect();
    let given: Vec<&String> = input.schema.fields.iter().map(|field| &field.name).collect();
    let open: Vec<&String> = relation
        .columns
        .iter()
        .map(|column| &column.name)
        .filter(|name| !sources.contains_key(&name.to_lowercase()))
        .collect();
    let listed: Vec<&String> = columns.iter().collect();
    if *by == By::Name && columns.is_empty() {
        return by_name(sources, input, &open, table);
    }
    let targets = if columns.is_empty() { &open } else { &listed };
    for target in targets {
        if !relation.columns.iter().any(|column| column.name.eq_ignore_ascii_case(target)) {
            return Err(unresolved(target, relation));
        }
    }
    if given.len() != targets.len() {
        let sub = if given.len() < targets.len() { "NOT_ENOUGH_DATA_COLUMNS" } else { "TOO_MANY_DATA_COLUMNS" };
        return Err(SparkError::analysis(
            &format!("INSERT_COLUMN_ARITY_MISMATCH.{sub}"),
            &[("tableName", table), ("tableColumns", &quoted(targets)), ("dataColumns", &quoted(&given))],
        ));
    }
    for (index, target) in targets.iter().enumerate() {
        if sources.insert(target.to_lowercase(), Source::Column(index)).is_some() {
            let name = quote_identifier(&[target]);
            return Err(SparkError::analysis("COLUMN_ALREADY_EXISTS", &[("columnName", &name)]));
        }
    }
    Ok(sources)
}

fn by_name(
    mut sources: BTreeMap<String, Source>,
    input: &Analyzed,
    open: &[&String],
    table: &str,
) -> SparkResult<BTreeMap<String, Source>> {
    let mut extra = Vec::new();
    for (index, field) in input.schema.fields.iter().enumerate() {
        if !open.iter().any(|name| name.eq_ignore_ascii_case(&field.name)) {
            extra.push(&field.name);
        } else if sources.insert(field.name.to_lowercase(), Source::Column(index)).is_some() {
            return Err(SparkError::analysis(
                "INCOMPATIBLE_DATA_FOR_TABLE.AMBIGUOUS_COLUMN_NAME",
                &[("tableName", table), ("colName", &quote_identifier(&[&field.name]))],
            ));
        }
    }
    if extra.is_empty() {
        return Ok(sources);
    }
    Err(SparkError::analysis(
        "INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS",
        &[("tableName", table), ("extraColumns", &quoted(&extra))],
    ))
}

fn unresolved(name: &str, table: &Relation) -> SparkError {
    let known: Vec<String> = table.columns.iter().map(|column| quote_identifier(&[&column.name])).collect();
    SparkError::analysis(
        "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        &[("objectName", &quote_identifier(&[name])), ("proposal", &known.join(", "))],
    )
}

fn quoted(names: &[&String]) -> String {
    names.iter().map(|name| quote_identifier(&[name])).collect::<Vec<_>>().join(", ")
}

/// A column's default, or NULL.
async fn default(session: &Arc<Session>, column: &Column, to: &DataType) -> SparkResult<Expr> {
    let value = match &column.default {
        Some(text) => session.evaluate(&session.parse_expression(text)?, Some(&text_type::plain(to))).await?.1,
        None => ScalarValue::try_from(&to.to_arrow()).map_err(failure)?,
    };
    Ok(Expr::Literal(value, None))
}
