//! Makes a physical plan stop soon after its token is triggered.
//!
//! Every operator of the plan is wrapped so that its output stream looks at the token before each batch:
//!
//! ```text
//! ProjectionExec          Guard(ProjectionExec)
//!   FilterExec       =>     Guard(FilterExec)
//!     DataSourceExec          Guard(DataSourceExec)
//! ```
//!
//! A triggered token ends every stream with an error, never with a short success. The stream of the topmost operator ends even
//! while it waits, and lets go of all below, so that nobody waits for a slow server to send its next rows. The wrapper is
//! invisible to whoever inspects the plan. It is added just before running and never sent anywhere.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Statistics;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use firesteel_functions::SparkError;
use futures::{Stream, StreamExt};
use tokio::task::coop;
use tokio_util::sync::CancellationToken;

/// Wraps every operator of `plan` so that it stops once `token` is triggered.
///
/// # Errors
/// When an operator cannot be rebuilt over wrapped children.
pub fn guard(plan: Arc<dyn ExecutionPlan>, token: &CancellationToken) -> Result<Arc<dyn ExecutionPlan>> {
    let below = |child: &Arc<dyn ExecutionPlan>| -> Result<Arc<dyn ExecutionPlan>> {
        let wrapped = Arc::clone(child).transform_up(|inner| {
            let guard = Guard { inner, token: token.clone(), topmost: false };
            Ok(Transformed::yes(Arc::new(guard) as Arc<dyn ExecutionPlan>))
        })?;
        Ok(wrapped.data)
    };
    let children = plan.children().into_iter().map(below).collect::<Result<Vec<_>>>()?;
    let inner = datafusion::physical_plan::replace_children_if_necessary(plan, children)?;
    Ok(Arc::new(Guard { inner, token: token.clone(), topmost: true }))
}

/// The error of a cancelled job.
#[must_use]
pub fn cancelled() -> DataFusionError {
    SparkError::cancelled().into()
}

/// Ends `stream` with an error once `token` is triggered, even while it waits for its next batch.
#[must_use]
pub fn guard_stream(stream: SendableRecordBatchStream, token: CancellationToken) -> SendableRecordBatchStream {
    let schema = stream.schema();
    let fired = Box::pin(token.cancelled_owned());
    let guarded = futures::stream::unfold(Some((stream, fired)), |state| async move {
        let (mut stream, mut fired) = state?;
        tokio::select! {
            biased;
            () = &mut fired => Some((Err(cancelled()), None)),
            item = stream.next() => match item {
                Some(Ok(batch)) => Some((Ok(batch), Some((stream, fired)))),
                Some(Err(error)) => Some((Err(error), None)),
                None => None,
            },
        }
    });
    Box::pin(datafusion::physical_plan::stream::RecordBatchStreamAdapter::new(schema, guarded))
}

#[derive(Debug)]
struct Guard {
    inner: Arc<dyn ExecutionPlan>,
    token: CancellationToken,
    topmost: bool,
}

impl DisplayAs for Guard {
    fn fmt_as(&self, display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_as(display, f)
    }
}

impl ExecutionPlan for Guard {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn downcast_delegate(&self) -> Option<&dyn ExecutionPlan> {
        Some(self.inner.as_ref())
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.inner.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inner.children()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        self.inner.maintains_input_order()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.inner.apply_expressions(f)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let inner = datafusion::physical_plan::replace_children_if_necessary(Arc::clone(&self.inner), children)?;
        Ok(Arc::new(Self { inner, token: self.token.clone(), topmost: self.topmost }))
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        let inner = Arc::clone(&self.inner).reset_state()?;
        Ok(Arc::new(Self { inner, token: self.token.clone(), topmost: self.topmost }))
    }

    /// How a recursive query gives its own work table to the scans below it.
    fn with_new_state(&self, state: Arc<dyn Any + Send + Sync>) -> Option<Arc<dyn ExecutionPlan>> {
        let inner = self.inner.with_new_state(state)?;
        Some(Arc::new(Self { inner, token: self.token.clone(), topmost: self.topmost }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if self.token.is_cancelled() {
            return Err(cancelled());
        }
        let inner = self.inner.execute(partition, context)?;
        let guarded = Box::pin(GuardStream { inner, token: self.token.clone(), ended: false });
        Ok(if self.topmost { guard_stream(guarded, self.token.clone()) } else { guarded })
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.inner.metrics()
    }

    #[expect(deprecated, reason = "what it forwards to is still the trait's method")]
    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        self.inner.partition_statistics(partition)
    }
}

struct GuardStream {
    inner: SendableRecordBatchStream,
    token: CancellationToken,
    ended: bool,
}

impl Stream for GuardStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if self.token.is_cancelled() {
            self.ended = true;
            return Poll::Ready(Some(Err(cancelled())));
        }
        // An operator with rows in memory, such as a join of everything with everything, is always ready. Without this it
        // would never give its thread back, and whoever wants to cancel it would wait for that thread.
        let turn = ready!(coop::poll_proceed(cx));
        let polled = self.inner.as_mut().poll_next(cx);
        if polled.is_ready() {
            turn.made_progress();
        }
        if let Poll::Ready(None | Some(Err(_))) = &polled {
            self.ended = true;
        }
        polled
    }
}

impl RecordBatchStream for GuardStream {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use arrow::datatypes::Schema;
    use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
    use datafusion::physical_plan::collect;
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
    use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

    use super::*;

    /// Rows of a server that sends none.
    #[derive(Debug)]
    struct Silent(SchemaRef);

    impl PartitionStream for Silent {
        fn schema(&self) -> &SchemaRef {
            &self.0
        }

        fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.0), futures::stream::pending()))
        }
    }

    #[tokio::test]
    async fn a_plan_that_waits_for_rows_stops_too() {
        let schema = Arc::new(Schema::empty());
        let parts = (0..2).map(|_| Arc::new(Silent(Arc::clone(&schema))) as Arc<dyn PartitionStream>).collect();
        let scan = StreamingTableExec::try_new(schema, parts, None, [], false, None).unwrap();
        let token = CancellationToken::new();
        let plan = guard(Arc::new(CoalescePartitionsExec::new(Arc::new(scan))), &token).unwrap();
        let running = tokio::spawn(collect(plan, Arc::new(TaskContext::default())));
        tokio::time::sleep(Duration::from_millis(50)).await;
        token.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
        assert!(ended.is_err());
    }
}
