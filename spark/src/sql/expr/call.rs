//! Function calls with their modifiers.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::{from, name};
use super::{datetime, expression, query_ahead, window};
use crate::spec::{Expr, ExprKind, Function, Subquery, WindowRef};

/// `a.b.f(...)`, or `None` when no call is here.
pub(super) fn call(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Option<Expr>> {
    if name::at_clause(cursor) {
        return identifier_clause(cursor, position).map(Some);
    }
    let mut ahead = 1;
    while cursor.is_at(ahead, ".") && cursor.is_name_at(ahead + 1) {
        ahead += 2;
    }
    if !cursor.is_at(ahead, "(") {
        return Ok(None);
    }
    let mut parts = vec![name::plain(cursor)?];
    while cursor.eat(".") {
        if name::at_clause(cursor) {
            let rest = name::clause(cursor)?;
            parts.extend(rest);
        } else {
            parts.push(name::plain(cursor)?);
        }
    }
    if !cursor.is("(") {
        return Ok(Some(cursor.node(ExprKind::Attribute { name: parts, plan_id: None, is_metadata: false }, position)));
    }
    if parts.len() == 1
        && let Some(expr) = datetime::call(cursor, parts.first().map_or("", String::as_str), position)?
    {
        return Ok(Some(expr));
    }
    after_name(cursor, parts, position).map(Some)
}

fn identifier_clause(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Expr> {
    let inner = name::clause_expression(cursor)?;
    let resolved = name::resolve(&inner, cursor.options)?;
    if cursor.is("(") {
        let Some(parts) = resolved else {
            let text = format!("\"{}\"", cursor.origin_text(position));
            let parameters = [("name", "IDENTIFIER"), ("expr", text.as_str())];
            return Err(cursor.error("NOT_A_CONSTANT_STRING.NOT_CONSTANT", &parameters, position));
        };
        return after_name(cursor, parts, position);
    }
    let kind = match resolved {
        Some(name) => ExprKind::Attribute { name, plan_id: None, is_metadata: false },
        None => ExprKind::IdentifierClause(inner),
    };
    Ok(cursor.node(kind, position))
}

/// The arguments and what follows them.
pub(super) fn after_name(cursor: &mut Cursor<'_>, parts: Vec<String>, position: usize) -> SparkResult<Expr> {
    cursor.expect("(")?;
    let mut function = Function::new(parts, vec![]);
    if !cursor.is(")") {
        if cursor.word("DISTINCT") && !ends_argument(cursor, 1) {
            cursor.next();
            function.distinct = true;
        } else if cursor.word("ALL") && !ends_argument(cursor, 1) {
            cursor.next();
        }
        // Only the fields of a struct may be given names with AS.
        let structure = matches!(function.name.as_slice(), [name] if name.eq_ignore_ascii_case("struct"));
        function.args = cursor.list(if structure { super::named_expression } else { argument })?;
    }
    if let Some(ignore) = nulls_treatment(cursor) {
        function.ignore_nulls = Some(ignore);
    }
    cursor.expect(")")?;
    modifiers(cursor, function, position)
}

fn ends_argument(cursor: &Cursor<'_>, ahead: usize) -> bool {
    matches!(cursor.peek_at(ahead).text, "," | ")" | "." | "=" | "=>" | "->")
}

fn nulls_treatment(cursor: &mut Cursor<'_>) -> Option<bool> {
    if cursor.eat_words(&["IGNORE", "NULLS"]) {
        Some(true)
    } else if cursor.eat_words(&["RESPECT", "NULLS"]) {
        Some(false)
    } else {
        None
    }
}

/// `WITHIN GROUP`, `FILTER`, null treatment and `OVER`.
pub(super) fn modifiers(cursor: &mut Cursor<'_>, mut function: Function, position: usize) -> SparkResult<Expr> {
    if cursor.words(&["WITHIN", "GROUP"]) {
        cursor.next();
        cursor.next();
        cursor.expect("(")?;
        cursor.expect_words(&["ORDER", "BY"])?;
        function.order_by = cursor.list(window::sort_item)?;
        cursor.expect(")")?;
    }
    if cursor.word("FILTER") && cursor.is_at(1, "(") {
        cursor.next();
        cursor.expect("(")?;
        cursor.expect_word("WHERE")?;
        function.filter = Some(expression(cursor)?);
        cursor.expect(")")?;
    }
    if let Some(ignore) = nulls_treatment(cursor) {
        function.ignore_nulls = Some(ignore);
    }
    let expr = cursor.node(ExprKind::Function(function), position);
    if !cursor.word("OVER") || !(cursor.is_at(1, "(") || cursor.is_name_at(1)) {
        return Ok(expr);
    }
    cursor.next();
    let window = if cursor.is("(") {
        WindowRef::Spec(cursor.nested(window::window_spec)?)
    } else {
        WindowRef::Named(name::identifier(cursor)?)
    };
    cursor.grow(1)?;
    Ok(cursor.node(ExprKind::Window { function: expr, window }, position))
}

/// One argument: by name, a table, or an expression.
pub(in crate::sql) fn argument(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    let position = cursor.position();
    if cursor.is_name() && cursor.is_at(1, "=>") {
        let name = name::plain(cursor)?;
        cursor.next();
        let value = argument(cursor)?;
        return Ok(cursor.node(ExprKind::NamedArgument { name, value }, position));
    }
    if cursor.word("TABLE") && (cursor.is_name_at(1) || cursor.is_at(1, "(")) {
        cursor.next();
        let table = cursor.nested(from::table_argument)?;
        return Ok(cursor.node(ExprKind::Subquery(Subquery::TableArgument(table)), position));
    }
    if !cursor.is("(") && query_ahead(cursor, 0) && cursor.any_word(&["SELECT"]) {
        return Err(cursor.unexpected());
    }
    expression(cursor)
}
