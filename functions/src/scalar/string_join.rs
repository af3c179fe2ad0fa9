//! Strings, binaries and arrays put together: `concat`, `concat_ws`, `array_join`, and `elt`, which picks one.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, internal_err};

use super::coerce::{Arg, common, list_of, mismatch};
use super::read::{Column, bins, fail, ints, lists, repeated, strs, text_bytes};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use super::string_part::append;
use crate::error::ErrorKind;

const TEXT: Ret = Ret::Is(DataType::Utf8);

/// `concat(..)`: strings, binaries or arrays; null if any argument is.
fn concat(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    match call.result {
        DataType::List(_) => {
            let args = args.iter().map(|list| repeated(list, call.rows)).collect::<Result<Vec<_>>>()?;
            super::array_build::concat_lists(call, &args)
        }
        DataType::Binary => {
            let all = (0..args.len()).map(|at| bins(args, at).map(Column::new)).collect::<Result<Vec<_>>>()?;
            let out: Vec<Option<Vec<u8>>> = (0..call.rows)
                .map(|row| all.iter().map(|a| a.get(row)).collect::<Option<Vec<_>>>())
                .map(|parts| parts.map(|parts| parts.concat()))
                .collect();
            Ok(Arc::new(out.iter().map(|v| v.as_deref()).collect::<BinaryArray>()))
        }
        _ => {
            let all = (0..args.len()).map(|at| strs(args, at)).collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(concat_texts(call.rows, &all)))
        }
    }
}

fn concat_texts(rows: usize, texts: &[&StringArray]) -> StringArray {
    let bytes = texts.iter().map(|text| if text.len() == rows { text_bytes(text) } else { rows * text_bytes(text) });
    let mut out = StringBuilder::with_capacity(rows, bytes.sum());
    let whole = texts.iter().all(|text| text.null_count() == 0);
    let columns: Vec<_> = texts.iter().map(|text| Column::new(*text)).collect();
    for row in 0..rows {
        if !whole && columns.iter().any(|column| column.get(row).is_none()) {
            out.append_null();
            continue;
        }
        for text in columns.iter().filter_map(|column| column.get(row)) {
            append(&mut out, text);
        }
        out.append_value("");
    }
    out.finish()
}

fn concat_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let one = if types.iter().any(|t| matches!(t, DataType::List(_))) {
        common("concat", types)?
    } else if !types.is_empty() && types.iter().all(|t| *t == DataType::Binary) {
        DataType::Binary
    } else {
        DataType::Utf8
    };
    Ok(vec![one; types.len()])
}

/// `concat_ws(sep, str or array<string>, ..)`: skips nulls; null only when `sep` is.
fn concat_ws(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let sep = strs(args, 0)?;
    let mut out = StringBuilder::new();
    for row in 0..call.rows {
        if sep.is_null(row) {
            out.append_null();
            continue;
        }
        let mut parts: Vec<String> = vec![];
        for (at, arg) in args.iter().enumerate().skip(1) {
            if arg.is_null(row) {
                continue;
            }
            if matches!(arg.data_type(), DataType::List(_)) {
                let values = lists(args, at)?.value(row);
                let Some(values) = values.as_string_opt::<i32>() else { return internal_err!("concat_ws") };
                parts.extend(values.iter().flatten().map(str::to_string));
            } else {
                parts.push(strs(args, at)?.value(row).to_string());
            }
        }
        out.append_value(parts.join(sep.value(row)));
    }
    Ok(Arc::new(out.finish()))
}

/// `array_join(array, delimiter[, nullReplacement])`: skips nulls unless replaced.
fn array_join(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (list, delim) = (lists(args, 0)?, strs(args, 1)?);
    let instead = if args.len() > 2 { Some(strs(args, 2)?) } else { None };
    let mut out = StringBuilder::new();
    for row in 0..list.len() {
        if list.is_null(row) || delim.is_null(row) || instead.is_some_and(|i| i.is_null(row)) {
            out.append_null();
            continue;
        }
        let values = list.value(row);
        let Some(values) = values.as_string_opt::<i32>() else { return internal_err!("array_join") };
        let parts: Vec<&str> = values.iter().filter_map(|v| v.or(instead.map(|i| i.value(row)))).collect();
        out.append_value(parts.join(delim.value(row)));
    }
    Ok(Arc::new(out.finish()))
}

/// The first is an array, or NULL as one.
fn array_first(types: &[DataType]) -> Result<Vec<DataType>> {
    let [first, rest @ ..] = types else { return text_list(types) };
    match first {
        DataType::List(_) | DataType::Null => {
            let others = text_list(rest)?;
            Ok(std::iter::once(list_of(DataType::Utf8, true)).chain(others).collect())
        }
        other => Err(mismatch("array_join", 0, "\"ARRAY<STRING>\"", other).into()),
    }
}

fn text_list(types: &[DataType]) -> Result<Vec<DataType>> {
    let one =
        |t: &DataType| if matches!(t, DataType::List(_)) { list_of(DataType::Utf8, true) } else { DataType::Utf8 };
    Ok(types.iter().map(one).collect())
}

/// `elt(n, input1, ..)`: ANSI fails outside; a null index gives null.
fn elt(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let n = ints(args, 0)?;
    let mut out = StringBuilder::new();
    for row in 0..n.len() {
        let index = if n.is_valid(row) { n.value(row) } else { 0 };
        let chosen = usize::try_from(index).ok().filter(|at| *at >= 1 && *at < args.len());
        match chosen {
            Some(at) => {
                let values = strs(args, at)?;
                out.append_option(values.is_valid(row).then(|| values.value(row)));
            }
            None if n.is_null(row) || !call.options.ansi => out.append_null(),
            None => {
                let (index, size) = (index.to_string(), (args.len() - 1).to_string());
                let parameters = [
                    ("indexValue", index.as_str()),
                    ("arraySize", size.as_str()),
                    ("ansiConfig", "\"spark.sql.ansi.enabled\""),
                ];
                return Err(fail(ErrorKind::ArrayIndex, "INVALID_ARRAY_INDEX", &parameters));
            }
        }
    }
    Ok(Arc::new(out.finish()))
}

/// Functions of this file.
pub(crate) fn all() -> Vec<SparkFn> {
    vec![
        f(
            "concat",
            &[],
            Ret::With(|fields, _| Ok(fields.first().map_or(DataType::Utf8, |field| field.data_type().clone()))),
            concat,
        )
        .rest(Arg::Any)
        .coerce(concat_types)
        .constants(),
        f("concat_ws", &[Arg::Str], TEXT, concat_ws).rest(Arg::Any).coerce(text_list),
        f("array_join", &[Arg::Array, Arg::Str, Arg::Str], TEXT, array_join).min(2).coerce(array_first),
        f("elt", &[Arg::Int, Arg::Str], TEXT, elt).rest(Arg::Str).nulls(Nulls::Always),
    ]
}
