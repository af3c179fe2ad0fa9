//! Runs SQL scripts: one statement after the other, with variables, conditions, loops and handlers of errors.
//!
//! A script answers with the rows of the last query it ran. What a statement does is the business of `command` and
//! `session`; this room only decides which one is next. Rules: <https://spark.apache.org/docs/latest/sql-ref-scripting.html>.

mod handlers;
mod run;
mod scope;
mod steps;

pub(crate) use run::run;
pub(crate) use scope::{Assigned, declare, declared, locals, outside, set};
