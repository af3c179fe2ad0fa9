//! Unresolved commands.
//! It is long because it is one vocabulary: every command of the language, a line or two each.

#![expect(
    missing_docs,
    reason = "fields of struct-like variants are named by Spark's grammar; every variant is documented"
)]

use firesteel_functions::types::{DataType, StructType};

use super::{Expr, ObjectName, Options, Plan, Relation, Script};

/// A command.
#[derive(Debug, Clone)]
pub enum Command {
    // ---- data
    /// `df.write...` / `writeTo`, `INSERT`, CTAS after its table is known.
    Write(Box<Write>),
    /// `INSERT INTO|OVERWRITE table ...`.
    Insert(Box<Insert>),
    /// `FROM ... INSERT ... INSERT ...`.
    InsertSeveral(Vec<Insert>),
    /// `INSERT OVERWRITE DIRECTORY`.
    InsertDirectory { path: String, local: bool, format: String, options: Options, input: Relation },
    /// `TRUNCATE TABLE`.
    TruncateTable { name: ObjectName, partition: PartitionSpec },
    /// `DELETE FROM`, `UPDATE`, `MERGE INTO`: refused on file tables with Spark's class.
    RowLevel { operation: RowLevelOperation, table: ObjectName },
    /// `LOAD DATA`.
    LoadData { path: String, overwrite: bool, table: ObjectName, partition: PartitionSpec },

    // ---- definitions
    /// `CREATE TABLE`.
    CreateTable(Box<CreateTable>),
    /// `CREATE TABLE t LIKE s`.
    CreateTableLike {
        name: ObjectName,
        source: ObjectName,
        if_not_exists: bool,
        format: Option<String>,
        location: Option<String>,
        properties: Options,
    },
    /// `DROP TABLE`.
    DropTable { name: ObjectName, if_exists: bool, purge: bool },
    /// `CREATE VIEW`.
    CreateView(Box<CreateView>),
    /// `df.createOrReplaceTempView`.
    CreateTempView { name: String, input: Relation, replace: bool, global: bool },
    /// `CREATE TEMPORARY VIEW v USING format OPTIONS (...)`.
    CreateTempViewUsing {
        name: ObjectName,
        schema: Option<StructType>,
        replace: bool,
        global: bool,
        format: String,
        options: Options,
    },
    /// `DROP VIEW`.
    DropView { name: ObjectName, if_exists: bool },
    /// `ALTER TABLE|VIEW ...`.
    AlterTable { name: ObjectName, view: bool, action: AlterTable },
    /// `CREATE DATABASE`.
    CreateDatabase {
        name: ObjectName,
        if_not_exists: bool,
        comment: Option<String>,
        location: Option<String>,
        properties: Options,
    },
    /// `DROP DATABASE`.
    DropDatabase { name: ObjectName, if_exists: bool, cascade: bool },
    /// `ALTER DATABASE`.
    AlterDatabase { name: ObjectName, properties: Options, location: Option<String> },
    /// `CREATE FUNCTION` (SQL bodies and JVM classes).
    CreateFunction(Box<CreateFunction>),
    /// `DROP FUNCTION`.
    DropFunction { name: ObjectName, if_exists: bool, temporary: bool },
    /// `COMMENT ON`.
    CommentOn { table: bool, name: ObjectName, comment: Option<String> },
    /// `MSCK REPAIR TABLE` / `ALTER TABLE RECOVER PARTITIONS`.
    RepairTable(ObjectName),

    // ---- session
    /// `USE [database|catalog]`.
    Use { name: ObjectName, namespace_only: bool },
    /// `SET CATALOG`.
    SetCatalog(String),
    /// `SET`, `SET k`, `SET k=v`, `SET -v`.
    Set(SetCommand),
    /// `RESET [k]`.
    Reset(Option<String>),
    /// `SET TIME ZONE ...`.
    SetTimeZone(TimeZoneSetting),
    /// `DECLARE [OR REPLACE] [VARIABLE] name [type] [DEFAULT expr]`.
    DeclareVariable { names: Vec<ObjectName>, data_type: Option<DataType>, default: Option<Expr>, replace: bool },
    /// `SET VAR a = expr, ...` / `SET VAR (a, b) = (query)`.
    SetVariable { targets: Vec<ObjectName>, values: Vec<Expr>, query: Option<Relation> },
    /// `DROP TEMPORARY VARIABLE`.
    DropVariable { name: ObjectName, if_exists: bool },
    /// `EXECUTE IMMEDIATE`.
    ExecuteImmediate { text: Expr, into: Vec<ObjectName>, using: Vec<Expr> },
    /// `CACHE TABLE`.
    CacheTable { name: ObjectName, query: Option<Relation>, lazy: bool, options: Options },
    /// `UNCACHE TABLE`.
    UncacheTable { name: ObjectName, if_exists: bool },
    /// `CLEAR CACHE`.
    ClearCache,
    /// `REFRESH TABLE t`, `REFRESH path`, `REFRESH FUNCTION f`.
    Refresh { table: Option<ObjectName>, path: Option<String>, function: Option<ObjectName> },
    /// `ADD JAR|FILE|ARCHIVE`, `LIST JARS|FILES`.
    Resource { action: String, kind: String, paths: Vec<String> },
    /// `df.checkpoint()`.
    Checkpoint { input: Relation, local: bool, eager: bool },
    /// The client's finalizer of a checkpoint.
    RemoveCachedRemote { id: String },
    /// A command this engine does not do, by Spark's feature name.
    Unsupported(String),

    // ---- questions
    /// `SHOW ...`.
    Show(Show),
    /// `DESCRIBE ...`.
    Describe(Describe),
    /// `EXPLAIN [EXTENDED|CODEGEN|COST|FORMATTED] statement`.
    Explain { mode: ExplainMode, plan: Plan },
    /// `ANALYZE TABLE(S)`.
    Analyze {
        table: Option<ObjectName>,
        database: Option<ObjectName>,
        partition: PartitionSpec,
        no_scan: bool,
        columns: Option<Vec<String>>,
    },
    /// `BEGIN ... END`.
    Script(Script),
}

/// Partition columns with optional values, as written.
pub type PartitionSpec = Vec<(String, Option<Expr>)>;

/// What a row-level statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowLevelOperation {
    /// `DELETE`.
    Delete,
    /// `UPDATE`.
    Update,
    /// `MERGE`.
    Merge,
}

/// Save modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SaveMode {
    /// Add rows.
    Append,
    /// Replace.
    Overwrite,
    /// Fail when there is something.
    ErrorIfExists,
    /// Do nothing when there is something.
    Ignore,
}

/// A DataFrame write.
#[derive(Debug, Clone)]
pub struct Write {
    /// Rows.
    pub input: Relation,
    /// Format; the session's default when `None`.
    pub format: Option<String>,
    /// Target.
    pub target: WriteTarget,
    /// Mode.
    pub mode: SaveMode,
    /// Options.
    pub options: Options,
    /// `partitionBy`.
    pub partition_by: Vec<String>,
    /// `clusterBy`.
    pub cluster_by: Vec<String>,
    /// `bucketBy(n, cols)`.
    pub bucket_by: Option<(u32, Vec<String>)>,
    /// `sortBy`.
    pub sort_by: Vec<String>,
}

/// Where a write goes.
#[derive(Debug, Clone)]
pub enum WriteTarget {
    /// `save(path)`.
    Path(String),
    /// `save()` of a format without path (`jdbc`).
    Nothing,
    /// `saveAsTable`.
    SaveAsTable(ObjectName),
    /// `insertInto` (by position).
    InsertInto(ObjectName),
    /// `writeTo(name).create()` etc.
    V2 {
        /// Table.
        table: ObjectName,
        /// What to do.
        mode: V2Mode,
        /// `overwrite(condition)`.
        condition: Option<Expr>,
        /// `partitionedBy`.
        partitioning: Vec<Expr>,
        /// `tableProperty`.
        properties: Options,
    },
}

/// `writeTo` actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum V2Mode {
    /// `create`.
    Create,
    /// `replace`.
    Replace,
    /// `createOrReplace`.
    CreateOrReplace,
    /// `append` (by name).
    Append,
    /// `overwrite(condition)`.
    Overwrite,
    /// `overwritePartitions`.
    OverwritePartitions,
}

/// `INSERT`.
#[derive(Debug, Clone)]
pub struct Insert {
    /// Table.
    pub table: ObjectName,
    /// Column list.
    pub columns: Vec<String>,
    /// `PARTITION (p = 1, q)`.
    pub partition: PartitionSpec,
    /// `OVERWRITE`.
    pub overwrite: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `BY NAME`.
    pub by_name: bool,
    /// `REPLACE WHERE`.
    pub replace_where: Option<Expr>,
    /// Rows.
    pub input: Relation,
}

/// A column definition.
#[derive(Debug, Clone)]
pub struct ColumnDefinition {
    /// Name.
    pub name: String,
    /// Type.
    pub data_type: DataType,
    /// `false` for `NOT NULL`.
    pub nullable: bool,
    /// `COMMENT`.
    pub comment: Option<String>,
    /// `DEFAULT`, as written.
    pub default: Option<String>,
    /// `GENERATED ALWAYS AS`, as written.
    pub generated: Option<String>,
}

/// `CREATE [OR REPLACE] TABLE` and `REPLACE TABLE`.
#[derive(Debug, Clone)]
pub struct CreateTable {
    /// Name.
    pub name: ObjectName,
    /// Columns; empty for CTAS and schema inference.
    pub columns: Vec<ColumnDefinition>,
    /// `USING`.
    pub format: Option<String>,
    /// `OPTIONS`.
    pub options: Options,
    /// `PARTITIONED BY` names or typed columns or transforms.
    pub partitioned_by: Vec<PartitionField>,
    /// `CLUSTERED BY (..) SORTED BY (..) INTO n BUCKETS`.
    pub bucket_by: Option<(u32, Vec<String>, Vec<String>)>,
    /// `CLUSTER BY`.
    pub cluster_by: Vec<String>,
    /// `LOCATION`.
    pub location: Option<String>,
    /// `COMMENT`.
    pub comment: Option<String>,
    /// `TBLPROPERTIES`.
    pub properties: Options,
    /// `AS query`.
    pub query: Option<Relation>,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `REPLACE TABLE` (must exist).
    pub replace_only: bool,
    /// `EXTERNAL`.
    pub external: bool,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `STORED AS`/`ROW FORMAT` (Hive); the format name when said.
    pub hive_format: Option<String>,
}

/// One element of `PARTITIONED BY`.
#[derive(Debug, Clone)]
pub enum PartitionField {
    /// A column of the table.
    Name(String),
    /// A typed column that is not in the column list.
    Column(ColumnDefinition),
    /// `bucket(4, a)`, `years(ts)`.
    Transform(Expr),
}

/// `CREATE [OR REPLACE] [TEMPORARY] VIEW`.
#[derive(Debug, Clone)]
pub struct CreateView {
    /// Name.
    pub name: ObjectName,
    /// Column names and comments.
    pub columns: Vec<(String, Option<String>)>,
    /// The query.
    pub query: Relation,
    /// The query's text as written.
    pub text: String,
    /// `OR REPLACE`.
    pub replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `GLOBAL`.
    pub global: bool,
    /// `COMMENT`.
    pub comment: Option<String>,
    /// `TBLPROPERTIES`.
    pub properties: Options,
    /// `WITH SCHEMA BINDING|COMPENSATION|EVOLUTION|TYPE EVOLUTION`.
    pub schema_binding: Option<String>,
}

/// `ALTER TABLE` actions.
#[derive(Debug, Clone)]
pub enum AlterTable {
    /// `RENAME TO`.
    Rename(ObjectName),
    /// `ADD COLUMNS`.
    AddColumns(Vec<(ColumnDefinition, Option<ColumnPosition>)>),
    /// `REPLACE COLUMNS`.
    ReplaceColumns(Vec<ColumnDefinition>),
    /// `DROP COLUMNS`.
    DropColumns { columns: Vec<ObjectName>, if_exists: bool },
    /// `RENAME COLUMN`.
    RenameColumn { from: ObjectName, to: String },
    /// `ALTER|CHANGE COLUMN`.
    AlterColumn {
        column: ObjectName,
        new_name: Option<String>,
        data_type: Option<DataType>,
        comment: Option<String>,
        nullable: Option<bool>,
        position: Option<ColumnPosition>,
        /// `SET DEFAULT` (`Some(Some)`), `DROP DEFAULT` (`Some(None)`).
        default: Option<Option<String>>,
    },
    /// `SET TBLPROPERTIES`.
    SetProperties(Options),
    /// `UNSET TBLPROPERTIES`.
    UnsetProperties { keys: Vec<String>, if_exists: bool },
    /// `ADD PARTITION`.
    AddPartitions { partitions: Vec<(PartitionSpec, Option<String>)>, if_not_exists: bool },
    /// `DROP PARTITION`.
    DropPartitions { partitions: Vec<PartitionSpec>, if_exists: bool, purge: bool },
    /// `PARTITION .. RENAME TO PARTITION ..`.
    RenamePartition { from: PartitionSpec, to: PartitionSpec },
    /// `SET LOCATION`.
    SetLocation { location: String, partition: PartitionSpec },
    /// `ALTER VIEW v AS query`.
    SetQuery { query: Relation, text: String },
    /// `SET SERDE...`.
    SetSerde,
    /// `SET SERDEPROPERTIES`.
    SetSerdeProperties(Options),
    /// `RECOVER PARTITIONS`.
    RecoverPartitions,
    /// `ALTER VIEW v WITH SCHEMA mode`.
    SchemaMode(String),
    /// `CLUSTER BY`.
    ClusterBy(Vec<String>),
    /// Anything else, by name.
    Other(String),
}

/// `FIRST` / `AFTER c`.
#[derive(Debug, Clone)]
pub enum ColumnPosition {
    /// `FIRST`.
    First,
    /// `AFTER`.
    After(String),
}

/// `CREATE FUNCTION`.
#[derive(Debug, Clone)]
pub struct CreateFunction {
    /// Name.
    pub name: ObjectName,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `OR REPLACE`.
    pub replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Parameters.
    pub params: Vec<ColumnDefinition>,
    /// Scalar return type.
    pub returns: Option<DataType>,
    /// `RETURNS TABLE(...)`; empty columns when unsaid.
    pub returns_table: Option<Vec<ColumnDefinition>>,
    /// Body as text and parsed.
    pub body: Option<FunctionBody>,
    /// JVM class name.
    pub class_name: Option<String>,
    /// `COMMENT`.
    pub comment: Option<String>,
    /// `DETERMINISTIC` / `NOT DETERMINISTIC`.
    pub deterministic: Option<bool>,
    /// `LANGUAGE`.
    pub language: Option<String>,
}

/// A SQL function's body.
#[derive(Debug, Clone)]
pub enum FunctionBody {
    /// `RETURN expr`.
    Expr(Expr, String),
    /// `RETURN query`.
    Query(Relation, String),
}

/// `SET` forms.
#[derive(Debug, Clone)]
pub enum SetCommand {
    /// `SET`.
    All,
    /// `SET -v`.
    AllVerbose,
    /// `SET key`.
    Get(String),
    /// `SET key=value`.
    Put(String, String),
}

/// `SET TIME ZONE` forms.
#[derive(Debug, Clone)]
pub enum TimeZoneSetting {
    /// `LOCAL`.
    Local,
    /// `'Europe/Berlin'`.
    Zone(String),
    /// `INTERVAL ...`.
    Interval(Expr),
}

/// `EXPLAIN` modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainMode {
    /// Physical plan only.
    Simple,
    /// All plans.
    Extended,
    /// Generated code.
    Codegen,
    /// With statistics.
    Cost,
    /// Formatted.
    Formatted,
}

/// `SHOW` forms.
#[derive(Debug, Clone)]
pub enum Show {
    /// `SHOW DATABASES`.
    Databases { pattern: Option<String> },
    /// `SHOW TABLES`.
    Tables { database: Option<ObjectName>, pattern: Option<String> },
    /// `SHOW TABLE EXTENDED`.
    TableExtended { database: Option<ObjectName>, pattern: String, partition: PartitionSpec },
    /// `SHOW VIEWS`.
    Views { database: Option<ObjectName>, pattern: Option<String> },
    /// `SHOW COLUMNS`.
    Columns { table: ObjectName, database: Option<ObjectName> },
    /// `SHOW FUNCTIONS`.
    Functions { kind: Option<String>, database: Option<ObjectName>, pattern: Option<String> },
    /// `SHOW PARTITIONS`.
    Partitions { table: ObjectName, partition: PartitionSpec },
    /// `SHOW TBLPROPERTIES`.
    TableProperties { table: ObjectName, key: Option<String> },
    /// `SHOW CREATE TABLE`.
    CreateTable { table: ObjectName, as_serde: bool },
    /// `SHOW CATALOGS`.
    Catalogs { pattern: Option<String> },
    /// `SHOW CURRENT NAMESPACE|DATABASE`.
    CurrentNamespace,
    /// `SHOW VARIABLES`, `SHOW COLLATIONS`, ... by name.
    Other { name: String, pattern: Option<String> },
}

/// `DESCRIBE` forms.
#[derive(Debug, Clone)]
pub enum Describe {
    /// `DESCRIBE [TABLE] [EXTENDED|FORMATTED] t [PARTITION (..)] [column] [AS JSON]`.
    Table { name: ObjectName, extended: bool, partition: PartitionSpec, column: Option<ObjectName>, as_json: bool },
    /// `DESCRIBE DATABASE`.
    Database { name: ObjectName, extended: bool },
    /// `DESCRIBE FUNCTION`.
    Function { name: ObjectName, extended: bool },
    /// `DESCRIBE QUERY`.
    Query(Relation),
    /// `DESCRIBE CATALOG`.
    Catalog(String),
}
