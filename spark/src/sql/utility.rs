//! Statements about the session and questions about the catalog.

mod cache;
mod configuration;
mod describe;
mod show;
mod variable;

pub(super) use cache::{analyze, cache, clear_cache, refresh, resource, uncache};
pub(super) use configuration::{reset, set, use_namespace};
pub(super) use describe::{describe, explain};
pub(super) use show::show;
pub(super) use variable::{declare, execute_immediate};

use firesteel_functions::SparkResult;

use super::cursor::Cursor;
use crate::spec::Command;

/// A command this engine does not do; its text is skipped.
pub(super) fn unsupported(cursor: &mut Cursor<'_>, feature: &str) -> Command {
    cursor.take_rest();
    Command::Unsupported(feature.to_string())
}

/// A Hive statement that Spark refuses.
pub(super) fn not_allowed(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    let position = cursor.position();
    let text = cursor.take_rest().to_ascii_uppercase();
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    let message = words.join(" ");
    Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", &message)], position))
}
