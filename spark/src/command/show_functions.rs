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
    let registry = firesteel_functions::registry();
    let mut names: BTreeSet<String> = OPERATORS.iter().map(|name| (*name).to_string()).collect();
    for function in registry.all_scalar() {
        names.insert(function.name().to_string());
        names.extend(function.aliases().iter().cloned());
    }
    for function in registry.all_aggregate() {
        names.insert(function.name().to_string());
        names.extend(function.aliases().iter().cloned());
    }
    for function in registry.all_window() {
        names.insert(function.name().to_string());
        names.extend(function.aliases().iter().cloned());
    }
    // What only plans call is no function of the user's.
    names.retain(|name| !name.starts_with("spark_") || name == "spark_partition_id");
    names.retain(|name| !name.starts_with("__"));
    names
}
