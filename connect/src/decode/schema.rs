//! Schemas written as text: DDL or Spark's JSON.

use firesteel_functions::error::SparkResult;
use firesteel_functions::types::{DataType, StructType};
use firesteel_proto::spark::connect as sc;

use super::{data_type, invalid};
use crate::language::Language;

/// A schema as `a INT, b STRING`, as a type, or as JSON.
pub(crate) fn text(text: &str, language: &Language) -> SparkResult<StructType> {
    let trimmed = text.trim_start();
    if trimmed.starts_with('{') {
        return StructType::from_json(text);
    }
    require_struct(language.data_type_or_schema(text)?, text)
}

/// An optional schema where empty text means none.
pub(crate) fn optional_text(schema: Option<&str>, language: &Language) -> SparkResult<Option<StructType>> {
    schema.filter(|schema| !schema.trim().is_empty()).map(|schema| text(schema, language)).transpose()
}

/// A schema sent as a type.
pub(crate) fn message(schema: &sc::DataType, language: &Language) -> SparkResult<StructType> {
    let resolved = data_type(schema, language)?;
    let shown = resolved.sql();
    require_struct(resolved, &shown)
}

fn require_struct(resolved: DataType, shown: &str) -> SparkResult<StructType> {
    match resolved {
        DataType::Struct(schema) => Ok(schema),
        other => {
            let parameters = [("inputSchema", shown), ("dataType", &other.sql())];
            Err(invalid("INVALID_SCHEMA_NON_STRUCT_TYPE", &parameters))
        }
    }
}
