//! `SinkExec`: writes each input partition where the sink says and reports one message for it.
//!
//! ```text
//! SinkExec            partition 0 -> (0, message)    partition 1 -> (1, message)
//!   any plan          partition 0                    partition 1
//! ```
//!
//! A partition may be written more than once, when a task is retried; every execution is an attempt with its own name,
//! and only committed messages count. The operator commits nothing.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use firesteel_connectors::sink::PreparedSink;

use super::message_schema;
use crate::thread;

/// Writes its input to a prepared sink.
pub struct SinkExec {
    input: Arc<dyn ExecutionPlan>,
    sink: Arc<PreparedSink>,
    /// Numbers of the job's partitions that this plan's partitions are, when the plan is one task's slice of the job.
    numbers: Option<Arc<[usize]>>,
    properties: Arc<PlanProperties>,
}

impl SinkExec {
    /// Writes `input` to `sink`.
    #[must_use]
    pub fn new(input: Arc<dyn ExecutionPlan>, sink: Arc<PreparedSink>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(message_schema()),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { input, sink, numbers: None, properties: Arc::new(properties) }
    }

    /// The same operator as one task's slice of a job, where its partition `i` is the job's partition `numbers[i]`.
    ///
    /// # Errors
    /// When the slice has another number of partitions than this operator and is not all collapsed into one.
    pub fn sliced(&self, numbers: &[usize]) -> Result<Self> {
        let partitions = self.partitions();
        let numbers: Arc<[usize]> = match numbers {
            [..] if numbers.len() == partitions => numbers.into(),
            // All of the job's partitions collapse into the only one there is.
            [..] if partitions == 1 => [0].as_slice().into(),
            [..] => {
                return Err(DataFusionError::Internal(format!(
                    "a sink of {partitions} partitions cannot be the slice {numbers:?}"
                )));
            }
        };
        Ok(Self { numbers: Some(numbers), ..self.over(Arc::clone(&self.input)) })
    }

    /// Where the rows go.
    #[must_use]
    pub fn sink(&self) -> &Arc<PreparedSink> {
        &self.sink
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self { numbers: self.numbers.clone(), ..Self::new(input, Arc::clone(&self.sink)) }
    }

    fn partitions(&self) -> usize {
        self.input.output_partitioning().partition_count()
    }
}

impl fmt::Debug for SinkExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkExec").field("input", &self.input).finish_non_exhaustive()
    }
}

impl DisplayAs for SinkExec {
    fn fmt_as(&self, _display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SinkExec")
    }
}

impl ExecutionPlan for SinkExec {
    fn name(&self) -> &str {
        "SinkExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// More partitions would only mean more and smaller files.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(self.over(input))),
            _ => Err(DataFusionError::Internal("a sink has one input".into())),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let number = match &self.numbers {
            Some(numbers) => *numbers
                .get(partition)
                .ok_or_else(|| DataFusionError::Internal(format!("a sink has no partition {partition}")))?,
            None => partition,
        };
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let sink = Arc::clone(&self.sink);
        // Encoding and compressing keeps a thread busy for long: one of its own leaves the others to the network.
        let written = thread::run(async move || {
            let message = sink.write(number, &attempt(), input, &context).await?;
            report(number, &message)
        });
        let stream = futures::stream::once(written);
        Ok(Box::pin(RecordBatchStreamAdapter::new(message_schema(), stream)))
    }
}

/// A name no other execution of the partition has.
fn attempt() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn report(partition: usize, message: &firesteel_connectors::sink::CommitMessage) -> Result<RecordBatch> {
    let number = i64::try_from(partition).map_err(|error| DataFusionError::External(Box::new(error)))?;
    let text = serde_json::to_string(message).map_err(|error| DataFusionError::External(Box::new(error)))?;
    let schema: SchemaRef = message_schema();
    Ok(RecordBatch::try_new(
        schema,
        vec![Arc::new(Int64Array::from(vec![number])), Arc::new(StringArray::from(vec![text]))],
    )?)
}
