//! `to_base32` and `from_base32` (RFC 4648): padded when written; letters of either case, and padding optional, when read.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::coerce::Arg;
use super::read::{bins, strs};
use super::spec::{Call, Ret, SparkFn, f};

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let word = (0..5).fold(0_u64, |word, at| (word << 8) | u64::from(chunk.get(at).copied().unwrap_or(0)));
        let digits = (chunk.len() * 8).div_ceil(5);
        for at in 0..8 {
            let digit = ALPHABET.get((word >> (35 - 5 * at) & 31) as usize).copied().unwrap_or(b'A');
            out.push(if at < digits { char::from(digit) } else { '=' });
        }
    }
    out
}

/// Characters that are no digits are passed over; bits that make no whole byte are dropped, except of a digit
/// that begins a group alone: the library Spark uses makes a byte of it.
fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut word, mut bits, mut digits) = (0_u32, 0_u32, 0_usize);
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        let Some(digit) = ALPHABET.iter().position(|known| *known == byte.to_ascii_uppercase()) else { continue };
        word = (word << 5 | digit as u32) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits & 0xff) as u8);
        }
        digits += 1;
    }
    if digits % 8 == 1 {
        // One digit after whole groups makes a byte together with the digit before it.
        out.push((word >> 2 & 0xff) as u8);
    }
    out
}

fn to_base32(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(bins(args, 0)?.iter().map(|bytes| bytes.map(encode)).collect::<StringArray>()))
}

fn from_base32(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(strs(args, 0)?.iter().map(|text| text.map(decode)).collect::<BinaryArray>()))
}

/// Functions of base 32.
pub(crate) fn all() -> Vec<SparkFn> {
    vec![
        f("to_base32", &[Arg::Bin], Ret::Is(DataType::Utf8), to_base32),
        f("from_base32", &[Arg::Str], Ret::Is(DataType::Binary), from_base32),
    ]
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn the_examples_of_the_standard_hold() {
        for (bytes, text) in [("", ""), ("f", "MY======"), ("foob", "MZXW6YQ="), ("foobar", "MZXW6YTBOI======")] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text), bytes.as_bytes());
        }
    }
}
