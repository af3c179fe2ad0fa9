//! `mask(str[, upper[, lower[, digit[, other]]]])`: characters replaced by class.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};

use super::coerce::{Arg, mismatch};
use super::read::strs;
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::error::SparkError;

const NAMES: [&str; 4] = ["upperChar", "lowerChar", "digitChar", "otherChar"];

/// The replacements must be constants of one character.
///
/// # Errors
/// `DATATYPE_MISMATCH.NON_FOLDABLE_INPUT` and `DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE`.
fn checked(_: &[FieldRef], constants: &[Option<&ScalarValue>]) -> Result<DataType> {
    for (name, constant) in NAMES.iter().zip(constants.iter().skip(1)) {
        let sql = "\"mask\"";
        let Some(constant) = constant else {
            let input = format!("`{name}`");
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                &[("sqlExpr", sql), ("inputName", &input), ("inputType", "\"STRING\""), ("inputExpr", sql)],
            )
            .into());
        };
        if let Some(text) = constant.try_as_str().flatten()
            && text.chars().count() != 1
        {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE",
                &[("sqlExpr", sql), ("exprName", name)],
            )
            .into());
        }
    }
    Ok(DataType::Utf8)
}

/// Only strings: nothing is cast.
fn texts(types: &[DataType]) -> Result<Vec<DataType>> {
    for (index, given) in types.iter().enumerate() {
        if !matches!(given, DataType::Utf8 | DataType::Null) {
            return Err(mismatch("mask", index, "\"STRING\"", given).into());
        }
    }
    Ok(vec![DataType::Utf8; types.len()])
}

/// `mask(str[, upper[, lower[, digit[, other]]]])`: a null replacement keeps the characters of its class.
fn mask(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let text = strs(args, 0)?;
    let with = |at: usize, row: usize, default: Option<char>| match args.get(at).and_then(|a| a.as_string_opt::<i32>())
    {
        None => default,
        Some(a) if a.is_null(row) => None,
        Some(a) => a.value(row).chars().next(),
    };
    let out: StringArray = (0..text.len())
        .map(|row| {
            let (upper, lower) = (with(1, row, Some('X')), with(2, row, Some('x')));
            let (digit, other) = (with(3, row, Some('n')), with(4, row, None));
            let change = |c: char| {
                let by = if c.is_uppercase() {
                    upper
                } else if c.is_lowercase() {
                    lower
                } else if c.is_numeric() {
                    digit
                } else {
                    other
                };
                by.unwrap_or(c)
            };
            text.is_valid(row).then(|| text.value(row).chars().map(change).collect::<String>())
        })
        .collect();
    Ok(Arc::new(out))
}

/// Functions of this file.
pub(crate) fn all() -> Vec<SparkFn> {
    const ARGS: &[Arg] = &[Arg::Str, Arg::Str, Arg::Str, Arg::Str, Arg::Str];
    vec![f("mask", ARGS, Ret::With(checked), mask).min(1).coerce(texts).nulls(Nulls::Always)]
}
