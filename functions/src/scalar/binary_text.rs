//! Bytes written as text and back: `base64`, `unbase64`, `to_binary`, and whether bytes are UTF-8.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, StringArray};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};

use super::coerce::Arg;
use super::read::{bins, fail, strs};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::error::{ErrorKind, SparkError};

const TEXT: Ret = Ret::Is(DataType::Utf8);
const BINARY: Ret = Ret::Is(DataType::Binary);
const ANY: &[Arg] = &[Arg::StrOrBin];

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `base64(bytes)`: padded, in one line.
fn base64(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(bins(args, 0)?.iter().map(|bytes| bytes.map(super::base64::encode)).collect::<StringArray>()))
}

/// Bytes of base64 as MIME has it: other characters are skipped, padding ends it and must be whole.
fn mime(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut word, mut digits) = (0_u32, 0_u32);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'=' {
            // Two digits of a unit want two padding characters side by side, three want one.
            let whole = match digits {
                2 => bytes.next() == Some(b'='),
                3 => true,
                _ => false,
            };
            let over = bytes.all(|rest| !DIGITS.contains(&rest) && rest != b'=');
            return (whole && over).then(|| tail(out, word, digits)).flatten();
        }
        let Some(value) = DIGITS.iter().position(|known| *known == byte) else { continue };
        word = word << 6 | u32::try_from(value).ok()?;
        digits += 1;
        if digits == 4 {
            out.extend([(word >> 16) as u8, (word >> 8) as u8, word as u8]);
            (word, digits) = (0, 0);
        }
    }
    tail(out, word, digits)
}

fn tail(mut out: Vec<u8>, word: u32, digits: u32) -> Option<Vec<u8>> {
    match digits {
        0 => {}
        2 => out.push((word >> 4) as u8),
        3 => out.extend([(word >> 10) as u8, (word >> 2) as u8]),
        _ => return None,
    }
    Some(out)
}

/// The same, refusing what is neither a digit nor white space.
fn strict(text: &str) -> Option<Vec<u8>> {
    let known = |c: char| c.is_whitespace() || c == '=' || u8::try_from(c).is_ok_and(|byte| DIGITS.contains(&byte));
    text.chars().all(known).then(|| mime(text)).flatten()
}

/// `unbase64(text)`.
fn unbase64(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let broken = || -> datafusion::common::DataFusionError {
        SparkError::internal("Last unit does not have enough valid bits").into()
    };
    let rows = strs(args, 0)?.iter().map(|text| text.map(|text| mime(text).ok_or_else(broken)).transpose());
    let rows = rows.collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(rows.iter().map(|row| row.as_deref()).collect::<BinaryArray>()))
}

/// Bytes of hexadecimal digits; an odd count has a zero before it.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<Vec<u8>>>()?;
    let odd = digits.len() % 2;
    let first = digits.iter().take(odd).copied();
    let pairs = digits.get(odd..).unwrap_or_default().chunks_exact(2);
    Some(first.chain(pairs.map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))).collect())
}

/// The format must be a constant among those known; `try_to_binary` forgives an unknown one.
fn format(name: &str, fields: &[FieldRef], constants: &[Option<&ScalarValue>]) -> Result<DataType> {
    if fields.len() < 2 {
        return Ok(DataType::Binary);
    }
    let sql = format!("\"{name}\"");
    let Some(constant) = constants.get(1).copied().flatten() else {
        return Err(SparkError::analysis(
            "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
            &[("sqlExpr", &sql), ("inputName", "`fmt`"), ("inputType", "\"STRING\""), ("inputExpr", &sql)],
        )
        .into());
    };
    let Some(given) = constant.try_as_str().flatten().map(str::to_lowercase) else { return Ok(DataType::Binary) };
    if ["hex", "utf-8", "utf8", "base64"].contains(&given.as_str()) || name != "to_binary" {
        return Ok(DataType::Binary);
    }
    Err(SparkError::analysis(
        "DATATYPE_MISMATCH.INVALID_ARG_VALUE",
        &[
            ("sqlExpr", &sql),
            ("inputName", "fmt"),
            ("requireType", "case-insensitive \"STRING\""),
            ("validValues", "'hex', 'utf-8', 'utf8', or 'base64'"),
            ("inputValue", &format!("'{given}'")),
        ],
    )
    .into())
}

/// `to_binary(text[, format])` with format `hex`, `utf-8` or `base64`.
///
/// # Errors
/// `CONVERSION_INVALID_INPUT`; null from `try_to_binary`.
fn to_binary(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let text = strs(args, 0)?;
    let formats = if args.len() > 1 { Some(strs(args, 1)?) } else { None };
    let lenient = call.name != "to_binary";
    let rows = (0..text.len()).map(|row| {
        if text.is_null(row) || formats.is_some_and(|formats| formats.is_null(row)) {
            return Ok(None);
        }
        let value = text.value(row);
        let format = formats.map_or("hex".to_string(), |formats| formats.value(row).to_lowercase());
        let made = match format.as_str() {
            "utf-8" | "utf8" => Some(value.as_bytes().to_vec()),
            "base64" => strict(value),
            "hex" => hex(value),
            _ => None,
        };
        if made.is_some() || lenient {
            return Ok(made);
        }
        let (shown, format) = (format!("'{value}'"), format!("'{}'", format.to_uppercase()));
        Err(fail(
            ErrorKind::IllegalArgument,
            "CONVERSION_INVALID_INPUT",
            &[("str", &shown), ("fmt", &format), ("targetType", "\"BINARY\""), ("suggestion", "`try_to_binary`")],
        ))
    });
    let rows = rows.collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(rows.iter().map(|row| row.as_deref()).collect::<BinaryArray>()))
}

/// Strings of the engine are UTF-8 already; only binary values can be otherwise.
fn is_valid_utf8(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    if let Some(bytes) = args.first().and_then(|a| a.as_binary_opt::<i32>()) {
        let out: BooleanArray = bytes.iter().map(|b| b.map(|b| std::str::from_utf8(b).is_ok())).collect();
        return Ok(Arc::new(out));
    }
    Ok(Arc::new(strs(args, 0)?.iter().map(|text| text.map(|_| true)).collect::<BooleanArray>()))
}

/// `make_valid_utf8(value)`: what is not UTF-8 becomes U+FFFD.
fn make_valid_utf8(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    match args.first() {
        Some(first) => match first.as_binary_opt::<i32>() {
            Some(bytes) => {
                let out: StringArray = bytes.iter().map(|b| b.map(String::from_utf8_lossy)).collect();
                Ok(Arc::new(out))
            }
            None => Ok(Arc::clone(first)),
        },
        None => datafusion::common::internal_err!("make_valid_utf8 without argument"),
    }
}

/// `validate_utf8(value)` fails on what is not UTF-8, `try_validate_utf8` gives null.
///
/// # Errors
/// `INVALID_UTF8_STRING`.
fn validate_utf8(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(bytes) = args.first().and_then(|a| a.as_binary_opt::<i32>()) else { return make_valid_utf8(call, args) };
    let lenient = call.name != "validate_utf8";
    let rows = bytes.iter().map(|value| {
        let Some(value) = value else { return Ok(None) };
        match std::str::from_utf8(value) {
            Ok(text) => Ok(Some(text)),
            Err(_) if lenient => Ok(None),
            Err(_) => {
                let shown: String = value.iter().map(|byte| format!("\\x{byte:02X}")).collect();
                Err(fail(ErrorKind::IllegalArgument, "INVALID_UTF8_STRING", &[("str", &shown)]))
            }
        }
    });
    Ok(Arc::new(rows.collect::<Result<StringArray>>()?))
}

/// Functions of this file.
pub(crate) fn all() -> Vec<SparkFn> {
    const STR2: &[Arg] = &[Arg::Str, Arg::Str];
    let strict: Ret = Ret::With(|fields, constants| format("to_binary", fields, constants));
    let lenient: Ret = Ret::With(|fields, constants| format("try_to_binary", fields, constants));
    vec![
        f("base64", &[Arg::Bin], TEXT, base64),
        f("unbase64", &[Arg::Str], BINARY, unbase64),
        f("to_binary", STR2, strict, to_binary).min(1).nulls(Nulls::Always),
        f("try_to_binary", STR2, lenient, to_binary).min(1).nulls(Nulls::Always),
        f("is_valid_utf8", ANY, Ret::Is(DataType::Boolean), is_valid_utf8),
        f("make_valid_utf8", ANY, TEXT, make_valid_utf8),
        f("validate_utf8", ANY, TEXT, validate_utf8),
        f("try_validate_utf8", ANY, TEXT, validate_utf8).nulls(Nulls::Always),
    ]
}
