//! Expressions with a grammar of their own: `CASE`, `CAST`, `EXTRACT`, `TRIM`, `SUBSTRING`, `OVERLAY`, `POSITION`, variant paths.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::{name, types};
use super::{call, expression, value};
use crate::spec::{CastMode, Expr, ExprKind, Function, Literal};

/// The expression that begins with the word here, or `None` when it is an ordinary name.
pub(super) fn special(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Option<Expr>> {
    let upper = cursor.peek().text.to_ascii_uppercase();
    if upper == "CASE" {
        return if case_ahead(cursor) { case(cursor, position).map(Some) } else { Ok(None) };
    }
    if upper == "DEFAULT" && matches!(cursor.peek_at(1).text, "," | ")" | "" | ";") {
        cursor.next();
        return Ok(Some(cursor.node(ExprKind::Default, position)));
    }
    if !cursor.is_at(1, "(") {
        return Ok(None);
    }
    match upper.as_str() {
        "CAST" => cast(cursor, CastMode::Session, position).map(Some),
        "TRY_CAST" => cast(cursor, CastMode::Try, position).map(Some),
        "EXTRACT" => extract(cursor, position),
        "TRIM" => trim(cursor, position),
        "SUBSTRING" | "SUBSTR" => substring(cursor, &upper, position),
        "OVERLAY" => overlay(cursor, position),
        "POSITION" => position_of(cursor, position),
        "FIRST" | "LAST" | "ANY_VALUE" => nulls_inside(cursor, position).map(Some),
        _ => Ok(None),
    }
}

fn case_ahead(cursor: &Cursor<'_>) -> bool {
    !matches!(cursor.peek_at(1).text, "," | ")" | "." | "" | ";" | "=" | "]" | "->")
        && !cursor.any_word_at(1, &["FROM", "AS"])
}

fn case(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Expr> {
    cursor.next();
    let mark = cursor.mark();
    let operand = if cursor.word("WHEN") { None } else { Some(expression(cursor)?) };
    let operand_size = cursor.size_since(mark);
    let mut args = vec![];
    while cursor.eat_word("WHEN") {
        let when_position = cursor.position();
        let condition = expression(cursor)?;
        args.push(match &operand {
            Some(operand) => {
                cursor.copy(operand_size)?;
                let args = vec![operand.clone(), condition];
                cursor.call("=", args, when_position)
            }
            None => condition,
        });
        cursor.expect_word("THEN")?;
        args.push(expression(cursor)?);
    }
    if args.is_empty() {
        return Err(cursor.unexpected());
    }
    if cursor.eat_word("ELSE") {
        args.push(expression(cursor)?);
    }
    cursor.expect_word("END")?;
    cursor.grow(2)?;
    Ok(cursor.call("when", args, position))
}

fn cast(cursor: &mut Cursor<'_>, mode: CastMode, position: usize) -> SparkResult<Expr> {
    cursor.next();
    cursor.expect("(")?;
    let expr = expression(cursor)?;
    cursor.expect_word("AS")?;
    let to = types::data_type(cursor)?;
    cursor.expect(")")?;
    Ok(cursor.node(ExprKind::Cast { expr, to, mode }, position))
}

fn string_literal(cursor: &Cursor<'_>, text: String, position: usize) -> Expr {
    cursor.node(ExprKind::Literal(Literal::String(text)), position)
}

fn extract(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Option<Expr>> {
    if !(cursor.is_name_at(2) || cursor.is_string_at(2)) || !cursor.word_at(3, "FROM") {
        return Ok(None);
    }
    cursor.next();
    cursor.expect("(")?;
    let field_position = cursor.position();
    let field = if cursor.is_string() { cursor.string()? } else { name::plain(cursor)? };
    let field = string_literal(cursor, field, field_position);
    cursor.expect_word("FROM")?;
    let source = value(cursor)?;
    cursor.expect(")")?;
    Ok(Some(cursor.call("extract", vec![field, source], position)))
}

fn trim(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Option<Expr>> {
    let start = cursor.position();
    cursor.next();
    cursor.expect("(")?;
    let sided =
        cursor.any_word(&["BOTH", "LEADING", "TRAILING"]) && !matches!(cursor.peek_at(1).text, "," | ")" | "." | "(");
    let name = if sided {
        match cursor.next().text.to_ascii_uppercase().as_str() {
            "LEADING" => "trim_leading",
            "TRAILING" => "trim_trailing",
            _ => "trim_both",
        }
    } else {
        "trim_both"
    };
    if sided && cursor.eat_word("FROM") {
        let source = value(cursor)?;
        cursor.expect(")")?;
        return Ok(Some(cursor.call(name, vec![source], position)));
    }
    if cursor.is(")") {
        cursor.rewind(start);
        return Ok(None);
    }
    let characters = value(cursor)?;
    if cursor.eat_word("FROM") {
        let source = value(cursor)?;
        cursor.expect(")")?;
        return Ok(Some(cursor.call(name, vec![source, characters], position)));
    }
    if sided {
        return Err(cursor.unexpected());
    }
    rest_of_call(cursor, "trim", characters, position).map(Some)
}

/// `f(first, ...)` whose name and first operand were taken.
fn rest_of_call(cursor: &mut Cursor<'_>, name: &str, first: Expr, position: usize) -> SparkResult<Expr> {
    let mut args = vec![first];
    while cursor.eat(",") {
        args.push(call::argument(cursor)?);
    }
    cursor.expect(")")?;
    call::modifiers(cursor, Function::new(vec![name.to_string()], args), position)
}

fn substring(cursor: &mut Cursor<'_>, upper: &str, position: usize) -> SparkResult<Option<Expr>> {
    if cursor.is_at(2, ")") || cursor.is_at(3, "=>") {
        return Ok(None);
    }
    let name = upper.to_ascii_lowercase();
    cursor.next();
    cursor.expect("(")?;
    let source = expression(cursor)?;
    if !cursor.eat_word("FROM") {
        return rest_of_call(cursor, &name, source, position).map(Some);
    }
    let mut args = vec![source, value(cursor)?];
    if cursor.eat_word("FOR") {
        args.push(value(cursor)?);
    }
    cursor.expect(")")?;
    // Written this way it is always called by its long name.
    Ok(Some(cursor.call("substring", args, position)))
}

fn overlay(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Option<Expr>> {
    if cursor.is_at(2, ")") || cursor.is_at(3, "=>") {
        return Ok(None);
    }
    cursor.next();
    cursor.expect("(")?;
    let input = expression(cursor)?;
    if !cursor.eat_word("PLACING") {
        return rest_of_call(cursor, "overlay", input, position).map(Some);
    }
    let mut args = vec![input, value(cursor)?];
    cursor.expect_word("FROM")?;
    args.push(value(cursor)?);
    if cursor.eat_word("FOR") {
        args.push(value(cursor)?);
    }
    cursor.expect(")")?;
    Ok(Some(cursor.call("overlay", args, position)))
}

fn position_of(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Option<Expr>> {
    if cursor.is_at(2, ")") || cursor.is_at(3, "=>") {
        return Ok(None);
    }
    cursor.next();
    cursor.expect("(")?;
    // `IN` separates here, so the first operand is a plain value.
    let needle = value(cursor)?;
    if cursor.eat_word("IN") {
        let source = value(cursor)?;
        cursor.expect(")")?;
        return Ok(Some(cursor.call("locate", vec![needle, source], position)));
    }
    rest_of_call(cursor, "position", needle, position).map(Some)
}

/// `first(x IGNORE NULLS)`: an ordinary call, whose argument list takes the words.
fn nulls_inside(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Expr> {
    let name = name::plain(cursor)?;
    call::after_name(cursor, vec![name], position)
}

/// `v:a.b[0]`, a path into a variant, after its colon: `variant_get(v, '$.a.b[0]')` without a type.
pub(super) fn variant_path(cursor: &mut Cursor<'_>, input: Expr, position: usize) -> SparkResult<Expr> {
    let start = cursor.byte();
    let path_position = cursor.position();
    if !cursor.is("[") {
        name::plain(cursor)?;
    }
    loop {
        if cursor.is(".") && cursor.is_name_at(1) {
            cursor.next();
            cursor.next();
        } else if cursor.is("[") {
            cursor.next();
            if cursor.is("*") || cursor.is_string() || cursor.peek().kind == super::super::lexer::Kind::Integer {
                cursor.next();
            } else {
                return Err(cursor.unexpected());
            }
            cursor.expect("]")?;
        } else {
            break;
        }
    }
    let text = cursor.text_from(start).to_string();
    let path = string_literal(cursor, text, path_position);
    Ok(cursor.call("semi_structured_extract", vec![input, path], position))
}
