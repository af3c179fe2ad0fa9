//! Brings a finished job's rows from the executors that hold them, in partition order, a few partitions ahead.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use ballista_core::serde::protobuf::PartitionLocation;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use firesteel_engine::cancel;
use firesteel_service::tasks::{self, Task};
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::follow::{Attempt, Follower, Outcome};
use super::holders::Holders;

/// Partitions opened ahead of the one being read.
const OPEN_AHEAD: usize = 4;
/// Batches fetched ahead of the reader.
const BATCHES_AHEAD: usize = 8;

/// Times a job is run again after executors were lost.
const RESTARTS: usize = 3;

/// The rows of a job once it has finished. Dropping the stream cancels the job and frees its data.
pub(super) fn stream(
    follower: Follower,
    first: Attempt,
    schema: SchemaRef,
    token: CancellationToken,
) -> SendableRecordBatchStream {
    let (sender, receiver) = mpsc::channel::<Result<RecordBatch>>(BATCHES_AHEAD);
    let target = SchemaRef::clone(&schema);
    let work = async move {
        match run(&follower, first, &target, &sender).await {
            Ok(()) => true,
            Err(error) => {
                // Nobody is left to tell when the reader has gone.
                let _ = sender.send(Err(error)).await;
                false
            }
        }
    };
    let state = Rows { receiver, task: Some(tasks::spawn("job", work)), token, ended: false };
    let rows = futures::stream::unfold(state, |mut rows| async move { rows.next().await.map(|item| (item, rows)) });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

/// Runs the job until its rows are sent, from the beginning whenever executors were lost before the first row was.
async fn run(
    follower: &Follower,
    first: Attempt,
    schema: &SchemaRef,
    sender: &mpsc::Sender<Result<RecordBatch>>,
) -> Result<()> {
    let mut attempt = first;
    for _ in 0..=RESTARTS {
        let id = attempt.id.clone();
        match follower.finished(&mut attempt).await? {
            Outcome::Rows(locations) => {
                let mut sent = 0;
                match send_all(&follower.holders, locations, schema, sender, &mut sent).await {
                    Err(error) if sent == 0 => tracing::warn!(job_id = %id, %error, "the rows of a job were lost"),
                    outcome => return outcome,
                }
            }
            Outcome::Untrusted => tracing::warn!(job_id = %id, "executors were lost while a job ran"),
        }
        tracing::info!(job_id = %id, "running the job again from the beginning");
        attempt = follower.submit().await?;
    }
    Err(DataFusionError::Execution(format!(
        "executors were lost again and again: the job was run {} times",
        RESTARTS + 1
    )))
}

struct Rows {
    receiver: mpsc::Receiver<Result<RecordBatch>>,
    task: Option<Task<bool>>,
    token: CancellationToken,
    ended: bool,
}

impl Rows {
    async fn next(&mut self) -> Option<Result<RecordBatch>> {
        if self.ended {
            return None;
        }
        let item = tokio::select! {
            biased;
            () = self.token.cancelled() => Some(Err(cancel::cancelled())),
            item = self.receiver.recv() => item,
        };
        match item {
            Some(Ok(batch)) => Some(Ok(batch)),
            Some(Err(error)) => {
                self.ended = true;
                self.task = None;
                Some(Err(error))
            }
            None => {
                self.ended = true;
                // A channel also closes when its task dies, which is no end of the rows.
                match self.task.take()?.join().await {
                    Ok(true) => None,
                    Ok(false) => Some(Err(DataFusionError::Internal("a job's error was lost".into()))),
                    Err(lost) => Some(Err(DataFusionError::Internal(lost.to_string()))),
                }
            }
        }
    }
}

async fn send_all(
    holders: &Arc<Holders>,
    locations: Vec<PartitionLocation>,
    schema: &SchemaRef,
    sender: &mpsc::Sender<Result<RecordBatch>>,
    sent: &mut usize,
) -> Result<()> {
    let mut batches = std::pin::pin!(batches(holders, locations));
    while let Some(batch) = batches.next().await {
        let batch = relabelled(&batch?, schema)?;
        if sender.send(Ok(batch)).await.is_err() {
            break;
        }
        *sent += 1;
    }
    Ok(())
}

fn batches(
    holders: &Arc<Holders>,
    mut locations: Vec<PartitionLocation>,
) -> impl Stream<Item = Result<RecordBatch>> + use<> {
    locations.sort_by_key(|location| location.partition_id.as_ref().map(|id| id.partition_id));
    let holders = Arc::clone(holders);
    let opened = futures::stream::iter(locations).map(move |location| open(Arc::clone(&holders), location));
    opened.buffered(OPEN_AHEAD).try_flatten()
}

async fn open(holders: Arc<Holders>, location: PartitionLocation) -> Result<SendableRecordBatchStream> {
    let layout = location.layout();
    let missing = || DataFusionError::Internal("a result has no place".into());
    let executor = location.executor_meta.ok_or_else(missing)?;
    let partition = location.partition_id.ok_or_else(missing)?;
    let port = u16::try_from(executor.port).map_err(|_| missing())?;
    let mut client = holders.connect(&executor.host, port).await.map_err(unreachable)?;
    client.fetch_partition(&executor.id, &partition.into(), location.file_id, layout, false).await.map_err(unreachable)
}

fn unreachable(error: ballista_core::error::BallistaError) -> DataFusionError {
    DataFusionError::Execution(format!("failed to fetch a result from its executor: {error}"))
}

/// The batch with the plan's own schema: files may differ from it in names and metadata, never in types.
fn relabelled(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    if batch.schema_ref() == schema {
        return Ok(batch.clone());
    }
    let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(SchemaRef::clone(schema), batch.columns().to_vec(), &options)?)
}
