//! What collated strings may not be in stored tables: keys of maps, partition and bucket columns, and undecided.

use firesteel_functions::error::{SparkError, SparkResult, sql_type};
use firesteel_functions::types::{DataType, StructType};

use crate::catalog::Relation;

/// Refuses columns whose collations cannot be stored.
///
/// # Errors
/// `INDETERMINATE_COLLATION_IN_SCHEMA`, `UNSUPPORTED_FEATURE.COLLATIONS_IN_MAP_KEYS`,
/// `INVALID_PARTITION_COLUMN_DATA_TYPE`, `INVALID_BUCKET_COLUMN_DATA_TYPE`.
pub(super) fn check(relation: &Relation, schema: &StructType) -> SparkResult<()> {
    let mut undecided = Vec::new();
    for field in &schema.fields {
        if field.data_type.collations().iter().any(|collation| collation.is_indeterminate()) {
            undecided.push(field.name.clone());
        }
        if keys(&field.data_type) {
            return Err(SparkError::unsupported_feature("COLLATIONS_IN_MAP_KEYS", &[]));
        }
        let named = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case(&field.name));
        if !field.data_type.is_collated() {
            continue;
        }
        let parameters = [("type", sql_type(&field.data_type))];
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(key, value)| (*key, value.as_str())).collect();
        if named(&relation.partitioned_by) {
            return Err(SparkError::analysis("INVALID_PARTITION_COLUMN_DATA_TYPE", &parameters));
        }
        if relation.buckets.as_ref().is_some_and(|(_, columns, _)| named(columns)) {
            return Err(SparkError::analysis("INVALID_BUCKET_COLUMN_DATA_TYPE", &parameters));
        }
    }
    if undecided.is_empty() {
        return Ok(());
    }
    Err(SparkError::analysis("INDETERMINATE_COLLATION_IN_SCHEMA", &[("columnPaths", &undecided.join(", "))]))
}

/// Whether a map inside has collated keys.
fn keys(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map { key, value, .. } => key.is_collated() || keys(key) || keys(value),
        DataType::Array { element, .. } => keys(element),
        DataType::Struct(fields) => fields.fields.iter().any(|field| keys(&field.data_type)),
        _ => false,
    }
}
