//! The rows a command answers with.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, ListBuilder, RecordBatchOptions, StringArray, StringBuilder};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::{DataType, StructField, StructType};

/// Rows with Spark's schema; columns by position.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Names and types.
    pub schema: StructType,
    /// Rows.
    pub batches: Vec<RecordBatch>,
}

/// A value of a command's row.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Text(String),
    Null,
    Bool(bool),
    Texts(Vec<String>),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_string())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// A column of text.
pub(crate) fn text(name: &str, nullable: bool) -> StructField {
    StructField::new(name, DataType::String, nullable)
}

/// A column of truth values.
pub(crate) fn flag(name: &str) -> StructField {
    StructField::new(name, DataType::Boolean, false)
}

impl Rows {
    /// The answer of a command that has none: no columns, no rows.
    #[must_use]
    pub fn none() -> Self {
        let options = RecordBatchOptions::new().with_row_count(Some(0));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options);
        Self { schema: StructType::default(), batches: batch.into_iter().collect() }
    }

    /// Rows of these columns.
    pub(crate) fn new(columns: &[StructField], rows: Vec<Vec<Cell>>) -> SparkResult<Self> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len());
        let mut fields = Vec::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            let cells = rows.iter().map(|row| row.get(index));
            let array: ArrayRef = match column.data_type {
                DataType::Boolean => Arc::new(BooleanArray::from_iter(cells.map(|cell| match cell {
                    Some(Cell::Bool(value)) => Some(*value),
                    _ => None,
                }))),
                DataType::Array { .. } => {
                    let element = Field::new("element", arrow::datatypes::DataType::Utf8, true);
                    let mut builder = ListBuilder::new(StringBuilder::new()).with_field(element);
                    for cell in cells {
                        match cell {
                            Some(Cell::Texts(texts)) => builder.append_value(texts.iter().map(Some)),
                            _ => builder.append(false),
                        }
                    }
                    Arc::new(builder.finish())
                }
                _ => Arc::new(StringArray::from_iter(cells.map(|cell| match cell {
                    Some(Cell::Text(value)) => Some(value.as_str()),
                    _ => None,
                }))),
            };
            fields.push(Field::new(&column.name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .map_err(|error| SparkError::internal(error.to_string()))?;
        Ok(Self { schema: StructType::new(columns.to_vec()), batches: vec![batch] })
    }

    /// One row of one column.
    pub(crate) fn one(name: &str, value: impl Into<Cell>) -> SparkResult<Self> {
        let cell = value.into();
        let column = if matches!(cell, Cell::Bool(_)) { flag(name) } else { text(name, false) };
        Self::new(&[column], vec![vec![cell]])
    }
}
