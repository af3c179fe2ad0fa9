//! Queries: `WITH`, set operations, pipes and what organises the result (`ORDER BY`, `LIMIT`, ...).

mod group;
mod pipe;
mod select;

use firesteel_functions::SparkResult;

use super::cursor::Cursor;
use super::expr::{expression, query_ahead, sort_item};
use super::{clause, from, name};
use crate::spec::{Cte, Expr, ExprKind, Literal, ObjectName, Options, Relation, RelationKind, SetOperator};

/// A whole query.
pub(super) fn query(cursor: &mut Cursor<'_>) -> SparkResult<Relation> {
    cursor.nested(|cursor| {
        let position = cursor.position();
        if cursor.word("WITH") && cursor.is_name_at(1) {
            let (recursive, ctes) = with(cursor)?;
            return after_with(cursor, recursive, ctes, position);
        }
        body(cursor)
    })
}

/// The query after its common table expressions.
pub(super) fn after_with(
    cursor: &mut Cursor<'_>,
    recursive: bool,
    ctes: Vec<Cte>,
    position: usize,
) -> SparkResult<Relation> {
    let input = body(cursor)?;
    Ok(cursor.relation(RelationKind::With { ctes, recursive, input }, position))
}

fn body(cursor: &mut Cursor<'_>) -> SparkResult<Relation> {
    let position = cursor.position();
    let first = primary(cursor)?;
    continued(cursor, first, position)
}

/// Whether what follows continues a query whose first term was taken.
pub(super) fn continues(cursor: &Cursor<'_>) -> bool {
    cursor.any_word(&["UNION", "INTERSECT", "EXCEPT", "MINUS", "LIMIT", "OFFSET"])
        || cursor.any_word(&["ORDER", "SORT", "CLUSTER", "DISTRIBUTE"]) && cursor.word_at(1, "BY")
        || cursor.is("|>")
}

/// The rest of a query after its first term.
pub(super) fn continued(cursor: &mut Cursor<'_>, first: Relation, position: usize) -> SparkResult<Relation> {
    let mut relation = terms(cursor, first, position)?;
    while cursor.is("|>") {
        cursor.next();
        cursor.grow(2)?;
        relation = pipe::operator(cursor, relation, position)?;
    }
    organization(cursor, relation, position)
}

/// `WITH` and its common table expressions.
pub(super) fn with(cursor: &mut Cursor<'_>) -> SparkResult<(bool, Vec<Cte>)> {
    cursor.expect_word("WITH")?;
    let recursive = cursor.word("RECURSIVE") && cursor.is_name_at(1) && !cursor.word_at(1, "AS");
    if recursive {
        cursor.next();
    }
    let ctes = cursor.list(|cursor| cte(cursor, recursive))?;
    Ok((recursive, ctes))
}

fn cte(cursor: &mut Cursor<'_>, recursive: bool) -> SparkResult<Cte> {
    let position = cursor.position();
    let name = name::identifier(cursor)?;
    let columns = if cursor.is("(") && !query_ahead(cursor, 1) { name::identifier_list(cursor)? } else { vec![] };
    let mut max_recursion = None;
    if cursor.eat_words(&["MAX", "RECURSION", "LEVEL"]) {
        max_recursion = Some(cursor.integer()?);
        if !recursive {
            let message = "Cannot specify MAX RECURSION LEVEL when the CTE is not marked as RECURSIVE";
            return Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", message)], position));
        }
    }
    cursor.eat_word("AS");
    cursor.expect("(")?;
    let query = query(cursor)?;
    cursor.expect(")")?;
    Ok(Cte { name, columns, query, max_recursion })
}

/// `SELECT ...` over a source that was named before it.
pub(super) fn select_from(cursor: &mut Cursor<'_>, source: Relation, position: usize) -> SparkResult<Relation> {
    let selected = select::select(cursor, Some(source), position)?;
    organization(cursor, selected, position)
}

// ---- set operations

fn terms(cursor: &mut Cursor<'_>, first: Relation, position: usize) -> SparkResult<Relation> {
    if cursor.options.setops_from_left {
        return terms_from_left(cursor, first, position);
    }
    let mut left = intersections(cursor, first, position)?;
    while cursor.any_word(&["UNION", "EXCEPT", "MINUS"]) {
        let op = if cursor.word("UNION") { SetOperator::Union } else { SetOperator::Except };
        cursor.next();
        let all = quantifier(cursor);
        let right_position = cursor.position();
        let right = cursor.nested(primary)?;
        let right = intersections(cursor, right, right_position)?;
        cursor.grow(1)?;
        left = set_operation(cursor, left, right, op, all, position);
    }
    Ok(left)
}

/// All set operations alike, one after the other.
fn terms_from_left(cursor: &mut Cursor<'_>, first: Relation, position: usize) -> SparkResult<Relation> {
    let mut left = first;
    while cursor.any_word(&["UNION", "EXCEPT", "MINUS", "INTERSECT"]) {
        let op = match cursor.next().text.to_ascii_uppercase().as_str() {
            "UNION" => SetOperator::Union,
            "INTERSECT" => SetOperator::Intersect,
            _ => SetOperator::Except,
        };
        let all = quantifier(cursor);
        let right = cursor.nested(primary)?;
        cursor.grow(1)?;
        left = set_operation(cursor, left, right, op, all, position);
    }
    Ok(left)
}

fn intersections(cursor: &mut Cursor<'_>, first: Relation, position: usize) -> SparkResult<Relation> {
    let mut left = first;
    while cursor.eat_word("INTERSECT") {
        let all = quantifier(cursor);
        let right = cursor.nested(primary)?;
        cursor.grow(1)?;
        left = set_operation(cursor, left, right, SetOperator::Intersect, all, position);
    }
    Ok(left)
}

fn set_operation(
    cursor: &Cursor<'_>,
    left: Relation,
    right: Relation,
    op: SetOperator,
    all: bool,
    position: usize,
) -> Relation {
    let kind = RelationKind::SetOperation { left, right, op, all, by_name: false, allow_missing: false };
    cursor.relation(kind, position)
}

/// `ALL`, or `DISTINCT`, which is the default.
fn quantifier(cursor: &mut Cursor<'_>) -> bool {
    let all = cursor.eat_word("ALL");
    if !all {
        cursor.eat_word("DISTINCT");
    }
    all
}

/// One term of a query.
fn primary(cursor: &mut Cursor<'_>) -> SparkResult<Relation> {
    let position = cursor.position();
    if cursor.is("(") {
        cursor.next();
        let inner = query(cursor)?;
        cursor.expect(")")?;
        return Ok(inner);
    }
    if cursor.any_word(&["SELECT", "FROM", "MAP", "REDUCE"]) {
        return select::block(cursor);
    }
    if cursor.eat_word("TABLE") {
        let name = name::multipart(cursor)?;
        return Ok(table(cursor, name, position));
    }
    if cursor.word("VALUES") {
        return from::values(cursor);
    }
    Err(cursor.unexpected())
}

/// A table by name.
pub(super) fn table(cursor: &Cursor<'_>, name: ObjectName, position: usize) -> Relation {
    cursor.relation(RelationKind::Table { name, options: Options::new(), time_travel: None }, position)
}

// ---- organisation

/// `ORDER BY`, `CLUSTER BY`, `DISTRIBUTE BY`, `SORT BY`, `WINDOW`, `LIMIT`, `OFFSET`.
fn organization(cursor: &mut Cursor<'_>, relation: Relation, position: usize) -> SparkResult<Relation> {
    let mut relation = relation;
    let start = cursor.position();
    let mut clauses = vec![];
    if cursor.eat_words(&["ORDER", "BY"]) {
        clauses.push("ORDER");
        cursor.grow(1)?;
        relation = sort(cursor, relation, true, position)?;
    }
    if cursor.eat_words(&["CLUSTER", "BY"]) {
        clauses.push("CLUSTER");
        cursor.grow(2)?;
        let exprs = cursor.list(expression)?;
        let order = exprs.iter().cloned().map(ascending).collect();
        let kind = RelationKind::RepartitionBy { input: relation, exprs, partitions: None };
        let input = cursor.relation(kind, position);
        relation = cursor.relation(RelationKind::Sort { input, order, global: false, all: None }, position);
    }
    if cursor.eat_words(&["DISTRIBUTE", "BY"]) {
        clauses.push("DISTRIBUTE");
        cursor.grow(1)?;
        let exprs = cursor.list(expression)?;
        relation = cursor.relation(RelationKind::RepartitionBy { input: relation, exprs, partitions: None }, position);
    }
    if cursor.eat_words(&["SORT", "BY"]) {
        clauses.push("SORT");
        cursor.grow(1)?;
        relation = sort(cursor, relation, false, position)?;
    }
    if clauses.len() > 1 && clauses != ["DISTRIBUTE", "SORT"] {
        return Err(cursor.error("UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES", &[], start));
    }
    if cursor.word("WINDOW") && cursor.is_name_at(1) {
        let windows = clause::windows(cursor)?;
        if !select::add_windows(&mut relation, windows) {
            return Err(cursor.unexpected());
        }
    }
    limits(cursor, relation, position)
}

fn ascending(expr: Expr) -> crate::spec::SortOrder {
    crate::spec::SortOrder { expr, ascending: true, nulls_first: true }
}

fn sort(cursor: &mut Cursor<'_>, input: Relation, global: bool, position: usize) -> SparkResult<Relation> {
    let after_all = cursor.peek_at(1).text.to_ascii_uppercase();
    let all = cursor.word("ALL")
        && global
        && matches!(
            after_all.as_str(),
            "" | ")" | ";" | "ASC" | "DESC" | "NULLS" | "LIMIT" | "OFFSET" | "WINDOW" | "|>"
        );
    let kind = if all {
        cursor.next();
        let direction = super::expr::direction(cursor)?;
        RelationKind::Sort { input, order: vec![], global, all: Some(direction) }
    } else {
        RelationKind::Sort { input, order: cursor.list(sort_item)?, global, all: None }
    };
    Ok(cursor.relation(kind, position))
}

fn limits(cursor: &mut Cursor<'_>, relation: Relation, position: usize) -> SparkResult<Relation> {
    let mut limit = None;
    let mut offset = None;
    let mut unlimited = false;
    if cursor.any_word(&["LIMIT", "OFFSET"]) {
        cursor.grow(2)?;
    }
    if cursor.eat_word("LIMIT") {
        if cursor.word("ALL") && !matches!(cursor.peek_at(1).text, "+" | "-" | "*" | "." | "(") {
            cursor.next();
            unlimited = true;
        } else {
            limit = Some(expression(cursor)?);
        }
    }
    if cursor.eat_word("OFFSET") {
        offset = Some(expression(cursor)?);
    }
    let mut relation = relation;
    if unlimited {
        let name = crate::spec::LIMIT_ALL.to_string();
        relation = cursor.relation(RelationKind::Hint { input: relation, name, args: vec![] }, position);
    }
    // The offset is skipped before rows are counted.
    if let Some(offset) = offset {
        let zero = matches!(offset.kind.as_ref(), ExprKind::Literal(Literal::Integer(0)));
        if !zero || limit.is_none() {
            relation = cursor.relation(RelationKind::Offset { input: relation, offset }, position);
        }
    }
    if let Some(limit) = limit {
        relation = cursor.relation(RelationKind::Limit { input: relation, limit }, position);
    }
    Ok(relation)
}
