//! The table function `collations()`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use firesteel_functions::collation::Collation;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::Resolved;
use crate::analyze::Analyzer;

const COLUMNS: [(&str, bool); 9] = [
    ("CATALOG", false),
    ("SCHEMA", false),
    ("NAME", false),
    ("LANGUAGE", true),
    ("COUNTRY", true),
    ("ACCENT_SENSITIVITY", false),
    ("CASE_SENSITIVITY", false),
    ("PAD_ATTRIBUTE", false),
    ("ICU_VERSION", true),
];

impl Analyzer<'_> {
    /// Every collation.
    pub(super) fn collations(&self) -> SparkResult<Resolved> {
        let fields = COLUMNS.iter().map(|(name, nullable)| StructField::new(*name, DataType::String, *nullable));
        let schema = StructType::new(fields.collect());
        let rows: Vec<Vec<Option<String>>> = Collation::all()
            .into_iter()
            .map(|listed| {
                let place = ["SYSTEM", "BUILTIN"].map(|part| Some(part.to_string()));
                place.into_iter().chain(listed.cells()).collect()
            })
            .collect();
        let columns = (0..COLUMNS.len())
            .map(|at| {
                let cells = rows.iter().map(|row| row.get(at).cloned().flatten());
                Arc::new(cells.collect::<StringArray>()) as ArrayRef
            })
            .collect();
        let batch = RecordBatch::try_new(Arc::new(schema.to_arrow_schema()), columns)
            .map_err(|error| SparkError::internal(error.to_string()))?;
        self.rows(&schema, vec![batch])
    }
}
