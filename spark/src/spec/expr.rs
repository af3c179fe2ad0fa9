//! Unresolved expressions.

use std::sync::Arc;

use firesteel_functions::types::{DataType, DayTimeField, YearMonthField};

use super::Relation;

/// Where an expression or relation was written, for error contexts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// SQL text; 0-based character offsets, `stop` inclusive.
    Sql {
        /// First character.
        start: u32,
        /// Last character.
        stop: u32,
        /// The whole statement.
        text: Arc<str>,
    },
    /// A DataFrame call.
    DataFrame {
        /// Function called.
        fragment: Arc<str>,
        /// File and line of the caller.
        call_site: Arc<str>,
    },
}

/// An unresolved expression and where it was written.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: Box<ExprKind>,
    /// Where it was written, when known.
    pub origin: Option<Origin>,
}

impl From<ExprKind> for Expr {
    fn from(kind: ExprKind) -> Self {
        Self { kind: Box::new(kind), origin: None }
    }
}

impl Expr {
    /// A call of a built-in function or operator (`"+"`, `"and"`, `"="`, `"isnull"`, ...) without modifiers.
    pub fn call(name: &str, args: Vec<Expr>) -> Self {
        ExprKind::Function(Function::new(vec![name.to_string()], args)).into()
    }
    /// The same expression with an origin.
    #[must_use]
    pub fn at(mut self, origin: Option<Origin>) -> Self {
        self.origin = origin;
        self
    }
}

/// Kinds of unresolved expressions.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// A literal value.
    Literal(Literal),
    /// `DATE '...'`, `TIMESTAMP '...'`, `X'...'`, `TIME '...'`: text that needs the session (time zone) to become a value.
    /// The type name is upper case.
    TypedLiteral {
        /// `DATE`, `TIMESTAMP`, `TIMESTAMP_LTZ`, `TIMESTAMP_NTZ`, `TIME`, ...
        type_name: String,
        /// The text between the quotes.
        text: String,
    },
    /// A column reference of one or more parts; struct fields look the same.
    Attribute {
        /// Parts, unquoted.
        name: Vec<String>,
        /// Resolve in the relation with this plan id (`df["x"]`).
        plan_id: Option<i64>,
        /// The client marked it as a metadata column.
        is_metadata: bool,
    },
    /// `*`, `t.*`, `s.*`.
    Star {
        /// Qualifier or struct, empty for a bare star.
        target: Vec<String>,
        /// Star of the relation with this plan id (`df["*"]`).
        plan_id: Option<i64>,
        /// `EXCEPT (a, b.c)`.
        except: Vec<Vec<String>>,
        /// `REPLACE (expr AS name)`.
        replace: Vec<(Expr, String)>,
    },
    /// All columns whose name matches a regular expression.
    Regex {
        /// Java regular expression, without back quotes.
        pattern: String,
        /// Resolve in the relation with this plan id.
        plan_id: Option<i64>,
    },
    /// A function call or an operator.
    ///
    /// Operators are functions named `+ - * / % div & | ^ ~ << >> >>> || = == != <> < <= > >= <=> and or not`
    /// (unary minus is `negative`, unary plus `positive`), predicates are
    /// `in`, `like`, `ilike`, `rlike` (optional last argument: escape), `like_any`, `like_all`, `between`, `isnull`, `isnotnull`, `isnan`, `istrue`, `isfalse`.
    /// Negated forms are wrapped in `not`. `CASE` is `when(c1, v1, c2, v2, ..., [else])`; `CASE x WHEN a` is turned into `x = a`.
    /// `EXTRACT(f FROM x)` is `extract('f', x)`; `TRIM(BOTH a FROM b)` is `trim_both(b, a)` etc. `POSITION(a IN b)` is `position(a, b)`.
    Function(Function),
    /// `name => value`.
    NamedArgument {
        /// Parameter name.
        name: String,
        /// Value.
        value: Expr,
    },
    /// `expr AS name` or, for generators, `expr AS (a, b)`.
    Alias {
        /// The expression.
        expr: Expr,
        /// One or more names.
        names: Vec<String>,
        /// Column metadata, JSON object.
        metadata: Option<String>,
    },
    /// `CAST`, `TRY_CAST`, `x::type`.
    Cast {
        /// The expression.
        expr: Expr,
        /// Target.
        to: DataType,
        /// What happens on bad input.
        mode: CastMode,
    },
    /// `child[key]`, `child.field` on an expression: array element, map value or struct field.
    ExtractValue {
        /// Array, map or struct.
        child: Expr,
        /// Index, key or field name literal.
        key: Expr,
        /// Written as `child.field` rather than `child[key]`.
        dotted: bool,
    },
    /// `Column.withField` / `dropFields`.
    UpdateFields {
        /// The struct.
        expr: Expr,
        /// Path of the field.
        field: String,
        /// New value, or `None` to drop.
        value: Option<Expr>,
    },
    /// `(x, y) -> body`.
    Lambda {
        /// Body.
        body: Expr,
        /// Parameter names.
        params: Vec<String>,
    },
    /// A lambda parameter as the DataFrame API sends it.
    LambdaVariable(String),
    /// `function OVER (...)`.
    Window {
        /// Function.
        function: Expr,
        /// Its window.
        window: WindowRef,
    },
    /// An expression with sort direction, where one is allowed.
    SortOrder(SortOrder),
    /// A subquery.
    Subquery(Subquery),
    /// `:name`.
    NamedParameter(String),
    /// `?`, counted from 0 in the order written.
    PositionalParameter(usize),
    /// `IDENTIFIER(expr)` as a column reference.
    IdentifierClause(Expr),
    /// `(a, b)` used as a row value: `(a, b) IN (...)`. Elsewhere it is a struct.
    Row(Vec<Expr>),
    /// A Python function sent by the client.
    PythonUdf(Arc<PythonUdf>),
    /// `DEFAULT` in an INSERT or UPDATE.
    Default,
}

/// What a cast does with input it cannot convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CastMode {
    /// As the session's ANSI setting says.
    Session,
    /// Fail.
    Ansi,
    /// Null or wrap-around, as with ANSI off.
    Legacy,
    /// Null.
    Try,
}

/// A function call.
#[derive(Debug, Clone)]
pub struct Function {
    /// Name parts as written.
    pub name: Vec<String>,
    /// Arguments.
    pub args: Vec<Expr>,
    /// `DISTINCT`.
    pub distinct: bool,
    /// `FILTER (WHERE ...)`.
    pub filter: Option<Expr>,
    /// `WITHIN GROUP (ORDER BY ...)`.
    pub order_by: Vec<SortOrder>,
    /// `IGNORE NULLS` (`Some(true)`), `RESPECT NULLS` (`Some(false)`).
    pub ignore_nulls: Option<bool>,
}

impl Function {
    /// A call without modifiers.
    #[must_use]
    pub fn new(name: Vec<String>, args: Vec<Expr>) -> Self {
        Self { name, args, distinct: false, filter: None, order_by: vec![], ignore_nulls: None }
    }
}

/// A Python function as the client ships it.
#[derive(Debug, Clone)]
pub struct PythonUdf {
    /// Name shown in plans.
    pub name: String,
    /// Arguments.
    pub args: Vec<Expr>,
    /// Return type.
    pub return_type: Option<DataType>,
    /// PySpark's eval type.
    pub eval_type: i32,
    /// Pickled function.
    pub command: Vec<u8>,
    /// `3.11`.
    pub python_version: String,
    /// Whether it is deterministic.
    pub deterministic: bool,
}

/// Sort direction and null placement.
#[derive(Debug, Clone)]
pub struct SortOrder {
    /// Key.
    pub expr: Expr,
    /// `ASC` (also when unsaid) rather than `DESC`.
    pub ascending: bool,
    /// `NULLS FIRST`; when unsaid, first for ascending, last for descending.
    pub nulls_first: bool,
}

/// A window by name or by definition.
#[derive(Debug, Clone)]
pub enum WindowRef {
    /// `OVER w`.
    Named(String),
    /// `OVER (...)`.
    Spec(WindowSpec),
}

/// A window definition.
#[derive(Debug, Clone, Default)]
pub struct WindowSpec {
    /// Base window name, `OVER (w ORDER BY ...)`.
    pub base: Option<String>,
    /// `PARTITION BY`.
    pub partition_by: Vec<Expr>,
    /// `ORDER BY`.
    pub order_by: Vec<SortOrder>,
    /// Frame, when said.
    pub frame: Option<WindowFrame>,
}

/// A window frame.
#[derive(Debug, Clone)]
pub struct WindowFrame {
    /// `ROWS` rather than `RANGE`.
    pub rows: bool,
    /// Lower bound.
    pub lower: FrameBound,
    /// Upper bound.
    pub upper: FrameBound,
}

/// An end of a window frame.
#[derive(Debug, Clone)]
pub enum FrameBound {
    /// `UNBOUNDED PRECEDING`.
    UnboundedPreceding,
    /// `UNBOUNDED FOLLOWING`.
    UnboundedFollowing,
    /// `CURRENT ROW`.
    CurrentRow,
    /// `n FOLLOWING`; `n PRECEDING` is the negated expression.
    Offset(Expr),
}

/// A subquery used as an expression.
#[derive(Debug, Clone)]
pub enum Subquery {
    /// `(SELECT ...)`.
    Scalar(Relation),
    /// `EXISTS (SELECT ...)`.
    Exists(Relation),
    /// `values IN (SELECT ...)`; negation is `not`.
    In {
        /// Left-hand values.
        values: Vec<Expr>,
        /// Subquery.
        query: Relation,
    },
    /// `TABLE(...)` as an argument of a table function.
    TableArgument(Relation),
}

/// A literal value.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `NULL` of a type (`VOID` in SQL text).
    Null(DataType),
    /// Boolean.
    Boolean(bool),
    /// `1Y`.
    Byte(i8),
    /// `1S`.
    Short(i16),
    /// `1`.
    Integer(i32),
    /// `1L`.
    Long(i64),
    /// `1F`.
    Float(f32),
    /// `1D`, `1e3`.
    Double(f64),
    /// `1.5`, `1BD`.
    Decimal {
        /// Unscaled value.
        value: i128,
        /// Total digits.
        precision: u8,
        /// Digits after the point.
        scale: i8,
    },
    /// String.
    String(String),
    /// `X'1F'`.
    Binary(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since the epoch, an instant.
    Timestamp(i64),
    /// Microseconds since 1970-01-01 00:00, wall clock.
    TimestampNtz(i64),
    /// Microseconds since midnight and precision.
    Time(i64, u8),
    /// Months.
    YearMonthInterval(i32, YearMonthField, YearMonthField),
    /// Microseconds.
    DayTimeInterval(i64, DayTimeField, DayTimeField),
    /// Legacy interval.
    CalendarInterval {
        /// Months.
        months: i32,
        /// Days.
        days: i32,
        /// Microseconds.
        micros: i64,
    },
    /// Array of an element type.
    Array(DataType, Vec<Literal>),
    /// Map of key and value types.
    Map(DataType, DataType, Vec<(Literal, Literal)>),
    /// Struct of a struct type.
    Struct(DataType, Vec<Literal>),
}
