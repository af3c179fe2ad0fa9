//! Runs one query on a session of the engine and compares what a client would see.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use datafusion::prelude::SessionContext;
use firesteel_engine::{EngineConfig, SessionOverrides, SessionRecipe};
use firesteel_functions::options::SparkOptions;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use crate::analyze::{Analyzed, AnalyzerContext, CatalogLookup, NameRef, Namespace, ParseHooks, TableEntry, analyze};
use crate::spec;
use crate::sql::{self, ParseOptions};

struct Parser;

impl ParseHooks for Parser {
    fn statement(&self, text: &str) -> SparkResult<spec::Plan> {
        sql::parse_statement(text, &ParseOptions::default())
    }
    fn expression(&self, text: &str) -> SparkResult<spec::Expr> {
        sql::parse_expression(text, &ParseOptions::default())
    }
    fn data_type(&self, text: &str) -> SparkResult<DataType> {
        sql::parse_data_type(text)
    }
}

struct Nothing;

#[async_trait]
impl CatalogLookup for Nothing {
    async fn fetch(&self, _: &NameRef) -> SparkResult<TableEntry> {
        Ok(TableEntry::Missing)
    }
}

fn session() -> SessionContext {
    let config = EngineConfig { target_partitions: 1, ..EngineConfig::default() };
    SessionRecipe::new(config).unwrap().context(SessionOverrides::default()).unwrap().as_ref().clone()
}

fn context(session: &SessionContext) -> AnalyzerContext {
    AnalyzerContext {
        options: SparkOptions::default(),
        config: Arc::new(session.state().config_options().as_ref().clone()),
        namespace: Namespace { catalog: "spark_catalog".into(), database: "default".into() },
        user: "someone".into(),
        now: 0,
        variables: BTreeMap::new(),
        locals: BTreeMap::new(),
        named_parameters: BTreeMap::new(),
        positional_parameters: vec![],
        ordinals: true,
        group_by_aliases: true,
        count_of_table: false,
        nanos: false,
        count_of_nothing: false,
        null_in_nothing: false,
        having_as_where: false,
        cross_join: true,
        pivot_max_values: 10_000,
        transpose_max_values: 500,
        cte: crate::analyze::CteOptions::default(),
        parse: Arc::new(Parser),
    }
}

/// Analyzes a query.
pub(super) async fn analyzed(query: &str) -> SparkResult<(SessionContext, Analyzed)> {
    let session = session();
    let context = context(&session);
    let spec::Plan::Query(relation) = context.parse.statement(query)? else {
        return Err(SparkError::internal("not a query"));
    };
    let analyzed = analyze(&relation, &context, &Nothing).await?;
    Ok((session, analyzed))
}

/// Runs a query: `name:type` of its columns and its rows, cells joined by `|`.
pub(super) async fn run(query: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let (session, analyzed) = analyzed(query).await.map_err(|e| e.to_string())?;
    let columns =
        analyzed.schema.fields.iter().map(|f| format!("{}:{}", f.name, f.data_type.simple_string())).collect();
    let physical = analyzed.plan.schema().as_arrow().clone();
    for (field, arrow) in analyzed.schema.fields.iter().zip(physical.fields()) {
        if field.data_type.to_arrow() != *arrow.data_type() {
            return Err(format!("{}: {} is carried as {}", field.name, field.data_type.sql(), arrow.data_type()));
        }
    }
    let plan = analyzed.plan.display_indent().to_string();
    let frame = session.execute_logical_plan(analyzed.plan).await.map_err(|e| format!("{e}\n{plan}"))?;
    let batches = frame.collect().await.map_err(|e| format!("{e}\n{plan}"))?;
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in batches {
        let cells: Vec<ArrayFormatter<'_>> =
            batch.columns().iter().map(|c| ArrayFormatter::try_new(c, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            rows.push(cells.iter().map(|c| c.value(row).to_string()).collect::<Vec<_>>().join("|"));
        }
    }
    Ok((columns, rows))
}

/// Checks columns and rows of a query.
pub(super) async fn check(query: &str, columns: &[&str], rows: &[&str]) {
    match run(query).await {
        Ok((found_columns, found_rows)) => {
            assert_eq!(found_columns, columns, "columns of {query}");
            assert_eq!(found_rows, rows, "rows of {query}");
        }
        Err(error) => panic!("{query}\n{error}"),
    }
}

/// Checks the condition a query fails with in analysis.
pub(super) async fn fails(query: &str, condition: &str) {
    match analyzed(query).await {
        Ok((_, analyzed)) => panic!("{query} passed:\n{}", analyzed.plan.display_indent()),
        Err(error) => assert_eq!(error.condition(), condition, "{query}: {error}"),
    }
}
