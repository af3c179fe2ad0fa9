//! Strings searched for a delimiter or a text to replace: `replace` and `split_part`. Null gives null.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::coerce::Arg;
use super::read::{Column, fail, ints, strs, text_bytes};
use super::spec::{Call, Ret, SparkFn, f};
use crate::error::ErrorKind;
use crate::needle::{Needle, Needles};

/// Appends a row: the text with every place of the needle taken by `to`.
#[inline]
pub(super) fn append_replaced(out: &mut StringBuilder, text: &str, needle: &Needle, to: &str) {
    let mut last = 0;
    for start in needle.starts(text) {
        append(out, text.get(last..start).unwrap_or_default());
        append(out, to);
        last = start + needle.text().len();
    }
    out.append_value(text.get(last..).unwrap_or_default());
}

/// Appends a piece of a row that is not at its end yet.
#[inline]
pub(super) fn append(out: &mut StringBuilder, piece: &str) {
    // Writing to memory cannot fail.
    let _ = std::fmt::Write::write_str(out, piece);
}

/// `replace(str, search[, replace])`: an empty search changes nothing.
fn replace(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (text, from) = (strs(args, 0)?, Column::new(strs(args, 1)?));
    let with = if args.len() > 2 { Some(Column::new(strs(args, 2)?)) } else { None };
    let mut out = StringBuilder::with_capacity(call.rows, text_bytes(text));
    let text = Column::new(text);
    let mut needles = Needles::default();
    for row in 0..call.rows {
        let with = with.map_or(Some(""), |with| with.get(row));
        match (text.get(row), from.get(row), with) {
            (Some(text), Some(""), Some(_)) => out.append_value(text),
            (Some(text), Some(from), Some(with)) => append_replaced(&mut out, text, needles.get(from), with),
            _ => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// A piece counted from the left or, below zero, from the right; empty outside.
#[inline]
fn part<'t>(text: &'t str, needle: &Needle, part: i32) -> &'t str {
    let at = match part {
        0.. => i64::from(part) - 1,
        _ => needle.starts(text).count() as i64 + 1 + i64::from(part),
    };
    usize::try_from(at).ok().and_then(|at| needle.pieces(text).nth(at)).unwrap_or("")
}

/// `split_part(str, delimiter, part)`: empty outside; part 0 fails.
fn split_part(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (text, delimiter, number) = (strs(args, 0)?, Column::new(strs(args, 1)?), Column::new(ints(args, 2)?));
    let mut out = StringBuilder::with_capacity(call.rows, text_bytes(text) / 2);
    let text: Column<&StringArray> = Column::new(text);
    let mut needles = Needles::default();
    for row in 0..call.rows {
        match (text.get(row), delimiter.get(row), number.get(row)) {
            (Some(_), Some(_), Some(0)) => {
                return Err(fail(ErrorKind::ArrayIndex, "INVALID_INDEX_OF_ZERO", &[]));
            }
            // Without a delimiter the text is the only piece.
            (Some(text), Some(""), Some(number)) => out.append_value(if matches!(number, 1 | -1) { text } else { "" }),
            (Some(text), Some(delimiter), Some(number)) => {
                out.append_value(part(text, needles.get(delimiter), number));
            }
            _ => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// `replace` and `split_part`.
pub(super) fn all() -> Vec<SparkFn> {
    const TEXT: Ret = Ret::Is(DataType::Utf8);
    vec![
        f("replace", &[Arg::Str, Arg::Str, Arg::Str], TEXT, replace).min(2).constants(),
        f("split_part", &[Arg::Str, Arg::Str, Arg::Int], TEXT, split_part).constants(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_replaced_and_split_as_the_standard_library_does() {
        for text in ["", "a", " a b  c ", "ab,ab", "aaaa", "grüße", "éaéa"] {
            for from in ["a", "aa", " ", "ab", "é", "ü"] {
                let needle = Needle::new(from);
                let mut out = StringBuilder::new();
                append_replaced(&mut out, text, &needle, "xy");
                append_replaced(&mut out, text, &needle, "");
                let wanted = StringArray::from(vec![text.replace(from, "xy"), text.replace(from, "")]);
                assert_eq!(out.finish(), wanted);
                let pieces: Vec<&str> = text.split(from).collect();
                for number in 1..8_usize {
                    assert_eq!(part(text, &needle, number as i32), pieces.get(number - 1).copied().unwrap_or(""));
                    let back = pieces.len().checked_sub(number).and_then(|at| pieces.get(at));
                    assert_eq!(part(text, &needle, -(number as i32)), back.copied().unwrap_or(""));
                }
                assert_eq!(part(text, &needle, i32::MIN), "");
            }
        }
    }
}
