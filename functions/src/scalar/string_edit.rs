//! Strings taken apart and put together again: substring, padding, translation, overlay.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::coerce::{Arg, mismatch, sql_name};
use super::read::{bins, fail, ints, strs};
use super::spec::{Call, Ret, SparkFn, f};
use crate::error::ErrorKind;

const TEXT: Ret = Ret::Is(DataType::Utf8);
const STR3: &[Arg] = &[Arg::Str, Arg::Str, Arg::Str];

/// Where `substring(_, pos, len)` starts and ends in `count` units.
fn span(count: usize, pos: i32, len: i32) -> (usize, usize) {
    let (count, pos, len) = (count as i64, i64::from(pos), i64::from(len));
    let start = if pos > 0 {
        pos - 1
    } else if pos < 0 {
        count + pos
    } else {
        0
    };
    let end = start.saturating_add(len).clamp(0, count);
    let start = start.clamp(0, count);
    (start as usize, end.max(start) as usize)
}

fn cut(text: &str, pos: i32, len: i32) -> &str {
    let (start, end) = span(if text.is_ascii() { text.len() } else { text.chars().count() }, pos, len);
    let at = |n: usize| {
        if text.is_ascii() { n } else { text.char_indices().nth(n).map_or(text.len(), |(at, _)| at) }
    };
    text.get(at(start)..at(end)).unwrap_or("")
}

/// Applies a cut to strings or binaries; `bounds(row)` gives position and length.
fn slices(args: &[ArrayRef], bounds: impl Fn(usize) -> Option<(i32, i32)>) -> Result<ArrayRef> {
    if args.first().is_some_and(|a| a.as_binary_opt::<i32>().is_some()) {
        let bytes = bins(args, 0)?;
        let out: BinaryArray = (0..bytes.len())
            .map(|row| {
                let (pos, len) = bounds(row)?;
                let value = bytes.is_valid(row).then(|| bytes.value(row))?;
                let (start, end) = span(value.len(), pos, len);
                value.get(start..end)
            })
            .collect();
        return Ok(Arc::new(out));
    }
    let text = strs(args, 0)?;
    let out: StringArray = (0..text.len())
        .map(|row| {
            let (pos, len) = bounds(row)?;
            text.is_valid(row).then(|| cut(text.value(row), pos, len))
        })
        .collect();
    Ok(Arc::new(out))
}

/// `substring(str, pos[, len])`: 1-based, negative from the end.
fn substring(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let pos = ints(args, 1)?;
    let len = if args.len() > 2 { Some(ints(args, 2)?) } else { None };
    slices(args, |row| {
        let length = match len {
            Some(len) => len.is_valid(row).then(|| len.value(row))?,
            None => i32::MAX,
        };
        pos.is_valid(row).then(|| (pos.value(row), length))
    })
}

/// `left(str, n)`.
fn left(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let n = ints(args, 1)?;
    slices(args, |row| n.is_valid(row).then(|| (1, n.value(row).max(0))))
}

/// `right(str, n)`: empty for `n <= 0`.
fn right(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (text, n) = (strs(args, 0)?, ints(args, 1)?);
    let out: StringArray = text
        .iter()
        .zip(n)
        .map(|(s, n)| {
            let (s, n) = (s?, n?);
            let count = s.chars().count();
            Some(if n <= 0 { "" } else { cut(s, (count as i32).saturating_sub(n).max(0) + 1, i32::MAX) })
        })
        .collect();
    Ok(Arc::new(out))
}

fn pads<T: Copy>(unit: &[T], n: i32, pad: &[T], left: bool) -> Vec<T> {
    let n = usize::try_from(n).unwrap_or(0);
    if unit.len() >= n || pad.is_empty() {
        return unit.get(..n.min(unit.len())).unwrap_or(&[]).to_vec();
    }
    let fill = pad.iter().copied().cycle().take(n - unit.len());
    if left { fill.chain(unit.iter().copied()).collect() } else { unit.iter().copied().chain(fill).collect() }
}

fn pad(args: &[ArrayRef], left: bool) -> Result<ArrayRef> {
    let n = ints(args, 1)?;
    if args.first().is_some_and(|a| a.as_binary_opt::<i32>().is_some()) {
        let value = bins(args, 0)?;
        let fill = if args.len() > 2 { Some(bins(args, 2)?) } else { None };
        let out: Vec<Option<Vec<u8>>> = (0..value.len())
            .map(|row| {
                if value.is_null(row) || n.is_null(row) || fill.is_some_and(|fill| fill.is_null(row)) {
                    return None;
                }
                Some(pads(value.value(row), n.value(row), fill.map_or(&[0], |fill| fill.value(row)), left))
            })
            .collect();
        return Ok(Arc::new(out.iter().map(|v| v.as_deref()).collect::<BinaryArray>()));
    }
    let value = strs(args, 0)?;
    let fill = if args.len() > 2 { Some(strs(args, 2)?) } else { None };
    let out: StringArray = (0..value.len())
        .map(|row| {
            if value.is_null(row) || n.is_null(row) || fill.is_some_and(|fill| fill.is_null(row)) {
                return None;
            }
            let unit: Vec<char> = value.value(row).chars().collect();
            let with: Vec<char> = fill.map_or(" ", |fill| fill.value(row)).chars().collect();
            Some(pads(&unit, n.value(row), &with, left).into_iter().collect::<String>())
        })
        .collect();
    Ok(Arc::new(out))
}

fn padded(types: &[DataType]) -> Result<Vec<DataType>> {
    if let Some(length) = types.get(1)
        && !(length.is_numeric() || matches!(length, DataType::Utf8 | DataType::Null))
    {
        return Err(mismatch("pad", 1, "\"INT\"", length).into());
    }
    let kind = if types.first() == Some(&DataType::Binary)
        && types.get(2).is_none_or(|t| matches!(t, DataType::Binary | DataType::Null))
    {
        DataType::Binary
    } else {
        DataType::Utf8
    };
    Ok(types.iter().enumerate().map(|(at, _)| if at == 1 { DataType::Int32 } else { kind.clone() }).collect())
}

fn three(args: &[ArrayRef], work: fn(&str, &str, &str) -> String, third: &str) -> Result<ArrayRef> {
    let (a, b) = (strs(args, 0)?, strs(args, 1)?);
    let c = if args.len() > 2 { Some(strs(args, 2)?) } else { None };
    let out: StringArray = (0..a.len())
        .map(|row| {
            if a.is_null(row) || b.is_null(row) || c.is_some_and(|c| c.is_null(row)) {
                return None;
            }
            Some(work(a.value(row), b.value(row), c.map_or(third, |c| c.value(row))))
        })
        .collect();
    Ok(Arc::new(out))
}

fn translate(text: &str, from: &str, to: &str) -> String {
    let to: Vec<char> = to.chars().collect();
    let from: Vec<char> = from.chars().collect();
    text.chars()
        .filter_map(|c| match from.iter().position(|f| *f == c) {
            Some(at) => to.get(at).copied(),
            None => Some(c),
        })
        .collect()
}

/// `repeat(str, n)`.
fn repeat(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let pairs = strs(args, 0)?.iter().zip(ints(args, 1)?);
    Ok(Arc::new(pairs.map(|(s, n)| Some(s?.repeat(usize::try_from(n?).unwrap_or(0)))).collect::<StringArray>()))
}

/// `substring_index(str, delim, count)`.
fn substring_index(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (text, delim, count) = (strs(args, 0)?, strs(args, 1)?, ints(args, 2)?);
    let out: StringArray = (0..text.len())
        .map(|row| {
            if text.is_null(row) || delim.is_null(row) || count.is_null(row) {
                return None;
            }
            let (text, delim, count) = (text.value(row), delim.value(row), count.value(row));
            if delim.is_empty() || count == 0 {
                return Some("");
            }
            let nth = count.unsigned_abs() as usize - 1;
            Some(if count > 0 {
                text.match_indices(delim).nth(nth).map_or(text, |(at, _)| &text[..at])
            } else {
                text.rmatch_indices(delim).nth(nth).map_or(text, |(at, _)| &text[at + delim.len()..])
            })
        })
        .collect();
    Ok(Arc::new(out))
}

/// Text or bytes in both places.
fn overlay_types(types: &[DataType]) -> Result<Vec<DataType>> {
    if let [text @ DataType::Utf8, bytes @ DataType::Binary, ..]
    | [bytes @ DataType::Binary, text @ DataType::Utf8, ..] = types
    {
        let both = format!("({} or {})", sql_name(bytes), sql_name(text));
        let parameters = [("sqlExpr", "\"overlay\""), ("functionName", "`overlay`"), ("dataType", both.as_str())];
        return Err(fail(ErrorKind::Analysis, "DATATYPE_MISMATCH.DATA_DIFF_TYPES", &parameters));
    }
    super::coerce::coerce("overlay", &[Arg::StrOrBin, Arg::StrOrBin, Arg::Int, Arg::Int], None, types)
}

/// `overlay(input, replace, pos[, len])`.
fn overlay(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let pos = ints(args, 2)?;
    let len = if args.len() > 3 { Some(ints(args, 3)?) } else { None };
    fn lay<T: Copy>(input: &[T], with: &[T], pos: i32, len: i32) -> Vec<T> {
        let len = if len >= 0 { len } else { with.len() as i32 };
        let (a, b) = span(input.len(), 1, pos.saturating_sub(1).max(0));
        let (c, d) = span(input.len(), pos.saturating_add(len), i32::MAX);
        [&input[a..b], with, &input[c..d]].concat()
    }
    let at = |row: usize| {
        let length = match len {
            Some(len) => len.is_valid(row).then(|| len.value(row))?,
            None => -1,
        };
        pos.is_valid(row).then(|| (pos.value(row), length))
    };
    if args.first().is_some_and(|a| a.as_binary_opt::<i32>().is_some()) {
        let (input, with) = (bins(args, 0)?, bins(args, 1)?);
        let out: Vec<Option<Vec<u8>>> = (0..input.len())
            .map(|row| {
                let (pos, len) = at(row)?;
                (input.is_valid(row) && with.is_valid(row)).then(|| lay(input.value(row), with.value(row), pos, len))
            })
            .collect();
        return Ok(Arc::new(out.iter().map(|v| v.as_deref()).collect::<BinaryArray>()));
    }
    let (input, with) = (strs(args, 0)?, strs(args, 1)?);
    let out: StringArray = (0..input.len())
        .map(|row| {
            let (pos, len) = at(row)?;
            if input.is_null(row) || with.is_null(row) {
                return None;
            }
            let (a, b): (Vec<char>, Vec<char>) =
                (input.value(row).chars().collect(), with.value(row).chars().collect());
            Some(lay(&a, &b, pos, len).into_iter().collect::<String>())
        })
        .collect();
    Ok(Arc::new(out))
}

/// Editing functions.
pub(crate) fn all() -> Vec<SparkFn> {
    const CUT: &[Arg] = &[Arg::StrOrBin, Arg::Int, Arg::Int];
    const PAD: &[Arg] = &[Arg::StrOrBin, Arg::Int, Arg::StrOrBin];
    vec![
        f("substring", CUT, Ret::Same(0), substring).min(2).also(&["substr"]),
        f("left", &[Arg::StrOrBin, Arg::Int], Ret::Same(0), left),
        f("right", &[Arg::Str, Arg::Int], TEXT, right),
        f("lpad", PAD, Ret::Same(0), |_, a| pad(a, true)).min(2).coerce(padded),
        f("rpad", PAD, Ret::Same(0), |_, a| pad(a, false)).min(2).coerce(padded),
        f("translate", STR3, TEXT, |_, a| three(a, translate, "")),
        f("repeat", &[Arg::Str, Arg::Int], TEXT, repeat),
        f("substring_index", &[Arg::Str, Arg::Str, Arg::Int], TEXT, substring_index),
        f("overlay", &[Arg::StrOrBin, Arg::StrOrBin, Arg::Int, Arg::Int], Ret::Same(0), overlay)
            .min(3)
            .coerce(overlay_types),
    ]
}
