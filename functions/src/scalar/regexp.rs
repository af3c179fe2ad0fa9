//! Functions of regular expressions. What a pattern means is `crate::regex`'s business.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int32Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};

use super::coerce::{Arg, list_of};
use super::read::{invalid, opt_int, strs};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::error::{ErrorKind, SparkError};
use crate::regex::{Groups, Pattern, PatternError};

const STR2: &[Arg] = &[Arg::Str, Arg::Str];
const STR2_INT: &[Arg] = &[Arg::Str, Arg::Str, Arg::Int];

/// Patterns compiled once for a batch.
pub(crate) struct Patterns {
    name: &'static str,
    made: HashMap<String, Pattern>,
}

impl Patterns {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, made: HashMap::new() }
    }
    pub(crate) fn get(&mut self, pattern: &str) -> Result<&Pattern> {
        let quoted = format!("'{pattern}'");
        let wrong = || invalid("PATTERN", self.name, &[("parameter", "`regexp`"), ("value", &quoted)]);
        if !self.made.contains_key(pattern) {
            let made = Pattern::new(pattern).map_err(|_| wrong())?;
            self.made.insert(pattern.to_string(), made);
        }
        self.made.get(pattern).ok_or_else(wrong)
    }
}

/// A search that failed.
pub(crate) fn failed(error: PatternError) -> DataFusionError {
    SparkError::unsupported(error.to_string()).into()
}

fn group(call: &Call<'_>, found: &Pattern, index: i32) -> Result<usize> {
    let count = found.groups();
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
            Some((text, pattern)) => patterns.get(pattern)?.is_match(text).map(Some).map_err(failed),
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
    mut work: impl FnMut(&str, &Pattern, i32) -> Result<Option<T>>,
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
        // The group is asked for only where there is a match.
        let Some(groups) = found.find_at(text, 0).map_err(failed)? else { return Ok(Some(String::new())) };
        let index = group(call, found, index)?;
        Ok(Some(groups.text(text, index).unwrap_or_default().to_string()))
    })?;
    Ok(Arc::new(StringArray::from(out)))
}

/// `regexp_extract_all(str, regexp[, idx])`.
fn extract_all(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let rows = each(call, args, 1, |text, found, index| {
        let all = found.find_all(text).map_err(failed)?;
        if all.is_empty() {
            return Ok(Some(vec![]));
        }
        let index = group(call, found, index)?;
        Ok(Some(all.iter().map(|groups| groups.text(text, index).unwrap_or_default().to_string()).collect::<Vec<_>>()))
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
fn expand(template: &str, pattern: &Pattern, text: &str, found: &Groups, out: &mut String) -> bool {
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
                let Some(group) = pattern.named(&name) else { return false };
                out.push_str(found.text(text, group).unwrap_or_default());
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
                out.push_str(found.text(text, index).unwrap_or_default());
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
        let compiled = patterns.get(pattern.value(row))?;
        for found in compiled.find_all(tail).map_err(failed)? {
            let (from_here, to_there) = found.whole();
            made.push_str(tail.get(last..from_here).unwrap_or_default());
            if !expand(with, compiled, tail, &found, &mut made) {
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
            last = to_there;
        }
        made.push_str(tail.get(last..).unwrap_or_default());
        out.append_value(made);
    }
    Ok(Arc::new(out.finish()))
}

/// The pieces of a text between matches: a positive limit bounds them; an empty pattern splits characters.
pub(crate) fn pieces(text: &str, pattern: &Pattern, limit: i32) -> Result<Vec<String>> {
    let most = usize::try_from(limit).ok().filter(|limit| *limit > 0);
    if pattern.is_empty() {
        let chars: Vec<String> = text.chars().map(String::from).collect();
        if chars.is_empty() {
            return Ok(vec![String::new()]);
        }
        return Ok(match most {
            // The last piece is all that is left.
            Some(most) if chars.len() > most => {
                let (head, rest) = chars.split_at(most - 1);
                head.iter().cloned().chain([rest.concat()]).collect()
            }
            _ => chars,
        });
    }
    let mut pieces: Vec<String> = vec![];
    let mut start = 0;
    for (from, to) in pattern.find_all(text).map_err(failed)?.iter().map(Groups::whole) {
        if most.is_some_and(|most| pieces.len() + 1 >= most) {
            break;
        }
        // An empty match at the start gives no leading empty piece, as in Java.
        if to == 0 {
            continue;
        }
        pieces.push(text.get(start..from).unwrap_or_default().to_string());
        start = to;
    }
    pieces.push(text.get(start..).unwrap_or_default().to_string());
    Ok(pieces)
}

/// `split(str, regexp[, limit])`.
fn split(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(text_lists(each(call, args, -1, |text, found, limit| pieces(text, found, limit).map(Some))?))
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
            let out =
                each(call, args, 0, |text, found, _| Ok(Some(found.find_all(text).map_err(failed)?.len() as i32)))?;
            Ok(Arc::new(Int32Array::from(out)))
        }),
        f("regexp_instr", STR2_INT, Ret::Is(DataType::Int32), |call, args| {
            let out = each(call, args, 0, |text, found, _| {
                let found = found.find_at(text, 0).map_err(failed)?;
                let before = found.and_then(|found| text.get(..found.whole().0));
                Ok(Some(before.map_or(0, |before| before.chars().count() as i32 + 1)))
            })?;
            Ok(Arc::new(Int32Array::from(out)))
        })
        .min(2),
        f("regexp_substr", STR2, Ret::Is(DataType::Utf8), |call, args| {
            let out = each(call, args, 0, |text, found, _| {
                let found = found.find_at(text, 0).map_err(failed)?;
                Ok(found.and_then(|found| found.text(text, 0)).filter(|hit| !hit.is_empty()).map(str::to_string))
            })?;
            Ok(Arc::new(StringArray::from(out)))
        })
        .nulls(Nulls::Always),
    ]
}
