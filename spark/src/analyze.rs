//! Analysis: the unresolved plan of a query to a DataFusion plan, with Spark's scoping, coercion, names and errors.
//!
//! Every column of the resulting plan has an opaque, unique, unqualified name (`#12`); [`Analyzed::schema`] says the Spark names by
//! position. Resolution is synchronous; tables it misses are fetched between attempts. It knows no wire protocol and no session.

mod canonical;
mod coerce;
mod collation;
mod correlation;
mod errors;
mod expr;
mod fold;
mod functions;
mod literal;
mod naming;
mod place;
mod plan;
mod relation;
mod scope;
mod similarity;
mod subqueries;
mod tables;
#[cfg(test)]
mod tests;
mod typed;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::config::ConfigOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::scalar::ScalarValue;
use firesteel_functions::options::SparkOptions;
use firesteel_functions::types::{DataType, StructType};
use firesteel_functions::{SparkError, SparkResult};

pub use tables::{
    CatalogLookup, NameRef, Namespace, ResolvedTables, SqlFunction, TableData, TableEntry, ViewData, ViewMode,
    ViewOptions, collect_names,
};

use crate::spec;

/// A session variable.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Type.
    pub data_type: DataType,
    /// Current value, of exactly that type.
    pub value: ScalarValue,
}

/// Text that only the parser understands.
pub trait ParseHooks: Send + Sync {
    /// A whole statement.
    fn statement(&self, text: &str) -> SparkResult<spec::Plan>;
    /// An expression.
    fn expression(&self, text: &str) -> SparkResult<spec::Expr>;
    /// A data type.
    fn data_type(&self, text: &str) -> SparkResult<DataType>;
}

/// Which of two common table expressions of one name is meant: `spark.sql.legacy.ctePrecedencePolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precedence {
    /// The inner one.
    Inner,
    /// The outer one.
    Outer,
    /// Neither: an error.
    Forbidden,
}

/// What a session says about common table expressions.
#[derive(Debug, Clone, Copy)]
pub struct CteOptions {
    /// Which of equal names is meant.
    pub precedence: Precedence,
    /// `spark.sql.cteRecursionLevelLimit`; negative for none.
    pub levels: i64,
    /// `spark.sql.cteRecursionRowLimit`; negative for none.
    pub rows: i64,
}

impl Default for CteOptions {
    fn default() -> Self {
        Self { precedence: Precedence::Inner, levels: 100, rows: 1_000_000 }
    }
}

/// What a session tells the analyzer.
#[derive(Clone)]
pub struct AnalyzerContext {
    /// Options that change answers.
    pub options: SparkOptions,
    /// DataFusion's configuration, with [`SparkOptions`] among its extensions, for folding constants.
    pub config: Arc<ConfigOptions>,
    /// Current namespace.
    pub namespace: Namespace,
    /// User.
    pub user: String,
    /// Microseconds since the epoch, the same for the whole query.
    pub now: i64,
    /// Session variables by lower-case name.
    pub variables: BTreeMap<String, Variable>,
    /// Variables of the script around, by lower-case `name` and `label.name`.
    pub locals: BTreeMap<String, Variable>,
    /// Values of `:name`.
    pub named_parameters: BTreeMap<String, spec::Expr>,
    /// Values of `?`.
    pub positional_parameters: Vec<spec::Expr>,
    /// `groupByOrdinal` and `orderByOrdinal`.
    pub ordinals: bool,
    /// `groupByAliases`.
    pub group_by_aliases: bool,
    /// `allowStarWithSingleTableIdentifierInCount`.
    pub count_of_table: bool,
    /// `spark.sql.timestampNanosTypes.enabled`.
    pub nanos: bool,
    /// `allowParameterlessCount`.
    pub count_of_nothing: bool,
    /// `spark.sql.legacy.nullInEmptyListBehavior`: null is in no rows neither truly nor falsely.
    pub null_in_nothing: bool,
    /// `havingWithoutGroupByAsWhere`.
    pub having_as_where: bool,
    /// `spark.sql.crossJoin.enabled`.
    pub cross_join: bool,
    /// `spark.sql.pivotMaxValues`.
    pub pivot_max_values: usize,
    /// `spark.sql.transposeMaxValues`.
    pub transpose_max_values: usize,
    /// Common table expressions.
    pub cte: CteOptions,
    /// The parser.
    pub parse: Arc<dyn ParseHooks>,
}

impl std::fmt::Debug for AnalyzerContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnalyzerContext").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// What the session does with the collected rows of a plan before it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// Nothing.
    None,
    /// `df.show()`: render the rows (at most `rows` + 1 of them arrive) as the one value of column `show_string`.
    ShowString {
        /// Rows shown.
        rows: usize,
        /// Longest cell; 0 for no limit.
        truncate: usize,
        /// One line per cell.
        vertical: bool,
        /// Spark schema of the rows.
        schema: StructType,
    },
    /// `_repr_html_`.
    HtmlString {
        /// Rows shown.
        rows: usize,
        /// Longest cell; 0 for no limit.
        truncate: usize,
        /// Spark schema of the rows.
        schema: StructType,
    },
    /// Keep the last rows only.
    Tail(usize),
}

/// Metrics a plan was asked to observe (`df.observe`).
#[derive(Debug, Clone)]
pub struct Observation {
    /// Name.
    pub name: String,
    /// Plan that computes them in one row.
    pub plan: LogicalPlan,
    /// Names and types.
    pub schema: StructType,
}

/// A resolved query.
#[derive(Debug, Clone)]
pub struct Analyzed {
    /// Plan with opaque column names.
    pub plan: LogicalPlan,
    /// Spark's names, types, nullability and metadata of its columns, in order. With a [`Finish`] that renders rows, of its answer.
    pub schema: StructType,
    /// What to do with the rows.
    pub finish: Finish,
    /// Observed metrics.
    pub observations: Vec<Observation>,
    /// Whether rows come in a defined order (the query ends in a sort).
    pub is_streaming: bool,
}

/// Turns unresolved plans into plans. One analyzer serves one query.
pub struct Analyzer<'a> {
    /// What the session said.
    context: &'a AnalyzerContext,
    /// What was fetched.
    tables: &'a ResolvedTables,
    /// What seeds that nobody gave are drawn from.
    seed: u64,
    /// Next attribute id.
    next_id: Cell<u64>,
    /// What to fetch before the next attempt.
    wanted: RefCell<Option<NameRef>>,
    /// Metrics seen.
    observations: RefCell<Vec<Observation>>,
    /// How deep views and SQL functions nest.
    depth: Cell<usize>,
    /// The recursion that refers to itself where it may not.
    misplaced: Cell<Option<u64>>,
    /// How many recursive steps are being resolved.
    recursions: Cell<usize>,
    /// Whether scans of files show which file each row is from.
    files: bool,
    /// Whether the query asks that.
    files_asked: Cell<bool>,
    /// Whether it reads files that could say.
    files_read: Cell<bool>,
}

impl std::fmt::Debug for Analyzer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analyzer").finish_non_exhaustive()
    }
}

/// The outcome of one attempt.
enum Attempt {
    Done(Box<Analyzed>),
    Fetch(Box<NameRef>),
}

/// Analyzes a query, fetching what it needs.
pub async fn analyze(
    relation: &spec::Relation,
    context: &AnalyzerContext,
    lookup: &dyn CatalogLookup,
) -> SparkResult<Analyzed> {
    let mut tables = ResolvedTables::default();
    for name in collect_names(relation) {
        if tables.get(&name).is_none() {
            // A failure here may concern a name that resolution never needs (a temporary view or CTE hides it): ask again then.
            if let Ok(entry) = lookup.fetch(&name).await {
                tables.insert(&name, entry);
            }
        }
    }
    let mut files = false;
    loop {
        let analyzer = Analyzer { files, ..Analyzer::new(context, &tables) };
        let attempt = analyzer.attempt(relation);
        if analyzer.files_asked.get() && !files {
            files = true;
            continue;
        }
        match attempt? {
            Attempt::Done(analyzed) => return Ok(*analyzed),
            Attempt::Fetch(name) => {
                let entry = lookup.fetch(&name).await?;
                tables.insert(&name, entry);
            }
        }
    }
}

/// Analyzes one expression without columns (a default, a variable's value, a parameter) and evaluates it.
pub async fn evaluate(
    expr: &spec::Expr,
    to: Option<&DataType>,
    context: &AnalyzerContext,
    lookup: &dyn CatalogLookup,
) -> SparkResult<(DataType, ScalarValue)> {
    let mut tables = ResolvedTables::default();
    loop {
        let analyzer = Analyzer::new(context, &tables);
        let outcome = analyzer.evaluate_constant(expr, to);
        match analyzer.wanted.take() {
            Some(name) => {
                let entry = lookup.fetch(&name).await?;
                tables.insert(&name, entry);
            }
            None => return outcome,
        }
    }
}

impl<'a> Analyzer<'a> {
    /// An analyzer for one query.
    #[must_use]
    pub fn new(context: &'a AnalyzerContext, tables: &'a ResolvedTables) -> Self {
        Self {
            context,
            tables,
            seed: uuid::Uuid::new_v4().as_u64_pair().0,
            next_id: Cell::new(0),
            wanted: RefCell::new(None),
            observations: RefCell::new(Vec::new()),
            depth: Cell::new(0),
            misplaced: Cell::new(None),
            recursions: Cell::new(0),
            files: false,
            files_asked: Cell::new(false),
            files_read: Cell::new(false),
        }
    }

    fn attempt(&self, relation: &spec::Relation) -> SparkResult<Attempt> {
        let outcome = self.resolve_root(relation);
        if let Some(name) = self.wanted.take() {
            return Ok(Attempt::Fetch(Box::new(name)));
        }
        outcome.map(|analyzed| Attempt::Done(Box::new(analyzed)))
    }

    /// The answer for a name, or an error that makes the caller fetch it and start again.
    fn lookup(&self, name: NameRef) -> SparkResult<&'a TableEntry> {
        if let Some(entry) = self.tables.get(&name) {
            return Ok(entry);
        }
        let error = SparkError::internal("a name must be fetched first");
        self.wanted.replace(Some(name));
        Err(error)
    }

    /// A new attribute id.
    fn fresh(&self) -> u64 {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        id
    }
}
