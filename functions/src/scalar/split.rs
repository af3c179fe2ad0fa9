//! `split`: the pieces of a text between matches of a pattern.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StringBuilder};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{DataFusionError, Result};

use super::coerce::{Arg, list_of};
use super::read::{Column, ints, strs, text_bytes};
use super::regexp::{Patterns, failed};
use super::spec::{Call, Ret, SparkFn, f};
use crate::error::SparkError;
use crate::regex::{Pattern, PatternError};

/// The pieces of a text between matches, one after the other: a positive limit bounds them; an empty pattern splits
/// characters.
fn each_piece<'t>(
    text: &'t str,
    pattern: &Pattern,
    limit: i32,
    mut piece: impl FnMut(&'t str),
) -> std::result::Result<(), PatternError> {
    let most = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let (mut made, mut start) = (0, 0);
    if pattern.is_empty() {
        // The last piece is all that is left.
        while let Some(c) = text.get(start..).and_then(|rest| rest.chars().next()).filter(|_| made + 1 < most) {
            let end = start + c.len_utf8();
            piece(text.get(start..end).unwrap_or_default());
            (made, start) = (made + 1, end);
        }
        if start < text.len() || made == 0 {
            piece(text.get(start..).unwrap_or_default());
        }
        return Ok(());
    }
    if let (Some(needle), usize::MAX) = (pattern.literal(), most) {
        needle.pieces(text).for_each(piece);
        return Ok(());
    }
    pattern.places(text, |from, to| {
        if made + 1 >= most {
            return ControlFlow::Break(());
        }
        // An empty match at the start gives no leading empty piece, as in Java.
        if to > 0 {
            piece(text.get(start..from).unwrap_or_default());
            (made, start) = (made + 1, to);
        }
        ControlFlow::Continue(())
    })?;
    piece(text.get(start..).unwrap_or_default());
    Ok(())
}

/// The pieces of a text, as [`split`] has them.
pub(super) fn pieces(text: &str, pattern: &Pattern, limit: i32) -> Result<Vec<String>> {
    let mut pieces = vec![];
    each_piece(text, pattern, limit, |piece| pieces.push(piece.to_owned())).map_err(failed)?;
    Ok(pieces)
}

/// `split(str, regexp[, limit])`.
fn split(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (text, pattern) = (strs(args, 0)?, Column::new(strs(args, 1)?));
    let limit = if args.len() > 2 { Some(Column::new(ints(args, 2)?)) } else { None };
    let bytes = text_bytes(text);
    let mut out = StringBuilder::with_capacity(bytes / 4, bytes);
    let text = Column::new(text);
    let mut patterns = Patterns::new(call.name);
    let (mut count, mut ends, mut valid) = (0_usize, vec![0_i32], vec![]);
    for row in 0..call.rows {
        let limit = limit.map_or(Some(-1), |limit| limit.get(row));
        let given = text.get(row).zip(pattern.get(row)).zip(limit);
        valid.push(given.is_some());
        if let Some(((text, pattern), limit)) = given {
            let append = |piece: &str| {
                out.append_value(piece);
                count += 1;
            };
            each_piece(text, patterns.get(pattern)?, limit, append).map_err(failed)?;
        }
        let end = i32::try_from(count);
        ends.push(end.map_err(|_| DataFusionError::from(SparkError::internal("too many pieces in one batch")))?);
    }
    let field = Arc::new(Field::new("element", DataType::Utf8, true));
    let nulls = valid.contains(&false).then(|| NullBuffer::from(valid));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    Ok(Arc::new(ListArray::try_new(field, offsets, Arc::new(out.finish()), nulls)?))
}

/// `split`.
pub(super) fn all() -> Vec<SparkFn> {
    let texts = Ret::Is(list_of(DataType::Utf8, false));
    vec![f("split", &[Arg::Str, Arg::Str, Arg::Int], texts, split).min(2).constants()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_as_java_does() {
        let cases: [(&str, &str, i32, &[&str]); 14] = [
            (" a b  c ", " ", -1, &["", "a", "b", "", "c", ""]),
            (" a b  c ", " ", 3, &["", "a", "b  c "]),
            (" a b  c ", " ", 1, &[" a b  c "]),
            ("a.b", "\\.", 0, &["a", "b"]),
            ("a.b", ".", -1, &["", "", "", ""]),
            ("oneAtwoBthree", "[ABC]", -1, &["one", "two", "three"]),
            ("abé", "", -1, &["a", "b", "é"]),
            ("abé", "", 2, &["a", "bé"]),
            ("abé", "", 1, &["abé"]),
            ("abé", "", 3, &["a", "b", "é"]),
            ("", "", -1, &[""]),
            ("", ",", -1, &[""]),
            ("abc", "x*", -1, &["a", "b", "c", ""]),
            ("1 2", "(?<= )", -1, &["1 ", "2"]),
        ];
        for (text, pattern, limit, wanted) in cases {
            assert_eq!(
                pieces(text, &Pattern::new(pattern).unwrap(), limit).unwrap(),
                wanted,
                "{text} {pattern} {limit}"
            );
        }
    }
}
