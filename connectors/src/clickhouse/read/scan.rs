//! The physical node of a ClickHouse read, whose partitions are queries of their own.
//!
//! ```text
//! ClickHouseScanExec    SELECT .. FORMAT ArrowStream -> bytes -> batches -> the types promised -> slices
//!   rows of conditions  partition i holds the condition of partition i
//! ```

use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamDecoder;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use tokio::sync::mpsc::Sender;

use super::ReadSpec;
use crate::clickhouse::conform::conform;
use crate::clickhouse::http::{Client, Failure, exception};
use crate::clickhouse::options::Codec;
use crate::conditions;
use crate::error::ConnectorError;

/// What ends a complete stream: a continuation mark and a length of none.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
/// Bytes of an answer's end that are kept, to find an exception in them.
const TAIL: usize = 16 * 1024;

/// Streams a table or query.
#[derive(Debug)]
pub struct ClickHouseScanExec {
    spec: Arc<ReadSpec>,
    conditions: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl ClickHouseScanExec {
    /// A scan of what `spec` says, whose partitions are those of `conditions`.
    pub fn new(spec: ReadSpec, conditions: Arc<dyn ExecutionPlan>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(spec.schema()),
            Partitioning::UnknownPartitioning(conditions.output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { spec: Arc::new(spec), conditions, properties: Arc::new(properties) }
    }

    /// What to encode to rebuild the node elsewhere.
    pub fn spec(&self) -> &ReadSpec {
        &self.spec
    }

    /// Whether the server sends all rows and does not cut them short.
    pub fn brings_all(&self) -> bool {
        self.spec.limit.is_none()
    }
}

impl DisplayAs for ClickHouseScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.spec.columns.iter().map(|column| column.name.as_str()).collect();
        write!(f, "ClickHouseScanExec: from={}, columns=[{}]", self.spec.from, columns.join(", "))?;
        if !self.spec.filters.is_empty() {
            write!(f, ", filters=[{}]", self.spec.filters.join(", "))?;
        }
        Ok(())
    }
}

impl ExecutionPlan for ClickHouseScanExec {
    fn name(&self) -> &'static str {
        "ClickHouseScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.conditions]
    }

    /// Conditions are not rows to be spread.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(conditions), true) => Ok(Arc::new(Self::new(self.spec.as_ref().clone(), conditions))),
            _ => Err(DataFusionError::Internal("a scan has one input".into())),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let batch_size = context.session_config().batch_size();
        let spec = Arc::clone(&self.spec);
        let rows = self.conditions.execute(partition, context)?;
        let mut stream = RecordBatchReceiverStream::builder(self.schema(), 2);
        let sender = stream.tx();
        stream.spawn(async move {
            for condition in conditions::read(rows).await? {
                if !read(&spec, condition.as_deref(), batch_size, &sender).await? {
                    break;
                }
            }
            Ok(())
        });
        Ok(stream.build())
    }
}

/// Sends the rows that meet a condition; false when nobody listens any more.
async fn read(
    spec: &ReadSpec,
    condition: Option<&str>,
    batch_size: usize,
    sender: &Sender<Result<RecordBatch>>,
) -> Result<bool> {
    let client = Client::new(&spec.options.target)?;
    let codec = match spec.options.read_codec {
        Codec::None => "none",
        Codec::Lz4 => "lz4_frame",
        Codec::Zstd => "zstd",
    };
    let mut settings = vec![
        ("output_format_arrow_compression_method", codec.to_owned()),
        ("output_format_arrow_string_as_string", "1".to_owned()),
        ("output_format_arrow_low_cardinality_as_dictionary", "0".to_owned()),
        ("max_block_size", batch_size.to_string()),
    ];
    settings.retain(|(name, _)| !spec.options.target.settings.contains_key(*name));
    let answer = client.stream(&spec.sql(condition), &settings).await;
    let mut answer = answer.map_err(|failure| client.error(failure))?;
    let (schema, mut decoder, mut tail) = (spec.schema(), StreamDecoder::new(), Vec::new());
    loop {
        let bytes = match answer.chunk().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => break,
            Err(error) => {
                let lost = Failure::Lost(crate::error::chain(&error.without_url()));
                return Err(client.error(exception(&tail).unwrap_or(lost)).into());
            }
        };
        tail.extend_from_slice(bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default());
        if tail.len() > 4 * TAIL {
            tail.drain(..tail.len() - TAIL);
        }
        let mut buffer = Buffer::from(bytes);
        while !buffer.is_empty() {
            match decoder.decode(&mut buffer) {
                Ok(Some(batch)) => {
                    if !hand_on(&batch, &schema, batch_size, sender).await? {
                        // Nobody wants more; dropping the answer ends the query.
                        return Ok(false);
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    // Perhaps no Arrow at all, but words of the server, of which the rest is still to come.
                    while let Ok(Some(bytes)) = answer.chunk().await {
                        tail.extend_from_slice(&bytes);
                    }
                    return Err(match exception(&tail) {
                        Some(failure) => client.error(failure).into(),
                        None => DataFusionError::from(error),
                    });
                }
            }
        }
    }
    if tail.ends_with(&END) {
        return Ok(true);
    }
    let cut = Failure::Lost("the answer ended before its end".to_owned());
    Err(client.error(exception(&tail).unwrap_or(cut)).into())
}

/// Sends a batch in pieces; false when nobody listens.
async fn hand_on(
    batch: &RecordBatch,
    schema: &SchemaRef,
    batch_size: usize,
    sender: &Sender<Result<RecordBatch>>,
) -> Result<bool> {
    let rows = batch.num_rows();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        conform(column, field.data_type()).map_err(|error| {
            DataFusionError::from(ConnectorError::InvalidValue {
                column: field.name().clone(),
                row: 0,
                value: "?".to_owned(),
                to: field.data_type().to_string(),
                reason: error.to_string(),
            })
        })
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let whole = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?;
    let mut at = 0;
    while at < rows {
        let length = batch_size.max(1).min(rows - at);
        if sender.send(Ok(whole.slice(at, length))).await.is_err() {
            return Ok(false);
        }
        at += length;
    }
    Ok(true)
}
