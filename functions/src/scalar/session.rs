//! Session facts, errors on purpose, types of values, URLs.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, new_null_array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion_spark::function::{math as sp_math, url};

use super::coerce::Arg;
use super::read::{bools, fail, strs};
use super::spec::{Call, Nulls, Ret, SparkFn, f, wrap};
use crate::error::ErrorKind;

const TEXT: Ret = Ret::Is(DataType::Utf8);

fn constant(call: &Call<'_>, text: &str) -> Result<ArrayRef> {
    Ok(Arc::new(StringArray::from(vec![text; call.rows])))
}

fn raised(message: &str) -> datafusion::common::DataFusionError {
    fail(ErrorKind::Runtime, "USER_RAISED_EXCEPTION", &[("errorMessage", message)])
}

/// `raise_error(message)`.
fn raise_error(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let text = strs(args, 0)?;
    if text.is_empty() {
        return Ok(new_null_array(call.result, 0));
    }
    Err(raised(if text.is_valid(0) { text.value(0) } else { "null" }))
}

/// `assert_true(condition[, message])`: null, or `USER_RAISED_EXCEPTION` when the condition is not true.
fn assert_true(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let flags = bools(args, 0)?;
    match (0..flags.len()).find(|row| flags.is_null(*row) || !flags.value(*row)) {
        None => Ok(new_null_array(call.result, flags.len())),
        Some(row) if args.len() > 1 => {
            let text = strs(args, 1)?;
            Err(raised(if text.is_valid(row) { text.value(row) } else { "null" }))
        }
        Some(_) => Err(raised("condition is not true!")),
    }
}

/// True for a scalar subquery's number of rows that is at most one; `SCALAR_SUBQUERY_TOO_MANY_ROWS` otherwise.
fn single_row(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let rows = arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(&args[0]);
    if rows.iter().flatten().any(|rows| rows > 1) {
        return Err(fail(ErrorKind::Execution, "SCALAR_SUBQUERY_TOO_MANY_ROWS", &[]));
    }
    Ok(Arc::new(arrow::array::BooleanArray::from(vec![true; call.rows])))
}

/// Form data as text: `+` is a space, `%XX` a byte; `None` when a sequence is broken.
fn from_form(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// `url_decode(str)` and `try_url_decode(str)`.
///
/// # Errors
/// `CANNOT_DECODE_URL`; null from `try_url_decode`.
fn url_decode(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let rows = strs(args, 0)?.iter().map(|text| match text.map(|text| (text, from_form(text))) {
        None => Ok(None),
        Some((_, Some(decoded))) => Ok(Some(decoded)),
        Some(_) if call.name == "try_url_decode" => Ok(None),
        Some((text, None)) => Err(fail(ErrorKind::IllegalArgument, "CANNOT_DECODE_URL", &[("url", text)])),
    });
    Ok(Arc::new(rows.collect::<Result<StringArray>>()?))
}

/// Functions that fit nowhere else.
pub(crate) fn all() -> Vec<SparkFn> {
    const TWO_NUM: &[Arg] = &[Arg::Num, Arg::Num];
    const STR: &[Arg] = &[Arg::Str];
    vec![
        f("current_catalog", &[], TEXT, |c, _| constant(c, &c.options.current_catalog)).stable(),
        f("current_database", &[], TEXT, |c, _| constant(c, &c.options.current_database))
            .stable()
            .also(&["current_schema"]),
        f("current_user", &[], TEXT, |c, _| constant(c, &c.options.user)).stable().also(&["user", "session_user"]),
        f("version", &[], TEXT, |c, _| constant(c, "4.3.0 98bc0212c94705434471627068f41e374ccab143")),
        f("raise_error", STR, Ret::Is(DataType::Null), raise_error).volatile().nulls(Nulls::Always),
        f("assert_true", &[Arg::Bool, Arg::Str], Ret::Is(DataType::Null), assert_true)
            .min(1)
            .volatile()
            .nulls(Nulls::Always),
        f(crate::SINGLE_ROW, &[Arg::Long], Ret::Is(DataType::Boolean), single_row).nulls(Nulls::Never),
        f("typeof", &[Arg::Any], TEXT, |c, a| {
            let field = arrow::datatypes::Field::new("", a[0].data_type().clone(), true);
            let name = crate::types::DataType::from_arrow(&field)?.simple_string();
            constant(c, &name)
        })
        .nulls(Nulls::Never),
        wrap("url_encode", STR, TEXT, url::url_encode()),
        f("url_decode", STR, TEXT, url_decode),
        f("try_url_decode", STR, TEXT, url_decode).nulls(Nulls::Always),
        wrap("pmod", TWO_NUM, Ret::Same(0), sp_math::pmod())
            .ansi()
            .coerce(super::coerce::all_common)
            .nulls(Nulls::Always),
        wrap("mod", TWO_NUM, Ret::Same(0), sp_math::modulus())
            .ansi()
            .coerce(super::coerce::all_common)
            .nulls(Nulls::Always),
    ]
}
