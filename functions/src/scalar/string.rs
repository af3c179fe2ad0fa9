//! Strings: case, length, search, trimming, encoding. Arguments that are no strings are cast; null gives null.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Int32Array, ListArray, ListBuilder, StringArray, StringBuilder,
};
use arrow::datatypes::DataType;
use datafusion::common::{Result, internal_err};
use datafusion_spark::function::string as sp;

use super::coerce::{Arg, list_of};
use super::read::{bins, ints, invalid, strs};
use super::spec::{Call, Kernel, Nulls, Ret, SparkFn, f, wrap};

const STR: &[Arg] = &[Arg::Str];
const STR2: &[Arg] = &[Arg::Str, Arg::Str];
const ANY_STR: &[Arg] = &[Arg::StrOrBin];
const TEXT: Ret = Ret::Is(DataType::Utf8);
const INT: Ret = Ret::Is(DataType::Int32);
const BOOL: Ret = Ret::Is(DataType::Boolean);

fn map_str(args: &[ArrayRef], work: fn(&str) -> String) -> Result<ArrayRef> {
    Ok(Arc::new(strs(args, 0)?.iter().map(|s| s.map(work)).collect::<StringArray>()))
}

fn map_int(args: &[ArrayRef], text: fn(&str) -> usize, bytes: fn(&[u8]) -> usize) -> Result<ArrayRef> {
    let out: Int32Array = if let Some(b) = args.first().and_then(|a| a.as_binary_opt::<i32>()) {
        b.iter().map(|v| v.map(|v| bytes(v) as i32)).collect()
    } else {
        strs(args, 0)?.iter().map(|v| v.map(|v| text(v) as i32)).collect()
    };
    Ok(Arc::new(out))
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
    Ok(vec![if binary { DataType::Binary } else { DataType::Utf8 }; types.len()])
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut start = true;
    for c in text.chars() {
        if start {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        start = c == ' ';
    }
    out
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

fn trims(args: &[ArrayRef], left: bool, right: bool) -> Result<ArrayRef> {
    let text = strs(args, 0)?;
    let set = if args.len() > 1 { Some(strs(args, 1)?) } else { None };
    let out: StringArray = (0..text.len())
        .map(|row| {
            if text.is_null(row) || set.is_some_and(|set| set.is_null(row)) {
                return None;
            }
            let set = set.map_or(" ", |set| set.value(row));
            let mut value = text.value(row);
            if left {
                value = value.trim_start_matches(|c| set.contains(c));
            }
            if right {
                value = value.trim_end_matches(|c| set.contains(c));
            }
            Some(value)
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

/// Whether a charset is one Spark 4 accepts; its canonical name.
fn charset(name: &str, function: &str) -> Result<&'static str> {
    const ALL: [&str; 7] = ["UTF-8", "US-ASCII", "ISO-8859-1", "UTF-16", "UTF-16BE", "UTF-16LE", "UTF-32"];
    ALL.into_iter().find(|known| known.eq_ignore_ascii_case(name)).ok_or_else(|| {
        invalid(
            "CHARSET",
            function,
            &[
                ("parameter", "`charset`"),
                ("charset", name),
                ("charsets", "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8"),
            ],
        )
    })
}

fn unmappable(function: &str, name: &str) -> datafusion::common::DataFusionError {
    let (function, name) = (format!("`{function}`"), name.to_string());
    super::read::fail(
        crate::error::ErrorKind::IllegalArgument,
        "MALFORMED_CHARACTER_CODING",
        &[("function", &function), ("charset", &name)],
    )
}

pub(crate) fn encode_text(text: &str, name: &str) -> Result<Vec<u8>> {
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    Ok(match charset(name, "encode")? {
        "UTF-8" => text.as_bytes().to_vec(),
        "US-ASCII" if text.is_ascii() => text.as_bytes().to_vec(),
        "ISO-8859-1" if text.chars().all(|c| u32::from(c) < 256) => text.chars().map(|c| u32::from(c) as u8).collect(),
        "UTF-16BE" => wide(u16::to_be_bytes),
        "UTF-16LE" => wide(u16::to_le_bytes),
        "UTF-16" => [0xFE, 0xFF].into_iter().chain(wide(u16::to_be_bytes)).collect(),
        "UTF-32" => text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
        other => return Err(unmappable("encode", other)),
    })
}

pub(crate) fn decode_text(bytes: &[u8], name: &str) -> Result<String> {
    let bad = |name: &str| unmappable("decode", name);
    let wide = |bytes: &[u8], order: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| order([pair[0], pair[1]])).collect();
        String::from_utf16(&units)
    };
    match charset(name, "decode")? {
        "UTF-8" => String::from_utf8(bytes.to_vec()).map_err(|_| bad("UTF-8")),
        "US-ASCII" if bytes.is_ascii() => Ok(bytes.iter().map(|b| char::from(*b)).collect()),
        "ISO-8859-1" => Ok(bytes.iter().map(|b| char::from(*b)).collect()),
        "UTF-16LE" => wide(bytes, u16::from_le_bytes).map_err(|_| bad("UTF-16LE")),
        "UTF-16" if bytes.starts_with(&[0xFF, 0xFE]) => {
            wide(&bytes[2..], u16::from_le_bytes).map_err(|_| bad("UTF-16"))
        }
        "UTF-16" if bytes.starts_with(&[0xFE, 0xFF]) => {
            wide(&bytes[2..], u16::from_be_bytes).map_err(|_| bad("UTF-16"))
        }
        "UTF-16" | "UTF-16BE" => wide(bytes, u16::from_be_bytes).map_err(|_| bad("UTF-16")),
        other => Err(bad(other)),
    }
}

fn encode(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let pairs = strs(args, 0)?.iter().zip(strs(args, 1)?);
    let out = pairs
        .map(|(text, name)| text.zip(name).map(|(text, name)| encode_text(text, name)).transpose())
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(out.iter().map(|v| v.as_deref()).collect::<BinaryArray>()))
}

fn decode(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let pairs = bins(args, 0)?.iter().zip(strs(args, 1)?);
    let out = pairs
        .map(|(bytes, name)| bytes.zip(name).map(|(bytes, name)| decode_text(bytes, name)).transpose())
        .collect::<Result<StringArray>>()?;
    Ok(Arc::new(out))
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

fn sentences(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut out = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for text in strs(args, 0)? {
        let Some(text) = text else {
            out.append(false);
            continue;
        };
        for sentence in text.split_inclusive(['.', '!', '?']) {
            let words =
                sentence.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '-').filter(|w| !w.is_empty());
            let words: Vec<&str> = words.collect();
            if !words.is_empty() {
                words.iter().for_each(|word| out.values().values().append_value(word));
                out.values().append(true);
            }
        }
        out.append(true);
    }
    let made: ListArray = out.finish();
    Ok(Arc::new(made))
}

/// Functions of this file and DataFusion's Spark string functions.
pub(crate) fn all() -> Vec<SparkFn> {
    let upper: Kernel = |_, a| map_str(a, str::to_uppercase);
    let lower: Kernel = |_, a| map_str(a, str::to_lowercase);
    vec![
        f("upper", STR, TEXT, upper).also(&["ucase"]),
        f("lower", STR, TEXT, lower).also(&["lcase"]),
        f("initcap", STR, TEXT, |_, a| map_str(a, title)),
        f("length", ANY_STR, INT, |_, a| map_int(a, |s| s.chars().count(), <[u8]>::len)).also(&[
            "len",
            "char_length",
            "character_length",
        ]),
        f("octet_length", ANY_STR, INT, |_, a| map_int(a, str::len, <[u8]>::len)),
        f("bit_length", ANY_STR, INT, |_, a| map_int(a, |s| 8 * s.len(), |b| 8 * b.len())),
        f("contains", &[Arg::StrOrBin, Arg::StrOrBin], BOOL, |_, a| test(a, find)).coerce(alike),
        f("startswith", &[Arg::StrOrBin, Arg::StrOrBin], BOOL, |_, a| test(a, |a, b| a.starts_with(b))).coerce(alike),
        f("endswith", &[Arg::StrOrBin, Arg::StrOrBin], BOOL, |_, a| test(a, |a, b| a.ends_with(b))).coerce(alike),
        f("instr", &[Arg::Str, Arg::Str, Arg::Int, Arg::Int], INT, instr).min(2),
        f("locate", &[Arg::Str, Arg::Str, Arg::Int], INT, locate).min(2).also(&["position"]),
        f("trim", STR2, TEXT, |_, a| trims(a, true, true)).min(1).also(&["btrim"]),
        f("ltrim", STR2, TEXT, |_, a| trims(a, true, false)).min(1),
        f("rtrim", STR2, TEXT, |_, a| trims(a, false, true)).min(1),
        f("levenshtein", &[Arg::Str, Arg::Str, Arg::Int], INT, levenshtein).min(2),
        f("find_in_set", STR2, INT, find_in_set),
        f("encode", STR2, Ret::Is(DataType::Binary), encode),
        f("decode", &[Arg::Bin, Arg::Str], TEXT, decode),
        f("reverse", &[Arg::Any], Ret::Same(0), reverse).coerce(|t| {
            Ok(t.iter()
                .map(|t| if matches!(t, DataType::List(_) | DataType::Binary) { t.clone() } else { DataType::Utf8 })
                .collect())
        }),
        f(
            "sentences",
            &[Arg::Str, Arg::Str, Arg::Str],
            Ret::Is(list_of(list_of(DataType::Utf8, false), false)),
            sentences,
        )
        .min(1),
        wrap("ascii", STR, INT, sp::ascii()),
        wrap("base64", &[Arg::Bin], TEXT, sp::base64()),
        wrap("unbase64", STR, Ret::Is(DataType::Binary), sp::unbase64()),
        wrap("char", &[Arg::Long], TEXT, sp::char()).also(&["chr"]),
        wrap("space", &[Arg::Int], TEXT, sp::space()),
        wrap("soundex", STR, TEXT, sp::soundex()),
        wrap("quote", STR, TEXT, sp::quote()),
        wrap("luhn_check", STR, BOOL, sp::luhn_check()),
        wrap("is_valid_utf8", ANY_STR, BOOL, sp::is_valid_utf8()),
        wrap("make_valid_utf8", ANY_STR, TEXT, sp::make_valid_utf8()),
        wrap("like", STR2, BOOL, sp::like()),
        wrap("ilike", STR2, BOOL, sp::ilike()),
        wrap("format_string", STR, TEXT, sp::format_string()).rest(Arg::Any).also(&["printf"]).nulls(Nulls::Propagate),
    ]
}
