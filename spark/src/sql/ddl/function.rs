//! `CREATE FUNCTION`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::expr::{expression, query_ahead};
use super::super::{clause, name, query, types};
use super::column;
use crate::spec::{ColumnDefinition, Command, CreateFunction, ExprKind, FunctionBody, Subquery};

/// From the word `FUNCTION` on.
pub(super) fn create(cursor: &mut Cursor<'_>, replace: bool, temporary: bool) -> SparkResult<Command> {
    cursor.expect_word("FUNCTION")?;
    let if_not_exists = clause::if_not_exists(cursor);
    let name = name::multipart(cursor)?;
    let mut function = CreateFunction {
        name,
        temporary,
        replace,
        if_not_exists,
        params: vec![],
        returns: None,
        returns_table: None,
        body: None,
        class_name: None,
        comment: None,
        deterministic: None,
        language: None,
    };
    if cursor.word("AS") && cursor.is_string_at(1) {
        cursor.next();
        function.class_name = Some(cursor.string()?);
        using(cursor)?;
        return Ok(Command::CreateFunction(Box::new(function)));
    }
    cursor.expect("(")?;
    if !cursor.is(")") {
        function.params = cursor.list(parameter)?;
    }
    cursor.expect(")")?;
    if cursor.eat_word("RETURNS") {
        returns(cursor, &mut function)?;
    }
    characteristics(cursor, &mut function)?;
    body(cursor, &mut function)?;
    Ok(Command::CreateFunction(Box::new(function)))
}

fn using(cursor: &mut Cursor<'_>) -> SparkResult<()> {
    if cursor.eat_word("USING") {
        cursor.list(|cursor| {
            name::identifier(cursor)?;
            cursor.string()
        })?;
    }
    Ok(())
}

fn parameter(cursor: &mut Cursor<'_>) -> SparkResult<ColumnDefinition> {
    let position = cursor.position();
    let parsed = column::definition(cursor)?;
    if parsed.has_generated {
        return Err(cursor.error("INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_GENERATED_COLUMNS_AS_PARAMETERS", &[], position));
    }
    if parsed.has_constraint {
        return Err(cursor.error("INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_COLUMN_CONSTRAINTS", &[], position));
    }
    if parsed.has_not_null {
        let input = cursor.origin_text(position);
        let condition = "USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS";
        return Err(cursor.error(condition, &[("input", &input)], position));
    }
    Ok(parsed.column)
}

fn returns(cursor: &mut Cursor<'_>, function: &mut CreateFunction) -> SparkResult<()> {
    if !cursor.word("TABLE") {
        function.returns = Some(types::data_type(cursor)?);
        return Ok(());
    }
    cursor.next();
    let mut columns = vec![];
    if cursor.eat("(") {
        columns = cursor.list(|cursor| {
            let name = name::identifier(cursor)?;
            let data_type = types::data_type(cursor)?;
            let nullable = !cursor.eat_words(&["NOT", "NULL"]);
            let comment = clause::comment(cursor)?;
            Ok(ColumnDefinition { name, data_type, nullable, comment, default: None, generated: None })
        })?;
        cursor.expect(")")?;
    }
    function.returns_table = Some(columns);
    Ok(())
}

fn characteristics(cursor: &mut Cursor<'_>, function: &mut CreateFunction) -> SparkResult<()> {
    loop {
        if cursor.eat_word("LANGUAGE") {
            function.language = Some(name::identifier(cursor)?.to_ascii_uppercase());
        } else if cursor.eat_word("DETERMINISTIC") {
            function.deterministic = Some(true);
        } else if cursor.eat_words(&["NOT", "DETERMINISTIC"]) {
            function.deterministic = Some(false);
        } else if let Some(comment) = clause::comment(cursor)? {
            function.comment = Some(comment);
        } else if cursor.eat_words(&["CONTAINS", "SQL"])
            || cursor.eat_words(&["READS", "SQL", "DATA"])
            || cursor.eat_words(&["SQL", "SECURITY", "DEFINER"])
            || cursor.eat_words(&["SQL", "SECURITY", "INVOKER"])
        {
            // Checked by nothing: a function has its caller's rights.
        } else {
            return Ok(());
        }
    }
}

fn body(cursor: &mut Cursor<'_>, function: &mut CreateFunction) -> SparkResult<()> {
    if cursor.word("AS") && cursor.is_string_at(1) {
        cursor.next();
        function.class_name = Some(cursor.string()?);
        return using(cursor);
    }
    if !cursor.eat_word("RETURN") {
        return Err(cursor.unexpected());
    }
    let byte = cursor.byte();
    if !cursor.is("(") && query_ahead(cursor, 0) {
        let query = query::query(cursor)?;
        function.body = Some(FunctionBody::Query(query, cursor.text_from(byte).to_string()));
        return Ok(());
    }
    let expr = expression(cursor)?;
    let text = cursor.text_from(byte).to_string();
    let table = function.returns_table.is_some();
    function.body = Some(match *expr.kind {
        ExprKind::Subquery(Subquery::Scalar(query)) if table => FunctionBody::Query(query, text),
        kind => FunctionBody::Expr(crate::spec::Expr { kind: Box::new(kind), origin: expr.origin }, text),
    });
    Ok(())
}
