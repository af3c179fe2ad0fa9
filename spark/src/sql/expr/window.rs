//! Window definitions and sort keys.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::name;
use super::expression;
use crate::spec::{Expr, FrameBound, SortOrder, WindowFrame, WindowSpec};

/// `expr [ASC|DESC] [NULLS FIRST|LAST]`.
pub(in crate::sql) fn sort_item(cursor: &mut Cursor<'_>) -> SparkResult<SortOrder> {
    let expr = expression(cursor)?;
    let (ascending, nulls_first) = direction(cursor)?;
    Ok(SortOrder { expr, ascending, nulls_first })
}

/// Direction and null placement with Spark's defaults.
pub(in crate::sql) fn direction(cursor: &mut Cursor<'_>) -> SparkResult<(bool, bool)> {
    let ascending = !cursor.eat_word("DESC");
    if ascending {
        cursor.eat_word("ASC");
    }
    if cursor.eat_word("NULLS") {
        let first = cursor.eat_word("FIRST");
        if !first {
            cursor.expect_word("LAST")?;
        }
        return Ok((ascending, first));
    }
    Ok((ascending, ascending))
}

/// `(base)` or `([PARTITION BY ..] [ORDER BY ..] [frame])`.
pub(in crate::sql) fn window_spec(cursor: &mut Cursor<'_>) -> SparkResult<WindowSpec> {
    cursor.expect("(")?;
    let mut spec = WindowSpec::default();
    if cursor.eat_words(&["CLUSTER", "BY"]) {
        spec.partition_by = cursor.list(expression)?;
    } else {
        let clause = cursor.any_word(&["PARTITION", "DISTRIBUTE", "ORDER", "SORT"]) && cursor.word_at(1, "BY")
            || cursor.any_word(&["ROWS", "RANGE"]) && !cursor.is_at(1, ")");
        if cursor.is_name() && !clause {
            // Nothing may be added to a window that is named.
            spec.base = Some(name::identifier(cursor)?);
            cursor.expect(")")?;
            return Ok(spec);
        }
        if cursor.eat_words(&["PARTITION", "BY"]) || cursor.eat_words(&["DISTRIBUTE", "BY"]) {
            spec.partition_by = cursor.list(expression)?;
        }
        if cursor.eat_words(&["ORDER", "BY"]) || cursor.eat_words(&["SORT", "BY"]) {
            spec.order_by = cursor.list(sort_item)?;
        }
    }
    if cursor.any_word(&["ROWS", "RANGE"]) {
        spec.frame = Some(frame(cursor)?);
    }
    cursor.expect(")")?;
    Ok(spec)
}

fn frame(cursor: &mut Cursor<'_>) -> SparkResult<WindowFrame> {
    let rows = cursor.next().text.eq_ignore_ascii_case("ROWS");
    if cursor.eat_word("BETWEEN") {
        let lower = bound(cursor)?;
        cursor.expect_word("AND")?;
        let upper = bound(cursor)?;
        return Ok(WindowFrame { rows, lower, upper });
    }
    let lower = bound(cursor)?;
    Ok(WindowFrame { rows, lower, upper: FrameBound::CurrentRow })
}

fn bound(cursor: &mut Cursor<'_>) -> SparkResult<FrameBound> {
    if cursor.eat_words(&["UNBOUNDED", "PRECEDING"]) {
        return Ok(FrameBound::UnboundedPreceding);
    }
    if cursor.eat_words(&["UNBOUNDED", "FOLLOWING"]) {
        return Ok(FrameBound::UnboundedFollowing);
    }
    if cursor.eat_words(&["CURRENT", "ROW"]) {
        return Ok(FrameBound::CurrentRow);
    }
    let position = cursor.position();
    let offset = expression(cursor)?;
    if cursor.eat_word("PRECEDING") {
        return Ok(FrameBound::Offset(Expr::call("-", vec![offset]).at(cursor.origin(position))));
    }
    cursor.expect_word("FOLLOWING")?;
    Ok(FrameBound::Offset(offset))
}
