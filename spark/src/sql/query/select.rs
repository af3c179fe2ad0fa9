//! `SELECT` blocks, also those that begin with `FROM`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::expr::{expression, named_expression};
use super::super::{clause, from, name};
use super::group;
use crate::spec::{Expr, ExprKind, Relation, RelationKind, Select, WindowSpec};

/// `SELECT ... FROM ...` or `FROM ... [SELECT ...]`.
pub(super) fn block(cursor: &mut Cursor<'_>) -> SparkResult<Relation> {
    let position = cursor.position();
    if cursor.word("FROM") {
        let input = from::clause(cursor)?;
        if cursor.any_word(&["MAP", "REDUCE"]) || cursor.word("SELECT") && transform_ahead(cursor) {
            return unsupported(cursor, "TRANSFORM", position);
        }
        return if cursor.word("SELECT") { select(cursor, Some(input), position) } else { Ok(input) };
    }
    if !cursor.word("SELECT") || transform_ahead(cursor) {
        return unsupported(cursor, "TRANSFORM", position);
    }
    select(cursor, None, position)
}

fn transform_ahead(cursor: &Cursor<'_>) -> bool {
    cursor.word_at(1, "TRANSFORM") && cursor.is_at(2, "(") && {
        let (mut depth, mut at) = (0_usize, 2);
        loop {
            match cursor.peek_at(at).text {
                "" => return false,
                "(" => depth += 1,
                ")" if depth == 1 => break,
                ")" => depth -= 1,
                _ => {}
            }
            at += 1;
        }
        cursor.word_at(at + 1, "USING") || cursor.any_word_at(at + 1, &["ROW", "RECORDWRITER"])
    }
}

/// A relation that analysis refuses by name; the rest of the statement is skipped.
fn unsupported(cursor: &mut Cursor<'_>, feature: &str, position: usize) -> SparkResult<Relation> {
    cursor.take_rest();
    Ok(cursor.relation(RelationKind::Unsupported(feature.to_string()), position))
}

pub(super) fn select(cursor: &mut Cursor<'_>, first_from: Option<Relation>, position: usize) -> SparkResult<Relation> {
    cursor.expect_word("SELECT")?;
    let hints = hints(cursor)?;
    let distinct = set_quantifier(cursor);
    let projection = cursor.list(named_expression)?;
    let mut input = match first_from {
        Some(input) => input,
        None if cursor.word("FROM") => from::clause(cursor)?,
        None => RelationKind::OneRow.into(),
    };
    input = from::lateral_views(cursor, input, position)?;
    if cursor.eat_word("WHERE") {
        let condition = expression(cursor)?;
        input = cursor.relation(RelationKind::Filter { input, condition }, position);
    }
    let group_by = group::group_by(cursor, expression)?;
    let having = if cursor.eat_word("HAVING") { Some(expression(cursor)?) } else { None };
    let mut qualify = qualify(cursor)?;
    let windows = if cursor.word("WINDOW") && cursor.is_name_at(1) { clause::windows(cursor)? } else { vec![] };
    if qualify.is_none() {
        qualify = self::qualify(cursor)?;
    }
    cursor.grow(2)?;
    let select = Select { input, projection, distinct, group_by, having, windows, qualify };
    let relation = cursor.relation(RelationKind::Select(Box::new(select)), position);
    Ok(with_hints(cursor, relation, hints, position))
}

fn qualify(cursor: &mut Cursor<'_>) -> SparkResult<Option<Expr>> {
    if cursor.eat_word("QUALIFY") { expression(cursor).map(Some) } else { Ok(None) }
}

/// `DISTINCT` or `ALL`; either may also be the name of a column.
pub(super) fn set_quantifier(cursor: &mut Cursor<'_>) -> bool {
    let name = matches!(cursor.peek_at(1).text, "," | "." | ")" | "" | ";") || cursor.any_word_at(1, &["FROM", "AS"]);
    if name {
        return false;
    }
    let distinct = cursor.eat_word("DISTINCT");
    if !distinct {
        cursor.eat_word("ALL");
    }
    distinct
}

/// Puts hints on top; the first one written is the outermost.
pub(super) fn with_hints(
    cursor: &Cursor<'_>,
    input: Relation,
    hints: Vec<(String, Vec<Expr>)>,
    position: usize,
) -> Relation {
    let hinted = hints.into_iter().rev();
    hinted.fold(input, |input, (name, args)| cursor.relation(RelationKind::Hint { input, name, args }, position))
}

/// `/*+ a(x), b */`, any number of them.
pub(in crate::sql) fn hints(cursor: &mut Cursor<'_>) -> SparkResult<Vec<(String, Vec<Expr>)>> {
    let mut hints = vec![];
    while cursor.eat("/*+") {
        loop {
            let name = name::identifier(cursor)?;
            let mut args = vec![];
            if cursor.eat("(") {
                if !cursor.is(")") {
                    args = cursor.list(expression)?;
                }
                cursor.expect(")")?;
            }
            hints.push((name, args));
            cursor.eat(",");
            if cursor.eat("*/") {
                break;
            }
        }
    }
    cursor.grow(u32::try_from(hints.len()).unwrap_or(u32::MAX))?;
    Ok(hints)
}

/// Adds window definitions written after `ORDER BY` to the block they belong to; `false` when there is none.
pub(super) fn add_windows(relation: &mut Relation, windows: Vec<(String, WindowSpec)>) -> bool {
    match relation.kind.as_mut() {
        RelationKind::Select(select) => {
            select.windows.extend(windows);
            true
        }
        RelationKind::Sort { input, .. }
        | RelationKind::RepartitionBy { input, .. }
        | RelationKind::Hint { input, .. } => add_windows(input, windows),
        _ => false,
    }
}

/// `SELECT *` over a relation, with these expressions after the star.
pub(super) fn extended(
    cursor: &Cursor<'_>,
    input: Relation,
    star: ExprKind,
    more: Vec<Expr>,
    position: usize,
) -> Relation {
    let mut projection = vec![star.into()];
    projection.extend(more);
    let select =
        Select { input, projection, distinct: false, group_by: None, having: None, windows: vec![], qualify: None };
    cursor.relation(RelationKind::Select(Box::new(select)), position)
}
