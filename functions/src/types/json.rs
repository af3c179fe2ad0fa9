//! Types as Spark's JSON, the form clients and table properties exchange. It knows nothing of Arrow.

use serde_json::{Map, Value, json};

use super::{DataType, StructField, StructType};
use crate::error::{SparkError, SparkResult};

impl DataType {
    /// The type as compact JSON.
    #[must_use]
    pub fn json(&self) -> String {
        self.json_value().to_string()
    }

    /// The type as a JSON value.
    #[must_use]
    pub fn json_value(&self) -> Value {
        match self {
            Self::Array { element, contains_null } => {
                json!({"type": "array", "elementType": element.json_value(), "containsNull": contains_null})
            }
            Self::Map { key, value, value_contains_null } => json!({
                "type": "map",
                "keyType": key.json_value(),
                "valueType": value.json_value(),
                "valueContainsNull": value_contains_null,
            }),
            Self::Struct(fields) => fields.json_value(),
            other => Value::String(other.type_name()),
        }
    }

    /// Reads Spark's JSON; a bare name such as `long` without quotes is accepted too.
    ///
    /// # Errors
    /// `INVALID_JSON_DATA_TYPE` if the text is no type.
    pub fn from_json(text: &str) -> SparkResult<Self> {
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        Self::from_json_value(&value).ok_or_else(|| invalid(text))
    }

    fn from_json_value(value: &Value) -> Option<Self> {
        let object = match value {
            Value::String(name) => return Self::from_name(name),
            Value::Object(object) => object,
            _ => return None,
        };
        match object.get("type")?.as_str()? {
            "array" => Some(Self::array(
                Self::from_json_value(object.get("elementType")?)?,
                object.get("containsNull")?.as_bool()?,
            )),
            "map" => Some(Self::map(
                Self::from_json_value(object.get("keyType")?)?,
                Self::from_json_value(object.get("valueType")?)?,
                object.get("valueContainsNull")?.as_bool()?,
            )),
            "struct" => {
                let fields = object.get("fields")?.as_array()?.iter().map(field_from_json).collect::<Option<_>>()?;
                Some(Self::Struct(StructType { fields }))
            }
            "udt" => Self::from_json_value(object.get("sqlType")?),
            _ => None,
        }
    }
}

fn field_from_json(value: &Value) -> Option<StructField> {
    let metadata = match value.get("metadata") {
        Some(Value::Object(metadata)) if !metadata.is_empty() => Some(Value::Object(metadata.clone()).to_string()),
        _ => None,
    };
    Some(StructField {
        name: value.get("name")?.as_str()?.to_owned(),
        data_type: DataType::from_json_value(value.get("type")?)?,
        nullable: value.get("nullable")?.as_bool()?,
        metadata,
    })
}

impl StructType {
    /// The columns as compact JSON.
    #[must_use]
    pub fn json(&self) -> String {
        self.json_value().to_string()
    }

    fn json_value(&self) -> Value {
        let fields: Vec<Value> = self.fields.iter().map(StructField::json_value).collect();
        json!({"type": "struct", "fields": fields})
    }

    /// Reads Spark's JSON.
    ///
    /// # Errors
    /// `INVALID_JSON_DATA_TYPE` if the text is no struct.
    pub fn from_json(text: &str) -> SparkResult<Self> {
        match DataType::from_json(text)? {
            DataType::Struct(fields) => Ok(fields),
            _ => Err(invalid(text)),
        }
    }
}

impl StructField {
    fn json_value(&self) -> Value {
        let metadata = self.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok());
        json!({
            "name": self.name,
            "type": self.data_type.json_value(),
            "nullable": self.nullable,
            "metadata": metadata.unwrap_or_else(|| Value::Object(Map::new())),
        })
    }
}

fn invalid(text: &str) -> SparkError {
    SparkError::analysis("INVALID_JSON_DATA_TYPE", &[("invalidType", text)])
}
