//! `regexp_replace`: matches of a pattern replaced by a text that may name groups. What a pattern means is `crate::regex`'s
//! business.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};

use super::coerce::Arg;
use super::read::{Column, ints, strs, text_bytes};
use super::regexp::{Patterns, failed};
use super::spec::{Call, Ret, SparkFn, f};
use super::string_part::{append, append_replaced};
use crate::error::{ErrorKind, SparkError};
use crate::regex::{Pattern, PatternError};

/// A piece of a replacement text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

/// Java's replacement text: `$1` and `${name}` are groups, a backslash takes the next character as it is. `None` when it
/// names a group the pattern does not have, or ends in the middle.
fn template(text: &str, pattern: &Pattern) -> Option<Vec<Piece>> {
    let (mut pieces, mut literal) = (vec![], String::new());
    let mut group = |literal: &mut String, group| {
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(literal)));
        }
        pieces.push(Piece::Group(group));
    };
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => literal.push(chars.next()?),
            '$' if chars.peek() == Some(&'{') => {
                chars.next();
                let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                group(&mut literal, pattern.named(&name)?);
            }
            '$' if !chars.peek().is_some_and(char::is_ascii_digit) => return None,
            '$' => {
                let mut index = 0;
                let mut any = false;
                while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                    let next = index * 10 + digit as usize;
                    // Digits are taken for as long as there is such a group.
                    if any && next > pattern.groups() {
                        break;
                    }
                    index = next;
                    any = true;
                    chars.next();
                }
                if index > pattern.groups() {
                    return None;
                }
                group(&mut literal, index);
            }
            c => literal.push(c),
        }
    }
    if !literal.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Some(pieces)
}

/// A constant position must be positive.
///
/// # Errors
/// `DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE`.
fn positioned(_: &[FieldRef], constants: &[Option<&ScalarValue>]) -> Result<DataType> {
    if let Some(ScalarValue::Int32(Some(position))) = constants.get(3).copied().flatten()
        && *position < 1
    {
        return Err(SparkError::analysis(
            "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
            &[
                ("sqlExpr", "\"regexp_replace\""),
                ("exprName", "position"),
                ("valueRange", "(0, 2147483647]"),
                ("currentValue", &position.to_string()),
            ],
        )
        .into());
    }
    Ok(DataType::Utf8)
}

fn invalid(text: &str, pattern: &str, with: &str, from: i32) -> DataFusionError {
    let quoted = |text: &str| format!("\"{text}\"");
    let (source, pattern, with, from) = (quoted(text), quoted(pattern), quoted(with), from.to_string());
    let parameters = [("source", &*source), ("pattern", &*pattern), ("replacement", &*with), ("position", &*from)];
    super::read::fail(ErrorKind::Runtime, "INVALID_REGEXP_REPLACE", &parameters)
}

/// Appends a row; `false`, with the row unfinished, when there is a match and no template for it.
fn append_row(
    out: &mut StringBuilder,
    text: &str,
    pattern: &Pattern,
    template: Option<&[Piece]>,
) -> std::result::Result<bool, PatternError> {
    let (mut last, mut valid) = (0, true);
    match template {
        Some([Piece::Text(with)]) => match pattern.literal() {
            Some(needle) => {
                append_replaced(out, text, needle, with);
                return Ok(true);
            }
            None => pattern.places(text, |start, end| {
                append(out, text.get(last..start).unwrap_or_default());
                append(out, with);
                last = end;
                ControlFlow::Continue(())
            })?,
        },
        Some(pieces) => {
            for found in pattern.find_all(text)? {
                let (start, end) = found.whole();
                append(out, text.get(last..start).unwrap_or_default());
                for piece in pieces {
                    append(
                        out,
                        match piece {
                            Piece::Text(with) => with,
                            Piece::Group(group) => found.text(text, *group).unwrap_or_default(),
                        },
                    );
                }
                last = end;
            }
        }
        None => pattern.places(text, |_, _| {
            valid = false;
            ControlFlow::Break(())
        })?,
    }
    if valid {
        out.append_value(text.get(last..).unwrap_or_default());
    }
    Ok(valid)
}

/// `regexp_replace(str, regexp, rep[, position])`.
fn replace(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (text, pattern, with) = (strs(args, 0)?, Column::new(strs(args, 1)?), Column::new(strs(args, 2)?));
    let position = if args.len() > 3 { Some(Column::new(ints(args, 3)?)) } else { None };
    let mut out = StringBuilder::with_capacity(call.rows, text_bytes(text));
    let text = Column::new(text);
    let mut patterns = Patterns::new(call.name);
    // The template of the row before and what it was made of.
    let mut made: Option<(&str, &str, Option<Vec<Piece>>)> = None;
    for row in 0..call.rows {
        let from = position.map_or(Some(1), |position| position.get(row));
        let (Some(text), Some(pattern), Some(with), Some(from)) =
            (text.get(row), pattern.get(row), with.get(row), from)
        else {
            out.append_null();
            continue;
        };
        let compiled = patterns.get(pattern)?;
        if made.as_ref().is_none_or(|(known, template, _)| (*known, *template) != (pattern, with)) {
            made = Some((pattern, with, template(with, compiled)));
        }
        let pieces = made.as_ref().and_then(|(.., pieces)| pieces.as_deref());
        let start = match from {
            1 => 0,
            from => text
                .char_indices()
                .nth(usize::try_from(from.saturating_sub(1)).unwrap_or(0))
                .map_or(text.len(), |(at, _)| at),
        };
        let (head, tail) = text.split_at(start);
        append(&mut out, head);
        if !append_row(&mut out, tail, compiled, pieces).map_err(failed)? {
            return Err(invalid(text, pattern, with, from));
        }
    }
    Ok(Arc::new(out.finish()))
}

/// `regexp_replace`.
pub(super) fn all() -> Vec<SparkFn> {
    const ARGUMENTS: &[Arg] = &[Arg::Str, Arg::Str, Arg::Str, Arg::Int];
    vec![f("regexp_replace", ARGUMENTS, Ret::With(positioned), replace).min(3).constants()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str, pattern: &str, with: &str) -> Option<String> {
        let pattern = Pattern::new(pattern).unwrap();
        let mut out = StringBuilder::new();
        let valid = append_row(&mut out, text, &pattern, template(with, &pattern).as_deref()).unwrap();
        valid.then(|| out.finish().value(0).to_owned())
    }

    #[test]
    fn replacements_are_those_of_javas_matcher() {
        let cases = [
            ("100-200", "(\\d+)", "<$1>", Some("<100>-<200>")),
            ("100-200", "(\\d+)-(\\d+)", "$2-$1$11", Some("200-1001001")),
            ("a.b.c", "\\.", "--", Some("a--b--c")),
            ("abc", "", "-", Some("-a-b-c-")),
            ("aéb", "x*", "-", Some("-a-é-b-")),
            ("abc", "(?<l>b)", "[${l}\\$]", Some("a[b$]c")),
            ("abc", "(x)?b", "<$1>", Some("a<>c")),
            ("abc", "b", "$1", None),
            ("abc", "x", "$1", Some("abc")),
            ("abc", "b", "\\", None),
            ("abc", "b", "", Some("ac")),
            ("aabb", "a(?=b)", "_", Some("a_bb")),
        ];
        for (text, pattern, with, wanted) in cases {
            assert_eq!(replaced(text, pattern, with).as_deref(), wanted, "{text} {pattern} {with}");
        }
    }
}
