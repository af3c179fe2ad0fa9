//! What may follow a value: `IS`, `IN`, `LIKE`, `BETWEEN` and their kin.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::{expression, query_ahead, subquery, value};
use crate::spec::{Expr, ExprKind, Literal, Subquery};

const LIKE_WORDS: [&str; 4] = ["LIKE", "ILIKE", "RLIKE", "REGEXP"];

/// A value and at most one predicate about it.
pub(super) fn predicate(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    let position = cursor.position();
    if cursor.word("EXISTS") && cursor.is_at(1, "(") && query_ahead(cursor, 2) {
        cursor.next();
        let query = subquery::parenthesized(cursor)?;
        return Ok(cursor.node(ExprKind::Subquery(Subquery::Exists(query)), position));
    }
    let mark = cursor.mark();
    let left = value(cursor)?;
    let not_at = usize::from(cursor.word("NOT") || cursor.is("!"));
    let known = cursor.any_word_at(not_at, &LIKE_WORDS) || cursor.any_word_at(not_at, &["BETWEEN", "IN"]);
    let list_follows = !cursor.word_at(not_at, "IN") || cursor.is_at(not_at + 1, "(");
    if known && list_follows && !alias_like(cursor, not_at) {
        if not_at == 1 {
            cursor.next();
        }
        let inner = body(cursor, left, mark, position)?;
        return Ok(if not_at == 1 { cursor.call("not", vec![inner], position) } else { inner });
    }
    let tests = ["NOT", "NULL", "TRUE", "FALSE", "UNKNOWN", "DISTINCT"];
    if cursor.word("IS") && (cursor.any_word_at(1, &tests) || cursor.is_at(1, "!")) {
        cursor.next();
        return is(cursor, left, position);
    }
    Ok(left)
}

/// A predicate word used as an alias: `select 1 like, 2`.
fn alias_like(cursor: &Cursor<'_>, at: usize) -> bool {
    at == 0 && (matches!(cursor.peek_at(1).text, "," | ")" | "" | ";") || cursor.word_at(1, "FROM"))
}

fn body(cursor: &mut Cursor<'_>, left: Expr, mark: (usize, u64), position: usize) -> SparkResult<Expr> {
    if cursor.eat_word("BETWEEN") {
        return between(cursor, left, mark, position);
    }
    if cursor.eat_word("IN") {
        return within(cursor, left, position);
    }
    like(cursor, left, position)
}

fn between(cursor: &mut Cursor<'_>, left: Expr, mark: (usize, u64), position: usize) -> SparkResult<Expr> {
    let symmetric = cursor.word("SYMMETRIC") && !cursor.word_at(1, "AND");
    if symmetric || cursor.word("ASYMMETRIC") && !cursor.word_at(1, "AND") {
        cursor.next();
    }
    let lower = value(cursor)?;
    cursor.expect_word("AND")?;
    let upper = value(cursor)?;
    if !symmetric {
        return Ok(cursor.call("between", vec![left, lower, upper], position));
    }
    let size = cursor.size_since(mark);
    cursor.copy(size)?;
    let forward = cursor.call("between", vec![left.clone(), lower.clone(), upper.clone()], position);
    let backward = cursor.call("between", vec![left, upper, lower], position);
    cursor.grow(1)?;
    Ok(cursor.call("or", vec![forward, backward], position))
}

fn within(cursor: &mut Cursor<'_>, left: Expr, position: usize) -> SparkResult<Expr> {
    if query_ahead(cursor, 1) {
        let open = cursor.position();
        cursor.expect("(")?;
        // `((SELECT 1), 2)` is a list that begins with a scalar subquery.
        if !cursor.is("(") {
            let query = super::super::query::query(cursor)?;
            cursor.expect(")")?;
            return Ok(in_query(cursor, left, query, position));
        }
        cursor.rewind(open);
    }
    cursor.expect("(")?;
    let mut items = vec![left];
    items.extend(cursor.list(expression)?);
    cursor.expect(")")?;
    // `x IN ((SELECT ...))` is a membership test as well.
    let single = matches!(items.as_slice(), [_, Expr { kind, .. }] if matches!(kind.as_ref(), ExprKind::Subquery(Subquery::Scalar(_))));
    if single && let (Some(last), Some(left)) = (items.pop(), items.pop()) {
        return Ok(match *last.kind {
            ExprKind::Subquery(Subquery::Scalar(query)) => in_query(cursor, left, query, position),
            kind => cursor.call("in", vec![left, Expr { kind: Box::new(kind), origin: last.origin }], position),
        });
    }
    Ok(cursor.call("in", items, position))
}

fn in_query(cursor: &Cursor<'_>, left: Expr, query: crate::spec::Relation, position: usize) -> Expr {
    let values = match *left.kind {
        ExprKind::Row(values) => values,
        kind => vec![Expr { kind: Box::new(kind), origin: left.origin }],
    };
    cursor.node(ExprKind::Subquery(Subquery::In { values, query }), position)
}

fn like(cursor: &mut Cursor<'_>, left: Expr, position: usize) -> SparkResult<Expr> {
    let token = cursor.next();
    let name = if token.text.eq_ignore_ascii_case("REGEXP") { "rlike".to_string() } else { token.text.to_lowercase() };
    if name != "rlike" && cursor.any_word(&["ANY", "SOME", "ALL"]) && cursor.is_at(1, "(") {
        let all = cursor.next().text.eq_ignore_ascii_case("ALL");
        if cursor.is("(") && cursor.is_at(1, ")") {
            cursor.next();
            cursor.next();
            return Err(cursor.error("INVALID_SQL_SYNTAX.EMPTY_QUANTIFIED_PATTERN", &[], position));
        }
        let mut args = vec![left];
        args.extend(cursor.parenthesized(expression)?);
        let name = format!("{name}_{}", if all { "all" } else { "any" });
        return Ok(cursor.call(&name, args, position));
    }
    let pattern = value(cursor)?;
    let mut args = vec![left, pattern];
    if name != "rlike" && cursor.eat_word("ESCAPE") {
        let escape_position = cursor.position();
        let escape = cursor.string()?;
        if escape.chars().count() != 1 {
            return Err(cursor.error("INVALID_ESCAPE_CHAR", &[("sqlExpr", &format!("\"{escape}\""))], escape_position));
        }
        args.push(cursor.node(ExprKind::Literal(Literal::String(escape)), escape_position));
    }
    Ok(cursor.call(&name, args, position))
}

fn is(cursor: &mut Cursor<'_>, left: Expr, position: usize) -> SparkResult<Expr> {
    let not = cursor.eat_word("NOT") || cursor.eat("!");
    if cursor.eat_words(&["DISTINCT", "FROM"]) {
        let right = value(cursor)?;
        let same = cursor.call("<=>", vec![left, right], position);
        return Ok(if not { same } else { cursor.call("not", vec![same], position) });
    }
    let word = cursor.peek().text.to_ascii_uppercase();
    let (name, negated) = match word.as_str() {
        "NULL" | "UNKNOWN" => (if not { "isnotnull" } else { "isnull" }, false),
        "TRUE" => ("istrue", not),
        "FALSE" => ("isfalse", not),
        _ => return Err(cursor.unexpected()),
    };
    cursor.next();
    let test = cursor.call(name, vec![left], position);
    Ok(if negated { cursor.call("not", vec![test], position) } else { test })
}
