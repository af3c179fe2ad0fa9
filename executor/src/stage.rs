//! How a task's plan is made ready: shuffle readers find their data, sinks learn which partitions of the job they are,
//! and every operator stops once the task is cancelled.
//!
//! Ballista cancels a task by dropping its future, but the operators run in tasks of their own and would go on to the
//! end. Here the dropped future triggers a token that all operators look at.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::client_pool::BallistaClientPool;
use ballista_core::error::BallistaError;
use ballista_core::execution_plans::sort_shuffle::SortShuffleWriterExec;
use ballista_core::execution_plans::{
    RangeShuffleReaderExec, RangeShuffleWriterExec, ShuffleReaderExec, ShuffleWriterExec,
};
use ballista_core::serde::protobuf::{RuntimeStatsReport, ShuffleWritePartition, TaskColumnStats, WindowStateReport};
use ballista_executor::execution_engine::{
    DefaultQueryStageExec, ExecutionEngine, QueryStageExecutor, ShuffleWriterVariant,
};
use datafusion::arrow::error::ArrowError;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::prelude::SessionConfig;
use firesteel_engine::cancel;
use firesteel_engine::failure;
use firesteel_engine::read_ahead::{Stores, read_ahead};
use firesteel_engine::sink::SinkExec;
use firesteel_functions::SparkError;
use firesteel_functions::error::from_datafusion;
use tokio_util::sync::CancellationToken;

use crate::filters;

/// Makes tasks' plans ready to run.
pub(crate) struct EngineStages {
    clients: Arc<dyn BallistaClientPool>,
}

impl EngineStages {
    pub(crate) fn new(clients: Arc<dyn BallistaClientPool>) -> Self {
        Self { clients }
    }

    fn ready(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        partitions: &[usize],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let ready = plan.transform(|node| {
            if let Some(reader) = node.downcast_ref::<ShuffleReaderExec>() {
                let reader = reader.with_work_dir(work_dir.to_owned()).with_client_pool(Arc::clone(&self.clients));
                return Ok(Transformed::yes(Arc::new(reader) as Arc<dyn ExecutionPlan>));
            }
            if let Some(reader) = node.downcast_ref::<RangeShuffleReaderExec>() {
                let reader = reader.with_work_dir(work_dir.to_owned()).with_client_pool(Arc::clone(&self.clients));
                return Ok(Transformed::yes(Arc::new(reader) as Arc<dyn ExecutionPlan>));
            }
            if let Some(sink) = node.downcast_ref::<SinkExec>() {
                return Ok(Transformed::yes(Arc::new(sink.sliced(partitions)?) as Arc<dyn ExecutionPlan>));
            }
            Ok(Transformed::no(node))
        })?;
        Ok(ready.data)
    }
}

impl ExecutionEngine for EngineStages {
    fn create_query_stage_exec(
        &self,
        job_id: JobId,
        stage_id: usize,
        task_id: usize,
        global_output_partition_ids: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> Result<Arc<dyn QueryStageExecutor>> {
        let token = CancellationToken::new();
        let child =
            plan.children().first().map(|child| Arc::clone(child)).ok_or_else(|| {
                DataFusionError::Internal("a task's plan does not begin with a shuffle writer".into())
            })?;
        let ready = self.ready(child, work_dir, &global_output_partition_ids)?;
        let stores = Stores::default();
        let ready = read_ahead(filters::push_down(ready, config.options())?, &stores)?;
        let input = cancel::guard(ready, &token)?;
        let work_dir = work_dir.to_owned();
        let writer = if plan.is::<ShuffleWriterExec>() {
            let writer = ShuffleWriterExec::try_new(job_id, stage_id, input, work_dir)?
                .with_task_id(task_id)
                .with_global_output_partition_ids(global_output_partition_ids);
            ShuffleWriterVariant::Passthrough(writer)
        } else if plan.is::<RangeShuffleWriterExec>() {
            let writer = RangeShuffleWriterExec::try_new(job_id, stage_id, input, work_dir)?.with_task_id(task_id);
            ShuffleWriterVariant::Range(writer)
        } else if let Some(sort) = plan.downcast_ref::<SortShuffleWriterExec>() {
            let partitioning = sort.shuffle_output_partitioning().clone();
            let writer =
                SortShuffleWriterExec::try_new(job_id, stage_id, input, work_dir, partitioning, sort.config().clone())?
                    .with_task_id(task_id)
                    .with_global_output_partition_ids(global_output_partition_ids);
            ShuffleWriterVariant::Sort(writer)
        } else {
            return Err(DataFusionError::Internal(format!("a task's plan begins with {}", plan.name())));
        };
        Ok(Arc::new(Stage { inner: DefaultQueryStageExec::new(writer), token, stores }))
    }
}

/// Gives errors about data their condition here, where they still have a type: Ballista carries only text. Errors it decides
/// retries by (lost shuffle data, input and output, memory) stay as they are.
fn classified(error: DataFusionError) -> DataFusionError {
    if let Some(known) = of_connector(&error) {
        return known;
    }
    let about_data = match error.find_root() {
        DataFusionError::ArrowError(cause, _) => is_about_data(cause),
        DataFusionError::External(cause) => match cause.downcast_ref::<BallistaError>() {
            Some(BallistaError::ArrowError(cause)) => return file_error(cause).map_or(error, Into::into),
            _ => cause.downcast_ref::<ArrowError>().is_some_and(is_about_data),
        },
        DataFusionError::ParquetError(_) => true,
        _ => false,
    };
    if about_data { from_datafusion(error).into() } else { error }
}

/// What a store or a database refused.
fn of_connector(error: &DataFusionError) -> Option<DataFusionError> {
    failure::told(error).or_else(|| match error.find_root() {
        DataFusionError::External(cause) => match cause.downcast_ref::<BallistaError>() {
            Some(BallistaError::DataFusionError(inner)) => of_connector(inner),
            _ => None,
        },
        _ => None,
    })
}

/// What a file could not be read for. Ballista's own errors, which writers of shuffle data give, do not tell what they hold.
fn file_error(error: &ArrowError) -> Option<SparkError> {
    let same = match error {
        ArrowError::ParquetError(why) => ArrowError::ParquetError(why.clone()),
        ArrowError::CsvError(why) => ArrowError::CsvError(why.clone()),
        ArrowError::JsonError(why) => ArrowError::JsonError(why.clone()),
        ArrowError::AvroError(why) => ArrowError::AvroError(why.clone()),
        _ => return None,
    };
    Some(from_datafusion(same.into()))
}

fn is_about_data(error: &ArrowError) -> bool {
    !matches!(
        error,
        ArrowError::ExternalError(_) | ArrowError::IoError(..) | ArrowError::MemoryError(_) | ArrowError::IpcError(_)
    )
}

/// A task's plan and the token that stops it.
#[derive(Debug)]
struct Stage {
    inner: DefaultQueryStageExec,
    token: CancellationToken,
    /// Told when the task runs.
    stores: Stores,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl QueryStageExecutor for Stage {
    async fn execute_query_stage(
        &self,
        task_id: usize,
        context: Arc<TaskContext>,
    ) -> Result<Vec<ShuffleWritePartition>> {
        // Also when this future is dropped, which is how a task is cancelled.
        let _stop = self.token.clone().drop_guard();
        self.stores.get_or_init(|| context.runtime_env());
        let context = Arc::new(filters::filled(&context));
        self.inner.execute_query_stage(task_id, context).await.map_err(classified)
    }

    fn collect_plan_metrics(&self) -> Vec<MetricsSet> {
        self.inner.collect_plan_metrics()
    }

    fn collect_runtime_stats_reports(&self) -> Vec<RuntimeStatsReport> {
        self.inner.collect_runtime_stats_reports()
    }

    fn collect_window_state_reports(&self) -> Result<Vec<WindowStateReport>> {
        self.inner.collect_window_state_reports()
    }

    fn collect_column_stats(&self) -> Vec<TaskColumnStats> {
        self.inner.collect_column_stats()
    }
}
