//! `aes_encrypt`, `aes_decrypt`, `try_aes_decrypt`. The modes of operation live in `aes::modes`; nothing here knows blocks.
//!
//! Source: Spark's pages of these functions: an initialization vector that is not given is random and stands before the
//! ciphertext; GCM appends its tag.

mod modes;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};
use rand::RngCore;

use self::modes::{Blocks, Mode};
use super::coerce::Arg;
use super::read::{bins, fail, invalid, strs};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::error::ErrorKind;

/// What a mode is called in messages.
fn named(mode: Mode) -> &'static str {
    match mode {
        Mode::Ecb => "ECB",
        Mode::Cbc => "CBC",
        Mode::Gcm => "GCM",
    }
}

/// The mode of a name and a padding.
fn mode_of(function: &str, mode: &str, padding: &str) -> Result<Mode> {
    let padded = padding.eq_ignore_ascii_case("PKCS") || padding.eq_ignore_ascii_case("DEFAULT");
    let unpadded = padding.eq_ignore_ascii_case("NONE") || padding.eq_ignore_ascii_case("DEFAULT");
    match mode.to_ascii_uppercase().as_str() {
        "ECB" if padded => Ok(Mode::Ecb),
        "CBC" if padded => Ok(Mode::Cbc),
        "GCM" if unpadded => Ok(Mode::Gcm),
        _ => {
            let function = format!("`{function}`");
            let parameters = [("mode", mode), ("padding", padding), ("functionName", &function)];
            Err(fail(ErrorKind::Runtime, "UNSUPPORTED_FEATURE.AES_MODE", &parameters))
        }
    }
}

fn keyed(function: &str, key: &[u8]) -> Result<Blocks> {
    Blocks::new(key).ok_or_else(|| {
        let length = key.len().to_string();
        let parameters = [("parameter", "`key`"), ("actualLength", length.as_str())];
        invalid("AES_KEY_LENGTH", function, &parameters)
    })
}

fn broken(function: &str, why: &str) -> DataFusionError {
    invalid("AES_CRYPTO_ERROR", function, &[("parameter", "`expr`, `key`"), ("detailMessage", why)])
}

/// What a mode does not take.
fn refuse(function: &str, mode: Mode, vector: bool, more: bool) -> Result<()> {
    let function = format!("`{function}`");
    let parameters = [("mode", named(mode)), ("functionName", function.as_str())];
    if vector && mode == Mode::Ecb {
        return Err(fail(ErrorKind::Runtime, "UNSUPPORTED_FEATURE.AES_MODE_IV", &parameters));
    }
    if more && mode != Mode::Gcm {
        return Err(fail(ErrorKind::Runtime, "UNSUPPORTED_FEATURE.AES_MODE_AAD", &parameters));
    }
    Ok(())
}

/// One row's arguments.
struct Row<'a> {
    input: &'a [u8],
    key: &'a [u8],
    mode: &'a str,
    padding: &'a str,
    vector: &'a [u8],
    more: &'a [u8],
}

/// Arguments with Spark's defaults; `None` where one is null.
struct Rows<'a> {
    input: &'a BinaryArray,
    key: &'a BinaryArray,
    mode: Option<&'a StringArray>,
    padding: Option<&'a StringArray>,
    vector: Option<&'a BinaryArray>,
    more: Option<&'a BinaryArray>,
}

impl<'a> Rows<'a> {
    fn new(args: &'a [ArrayRef], vector: Option<usize>, more: usize) -> Result<Self> {
        let bytes = |at: usize| args.get(at).map(|_| bins(args, at)).transpose();
        let text = |at: usize| args.get(at).map(|_| strs(args, at)).transpose();
        Ok(Self {
            input: bins(args, 0)?,
            key: bins(args, 1)?,
            mode: text(2)?,
            padding: text(3)?,
            vector: vector.map_or(Ok(None), bytes)?,
            more: bytes(more)?,
        })
    }
    fn row(&self, row: usize) -> Option<Row<'a>> {
        fn of(array: Option<&BinaryArray>, row: usize) -> Option<&[u8]> {
            array.map_or(Some(&[]), |array| array.is_valid(row).then(|| array.value(row)))
        }
        fn word<'a>(array: Option<&'a StringArray>, row: usize, default: &'a str) -> Option<&'a str> {
            array.map_or(Some(default), |array| array.is_valid(row).then(|| array.value(row)))
        }
        Some(Row {
            input: of(Some(self.input), row)?,
            key: of(Some(self.key), row)?,
            mode: word(self.mode, row, "GCM")?,
            padding: word(self.padding, row, "DEFAULT")?,
            vector: of(self.vector, row)?,
            more: of(self.more, row)?,
        })
    }
    fn collect(&self, work: impl Fn(&Row<'_>) -> Result<Option<Vec<u8>>>) -> Result<ArrayRef> {
        let made = (0..self.input.len())
            .map(|row| self.row(row).map_or(Ok(None), |row| work(&row)))
            .collect::<Result<Vec<Option<Vec<u8>>>>>()?;
        Ok(Arc::new(made.iter().map(|bytes| bytes.as_deref()).collect::<BinaryArray>()))
    }
}

/// `aes_encrypt(expr, key[, mode[, padding[, iv[, aad]]]])`.
///
/// # Errors
/// `INVALID_PARAMETER_VALUE.AES_*`, `UNSUPPORTED_FEATURE.AES_*`.
fn encrypt(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Rows::new(args, Some(4), 5)?.collect(|row| {
        let mode = mode_of(call.name, row.mode, row.padding)?;
        let blocks = keyed(call.name, row.key)?;
        refuse(call.name, mode, !row.vector.is_empty(), !row.more.is_empty())?;
        let wanted = mode.vector_length();
        let mut vector = row.vector.to_vec();
        if vector.is_empty() {
            vector = vec![0; wanted];
            rand::rng().fill_bytes(&mut vector);
        } else if vector.len() != wanted {
            let length = vector.len().to_string();
            let parameters = [("parameter", "`iv`"), ("actualLength", length.as_str()), ("mode", named(mode))];
            return Err(invalid("AES_IV_LENGTH", call.name, &parameters));
        }
        Ok(Some(modes::encrypt(&blocks, mode, &vector, row.more, row.input)))
    })
}

fn opened(name: &str, row: &Row<'_>) -> Result<Vec<u8>> {
    let mode = mode_of(name, row.mode, row.padding)?;
    let blocks = keyed(name, row.key)?;
    refuse(name, mode, false, !row.more.is_empty())?;
    modes::decrypt(&blocks, mode, row.more, row.input).map_err(|why| broken(name, why))
}

/// `aes_decrypt(expr, key[, mode[, padding[, aad]]])`.
///
/// # Errors
/// As [`encrypt`]; bytes that the key does not open.
fn decrypt(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Rows::new(args, None, 4)?.collect(|row| opened(call.name, row).map(Some))
}

/// `try_aes_decrypt(..)`: null where `aes_decrypt` fails.
fn try_decrypt(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Rows::new(args, None, 4)?.collect(|row| Ok(opened("aes_decrypt", row).ok()))
}

/// The functions of this file.
pub(crate) fn all() -> Vec<SparkFn> {
    const ENCRYPT: &[Arg] = &[Arg::Bin, Arg::Bin, Arg::Str, Arg::Str, Arg::Bin, Arg::Bin];
    const DECRYPT: &[Arg] = &[Arg::Bin, Arg::Bin, Arg::Str, Arg::Str, Arg::Bin];
    let binary = || Ret::Is(DataType::Binary);
    vec![
        f("aes_encrypt", ENCRYPT, binary(), encrypt).min(2).nulls(Nulls::Always),
        f("aes_decrypt", DECRYPT, binary(), decrypt).min(2).nulls(Nulls::Always),
        f("try_aes_decrypt", DECRYPT, binary(), try_decrypt).min(2).nulls(Nulls::Always),
    ]
}
