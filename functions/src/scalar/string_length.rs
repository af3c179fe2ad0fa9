//! How long strings and binaries are. Null gives null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;

use super::coerce::Arg;
use super::read::strs;
use super::spec::{Ret, SparkFn, f};

/// Bytes of every row, which the offsets tell.
fn bytes(args: &[ArrayRef]) -> Result<Int32Array> {
    let (offsets, nulls) = match args.first().and_then(|value| value.as_binary_opt::<i32>()) {
        Some(binary) => (binary.offsets(), binary.nulls()),
        None => {
            let text = strs(args, 0)?;
            (text.offsets(), text.nulls())
        }
    };
    let ends = offsets.get(1..).unwrap_or_default();
    let lengths: Vec<i32> = offsets.iter().zip(ends).map(|(start, end)| end.wrapping_sub(*start)).collect();
    Ok(Int32Array::new(lengths.into(), nulls.cloned()))
}

/// Characters of strings, bytes of binaries.
fn characters(args: &[ArrayRef]) -> Result<Int32Array> {
    let Some(text) = args.first().and_then(|value| value.as_string_opt::<i32>()) else { return bytes(args) };
    let range = text.offsets().first().zip(text.offsets().last());
    let used = range.and_then(|(from, to)| text.value_data().get(*from as usize..*to as usize));
    if used.is_some_and(<[u8]>::is_ascii) {
        return bytes(args);
    }
    Ok(text.iter().map(|text| text.map(|text| text.chars().count() as i32)).collect())
}

/// `length`, `octet_length` and `bit_length`.
pub(super) fn all() -> Vec<SparkFn> {
    const ANY: &[Arg] = &[Arg::StrOrBin];
    const INT: Ret = Ret::Is(DataType::Int32);
    vec![
        f("length", ANY, INT, |_, a| Ok(Arc::new(characters(a)?))).also(&["len", "char_length", "character_length"]),
        f("octet_length", ANY, INT, |_, a| Ok(Arc::new(bytes(a)?))),
        f("bit_length", ANY, INT, |_, a| Ok(Arc::new(bytes(a)?.unary::<_, Int32Type>(|bytes| bytes.wrapping_mul(8))))),
    ]
}

#[cfg(test)]
mod tests {
    use arrow::array::{BinaryArray, StringArray};

    use super::*;

    #[test]
    fn lengths_are_of_the_rows_at_hand() {
        let texts = [Some("ab"), None, Some(""), Some("größer"), Some("x"), None, Some("yz")];
        let array = StringArray::from(texts.to_vec());
        let binary: BinaryArray = texts.iter().map(|text| text.map(str::as_bytes)).collect();
        for from in 0..=texts.len() {
            for length in 0..=texts.len() - from {
                let rows = &texts[from..from + length];
                let counted: Int32Array =
                    rows.iter().map(|text| text.map(|text| text.chars().count() as i32)).collect();
                let sized: Int32Array = rows.iter().map(|text| text.map(|text| text.len() as i32)).collect();
                let args: [ArrayRef; 1] = [Arc::new(array.slice(from, length))];
                assert_eq!(characters(&args).unwrap(), counted);
                assert_eq!(bytes(&args).unwrap(), sized);
                let args: [ArrayRef; 1] = [Arc::new(binary.slice(from, length))];
                assert_eq!(characters(&args).unwrap(), sized);
            }
        }
    }
}
