//! Identifiers, qualified names and the `IDENTIFIER(...)` clause.

use firesteel_functions::SparkResult;

use super::cursor::Cursor;
use super::lexer::Kind;
use super::{ParseOptions, escape, expr};
use crate::spec::{Expr, ExprKind, Literal, ObjectName};

/// One identifier; any keyword will do.
pub(super) fn identifier(cursor: &mut Cursor<'_>) -> SparkResult<String> {
    if at_clause(cursor) {
        let position = cursor.position();
        let mut parts = clause(cursor)?;
        return match (parts.pop(), parts.is_empty()) {
            (Some(part), true) => Ok(part),
            _ => Err(cursor.error(
                "IDENTIFIER_TOO_MANY_NAME_PARTS",
                &[("identifier", &cursor.origin_text(position)), ("limit", "1")],
                position,
            )),
        };
    }
    let position = cursor.position();
    let byte = cursor.byte();
    let name = plain(cursor)?;
    // `a-b` without quotes is a common slip that Spark names.
    let hyphen = |cursor: &Cursor<'_>| cursor.is("-") && matches!(cursor.peek_at(1).kind, Kind::Word | Kind::Integer);
    if hyphen(cursor) {
        while hyphen(cursor) {
            cursor.next();
            cursor.next();
        }
        let ident = cursor.text_from(byte).to_string();
        return Err(cursor.error("INVALID_IDENTIFIER", &[("ident", &ident)], position));
    }
    Ok(name)
}

/// One identifier where `-` may follow, inside expressions.
pub(super) fn plain(cursor: &mut Cursor<'_>) -> SparkResult<String> {
    if !cursor.is_name() {
        return Err(cursor.unexpected());
    }
    let token = cursor.next();
    Ok(if token.kind == Kind::Word { token.text.to_string() } else { escape::identifier(token.text) })
}

/// `a.b.c`, or `IDENTIFIER(text)` with parts after it.
pub(super) fn multipart(cursor: &mut Cursor<'_>) -> SparkResult<ObjectName> {
    let mut parts = if at_clause(cursor) { clause(cursor)? } else { vec![identifier(cursor)?] };
    loop {
        if cursor.is(".") {
            cursor.next();
            parts.push(identifier(cursor)?);
        } else if cursor.peek().kind == Kind::Decimal && cursor.peek().text.starts_with('.') {
            // `.5` after a name is a lexer's view of `.` and the name `5`.
            return Err(cursor.unexpected());
        } else {
            return Ok(parts);
        }
    }
}

/// `(a, b)` of identifiers.
pub(super) fn identifier_list(cursor: &mut Cursor<'_>) -> SparkResult<Vec<String>> {
    cursor.parenthesized(identifier)
}

/// Whether `IDENTIFIER(` is here.
pub(super) fn at_clause(cursor: &Cursor<'_>) -> bool {
    cursor.word("IDENTIFIER") && cursor.is_at(1, "(")
}

/// `IDENTIFIER(expr)` where a name is needed now.
pub(super) fn clause(cursor: &mut Cursor<'_>) -> SparkResult<ObjectName> {
    let position = cursor.position();
    let expr = clause_expression(cursor)?;
    if let Some((sub, data_type)) = unsuitable(&expr) {
        let condition = format!("NOT_A_CONSTANT_STRING.{sub}");
        let text = cursor.origin_text(position);
        let text = text.split_once('(').map_or(text.as_str(), |(_, rest)| rest.trim_end_matches(')'));
        let parameters = [("name", "IDENTIFIER"), ("expr", text), ("dataType", data_type.as_str())];
        return Err(cursor.error(&condition, &parameters, position));
    }
    match resolve(&expr, cursor.options)? {
        Some(parts) => Ok(parts),
        None => Err(cursor.error(
            "NOT_A_CONSTANT_STRING.NOT_CONSTANT",
            &[("name", "IDENTIFIER"), ("expr", &format!("\"{}\"", cursor.origin_text(position)))],
            position,
        )),
    }
}

/// The expression inside `IDENTIFIER(...)`.
pub(super) fn clause_expression(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    cursor.expect_word("IDENTIFIER")?;
    cursor.expect("(")?;
    let expr = expr::expression(cursor)?;
    cursor.expect(")")?;
    Ok(expr)
}

/// The name an `IDENTIFIER` expression stands for, when that is known without a session.
pub(super) fn resolve(expr: &Expr, options: &ParseOptions) -> SparkResult<Option<ObjectName>> {
    let text = match constant(expr) {
        Some(text) => Some(text),
        None => match &options.identifiers {
            Some(source) => source.identifier(expr)?,
            None => None,
        },
    };
    text.map(|text| super::parse_multipart_identifier(&text)).transpose()
}

/// What is wrong with a literal that is no name.
fn unsuitable(expr: &Expr) -> Option<(&'static str, String)> {
    match expr.kind.as_ref() {
        ExprKind::Literal(Literal::String(_)) => None,
        ExprKind::Literal(Literal::Null(_)) => Some(("WRONG_TYPE", "void".to_string())),
        ExprKind::Literal(Literal::Integer(_)) => Some(("WRONG_TYPE", "int".to_string())),
        ExprKind::Literal(Literal::Boolean(_)) => Some(("WRONG_TYPE", "boolean".to_string())),
        ExprKind::Cast { expr, to, .. } if to.is_string() => {
            let null = matches!(expr.kind.as_ref(), ExprKind::Literal(Literal::Null(_)));
            null.then(|| ("NULL", to.simple_string()))
        }
        _ => None,
    }
}

fn constant(expr: &Expr) -> Option<String> {
    match expr.kind.as_ref() {
        ExprKind::Literal(Literal::String(text)) => Some(text.clone()),
        ExprKind::Function(f) if matches!(f.name.as_slice(), [n] if n == "||" || n.eq_ignore_ascii_case("concat")) => {
            f.args.iter().map(constant).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
        }
        _ => None,
    }
}

/// A property or configuration key: `a.b-c.d` or a string.
pub(super) fn property_key(cursor: &mut Cursor<'_>) -> SparkResult<String> {
    if cursor.is_string() {
        // The literal after it is the value, not more of the key.
        let token = cursor.next();
        return Ok(escape::string(&token, cursor.options.escaped_string_literals));
    }
    let mut parts = vec![plain(cursor)?];
    while cursor.eat(".") {
        parts.push(plain(cursor)?);
    }
    Ok(parts.join("."))
}
