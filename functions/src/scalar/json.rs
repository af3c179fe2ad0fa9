//! JSON texts: paths, sizes and keys.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use serde_json::Value;

use super::coerce::{Arg, list_of};
use super::read::strs;
use super::regexp::text_lists;
use super::spec::{Call, Nulls, Ret, SparkFn, f};

enum Step {
    Key(String),
    Index(usize),
    Every,
}

/// `$`, `.name`, `['name']`, `[n]`, `[*]`, `.*`.
fn path(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = vec![];
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, left) = after.split_at(end);
            match name {
                "" => return None,
                "*" => steps.push(Step::Every),
                name => steps.push(Step::Key(name.to_string())),
            }
            rest = left;
        } else {
            let (inside, left) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(if inside == "*" {
                Step::Every
            } else if let Some(name) = inside.strip_prefix('\'').and_then(|name| name.strip_suffix('\'')) {
                Step::Key(name.to_string())
            } else {
                Step::Index(inside.trim().parse().ok()?)
            });
            rest = left;
        }
    }
    Some(steps)
}

fn walk<'a>(value: &'a Value, steps: &[Step], out: &mut Vec<&'a Value>) {
    let Some((step, rest)) = steps.split_first() else {
        out.push(value);
        return;
    };
    match (step, value) {
        (Step::Key(key), Value::Object(fields)) => {
            if let Some(next) = fields.get(key) {
                walk(next, rest, out);
            }
        }
        // A name applied to an array goes to each of its elements.
        (Step::Key(_), Value::Array(items)) => items.iter().for_each(|item| walk(item, steps, out)),
        (Step::Index(at), Value::Array(items)) => {
            if let Some(next) = items.get(*at) {
                walk(next, rest, out);
            }
        }
        (Step::Every, Value::Array(items)) => items.iter().for_each(|item| walk(item, rest, out)),
        (Step::Every, Value::Object(fields)) => fields.values().for_each(|item| walk(item, rest, out)),
        _ => {}
    }
}

/// `get_json_object(json, path)`: null for bad JSON, a bad path, or nothing found; strings lose their quotes.
pub(crate) fn object(text: &str, at: &str) -> Option<String> {
    let steps = path(at)?;
    let value: Value = serde_json::from_str(text).ok()?;
    let mut found = vec![];
    walk(&value, &steps, &mut found);
    let many = steps.iter().any(|step| matches!(step, Step::Every));
    match found.as_slice() {
        [] => None,
        [Value::Null] => None,
        [Value::String(text)] if !many => Some(text.clone()),
        [one] => Some(one.to_string()),
        all => serde_json::to_string(all).ok(),
    }
}

fn get_json_object(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let pairs = strs(args, 0)?.iter().zip(strs(args, 1)?);
    Ok(Arc::new(pairs.map(|(text, at)| object(text?, at?)).collect::<StringArray>()))
}

/// `json_array_length(json)`: null unless it is an array.
fn array_length(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let count = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Array(items)) => Some(items.len() as i32),
        _ => None,
    };
    Ok(Arc::new(strs(args, 0)?.iter().map(|text| count(text?)).collect::<Int32Array>()))
}

/// `json_object_keys(json)`: null unless it is an object.
fn object_keys(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let keys = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Some(fields.keys().cloned().collect::<Vec<_>>()),
        _ => None,
    };
    Ok(text_lists(strs(args, 0)?.iter().map(|text| keys(text?)).collect()))
}

/// JSON functions.
pub(crate) fn all() -> Vec<SparkFn> {
    const ONE: &[Arg] = &[Arg::Str];
    vec![
        f("get_json_object", &[Arg::Str, Arg::Str], Ret::Is(DataType::Utf8), get_json_object).nulls(Nulls::Always),
        f("json_array_length", ONE, Ret::Is(DataType::Int32), array_length).nulls(Nulls::Always),
        f("json_object_keys", ONE, Ret::Is(list_of(DataType::Utf8, true)), object_keys).nulls(Nulls::Always),
    ]
}
