//! `SHOW FUNCTIONS`.

use std::collections::BTreeSet;
use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult};

use super::{Rows, text};
use crate::catalog::{TableName, database_name, matches};
use crate::session::Session;
use crate::spec::ObjectName;

/// Operators that Spark lists among its functions.
const OPERATORS: &[&str] = &[
    "!", "!=", "%", "&", "*", "+", "-", "/", "<", "<=", "<=>", "<>", "=", "==", ">", ">=", "^", "|", "||", "~", "<<",
    ">>", ">>>", "and", "or", "not", "in", "between", "case", "when", "cast", "div", "like", "ilike", "rlike",
];

/// Functions that analysis itself knows: casts, generators, tables, lambdas, windows of time.
const ANALYZED: &[&str] = &[
    "aggregate",
    "bigint",
    "binary",
    "boolean",
    "collate",
    "collation",
    "collations",
    "current_path",
    "current_time",
    "date",
    "date_part",
    "datepart",
    "decimal",
    "double",
    "exists",
    "explode",
    "explode_outer",
    "extract",
    "filter",
    "float",
    "forall",
    "from_avro",
    "from_protobuf",
    "grouping",
    "grouping_id",
    "if",
    "inline",
    "inline_outer",
    "input_file_block_length",
    "input_file_block_start",
    "input_file_name",
    "int",
    "java_method",
    "json_tuple",
    "localtime",
    "map_filter",
    "map_zip_with",
    "measure",
    "negative",
    "posexplode",
    "posexplode_outer",
    "python_worker_logs",
    "range",
    "reduce",
    "reflect",
    "schema_of_avro",
    "session_window",
    "smallint",
    "sql_keywords",
    "stack",
    "string",
    "time",
    "timestamp",
    "timestamp_nanos",
    "tinyint",
    "to_avro",
    "to_protobuf",
    "transform",
    "transform_keys",
    "transform_values",
    "try_add",
    "try_divide",
    "try_mod",
    "try_multiply",
    "try_reflect",
    "try_subtract",
    "uniform",
    "unix_nanos",
    "variant_explode",
    "variant_explode_outer",
    "window",
    "zip_with",
];

/// What can be called and Spark does not list: the syntax it stands for is no function there.
const UNLISTED: &[&str] = &["bitwise_not", "timestampadd", "timestampdiff"];

/// Names of functions.
pub(super) async fn run(
    session: &Arc<Session>,
    kind: Option<String>,
    database: Option<ObjectName>,
    pattern: Option<&str>,
) -> SparkResult<Rows> {
    let kind = kind.unwrap_or_else(|| "ALL".to_string()).to_uppercase();
    let (system, user) = match kind.as_str() {
        "ALL" => (true, true),
        "SYSTEM" => (true, false),
        "USER" => (false, true),
        other => return Err(SparkError::unsupported(format!("SHOW {other} FUNCTIONS"))),
    };
    let mut names = BTreeSet::new();
    if system {
        names.extend(builtin());
    }
    if user {
        let database = match &database {
            Some(parts) => database_name(parts)?,
            None => session.current_database(),
        };
        names.extend(session.state().read().functions.keys().cloned());
        for name in session.warehouse().functions(&database).await? {
            names.insert(TableName::new(&database, &name).plain());
        }
    }
    let short = |name: &str| name.rsplit('.').next().unwrap_or(name).to_string();
    let rows = names
        .into_iter()
        .filter(|name| matches(pattern, name) || (name.contains('.') && matches(pattern, &short(name))))
        .map(|name| vec![name.into()]);
    Rows::new(&[text("function", false)], rows.collect())
}

/// Built-in functions and operators by name.
pub(super) fn builtin() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = OPERATORS
        .iter()
        .chain(ANALYZED)
        .chain(firesteel_functions::registry().names().iter())
        .map(|n| (*n).to_string())
        .collect();
    names.retain(|name| !UNLISTED.contains(&name.as_str()));
    names
}
