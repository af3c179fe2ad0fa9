//! `DESCRIBE` and `EXPLAIN`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::expr::query_ahead;
use super::super::{clause, name, query, statement};
use crate::spec::{Command, Describe, ExplainMode};

/// `DESC[RIBE] ...`.
pub(in crate::sql) fn describe(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.next();
    question(cursor).map(Command::Describe)
}

fn question(cursor: &mut Cursor<'_>) -> SparkResult<Describe> {
    let name_follows = cursor.is_name_at(1) || cursor.is_string_at(1);
    if cursor.word("FUNCTION") && (name_follows || !cursor.at_end_after(1)) {
        cursor.next();
        let extended = extended(cursor);
        return Ok(Describe::Function { name: function_name(cursor)?, extended });
    }
    if cursor.any_word(&["DATABASE", "SCHEMA", "NAMESPACE"]) && name_follows {
        cursor.next();
        let extended = extended(cursor);
        return Ok(Describe::Database { name: name::multipart(cursor)?, extended });
    }
    if cursor.word("CATALOG") && name_follows {
        cursor.next();
        extended(cursor);
        return Ok(Describe::Catalog(name::identifier(cursor)?));
    }
    if cursor.word("QUERY") && (name_follows || cursor.is_at(1, "(")) {
        cursor.next();
        return Ok(Describe::Query(query::query(cursor)?));
    }
    if !cursor.word("TABLE") && query_ahead(cursor, 0) {
        return Ok(Describe::Query(query::query(cursor)?));
    }
    if cursor.word("TABLE") && name_follows {
        cursor.next();
    }
    table(cursor)
}

fn table(cursor: &mut Cursor<'_>) -> SparkResult<Describe> {
    let extended = extended(cursor);
    let name = name::multipart(cursor)?;
    let partition = clause::optional_partition(cursor)?;
    let position = cursor.position();
    if let Some((column, _)) = partition.iter().find(|(_, value)| value.is_none()) {
        let key = format!("`{column}`");
        return Err(cursor.error("INVALID_SQL_SYNTAX.EMPTY_PARTITION_VALUE", &[("partKey", &key)], position));
    }
    let column = if cursor.is_name() && !cursor.words(&["AS", "JSON"]) { Some(name::multipart(cursor)?) } else { None };
    let as_json = cursor.eat_words(&["AS", "JSON"]);
    Ok(Describe::Table { name, extended, partition, column, as_json })
}

fn extended(cursor: &mut Cursor<'_>) -> bool {
    let found = cursor.any_word(&["EXTENDED", "FORMATTED"]) && !cursor.at_end_after(1);
    if found {
        cursor.next();
    }
    found
}

/// A function's name; operators (`+`, `<=>`, `!=`) are names here.
fn function_name(cursor: &mut Cursor<'_>) -> SparkResult<Vec<String>> {
    if cursor.is_string() {
        return Ok(vec![cursor.string()?]);
    }
    if cursor.is_name() {
        return name::multipart(cursor);
    }
    if cursor.at_end_of_statement() {
        return Err(cursor.unexpected());
    }
    Ok(vec![cursor.next().text.to_string()])
}

/// `EXPLAIN [mode] statement`.
pub(in crate::sql) fn explain(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_word("EXPLAIN")?;
    let mode = match cursor.peek().text.to_ascii_uppercase().as_str() {
        "LOGICAL" => return super::not_allowed(cursor),
        "EXTENDED" => Some(ExplainMode::Extended),
        "CODEGEN" => Some(ExplainMode::Codegen),
        "COST" => Some(ExplainMode::Cost),
        "FORMATTED" => Some(ExplainMode::Formatted),
        _ => None,
    };
    if mode.is_some() {
        cursor.next();
    }
    let plan = statement::statement(cursor)?;
    Ok(Command::Explain { mode: mode.unwrap_or(ExplainMode::Simple), plan })
}
