//! Text as bytes in a charset and back: `encode` and `decode`. Null gives null.
//!
//! What a charset cannot say is an error, or a mark (`?`, U+FFFD) where the session asks for that.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};

use super::coerce::Arg;
use super::read::{bins, fail, invalid, strs};
use super::spec::{Call, Ret, SparkFn, f};
use crate::error::ErrorKind;

const MARK: char = '\u{fffd}';

#[derive(Debug, Clone, Copy)]
enum Charset {
    Utf8,
    Ascii,
    Latin1,
    Windows1252,
    Utf16(Order),
    Utf32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Big,
    Little,
    /// A mark at the start says it; big without.
    Marked,
}

/// The characters of `windows-1252` from 0x80 to 0x9F; U+FFFD where there is none.
const WINDOWS: &str = "\u{20ac}\u{fffd}\u{201a}\u{192}\u{201e}\u{2026}\u{2020}\u{2021}\u{2c6}\u{2030}\u{160}\u{2039}\u{152}\u{fffd}\u{17d}\u{fffd}\u{fffd}\u{2018}\u{2019}\u{201c}\u{201d}\u{2022}\u{2013}\u{2014}\u{2dc}\u{2122}\u{161}\u{203a}\u{153}\u{fffd}\u{17e}\u{178}";

/// A charset by its name: those Spark 4 documents, or Java's own names for them and a few more where the session allows.
fn charset(call: &Call<'_>, name: &str) -> Result<Charset> {
    let upper = name.to_ascii_uppercase();
    let java = call.options.java_charsets;
    Ok(match upper.as_str() {
        "UTF-8" => Charset::Utf8,
        "US-ASCII" => Charset::Ascii,
        "ISO-8859-1" => Charset::Latin1,
        "UTF-16" => Charset::Utf16(Order::Marked),
        "UTF-16BE" => Charset::Utf16(Order::Big),
        "UTF-16LE" => Charset::Utf16(Order::Little),
        "UTF-32" => Charset::Utf32,
        "UTF8" if java => Charset::Utf8,
        "ASCII" if java => Charset::Ascii,
        "LATIN1" | "ISO8859_1" | "ISO-LATIN-1" if java => Charset::Latin1,
        "WINDOWS-1252" | "CP1252" if java => Charset::Windows1252,
        _ => {
            let known = "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8";
            let parameters = [("parameter", "`charset`"), ("charset", name), ("charsets", known)];
            return Err(invalid("CHARSET", call.name, &parameters));
        }
    })
}

fn malformed(call: &Call<'_>, name: &str) -> DataFusionError {
    let function = format!("`{}`", call.name);
    let parameters = [("function", function.as_str()), ("charset", name)];
    fail(ErrorKind::IllegalArgument, "MALFORMED_CHARACTER_CODING", &parameters)
}

/// One byte for each character, or `None` for a character without.
fn narrow(text: &str, byte: impl Fn(char) -> Option<u8>, marks: bool) -> Option<Vec<u8>> {
    text.chars().map(|c| byte(c).or(marks.then_some(b'?'))).collect()
}

fn windows(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ (0..0x80 | 0xa0..0x100) => u8::try_from(code).ok(),
        _ if c == MARK => None,
        _ => WINDOWS.chars().position(|known| known == c).and_then(|at| u8::try_from(at + 0x80).ok()),
    }
}

fn to_bytes(text: &str, charset: Charset, marks: bool) -> Option<Vec<u8>> {
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    match charset {
        Charset::Utf8 => Some(text.as_bytes().to_vec()),
        Charset::Ascii => narrow(text, |c| u8::try_from(c).ok().filter(u8::is_ascii), marks),
        Charset::Latin1 => narrow(text, |c| u8::try_from(u32::from(c)).ok(), marks),
        Charset::Windows1252 => narrow(text, windows, marks),
        Charset::Utf16(Order::Big) => Some(wide(u16::to_be_bytes)),
        Charset::Utf16(Order::Little) => Some(wide(u16::to_le_bytes)),
        // An empty text gets no mark.
        Charset::Utf16(Order::Marked) if text.is_empty() => Some(vec![]),
        Charset::Utf16(Order::Marked) => Some([0xFE, 0xFF].into_iter().chain(wide(u16::to_be_bytes)).collect()),
        Charset::Utf32 => Some(text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect()),
    }
}

/// Text of 16-bit units; half a pair or half a unit is no character.
fn from_wide(bytes: &[u8], order: fn([u8; 2]) -> u16, marks: bool) -> Option<String> {
    let units = bytes.chunks(2).map(|unit| unit.try_into().map_or(0xD800, order));
    let chars = char::decode_utf16(units).map(|c| c.ok().or(marks.then_some(MARK)));
    chars.collect()
}

fn to_text(bytes: &[u8], charset: Charset, marks: bool) -> Option<String> {
    let one = |decoded: Option<char>| decoded.or(marks.then_some(MARK));
    match charset {
        Charset::Utf8 if marks => Some(String::from_utf8_lossy(bytes).into_owned()),
        Charset::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
        Charset::Ascii => bytes.iter().map(|b| one(b.is_ascii().then(|| char::from(*b)))).collect(),
        Charset::Latin1 => Some(bytes.iter().map(|b| char::from(*b)).collect()),
        Charset::Windows1252 => {
            let high = |b: u8| WINDOWS.chars().nth(usize::from(b) - 0x80).filter(|c| *c != MARK);
            bytes.iter().map(|b| one(if (0x80..0xa0).contains(b) { high(*b) } else { Some(char::from(*b)) })).collect()
        }
        Charset::Utf16(Order::Big) => from_wide(bytes, u16::from_be_bytes, marks),
        Charset::Utf16(Order::Little) => from_wide(bytes, u16::from_le_bytes, marks),
        Charset::Utf16(Order::Marked) => match bytes {
            [0xFF, 0xFE, rest @ ..] => from_wide(rest, u16::from_le_bytes, marks),
            [0xFE, 0xFF, rest @ ..] => from_wide(rest, u16::from_be_bytes, marks),
            _ => from_wide(bytes, u16::from_be_bytes, marks),
        },
        Charset::Utf32 => {
            let (little, rest) = match bytes {
                [0xFF, 0xFE, 0, 0, rest @ ..] => (true, rest),
                [0, 0, 0xFE, 0xFF, rest @ ..] => (false, rest),
                _ => (false, bytes),
            };
            let unit = |unit: &[u8]| {
                let unit: [u8; 4] = unit.try_into().ok()?;
                char::from_u32(if little { u32::from_le_bytes(unit) } else { u32::from_be_bytes(unit) })
            };
            rest.chunks(4).map(|bytes| one(unit(bytes))).collect()
        }
    }
}

/// `encode(text, charset)`.
///
/// # Errors
/// `INVALID_PARAMETER_VALUE.CHARSET`, `MALFORMED_CHARACTER_CODING`.
fn encode(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let marks = call.options.coding_error_marks;
    let rows = strs(args, 0)?.iter().zip(strs(args, 1)?).map(|(text, name)| {
        let Some((text, name)) = text.zip(name) else { return Ok(None) };
        to_bytes(text, charset(call, name)?, marks).map(Some).ok_or_else(|| malformed(call, name))
    });
    let rows = rows.collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(rows.iter().map(|row| row.as_deref()).collect::<BinaryArray>()))
}

/// `decode(bytes, charset)`.
///
/// # Errors
/// `INVALID_PARAMETER_VALUE.CHARSET`, `MALFORMED_CHARACTER_CODING`.
fn decode(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let marks = call.options.coding_error_marks;
    let rows = bins(args, 0)?.iter().zip(strs(args, 1)?).map(|(bytes, name)| {
        let Some((bytes, name)) = bytes.zip(name) else { return Ok(None) };
        to_text(bytes, charset(call, name)?, marks).map(Some).ok_or_else(|| malformed(call, name))
    });
    Ok(Arc::new(rows.collect::<Result<StringArray>>()?))
}

/// Functions of this file.
pub(crate) fn all() -> Vec<SparkFn> {
    vec![
        f("encode", &[Arg::Str, Arg::Str], Ret::Is(DataType::Binary), encode),
        f("decode", &[Arg::Bin, Arg::Str], Ret::Is(DataType::Utf8), decode),
    ]
}
