//! `CREATE TABLE` in all its forms.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};
use firesteel_functions::types::DataType;

use super::{Rows, partition, rename_table, reserved, sink, table_check, write};
use crate::analyze::Analyzed;
use crate::catalog::{self, Column, Kind, Relation, TableName};
use crate::session::{Found, Session};
use crate::source::failure;
use crate::source::{self, Environment, Format};
use crate::spec::{CreateTable, Expr, ExprKind, Options, PartitionField, SaveMode};

/// A table to be made.
#[derive(Debug, Clone, Default)]
pub(super) struct New {
    pub(super) name: Vec<String>,
    pub(super) provider: String,
    pub(super) options: Options,
    pub(super) partitioned_by: Vec<String>,
    pub(super) buckets: Option<(u32, Vec<String>, Vec<String>)>,
    pub(super) cluster_by: Vec<String>,
    pub(super) location: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) properties: Options,
}

impl New {
    pub(super) fn named(name: Vec<String>) -> Self {
        Self { name, ..Self::default() }
    }
}

/// The column a partitioning expression names; transforms need another kind of table.
pub(super) fn plain_column(expr: &Expr) -> SparkResult<String> {
    match expr.kind.as_ref() {
        ExprKind::Attribute { name, .. } if name.len() == 1 => Ok(name.concat()),
        _ => Err(SparkError::unsupported("partitioning by an expression")),
    }
}

/// `CREATE TABLE`.
pub(super) async fn create(session: &Arc<Session>, create: CreateTable) -> SparkResult<Rows> {
    if create.temporary {
        return Err(SparkError::unsupported("CREATE TEMPORARY TABLE"));
    }
    reserved::tables(session, &create.properties)?;
    let name = session.table_name(&create.name)?;
    session.warehouse().database(&name.database).await?;
    let exists = session.warehouse().relation(&name).await?;
    let replace = create.or_replace || create.replace_only;
    match &exists {
        Some(_) if create.if_not_exists => return Ok(Rows::none()),
        Some(_) if !replace => return Err(catalog::table_exists(&name)),
        Some(old) if old.view.is_some() => return Err(catalog::table_exists(&name)),
        None if create.replace_only => return Err(session.unknown(&create.name)),
        _ => {}
    }
    let mut columns: Vec<Column> = create.columns.iter().map(Column::of_definition).collect();
    if create.columns.iter().any(|column| column.generated.is_some()) {
        return Err(SparkError::unsupported_feature(
            "TABLE_OPERATION",
            &[("tableName", &name.quoted()), ("operation", "generated columns")],
        ));
    }
    let mut partitioned_by = Vec::new();
    for field in &create.partitioned_by {
        match field {
            PartitionField::Name(name) => partitioned_by.push(name.clone()),
            PartitionField::Column(definition) => {
                columns.push(Column::of_definition(definition));
                partitioned_by.push(definition.name.clone());
            }
            PartitionField::Transform(expr) => partitioned_by.push(plain_column(expr)?),
        }
    }
    let new = New {
        provider: provider(session, &create)?,
        options: create.options,
        partitioned_by,
        buckets: create.bucket_by,
        cluster_by: create.cluster_by,
        location: create.location,
        comment: create.comment,
        properties: create.properties,
        name: create.name,
    };
    if let Some(query) = create.query {
        if !columns.is_empty() && !create.columns.is_empty() {
            return Err(SparkError::unsupported("a column list in CREATE TABLE AS SELECT"));
        }
        let input = session.analyze(&query).await?;
        return create_as(session, new, input, replace && exists.is_some(), SaveMode::ErrorIfExists).await;
    }
    if replace && exists.is_some() {
        return Err(not_replaceable(&name, "REPLACE TABLE"));
    }
    for column in &columns {
        table_check::default(session, column, "CREATE TABLE").await?;
    }
    let relation = describe(session, new, columns).await?;
    vacant(session, &relation).await?;
    store(session, relation, false).await
}

/// A new managed table begins empty.
async fn vacant(session: &Arc<Session>, relation: &Relation) -> SparkResult<()> {
    if relation.kind == Kind::Managed { rename_table::unused_location(session, relation).await } else { Ok(()) }
}

fn provider(session: &Session, create: &CreateTable) -> SparkResult<String> {
    if let Some(format) = &create.format {
        return Ok(format.to_lowercase());
    }
    match create.hive_format.as_deref().map(str::to_lowercase).as_deref() {
        None => Ok(session.conf().effects().default_source()),
        Some("parquet") => Ok("parquet".to_string()),
        Some(other) => Err(SparkError::unsupported(format!("Hive tables stored as {other}"))),
    }
}

fn not_replaceable(name: &TableName, operation: &str) -> SparkError {
    SparkError::unsupported_feature("TABLE_OPERATION", &[("tableName", &name.quoted()), ("operation", operation)])
}

/// Fills in what a table's definition leaves open, and checks it.
async fn describe(session: &Arc<Session>, new: New, columns: Vec<Column>) -> SparkResult<Relation> {
    let name = session.table_name(&new.name)?;
    let database = session.warehouse().database(&name.database).await?;
    let format = Format::parse(&new.provider)?;
    let mut options = new.options;
    let path_key = options.keys().find(|key| key.eq_ignore_ascii_case("path")).cloned();
    let path = path_key.and_then(|key| options.remove(&key));
    let given = new.location.or(path);
    let kind = if given.is_some() || format.is_database() { Kind::External } else { Kind::Managed };
    let location = match (&given, format) {
        (_, format) if format.is_database() => String::new(),
        (Some(path), _) => absolute(path)?,
        (None, _) => session.warehouse().table_location(&database, &name.name),
    };
    let mut relation = Relation {
        database: name.database.clone(),
        name: name.name.clone(),
        kind,
        provider: new.provider,
        columns,
        partitioned_by: new.partitioned_by,
        partitions: Vec::new(),
        buckets: new.buckets,
        cluster_by: new.cluster_by,
        location,
        options,
        properties: new.properties,
        comment: new.comment,
        created: chrono::Utc::now().timestamp_millis(),
        view: None,
    };
    if relation.columns.is_empty() {
        infer(session, &mut relation, format, given.is_some()).await?;
    }
    // `NOT NULL` does not last in tables of files, as in Spark.
    relation.columns.iter_mut().for_each(|column| column.nullable = true);
    let schema = relation.schema()?;
    if !schema.fields.is_empty() {
        sink::unique(&schema)?;
    }
    super::collated_columns::check(&relation, &schema)?;
    for column in &schema.fields {
        if column.data_type == DataType::CalendarInterval || matches!(column.data_type, DataType::Null) {
            return Err(SparkError::analysis(
                "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
                &[
                    ("format", format.title()),
                    ("columnName", &quote_identifier(&[&column.name])),
                    ("columnType", &firesteel_functions::error::sql_type(&column.data_type)),
                ],
            ));
        }
    }
    order(&mut relation, &name)?;
    table_check::buckets(&relation, &name)?;
    Ok(relation)
}

/// A table over files that are there takes their schema.
async fn infer(session: &Arc<Session>, relation: &mut Relation, format: Format, given: bool) -> SparkResult<()> {
    if !given && !format.is_database() {
        return Ok(());
    }
    let ctx = session.context()?;
    let env = Environment { ctx: &ctx, conf: session.conf() };
    let source = crate::spec::DataSource {
        format: Some(relation.provider.clone()),
        schema: None,
        options: relation.options.clone(),
        paths: if format.is_database() { Vec::new() } else { vec![relation.location.clone()] },
        predicates: Vec::new(),
    };
    let loaded = source::load(&source, &env).await?;
    relation.columns = loaded.schema.fields.iter().map(Column::of_field).collect();
    if relation.partitioned_by.is_empty() {
        relation.partitioned_by = loaded.partition_columns;
    }
    Ok(())
}

/// Partition columns are the last ones, spelled as declared.
fn order(relation: &mut Relation, name: &TableName) -> SparkResult<()> {
    let mut partitions = Vec::new();
    let mut names = Vec::new();
    for wanted in &relation.partitioned_by {
        let Some(column) = relation.columns.iter().find(|column| column.name.eq_ignore_ascii_case(wanted)) else {
            return Err(table_check::undefined("partition", wanted, relation, name));
        };
        if names.iter().any(|known: &String| known.eq_ignore_ascii_case(wanted)) {
            let name = quote_identifier(&[wanted.to_lowercase()]);
            return Err(SparkError::analysis("COLUMN_ALREADY_EXISTS", &[("columnName", &name)]));
        }
        names.push(column.name.clone());
        partitions.push(column.clone());
    }
    if !partitions.is_empty() && partitions.len() == relation.columns.len() {
        return Err(SparkError::analysis("ALL_PARTITION_COLUMNS_NOT_ALLOWED", &[]));
    }
    relation.columns.retain(|column| !names.contains(&column.name));
    relation.columns.extend(partitions);
    relation.partitioned_by = names;
    Ok(())
}

pub(super) fn absolute(path: &str) -> SparkResult<String> {
    let url = firesteel_connectors::store::normalise_path(path).map_err(|error| failure(error.into()))?;
    Ok(firesteel_engine::failure::shown_location(url.as_str()))
}

async fn store(session: &Arc<Session>, relation: Relation, replace: bool) -> SparkResult<Rows> {
    if replace {
        session.warehouse().put_relation(&relation).await?;
    } else if !session.warehouse().create_relation(&relation).await? {
        return Err(catalog::table_exists(&TableName::new(&relation.database, &relation.name)));
    }
    Ok(Rows::none())
}

/// A table from a query: its rows are written first, so that a failure leaves no table.
///
/// `mode` says what becomes of files that are in the given folder of a new table.
pub(super) async fn create_as(
    session: &Arc<Session>,
    new: New,
    input: Analyzed,
    replace: bool,
    mode: SaveMode,
) -> SparkResult<Rows> {
    let columns = input.schema.fields.iter().map(Column::of_field).collect();
    sink::unique(&input.schema)?;
    let given = new.location.is_some() || new.options.keys().any(|key| key.eq_ignore_ascii_case("path"));
    let relation = describe(session, new, columns).await?;
    let format = Format::parse(&relation.provider)?;
    if format.is_database() {
        let mode = if replace { SaveMode::Overwrite } else { SaveMode::ErrorIfExists };
        super::database_write::run(session, input.plan, &input.schema, format, &relation.options, mode).await?;
        return store(session, relation, replace).await;
    }
    if relation.columns.iter().any(|column| column.data_type().is_ok_and(|t| matches!(t, DataType::Null))) {
        return Err(SparkError::unsupported("a table with a VOID column"));
    }
    if !replace {
        vacant(session, &relation).await?;
        let allowed = session.conf().is_true("spark.sql.legacy.allowNonEmptyLocationInCTAS");
        let fresh = given && mode != SaveMode::Overwrite && !allowed;
        if fresh && !partition::listed(session, &relation).await?.is_empty() {
            let message = format!(
                "CREATE-TABLE-AS-SELECT cannot create table with location to a non-empty directory {}. To allow overwriting \
                 the existing non-empty directory, set 'spark.sql.legacy.allowNonEmptyLocationInCTAS' to true.",
                relation.location
            );
            return Err(SparkError::analysis("_LEGACY_ERROR_TEMP_1241", &[]).with_message(message));
        }
    }
    let partitions = relation.partitioned_by.clone();
    let (plan, schema) = write::partitions_last(input, &partitions)?;
    let files = write::Files {
        location: relation.location.clone(),
        format,
        options: source::table_options(&relation.options),
        mode: SaveMode::Overwrite,
        partition_by: partitions,
        dynamic: false,
        replaced: Vec::new(),
    };
    files.write(session, plan, &schema).await?;
    store(session, relation, replace).await
}

/// `CREATE TABLE t LIKE s`.
pub(super) async fn create_like(
    session: &Arc<Session>,
    name: &[String],
    like: &[String],
    if_not_exists: bool,
    format: Option<String>,
    location: Option<String>,
    properties: Options,
) -> SparkResult<Rows> {
    let target = session.table_name(name)?;
    session.warehouse().database(&target.database).await?;
    if session.warehouse().relation(&target).await?.is_some() {
        return if if_not_exists { Ok(Rows::none()) } else { Err(catalog::table_exists(&target)) };
    }
    let default = session.conf().effects().default_source();
    let (columns, provider, partitioned_by, comment) = match session.require(like).await? {
        Found::Stored(relation) if relation.view.is_none() => {
            let relation = *relation;
            (relation.columns, relation.provider, relation.partitioned_by, relation.comment)
        }
        Found::Stored(relation) => (relation.columns, default, Vec::new(), None),
        Found::Temp(view) => (view.schema.fields.iter().map(Column::of_field).collect(), default, Vec::new(), None),
    };
    let new = New {
        provider: format.unwrap_or(provider),
        partitioned_by,
        location,
        comment,
        properties,
        ..New::named(name.to_vec())
    };
    let relation = describe(session, new, columns).await?;
    store(session, relation, false).await
}
