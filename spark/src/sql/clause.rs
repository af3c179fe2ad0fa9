//! Clauses that several statements share: windows, options, properties, partitions, comments.

use firesteel_functions::SparkResult;

use super::cursor::Cursor;
use super::expr::{expression, window_spec};
use super::lexer::Kind;
use super::name;
use crate::spec::{Expr, ExprKind, Literal, Options, PartitionSpec, WindowSpec};

/// `WINDOW w AS (...), ...`; `w AS (base)` and `w AS base` are allowed.
pub(super) fn windows(cursor: &mut Cursor<'_>) -> SparkResult<Vec<(String, WindowSpec)>> {
    cursor.expect_word("WINDOW")?;
    cursor.list(|cursor| {
        let name = name::identifier(cursor)?;
        cursor.expect_word("AS")?;
        if cursor.is("(") {
            return Ok((name, window_spec(cursor)?));
        }
        let base = name::identifier(cursor)?;
        Ok((name, WindowSpec { base: Some(base), ..WindowSpec::default() }))
    })
}

/// `(key [=] value, ...)`, values as text.
pub(super) fn properties(cursor: &mut Cursor<'_>) -> SparkResult<Options> {
    let position = cursor.position();
    let mut options = Options::new();
    cursor.expect("(")?;
    loop {
        let key = name::property_key(cursor)?;
        cursor.eat("=");
        let value = property_value(cursor)?;
        if options.insert(key.clone(), value.unwrap_or_default()).is_some() {
            return Err(cursor.error("DUPLICATE_KEY", &[("keyColumn", &format!("`{key}`"))], position));
        }
        if !cursor.eat(",") {
            break;
        }
    }
    cursor.expect(")")?;
    Ok(options)
}

fn property_value(cursor: &mut Cursor<'_>) -> SparkResult<Option<String>> {
    if matches!(cursor.peek().text, "," | ")") {
        return Ok(None);
    }
    if cursor.is_string() && matches!(cursor.peek_at(1).text, "," | ")") {
        return cursor.string().map(Some);
    }
    if cursor.any_word(&["TRUE", "FALSE"]) {
        return Ok(Some(cursor.next().text.to_ascii_lowercase()));
    }
    let negative = cursor.is("-") && matches!(cursor.peek_at(1).kind, Kind::Integer | Kind::Decimal);
    if negative || matches!(cursor.peek().kind, Kind::Integer | Kind::Decimal) {
        let sign = if negative { cursor.next().text } else { "" };
        return Ok(Some(format!("{sign}{}", cursor.next().text)));
    }
    let position = cursor.position();
    let value = expression(cursor)?;
    constant_text(&value).map(Some).ok_or_else(|| {
        let text = format!("\"{}\"", cursor.origin_text(position));
        cursor.error("NOT_A_CONSTANT_STRING.NOT_CONSTANT", &[("name", "property"), ("expr", &text)], position)
    })
}

fn constant_text(expr: &Expr) -> Option<String> {
    match expr.kind.as_ref() {
        ExprKind::Literal(Literal::String(text)) => Some(text.clone()),
        ExprKind::Literal(Literal::Integer(value)) => Some(value.to_string()),
        ExprKind::Function(f) if f.name.first().is_some_and(|n| n == "||" || n.eq_ignore_ascii_case("concat")) => {
            f.args.iter().map(constant_text).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
        }
        _ => None,
    }
}

/// `('k1', 'k2')`.
pub(super) fn property_keys(cursor: &mut Cursor<'_>) -> SparkResult<Vec<String>> {
    cursor.parenthesized(|cursor| {
        let key = name::property_key(cursor)?;
        if cursor.eat("=") {
            cursor.string()?;
        }
        Ok(key)
    })
}

/// `PARTITION (a = 1, b)` when there is one.
pub(super) fn optional_partition(cursor: &mut Cursor<'_>) -> SparkResult<PartitionSpec> {
    if cursor.word("PARTITION") && cursor.is_at(1, "(") { partition(cursor) } else { Ok(vec![]) }
}

/// `PARTITION (a = 1, b)`.
pub(super) fn partition(cursor: &mut Cursor<'_>) -> SparkResult<PartitionSpec> {
    cursor.expect_word("PARTITION")?;
    let position = cursor.position();
    let spec: PartitionSpec = cursor.parenthesized(|cursor| {
        let name = name::identifier(cursor)?;
        let value = if cursor.eat("=") { Some(partition_value(cursor)?) } else { None };
        Ok((name, value))
    })?;
    for (at, (name, _)) in spec.iter().enumerate() {
        if spec.iter().take(at).any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            return Err(cursor.error("DUPLICATE_KEY", &[("keyColumn", &format!("`{name}`"))], position));
        }
    }
    Ok(spec)
}

fn partition_value(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    let position = cursor.position();
    if cursor.word("DEFAULT") && matches!(cursor.peek_at(1).text, "," | ")") {
        cursor.next();
        return Ok(cursor.node(ExprKind::Default, position));
    }
    expression(cursor)
}

/// `COMMENT 'text'` when there is one.
pub(super) fn comment(cursor: &mut Cursor<'_>) -> SparkResult<Option<String>> {
    if cursor.word("COMMENT") && cursor.is_string_at(1) {
        cursor.next();
        return cursor.string().map(Some);
    }
    Ok(None)
}

/// `IF NOT EXISTS`.
pub(super) fn if_not_exists(cursor: &mut Cursor<'_>) -> bool {
    cursor.eat_words(&["IF", "NOT", "EXISTS"])
}

/// `IF EXISTS`.
pub(super) fn if_exists(cursor: &mut Cursor<'_>) -> bool {
    cursor.eat_words(&["IF", "EXISTS"])
}
