//! Leaves: tables, views, sources, inline and local rows, ranges, table functions.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::Column;
use datafusion::common::TableReference;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::{Env, Resolved};
use crate::analyze::errors::At;
use crate::analyze::expr::Exprs;
use crate::analyze::scope::{Attribute, Scope, column_name};
use crate::analyze::tables::{NameRef, TableData, TableEntry};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, coerce, errors, plan};
use crate::catalog::text_type;
use crate::spec;

/// How deep views may nest (`spark.sql.view.maxNestedViewDepth`).
pub(super) const VIEW_DEPTH: usize = 100;

/// One row without columns.
pub(super) fn one_row() -> SparkResult<LogicalPlan> {
    LogicalPlanBuilder::empty(true).build().map_err(errors::planning)
}

/// No row and no column.
pub(super) fn no_rows() -> SparkResult<LogicalPlan> {
    LogicalPlanBuilder::empty(false).build().map_err(errors::planning)
}

impl Analyzer<'_> {
    /// A name in FROM.
    pub(super) fn table(
        &self,
        name: &[String],
        options: &spec::Options,
        time_travel: Option<&String>,
        env: &Env,
    ) -> SparkResult<Resolved> {
        if let Some(found) = self.cte_named(name, env)? {
            return Ok(found);
        }
        let reference = NameRef::Table {
            name: name.to_vec(),
            options: options.clone(),
            time_travel: time_travel.cloned(),
            namespace: env.namespace.clone(),
        };
        match self.lookup(reference)? {
            TableEntry::Table(data) => self.scan(data),
            TableEntry::View(view) => self.view(view),
            TableEntry::Rows { schema, batches } => self.rows(schema, batches.clone()),
            TableEntry::Missing | TableEntry::Function(_) => {
                let space = env.namespace.as_ref().unwrap_or(&self.context.namespace);
                Err(errors::table_not_found(name, &space.catalog, &space.database))
            }
        }
    }

    /// `spark.read...load()`.
    pub(super) fn source(&self, source: &spec::DataSource) -> SparkResult<Resolved> {
        self.fetched(NameRef::Source(source.clone()), "source")
    }

    /// Anything else that was fetched.
    pub(super) fn fetched(&self, name: NameRef, what: &str) -> SparkResult<Resolved> {
        match self.lookup(name)? {
            TableEntry::Table(data) => self.scan(data),
            TableEntry::View(view) => self.view(view),
            TableEntry::Rows { schema, batches } => self.rows(schema, batches.clone()),
            TableEntry::Missing | TableEntry::Function(_) => {
                let space = &self.context.namespace;
                Err(errors::table_not_found(&[what.to_string()], &space.catalog, &space.database))
            }
        }
    }

    /// Columns by position under the names and types they had when a view was created.
    pub(super) fn cast_to(&self, input: Resolved, schema: &StructType, view: &str) -> SparkResult<Resolved> {
        if input.scope.attributes.len() != schema.fields.len() {
            return Err(SparkError::analysis(
                "INCOMPATIBLE_VIEW_SCHEMA_CHANGE",
                &[
                    ("viewName", view),
                    ("colName", &schema.fields.first().map(|f| f.name.clone()).unwrap_or_default()),
                    ("expectedNum", &schema.fields.len().to_string()),
                    (
                        "actualCols",
                        &format!(
                            "[{}]",
                            input.scope.attributes.iter().map(|a| a.name.clone()).collect::<Vec<_>>().join(",")
                        ),
                    ),
                    ("suggestion", "CREATE OR REPLACE VIEW"),
                ],
            ));
        }
        let mut exprs = Vec::new();
        let mut attributes = Vec::new();
        for (from, field) in input.scope.attributes.iter().zip(&schema.fields) {
            let wanted = text_type::plain(&field.data_type);
            let value = self.coerce(Typed::attribute(from), &wanted)?;
            let same = value.expr == from.expr();
            let id = if same { from.id } else { self.fresh() };
            attributes.push(Attribute {
                id,
                name: field.name.clone(),
                qualifier: Arc::new([]),
                data_type: wanted,
                nullable: value.nullable,
                metadata: text_type::metadata(field),
            });
            exprs.push((value.expr, id));
        }
        let plan = plan::project(input.plan, exprs)?;
        Ok(Resolved::new(plan, input.scope.with_output(attributes)))
    }

    /// A scan whose columns get ids of their own.
    pub(super) fn scan(&self, data: &TableData) -> SparkResult<Resolved> {
        let name = data.qualifier.last().cloned().unwrap_or_else(|| "source".to_string());
        if let Some(resolved) = self.scan_of_files(&name, data)? {
            return Ok(resolved);
        }
        self.provider(&name, Arc::clone(&data.provider), &data.schema, &data.qualifier)
    }

    pub(super) fn provider(
        &self,
        name: &str,
        provider: Arc<dyn TableProvider>,
        schema: &StructType,
        qualifier: &[String],
    ) -> SparkResult<Resolved> {
        let table = TableReference::bare(name.to_string());
        let arrow = provider.schema();
        if arrow.fields().len() != schema.fields.len() {
            return Err(SparkError::internal(format!(
                "table {name} has {} columns but its schema says {}",
                arrow.fields().len(),
                schema.fields.len()
            )));
        }
        let scan = LogicalPlanBuilder::scan(table.clone(), provider_as_source(provider), None)
            .and_then(LogicalPlanBuilder::build)
            .map_err(errors::planning)?;
        let qualifier: Arc<[String]> = qualifier.to_vec().into();
        let mut exprs = Vec::with_capacity(schema.fields.len());
        let mut attributes = Vec::with_capacity(schema.fields.len());
        for (field, spark) in arrow.fields().iter().zip(&schema.fields) {
            let id = self.fresh();
            let column = Expr::Column(Column::new(Some(table.clone()), field.name().clone()));
            let wanted = spark.data_type.to_arrow();
            let expr =
                if *field.data_type() == wanted { column } else { datafusion::logical_expr::cast(column, wanted) };
            let expr = text_type::on_read(expr, &spark.data_type);
            exprs.push((expr, id));
            attributes.push(Attribute {
                id,
                name: spark.name.clone(),
                qualifier: Arc::clone(&qualifier),
                data_type: text_type::plain(&spark.data_type),
                nullable: spark.nullable || field.is_nullable(),
                metadata: text_type::metadata(spark),
            });
        }
        Ok(Resolved::new(plan::project(scan, exprs)?, Scope::new(attributes)))
    }

    /// Rows in memory, under a schema by position.
    pub(super) fn rows(&self, schema: &StructType, batches: Vec<RecordBatch>) -> SparkResult<Resolved> {
        // Names of the memory table are positions: Spark allows duplicates, a table does not.
        let fields: Vec<_> = schema
            .fields
            .iter()
            .enumerate()
            .map(|(i, f)| StructField { name: format!("c{i}"), ..f.clone() }.to_arrow())
            .collect();
        let arrow: SchemaRef = Arc::new(Schema::new(fields));
        let batches = batches.into_iter().map(|batch| conform(&batch, &arrow)).collect::<SparkResult<Vec<_>>>()?;
        let table = MemTable::try_new(Arc::clone(&arrow), vec![batches]).map_err(errors::planning)?;
        self.provider("rows", Arc::new(table), schema, &[])
    }

    /// Rows a client sent.
    pub(super) fn local(
        &self,
        batches: &[RecordBatch],
        arrow: Option<&SchemaRef>,
        schema: Option<&StructType>,
    ) -> SparkResult<Resolved> {
        let sent = match (arrow, batches.first()) {
            (Some(arrow), _) => StructType::from_arrow(arrow)?,
            (None, Some(batch)) => StructType::from_arrow(&batch.schema())?,
            (None, None) => schema.cloned().unwrap_or_default(),
        };
        let resolved = self.rows(&sent, batches.to_vec())?;
        match schema {
            None => Ok(resolved),
            Some(schema) => {
                let cast = self.cast_to(resolved, schema, "`local`")?;
                let mut scope = cast.scope;
                for (attribute, field) in scope.attributes.iter_mut().zip(&schema.fields) {
                    attribute.nullable = field.nullable;
                }
                Ok(Resolved::new(cast.plan, scope))
            }
        }
    }

    /// `VALUES (..), (..)`.
    pub(super) fn values(&self, rows: &[Vec<spec::Expr>], env: &Env) -> SparkResult<Resolved> {
        let scope = Scope::default();
        let exprs = Exprs::new(self, env, &scope);
        let mut typed: Vec<Vec<Typed>> = Vec::with_capacity(rows.len());
        let width = rows.first().map_or(0, Vec::len);
        for (index, row) in rows.iter().enumerate() {
            if row.len() != width {
                return Err(SparkError::analysis(
                    "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH",
                    &[
                        ("expectedNumCols", &width.to_string()),
                        ("actualNumCols", &row.len().to_string()),
                        ("rowIndex", &index.to_string()),
                    ],
                ))
                .at(row.first().and_then(|e| e.origin.as_ref()));
            }
            typed.push(row.iter().map(|value| inline_value(&exprs, value)).collect::<SparkResult<Vec<_>>>()?);
        }
        let mut attributes = Vec::with_capacity(width);
        for position in 0..width {
            let types: Vec<DataType> =
                typed.iter().filter_map(|row| row.get(position).map(|v| v.data_type.clone())).collect();
            // No string becomes a number here, and no setting changes that.
            let to = types.split_first().and_then(|(first, rest)| {
                rest.iter().try_fold(first.clone(), |all, other| coerce::tightest(&all, other))
            });
            let to = to.ok_or_else(|| {
                SparkError::analysis(
                    "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE",
                    &[("colName", &format!("`col{}`", position + 1))],
                )
            })?;
            let mut nullable = false;
            for row in &mut typed {
                let Some(slot) = row.get_mut(position) else { continue };
                *slot = self.coerce(slot.clone(), &to)?;
                nullable |= slot.nullable;
            }
            attributes.push(Attribute {
                id: self.fresh(),
                name: format!("col{}", position + 1),
                qualifier: Arc::new([]),
                data_type: to,
                nullable,
                metadata: None,
            });
        }
        let constant = typed.iter().flatten().all(|v| crate::analyze::fold::is_constant(&v.expr));
        if !constant {
            return Err(SparkError::analysis(
                "INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE",
                &[("expr", "\"expression\"")],
            ));
        }
        let fields: Vec<_> = attributes
            .iter()
            .map(|a| crate::analyze::typed::arrow_field(&column_name(a.id), &a.data_type, a.nullable))
            .collect();
        let schema = datafusion::common::DFSchema::try_from(Schema::new(fields)).map_err(errors::planning)?;
        let mut values: Vec<Vec<Expr>> = Vec::with_capacity(typed.len());
        for row in typed {
            let row = row
                .into_iter()
                .map(|v| match self.fold(&v.expr) {
                    Ok(value) => Ok(Expr::Literal(value, None)),
                    Err(_) => Err(SparkError::analysis(
                        "INVALID_INLINE_TABLE.FAILED_SQL_EXPRESSION_EVALUATION",
                        &[("sqlExpr", &errors::expression(&v.name))],
                    )),
                })
                .collect::<SparkResult<Vec<_>>>()?;
            values.push(row);
        }
        let plan = if width == 0 {
            one_row()?
        } else {
            LogicalPlan::Values(datafusion::logical_expr::Values { schema: Arc::new(schema), values })
        };
        Ok(Resolved::new(plan, Scope::new(attributes)))
    }
}

/// A batch under another schema of the same layout, cast where the carriers differ.
fn conform(batch: &RecordBatch, schema: &SchemaRef) -> SparkResult<RecordBatch> {
    let internal = |e: arrow::error::ArrowError| SparkError::internal(e.to_string());
    if batch.num_columns() != schema.fields().len() {
        return Err(SparkError::internal("rows and their schema differ in the number of columns"));
    }
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| {
            if column.data_type() == field.data_type() {
                Ok(Arc::clone(column))
            } else {
                arrow::compute::cast(column, field.data_type()).map_err(internal)
            }
        })
        .collect::<SparkResult<Vec<_>>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    // What clients declare as not null may hold nulls; the plan must then not rely on it.
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .zip(&columns)
        .map(|(f, c)| if c.null_count() > 0 { f.as_ref().clone().with_nullable(true) } else { f.as_ref().clone() })
        .collect();
    if fields.iter().zip(schema.fields()).any(|(a, b)| a.is_nullable() != b.is_nullable()) {
        return Err(SparkError::analysis("NOT_NULL_ASSERT_VIOLATION", &[("walkedTypePath", "")]));
    }
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(internal)
}

/// A value of an inline table, which must be computable without any row.
fn inline_value(exprs: &Exprs<'_, '_>, value: &spec::Expr) -> SparkResult<Typed> {
    if let spec::ExprKind::Subquery(spec::Subquery::Scalar(_)) = &*value.kind {
        return Err(SparkError::analysis("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.SCALAR_SUBQUERY_IN_VALUES", &[]));
    }
    exprs.resolve(value).map_err(|error| match error.condition() {
        "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT" => SparkError::analysis(
            "INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE",
            &[("expr", "\"expression\"")],
        ),
        _ => error,
    })
}
