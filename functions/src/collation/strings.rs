//! The string functions whose answer depends on a collation. Each takes the collation's name as its last argument; the
//! analyzer calls them in place of the plain functions. Null gives null.
//!
//! Collations that trim do so for patterns; what is cut out of a text keeps its spaces.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int32Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::search::Search;
use super::{Collation, lower, root};
use crate::error::{ErrorKind, SparkError, SparkResult};
use crate::scalar::coerce::Arg;
use crate::scalar::read::{ints, strs};
use crate::scalar::spec::{Call, Ret, f};

const TWO: &[Arg] = &[Arg::Str, Arg::Str, Arg::Str];
const THREE: &[Arg] = &[Arg::Str, Arg::Str, Arg::Str, Arg::Str];
const COUNTED: &[Arg] = &[Arg::Str, Arg::Str, Arg::Int, Arg::Str];
const TEXT: Ret = Ret::Is(DataType::Utf8);
const INT: Ret = Ret::Is(DataType::Int32);
const BOOL: Ret = Ret::Is(DataType::Boolean);

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    let all = [
        f("spark_collated_contains", TWO, BOOL, contains),
        f("spark_collated_startswith", TWO, BOOL, starts_with),
        f("spark_collated_endswith", TWO, BOOL, ends_with),
        f("spark_collated_instr", TWO, INT, instr),
        f("spark_collated_find_in_set", TWO, INT, find_in_set),
        f("spark_collated_locate", COUNTED, INT, locate),
        f("spark_collated_substring_index", COUNTED, TEXT, substring_index),
        f("spark_collated_split_part", COUNTED, TEXT, split_part),
        f("spark_collated_replace", THREE, TEXT, replace),
        f("spark_collated_translate", THREE, TEXT, translate),
        f("spark_collated_btrim", TWO, TEXT, btrim),
        f("spark_collated_ltrim", TWO, TEXT, ltrim),
        f("spark_collated_rtrim", TWO, TEXT, rtrim),
    ];
    all.into_iter().flat_map(crate::scalar::spec::SparkFn::build).collect()
}

/// The collation that the last argument names.
pub(super) fn collation(args: &[ArrayRef]) -> Result<Collation> {
    let names = strs(args, args.len().saturating_sub(1))?;
    let name = if names.is_empty() || names.is_null(0) { "UTF8_BINARY" } else { names.value(0) };
    Ok(Collation::parse(name)?)
}

/// The text as far as it counts.
fn counted(text: &str, collation: Collation) -> &str {
    if collation.trims() { text.trim_end_matches(' ') } else { text }
}

fn two<T>(args: &[ArrayRef], work: impl Fn(&str, &str, Collation) -> SparkResult<T>) -> Result<Vec<Option<T>>> {
    let collation = collation(args)?;
    let pairs = strs(args, 0)?.iter().zip(strs(args, 1)?);
    let out = pairs.map(|pair| match pair {
        (Some(a), Some(b)) => work(a, b, collation).map(Some),
        _ => Ok(None),
    });
    Ok(out.collect::<SparkResult<Vec<_>>>()?)
}

fn with_count<T>(
    args: &[ArrayRef],
    work: impl Fn(&str, &str, i32, Collation) -> SparkResult<T>,
) -> Result<Vec<Option<T>>> {
    let collation = collation(args)?;
    let pairs = strs(args, 0)?.iter().zip(strs(args, 1)?).zip(ints(args, 2)?);
    let out = pairs.map(|row| match row {
        ((Some(a), Some(b)), Some(n)) => work(a, b, n, collation).map(Some),
        _ => Ok(None),
    });
    Ok(out.collect::<SparkResult<Vec<_>>>()?)
}

fn three(args: &[ArrayRef], work: impl Fn(&str, &str, &str, Collation) -> SparkResult<String>) -> Result<ArrayRef> {
    let collation = collation(args)?;
    let rows = strs(args, 0)?.iter().zip(strs(args, 1)?).zip(strs(args, 2)?);
    let out = rows.map(|row| match row {
        ((Some(a), Some(b)), Some(c)) => work(a, b, c, collation).map(Some),
        _ => Ok(None),
    });
    Ok(Arc::new(out.collect::<SparkResult<StringArray>>()?))
}

fn search(text: &str, pattern: &str, collation: Collation) -> SparkResult<Search> {
    Search::new(counted(text, collation), counted(pattern, collation), collation)
}

fn number(place: usize) -> i32 {
    i32::try_from(place).unwrap_or(i32::MAX)
}

fn string(chars: &[char]) -> String {
    chars.iter().collect()
}

/// `contains(text, pattern)`.
fn contains(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let out = two(args, |text, pattern, c| Ok(search(text, pattern, c)?.find(0).is_some()))?;
    Ok(Arc::new(BooleanArray::from(out)))
}

/// `startswith(text, pattern)`.
fn starts_with(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let out = two(args, |text, pattern, c| Ok(search(text, pattern, c)?.match_at(0).is_some()))?;
    Ok(Arc::new(BooleanArray::from(out)))
}

/// `endswith(text, pattern)`.
fn ends_with(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let out = two(args, |text, pattern, c| Ok(search(text, pattern, c)?.ends()))?;
    Ok(Arc::new(BooleanArray::from(out)))
}

/// `instr(text, pattern)`: 1-based, 0 when absent.
fn instr(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let found =
        |text: &str, pattern: &str, c| Ok(search(text, pattern, c)?.find(0).map_or(0, |(at, _)| number(at + 1)));
    Ok(Arc::new(Int32Array::from(two(args, found)?)))
}

/// `locate(pattern, text, from)`: 1-based, 0 when absent, when `from` is not positive and when it is null.
fn locate(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let collation = collation(args)?;
    let rows = strs(args, 0)?.iter().zip(strs(args, 1)?).zip(ints(args, 2)?);
    let out = rows.map(|row| match row {
        (_, None) => Ok(Some(0)),
        ((Some(pattern), Some(text)), Some(from)) => {
            let Some(from) = usize::try_from(from).ok().and_then(|from| from.checked_sub(1)) else {
                return Ok(Some(0));
            };
            Ok(Some(search(text, pattern, collation)?.find(from).map_or(0, |(at, _)| number(at + 1))))
        }
        _ => Ok(None),
    });
    Ok(Arc::new(out.collect::<SparkResult<Int32Array>>()?))
}

/// `find_in_set(word, words)`: 1-based place among words between commas, 0 when absent or when the word holds a comma.
fn find_in_set(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let found = |word: &str, words: &str, c: Collation| {
        if word.contains(',') {
            return Ok(0);
        }
        let wanted = super::key::key_of(word, c)?;
        for (place, candidate) in words.split(',').enumerate() {
            if super::key::key_of(candidate, c)? == wanted {
                return Ok(number(place + 1));
            }
        }
        Ok(0)
    };
    Ok(Arc::new(Int32Array::from(two(args, found)?)))
}

/// `substring_index(text, delimiter, count)`: matches may overlap.
fn substring_index(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let cut = |text: &str, delimiter: &str, count: i32, c: Collation| {
        let delimiter = counted(delimiter, c);
        if delimiter.is_empty() || count == 0 {
            return Ok(String::new());
        }
        let search = Search::new(text, delimiter, c)?;
        if count > 0 {
            let mut from = 0;
            let mut end = None;
            for _ in 0..count {
                let Some((at, _)) = search.find(from) else { return Ok(text.to_owned()) };
                end = Some(at);
                from = at + 1;
            }
            return Ok(string(end.and_then(|end| search.text().get(..end)).unwrap_or_default()));
        }
        let mut until = search.text().len();
        let mut start = 0;
        for _ in 0..count.unsigned_abs() {
            let Some((at, length)) = search.find_back(until) else { return Ok(text.to_owned()) };
            start = at + length;
            let Some(next) = start.checked_sub(1) else { break };
            until = next;
        }
        Ok(string(search.text().get(start..).unwrap_or_default()))
    };
    Ok(Arc::new(StringArray::from(with_count(args, cut)?)))
}

/// `split_part(text, delimiter, part)`: parts count from 1, or from the end when negative; empty when there is none.
///
/// # Errors
/// `INVALID_INDEX_OF_ZERO`.
fn split_part(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let cut = |text: &str, delimiter: &str, part: i32, c: Collation| {
        if part == 0 {
            return Err(SparkError::new(ErrorKind::ArrayIndex, "INVALID_INDEX_OF_ZERO", &[]));
        }
        let delimiter = counted(delimiter, c);
        let mut parts: Vec<String> = Vec::new();
        if delimiter.is_empty() {
            parts.push(text.to_owned());
        } else {
            let search = Search::new(text, delimiter, c)?;
            let mut from = 0;
            while let Some((at, length)) = search.find(from) {
                parts.push(string(search.text().get(from..at).unwrap_or_default()));
                from = at + length;
            }
            parts.push(string(search.text().get(from..).unwrap_or_default()));
        }
        let place = usize::try_from(part.unsigned_abs()).unwrap_or(usize::MAX);
        let index = if part > 0 { place.checked_sub(1) } else { parts.len().checked_sub(place) };
        Ok(index.and_then(|index| parts.get(index)).cloned().unwrap_or_default())
    };
    Ok(Arc::new(StringArray::from(with_count(args, cut)?)))
}

/// `replace(text, pattern, with)`.
fn replace(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    three(args, |text, pattern, with, c| {
        if pattern.is_empty() {
            return Ok(text.to_owned());
        }
        let search = Search::new(text, pattern, c)?;
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        while let Some((at, length)) = search.find(from) {
            out.extend(search.text().get(from..at).unwrap_or_default());
            out.push_str(with);
            from = at + length;
        }
        out.extend(search.text().get(from..).unwrap_or_default());
        Ok(out)
    })
}

/// What a character counts as in sets of characters.
fn same(c: char, collation: Collation) -> String {
    let blind = collation.is_lcase() || collation.ignores_case();
    if blind { lower::text_of(c) } else { c.to_string() }
}

fn checked(text: &str, collation: Collation) -> SparkResult<()> {
    if collation.locale().is_some() { root::check(text, collation) } else { Ok(()) }
}

/// `translate(text, from, to)`: the first of equal characters in `from` counts; those without partner are dropped.
fn translate(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    three(args, |text, from, to, c| {
        checked(text, c)?;
        checked(from, c)?;
        let mut to = to.chars();
        let mut by: HashMap<String, Option<char>> = HashMap::new();
        for key in from.chars() {
            let with = to.next();
            by.entry(same(key, c)).or_insert(with);
        }
        Ok(text
            .chars()
            .filter_map(|found| match by.get(&same(found, c)) {
                Some(with) => *with,
                None => Some(found),
            })
            .collect())
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Left,
    Right,
}

/// The characters to strip, in the form in which they are compared.
struct Stripped {
    set: Vec<String>,
    collation: Collation,
}

impl Stripped {
    fn has(&self, c: char) -> bool {
        self.set.contains(&same(c, self.collation))
    }

    /// An `i` and a dot count as one where the capital I with a dot is stripped.
    fn dotted(&self) -> bool {
        self.collation.is_lcase() && self.set.iter().any(|known| known == "i\u{307}")
    }

    fn left<'t>(&self, text: &'t str) -> &'t str {
        let mut rest = text;
        loop {
            let mut chars = rest.chars();
            let Some(c) = chars.next() else { return rest };
            let after = chars.as_str();
            rest = match after.strip_prefix('\u{307}') {
                Some(after) if matches!(c, 'i' | 'I') && self.dotted() => after,
                _ if self.has(c) => after,
                _ => return rest,
            };
        }
    }

    fn right<'t>(&self, text: &'t str) -> &'t str {
        let mut rest = text;
        loop {
            let pair = rest.strip_suffix("i\u{307}").or_else(|| rest.strip_suffix("I\u{307}"));
            let mut chars = rest.chars();
            let Some(c) = chars.next_back() else { return rest };
            rest = match pair {
                Some(before) if self.dotted() => before,
                _ if self.has(c) => chars.as_str(),
                _ => return rest,
            };
        }
    }
}

fn trim(text: &str, what: &str, collation: Collation, side: Side) -> SparkResult<String> {
    checked(text, collation)?;
    checked(what, collation)?;
    let stripped = Stripped { set: what.chars().map(|c| same(c, collation)).collect(), collation };
    let mut rest = text;
    if side != Side::Right {
        rest = stripped.left(rest);
    }
    let mut tail = "";
    if side != Side::Left {
        if collation.trims() && !stripped.has(' ') {
            // Spaces at the end do not count, but they stay.
            let end = rest.trim_end_matches(' ').len();
            tail = rest.get(end..).unwrap_or_default();
            rest = rest.get(..end).unwrap_or_default();
        }
        rest = stripped.right(rest);
    }
    Ok(format!("{rest}{tail}"))
}

/// `btrim(text, characters)`.
fn btrim(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(StringArray::from(two(args, |text, what, c| trim(text, what, c, Side::Both))?)))
}

/// `ltrim`, the text first.
fn ltrim(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(StringArray::from(two(args, |text, what, c| trim(text, what, c, Side::Left))?)))
}

/// `rtrim`, the text first.
fn rtrim(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(StringArray::from(two(args, |text, what, c| trim(text, what, c, Side::Right))?)))
}
