//! Expressions: precedence from `OR` down to the operators; predicates, operands and calls are in the files below.

mod call;
mod datetime;
mod literal;
mod operand;
mod predicate;
mod special;
mod subquery;
mod window;

pub(super) use call::argument;
pub(super) use subquery::query_ahead;
pub(super) use window::{direction, sort_item, window_spec};

use firesteel_functions::SparkResult;

use super::cursor::Cursor;
use super::name;
use crate::spec::{Expr, ExprKind};

/// A boolean expression, Spark's `expression`.
pub(super) fn expression(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    cursor.nested(disjunction)
}

/// `expression [AS] alias`, `expression AS (a, b)`.
pub(super) fn named_expression(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    let position = cursor.position();
    let expr = expression(cursor)?;
    let names = if cursor.eat_word("AS") {
        if cursor.is("(") { name::identifier_list(cursor)? } else { vec![name::identifier(cursor)?] }
    } else if cursor.is("(") && name_list_ahead(cursor) {
        name::identifier_list(cursor)?
    } else if implicit_alias_ahead(cursor) {
        vec![name::identifier(cursor)?]
    } else {
        return Ok(expr);
    };
    Ok(cursor.node(ExprKind::Alias { expr, names, metadata: None }, position))
}

/// Whether the word here is an alias without `AS` rather than the start of the next clause. Every keyword may be a name, so
/// a clause word is one when what follows cannot continue the clause.
fn implicit_alias_ahead(cursor: &Cursor<'_>) -> bool {
    if !cursor.is_name() {
        return false;
    }
    let after = cursor.peek_at(1);
    let ends = after.kind == super::lexer::Kind::End || matches!(after.text, "," | ")" | ";" | "]");
    if ends {
        return true;
    }
    if cursor.any_word(&["GROUP", "ORDER", "CLUSTER", "DISTRIBUTE", "SORT", "PARTITION"]) {
        return !cursor.word_at(1, "BY");
    }
    if cursor.any_word(&["INSERT"]) {
        return !cursor.any_word_at(1, &["INTO", "OVERWRITE"]);
    }
    if cursor.any_word(&["PIVOT", "UNPIVOT", "TABLESAMPLE"]) {
        return !cursor.is_at(1, "(") && !cursor.any_word_at(1, &["INCLUDE", "EXCLUDE"]);
    }
    if cursor.word("LATERAL") {
        return !cursor.word_at(1, "VIEW");
    }
    !cursor.any_word(&[
        "FROM",
        "WHERE",
        "HAVING",
        "LIMIT",
        "OFFSET",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "MINUS",
        "WINDOW",
        "QUALIFY",
        "AS",
    ])
}

/// `(a, b)` of plain names only.
fn name_list_ahead(cursor: &Cursor<'_>) -> bool {
    let mut ahead = 1;
    loop {
        if !cursor.is_name_at(ahead) {
            return false;
        }
        if cursor.is_at(ahead + 1, ")") {
            return true;
        }
        if !cursor.is_at(ahead + 1, ",") {
            return false;
        }
        ahead += 2;
    }
}

fn disjunction(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    let position = cursor.position();
    let mut terms = vec![cursor.beside(conjunction)?];
    while cursor.eat_word("OR") {
        terms.push(cursor.beside(conjunction)?);
    }
    balanced(cursor, "or", terms, position)
}

fn conjunction(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    let position = cursor.position();
    let mut terms = vec![cursor.beside(negation)?];
    while cursor.eat_word("AND") {
        terms.push(cursor.beside(negation)?);
    }
    balanced(cursor, "and", terms, position)
}

fn negation(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    let position = cursor.position();
    let not = (cursor.word("NOT") || cursor.is("!")) && operand_follows(cursor);
    if not {
        cursor.next();
        let inner = cursor.nested(negation)?;
        return Ok(cursor.call("not", vec![inner], position));
    }
    predicate::predicate(cursor)
}

/// Whether something that can be negated follows; otherwise `not` is a name.
fn operand_follows(cursor: &Cursor<'_>) -> bool {
    let after = cursor.peek_at(1);
    after.kind != super::lexer::Kind::End
        && (!matches!(after.text, "," | ")" | ";" | "." | "=" | "]") || cursor.is("!"))
}

/// Long chains of `AND` and `OR` become trees of logarithmic height; they may be regrouped freely.
fn balanced(cursor: &mut Cursor<'_>, name: &str, mut terms: Vec<Expr>, position: usize) -> SparkResult<Expr> {
    // Short chains keep the shape they were written in, which is the one that is displayed.
    let short = 32;
    if terms.len() > 1 {
        let levels = if terms.len() <= short { terms.len() } else { short + usize::BITS as usize };
        cursor.grow(u32::try_from(levels).unwrap_or(u32::MAX))?;
    }
    while terms.len() > short {
        let mut pairs = Vec::with_capacity(terms.len() / 2 + 1);
        let mut rest = terms.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => join(cursor, name, left, right, position),
                None => left,
            });
        }
        terms = pairs;
    }
    let mut terms = terms.into_iter();
    let Some(first) = terms.next() else { return Err(cursor.unexpected()) };
    Ok(terms.fold(first, |left, right| join(cursor, name, left, right, position)))
}

fn join(cursor: &Cursor<'_>, name: &str, left: Expr, right: Expr, position: usize) -> Expr {
    Expr::call(name, vec![left, right]).at(cursor.origin(position))
}

/// Binding strengths of binary operators, weakest first.
fn strength(cursor: &Cursor<'_>) -> Option<(u8, &'static str)> {
    let token = cursor.peek();
    if token.kind == super::lexer::Kind::Word {
        return token.text.eq_ignore_ascii_case("DIV").then_some((7, "div"));
    }
    if token.kind != super::lexer::Kind::Symbol {
        return None;
    }
    Some(match token.text {
        "=" => (1, "="),
        "==" => (1, "=="),
        "<=>" => (1, "<=>"),
        "<>" => (1, "<>"),
        "!=" => (1, "!="),
        "<" => (1, "<"),
        "<=" | "!>" => (1, "<="),
        ">" => (1, ">"),
        ">=" | "!<" => (1, ">="),
        "|" => (2, "|"),
        "^" => (3, "^"),
        "&" => (4, "&"),
        "<<" => (5, "<<"),
        ">>" => (5, ">>"),
        ">>>" => (5, ">>>"),
        "+" => (6, "+"),
        "-" => (6, "-"),
        "||" => (6, "||"),
        "*" => (7, "*"),
        "/" => (7, "/"),
        "%" => (7, "%"),
        _ => return None,
    })
}

/// An expression of operators without predicates or boolean connectives, Spark's `valueExpression`.
pub(super) fn value(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    operators(cursor, 1)
}

fn operators(cursor: &mut Cursor<'_>, minimum: u8) -> SparkResult<Expr> {
    let position = cursor.position();
    let mut left = unary(cursor)?;
    while let Some((binding, name)) = strength(cursor) {
        if binding < minimum {
            break;
        }
        if name == "div" && matches!(cursor.peek_at(1).text, "," | ")" | "" | ";") {
            break;
        }
        cursor.next();
        let right = cursor.nested(|cursor| operators(cursor, binding + 1))?;
        cursor.grow(1)?;
        left = cursor.call(name, vec![left, right], position);
    }
    Ok(left)
}

fn unary(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    let position = cursor.position();
    let name = match cursor.peek().text {
        "-" if cursor.is("-") => "-",
        "+" if cursor.is("+") => "positive",
        "~" if cursor.is("~") => "~",
        _ => return operand::operand(cursor),
    };
    cursor.next();
    if name == "-" && literal::number_ahead(cursor) {
        return operand::after_minus(cursor, position);
    }
    let inner = cursor.nested(unary)?;
    Ok(cursor.call(name, vec![inner], position))
}
