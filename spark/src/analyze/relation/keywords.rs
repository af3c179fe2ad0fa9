//! The table function `sql_keywords()`.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::Resolved;
use crate::analyze::Analyzer;

/// A keyword a line; those that the ANSI grammar reserves are followed by a mark.
static KEYWORDS: &str = include_str!("../../../data/keywords.txt");

impl Analyzer<'_> {
    /// Every keyword of SQL, and whether it is reserved under the session's settings.
    pub(super) fn keywords(&self) -> SparkResult<Resolved> {
        let enforced = self.context.options.ansi && self.context.options.enforce_reserved_keywords;
        let schema = StructType::new(vec![
            StructField::new("keyword", DataType::String, false),
            StructField::new("reserved", DataType::Boolean, false),
        ]);
        let words =
            || KEYWORDS.lines().map(|line| line.split_once(' ').map_or((line, false), |(word, _)| (word, true)));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(words().map(|(word, _)| Some(word)).collect::<StringArray>()),
            Arc::new(words().map(|(_, reserved)| Some(reserved && enforced)).collect::<BooleanArray>()),
        ];
        let batch = RecordBatch::try_new(Arc::new(schema.to_arrow_schema()), columns)
            .map_err(|error| SparkError::internal(error.to_string()))?;
        self.rows(&schema, vec![batch])
    }
}
