//! The conditions of a scan's partitions as the rows of its input, so that whoever cuts a plan into tasks cuts them without
//! knowing the scan.
//!
//! Knows nothing of what the conditions say.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;

/// A partition for each condition; one of all rows where there are none.
pub(crate) fn input(conditions: &[Option<String>]) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = Arc::new(Schema::new(vec![Field::new("condition", DataType::Utf8, true)]));
    let row = |condition: &Option<String>| -> Result<Vec<RecordBatch>> {
        let array = Arc::new(StringArray::from(vec![condition.as_deref()]));
        Ok(vec![RecordBatch::try_new(Arc::clone(&schema), vec![array])?])
    };
    let all = if conditions.is_empty() { &[None] } else { conditions };
    let partitions = all.iter().map(row).collect::<Result<Vec<_>>>()?;
    Ok(MemorySourceConfig::try_new_exec(&partitions, schema, None)?)
}

/// The conditions that rows of such an input hold.
pub(crate) async fn read(mut rows: SendableRecordBatchStream) -> Result<Vec<Option<String>>> {
    let mut conditions = Vec::new();
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        if let Some(array) = batch.columns().first() {
            let array = array.as_string_opt::<i32>();
            let array = array.ok_or_else(|| DataFusionError::Internal("a condition is text".into()))?;
            conditions.extend(array.iter().map(|condition| condition.map(str::to_owned)));
        }
    }
    Ok(conditions)
}
