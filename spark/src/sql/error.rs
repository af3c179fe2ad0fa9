//! Parse errors: their conditions, and the text with the caret that Spark shows.

use std::fmt::Write;
use std::sync::Arc;

use firesteel_functions::{ErrorKind, QueryContext, SparkError};

/// Spark's text of a parse error: condition, message, SQLSTATE, line and position, then the statement with a caret line.
/// `None` when the error is no parse error or has no position.
#[must_use]
pub fn parse_error_text(error: &SparkError) -> Option<String> {
    if error.kind() != ErrorKind::Parse {
        return None;
    }
    let QueryContext::Sql { start, text, .. } = error.contexts().first()? else { return None };
    let (line, position) = line_and_position(text, *start);
    let mut out = format!("\n[{}] {}", error.condition(), error.message());
    if let Some(state) = error.sqlstate() {
        let _ = write!(out, " SQLSTATE: {state}");
    }
    let _ = write!(out, " (line {line}, pos {position})\n\n== SQL ==\n");
    for (index, row) in text.split('\n').enumerate() {
        out.push_str(row);
        out.push('\n');
        if index + 1 == line {
            out.push_str(&"-".repeat(position));
            out.push_str("^^^\n");
        }
    }
    Some(out)
}

/// Whether a client is told the query context of this error; Spark gives syntax errors a caret in the text only.
#[must_use]
pub fn reports_context(error: &SparkError) -> bool {
    !matches!(
        error.condition(),
        "PARSE_SYNTAX_ERROR" | "PARSE_EMPTY_STATEMENT" | "UNCLOSED_BRACKETED_COMMENT" | "INVALID_IDENTIFIER"
    )
}

/// Line from 1 and column from 0 of a character offset.
#[must_use]
pub fn line_and_position(text: &str, offset: u32) -> (usize, usize) {
    let (mut line, mut position) = (1, 0);
    for c in text.chars().take(offset as usize) {
        if c == '\n' {
            line += 1;
            position = 0;
        } else {
            position += 1;
        }
    }
    (line, position)
}

/// Texts of conditions that Spark has not named yet and its published catalogue leaves out.
pub(super) fn unnamed(condition: &str, parameters: &[(&str, &str)]) -> Option<String> {
    let template = match condition {
        "_LEGACY_ERROR_TEMP_0014" => "TABLESAMPLE does not accept empty inputs.",
        "_LEGACY_ERROR_TEMP_0028" => "Intervals FROM <from> TO <to> are not supported.",
        "_LEGACY_ERROR_TEMP_0029" => "Cannot mix year-month and day-time fields: <literal>.",
        "_LEGACY_ERROR_TEMP_0035" => "Operation not allowed: <message>.",
        "_LEGACY_ERROR_TEMP_0045" => "Invalid time zone displacement value.",
        "_LEGACY_ERROR_TEMP_0051" => "Empty set in <element> grouping sets is not supported.",
        "_LEGACY_ERROR_TEMP_0053" => "It is not allowed to define a TEMPORARY view with IF NOT EXISTS.",
        "_LEGACY_ERROR_TEMP_1228" => "Decimal scale (<scale>) cannot be greater than precision (<precision>).",
        _ => return None,
    };
    let filled =
        parameters.iter().fold(template.to_string(), |text, (key, value)| text.replace(&format!("<{key}>"), value));
    Some(filled)
}

pub(super) fn context(text: &Arc<str>, start: u32, stop: u32) -> QueryContext {
    QueryContext::Sql { start, stop, text: Arc::clone(text) }
}

pub(super) fn unclosed_comment(text: &str, start: u32) -> SparkError {
    let stop = u32::try_from(text.chars().count()).unwrap_or(u32::MAX).saturating_sub(1);
    SparkError::parse("UNCLOSED_BRACKETED_COMMENT", &[]).with_context(context(&Arc::from(text), start, stop))
}
