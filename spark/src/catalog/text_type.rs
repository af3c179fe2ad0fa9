//! `CHAR(n)` and `VARCHAR(n)`: types of stored columns, strings everywhere else.
//!
//! A query sees a string whose metadata remembers what was declared, as in Spark, so that what is made of the column
//! (a view, a table) can be declared the same way and comparisons can pad.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use firesteel_functions::types::{DataType, StructField, StructType};

/// Where a column's metadata remembers the declared type.
const KEY: &str = "__CHAR_VARCHAR_TYPE_STRING";

/// The type queries see.
pub(crate) fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Char(_) | DataType::Varchar(_) => DataType::String,
        DataType::Array { element, contains_null } => {
            DataType::Array { element: Box::new(plain(element)), contains_null: *contains_null }
        }
        DataType::Map { key, value, value_contains_null } => DataType::Map {
            key: Box::new(plain(key)),
            value: Box::new(plain(value)),
            value_contains_null: *value_contains_null,
        },
        DataType::Struct(fields) => DataType::Struct(StructType::new(
            fields.fields.iter().map(|f| StructField { data_type: plain(&f.data_type), ..f.clone() }).collect(),
        )),
        other => other.clone(),
    }
}

/// Whether a type has a text of limited length in it.
pub(crate) fn limited(data_type: &DataType) -> bool {
    match data_type {
        DataType::Char(_) | DataType::Varchar(_) => true,
        DataType::Array { element, .. } => limited(element),
        DataType::Map { key, value, .. } => limited(key) || limited(value),
        DataType::Struct(fields) => fields.fields.iter().any(|field| limited(&field.data_type)),
        _ => false,
    }
}

/// Whether reading must pad.
fn has_char(data_type: &DataType) -> bool {
    match data_type {
        DataType::Char(_) => true,
        DataType::Array { element, .. } => has_char(element),
        DataType::Map { key, value, .. } => has_char(key) || has_char(value),
        DataType::Struct(fields) => fields.fields.iter().any(|field| has_char(&field.data_type)),
        _ => false,
    }
}

/// The metadata of a column, with its declared type when that has a length.
pub(crate) fn metadata(field: &StructField) -> Option<String> {
    if !limited(&field.data_type) {
        return field.metadata.clone();
    }
    let mut metadata = parsed(field.metadata.as_deref());
    metadata.insert(KEY.to_string(), field.data_type.simple_string().into());
    Some(serde_json::Value::Object(metadata).to_string())
}

/// The type a column was declared with.
pub(crate) fn declared(field: &StructField) -> DataType {
    match remembered(field.metadata.as_deref()) {
        Some(declared) if plain(&declared) == field.data_type => declared,
        _ => field.data_type.clone(),
    }
}

/// The declared type that metadata remembers.
pub(crate) fn remembered(metadata: Option<&str>) -> Option<DataType> {
    let metadata = metadata.filter(|metadata| metadata.contains(KEY))?;
    crate::sql::parse_data_type(parsed(Some(metadata)).get(KEY)?.as_str()?).ok()
}

fn parsed(metadata: Option<&str>) -> serde_json::Map<String, serde_json::Value> {
    metadata.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// A stored value as queries see it: files of other writers may hold `CHAR` without its spaces.
pub(crate) fn on_read(value: Expr, declared: &DataType) -> Expr {
    if has_char(declared) { call("spark_char_read", value, declared) } else { value }
}

/// A value as it is stored, checked against the declared length.
pub(crate) fn on_write(value: Expr, declared: &DataType) -> Expr {
    if limited(declared) { call("spark_char_write", value, declared) } else { value }
}

/// A constant as a column of the declared type holds it.
pub(crate) fn padded(value: ScalarValue, declared: &DataType) -> ScalarValue {
    match (value, declared) {
        (ScalarValue::Utf8(Some(text)), DataType::Char(length)) => {
            let missing = (*length as usize).saturating_sub(text.chars().count());
            ScalarValue::Utf8(Some(text + &" ".repeat(missing)))
        }
        (value, _) => value,
    }
}

fn call(function: &str, value: Expr, declared: &DataType) -> Expr {
    let declared = declared.json();
    match firesteel_functions::registry().scalar(function) {
        Some(function) => function.call(vec![value, lit(declared)]),
        None => value,
    }
}
