//! Streaming the rows of a query to its client, with progress in between.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use firesteel_engine::job::JobProgress;
use firesteel_functions::error::{SparkError, SparkResult, from_datafusion};
use firesteel_functions::types::StructType;
use firesteel_proto::spark::connect as sc;
use firesteel_spark::output;
use firesteel_spark::spec::{Plan, Relation};
use futures::StreamExt;
use sc::execute_plan_response::metrics::{MetricObject, MetricValue};
use sc::execute_plan_response::{Metrics, ResponseType};
use tokio::time::MissedTickBehavior;

use super::{Stop, response};
use crate::encode::{self, Chunking, RowBuffer};
use crate::operation::Operation;
use crate::session::ClientSession;

/// How often progress is reported; Spark's `spark.connect.progress.reportInterval`.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(2);

struct Sender<'a> {
    operation: &'a Operation,
    schema: StructType,
    zone: String,
    chunking: Chunking,
    offset: i64,
    messages: usize,
}

pub(super) async fn stream(
    session: &ClientSession,
    operation: &Operation,
    relation: Relation,
    chunking: Chunking,
) -> Result<(), Stop> {
    let zone = session.spark.time_zone();
    let mut execution = session.spark.execute_with(Plan::Query(relation), operation.cancel.child_token()).await?;
    let schema = execution.schema.clone();
    let announced = sc::ExecutePlanResponse { schema: Some(encode::schema(&schema)), ..Default::default() };
    operation.push(announced).await?;

    let mut sender = Sender { operation, schema, zone, chunking, offset: 0, messages: 0 };
    let mut rows = RowBuffer::default();
    let mut reported = JobProgress::default();
    let mut ticks = tokio::time::interval(PROGRESS_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        tokio::select! {
            biased;
            batch = execution.stream.next() => {
                let Some(batch) = batch else { break };
                let batch = batch.map_err(from_datafusion)?;
                rows.push(output::encode_batch(&batch, &sender.schema, &sender.zone)?);
                while let Some(batch) = rows.full().map_err(arrow)? {
                    sender.send(&batch).await?;
                }
            }
            _ = ticks.tick() => {
                let progress = execution.progress.borrow().clone();
                if progress != reported {
                    let message = encode::progress(&progress);
                    operation.push(response(ResponseType::ExecutionProgress(message))).await?;
                    reported = progress;
                }
                // Rows of a slow query should not wait for a full message.
                while let Some(batch) = rows.take().map_err(arrow)? {
                    sender.send(&batch).await?;
                }
            }
        }
    }
    while let Some(batch) = rows.take().map_err(arrow)? {
        sender.send(&batch).await?;
    }
    if sender.messages == 0 {
        let empty = output::empty_batch(&sender.schema, &sender.zone);
        sender.send(&empty).await?;
    }
    let metrics = Some(metrics(sender.offset));
    operation.push(sc::ExecutePlanResponse { metrics, ..Default::default() }).await?;
    if !execution.observations.is_empty() {
        let observed = session.spark.observed(&execution.observations).await?;
        let observed_metrics = observed.iter().map(encode::observed).collect::<SparkResult<_>>()?;
        operation.push(sc::ExecutePlanResponse { observed_metrics, ..Default::default() }).await?;
    }
    Ok(())
}

impl Sender<'_> {
    async fn send(&mut self, batch: &RecordBatch) -> Result<(), Stop> {
        for message in encode::arrow_batches(batch, self.offset, self.chunking).map_err(arrow)? {
            self.operation.push(response(ResponseType::ArrowBatch(message))).await?;
        }
        self.messages += 1;
        self.offset = self.offset.saturating_add(i64::try_from(batch.num_rows()).unwrap_or(i64::MAX));
        Ok(())
    }
}

/// All rows of a command as one batch in wire types.
pub(super) fn joined(batches: &[RecordBatch], schema: &StructType, zone: &str) -> SparkResult<RecordBatch> {
    let mut encoded = vec![];
    for batch in batches {
        encoded.push(output::encode_batch(batch, schema, zone)?);
    }
    match encoded.as_slice() {
        [] => Ok(output::empty_batch(schema, zone)),
        [one] => Ok(one.clone()),
        [first, ..] => {
            concat_batches(&first.schema(), &encoded).map_err(|error| SparkError::internal(error.to_string()))
        }
    }
}

fn metrics(rows: i64) -> Metrics {
    let value = MetricValue { name: "number of output rows".to_string(), value: rows, metric_type: "sum".to_string() };
    let object = MetricObject {
        name: "Result".to_string(),
        plan_id: 0,
        parent: -1,
        execution_metrics: [("numOutputRows".to_string(), value)].into(),
    };
    Metrics { metrics: vec![object] }
}

fn arrow(error: arrow::error::ArrowError) -> Stop {
    Stop::Error(SparkError::internal(error.to_string()))
}
