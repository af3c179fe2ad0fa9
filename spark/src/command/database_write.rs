//! Rows to a database: PostgreSQL, where what has no type there goes as JSON, or ClickHouse.
//!
//! It knows which of Spark's types these are; what the table makes of them is the connectors' business.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use firesteel_connectors::clickhouse::sink::ClickHouseSinkSpec;
use firesteel_connectors::postgres::sink::PostgresSinkSpec;
use firesteel_connectors::sink::SinkSpec;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::registry;
use firesteel_functions::types::{DataType, StructType};

use super::{sink, write};
use crate::session::Session;
use crate::source::{Format, clickhouse_options, failure};
use crate::spec::{Options, SaveMode};

/// How `to_json` writes: nothing is left out or cut off.
const JSON_OPTIONS: &str = r#"{"ignoreNullFields":"false","timestampFormat":"yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX","timestampNTZFormat":"yyyy-MM-dd'T'HH:mm:ss.SSSSSS"}"#;

/// Writes the rows of a plan to a database.
pub(super) async fn run(
    session: &Arc<Session>,
    plan: LogicalPlan,
    schema: &StructType,
    format: Format,
    options: &Options,
    mode: SaveMode,
) -> SparkResult<()> {
    sink::unique(schema)?;
    let names = schema.fields.iter().map(|field| field.name.clone()).collect();
    if let Some(options) = clickhouse_options(format, options, session.conf()) {
        let spec = ClickHouseSinkSpec::from_options(&options, sink::mode(mode), names);
        let spec = spec.map_err(|error| failure(error.into()))?;
        return write::submit(session, plan, schema, SinkSpec::ClickHouse(Box::new(spec))).await;
    }
    let mut spec =
        PostgresSinkSpec::from_options(options, sink::mode(mode), names).map_err(|error| failure(error.into()))?;
    let (plan, json) = as_json(plan, schema)?;
    spec.json = json;
    write::submit(session, plan, schema, SinkSpec::Postgres(spec)).await
}

/// The plan with structs, maps and variants as JSON, and the names of those columns.
fn as_json(plan: LogicalPlan, schema: &StructType) -> SparkResult<(LogicalPlan, Vec<String>)> {
    let json: Vec<String> =
        schema.fields.iter().filter(|field| is_document(&field.data_type)).map(|field| field.name.clone()).collect();
    if json.is_empty() {
        return Ok((plan, json));
    }
    let to_json =
        registry().scalar("spark_to_json").ok_or_else(|| SparkError::internal("there is no function to_json"))?;
    let exprs: Vec<Expr> = plan
        .schema()
        .columns()
        .into_iter()
        .zip(&schema.fields)
        .map(|(column, field)| {
            if !is_document(&field.data_type) {
                return Expr::Column(column);
            }
            let name = column.name.clone();
            let args = vec![Expr::Column(column), lit(field.data_type.json()), lit(JSON_OPTIONS)];
            to_json.call(args).alias(name)
        })
        .collect();
    let plan = LogicalPlanBuilder::from(plan).project(exprs).and_then(LogicalPlanBuilder::build).map_err(failure)?;
    Ok((plan, json))
}

fn is_document(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(_) | DataType::Map { .. } | DataType::Variant => true,
        DataType::Array { element, .. } => is_document(element),
        _ => false,
    }
}
