//! The variant functions. `spark_variant_get` is what the analyzer makes of `variant_get`: the type is a literal it has
//! checked; `spark_variant_rows` is what a table of `variant_explode` is unnested from.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::edit::{Change, Edit, strip};
use super::path::{self, Step};
use super::{Node, Variant, cast, castable, decode, from_json, schema};
use crate::cast::{CastMode, canonical};
use crate::error::{ErrorKind, SparkError, SparkResult, sql_type};
use crate::scalar::coerce::{Arg, target};
use crate::scalar::datum::{self, Datum};
use crate::scalar::document::malformed;
use crate::scalar::json::parse::{Grammar, parse};
use crate::scalar::json::{declared, type_of};
use crate::scalar::read::{bools, strs};
use crate::scalar::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::time::Zone;
use crate::types::{DataType as Spark, StructField, StructType};

/// The variants of an argument, decoded.
fn nodes(args: &[ArrayRef], at: usize) -> Result<Vec<Option<Node>>> {
    let Some(array) = args.get(at) else { return Err(SparkError::internal("a variant is missing").into()) };
    let array = canonical(array, &Spark::Variant)?;
    let mut out = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        out.push(match datum::read(&Spark::Variant, array.as_ref(), row)? {
            Datum::Variant(variant) => Some(decode(&variant)?),
            _ => None,
        });
    }
    Ok(out)
}

fn variants(values: Vec<Option<Variant>>) -> Result<ArrayRef> {
    let values = values.into_iter().map(|value| value.map_or(Datum::Null, Datum::Variant)).collect();
    Ok(datum::build(&Spark::Variant, values)?)
}

/// `parse_json(text)`, `try_parse_json(text)`.
fn parse_json(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut out = Vec::with_capacity(call.rows);
    for text in strs(args, 0)? {
        let Some(text) = text else {
            out.push(None);
            continue;
        };
        let value = parse(text, Grammar::default()).ok().flatten();
        let node = value.as_ref().and_then(from_json);
        if node.is_none() && call.name == "parse_json" {
            let repeated = value.as_ref().and_then(repeated_key);
            return Err(match repeated {
                Some(key) => SparkError::runtime("VARIANT_DUPLICATE_KEY", &[("key", &key)]),
                None => malformed(text),
            }
            .into());
        }
        out.push(node.map(|node| node.encode()));
    }
    variants(out)
}

fn repeated_key(value: &crate::scalar::json::Json) -> Option<String> {
    use crate::scalar::json::Json;
    match value {
        Json::Array(items) => items.iter().find_map(repeated_key),
        Json::Object(fields) => {
            let repeats = |index: usize, name: &String| fields.iter().skip(index + 1).any(|(other, _)| other == name);
            let own = fields.iter().enumerate().find(|(index, (name, _))| repeats(*index, name));
            own.map(|(_, (name, _))| name.clone()).or_else(|| fields.iter().find_map(|(_, item)| repeated_key(item)))
        }
        _ => None,
    }
}

/// `is_variant_null(v)`: false for NULL.
fn is_null(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(nodes(args, 0)?.iter().map(|node| Some(*node == Some(Node::Null))).collect::<BooleanArray>()))
}

/// `schema_of_variant(v)`.
fn schema_of(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let texts = nodes(args, 0)?.into_iter().map(|node| node.map(|node| schema::of(&node).to_string()));
    Ok(Arc::new(texts.collect::<StringArray>()))
}

/// `spark_variant_get(v, type, path)`, `spark_try_variant_get(...)`.
fn get(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let to = type_of(args, 1)?;
    let zone = Zone::parse(&call.options.time_zone)?;
    let mode = if call.name == "spark_try_variant_get" { CastMode::Try } else { CastMode::Ansi };
    let function = call.name.trim_start_matches("spark_");
    let mut out = Vec::with_capacity(call.rows);
    let mut steps = Steps::default();
    for (node, path) in nodes(args, 0)?.iter().zip(strs(args, 2)?) {
        out.push(match (node, path) {
            (Some(node), Some(path)) => {
                let steps = steps.of(path).ok_or_else(|| {
                    let function = format!("`{function}`");
                    SparkError::runtime("INVALID_VARIANT_GET_PATH", &[("path", path), ("functionName", &function)])
                })?;
                match path::find(node, steps) {
                    Some(found) => cast::convert(found, &to, mode, &zone)?,
                    None => Datum::Null,
                }
            }
            _ => Datum::Null,
        });
    }
    Ok(datum::build(&to, out)?)
}

/// The last path that was read; most calls have one path for all rows.
#[derive(Default)]
struct Steps(Option<(String, Option<Vec<Step>>)>);

impl Steps {
    fn of(&mut self, path: &str) -> Option<&[Step]> {
        if self.0.as_ref().is_none_or(|(known, _)| known != path) {
            self.0 = Some((path.to_owned(), path::parse(path)));
        }
        self.0.as_ref().and_then(|(_, steps)| steps.as_deref())
    }
}

/// Whether a failed change is NULL.
fn tried<T>(name: &str, result: SparkResult<T>) -> SparkResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if name.starts_with("try_") && error.condition().starts_with("VARIANT_") => Ok(None),
        Err(error) => Err(error),
    }
}

/// `variant_insert(v, path, value)`, `variant_set(v, path, value[, create])`, `variant_array_append(v, path, value)`
/// and what they are called with `try_`. NULL if an argument is.
fn change(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let function = call.name.trim_start_matches("try_");
    let values = match args.get(2) {
        Some(array) => {
            let from = Spark::from_arrow_type(array.data_type())?;
            nodes(&[cast::from_array(array, &from)?], 0)?
        }
        _ => vec![Some(Node::Null); call.rows],
    };
    let create = if args.len() > 3 { Some(bools(args, 3)?) } else { None };
    let paths = strs(args, 1)?;
    let mut steps = Steps::default();
    let mut out = Vec::with_capacity(call.rows);
    for (row, (node, value)) in nodes(args, 0)?.into_iter().zip(values).enumerate() {
        let path = paths.is_valid(row).then(|| paths.value(row));
        let create = create.map_or(Some(true), |create| create.is_valid(row).then(|| create.value(row)));
        let (Some(mut node), Some(value), Some(path), Some(create)) = (node, value, path, create) else {
            out.push(None);
            continue;
        };
        let invalid = || {
            let function = format!("`{function}`");
            SparkError::runtime("INVALID_VARIANT_PATH", &[("path", path), ("functionName", &function)])
        };
        let root_allowed = function == "variant_array_append";
        let steps = steps.of(path).filter(|steps| root_allowed || !steps.is_empty()).ok_or_else(invalid)?;
        let change = Change { function, path, steps };
        let done = match function {
            "variant_insert" => change.put(&mut node, 0, Edit::Insert, value),
            "variant_set" => change.put(&mut node, 0, if create { Edit::Set } else { Edit::Replace }, value),
            _ => change.append(&mut node, 0, value),
        };
        out.push(tried(call.name, done)?.map(|()| node.encode()));
    }
    variants(out)
}

/// `variant_delete(v, path, ...)`: paths from left to right, NULL paths are skipped.
fn delete(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let paths = (1..args.len()).map(|at| strs(args, at)).collect::<Result<Vec<_>>>()?;
    let mut steps = Steps::default();
    let mut out = Vec::with_capacity(call.rows);
    for (row, node) in nodes(args, 0)?.into_iter().enumerate() {
        let Some(mut node) = node else {
            out.push(None);
            continue;
        };
        for path in paths.iter().filter(|paths| paths.is_valid(row)).map(|paths| paths.value(row)) {
            let steps = steps.of(path).filter(|steps| !steps.is_empty()).ok_or_else(|| {
                let function = format!("`{}`", call.name);
                SparkError::runtime("INVALID_VARIANT_PATH", &[("path", path), ("functionName", &function)])
            })?;
            Change { function: call.name, path, steps }.delete(&mut node, 0);
        }
        out.push(Some(node.encode()));
    }
    variants(out)
}

/// `variant_strip_nulls(v[, include_arrays])`.
fn strip_nulls(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let items = if args.len() > 1 { Some(bools(args, 1)?) } else { None };
    let mut out = vec![];
    for (row, node) in nodes(args, 0)?.into_iter().enumerate() {
        let items = items.map_or(Some(true), |items| items.is_valid(row).then(|| items.value(row)));
        out.push(node.zip(items).map(|(mut node, items)| {
            strip(&mut node, items);
            node.encode()
        }));
    }
    variants(out)
}

/// `is_valid_variant(v)`.
fn is_valid(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(array) = args.first() else { return Err(SparkError::internal("a variant is missing").into()) };
    let array = canonical(array, &Spark::Variant)?;
    let mut out = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        out.push(match datum::read(&Spark::Variant, array.as_ref(), row)? {
            Datum::Variant(variant) => Some(decode(&variant).is_ok()),
            _ => None,
        });
    }
    Ok(Arc::new(BooleanArray::from(out)))
}

/// `to_variant_object(value)`.
fn to_object(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(array) = args.first() else { return Err(SparkError::internal("a value is missing").into()) };
    let from = Spark::from_arrow_type(array.data_type())?;
    Ok(cast::from_array(array, &from)?)
}

fn cannot_cast(name: &str, given: &Spark) -> SparkError {
    let shown = format!("\"{name}\"");
    SparkError::new(
        ErrorKind::Analysis,
        "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
        &[("sqlExpr", &shown), ("srcType", &sql_type(given)), ("targetType", "\"VARIANT\"")],
    )
}

fn object_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let Some(given) = types.first() else { return Ok(vec![]) };
    let spark = Spark::from_arrow_type(given)?;
    let nested = matches!(spark, Spark::Struct(_) | Spark::Map { .. } | Spark::Array { .. });
    if !nested || !castable(&spark, true) {
        return Err(cannot_cast("to_variant_object", &spark).into());
    }
    Ok(vec![spark.to_arrow()])
}

fn change_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let mut out = Vec::with_capacity(types.len());
    for (index, given) in types.iter().enumerate() {
        let kind = match index {
            0 => Arg::Variant,
            1 => Arg::Text,
            2 => Arg::Any,
            _ => Arg::Bool,
        };
        let wanted = match kind {
            Arg::Variant => "\"VARIANT\"",
            Arg::Text => "\"STRING\"",
            _ => "\"BOOLEAN\"",
        };
        let to = target(kind, given);
        out.push(to.ok_or_else(|| crate::scalar::coerce::mismatch("variant", index, wanted, given))?);
        let spark = Spark::from_arrow_type(given)?;
        if index == 2 && spark != Spark::Null && !castable(&spark, false) {
            return Err(cannot_cast("variant", &spark).into());
        }
    }
    Ok(out)
}

/// Type of the rows of `variant_explode`.
pub(crate) fn row_type() -> Spark {
    Spark::Struct(StructType::new(vec![
        StructField::new("pos", Spark::Integer, false),
        StructField::new("key", Spark::String, true),
        StructField::new("value", Spark::Variant, false),
    ]))
}

/// `spark_variant_rows(v)`: position, key and value of each item or field; none for other variants.
fn rows(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let row = |index: usize, key: Datum, value: &Node| {
        let position = Datum::Int(i64::try_from(index).unwrap_or(0));
        Datum::Row(vec![position, key, Datum::Variant(value.encode())])
    };
    let lists = nodes(args, 0)?.into_iter().map(|node| match node {
        Some(Node::Array(items)) => {
            Datum::List(items.iter().enumerate().map(|(index, item)| row(index, Datum::Null, item)).collect())
        }
        Some(Node::Object(fields)) => Datum::List(
            fields.iter().enumerate().map(|(i, (name, item))| row(i, Datum::Text(name.clone()), item)).collect(),
        ),
        _ => Datum::List(vec![]),
    });
    Ok(datum::build(&Spark::array(row_type(), false), lists.collect())?)
}

/// Variant functions.
pub(crate) fn all() -> Vec<SparkFn> {
    const ONE: &[Arg] = &[Arg::Variant];
    const GET: &[Arg] = &[Arg::Variant, Arg::Text, Arg::Text];
    const CHANGE: &[Arg] = &[Arg::Variant, Arg::Text, Arg::Any];
    let variant = || Ret::Is(Spark::Variant.to_arrow());
    let changes = |name: &'static str, args: &'static [Arg], also: &'static [&'static str]| {
        f(name, args, variant(), change).coerce(change_types).nulls(Nulls::Always).also(also)
    };
    vec![
        f("parse_json", &[Arg::Text], variant(), parse_json),
        f("try_parse_json", &[Arg::Text], variant(), parse_json).nulls(Nulls::Always),
        f("is_variant_null", ONE, Ret::Is(DataType::Boolean), is_null).nulls(Nulls::Never),
        f("schema_of_variant", ONE, Ret::Is(DataType::Utf8), schema_of),
        f("to_variant_object", &[Arg::Any], variant(), to_object).coerce(object_types),
        f("spark_variant_get", GET, Ret::With(declared), get).nulls(Nulls::Always).stable().also(&[
            "spark_try_variant_get",
            "variant_get",
            "try_variant_get",
        ]),
        changes("variant_insert", CHANGE, &["try_variant_insert"]),
        changes("variant_array_append", CHANGE, &["try_variant_array_append"]),
        changes("variant_set", &[Arg::Variant, Arg::Text, Arg::Any, Arg::Bool], &["try_variant_set"]).min(3),
        f("variant_delete", &[Arg::Variant, Arg::Text], variant(), delete).rest(Arg::Text),
        f("variant_strip_nulls", &[Arg::Variant, Arg::Bool], variant(), strip_nulls).min(1),
        f("is_valid_variant", ONE, Ret::Is(DataType::Boolean), is_valid),
        f("spark_variant_rows", ONE, Ret::Is(Spark::array(row_type(), false).to_arrow()), rows),
    ]
}
