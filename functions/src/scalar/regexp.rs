//! Regular expressions: Java's syntax as far as the `regex` crate has it; look-around and back-references fail clearly.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int32Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use regex::Regex;

use super::coerce::{Arg, list_of};
use super::read::{invalid, opt_int, strs};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::error::{ErrorKind, SparkError};

const STR2: &[Arg] = &[Arg::Str, Arg::Str];
const STR2_INT: &[Arg] = &[Arg::Str, Arg::Str, Arg::Int];

/// Patterns compiled once for a batch.
pub(crate) struct Patterns {
    name: &'static str,
    made: HashMap<String, Regex>,
}

impl Patterns {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, made: HashMap::new() }
    }
    pub(crate) fn get(&mut self, pattern: &str) -> Result<&Regex> {
        if !self.made.contains_key(pattern) {
            let quoted = format!("'{pattern}'");
            let made = Regex::new(&translate(pattern))
                .map_err(|_| invalid("PATTERN", self.name, &[("parameter", "`regexp`"), ("value", &quoted)]))?;
            self.made.insert(pattern.to_string(), made);
        }
        self.made.get(pattern).ok_or_else(|| invalid("PATTERN", self.name, &[("parameter", "`regexp`"), ("value", "")]))
    }
}

/// Java writes `\Z`, `\h`, `\Q..\E` and named groups `(?<n>..)` which the crate spells otherwise or the same.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('\\') {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        let after = &tail[1..];
        if let Some(quoted) = after.strip_prefix('Q') {
            let (body, left) = quoted.split_once("\\E").unwrap_or((quoted, ""));
            out.push_str(&regex::escape(body));
            rest = left;
        } else if let Some(left) = after.strip_prefix('Z') {
            out.push_str("\\n?\\z");
            rest = left;
        } else if let Some(left) = after.strip_prefix('h') {
            out.push_str("[ \\t]");
            rest = left;
        } else if let Some(left) = after.strip_prefix('d') {
            out.push_str("[0-9]");
            rest = left;
        } else if let Some(left) = after.strip_prefix('w') {
            out.push_str("[a-zA-Z_0-9]");
            rest = left;
        } else {
            let next = after.chars().next().map_or(0, char::len_utf8);
            out.push('\\');
            // Java takes a backslash before any punctuation as that character; so does the crate except for a few.
            let escaped = &after[..next];
            if matches!(
                escaped,
                "\"" | "'" | "/" | "@" | "=" | "_" | "," | ":" | ";" | "%" | "`" | "!" | "<" | ">" | " "
            ) {
                out.pop();
            }
            out.push_str(escaped);
            rest = &after[next..];
        }
    }
    out.push_str(rest);
    out
}

/// Places of all matches as Java finds them: an empty match may touch the one before it.
fn places<'r, 't: 'r>(found: &'r Regex, text: &'t str) -> impl Iterator<Item = regex::Captures<'t>> + use<'r, 't> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let groups = found.captures_at(text, next.filter(|next| *next <= text.len())?)?;
        let whole = groups.get(0)?;
        next = match whole.is_empty() {
            false => Some(whole.end()),
            true => text.get(whole.end()..).and_then(|rest| rest.chars().next()).map(|c| whole.end() + c.len_utf8()),
        };
        Some(groups)
    })
}

fn group(call: &Call<'_>, found: &Regex, index: i32) -> Result<usize> {
    let count = found.captures_len() - 1;
    usize::try_from(index).ok().filter(|index| *index <= count).ok_or_else(|| {
        let (count, index) = (count.to_string(), index.to_string());
        invalid(
            "REGEX_GROUP_INDEX",
            call.name,
            &[("parameter", "`idx`"), ("groupCount", &count), ("groupIndex", &index)],
        )
    })
}

/// `rlike(str, regexp)`: whether the pattern is found.
fn rlike(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut patterns = Patterns::new(call.name);
    let out = strs(args, 0)?
        .iter()
        .zip(strs(args, 1)?)
        .map(|(text, pattern)| match text.zip(pattern) {
            Some((text, pattern)) => Ok(Some(patterns.get(pattern)?.is_match(text))),
            None => Ok(None),
        })
        .collect::<Result<BooleanArray>>()?;
    Ok(Arc::new(out))
}

/// Calls `work(text, regex, third argument)` for rows without nulls.
fn each<T>(
    call: &Call<'_>,
    args: &[ArrayRef],
    default: i32,
    mut work: impl FnMut(&str, &Regex, i32) -> Result<Option<T>>,
) -> Result<Vec<Option<T>>> {
    let (text, pattern) = (strs(args, 0)?, strs(args, 1)?);
    let mut patterns = Patterns::new(call.name);
    (0..text.len())
        .map(|row| {
            let third = if args.len() > 2 { opt_int(args, 2, row) } else { Some(default) };
            match third {
                Some(third) if text.is_valid(row) && pattern.is_valid(row) => {
                    work(text.value(row), patterns.get(pattern.value(row))?, third)
                }
                _ => Ok(None),
            }
        })
        .collect()
}

/// `regexp_extract(str, regexp[, idx])`: empty when nothing is found.
fn extract(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let out = each(call, args, 1, |text, found, index| {
        let index = group(call, found, index)?;
        let value = found.captures(text).and_then(|c| c.get(index).map(|m| m.as_str().to_string()));
        Ok(Some(value.unwrap_or_default()))
    })?;
    Ok(Arc::new(StringArray::from(out)))
}

/// `regexp_extract_all(str, regexp[, idx])`.
fn extract_all(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let rows = each(call, args, 1, |text, found, index| {
        let index = group(call, found, index)?;
        let all = places(found, text).map(|c| c.get(index).map_or("", |m| m.as_str()).to_string());
        Ok(Some(all.collect::<Vec<String>>()))
    })?;
    Ok(text_lists(rows))
}

/// An array of string arrays with Spark's field name.
pub(crate) fn text_lists(rows: Vec<Option<Vec<String>>>) -> ArrayRef {
    let field = Field::new("element", DataType::Utf8, true);
    let mut out = ListBuilder::new(StringBuilder::new()).with_field(field);
    for row in rows {
        match row {
            Some(values) => {
                values.iter().for_each(|value| out.values().append_value(value));
                out.append(true);
            }
            None => out.append(false),
        }
    }
    Arc::new(out.finish())
}

/// Java's replacement text: `$1` and `${name}` are groups, a backslash takes the next character as it is.
/// `false` when it names a group the pattern does not have, or ends in the middle.
fn expand(template: &str, found: &regex::Captures<'_>, out: &mut String) -> bool {
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(next) => out.push(next),
                None => return false,
            },
            '$' if chars.peek() == Some(&'{') => {
                chars.next();
                let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                out.push_str(found.name(&name).map_or("", |m| m.as_str()));
            }
            '$' if !chars.peek().is_some_and(char::is_ascii_digit) => return false,
            '$' => {
                let mut index = 0;
                let mut any = false;
                while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                    let next = index * 10 + digit as usize;
                    if any && next >= found.len() {
                        break;
                    }
                    index = next;
                    any = true;
                    chars.next();
                }
                if index >= found.len() {
                    return false;
                }
                out.push_str(found.get(index).map_or("", |m| m.as_str()));
            }
            c => out.push(c),
        }
    }
    true
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

/// `regexp_replace(str, regexp, rep[, position])`.
fn replace(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (text, pattern, with) = (strs(args, 0)?, strs(args, 1)?, strs(args, 2)?);
    let mut patterns = Patterns::new(call.name);
    let mut out = StringBuilder::new();
    for row in 0..text.len() {
        let from = if args.len() > 3 { opt_int(args, 3, row) } else { Some(1) };
        let Some(from) = from.filter(|_| text.is_valid(row) && pattern.is_valid(row) && with.is_valid(row)) else {
            out.append_null();
            continue;
        };
        let text = text.value(row);
        let start = text.char_indices().nth(usize::try_from(from - 1).unwrap_or(0)).map_or(text.len(), |(at, _)| at);
        let (head, tail) = text.split_at(start);
        let with = with.value(row);
        let mut made = head.to_string();
        let mut last = 0;
        for found in places(patterns.get(pattern.value(row))?, tail) {
            let Some(whole) = found.get(0) else { continue };
            made.push_str(tail.get(last..whole.start()).unwrap_or_default());
            if !expand(with, &found, &mut made) {
                let quoted = |text: &str| format!("\"{text}\"");
                let (source, pattern, with) = (quoted(text), quoted(pattern.value(row)), quoted(with));
                let parameters = [
                    ("source", source.as_str()),
                    ("pattern", pattern.as_str()),
                    ("replacement", with.as_str()),
                    ("position", &from.to_string()),
                ];
                return Err(super::read::fail(ErrorKind::Runtime, "INVALID_REGEXP_REPLACE", &parameters));
            }
            last = whole.end();
        }
        made.push_str(tail.get(last..).unwrap_or_default());
        out.append_value(made);
    }
    Ok(Arc::new(out.finish()))
}

/// `split(str, regexp[, limit])`: a positive limit bounds the pieces; an empty pattern splits characters.
fn split(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let rows = each(call, args, -1, |text, found, limit| {
        if found.as_str().is_empty() {
            let chars: Vec<String> = text.chars().map(String::from).collect();
            if chars.is_empty() {
                return Ok(Some(vec![String::new()]));
            }
            if limit > 0 && chars.len() > limit as usize {
                // The last piece is all that is left.
                let (head, rest) = chars.split_at(limit as usize - 1);
                return Ok(Some(head.iter().cloned().chain([rest.concat()]).collect()));
            }
            return Ok(Some(chars));
        }
        let mut pieces: Vec<String> = vec![];
        let mut start = 0;
        for hit in places(found, text).filter_map(|groups| groups.get(0)) {
            if limit > 0 && pieces.len() + 1 >= limit as usize {
                break;
            }
            // An empty match at the start gives no leading empty piece, as in Java.
            if hit.end() == 0 {
                continue;
            }
            pieces.push(text[start..hit.start()].to_string());
            start = hit.end();
        }
        pieces.push(text[start..].to_string());
        Ok(Some(pieces))
    })?;
    Ok(text_lists(rows))
}

/// `regexp_count`, `regexp_instr`, `regexp_substr`.
pub(crate) fn all() -> Vec<SparkFn> {
    let texts = Ret::Is(list_of(DataType::Utf8, false));
    vec![
        f("rlike", STR2, Ret::Is(DataType::Boolean), rlike).also(&["regexp", "regexp_like"]),
        f("regexp_extract", STR2_INT, Ret::Is(DataType::Utf8), extract).min(2),
        f("regexp_extract_all", STR2_INT, Ret::Is(list_of(DataType::Utf8, true)), extract_all).min(2),
        f("regexp_replace", &[Arg::Str, Arg::Str, Arg::Str, Arg::Int], Ret::With(positioned), replace).min(3),
        f("split", STR2_INT, texts, split).min(2),
        f("regexp_count", STR2, Ret::Is(DataType::Int32), |call, args| {
            let out = each(call, args, 0, |text, found, _| Ok(Some(places(found, text).count() as i32)))?;
            Ok(Arc::new(Int32Array::from(out)))
        }),
        f("regexp_instr", STR2_INT, Ret::Is(DataType::Int32), |call, args| {
            let out = each(call, args, 0, |text, found, _| {
                Ok(Some(found.find(text).map_or(0, |m| text[..m.start()].chars().count() as i32 + 1)))
            })?;
            Ok(Arc::new(Int32Array::from(out)))
        })
        .min(2),
        f("regexp_substr", STR2, Ret::Is(DataType::Utf8), |call, args| {
            let out = each(call, args, 0, |text, found, _| {
                Ok(found.find(text).filter(|m| !m.is_empty()).map(|m| m.as_str().to_string()))
            })?;
            Ok(Arc::new(StringArray::from(out)))
        })
        .nulls(Nulls::Always),
    ]
}
