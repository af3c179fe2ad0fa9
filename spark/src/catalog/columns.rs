//! Between stored columns and Spark's types.

use firesteel_functions::error::SparkResult;
use firesteel_functions::types::{DataType, StructField, StructType};

use super::{Column, Relation};
use crate::spec::ColumnDefinition;

impl Column {
    /// A column of a schema.
    #[must_use]
    pub fn of_field(field: &StructField) -> Self {
        Self {
            name: field.name.clone(),
            data_type: super::text_type::declared(field).json_value(),
            nullable: field.nullable,
            comment: field.comment(),
            default: None,
        }
    }

    /// A column of a definition.
    #[must_use]
    pub fn of_definition(definition: &ColumnDefinition) -> Self {
        Self {
            name: definition.name.clone(),
            data_type: definition.data_type.json_value(),
            nullable: definition.nullable,
            comment: definition.comment.clone(),
            default: definition.default.clone(),
        }
    }

    /// The type.
    pub fn data_type(&self) -> SparkResult<DataType> {
        DataType::from_json(&self.data_type.to_string())
    }

    /// As a field, with its comment in the metadata.
    pub fn field(&self) -> SparkResult<StructField> {
        let mut field = StructField::new(&self.name, self.data_type()?, self.nullable);
        let mut metadata = serde_json::Map::new();
        if let Some(comment) = &self.comment {
            metadata.insert("comment".into(), comment.clone().into());
        }
        if !metadata.is_empty() {
            field.metadata = Some(serde_json::Value::Object(metadata).to_string());
        }
        Ok(field)
    }
}

impl Relation {
    /// All columns as a schema.
    pub fn schema(&self) -> SparkResult<StructType> {
        Ok(StructType::new(self.columns.iter().map(Column::field).collect::<SparkResult<_>>()?))
    }
}
