//! A table or query of a server as DataFusion sees it.
//!
//! Decides what goes to the server and how rows are spread; the scan does the reading.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::{PostgresScanExec, ReadColumn, ReadSpec, describe, filter, snapshot, split};
use crate::error::Result;
use crate::postgres::connect::connect;
use crate::postgres::options::JdbcOptions;

/// A table or query.
#[derive(Debug)]
pub struct PostgresTable {
    spec: ReadSpec,
    schema: SchemaRef,
    /// Conditions of the partitions, when the user's options say which there are.
    asked: Option<Vec<String>>,
}

impl PostgresTable {
    /// Asks the server for the columns of `dbtable` or `query`. `predicates` makes one partition of each condition;
    /// `custom` holds the types `customSchema` asks for.
    ///
    /// # Errors
    /// Connection errors, `TableNotFound`, `InvalidOption`.
    pub async fn open(options: JdbcOptions, predicates: &[String], custom: &[(String, DataType)]) -> Result<Self> {
        let from = describe::source(&options)?;
        let connection = connect(&options.target, "firesteel read").await?;
        connection.prepare_session(&options).await?;
        let columns = describe::columns(&connection, &options, &from, custom).await?;
        let asked = split::asked(&options, predicates, &columns)?;
        let spec = ReadSpec {
            options,
            from,
            columns,
            filters: Vec::new(),
            groups: None,
            order: Vec::new(),
            limit: None,
            snapshot: None,
        };
        let schema = spec.schema();
        Ok(Self { spec, schema, asked })
    }

    fn pushed(&self, filter: &Expr) -> Option<filter::Pushed> {
        if self.spec.options.push_down.predicate { filter::pushed(filter, &self.spec.columns) } else { None }
    }

    /// The conditions of the partitions; none for one partition of all rows.
    async fn splits(&self, target: usize) -> Result<Vec<String>> {
        if let Some(asked) = &self.asked {
            return Ok(asked.clone());
        }
        let options = &self.spec.options;
        // Rows move between blocks when they change: without a snapshot some might be read twice or never.
        let most = options.num_partitions.unwrap_or(target);
        if most <= 1 || !options.snapshot || options.query.is_some() {
            return Ok(Vec::new());
        }
        let connection = connect(&options.target, "firesteel read").await?;
        let blocks = describe::blocks(&connection, options).await?;
        Ok(blocks.map(|blocks| split::by_blocks(blocks, most)).unwrap_or_default())
    }
}

#[async_trait]
impl TableProvider for PostgresTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> datafusion::error::Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match self.pushed(filter) {
            Some(pushed) if pushed.exact => TableProviderFilterPushDown::Exact,
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let columns: Vec<ReadColumn> = match projection {
            Some(projection) => projection.iter().filter_map(|index| self.spec.columns.get(*index).cloned()).collect(),
            None => self.spec.columns.clone(),
        };
        let splits = self.splits(state.config().target_partitions()).await?;
        let snapshot = match splits.len() > 1 && self.spec.options.snapshot {
            true => Some(snapshot::export(&self.spec.options).await?),
            false => None,
        };
        let spec = ReadSpec {
            columns,
            filters: filters.iter().filter_map(|filter| self.pushed(filter)).map(|pushed| pushed.sql).collect(),
            limit: limit.filter(|_| self.spec.options.push_down.limit),
            snapshot: snapshot.as_ref().map(|snapshot| snapshot.name.clone()),
            ..self.spec.clone()
        };
        Ok(Arc::new(PostgresScanExec::over(spec, splits, snapshot)?))
    }
}
