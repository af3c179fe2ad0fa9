//! What analysis asks of the outside world, and what it gets back: tables, views, data sources, functions, eager results.
//!
//! Analysis itself is synchronous. It names what it misses ([`NameRef`]), the session fetches it ([`CatalogLookup`]), and
//! analysis runs again with what was found ([`ResolvedTables`]). This file knows no session and no file format.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::logical_expr::LogicalPlan;
use firesteel_functions::SparkResult;
use firesteel_functions::types::{DataType, StructType};

use crate::spec;

/// Where unqualified names are looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Namespace {
    /// Catalog.
    pub catalog: String,
    /// Database.
    pub database: String,
}

/// Something analysis needs to know.
#[derive(Clone)]
pub enum NameRef {
    /// A table or view, or ``format.`path` ``. `namespace` is that of the view the name stands in, or `None` for the session's.
    Table {
        /// Parts as written.
        name: spec::ObjectName,
        /// Options of the reference.
        options: spec::Options,
        /// `VERSION/TIMESTAMP AS OF`.
        time_travel: Option<String>,
        /// Namespace of the enclosing view.
        namespace: Option<Namespace>,
    },
    /// `spark.read...load()`.
    Source(spec::DataSource),
    /// A function that is not built in: temporary or persistent.
    Function {
        /// Parts as written.
        name: spec::ObjectName,
        /// Namespace of the enclosing view.
        namespace: Option<Namespace>,
    },
    /// Catalog listing (`spark.catalog...`).
    Catalog(Box<spec::CatalogQuery>),
    /// A command whose rows are read as a relation.
    Command(Box<spec::Command>),
    /// A result kept by `checkpoint`.
    CachedRemote(String),
    /// A plan whose rows analysis itself needs (pivot values, transpose); `key` identifies it within the query.
    Query {
        /// Identity.
        key: String,
        /// Plan to run; the answer is [`TableEntry::Rows`] with the plan's columns in order.
        plan: LogicalPlan,
        /// Types of its columns.
        schema: StructType,
    },
}

impl NameRef {
    /// Identity within one analysis.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Table { name, options, time_travel, namespace } => {
                format!("table {name:?} {options:?} {time_travel:?} {namespace:?}")
            }
            Self::Source(source) => format!("source {source:?}"),
            Self::Function { name, namespace } => format!("function {name:?} {namespace:?}"),
            Self::Catalog(query) => format!("catalog {query:?}"),
            Self::Command(command) => format!("command {command:?}"),
            Self::CachedRemote(id) => format!("cached {id}"),
            Self::Query { key, .. } => format!("query {key}"),
        }
    }
}

impl fmt::Debug for NameRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Options may hold secrets.
        f.write_str(match self {
            Self::Table { .. } => "Table",
            Self::Source(_) => "Source",
            Self::Function { .. } => "Function",
            Self::Catalog(_) => "Catalog",
            Self::Command(_) => "Command",
            Self::CachedRemote(_) => "CachedRemote",
            Self::Query { .. } => "Query",
        })
    }
}

/// What was found for a [`NameRef`].
#[derive(Debug, Clone)]
pub enum TableEntry {
    /// Nothing of that name.
    Missing,
    /// Rows behind a provider: a table, files, an external system.
    Table(Arc<TableData>),
    /// A stored or temporary view: its query is analyzed in place.
    View(Arc<ViewData>),
    /// A SQL function.
    Function(Arc<SqlFunction>),
    /// Rows known now.
    Rows {
        /// Spark names and types.
        schema: StructType,
        /// Rows; columns by position.
        batches: Vec<RecordBatch>,
    },
}

/// A table or source.
#[derive(Debug, Clone)]
pub struct TableData {
    /// Rows. Its Arrow columns are those of `schema` by position (a column is cast when its Arrow type differs).
    pub provider: Arc<dyn TableProvider>,
    /// Spark's names, types, nullability and metadata.
    pub schema: StructType,
    /// Partition columns' names.
    pub partition_columns: Vec<String>,
    /// Qualifier of its columns: `[catalog, database, table]`, or empty for a source without a name.
    pub qualifier: Vec<String>,
}

/// A view.
#[derive(Debug, Clone)]
pub struct ViewData {
    /// Its query.
    pub query: spec::Relation,
    /// Where its names are looked up; the session's current namespace when `None`.
    pub namespace: Option<Namespace>,
    /// Column names (and for stored views types) given when it was created; the query's own when `None`.
    pub schema: Option<StructType>,
    /// Qualifier of its columns: `[catalog, database, view]`, or `[view]` for a temporary one.
    pub qualifier: Vec<String>,
    /// Names its query's columns had when it was created, by which they are found again; by position when empty.
    pub columns: Vec<String>,
    /// What happens when their types have changed since.
    pub mode: ViewMode,
    /// Options that decide what its query means, when they are not the session's.
    pub options: Option<ViewOptions>,
}

/// How a view's columns follow those of its query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewMode {
    /// Types must widen without loss.
    Binding,
    /// Types are cast.
    Compensation,
    /// Types follow the query.
    TypeEvolution,
    /// Columns and types follow the query.
    Evolution,
}

/// Options a view was created under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewOptions {
    /// `spark.sql.ansi.enabled`.
    pub ansi: bool,
    /// `spark.sql.caseSensitive`.
    pub case_sensitive: bool,
    /// `spark.sql.session.timeZone`.
    pub time_zone: String,
}

/// A SQL function.
#[derive(Debug, Clone)]
pub struct SqlFunction {
    /// Name shown in column names: `spark_catalog.default.f`, or `f` for a temporary one.
    pub name: String,
    /// Parameters with optional default.
    pub params: Vec<(String, DataType, Option<spec::Expr>)>,
    /// Scalar return type; that of the body when `None`.
    pub returns: Option<DataType>,
    /// `RETURNS TABLE`: the columns.
    pub returns_table: Option<StructType>,
    /// Body.
    pub body: spec::FunctionBody,
    /// Where its names are looked up.
    pub namespace: Option<Namespace>,
}

/// The asynchronous side, implemented by the session.
#[async_trait]
pub trait CatalogLookup: Send + Sync {
    /// Finds one name. Nothing found is [`TableEntry::Missing`], not an error.
    async fn fetch(&self, name: &NameRef) -> SparkResult<TableEntry>;
}

/// What was fetched so far.
#[derive(Debug, Default)]
pub struct ResolvedTables {
    entries: HashMap<String, TableEntry>,
}

impl ResolvedTables {
    /// Remembers an answer.
    pub fn insert(&mut self, name: &NameRef, entry: TableEntry) {
        self.entries.insert(name.key(), entry);
    }
    /// The answer for a name, when it was asked for before.
    #[must_use]
    pub fn get(&self, name: &NameRef) -> Option<&TableEntry> {
        self.entries.get(&name.key())
    }
}

/// Names that are certain to be needed, so that they are fetched before the first attempt.
#[must_use]
pub fn collect_names(relation: &spec::Relation) -> Vec<NameRef> {
    let mut names = Vec::new();
    let mut ctes = Vec::new();
    collect(relation, &mut ctes, &mut names);
    names
}

fn collect(relation: &spec::Relation, ctes: &mut Vec<String>, names: &mut Vec<NameRef>) {
    stacker::maybe_grow(64 * 1024, 1024 * 1024, || match &*relation.kind {
        spec::RelationKind::Table { name, options, time_travel } => {
            let is_cte = matches!(name.as_slice(), [one] if ctes.iter().any(|c| c.eq_ignore_ascii_case(one)));
            if !is_cte {
                names.push(NameRef::Table {
                    name: name.clone(),
                    options: options.clone(),
                    time_travel: time_travel.clone(),
                    namespace: None,
                });
            }
        }
        spec::RelationKind::DataSource(source) => names.push(NameRef::Source(source.clone())),
        spec::RelationKind::With { ctes: definitions, input, .. } => {
            let before = ctes.len();
            // Names of later definitions hide tables for earlier ones too here; resolution itself asks again for what was skipped.
            ctes.extend(definitions.iter().map(|c| c.name.clone()));
            definitions.iter().for_each(|c| collect(&c.query, ctes, names));
            collect(input, ctes, names);
            ctes.truncate(before);
        }
        spec::RelationKind::Select(select) => collect(&select.input, ctes, names),
        spec::RelationKind::Join(join) => {
            collect(&join.left, ctes, names);
            collect(&join.right, ctes, names);
        }
        spec::RelationKind::SetOperation { left, right, .. } => {
            collect(left, ctes, names);
            collect(right, ctes, names);
        }
        spec::RelationKind::Project { input, .. }
        | spec::RelationKind::Filter { input, .. }
        | spec::RelationKind::Aggregate { input, .. }
        | spec::RelationKind::Sort { input, .. }
        | spec::RelationKind::Limit { input, .. }
        | spec::RelationKind::SubqueryAlias { input, .. }
        | spec::RelationKind::LateralView { input, .. }
        | spec::RelationKind::WithColumns { input, .. } => collect(input, ctes, names),
        _ => {}
    });
}
