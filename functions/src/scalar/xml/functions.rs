//! The XPath functions, and what the analyzer makes of `from_xml`, `to_xml` and `schema_of_xml`: schema, type and options
//! are literals it has checked.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array, StringArray,
};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::eval::{Context, Value};
use super::expr::Expr;
use super::read::Reader;
use super::write::Writer;
use super::{Document, Kind, grammar, infer, parse};
use crate::error::{ErrorKind, SparkError, SparkResult};
use crate::scalar::coerce::{Arg, list_of};
use crate::scalar::datum::{self, Datum};
use crate::scalar::json::{declared, options, type_of};
use crate::scalar::read::strs;
use crate::scalar::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::types::DataType as Spark;

/// The value of the path in each text, as `take` makes it; NULL and empty texts and paths give NULL.
fn each<T>(args: &[ArrayRef], take: impl Fn(&Document, Value) -> Option<T>) -> Result<Vec<Option<T>>> {
    let mut path: Option<(String, Expr)> = None;
    let mut out = vec![];
    for (xml, text) in strs(args, 0)?.iter().zip(strs(args, 1)?) {
        let (Some(xml), Some(text)) = (xml.filter(|xml| !xml.is_empty()), text.filter(|path| !path.is_empty())) else {
            out.push(None);
            continue;
        };
        let expr = match &path {
            Some((known, expr)) if known == text => expr,
            _ => &path.insert((text.to_owned(), grammar::parse(text).ok_or_else(|| bad_path(text))?)).1,
        };
        let document = parse::parse(xml).ok_or_else(|| bad_xml(xml))?;
        let context = Context { document: &document, node: 0, position: 1, size: 1 };
        let value = context.eval(expr).ok_or_else(|| bad_path(text))?;
        out.push(take(&document, value));
    }
    Ok(out)
}

fn bad_path(path: &str) -> SparkError {
    let message = format!("Invalid XPath '{path}'");
    SparkError::new(ErrorKind::Runtime, "INTERNAL_ERROR", &[("message", &message)]).with_message(message)
}

fn bad_xml(xml: &str) -> SparkError {
    let message = format!("Invalid XML document: {xml}");
    SparkError::new(ErrorKind::Runtime, "INTERNAL_ERROR", &[("message", &message)]).with_message(message)
}

/// `xpath(xml, path)`: the value of each node; elements have none.
fn xpath(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let lists = each(args, |document, value| match value {
        Value::Nodes(nodes) => Some(Datum::List(
            nodes
                .into_iter()
                .map(|at| if document.is(at, Kind::Element) { Datum::Null } else { Datum::Text(document.text(at)) })
                .collect(),
        )),
        _ => Some(Datum::List(vec![])),
    })?;
    let lists = lists.into_iter().map(|list| list.unwrap_or(Datum::Null)).collect();
    Ok(datum::build(&Spark::array(Spark::String, true), lists)?)
}

fn string(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(StringArray::from(each(args, |document, value| Some(value.text(document)))?)))
}

fn boolean(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(BooleanArray::from(each(args, |_, value| Some(value.bool()))?)))
}

fn numbers(args: &[ArrayRef]) -> Result<Vec<Option<f64>>> {
    each(args, |document, value| Some(value.number(document)))
}

/// Whole numbers as Java narrows doubles: not a number is 0, what is too large stops at the ends.
fn whole(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let numbers = numbers(args)?.into_iter();
    Ok(match call.result {
        DataType::Int16 => Arc::new(numbers.map(|n| n.map(|n| (n as i32) as i16)).collect::<Int16Array>()),
        DataType::Int32 => Arc::new(numbers.map(|n| n.map(|n| n as i32)).collect::<Int32Array>()),
        _ => Arc::new(numbers.map(|n| n.map(|n| n as i64)).collect::<Int64Array>()),
    })
}

fn float(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(numbers(args)?.into_iter().map(|n| n.map(|n| n as f32)).collect::<Float32Array>()))
}

fn double(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(Float64Array::from(numbers(args)?)))
}

/// `spark_from_xml(xml, schema, options)`.
fn from_xml(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let schema = type_of(args, 1)?;
    let reader = Reader::new(&schema, &options(args, 2)?, call.options)?;
    let mut values = Vec::with_capacity(call.rows);
    for text in strs(args, 0)? {
        values.push(text.map_or(Ok(Datum::Null), |text| reader.read(text))?);
    }
    Ok(datum::build(&schema, values)?)
}

/// `spark_to_xml(value, type, options)`.
fn to_xml(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let data_type = type_of(args, 1)?;
    let Some(array) = args.first() else { return Err(SparkError::internal("to_xml without a value").into()) };
    let writer = Writer::new(&options(args, 2)?, call.options)?;
    let array = crate::cast::canonical(array, &data_type)?;
    let text = |row: usize| -> SparkResult<Option<String>> {
        match datum::read(&data_type, array.as_ref(), row)? {
            Datum::Null => Ok(None),
            value => Ok(Some(writer.document(&value, &data_type)?)),
        }
    };
    let texts = (0..array.len()).map(text).collect::<SparkResult<Vec<_>>>()?;
    Ok(Arc::new(StringArray::from(texts)))
}

/// `spark_schema_of_xml(xml, options)`.
fn schema_of(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let options = options(args, 1)?;
    let mut texts = Vec::with_capacity(call.rows);
    for text in strs(args, 0)? {
        let schema = text.map(|text| infer::schema(text, &options, call.options)).transpose()?;
        texts.push(schema.map(|schema| schema.sql()));
    }
    Ok(Arc::new(StringArray::from(texts)))
}

/// XML functions.
pub(crate) fn all() -> Vec<SparkFn> {
    const TWO: &[Arg] = &[Arg::Text, Arg::Text];
    const THREE: &[Arg] = &[Arg::Text, Arg::Text, Arg::Text];
    const TEXT: Ret = Ret::Is(DataType::Utf8);
    let path = |name: &'static str, result: DataType, kernel: crate::scalar::spec::Kernel| {
        f(name, TWO, Ret::Is(result), kernel).nulls(Nulls::Always)
    };
    vec![
        path("xpath", list_of(DataType::Utf8, true), xpath),
        path("xpath_string", DataType::Utf8, string),
        path("xpath_boolean", DataType::Boolean, boolean),
        path("xpath_short", DataType::Int16, whole),
        path("xpath_int", DataType::Int32, whole),
        path("xpath_long", DataType::Int64, whole),
        path("xpath_float", DataType::Float32, float),
        path("xpath_double", DataType::Float64, double).also(&["xpath_number"]),
        f("spark_from_xml", THREE, Ret::With(declared), from_xml).nulls(Nulls::Always).stable().also(&["from_xml"]),
        f("spark_to_xml", &[Arg::Any, Arg::Text, Arg::Text], TEXT, to_xml).stable().also(&["to_xml"]),
        f("spark_schema_of_xml", TWO, TEXT, schema_of).stable().also(&["schema_of_xml"]),
    ]
}
