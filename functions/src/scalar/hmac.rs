//! `hmac(key, message[, algorithm])` over the digests DataFusion has.
//!
//! Source: RFC 2104; Spark's page of `hmac` for the names of the algorithms.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray};
use arrow::datatypes::{DataType, Field};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, internal_err};
use datafusion::functions::crypto;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use datafusion_spark::function::hash as sp;

use super::coerce::Arg;
use super::read::{bins, invalid, strs};
use super::spec::{Call, Nulls, Ret, SparkFn, f};

/// A digest and the bytes of its block.
fn digest_of(name: &str) -> Option<(Arc<ScalarUDF>, usize)> {
    Some(match name.to_ascii_uppercase().replace('-', "").as_str() {
        "MD5" => (crypto::md5(), 64),
        "SHA1" => (sp::sha1(), 64),
        "SHA224" => (crypto::sha224(), 64),
        "SHA256" => (crypto::sha256(), 64),
        "SHA384" => (crypto::sha384(), 128),
        "SHA512" => (crypto::sha512(), 128),
        _ => return None,
    })
}

/// The digests of many texts. Some functions give them as hexadecimal digits.
fn digests(digest: &Arc<ScalarUDF>, texts: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
    let input: ArrayRef = Arc::new(texts.iter().map(|text| Some(text.as_slice())).collect::<BinaryArray>());
    let fields = [Arc::new(Field::new("", DataType::Binary, false))];
    let return_field =
        digest.return_field_from_args(ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &[None] })?;
    let made = digest.invoke_with_args(ScalarFunctionArgs {
        args: vec![ColumnarValue::Array(input)],
        arg_fields: fields.to_vec(),
        number_rows: texts.len(),
        return_field,
        config_options: Arc::new(ConfigOptions::new()),
    })?;
    let made = made.into_array(texts.len())?;
    let text = matches!(made.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let plain = if text { DataType::Utf8 } else { DataType::Binary };
    let made = arrow::compute::cast(&made, &plain)?;
    if let Some(bytes) = made.as_binary_opt::<i32>() {
        return Ok(bytes.iter().map(|bytes| bytes.unwrap_or_default().to_vec()).collect());
    }
    let Some(words) = made.as_string_opt::<i32>() else { return internal_err!("a digest is no binary") };
    let byte = |pair: &[u8]| pair.iter().fold(0, |byte, c| byte << 4 | char::from(*c).to_digit(16).unwrap_or(0) as u8);
    Ok(words.iter().map(|word| word.unwrap_or_default().as_bytes().chunks(2).map(byte).collect()).collect())
}

/// The codes of pairs of key and message.
fn codes(digest: &Arc<ScalarUDF>, block: usize, pairs: &[(&[u8], &[u8])]) -> Result<Vec<Vec<u8>>> {
    let long: Vec<Vec<u8>> = pairs.iter().map(|(key, _)| key.to_vec()).collect();
    let short = digests(digest, &long)?;
    let keys: Vec<Vec<u8>> = long
        .into_iter()
        .zip(short)
        .map(|(key, hashed)| {
            let mut key = if key.len() > block { hashed } else { key };
            key.resize(block, 0);
            key
        })
        .collect();
    let masked = |key: &[u8], mask: u8, rest: &[u8]| -> Vec<u8> {
        key.iter().map(|byte| byte ^ mask).chain(rest.iter().copied()).collect()
    };
    let inner: Vec<Vec<u8>> = keys.iter().zip(pairs).map(|(key, (_, message))| masked(key, 0x36, message)).collect();
    let inner = digests(digest, &inner)?;
    let outer: Vec<Vec<u8>> = keys.iter().zip(&inner).map(|(key, inner)| masked(key, 0x5c, inner)).collect();
    digests(digest, &outer)
}

/// `hmac(key, message[, algorithm])`.
///
/// # Errors
/// `INVALID_PARAMETER_VALUE.HMAC_ALGORITHM`; `HMAC_CRYPTO_ERROR` for an empty key.
fn hmac(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (keys, messages) = (bins(args, 0)?, bins(args, 1)?);
    let names = args.get(2).map(|_| strs(args, 2)).transpose()?;
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for row in 0..keys.len() {
        let named = names.is_none_or(|names| names.is_valid(row));
        if !(keys.is_valid(row) && messages.is_valid(row) && named) {
            continue;
        }
        if keys.value(row).is_empty() {
            let parameters = [("parameter", "`key`"), ("detailMessage", "Empty key")];
            return Err(invalid("HMAC_CRYPTO_ERROR", call.name, &parameters));
        }
        rows.entry(names.map_or("SHA-256", |names| names.value(row))).or_default().push(row);
    }
    let mut out: Vec<Option<Vec<u8>>> = vec![None; keys.len()];
    for (name, rows) in rows {
        let Some((digest, block)) = digest_of(name) else {
            let given = format!("'{name}'");
            let parameters = [("parameter", "`algorithm`"), ("algorithm", given.as_str())];
            return Err(invalid("HMAC_ALGORITHM", call.name, &parameters));
        };
        let pairs: Vec<(&[u8], &[u8])> = rows.iter().map(|row| (keys.value(*row), messages.value(*row))).collect();
        for (row, code) in rows.iter().zip(codes(&digest, block, &pairs)?) {
            if let Some(place) = out.get_mut(*row) {
                *place = Some(code);
            }
        }
    }
    Ok(Arc::new(out.iter().map(|code| code.as_deref()).collect::<BinaryArray>()))
}

/// The function of this file.
pub(crate) fn all() -> Vec<SparkFn> {
    const ARGS: &[Arg] = &[Arg::Bin, Arg::Bin, Arg::Str];
    vec![f("hmac", ARGS, Ret::Is(DataType::Binary), hmac).min(2).nulls(Nulls::Always)]
}
