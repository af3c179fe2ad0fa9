//! Collations inside types: reading, replacing and removing them. It knows nothing of expressions.

use super::{DataType, StructField, StructType};
use crate::collation::Collation;

impl DataType {
    /// The same type with every string changed.
    #[must_use]
    pub fn map_strings(&self, change: &dyn Fn(&Self) -> Self) -> Self {
        match self {
            text if text.is_string() => change(text),
            Self::Array { element, contains_null } => {
                Self::Array { element: Box::new(element.map_strings(change)), contains_null: *contains_null }
            }
            Self::Map { key, value, value_contains_null } => Self::Map {
                key: Box::new(key.map_strings(change)),
                value: Box::new(value.map_strings(change)),
                value_contains_null: *value_contains_null,
            },
            Self::Struct(fields) => Self::Struct(StructType::new(
                fields
                    .fields
                    .iter()
                    .map(|field| StructField { data_type: field.data_type.map_strings(change), ..field.clone() })
                    .collect(),
            )),
            other => other.clone(),
        }
    }

    /// The same type with plain strings in place of collated ones.
    #[must_use]
    pub fn without_collations(&self) -> Self {
        self.map_strings(&|text| if matches!(text, Self::Collated(_)) { Self::String } else { text.clone() })
    }

    /// The same type with a collation on every string without length.
    #[must_use]
    pub fn with_collation(&self, collation: Collation) -> Self {
        self.map_strings(&|text| match text {
            Self::String | Self::Collated(_) => Self::string_with(collation),
            other => other.clone(),
        })
    }

    /// The collations of the strings in a value, in order, each once.
    #[must_use]
    pub fn collations(&self) -> Vec<Collation> {
        let mut out = Vec::new();
        self.collect_collations(&mut out);
        out
    }

    fn collect_collations(&self, out: &mut Vec<Collation>) {
        match self {
            Self::Array { element, .. } => element.collect_collations(out),
            Self::Map { key, value, .. } => {
                key.collect_collations(out);
                value.collect_collations(out);
            }
            Self::Struct(fields) => fields.fields.iter().for_each(|field| field.data_type.collect_collations(out)),
            other => out.extend(other.collation().filter(|found| !out.contains(found))),
        }
    }

    /// Whether a string in a value is compared otherwise than by its bytes.
    #[must_use]
    pub fn is_collated(&self) -> bool {
        match self {
            Self::Collated(_) => true,
            Self::Array { element, .. } => element.is_collated(),
            Self::Map { key, value, .. } => key.is_collated() || value.is_collated(),
            Self::Struct(fields) => fields.fields.iter().any(|field| field.data_type.is_collated()),
            _ => false,
        }
    }
}
