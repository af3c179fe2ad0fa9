//! Unresolved relations.
//! It is long because it is one vocabulary: every kind of relation, a line or two each.

#![expect(
    missing_docs,
    reason = "fields of struct-like variants are named by Spark's grammar; every variant is documented"
)]

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;
use firesteel_functions::types::StructType;

use super::{Command, Expr, Literal, Origin, SortOrder, WindowSpec};

/// Name of a hint above which nothing below the output is visible: pipe operators see what arrives.
pub const BARRIER: &str = "|>";
/// Prefix of the function that stands for an expression of a pipe operator, before the operator's name.
pub const PIPE_PREFIX: &str = "|>";

/// A possibly qualified name, unquoted parts.
pub type ObjectName = Vec<String>;
/// Options as written; keys are case-insensitive where they are read.
pub type Options = BTreeMap<String, String>;

/// An unresolved relation.
#[derive(Debug, Clone)]
pub struct Relation {
    /// What it is.
    pub kind: Box<RelationKind>,
    /// The client's id of this node, which `df["x"]` refers to.
    pub plan_id: Option<i64>,
    /// Where it was written, when known.
    pub origin: Option<Origin>,
}

impl From<RelationKind> for Relation {
    fn from(kind: RelationKind) -> Self {
        Self { kind: Box::new(kind), plan_id: None, origin: None }
    }
}

/// Kinds of relations.
#[derive(Debug, Clone)]
pub enum RelationKind {
    // ---- leaves
    /// A table, view, CTE or `format.`path``.
    Table {
        name: ObjectName,
        options: Options,
        /// `VERSION/TIMESTAMP AS OF`.
        time_travel: Option<String>,
    },
    /// `spark.read.format(..).load(paths)`.
    DataSource(DataSource),
    /// Rows written as expressions: `VALUES (..), (..)`.
    Values(Vec<Vec<Expr>>),
    /// Rows sent by a client, to be cast to `schema` when there is one.
    Local { batches: Vec<RecordBatch>, arrow_schema: Option<arrow::datatypes::SchemaRef>, schema: Option<StructType> },
    /// `spark.range`.
    Range { start: i64, end: i64, step: i64, partitions: Option<usize> },
    /// One row without columns, the input of a SELECT without FROM.
    OneRow,
    /// A table function call in FROM: `range(10)`, `explode(..)`, a table UDF.
    TableFunction { name: ObjectName, args: Vec<Expr> },
    /// `spark.sql(text, args)` inside a DataFrame plan; `named`/`positional` replace `:name`/`?`.
    Sql { text: String, named: Vec<(String, Expr)>, positional: Vec<Expr> },
    /// A result kept by `checkpoint`.
    CachedRemote { id: String },
    /// Catalog listing as a relation.
    Catalog(CatalogQuery),
    /// A command whose result is read as a relation.
    Command(Box<Command>),

    // ---- one input
    /// A whole `SELECT` block: expressions, grouping, having, distinct, windows, qualify.
    Select(Box<Select>),
    /// DataFrame `select`.
    Project { input: Relation, exprs: Vec<Expr> },
    /// `WHERE`.
    Filter { input: Relation, condition: Expr },
    /// DataFrame `groupBy(..).agg(..)`: output is the grouping expressions, then the aggregates.
    Aggregate { input: Relation, group_by: GroupBy, aggregates: Vec<Expr>, pivot: Option<DataFramePivot> },
    /// `ORDER BY` (global) or `SORT BY`.
    Sort {
        input: Relation,
        order: Vec<SortOrder>,
        global: bool,
        /// `ORDER BY ALL` with this direction.
        all: Option<(bool, bool)>,
    },
    /// First rows.
    Limit { input: Relation, limit: Expr },
    /// Skip rows.
    Offset { input: Relation, offset: Expr },
    /// Last rows.
    Tail { input: Relation, limit: i64 },
    /// `DISTINCT` / `dropDuplicates`.
    Deduplicate {
        input: Relation,
        /// Columns by name; all when empty.
        columns: Vec<String>,
    },
    /// `AS alias(columns)`.
    SubqueryAlias { input: Relation, alias: String, columns: Vec<String> },
    /// `WITH a AS (...) input`.
    With { ctes: Vec<Cte>, recursive: bool, input: Relation },
    /// `LATERAL VIEW [OUTER] generator alias AS columns`.
    LateralView { input: Relation, generator: Expr, outer: bool, alias: Option<String>, columns: Vec<String> },
    /// SQL `PIVOT`.
    Pivot {
        input: Relation,
        aggregates: Vec<Expr>,
        columns: Vec<Expr>,
        /// Values with optional alias.
        values: Vec<Expr>,
    },
    /// `UNPIVOT` / `melt`.
    Unpivot(Unpivot),
    /// Random rows; `lower..upper` is the fraction range.
    Sample { input: Relation, lower: f64, upper: f64, replacement: bool, seed: Option<i64> },
    /// `TABLESAMPLE (n ROWS)` is a limit; `BUCKET x OUT OF y` is this.
    SampleBucket { input: Relation, numerator: u32, denominator: u32 },
    /// `toDF(names)`.
    Rename { input: Relation, names: Vec<String> },
    /// `withColumns`; each is an `Alias` with one name.
    WithColumns { input: Relation, columns: Vec<Expr> },
    /// `withColumnsRenamed`.
    WithColumnsRenamed { input: Relation, renames: Vec<(String, String)> },
    /// `drop`.
    Drop { input: Relation, columns: Vec<Expr>, names: Vec<String> },
    /// `df.to(schema)`.
    ToSchema { input: Relation, schema: StructType },
    /// `/*+ name(args) */`.
    Hint { input: Relation, name: String, args: Vec<Expr> },
    /// `repartition(n)` / `coalesce(n)`.
    Repartition { input: Relation, partitions: usize, shuffle: bool },
    /// `repartition(n, cols)`, `DISTRIBUTE BY`, `CLUSTER BY`.
    RepartitionBy { input: Relation, exprs: Vec<Expr>, partitions: Option<usize> },
    /// `repartitionById(n, col)`: rows say their partition.
    RepartitionById { input: Relation, id: Expr, partitions: Option<usize> },
    /// `df.show()`: one row, one column `show_string`.
    ShowString { input: Relation, rows: usize, truncate: usize, vertical: bool },
    /// `_repr_html_`: one row, one column `html_string`.
    HtmlString { input: Relation, rows: usize, truncate: usize },
    /// `na.fill`: one value for all columns or one per column.
    FillNa { input: Relation, columns: Vec<String>, values: Vec<Literal> },
    /// `na.drop`.
    DropNa { input: Relation, columns: Vec<String>, min_non_nulls: Option<usize> },
    /// `na.replace`.
    ReplaceNa { input: Relation, columns: Vec<String>, replacements: Vec<(Literal, Literal)> },
    /// `summary`.
    Summary { input: Relation, statistics: Vec<String> },
    /// `describe`.
    Describe { input: Relation, columns: Vec<String> },
    /// `stat.crosstab`.
    Crosstab { input: Relation, left: String, right: String },
    /// `stat.cov`.
    Covariance { input: Relation, left: String, right: String },
    /// `stat.corr`.
    Correlation { input: Relation, left: String, right: String, method: Option<String> },
    /// `approxQuantile`.
    ApproxQuantile { input: Relation, columns: Vec<String>, probabilities: Vec<f64>, relative_error: f64 },
    /// `freqItems`.
    FrequentItems { input: Relation, columns: Vec<String>, support: Option<f64> },
    /// `sampleBy`.
    SampleBy { input: Relation, column: Expr, fractions: Vec<(Literal, f64)>, seed: i64 },
    /// `withWatermark`: without a stream it only checks the column.
    Watermark { input: Relation, column: String, delay: Expr },
    /// `df.observe`.
    CollectMetrics { input: Relation, name: String, metrics: Vec<Expr> },
    /// `spark.read.csv(df_of_strings)` / `.json(df)`.
    Parse { input: Relation, format: String, schema: Option<StructType>, options: Options },
    /// `transpose`.
    Transpose { input: Relation, index: Vec<Expr> },

    // ---- more inputs
    /// A join.
    Join(Join),
    /// An as-of or nearest-by join.
    NearestJoin(Box<NearestJoin>),
    /// `UNION`, `INTERSECT`, `EXCEPT`.
    SetOperation { left: Relation, right: Relation, op: SetOperator, all: bool, by_name: bool, allow_missing: bool },
    /// A plan with referenced subquery plans (their `plan_id`s).
    WithRelations { root: Relation, references: Vec<Relation> },
    /// Something a client may send and this engine does not do; fails in analysis with this feature name.
    Unsupported(String),
}

/// A `SELECT` block.
#[derive(Debug, Clone)]
pub struct Select {
    /// `FROM` and `WHERE` and lateral views, or `OneRow`.
    pub input: Relation,
    /// Select list.
    pub projection: Vec<Expr>,
    /// `DISTINCT`.
    pub distinct: bool,
    /// `GROUP BY`.
    pub group_by: Option<GroupBy>,
    /// `HAVING`.
    pub having: Option<Expr>,
    /// `WINDOW w AS (...)`.
    pub windows: Vec<(String, WindowSpec)>,
    /// `QUALIFY`.
    pub qualify: Option<Expr>,
}

/// Grouping of an aggregation.
#[derive(Debug, Clone)]
pub enum GroupBy {
    /// Plain expressions; ordinals and aliases are not resolved yet. Elements may be functions
    /// `rollup`, `cube`, `grouping sets` (see [`GroupingElement`]).
    Elements(Vec<GroupingElement>),
    /// `GROUP BY ALL`.
    All,
}

/// One element of a `GROUP BY`.
#[derive(Debug, Clone)]
pub enum GroupingElement {
    /// An expression.
    Expr(Expr),
    /// `ROLLUP(sets)`.
    Rollup(Vec<Vec<Expr>>),
    /// `CUBE(sets)`.
    Cube(Vec<Vec<Expr>>),
    /// `GROUPING SETS(elements)`.
    GroupingSets(Vec<GroupingElement>),
    /// `(a, b)` inside grouping sets; `()` is empty.
    Set(Vec<Expr>),
    /// `a, b` before `GROUPING SETS`: keys whether or not a set has them.
    Keys(Vec<Expr>),
}

/// `groupBy(..).pivot(column, values)`.
#[derive(Debug, Clone)]
pub struct DataFramePivot {
    /// Pivot column.
    pub column: Expr,
    /// Values; all distinct ones, sorted, when empty.
    pub values: Vec<Expr>,
}

/// `UNPIVOT`.
#[derive(Debug, Clone)]
pub struct Unpivot {
    /// Input.
    pub input: Relation,
    /// Id columns; all others when `None` (SQL).
    pub ids: Option<Vec<Expr>>,
    /// Value column groups with optional alias; all non-id columns when `None`.
    pub values: Option<Vec<(Vec<Expr>, Option<String>)>>,
    /// Name of the variable column.
    pub variable_column: String,
    /// Names of the value columns.
    pub value_columns: Vec<String>,
    /// Keep rows whose values are all null.
    pub include_nulls: bool,
}

/// A named subquery.
#[derive(Debug, Clone)]
pub struct Cte {
    /// Name.
    pub name: String,
    /// Column aliases.
    pub columns: Vec<String>,
    /// Query.
    pub query: Relation,
    /// `MAX RECURSION LEVEL n`.
    pub max_recursion: Option<i64>,
}

/// A read of files or an external system.
#[derive(Debug, Clone)]
pub struct DataSource {
    /// Format as written; the session's default when `None`.
    pub format: Option<String>,
    /// Schema said by the user.
    pub schema: Option<StructType>,
    /// Options.
    pub options: Options,
    /// Paths.
    pub paths: Vec<String>,
    /// JDBC predicates.
    pub predicates: Vec<String>,
}

/// A join.
#[derive(Debug, Clone)]
pub struct Join {
    /// Left.
    pub left: Relation,
    /// Right.
    pub right: Relation,
    /// Type.
    pub join_type: JoinType,
    /// Condition.
    pub condition: JoinCondition,
    /// The right side may refer to the left side's columns.
    pub lateral: bool,
}

/// A join of each left row with its best right rows.
#[derive(Debug, Clone)]
pub struct NearestJoin {
    /// Left.
    pub left: Relation,
    /// Right.
    pub right: Relation,
    /// Inner, or left: rows without a match stay.
    pub join_type: JoinType,
    /// All must hold of a pair.
    pub conditions: Vec<Expr>,
    /// What is compared; pairs without a value are none.
    pub ranking: Expr,
    /// The least value is the best.
    pub ascending: bool,
    /// How many right rows at most.
    pub limit: u64,
    /// A constant that must not be negative.
    pub tolerance: Option<Expr>,
}

/// Join types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinType {
    /// Inner.
    Inner,
    /// `CROSS JOIN`.
    Cross,
    /// Left outer.
    Left,
    /// Right outer.
    Right,
    /// Full outer.
    Full,
    /// Left semi.
    LeftSemi,
    /// Left anti.
    LeftAnti,
}

/// Join conditions.
#[derive(Debug, Clone)]
pub enum JoinCondition {
    /// None said.
    None,
    /// `ON`.
    On(Expr),
    /// `USING (a, b)`.
    Using(Vec<String>),
    /// `NATURAL`.
    Natural,
}

/// Set operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    /// `UNION`.
    Union,
    /// `INTERSECT`.
    Intersect,
    /// `EXCEPT` / `MINUS`.
    Except,
}

/// The questions of `spark.catalog`. Result columns are fixed by Spark (order matters to the client).
#[derive(Debug, Clone)]
pub enum CatalogQuery {
    /// `currentDatabase`.
    CurrentDatabase,
    /// `setCurrentDatabase`.
    SetCurrentDatabase(String),
    /// `listDatabases`.
    ListDatabases(Option<String>),
    /// `listTables`.
    ListTables { database: Option<String>, pattern: Option<String> },
    /// `listViews`.
    ListViews { database: Option<String>, pattern: Option<String> },
    /// `listFunctions`.
    ListFunctions { database: Option<String>, pattern: Option<String> },
    /// `listColumns`.
    ListColumns { table: String, database: Option<String> },
    /// `listPartitions`.
    ListPartitions(String),
    /// `getDatabase`.
    GetDatabase(String),
    /// `getTable`.
    GetTable { table: String, database: Option<String> },
    /// `getFunction`.
    GetFunction { function: String, database: Option<String> },
    /// `databaseExists`.
    DatabaseExists(String),
    /// `tableExists`.
    TableExists { table: String, database: Option<String> },
    /// `functionExists`.
    FunctionExists { function: String, database: Option<String> },
    /// `createTable` / `createExternalTable`.
    CreateTable {
        table: String,
        path: Option<String>,
        source: Option<String>,
        description: Option<String>,
        schema: Option<StructType>,
        options: Options,
    },
    /// `dropTempView`.
    DropTempView(String),
    /// `dropGlobalTempView`.
    DropGlobalTempView(String),
    /// `dropTable`.
    DropTable { table: String, if_exists: bool, purge: bool },
    /// `dropView`.
    DropView { view: String, if_exists: bool },
    /// `createDatabase`.
    CreateDatabase { name: String, if_not_exists: bool, options: Options },
    /// `dropDatabase`.
    DropDatabase { name: String, if_exists: bool, cascade: bool },
    /// `recoverPartitions`.
    RecoverPartitions(String),
    /// `isCached`.
    IsCached(String),
    /// `cacheTable`.
    CacheTable(String),
    /// `uncacheTable`.
    UncacheTable(String),
    /// `clearCache`.
    ClearCache,
    /// `refreshTable`.
    RefreshTable(String),
    /// `refreshByPath`.
    RefreshByPath(String),
    /// `currentCatalog`.
    CurrentCatalog,
    /// `setCurrentCatalog`.
    SetCurrentCatalog(String),
    /// `listCatalogs`.
    ListCatalogs(Option<String>),
    /// `getTableProperties`.
    GetTableProperties(String),
    /// `getCreateTableString`.
    GetCreateTableString { table: String, as_serde: bool },
    /// `truncateTable`.
    TruncateTable(String),
    /// `analyzeTable`.
    AnalyzeTable { table: String, no_scan: bool },
}

/// The name of the hint that stands for `LIMIT ALL`; no hint can be written with it.
pub const LIMIT_ALL: &str = "LIMIT ALL";
