//! Session variables and `EXECUTE IMMEDIATE`.

use firesteel_functions::SparkResult;
use firesteel_functions::types::DataType;

use super::super::cursor::Cursor;
use super::super::expr::{expression, named_expression, query_ahead};
use super::super::lexer::Kind;
use super::super::{name, query, types};
use crate::spec::{Command, ObjectName};

/// `DECLARE [OR REPLACE] [VAR|VARIABLE] names [type] [DEFAULT|= expr]`.
pub(in crate::sql) fn declare(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_word("DECLARE")?;
    let replace = cursor.eat_words(&["OR", "REPLACE"]);
    let named = cursor.any_word(&["VAR", "VARIABLE"]) && cursor.is_name_at(1) && !cursor.word_at(1, "DEFAULT");
    if named && !(type_ahead(cursor, 1) && cursor.at_end_after(2)) {
        cursor.next();
    }
    let names = cursor.list(name::multipart)?;
    let default_word = |cursor: &Cursor<'_>| cursor.word("DEFAULT") || cursor.is("=");
    let data_type =
        if cursor.peek().kind == Kind::Word && !default_word(cursor) { Some(data_type(cursor)?) } else { None };
    let default = if cursor.eat_word("DEFAULT") || cursor.eat("=") { Some(expression(cursor)?) } else { None };
    if data_type.is_none() && default.is_none() {
        return Err(cursor.unexpected());
    }
    Ok(Command::DeclareVariable { names, data_type, default, replace })
}

/// The type of a variable. That a name is no type is said only when the rest could be a declaration.
fn data_type(cursor: &mut Cursor<'_>) -> SparkResult<DataType> {
    let position = cursor.position();
    match types::data_type(cursor) {
        Ok(found) => Ok(found),
        Err(error) => {
            cursor.rewind(position);
            cursor.next();
            let rest = cursor.at_end_after(0) || cursor.word("DEFAULT") || cursor.is("=") || cursor.is("(");
            Err(if rest { error } else { cursor.unexpected() })
        }
    }
}

/// Whether a type's name is `ahead` tokens on, as in `DECLARE var INT` where `var` is the variable.
fn type_ahead(cursor: &Cursor<'_>, ahead: usize) -> bool {
    cursor.any_word_at(ahead, &["INT", "STRING", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP"])
}

/// `SET VAR a = expr, ...` or `SET VAR (a, b) = (query)`, after `VAR`.
pub(super) fn set(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    if cursor.is("(") {
        let targets = cursor.parenthesized(name::multipart)?;
        cursor.expect("=")?;
        cursor.expect("(")?;
        let query = query::query(cursor)?;
        cursor.expect(")")?;
        return Ok(Command::SetVariable { targets, values: vec![], query: Some(query) });
    }
    let mut targets: Vec<ObjectName> = vec![];
    let mut values = vec![];
    loop {
        targets.push(name::multipart(cursor)?);
        cursor.expect("=")?;
        values.push(expression(cursor)?);
        if !cursor.eat(",") {
            return Ok(Command::SetVariable { targets, values, query: None });
        }
    }
}

/// `EXECUTE IMMEDIATE text [INTO vars] [USING args]`.
pub(in crate::sql) fn execute_immediate(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_words(&["EXECUTE", "IMMEDIATE"])?;
    let text = expression(cursor)?;
    let into = if cursor.eat_word("INTO") { cursor.list(name::multipart)? } else { vec![] };
    let mut using = vec![];
    if cursor.eat_word("USING") {
        using = if cursor.is("(") && !query_ahead(cursor, 0) {
            cursor.parenthesized(named_expression)?
        } else {
            cursor.list(named_expression)?
        };
    }
    Ok(Command::ExecuteImmediate { text, into, using })
}
