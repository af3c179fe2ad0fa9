//! Column definitions of tables and functions.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::expr::expression;
use super::super::{name, types};
use crate::spec::{ColumnDefinition, ColumnPosition};

/// A column and whether it has clauses that only a table's column may have.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) column: ColumnDefinition,
    pub(super) has_generated: bool,
    pub(super) has_constraint: bool,
    pub(super) has_not_null: bool,
}

/// An element of a table's column list; `None` for a table constraint.
pub(super) fn element(cursor: &mut Cursor<'_>) -> SparkResult<Option<ColumnDefinition>> {
    if table_constraint_ahead(cursor) {
        constraint(cursor)?;
        return Ok(None);
    }
    Ok(Some(definition(cursor)?.column))
}

/// `(column, ...)`.
pub(super) fn list(cursor: &mut Cursor<'_>) -> SparkResult<Vec<ColumnDefinition>> {
    Ok(cursor.parenthesized(element)?.into_iter().flatten().collect())
}

/// `name type [NOT NULL] [DEFAULT e] [GENERATED ALWAYS AS (e)] [COMMENT 'c'] [constraint]`.
pub(super) fn definition(cursor: &mut Cursor<'_>) -> SparkResult<Parsed> {
    let name = name::identifier(cursor)?;
    cursor.eat(":");
    let data_type = types::data_type(cursor)?;
    let column = ColumnDefinition { name, data_type, nullable: true, comment: None, default: None, generated: None };
    let mut parsed = Parsed { column, has_generated: false, has_constraint: false, has_not_null: false };
    loop {
        if cursor.eat_words(&["NOT", "NULL"]) {
            parsed.column.nullable = false;
            parsed.has_not_null = true;
        } else if cursor.word("COMMENT") && cursor.is_string_at(1) {
            cursor.next();
            parsed.column.comment = Some(cursor.string()?);
        } else if cursor.eat_word("DEFAULT") {
            parsed.column.default = Some(expression_text(cursor)?);
        } else if cursor.eat_words(&["GENERATED", "ALWAYS", "AS"])
            || cursor.eat_words(&["GENERATED", "BY", "DEFAULT", "AS"])
        {
            parsed.has_generated = true;
            parsed.column.generated = Some(generated(cursor)?);
        } else if column_constraint_ahead(cursor) {
            parsed.has_constraint = true;
            constraint(cursor)?;
        } else {
            return Ok(parsed);
        }
    }
}

fn generated(cursor: &mut Cursor<'_>) -> SparkResult<String> {
    if cursor.word("IDENTITY") {
        let byte = cursor.byte();
        cursor.next();
        if cursor.eat("(") {
            while !cursor.is(")") && !cursor.at_end() {
                cursor.next();
            }
            cursor.expect(")")?;
        }
        return Ok(cursor.text_from(byte).to_string());
    }
    cursor.expect("(")?;
    let text = expression_text(cursor)?;
    cursor.expect(")")?;
    Ok(text)
}

/// An expression, as written.
pub(super) fn expression_text(cursor: &mut Cursor<'_>) -> SparkResult<String> {
    let byte = cursor.byte();
    expression(cursor)?;
    Ok(cursor.text_from(byte).to_string())
}

fn table_constraint_ahead(cursor: &Cursor<'_>) -> bool {
    cursor.word("CONSTRAINT")
        && cursor.is_name_at(1)
        && cursor.any_word_at(2, &["CHECK", "PRIMARY", "UNIQUE", "FOREIGN"])
        || cursor.words(&["PRIMARY", "KEY"])
        || cursor.words(&["FOREIGN", "KEY"])
        || cursor.any_word(&["UNIQUE", "CHECK"]) && cursor.is_at(1, "(")
}

fn column_constraint_ahead(cursor: &Cursor<'_>) -> bool {
    cursor.word("CONSTRAINT")
        || cursor.words(&["PRIMARY", "KEY"])
        || cursor.any_word(&["UNIQUE", "REFERENCES"])
        || cursor.word("CHECK")
}

/// A constraint; file tables enforce none, so only its shape is checked.
pub(super) fn constraint(cursor: &mut Cursor<'_>) -> SparkResult<()> {
    if cursor.eat_word("CONSTRAINT") {
        name::identifier(cursor)?;
    }
    if cursor.eat_word("CHECK") {
        cursor.expect("(")?;
        expression(cursor)?;
        cursor.expect(")")?;
    } else if cursor.eat_words(&["PRIMARY", "KEY"]) || cursor.eat_word("UNIQUE") {
        if cursor.is("(") {
            name::identifier_list(cursor)?;
        }
    } else if cursor.eat_words(&["FOREIGN", "KEY"]) {
        name::identifier_list(cursor)?;
        references(cursor)?;
    } else {
        references(cursor)?;
    }
    while cursor.eat_any(&["ENFORCED", "NORELY", "RELY"]) || cursor.eat_words(&["NOT", "ENFORCED"]) {}
    Ok(())
}

fn references(cursor: &mut Cursor<'_>) -> SparkResult<()> {
    cursor.expect_word("REFERENCES")?;
    name::multipart(cursor)?;
    if cursor.is("(") {
        name::identifier_list(cursor)?;
    }
    while cursor.any_word(&["MATCH", "ON"]) {
        cursor.next();
        cursor.eat_any(&["DELETE", "UPDATE"]);
        if !cursor.eat_words(&["NO", "ACTION"]) && !cursor.eat_words(&["SET", "NULL"]) {
            name::identifier(cursor)?;
        }
    }
    Ok(())
}

/// `FIRST` or `AFTER column`.
pub(super) fn column_position(cursor: &mut Cursor<'_>) -> SparkResult<Option<ColumnPosition>> {
    if cursor.eat_word("FIRST") {
        return Ok(Some(ColumnPosition::First));
    }
    if cursor.eat_word("AFTER") {
        return Ok(Some(ColumnPosition::After(name::identifier(cursor)?)));
    }
    Ok(None)
}
