//! Joins.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::expr::expression;
use super::super::name;
use super::primary;
use crate::spec::{Join, JoinCondition, JoinType, Relation, RelationKind};

/// One join onto `left`, or `left` as it is.
pub(in crate::sql) fn join(cursor: &mut Cursor<'_>, left: Relation, position: usize) -> SparkResult<Relation> {
    let Some((join_type, natural)) = join_words(cursor)? else { return Ok(left) };
    let lateral = cursor.eat_word("LATERAL");
    let right = cursor.nested(primary)?;
    let condition = if natural { JoinCondition::Natural } else { criteria(cursor)? };
    let kind = RelationKind::Join(Join { left, right, join_type, condition, lateral });
    Ok(cursor.relation(kind, position))
}

fn criteria(cursor: &mut Cursor<'_>) -> SparkResult<JoinCondition> {
    if cursor.eat_word("ON") {
        return Ok(JoinCondition::On(expression(cursor)?));
    }
    if cursor.word("USING") && cursor.is_at(1, "(") {
        cursor.next();
        return Ok(JoinCondition::Using(name::identifier_list(cursor)?));
    }
    Ok(JoinCondition::None)
}

fn join_words(cursor: &mut Cursor<'_>) -> SparkResult<Option<(JoinType, bool)>> {
    let starts = ["NATURAL", "JOIN", "CROSS", "INNER", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI"];
    if !cursor.any_word(&starts) {
        return Ok(None);
    }
    let natural = cursor.eat_word("NATURAL");
    let join_type = match cursor.peek().text.to_ascii_uppercase().as_str() {
        "JOIN" => JoinType::Inner,
        "CROSS" => JoinType::Cross,
        "INNER" => JoinType::Inner,
        "LEFT" if cursor.word_at(1, "SEMI") => JoinType::LeftSemi,
        "LEFT" if cursor.word_at(1, "ANTI") => JoinType::LeftAnti,
        "LEFT" => JoinType::Left,
        "RIGHT" => JoinType::Right,
        "FULL" => JoinType::Full,
        "SEMI" => JoinType::LeftSemi,
        "ANTI" => JoinType::LeftAnti,
        _ => return Err(cursor.unexpected()),
    };
    let two_words = matches!(join_type, JoinType::LeftSemi | JoinType::LeftAnti) && cursor.word("LEFT");
    if !cursor.word("JOIN") {
        cursor.next();
    }
    if two_words {
        cursor.next();
    }
    if matches!(join_type, JoinType::Left | JoinType::Right | JoinType::Full) {
        cursor.eat_word("OUTER");
    }
    cursor.expect_word("JOIN")?;
    if natural && join_type == JoinType::Cross {
        return Err(cursor.error(
            "INCOMPATIBLE_JOIN_TYPES",
            &[("joinType1", "NATURAL"), ("joinType2", "CROSS")],
            cursor.position(),
        ));
    }
    Ok(Some((join_type, natural)))
}
