//! Strings: search, distance, tests. Arguments that are no strings are cast; null gives null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Int32Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, internal_err};
use datafusion_spark::function::string as sp;

use super::coerce::{Arg, mismatch, target};
use super::read::{bins, ints, strs};
use super::spec::{Call, Ret, SparkFn, f, wrap};

const STR: &[Arg] = &[Arg::Str];
const STR2: &[Arg] = &[Arg::Str, Arg::Str];
const TEXT: Ret = Ret::Is(DataType::Utf8);
const INT: Ret = Ret::Is(DataType::Int32);
const BOOL: Ret = Ret::Is(DataType::Boolean);

fn map_str(args: &[ArrayRef], work: fn(&str) -> String) -> Result<ArrayRef> {
    Ok(Arc::new(strs(args, 0)?.iter().map(|s| s.map(work)).collect::<StringArray>()))
}

fn test(args: &[ArrayRef], bytes: fn(&[u8], &[u8]) -> bool) -> Result<ArrayRef> {
    let out: BooleanArray = if args.first().is_some_and(|a| a.as_binary_opt::<i32>().is_some()) {
        bins(args, 0)?.iter().zip(bins(args, 1)?).map(|(a, b)| Some(bytes(a?, b?))).collect()
    } else {
        let pairs = strs(args, 0)?.iter().zip(strs(args, 1)?);
        pairs.map(|(a, b)| Some(bytes(a?.as_bytes(), b?.as_bytes()))).collect()
    };
    Ok(Arc::new(out))
}

fn find(hay: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || hay.windows(needle.len()).any(|part| part == needle)
}

/// Both binary, or both strings.
fn alike(types: &[DataType]) -> Result<Vec<DataType>> {
    let binary =
        types.iter().all(|t| matches!(t, DataType::Binary | DataType::Null)) && types.contains(&DataType::Binary);
    if let Some((at, nested)) = types.iter().enumerate().find(|(_, t)| target(Arg::Str, t).is_none()) {
        return Err(mismatch("string", at, "\"STRING\"", nested).into());
    }
    Ok(vec![if binary { DataType::Binary } else { DataType::Utf8 }; types.len()])
}

/// 1-based character position of the `nth` occurrence from `from`, 0 when there is none.
fn position(hay: &str, needle: &str, from: i32, nth: i32) -> i32 {
    let chars: Vec<char> = hay.chars().collect();
    let wanted: Vec<char> = needle.chars().collect();
    if from == 0 || nth < 1 {
        return 0;
    }
    let hit = |at: usize| chars.get(at..at + wanted.len()).is_some_and(|part| part == wanted.as_slice());
    let last = chars.len().checked_sub(wanted.len());
    let Some(last) = last else { return 0 };
    let mut left = nth;
    let mut check = |at: usize| {
        if hit(at) {
            left -= 1;
        }
        left == 0
    };
    let found = if from > 0 {
        ((from as usize - 1)..=last).find(|at| check(*at))
    } else {
        let start = (chars.len() as i64 + i64::from(from)).min(last as i64);
        if start < 0 { None } else { (0..=start as usize).rev().find(|at| check(*at)) }
    };
    found.map_or(0, |at| at as i32 + 1)
}

/// `instr(str, substr[, position[, occurrence]])`.
fn instr(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    positions(args, 0, 1)
}

/// `locate(substr, str[, pos])`, `position`: 0 for a null `pos`.
fn locate(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (needle, hay) = (strs(args, 0)?, strs(args, 1)?);
    let from = if args.len() > 2 { Some(ints(args, 2)?) } else { None };
    let out: Int32Array = (0..hay.len())
        .map(|row| {
            let start = match from {
                Some(from) if from.is_null(row) => return Some(0),
                Some(from) => from.value(row),
                None => 1,
            };
            if hay.is_null(row) || needle.is_null(row) {
                return None;
            }
            Some(if start < 1 { 0 } else { position(hay.value(row), needle.value(row), start, 1) })
        })
        .collect();
    Ok(Arc::new(out))
}

fn positions(args: &[ArrayRef], hay: usize, needle: usize) -> Result<ArrayRef> {
    let (hay, needle) = (strs(args, hay)?, strs(args, needle)?);
    let number = |at: usize, row: usize| match args.get(at) {
        None => Some(1),
        Some(_) => super::read::opt_int(args, at, row),
    };
    let out: Int32Array = (0..hay.len())
        .map(|row| {
            let (from, nth) = (number(2, row)?, number(3, row)?);
            (hay.is_valid(row) && needle.is_valid(row)).then(|| position(hay.value(row), needle.value(row), from, nth))
        })
        .collect();
    Ok(Arc::new(out))
}

fn levenshtein(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (a, b) = (strs(args, 0)?, strs(args, 1)?);
    let limit = if args.len() > 2 { Some(ints(args, 2)?) } else { None };
    let out: Int32Array = (0..a.len())
        .map(|row| {
            if a.is_null(row) || b.is_null(row) || limit.is_some_and(|limit| limit.is_null(row)) {
                return None;
            }
            let distance = datafusion::common::utils::datafusion_strsim::levenshtein(a.value(row), b.value(row)) as i32;
            Some(if limit.is_some_and(|limit| distance > limit.value(row)) { -1 } else { distance })
        })
        .collect();
    Ok(Arc::new(out))
}

fn find_in_set(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let pairs = strs(args, 0)?.iter().zip(strs(args, 1)?);
    let at = |word: &str, list: &str| {
        if word.contains(',') { 0 } else { list.split(',').position(|w| w == word).map_or(0, |at| at as i32 + 1) }
    };
    Ok(Arc::new(pairs.map(|(word, list)| Some(at(word?, list?))).collect::<Int32Array>()))
}

fn reverse(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(first) = args.first() else { return internal_err!("reverse without argument") };
    if let Some(bytes) = first.as_binary_opt::<i32>() {
        let turned: Vec<Option<Vec<u8>>> = bytes.iter().map(|b| b.map(|b| b.iter().rev().copied().collect())).collect();
        return Ok(Arc::new(turned.iter().map(|v| v.as_deref()).collect::<BinaryArray>()));
    }
    if let Some(list) = first.as_list_opt::<i32>() {
        return super::array::reversed(list);
    }
    map_str(args, |s| s.chars().rev().collect())
}

/// Functions of this file and DataFusion's Spark string functions.
pub(crate) fn all() -> Vec<SparkFn> {
    vec![
        f("contains", &[Arg::StrOrBin, Arg::StrOrBin], BOOL, |_, a| test(a, find)).coerce(alike),
        f("startswith", &[Arg::StrOrBin, Arg::StrOrBin], BOOL, |_, a| test(a, |a, b| a.starts_with(b))).coerce(alike),
        f("endswith", &[Arg::StrOrBin, Arg::StrOrBin], BOOL, |_, a| test(a, |a, b| a.ends_with(b))).coerce(alike),
        f("instr", &[Arg::Str, Arg::Str, Arg::Int, Arg::Int], INT, instr).min(2),
        f("locate", &[Arg::Str, Arg::Str, Arg::Int], INT, locate).min(2).also(&["position"]),
        f("levenshtein", &[Arg::Str, Arg::Str, Arg::Int], INT, levenshtein).min(2),
        f("find_in_set", STR2, INT, find_in_set),
        f("reverse", &[Arg::Any], Ret::Same(0), reverse).coerce(|t| {
            Ok(t.iter()
                .map(|t| if matches!(t, DataType::List(_) | DataType::Binary) { t.clone() } else { DataType::Utf8 })
                .collect())
        }),
        wrap("ascii", STR, INT, sp::ascii()),
        wrap("char", &[Arg::Long], TEXT, sp::char()).also(&["chr"]),
        wrap("space", &[Arg::Int], TEXT, sp::space()),
        wrap("soundex", &[Arg::Text], TEXT, sp::soundex()),
        wrap("quote", STR, TEXT, sp::quote()),
        wrap("luhn_check", STR, BOOL, sp::luhn_check()),
        wrap("like", STR2, BOOL, sp::like()),
        wrap("ilike", STR2, BOOL, sp::ilike()),
    ]
}
