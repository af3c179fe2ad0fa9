//! `PIVOT` and `UNPIVOT`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::expr::{expression, named_expression};
use super::super::name;
use super::alias;
use crate::spec::{Expr, ExprKind, Relation, RelationKind, Unpivot};

/// `PIVOT (aggregates FOR columns IN (values))`.
pub(in crate::sql) fn pivot(cursor: &mut Cursor<'_>, input: Relation, position: usize) -> SparkResult<Relation> {
    cursor.expect_word("PIVOT")?;
    cursor.expect("(")?;
    let aggregates = cursor.list(aggregate)?;
    cursor.expect_word("FOR")?;
    let columns = if cursor.is("(") { cursor.parenthesized(column)? } else { vec![column(cursor)?] };
    cursor.expect_word("IN")?;
    let values = cursor.parenthesized(named_expression)?;
    cursor.expect(")")?;
    let relation = cursor.relation(RelationKind::Pivot { input, aggregates, columns, values }, position);
    cursor.grow(1)?;
    alias(cursor, relation, position)
}

/// `FOR` ends the aggregates, so it is no alias here.
fn aggregate(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    let position = cursor.position();
    let expr = expression(cursor)?;
    let explicit = cursor.eat_word("AS");
    if !explicit && (!cursor.is_name() || cursor.word("FOR")) {
        return Ok(expr);
    }
    let names = vec![name::identifier(cursor)?];
    Ok(cursor.node(ExprKind::Alias { expr, names, metadata: None }, position))
}

fn column(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    let position = cursor.position();
    let name = name::multipart(cursor)?;
    Ok(cursor.node(ExprKind::Attribute { name, plan_id: None, is_metadata: false }, position))
}

/// Whether an `UNPIVOT` clause is here.
pub(super) fn unpivot_ahead(cursor: &Cursor<'_>) -> bool {
    cursor.word("UNPIVOT")
        && (cursor.is_at(1, "(") || cursor.any_word_at(1, &["INCLUDE", "EXCLUDE"]) && cursor.word_at(2, "NULLS"))
}

/// `UNPIVOT [INCLUDE|EXCLUDE NULLS] (value FOR name IN (columns))`, for one or more value columns.
pub(in crate::sql) fn unpivot(cursor: &mut Cursor<'_>, input: Relation, position: usize) -> SparkResult<Relation> {
    cursor.expect_word("UNPIVOT")?;
    let include_nulls = cursor.eat_words(&["INCLUDE", "NULLS"]);
    if !include_nulls {
        cursor.eat_words(&["EXCLUDE", "NULLS"]);
    }
    cursor.expect("(")?;
    let many = cursor.is("(");
    let value_columns = if many { name::identifier_list(cursor)? } else { vec![name::identifier(cursor)?] };
    cursor.expect_word("FOR")?;
    let variable_column = name::identifier(cursor)?;
    cursor.expect_word("IN")?;
    let values = cursor.parenthesized(|cursor| {
        let columns = if many { cursor.parenthesized(column)? } else { vec![column(cursor)?] };
        let named = cursor.eat_word("AS") || cursor.is_name();
        let alias = if named { Some(name::identifier(cursor)?) } else { None };
        Ok((columns, alias))
    })?;
    cursor.expect(")")?;
    let unpivot = Unpivot { input, ids: None, values: Some(values), variable_column, value_columns, include_nulls };
    let relation = cursor.relation(RelationKind::Unpivot(unpivot), position);
    cursor.grow(1)?;
    alias(cursor, relation, position)
}
