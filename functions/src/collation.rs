//! Collations of strings: their names, the keys that make comparison binary, and the string functions that depend on them.
//!
//! This room knows values and names. Which collation an expression has is the analyzer's business.
//! Source: <https://spark.apache.org/docs/latest/sql-ref-collation.html>.

mod fold;
mod key;
mod lists;
mod locale;
mod lower;
mod name;
mod root;
mod search;
mod strings;
#[cfg(test)]
mod tests;

pub use key::{fold_expr, folded, key_expr};
pub use name::{Collation, Listed};

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

/// The functions of this room, for registration: executors find them by name.
pub(crate) fn all() -> Vec<Arc<ScalarUDF>> {
    let mut all = key::all();
    all.extend(strings::all());
    all.extend(lists::all());
    all
}
