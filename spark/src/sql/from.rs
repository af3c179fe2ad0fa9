//! `FROM`: relations, their aliases and samples, joins, lateral views.

mod join;
mod pivot;
mod sample;

pub(super) use join::join;
pub(super) use pivot::{pivot, unpivot};
pub(super) use sample::sample;

use firesteel_functions::SparkResult;

use super::cursor::Cursor;
use super::expr::{argument, expression, query_ahead};
use super::lexer::Kind;
use super::{clause as clauses, name, query};
use crate::spec::{Expr, ExprKind, Join, JoinCondition, JoinType, Options, Relation, RelationKind};

/// `FROM relation, relation, ...`.
pub(super) fn clause(cursor: &mut Cursor<'_>) -> SparkResult<Relation> {
    cursor.expect_word("FROM")?;
    let position = cursor.position();
    let mut left = relation(cursor)?;
    while cursor.eat(",") {
        let lateral = cursor.word("LATERAL") && !cursor.word_at(1, "VIEW");
        let right = relation(cursor)?;
        cursor.grow(1)?;
        let join = Join { left, right, join_type: JoinType::Cross, condition: JoinCondition::None, lateral };
        left = cursor.relation(RelationKind::Join(join), position);
    }
    left = lateral_views(cursor, left, position)?;
    loop {
        left = if cursor.word("PIVOT") && cursor.is_at(1, "(") {
            pivot(cursor, left, position)?
        } else if pivot::unpivot_ahead(cursor) {
            unpivot(cursor, left, position)?
        } else {
            return lateral_views(cursor, left, position);
        };
    }
}

/// One relation with everything joined to it.
pub(super) fn relation(cursor: &mut Cursor<'_>) -> SparkResult<Relation> {
    cursor.nested(|cursor| {
        let position = cursor.position();
        if cursor.word("LATERAL") && !cursor.word_at(1, "VIEW") {
            cursor.next();
        }
        let first = primary(cursor)?;
        extensions(cursor, first, position)
    })
}

fn extensions(cursor: &mut Cursor<'_>, first: Relation, position: usize) -> SparkResult<Relation> {
    let mut left = first;
    loop {
        let before = cursor.position();
        left = if cursor.word("PIVOT") && cursor.is_at(1, "(") {
            pivot(cursor, left, position)?
        } else if pivot::unpivot_ahead(cursor) {
            unpivot(cursor, left, position)?
        } else {
            join(cursor, left, position)?
        };
        if cursor.position() == before {
            return Ok(left);
        }
        cursor.grow(1)?;
    }
}

/// A relation without joins.
pub(super) fn primary(cursor: &mut Cursor<'_>) -> SparkResult<Relation> {
    let position = cursor.position();
    if cursor.is("(") {
        return parenthesis(cursor, position);
    }
    if cursor.word("VALUES") && (cursor.is_at(1, "(") || !cursor.is_name_at(1) && query_ahead(cursor, 0)) {
        return values(cursor);
    }
    if name::at_clause(cursor) {
        let name = name::clause(cursor)?;
        return if cursor.is("(") { function(cursor, name, position) } else { table(cursor, name, position) };
    }
    if !cursor.is_name() || cursor.is_join_word() {
        return Err(cursor.unexpected());
    }
    let name = name::multipart(cursor)?;
    // `STREAM t` and `STREAM(t)` read a table as a stream.
    if let [word] = name.as_slice()
        && word.eq_ignore_ascii_case("STREAM")
        && (cursor.is_name()
            && !cursor.any_word(&["AS", "WHERE", "GROUP", "ORDER", "LIMIT", "ON"])
            && !cursor.is_join_word())
        && !matches!(cursor.peek_at(1).text, "," | ")" | "" | ";")
    {
        let kind = RelationKind::Unsupported("streaming tables".to_string());
        cursor.take_rest();
        return Ok(cursor.relation(kind, position));
    }
    if cursor.is("(") { function(cursor, name, position) } else { table(cursor, name, position) }
}

fn table(cursor: &mut Cursor<'_>, name: Vec<String>, position: usize) -> SparkResult<Relation> {
    let time_travel = time_travel(cursor)?;
    let mut options = Options::new();
    if cursor.word("WITH") && cursor.is_at(1, "(") {
        cursor.next();
        options = clauses::properties(cursor)?;
    }
    let table = cursor.relation(RelationKind::Table { name, options, time_travel }, position);
    let sampled = sample(cursor, table, position)?;
    alias(cursor, sampled, position)
}

/// `[FOR] VERSION|TIMESTAMP AS OF x`, kept as written.
fn time_travel(cursor: &mut Cursor<'_>) -> SparkResult<Option<String>> {
    let at = usize::from(cursor.word("FOR"));
    let versioned = cursor.any_word_at(at, &["VERSION", "SYSTEM_VERSION", "TIMESTAMP", "SYSTEM_TIME"]);
    if !versioned || !cursor.word_at(at + 1, "AS") || !cursor.word_at(at + 2, "OF") {
        return Ok(None);
    }
    let byte = cursor.byte();
    for _ in 0..at + 3 {
        cursor.next();
    }
    super::expr::value(cursor)?;
    Ok(Some(cursor.text_from(byte).to_string()))
}

/// `(query)`, `(relation)`, either with an alias.
fn parenthesis(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Relation> {
    cursor.expect("(")?;
    let inner_position = cursor.position();
    let mut inner = if cursor.is("(") {
        let first = cursor.nested(primary)?;
        if query::continues(cursor) {
            // `((SELECT 1) UNION (SELECT 2))`: the inner parentheses held a term of a query.
            query::continued(cursor, first, inner_position)?
        } else {
            extensions(cursor, first, inner_position)?
        }
    } else if query_ahead(cursor, 0) {
        query::query(cursor)?
    } else {
        relation(cursor)?
    };
    cursor.expect(")")?;
    inner = sample(cursor, inner, position)?;
    alias(cursor, inner, position)
}

/// `VALUES (1, 'a'), (2, 'b') [AS t(x, y)]`.
pub(super) fn values(cursor: &mut Cursor<'_>) -> SparkResult<Relation> {
    let position = cursor.position();
    cursor.expect_word("VALUES")?;
    let rows = cursor.list(|cursor| {
        let expr = expression(cursor)?;
        Ok(match *expr.kind {
            ExprKind::Row(items) => items,
            ExprKind::Function(f) if f.name.len() == 1 && f.name.iter().all(|n| n.eq_ignore_ascii_case("struct")) => {
                f.args
            }
            kind => vec![Expr { kind: Box::new(kind), origin: expr.origin }],
        })
    })?;
    let relation = cursor.relation(RelationKind::Values(rows), position);
    alias(cursor, relation, position)
}

fn function(cursor: &mut Cursor<'_>, name: Vec<String>, position: usize) -> SparkResult<Relation> {
    cursor.expect("(")?;
    let args = if cursor.is(")") { vec![] } else { cursor.list(argument)? };
    cursor.expect(")")?;
    let relation = cursor.relation(RelationKind::TableFunction { name, args }, position);
    alias(cursor, relation, position)
}

/// `[AS] alias [(columns)]`, or `AS (columns)`-less nothing.
pub(super) fn alias(cursor: &mut Cursor<'_>, input: Relation, position: usize) -> SparkResult<Relation> {
    let explicit = cursor.eat_word("AS");
    if !explicit && !alias_ahead(cursor) {
        return Ok(input);
    }
    if explicit && cursor.is("(") {
        let names = name::identifier_list(cursor)?;
        return Ok(cursor.relation(RelationKind::Rename { input, names }, position));
    }
    let alias = name::identifier(cursor)?;
    if cursor.is("(") && cursor.is_name_at(1) && !matches!(cursor.peek_at(2).text, "," | ")" | "-") {
        return Err(cursor.unexpected());
    }
    let columns = if cursor.is("(") { name::identifier_list(cursor)? } else { vec![] };
    Ok(cursor.relation(RelationKind::SubqueryAlias { input, alias, columns }, position))
}

/// Whether the word here is an alias without `AS`; join words never are, clause words only when no clause follows.
fn alias_ahead(cursor: &Cursor<'_>) -> bool {
    if !cursor.is_name() {
        return false;
    }
    if cursor.peek().kind != Kind::Word {
        return true;
    }
    if cursor.is_join_word() {
        return false;
    }
    let after = cursor.peek_at(1);
    if after.kind == Kind::End || matches!(after.text, "," | ")" | ";" | "|>") {
        return true;
    }
    if cursor.any_word(&["GROUP", "ORDER", "CLUSTER", "DISTRIBUTE", "SORT", "PARTITION"]) {
        return !cursor.word_at(1, "BY");
    }
    if cursor.any_word(&["PIVOT", "UNPIVOT", "TABLESAMPLE"]) {
        return false;
    }
    !cursor.any_word(&[
        "WHERE", "HAVING", "LIMIT", "OFFSET", "WINDOW", "QUALIFY", "SELECT", "INSERT", "SET", "WHEN", "MAP", "REDUCE",
        "FROM", "WITH", "THEN", "DO",
    ])
}

/// `LATERAL VIEW [OUTER] f(x) alias [AS] a, b`, any number of them.
pub(super) fn lateral_views(cursor: &mut Cursor<'_>, input: Relation, position: usize) -> SparkResult<Relation> {
    let mut input = input;
    while cursor.eat_words(&["LATERAL", "VIEW"]) {
        let outer = cursor.word("OUTER") && !cursor.is_at(1, "(");
        if outer {
            cursor.next();
        }
        let generator_position = cursor.position();
        let name = name::multipart(cursor)?;
        cursor.expect("(")?;
        let args = if cursor.is(")") { vec![] } else { cursor.list(expression)? };
        cursor.expect(")")?;
        let function = crate::spec::Function::new(name, args);
        let generator = cursor.node(ExprKind::Function(function), generator_position);
        let mut alias = None;
        let mut columns = vec![];
        if cursor.eat_word("AS") {
            // `LATERAL VIEW f(x) AS a, b` names no table.
            columns = cursor.list(name::identifier)?;
        } else if alias_ahead(cursor) && !cursor.word("LATERAL") {
            alias = Some(name::identifier(cursor)?);
            if cursor.eat_word("AS") || alias_ahead(cursor) {
                columns = cursor.list(name::identifier)?;
            }
        }
        cursor.grow(1)?;
        input = cursor.relation(RelationKind::LateralView { input, generator, outer, alias, columns }, position);
    }
    Ok(input)
}

/// What follows `TABLE` as an argument of a table function.
pub(super) fn table_argument(cursor: &mut Cursor<'_>) -> SparkResult<Relation> {
    let position = cursor.position();
    let mut relation = if cursor.is("(") {
        cursor.next();
        let inner = if query_ahead(cursor, 0) {
            query::query(cursor)?
        } else {
            let name = name::multipart(cursor)?;
            query::table(cursor, name, position)
        };
        cursor.expect(")")?;
        inner
    } else {
        let name = name::multipart(cursor)?;
        query::table(cursor, name, position)
    };
    if cursor.eat_words(&["WITH", "SINGLE", "PARTITION"]) {
        relation =
            cursor.relation(RelationKind::Repartition { input: relation, partitions: 1, shuffle: true }, position);
    } else if cursor.eat_any(&["PARTITION", "DISTRIBUTE"]) {
        cursor.expect_word("BY")?;
        let exprs = if cursor.is("(") { cursor.parenthesized(expression)? } else { cursor.list(expression)? };
        relation = cursor.relation(RelationKind::RepartitionBy { input: relation, exprs, partitions: None }, position);
    }
    if cursor.eat_words(&["ORDER", "BY"]) || cursor.eat_words(&["SORT", "BY"]) {
        let order = if cursor.is("(") {
            cursor.parenthesized(super::expr::sort_item)?
        } else {
            cursor.list(super::expr::sort_item)?
        };
        relation = cursor.relation(RelationKind::Sort { input: relation, order, global: false, all: None }, position);
    }
    Ok(relation)
}
