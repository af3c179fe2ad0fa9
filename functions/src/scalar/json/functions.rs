//! The JSON functions. `spark_from_json`, `spark_to_json` and `spark_schema_of_json` are what the analyzer makes of their
//! public namesakes, which are registered for their names only: schema, type and options are literals it has checked.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, StringArray};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};

use super::infer::Infer;
use super::read::{Reader, default_grammar, grammar};
use super::write::{Writer, tree};
use super::{Json, parse, path};
use crate::error::SparkError;
use crate::scalar::coerce::{Arg, list_of};
use crate::scalar::datum;
use crate::scalar::document::{Formats, Options, malformed};
use crate::scalar::read::strs;
use crate::scalar::regexp::text_lists;
use crate::scalar::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::types::DataType as Spark;

/// The literal string of an argument.
pub(crate) fn constant(args: &[ArrayRef], at: usize) -> Result<Option<&str>> {
    let texts = strs(args, at)?;
    Ok((!texts.is_empty() && texts.is_valid(0)).then(|| texts.value(0)))
}

/// The options literal of an argument.
pub(crate) fn options(args: &[ArrayRef], at: usize) -> Result<Options> {
    Ok(Options::parse(constant(args, at)?))
}

/// The Spark type an argument spells as JSON.
pub(crate) fn type_of(args: &[ArrayRef], at: usize) -> Result<Spark> {
    Ok(Spark::from_json(constant(args, at)?.unwrap_or("void"))?)
}

/// The Arrow type of the schema literal at position 1.
pub(crate) fn declared(_: &[FieldRef], constants: &[Option<&ScalarValue>]) -> Result<DataType> {
    let text = constants.get(1).copied().flatten().and_then(|value| value.try_as_str()).flatten();
    let text = text.ok_or_else(|| SparkError::internal("a schema must be a literal"))?;
    Ok(Spark::from_json(text)?.to_arrow())
}

fn get_json_object(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let pairs = strs(args, 0)?.iter().zip(strs(args, 1)?);
    Ok(Arc::new(pairs.map(|(text, at)| path::object(text?, at?)).collect::<StringArray>()))
}

fn parsed(text: Option<&str>) -> Option<Json> {
    parse::parse(text?, default_grammar()).ok().flatten()
}

/// `json_array_length(json)`: NULL unless it is an array.
fn array_length(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let count = |text| match parsed(text)? {
        Json::Array(items) => i32::try_from(items.len()).ok(),
        _ => None,
    };
    Ok(Arc::new(strs(args, 0)?.iter().map(count).collect::<Int32Array>()))
}

/// `json_object_keys(json)`: NULL unless it is an object.
fn object_keys(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let keys = |text| match parsed(text)? {
        Json::Object(fields) => Some(fields.into_iter().map(|(name, _)| name).collect::<Vec<_>>()),
        _ => None,
    };
    Ok(text_lists(strs(args, 0)?.iter().map(keys).collect()))
}

/// `spark_json_field(json, name)`: one column of `json_tuple`.
fn field(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let find = |text, name: Option<&str>| {
        let (Some(Json::Object(fields)), Some(name)) = (parsed(text), name) else { return None };
        match fields.into_iter().rev().find(|(known, _)| known == name)?.1 {
            Json::Null => None,
            Json::Text(text) => Some(text),
            other => Some(other.compact()),
        }
    };
    let pairs = strs(args, 0)?.iter().zip(strs(args, 1)?);
    Ok(Arc::new(pairs.map(|(text, name)| find(text, name)).collect::<StringArray>()))
}

/// `spark_from_json(json, schema, options)`.
fn from_json(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let schema = type_of(args, 1)?;
    let reader = Reader::new(&schema, &options(args, 2)?, call.options)?;
    let mut values = Vec::with_capacity(call.rows);
    for text in strs(args, 0)? {
        values.push(match text {
            Some(text) => reader.read(text)?,
            None => datum::Datum::Null,
        });
    }
    Ok(datum::build(&schema, values)?)
}

/// `spark_to_json(value, type, options)`.
fn to_json(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let data_type = type_of(args, 1)?;
    let options = options(args, 2)?;
    let writer = Writer {
        ignore_nulls: options.flag("ignoreNullFields", true)?,
        formats: Formats::writing(&options, call.options)?,
    };
    let pretty = options.flag("pretty", false)?;
    let Some(array) = args.first() else { return Err(SparkError::internal("to_json without a value").into()) };
    let array = crate::cast::canonical(array, &data_type)?;
    let mut texts = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        let value = datum::read(&data_type, array.as_ref(), row)?;
        if matches!(value, datum::Datum::Null) {
            texts.push(None);
            continue;
        }
        let value = tree(&value, &data_type, &writer)?;
        texts.push(Some(if pretty { value.pretty() } else { value.compact() }));
    }
    Ok(Arc::new(StringArray::from(texts)))
}

/// `spark_schema_of_json(json, options)`.
fn schema_of(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let options = options(args, 1)?;
    let infer = Infer::new(&options, call.options)?;
    let grammar = grammar(&options)?;
    let mut texts = Vec::with_capacity(call.rows);
    for text in strs(args, 0)? {
        let Some(text) = text else {
            texts.push(None);
            continue;
        };
        let value = parse::parse(text, grammar).map_err(|()| malformed(text))?;
        texts.push(Some(value.map_or(Spark::String, |value| infer.schema(&value)).sql()));
    }
    Ok(Arc::new(StringArray::from(texts)))
}

/// `spark_json_record(json, options)`: the columns of a record as JSON; empty text for what is no JSON.
fn record(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let options = options(args, 1)?;
    let infer = Infer::new(&options, call.options)?;
    let grammar = grammar(&options)?;
    let found = |text: &str| match parse::parse(text, grammar) {
        Ok(value) => value.map(|value| infer.record(&value).json()),
        Err(()) => Some(String::new()),
    };
    Ok(Arc::new(strs(args, 0)?.iter().map(|text| found(text?)).collect::<StringArray>()))
}

/// JSON functions.
pub(crate) fn all() -> Vec<SparkFn> {
    const ONE: &[Arg] = &[Arg::Text];
    const TWO: &[Arg] = &[Arg::Text, Arg::Text];
    const TEXT: Ret = Ret::Is(DataType::Utf8);
    const THREE: &[Arg] = &[Arg::Text, Arg::Text, Arg::Text];
    vec![
        f("get_json_object", TWO, TEXT, get_json_object).nulls(Nulls::Always),
        f("json_array_length", ONE, Ret::Is(DataType::Int32), array_length).nulls(Nulls::Always),
        f("json_object_keys", ONE, Ret::Is(list_of(DataType::Utf8, true)), object_keys).nulls(Nulls::Always),
        f("spark_json_field", TWO, TEXT, field).nulls(Nulls::Always),
        f("spark_from_json", THREE, Ret::With(declared), from_json).nulls(Nulls::Always).stable().also(&["from_json"]),
        f("spark_to_json", &[Arg::Any, Arg::Text, Arg::Text], TEXT, to_json).stable().also(&["to_json"]),
        f("spark_json_record", TWO, TEXT, record).nulls(Nulls::Always).stable(),
        f("spark_schema_of_json", TWO, TEXT, schema_of).stable().also(&["schema_of_json"]),
    ]
}
