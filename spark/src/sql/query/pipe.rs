//! Pipe operators: `FROM t |> WHERE x |> AGGREGATE ...`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::expr::{expression, named_expression};
use super::super::{clause, from, name};
use super::{group, organization, primary, quantifier, select, set_operation};
use crate::spec::{
    BARRIER, Expr, ExprKind, Function, GroupBy, GroupingElement, PIPE_PREFIX, Relation, RelationKind, Select,
    SetOperator,
};

/// One operator, after `|>`.
pub(super) fn operator(cursor: &mut Cursor<'_>, input: Relation, position: usize) -> SparkResult<Relation> {
    match cursor.peek().text.to_ascii_uppercase().as_str() {
        "SELECT" => select_operator(cursor, input, position),
        "EXTEND" => {
            cursor.next();
            let more = cursor.list(named_expression)?.into_iter().map(|e| piped("EXTEND", e)).collect();
            Ok(select::extended(cursor, input, star(vec![], vec![]), more, position))
        }
        "SET" => set(cursor, input, position),
        "DROP" => {
            cursor.next();
            let except = cursor.list(name::multipart)?;
            Ok(select::extended(cursor, input, star(except, vec![]), vec![], position))
        }
        "AS" => {
            cursor.next();
            let alias = name::identifier(cursor)?;
            Ok(cursor.relation(RelationKind::SubqueryAlias { input, alias, columns: vec![] }, position))
        }
        "WHERE" => {
            cursor.next();
            let condition = expression(cursor)?;
            Ok(cursor.relation(RelationKind::Filter { input, condition }, position))
        }
        "AGGREGATE" => aggregate(cursor, input, position),
        "UNION" | "INTERSECT" | "EXCEPT" | "MINUS" => set_operator(cursor, input, position),
        "ORDER" | "SORT" | "CLUSTER" | "DISTRIBUTE" | "LIMIT" | "OFFSET" => organized(cursor, input, position),
        "PIVOT" => from::pivot(cursor, input, position),
        "UNPIVOT" => from::unpivot(cursor, input, position),
        "TABLESAMPLE" => from::sample(cursor, input, position),
        "WINDOW" => Err(cursor.error(
            "UNSUPPORTED_FEATURE.CLAUSE_WITH_PIPE_OPERATORS",
            &[("clauses", "the WINDOW clause")],
            cursor.position(),
        )),
        _ => {
            let before = cursor.position();
            let joined = from::join(cursor, input, position)?;
            if cursor.position() == before { Err(cursor.unexpected()) } else { Ok(joined) }
        }
    }
}

/// Ordering or limiting, one of them at a time. It sees the columns that arrive, not what they were made from.
fn organized(cursor: &mut Cursor<'_>, input: Relation, position: usize) -> SparkResult<Relation> {
    let first = cursor.peek().text.to_ascii_uppercase();
    let start = cursor.position();
    let kind = RelationKind::Hint { input, name: BARRIER.to_string(), args: vec![] };
    let input = cursor.relation(kind, position);
    let relation = organization(cursor, input, position)?;
    let second = match &*relation.kind {
        RelationKind::Limit { .. } => "LIMIT",
        RelationKind::Offset { .. } => "OFFSET",
        _ => return Ok(relation),
    };
    if matches!(first.as_str(), "LIMIT" | "OFFSET") {
        return Ok(relation);
    }
    Err(cursor.error(
        "MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS",
        &[("clause1", &format!("{first} BY")), ("clause2", second)],
        start,
    ))
}

/// An expression that analysis checks for what the operator allows: `|> EXTEND` no aggregates, `|> AGGREGATE` nothing else.
fn piped(clause: &str, expr: Expr) -> Expr {
    let Expr { kind, origin } = expr;
    let kind = match *kind {
        ExprKind::Alias { expr, names, metadata } => ExprKind::Alias { expr: piped(clause, expr), names, metadata },
        kind => {
            let inner = Expr { kind: Box::new(kind), origin: origin.clone() };
            ExprKind::Function(Function::new(vec![format!("{PIPE_PREFIX}{clause}")], vec![inner]))
        }
    };
    Expr::from(kind).at(origin)
}

fn star(except: Vec<Vec<String>>, replace: Vec<(Expr, String)>) -> ExprKind {
    ExprKind::Star { target: vec![], plan_id: None, except, replace }
}

fn select_operator(cursor: &mut Cursor<'_>, input: Relation, position: usize) -> SparkResult<Relation> {
    cursor.next();
    let hints = select::hints(cursor)?;
    let distinct = select::set_quantifier(cursor);
    let projection = cursor.list(named_expression)?;
    let group_by = group::group_by(cursor, expression)?;
    let windows = if cursor.word("WINDOW") && cursor.is_name_at(1) { clause::windows(cursor)? } else { vec![] };
    let select = Select { input, projection, distinct, group_by, having: None, windows, qualify: None };
    let relation = cursor.relation(RelationKind::Select(Box::new(select)), position);
    Ok(select::with_hints(cursor, relation, hints, position))
}

/// Each assignment sees the ones before it.
fn set(cursor: &mut Cursor<'_>, input: Relation, position: usize) -> SparkResult<Relation> {
    cursor.next();
    let mut relation = input;
    loop {
        let key_position = cursor.position();
        let key = name::multipart(cursor)?;
        cursor.expect("=")?;
        let value = expression(cursor)?;
        let [key] = key.as_slice() else {
            let message =
                "SQL pipe syntax |> SET operator with multi-part assignment key (only single-part keys are allowed)";
            return Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", message)], key_position));
        };
        cursor.grow(1)?;
        let value = piped("SET", value);
        relation = select::extended(cursor, relation, star(vec![], vec![(value, key.clone())]), vec![], position);
        if !cursor.eat(",") {
            return Ok(relation);
        }
    }
}

fn aggregate(cursor: &mut Cursor<'_>, input: Relation, position: usize) -> SparkResult<Relation> {
    let start = cursor.position();
    cursor.next();
    let grouped = |cursor: &Cursor<'_>| cursor.words(&["GROUP", "BY"]);
    let aggregates = if grouped(cursor) { vec![] } else { cursor.list(named_expression)? };
    let group_by = if grouped(cursor) { group::group_by(cursor, named_expression)? } else { None };
    if aggregates.is_empty() && group_by.is_none() {
        return Err(cursor.unexpected());
    }
    let group_by = group_by.unwrap_or(GroupBy::Elements(vec![]));
    if let Some(case) = unsupported_grouping(&group_by) {
        let condition = "UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE";
        return Err(cursor.error(condition, &[("case", case)], start));
    }
    let aggregates = aggregates.into_iter().map(|e| piped("AGGREGATE", e)).collect();
    Ok(cursor.relation(RelationKind::Aggregate { input, group_by, aggregates, pivot: None }, position))
}

/// What `|> AGGREGATE` cannot group by.
fn unsupported_grouping(group_by: &GroupBy) -> Option<&'static str> {
    match group_by {
        GroupBy::All => Some("GROUP BY ALL"),
        GroupBy::Elements(elements) => elements.iter().find_map(|element| match element {
            GroupingElement::Rollup(_) => Some("GROUP BY ROLLUP"),
            GroupingElement::Cube(_) => Some("GROUP BY CUBE"),
            GroupingElement::GroupingSets(_) | GroupingElement::Set(_) | GroupingElement::Keys(_) => {
                Some("GROUPING SETS")
            }
            GroupingElement::Expr(_) => None,
        }),
    }
}

fn set_operator(cursor: &mut Cursor<'_>, left: Relation, position: usize) -> SparkResult<Relation> {
    let op = match cursor.next().text.to_ascii_uppercase().as_str() {
        "UNION" => SetOperator::Union,
        "INTERSECT" => SetOperator::Intersect,
        _ => SetOperator::Except,
    };
    let all = quantifier(cursor);
    let right = cursor.nested(primary)?;
    Ok(set_operation(cursor, left, right, op, all, position))
}
