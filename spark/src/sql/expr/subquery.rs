//! Telling queries in parentheses from expressions in parentheses.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::query;
use crate::spec::Relation;

/// Whether a query starts `ahead` tokens on, after any number of opening parentheses.
pub(in crate::sql) fn query_ahead(cursor: &Cursor<'_>, ahead: usize) -> bool {
    let mut at = ahead;
    // Deeper nesting is refused anyway; the bound keeps looking ahead cheap.
    while cursor.is_at(at, "(") && at < ahead + 256 {
        at += 1;
    }
    let next = at + 1;
    if cursor.word_at(at, "SELECT") {
        return !matches!(cursor.peek_at(next).text, ")" | "," | "." | "" | "=");
    }
    if cursor.word_at(at, "VALUES") {
        return cursor.is_at(next, "(") || value_ahead(cursor, next);
    }
    if cursor.word_at(at, "WITH") {
        let definition = cursor.any_word_at(next + 1, &["AS", "MAX"]) || cursor.is_at(next + 1, "(");
        return cursor.is_name_at(next)
            && (definition || cursor.word_at(next, "RECURSIVE") && cursor.is_name_at(next + 1));
    }
    if cursor.word_at(at, "FROM") {
        return cursor.is_name_at(next) || cursor.is_at(next, "(");
    }
    if cursor.any_word_at(at, &["MAP", "REDUCE"]) {
        return false;
    }
    cursor.word_at(at, "TABLE") && cursor.is_name_at(next)
}

fn value_ahead(cursor: &Cursor<'_>, at: usize) -> bool {
    use super::super::lexer::Kind;
    let token = cursor.peek_at(at);
    match token.kind {
        Kind::End | Kind::Unrecognized => false,
        Kind::Symbol => {
            matches!(token.text, "-" | "+" | ":" | "?" | "~") && cursor.peek_at(at + 1).kind != Kind::Symbol
        }
        _ => !cursor.any_word_at(at, &["AND", "OR", "IN", "IS", "LIKE", "BETWEEN", "AS", "DIV", "FROM", "NOT"]),
    }
}

/// `(query)`.
pub(super) fn parenthesized(cursor: &mut Cursor<'_>) -> SparkResult<Relation> {
    cursor.expect("(")?;
    let query = query::query(cursor)?;
    cursor.expect(")")?;
    Ok(query)
}
