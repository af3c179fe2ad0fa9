//! `GROUP BY`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::expr::expression;
use crate::spec::{Expr, ExprKind, GroupBy, GroupingElement};

/// The clause, when there is one.
///
/// `item` reads a plain element: pipes allow an alias there.
pub(super) fn group_by(
    cursor: &mut Cursor<'_>,
    item: fn(&mut Cursor<'_>) -> SparkResult<Expr>,
) -> SparkResult<Option<GroupBy>> {
    if !cursor.eat_words(&["GROUP", "BY"]) {
        return Ok(None);
    }
    let after = cursor.peek_at(1).text.to_ascii_uppercase();
    let ends = [
        "",
        ")",
        ";",
        "|>",
        "HAVING",
        "QUALIFY",
        "WINDOW",
        "ORDER",
        "SORT",
        "LIMIT",
        "OFFSET",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "MINUS",
        "CLUSTER",
        "DISTRIBUTE",
    ];
    if cursor.word("ALL") && ends.contains(&after.as_str()) {
        cursor.next();
        return Ok(Some(GroupBy::All));
    }
    let mut elements = cursor.list(|cursor| element(cursor, item))?;
    // The old form: `GROUP BY a, b WITH ROLLUP`.
    if cursor.words(&["WITH", "ROLLUP"]) || cursor.words(&["WITH", "CUBE"]) {
        let sets = plain(elements).ok_or_else(|| cursor.unexpected())?;
        cursor.next();
        let rollup = cursor.next().text.eq_ignore_ascii_case("ROLLUP");
        elements = vec![if rollup { GroupingElement::Rollup(sets) } else { GroupingElement::Cube(sets) }];
    } else if cursor.words(&["GROUPING", "SETS"]) {
        // `GROUP BY a, b GROUPING SETS (...)`: the list only names the expressions.
        cursor.next();
        cursor.next();
        let sets = cursor.parenthesized(|cursor| set_or(cursor, grouping_set))?;
        let keys = plain(elements).ok_or_else(|| cursor.unexpected())?.into_iter().flatten().collect();
        elements = vec![GroupingElement::Keys(keys), GroupingElement::GroupingSets(sets)];
    }
    Ok(Some(GroupBy::Elements(elements)))
}

fn plain(elements: Vec<GroupingElement>) -> Option<Vec<Vec<Expr>>> {
    elements
        .into_iter()
        .map(|element| match element {
            GroupingElement::Expr(expr) => Some(vec![expr]),
            _ => None,
        })
        .collect()
}

fn element(cursor: &mut Cursor<'_>, item: fn(&mut Cursor<'_>) -> SparkResult<Expr>) -> SparkResult<GroupingElement> {
    if analytic_ahead(cursor) {
        return cursor.nested(analytic);
    }
    Ok(GroupingElement::Expr(item(cursor)?))
}

fn analytic_ahead(cursor: &Cursor<'_>) -> bool {
    cursor.any_word(&["ROLLUP", "CUBE"]) && cursor.is_at(1, "(")
        || cursor.words(&["GROUPING", "SETS"]) && cursor.is_at(2, "(")
}

fn analytic(cursor: &mut Cursor<'_>) -> SparkResult<GroupingElement> {
    let position = cursor.position();
    if cursor.eat_words(&["GROUPING", "SETS"]) {
        let sets = cursor.parenthesized(|cursor| set_or(cursor, grouping_set))?;
        return Ok(GroupingElement::GroupingSets(sets));
    }
    let rollup = cursor.next().text.eq_ignore_ascii_case("ROLLUP");
    let sets = cursor.parenthesized(set)?;
    if sets.iter().any(Vec::is_empty) {
        let element = if rollup { "ROLLUP" } else { "CUBE" };
        return Err(cursor.error("_LEGACY_ERROR_TEMP_0051", &[("element", element)], position));
    }
    Ok(if rollup { GroupingElement::Rollup(sets) } else { GroupingElement::Cube(sets) })
}

fn set_or(
    cursor: &mut Cursor<'_>,
    rule: fn(&mut Cursor<'_>) -> SparkResult<GroupingElement>,
) -> SparkResult<GroupingElement> {
    if analytic_ahead(cursor) { cursor.nested(analytic) } else { rule(cursor) }
}

fn grouping_set(cursor: &mut Cursor<'_>) -> SparkResult<GroupingElement> {
    set(cursor).map(GroupingElement::Set)
}

/// `()`, `(a, b)` or `a`.
fn set(cursor: &mut Cursor<'_>) -> SparkResult<Vec<Expr>> {
    if cursor.is("(") && cursor.is_at(1, ")") {
        cursor.next();
        cursor.next();
        return Ok(vec![]);
    }
    let expr = expression(cursor)?;
    Ok(match *expr.kind {
        ExprKind::Row(items) => items,
        kind => vec![Expr { kind: Box::new(kind), origin: expr.origin }],
    })
}
