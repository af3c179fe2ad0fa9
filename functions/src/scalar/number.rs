//! Numbers as text by a format, and back: `to_char`, `to_number`, `format_number`.
//!
//! The formats themselves live in the files below; they know nothing of arrays.

mod format;
mod java;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, StringArray};
use arrow::datatypes::{DataType, Decimal128Type, FieldRef, Float32Type, Float64Type, Int32Type};
use datafusion::common::{Result, ScalarValue, internal_err};

use super::coerce::{self, Arg};
use super::read::strs;
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::error::{ErrorKind, SparkError, SparkResult};
use format::NumberFormat;

fn constant<'a>(scalars: &[Option<&'a ScalarValue>], at: usize) -> Option<&'a str> {
    scalars.get(at).copied().flatten().and_then(|value| value.try_as_str()).flatten()
}

/// `to_char` and `to_number` know their format before they run.
fn checked(name: &str, fields: &[FieldRef], scalars: &[Option<&ScalarValue>]) -> SparkResult<Option<NumberFormat>> {
    if let Some(text) = constant(scalars, 1) {
        return NumberFormat::parse(text).map(Some);
    }
    if scalars.get(1).copied().flatten().is_some_and(ScalarValue::is_null) || fields.len() < 2 {
        return Ok(None);
    }
    let shown = fields.get(1).map_or_else(String::new, |field| format!("\"{}\"", field.name()));
    Err(SparkError::analysis(
        "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
        &[
            ("sqlExpr", &format!("\"{name}\"")),
            ("inputName", "`format`"),
            ("inputType", "\"STRING\""),
            ("inputExpr", &shown),
        ],
    ))
}

/// `to_number(text, format)`: a decimal with the digits of the format; `try_to_number` is null where the text differs.
fn to_number(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (texts, formats) = (strs(args, 0)?, strs(args, 1)?);
    let mut held: Option<(String, NumberFormat)> = None;
    let mut out = Vec::with_capacity(texts.len());
    for row in 0..texts.len() {
        if texts.is_null(row) || formats.is_null(row) {
            out.push(None);
            continue;
        }
        let format = formats.value(row);
        if held.as_ref().is_none_or(|(known, _)| known != format) {
            held = Some((format.to_string(), NumberFormat::parse(format)?));
        }
        let read = held.as_ref().and_then(|(_, format)| format.read(texts.value(row)));
        if read.is_none() && !call.name.starts_with("try_") {
            return Err(SparkError::new(
                ErrorKind::IllegalArgument,
                "INVALID_FORMAT.MISMATCH_INPUT",
                &[("inputType", "\"STRING\""), ("input", texts.value(row)), ("format", format)],
            )
            .into());
        }
        out.push(read);
    }
    Ok(Arc::new(Decimal128Array::from(out).with_data_type(call.result.clone())))
}

fn number_type(name: &'static str, fields: &[FieldRef], scalars: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(match checked(name, fields, scalars)? {
        Some(format) => {
            let (precision, scale) = format.decimal();
            DataType::Decimal128(precision, scale)
        }
        None => DataType::Decimal128(38, 0),
    })
}

/// `to_char(number, format)`: digits that do not fit are `#`.
fn to_char(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(values) = args.first().and_then(|a| a.as_primitive_opt::<Decimal128Type>()) else {
        return internal_err!("to_char of no decimal");
    };
    let DataType::Decimal128(_, scale) = *values.data_type() else { return internal_err!("to_char of no decimal") };
    let formats = strs(args, 1)?;
    let mut out = Vec::with_capacity(values.len());
    for row in 0..values.len() {
        if values.is_null(row) || formats.is_null(row) {
            out.push(None);
            continue;
        }
        out.push(Some(NumberFormat::parse(formats.value(row))?.write(values.value(row), scale)));
    }
    Ok(Arc::new(StringArray::from(out)))
}

/// A number of any type as a decimal that holds it.
fn as_decimal(given: &DataType) -> Option<DataType> {
    Some(match given {
        DataType::Decimal128(..) => given.clone(),
        DataType::Int8 => DataType::Decimal128(3, 0),
        DataType::Int16 => DataType::Decimal128(5, 0),
        DataType::Int32 => DataType::Decimal128(10, 0),
        DataType::Int64 => DataType::Decimal128(20, 0),
        DataType::Float32 => DataType::Decimal128(14, 7),
        DataType::Float64 => DataType::Decimal128(30, 15),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Decimal128(38, 18),
        DataType::Null => DataType::Decimal128(10, 0),
        _ => return None,
    })
}

fn char_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let mut wanted = coerce::coerce("to_char", &[Arg::Any, Arg::Str], None, types)?;
    if let (Some(slot), Some(given)) = (wanted.first_mut(), types.first()) {
        *slot = as_decimal(given).ok_or_else(|| coerce::mismatch("to_char", 0, "\"DECIMAL\"", given))?;
    }
    Ok(wanted)
}

/// `format_number(number, decimals | pattern)`: grouped by thousands, half to even; null for negative decimals.
fn format_number(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (Some(values), Some(second)) = (args.first(), args.get(1)) else {
        return internal_err!("format_number without arguments");
    };
    let number = |row: usize| -> Option<java::Number> {
        if values.is_null(row) {
            return None;
        }
        if let Some(decimals) = values.as_primitive_opt::<Decimal128Type>() {
            let scale = if let DataType::Decimal128(_, scale) = decimals.data_type() { *scale } else { 0 };
            return Some(java::Number::Exact(decimals.value(row), scale));
        }
        if let Some(doubles) = values.as_primitive_opt::<Float64Type>() {
            return Some(java::Number::Double(doubles.value(row)));
        }
        values.as_primitive_opt::<Float32Type>().map(|singles| java::Number::Double(f64::from(singles.value(row))))
    };
    let counts = second.as_primitive_opt::<Int32Type>();
    let patterns = second.as_string_opt::<i32>();
    let mut held: Option<(String, java::Pattern)> = None;
    let mut out = Vec::with_capacity(values.len());
    for row in 0..values.len() {
        let Some(number) = number(row).filter(|_| second.is_valid(row)) else {
            out.push(None);
            continue;
        };
        let pattern = match (counts, patterns) {
            (Some(counts), _) => match usize::try_from(counts.value(row)) {
                Ok(0) => "#,###,###,###,###,###,##0".to_string(),
                Ok(count) => format!("#,###,###,###,###,###,##0.{}", "0".repeat(count.min(400))),
                Err(_) => {
                    out.push(None);
                    continue;
                }
            },
            (None, Some(patterns)) if patterns.value(row).is_empty() => "#,###,###,###,###,###,##0".to_string(),
            (None, Some(patterns)) => patterns.value(row).to_string(),
            (None, None) => return internal_err!("format_number with a strange format"),
        };
        if held.as_ref().is_none_or(|(known, _)| *known != pattern) {
            held = Some((pattern.clone(), java::Pattern::parse(&pattern)?));
        }
        out.push(held.as_ref().map(|(_, pattern)| pattern.write(number)));
    }
    Ok(Arc::new(StringArray::from(out)))
}

fn format_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let first = match types.first() {
        Some(t @ (DataType::Float32 | DataType::Float64)) => t.clone(),
        Some(DataType::Null) => DataType::Float64,
        Some(t) if t.is_numeric() => as_decimal(t).unwrap_or(DataType::Float64),
        Some(other) => return Err(coerce::mismatch("format_number", 0, "\"NUMERIC\"", other).into()),
        None => return internal_err!("format_number without arguments"),
    };
    let second = match types.get(1) {
        Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => DataType::Utf8,
        Some(DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Null) => DataType::Int32,
        Some(other) => {
            return Err(coerce::mismatch("format_number", 1, "(\"INT\" or \"STRING\")", other).into());
        }
        None => return internal_err!("format_number without arguments"),
    };
    Ok(vec![first, second])
}

/// Functions of number formats.
pub(crate) fn all() -> Vec<SparkFn> {
    const TWO: &[Arg] = &[Arg::Str, Arg::Str];
    const ANY: &[Arg] = &[Arg::Any, Arg::Any];
    vec![
        f("to_number", TWO, Ret::With(|f, s| number_type("to_number", f, s)), to_number).nulls(Nulls::Always),
        f("try_to_number", TWO, Ret::With(|f, s| number_type("try_to_number", f, s)), to_number).nulls(Nulls::Always),
        f(
            "to_char",
            ANY,
            Ret::With(|f, s| {
                checked("to_char", f, s)?;
                Ok(DataType::Utf8)
            }),
            to_char,
        )
        .coerce(char_types)
        .nulls(Nulls::Always)
        .also(&["to_varchar"]),
        f("format_number", ANY, Ret::Is(DataType::Utf8), format_number).coerce(format_types).nulls(Nulls::Always),
    ]
}
