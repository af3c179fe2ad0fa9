//! Executing a plan: a query becomes a job and its rows a stream, a command is run and its rows become one.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use firesteel_engine::job::JobProgress;
use firesteel_functions::error::SparkResult;
use firesteel_functions::types::StructType;
use futures::StreamExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::query::Parameters;
use super::{Session, finish};
use crate::analyze::{Analyzed, Observation};
use crate::command::{self, Rows};
use crate::source::{envelope, failure};
use crate::spec::{Plan, Relation};

/// Metrics of `df.observe`, once the query is done.
#[derive(Debug, Clone)]
pub struct ObservedMetrics {
    /// Name of the observation.
    pub name: String,
    /// Names and types.
    pub schema: StructType,
    /// One row.
    pub values: RecordBatch,
}

/// A running plan. Dropping it cancels it.
pub struct Execution {
    /// Spark's names and types of the rows.
    pub schema: StructType,
    /// Rows; columns by position, their names mean nothing.
    pub stream: SendableRecordBatchStream,
    /// Progress as it goes.
    pub progress: watch::Receiver<JobProgress>,
    /// Cancels it when triggered.
    pub cancel: CancellationToken,
    /// Plans of observed metrics; see [`Session::observed`].
    pub observations: Vec<Observation>,
}

impl std::fmt::Debug for Execution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Execution").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Session {
    /// Executes a plan. A query is running when this returns, a command is done.
    pub async fn execute(self: &Arc<Self>, plan: Plan) -> SparkResult<Execution> {
        self.execute_with(plan, CancellationToken::new()).await
    }

    /// Executes a plan under a token of the caller's.
    pub async fn execute_with(self: &Arc<Self>, plan: Plan, cancel: CancellationToken) -> SparkResult<Execution> {
        self.touch();
        let bound = match &plan {
            Plan::Query(relation) => command::parameters::command(self, relation).await?,
            Plan::Command(_) => None,
        };
        match bound.map_or(plan, |command| Plan::Command(Box::new(command))) {
            Plan::Query(relation) => self.run_query(&relation, &Parameters::default(), cancel).await,
            Plan::Command(command) => {
                let rows = tokio::select! {
                    () = cancel.cancelled() => return Err(firesteel_functions::SparkError::cancelled()),
                    rows = Box::pin(command::run(self, *command)) => rows?,
                };
                Ok(from_rows(rows, cancel))
            }
        }
    }

    /// Runs a command, or a query to its end, and keeps the rows: what `spark.sql` does with a command.
    pub async fn execute_command_eagerly(self: &Arc<Self>, plan: Plan) -> SparkResult<(StructType, Vec<RecordBatch>)> {
        let mut execution = self.execute(plan).await?;
        let mut batches = Vec::new();
        while let Some(batch) = execution.stream.next().await {
            batches.push(batch.map_err(failure)?);
        }
        Ok((execution.schema, batches))
    }

    pub(crate) async fn run_query(
        self: &Arc<Self>,
        relation: &Relation,
        parameters: &Parameters,
        cancel: CancellationToken,
    ) -> SparkResult<Execution> {
        let ctx = self.context()?;
        let Analyzed { plan, schema, finish, observations, .. } = self.analyze_in(&ctx, relation, parameters).await?;
        let submitted = self.runner().submit("query", Arc::clone(&ctx), plan, cancel.clone()).await;
        let job = submitted.map_err(failure)?;
        let zone = self.time_zone();
        let stream = finish::apply(finish, labelled(job.stream), &zone)?;
        Ok(Execution { schema, stream, progress: job.progress, cancel, observations })
    }

    /// Computes observed metrics.
    pub async fn observed(self: &Arc<Self>, observations: &[Observation]) -> SparkResult<Vec<ObservedMetrics>> {
        let mut metrics = Vec::with_capacity(observations.len());
        for observation in observations {
            let ctx = self.context()?;
            let batches = self.collect(&ctx, observation.plan.clone(), "observed metrics").await?;
            let schema: SchemaRef = match batches.first() {
                Some(batch) => batch.schema(),
                None => Arc::new(observation.schema.to_arrow_schema()),
            };
            let values = arrow::compute::concat_batches(&schema, &batches).map_err(|error| failure(error.into()))?;
            let schema = observation.schema.clone();
            metrics.push(ObservedMetrics { name: observation.name.clone(), schema, values });
        }
        Ok(metrics)
    }
}

/// The stream with errors of connectors under Spark's conditions.
fn labelled(stream: SendableRecordBatchStream) -> SendableRecordBatchStream {
    let schema = stream.schema();
    Box::pin(RecordBatchStreamAdapter::new(schema, stream.map(|batch| batch.map_err(envelope))))
}

fn from_rows(rows: Rows, cancel: CancellationToken) -> Execution {
    let schema = match rows.batches.first() {
        Some(batch) => batch.schema(),
        None => Arc::new(rows.schema.to_arrow_schema()),
    };
    let stream = futures::stream::iter(rows.batches.into_iter().map(Ok));
    let (_, progress) = watch::channel(JobProgress::default());
    Execution {
        schema: rows.schema,
        stream: Box::pin(RecordBatchStreamAdapter::new(schema, stream)),
        progress,
        cancel,
        observations: Vec::new(),
    }
}
