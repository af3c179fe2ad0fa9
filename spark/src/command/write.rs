//! `df.write`: to paths, tables and databases.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use firesteel_connectors::sink::{FileSinkSpec, SinkSpec};
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::StructType;
use tokio_util::sync::CancellationToken;

use super::{Rows, assign, database_write, insert, noop, sink, table};
use crate::analyze::Analyzed;
use crate::session::{Found, Session};
use crate::source::failure;
use crate::source::{Format, ReadOptions};
use crate::spec::{Options, Relation, SaveMode, V2Mode, Write, WriteTarget};

/// Writes rows.
pub(super) async fn run(session: &Arc<Session>, write: Write) -> SparkResult<Rows> {
    match write.target.clone() {
        WriteTarget::Path(_) | WriteTarget::Nothing if noop::is_meant(&write) => noop::run(session, write).await,
        WriteTarget::Path(path) => to_path(session, write, path).await,
        WriteTarget::Nothing => to_source(session, write).await,
        WriteTarget::SaveAsTable(name) => save_as_table(session, write, name).await,
        WriteTarget::InsertInto(name) => {
            let input = session.analyze(&write.input).await?;
            let relation = session.require_table(&name, "INSERT INTO").await?;
            let job = insert::Rows {
                columns: &[],
                fixed: BTreeMap::new(),
                by: assign::By::Position,
                overwrite: write.mode == SaveMode::Overwrite,
            };
            insert::into_table(session, &relation, input, job).await
        }
        WriteTarget::V2 { table, mode, condition, partitioning, properties } => {
            if condition.is_some() {
                return Err(SparkError::unsupported("overwrite by condition"));
            }
            if !partitioning.is_empty() && !matches!(mode, V2Mode::Create | V2Mode::Replace | V2Mode::CreateOrReplace) {
                return Err(SparkError::unsupported("partitioning of an existing table"));
            }
            to_v2(session, write, table, mode, partitioning, properties).await
        }
    }
}

/// `INSERT OVERWRITE DIRECTORY`.
pub(super) async fn directory(
    session: &Arc<Session>,
    path: String,
    format: String,
    options: Options,
    input: Relation,
) -> SparkResult<Rows> {
    let write = Write {
        input,
        format: Some(format).filter(|format| !format.is_empty()),
        target: WriteTarget::Path(path.clone()),
        mode: SaveMode::Overwrite,
        options,
        partition_by: Vec::new(),
        cluster_by: Vec::new(),
        bucket_by: None,
        sort_by: Vec::new(),
    };
    to_path(session, write, path).await
}

fn format_of(session: &Session, format: Option<&String>) -> SparkResult<(String, Format)> {
    let name =
        format.cloned().filter(|name| !name.is_empty()).unwrap_or_else(|| session.conf().effects().default_source());
    let parsed = Format::parse(&name)?;
    Ok((name, parsed))
}

async fn to_path(session: &Arc<Session>, write: Write, path: String) -> SparkResult<Rows> {
    let (_, format) = format_of(session, write.format.as_ref())?;
    if format.is_database() {
        return to_source(session, write).await;
    }
    if write.bucket_by.is_some() || !write.cluster_by.is_empty() {
        return Err(SparkError::analysis("_LEGACY_ERROR_TEMP_1312", &[("operation", "save")]));
    }
    let input = session.analyze(&write.input).await?;
    let options = ReadOptions::new(&write.options);
    let mode = options.get("partitionOverwriteMode").map(str::to_ascii_lowercase);
    let dynamic = mode.map_or_else(|| session.conf().effects().dynamic_overwrite(), |mode| mode == "dynamic");
    let files = Files {
        location: path,
        format,
        options,
        mode: write.mode,
        partition_by: write.partition_by,
        dynamic: dynamic && write.mode == SaveMode::Overwrite,
        replaced: Vec::new(),
    };
    files.write(session, input.plan, &input.schema).await?;
    Ok(Rows::none())
}

async fn to_source(session: &Arc<Session>, write: Write) -> SparkResult<Rows> {
    let (_, format) = format_of(session, write.format.as_ref())?;
    let path = write.options.iter().find(|(key, _)| key.eq_ignore_ascii_case("path")).map(|(_, path)| path.clone());
    match (format, path) {
        (format, _) if format.is_database() => {
            if write.bucket_by.is_some() || !write.cluster_by.is_empty() || !write.partition_by.is_empty() {
                return Err(SparkError::unsupported(
                    "partitionBy, bucketBy and clusterBy of a database; see its options",
                ));
            }
            let input = session.analyze(&write.input).await?;
            database_write::run(session, input.plan, &input.schema, format, &write.options, write.mode).await?;
            Ok(Rows::none())
        }
        (_, Some(path)) => Box::pin(to_path(session, write, path)).await,
        (_, None) => Err(SparkError::analysis("_LEGACY_ERROR_TEMP_2047", &[])),
    }
}

async fn save_as_table(session: &Arc<Session>, write: Write, name: Vec<String>) -> SparkResult<Rows> {
    let input = session.analyze(&write.input).await?;
    let found = session.find(&name, None).await?.filter(|found| matches!(found, Found::Stored(_)));
    match (found, write.mode) {
        (Some(Found::Stored(_)), SaveMode::Ignore) => Ok(Rows::none()),
        (Some(Found::Stored(relation)), SaveMode::ErrorIfExists) => {
            let name = crate::catalog::TableName::new(&relation.database, &relation.name);
            Err(crate::catalog::table_exists(&name))
        }
        (Some(Found::Stored(_)), SaveMode::Append) => {
            let relation = session.require_table(&name, "saveAsTable").await?;
            let job = insert::Rows { columns: &[], fixed: BTreeMap::new(), by: assign::By::Name, overwrite: false };
            insert::into_table(session, &relation, input, job).await
        }
        (found, _) => {
            if found.is_some() {
                session.require_table(&name, "saveAsTable").await?;
            }
            let (provider, _) = format_of(session, write.format.as_ref())?;
            let new = table::New {
                provider,
                options: write.options,
                partitioned_by: write.partition_by,
                buckets: write.bucket_by.map(|(count, columns)| (count, columns, write.sort_by)),
                cluster_by: write.cluster_by,
                ..table::New::named(name)
            };
            table::create_as(session, new, input, found.is_some(), write.mode).await
        }
    }
}

async fn to_v2(
    session: &Arc<Session>,
    write: Write,
    name: Vec<String>,
    mode: V2Mode,
    partitioning: Vec<crate::spec::Expr>,
    properties: Options,
) -> SparkResult<Rows> {
    let input = session.analyze(&write.input).await?;
    let stored = session.warehouse().relation(&session.table_name(&name)?).await?;
    match mode {
        V2Mode::Append | V2Mode::Overwrite | V2Mode::OverwritePartitions => {
            let relation = session.require_table(&name, "writeTo").await?;
            let job = insert::Rows {
                columns: &[],
                fixed: BTreeMap::new(),
                by: assign::By::Name,
                overwrite: mode != V2Mode::Append,
            };
            insert::into_table(session, &relation, input, job).await
        }
        V2Mode::Create if stored.is_some() => Err(crate::catalog::table_exists(&session.table_name(&name)?)),
        V2Mode::Replace if stored.is_none() => Err(session.unknown(&name)),
        _ => {
            let (provider, _) = format_of(session, write.format.as_ref())?;
            let partitioned_by = partitioning.iter().map(table::plain_column).collect::<SparkResult<_>>()?;
            let new =
                table::New { provider, options: write.options, partitioned_by, properties, ..table::New::named(name) };
            table::create_as(session, new, input, stored.is_some(), SaveMode::ErrorIfExists).await
        }
    }
}

/// A write of files.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) location: String,
    pub(super) format: Format,
    pub(super) options: ReadOptions,
    pub(super) mode: SaveMode,
    pub(super) partition_by: Vec<String>,
    pub(super) dynamic: bool,
    /// Files that the commit removes beside those of the partitions written to.
    pub(super) replaced: Vec<object_store::path::Path>,
}

impl Files {
    /// Writes the rows of a plan; `schema` names and types its columns.
    pub(super) async fn write(
        &self,
        session: &Arc<Session>,
        plan: LogicalPlan,
        schema: &StructType,
    ) -> SparkResult<()> {
        sink::check(self.format, schema, &self.partition_by)?;
        let is_partition = |name: &str| self.partition_by.iter().any(|other| other.eq_ignore_ascii_case(name));
        let data: Vec<_> = schema.fields.iter().filter(|field| !is_partition(&field.name)).cloned().collect();
        let format = sink::file_format(self.format, &self.options, &StructType::new(data), session.conf())?;
        let named = |name: &String| {
            let found = schema.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name));
            found.map_or_else(|| name.clone(), |field| field.name.clone())
        };
        let limit = match self.options.get("maxRecordsPerFile") {
            Some(text) => Some(text.to_string()),
            None => session.conf().get_option("spark.sql.files.maxRecordsPerFile"),
        };
        let spec = FileSinkSpec {
            columns: schema.fields.iter().map(|field| field.name.clone()).collect(),
            partition_by: self.partition_by.iter().map(named).collect(),
            dynamic_overwrite: self.dynamic,
            replaced: self.replaced.iter().map(ToString::to_string).collect(),
            max_records_per_file: limit
                .and_then(|text| text.trim().parse::<i64>().ok())
                .map_or(0, |n| n.max(0).unsigned_abs()),
            time_zone: session.time_zone(),
            ..FileSinkSpec::new(&self.location, format, sink::mode(self.mode))
        };
        submit(session, plan, schema, SinkSpec::Files(Box::new(spec))).await
    }
}

/// Runs a write to its commit.
pub(super) async fn submit(
    session: &Arc<Session>,
    plan: LogicalPlan,
    schema: &StructType,
    spec: SinkSpec,
) -> SparkResult<()> {
    let ctx = session.context()?;
    let plan = named(plan, schema)?;
    let cancel = CancellationToken::new();
    // Dropping this future (the client went away) must stop the tasks, too.
    let _stop = cancel.clone().drop_guard();
    let write = firesteel_engine::write::write(session.runner().as_ref(), ctx, plan, spec, "write", cancel.clone());
    let report = write.await.map_err(failure)?;
    tracing::debug!(rows = report.rows, bytes = report.bytes, files = report.files, "written");
    Ok(())
}

/// The plan's columns under the names they are written with.
fn named(plan: LogicalPlan, schema: &StructType) -> SparkResult<LogicalPlan> {
    let exprs: Vec<Expr> = plan
        .schema()
        .columns()
        .into_iter()
        .zip(&schema.fields)
        .map(|(column, field)| Expr::Column(column).alias(&field.name))
        .collect();
    LogicalPlanBuilder::from(plan).project(exprs).and_then(LogicalPlanBuilder::build).map_err(failure)
}

/// The columns of a query with those named last, in that order.
pub(super) fn partitions_last(input: Analyzed, partitions: &[String]) -> SparkResult<(LogicalPlan, StructType)> {
    let is_partition = |name: &str| partitions.iter().any(|other| other.eq_ignore_ascii_case(name));
    let position = |name: &str| input.schema.fields.iter().position(|field| field.name.eq_ignore_ascii_case(name));
    let mut order: Vec<usize> = (0..input.schema.fields.len())
        .filter(|index| input.schema.fields.get(*index).is_some_and(|field| !is_partition(&field.name)))
        .collect();
    order.extend(partitions.iter().filter_map(|name| position(name)));
    let columns = input.plan.schema().columns();
    let exprs: Vec<Expr> = order.iter().filter_map(|index| columns.get(*index).cloned().map(Expr::Column)).collect();
    let fields = order.iter().filter_map(|index| input.schema.fields.get(*index).cloned()).collect();
    let plan =
        LogicalPlanBuilder::from(input.plan).project(exprs).and_then(LogicalPlanBuilder::build).map_err(failure)?;
    Ok((plan, StructType::new(fields)))
}
