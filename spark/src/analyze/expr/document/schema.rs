//! Which schemas and options functions over documents take. It knows types only.

use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::{Options, mismatch};
use crate::analyze::errors;

/// The same type with NULL allowed everywhere, because a document may leave out anything.
pub(super) fn nullable(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Array { element, .. } => DataType::array(nullable(element), true),
        DataType::Map { key, value, .. } => DataType::map(nullable(key), nullable(value), true),
        DataType::Struct(fields) => DataType::Struct(StructType::new(
            fields
                .fields
                .iter()
                .map(|f| StructField { data_type: nullable(&f.data_type), nullable: true, ..f.clone() })
                .collect(),
        )),
        other => other.clone(),
    }
}

pub(super) fn check_schema(name: &str, shown: &str, schema: &DataType) -> SparkResult<()> {
    let text = errors::sql_type(schema);
    match (name, schema) {
        ("from_json", DataType::Struct(_) | DataType::Array { .. } | DataType::Map { .. } | DataType::Variant) => {
            if has_other_keys(schema) {
                return Err(mismatch("INVALID_JSON_MAP_KEY_TYPE", shown, &[("schema", &text)]));
            }
            Ok(())
        }
        ("from_json", _) => Err(mismatch("INVALID_JSON_SCHEMA", shown, &[("schema", &text)])),
        ("from_xml", DataType::Struct(_) | DataType::Variant) => {
            if has_other_keys(schema) {
                return Err(mismatch("INVALID_XML_MAP_KEY_TYPE", shown, &[("schema", &text)]));
            }
            Ok(())
        }
        ("from_xml", _) => Err(mismatch("INVALID_XML_SCHEMA", shown, &[("schema", &text)])),
        (_, DataType::Struct(fields)) => {
            let nested = fields
                .fields
                .iter()
                .find(|f| matches!(f.data_type, DataType::Array { .. } | DataType::Map { .. } | DataType::Struct(_)));
            match nested {
                Some(field) => Err(SparkError::analysis(
                    "UNSUPPORTED_DATATYPE",
                    &[("typeName", &errors::sql_type(&field.data_type))],
                )),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

pub(super) fn check_options(name: &str, schema: &DataType, options: &Options) -> SparkResult<()> {
    if options.get("mode").is_some_and(|mode| mode.eq_ignore_ascii_case("DROPMALFORMED")) {
        return Err(SparkError::analysis(
            "PARSE_MODE_UNSUPPORTED",
            &[("funcName", &format!("`{name}`")), ("mode", "DROPMALFORMED")],
        ));
    }
    let corrupt = options.get("columnNameOfCorruptRecord").unwrap_or("_corrupt_record");
    let DataType::Struct(fields) = schema else { return Ok(()) };
    match fields.fields.iter().find(|field| field.name == corrupt) {
        Some(field) if !field.data_type.is_string() => Err(SparkError::analysis(
            "INVALID_CORRUPT_RECORD_TYPE",
            &[("columnName", &format!("`{corrupt}`")), ("actualType", &errors::sql_type(&field.data_type))],
        )),
        _ => Ok(()),
    }
}

fn has_other_keys(data_type: &DataType) -> bool {
    match data_type {
        DataType::Array { element, .. } => has_other_keys(element),
        DataType::Map { key, value, .. } => !key.is_string() || has_other_keys(value),
        DataType::Struct(fields) => fields.fields.iter().any(|field| has_other_keys(&field.data_type)),
        _ => false,
    }
}

pub(super) fn has_lengths(data_type: &DataType) -> bool {
    match data_type {
        DataType::Array { element, .. } => has_lengths(element),
        DataType::Map { key, value, .. } => has_lengths(key) || has_lengths(value),
        DataType::Struct(fields) => fields.fields.iter().any(|field| has_lengths(&field.data_type)),
        other => matches!(other, DataType::Char(_) | DataType::Varchar(_)),
    }
}

pub(super) fn has_variant(data_type: &DataType) -> bool {
    match data_type {
        DataType::Array { element, .. } => has_variant(element),
        DataType::Map { key, value, .. } => has_variant(key) || has_variant(value),
        DataType::Struct(fields) => fields.fields.iter().any(|field| has_variant(&field.data_type)),
        other => *other == DataType::Variant,
    }
}

/// Whether a column list has a colon behind a name, which only the fields of a struct may have.
pub(super) fn has_colon(text: &str) -> bool {
    let (mut depth, mut quoted) = (0_i32, None);
    for character in text.chars() {
        match (quoted, character) {
            (Some(quote), character) if quote == character => quoted = None,
            (Some(_), _) => {}
            (None, '`' | '\'' | '"') => quoted = Some(character),
            (None, '<' | '(') => depth += 1,
            (None, '>' | ')') => depth -= 1,
            (None, ':') if depth == 0 => return true,
            _ => {}
        }
    }
    false
}
